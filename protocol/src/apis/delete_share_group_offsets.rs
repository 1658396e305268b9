//! DeleteShareGroupOffsets: makes a share group forget whole topics (KIP-932).
//!
//! A tool sends it to the group's coordinator, which has the state of every partition of the topic
//! removed by the share coordinators. If the group consumes the topic again, it starts anew where
//! `share.auto.offset.reset` says. Unlike OffsetDelete for consumer groups it works on topics, not on
//! partitions.
//!
//! The group must have no members (`NON_EMPTY_GROUP`) and must exist (`GROUP_ID_NOT_FOUND`); it needs
//! DELETE rights, each topic READ. A topic that is not known is `UNKNOWN_TOPIC_OR_PARTITION` in its own
//! entry.
//!
//! - v0: the only version, flexible.

use crate::{ErrorCode, TaggedFields, Text, Uuid, Wire};

/// The topics that a share group shall forget.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct DeleteShareGroupOffsetsRequest {
    /// The share group.
    #[wire("0+")]
    pub group_id: Text,
    /// The topics; what the group knows about others stays.
    #[wire("0+")]
    pub topics: Vec<DeleteShareGroupOffsetsRequestTopic>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One topic to forget.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DeleteShareGroupOffsetsRequestTopic {
    /// The topic. Requests name it, answers add its id.
    #[wire("0+")]
    pub topic_name: Text,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The result for each topic.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct DeleteShareGroupOffsetsResponse {
    /// Milliseconds for which a quota holds the client back; 0 = no quota was exceeded.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// An error that concerns the whole group: coordinator, rights, members still present.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// Says more about `error_code`, for people; null without an error.
    #[wire("0+", nullable = "0+", default = null)]
    pub error_message: Option<Text>,
    /// One entry per topic of the request.
    #[wire("0+")]
    pub responses: Vec<DeleteShareGroupOffsetsResponseTopic>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The result for one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DeleteShareGroupOffsetsResponseTopic {
    /// The topic, as in the request.
    #[wire("0+")]
    pub topic_name: Text,
    /// The id of the topic; all zeros when the topic is unknown.
    #[wire("0+")]
    pub topic_id: Uuid,
    /// `NONE` = the group knows nothing about the topic any more.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// Says more about `error_code`, for people; null without an error.
    #[wire("0+", nullable = "0+", default = null)]
    pub error_message: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
