//! DeleteShareGroupState: the group coordinator has a share coordinator drop the stored state of
//! partitions of a share group (KIP-932).
//!
//! Only brokers send it, and it takes cluster rights. The state of a share group's partition (start
//! offset, and what became of the records in flight) is kept in `__share_group_state` by the share
//! coordinator to which group, topic and partition together map. One group therefore may need several
//! coordinators, and the request goes to each for its partitions: when a group or its offsets for a topic
//! are deleted.
//!
//! Errors come per partition: the coordinator's three (look up the share coordinator anew, or wait),
//! `UNKNOWN_TOPIC_OR_PARTITION`, `INVALID_REQUEST`. There is no throttle time: quotas are for clients.
//!
//! - v0: the only version, flexible.

use crate::{ErrorCode, TaggedFields, Text, Uuid, Wire};

/// The partitions whose state shall go, for one group.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct DeleteShareGroupStateRequest {
    /// The share group.
    #[wire("0+")]
    pub group_id: Text,
    /// The partitions, by topic.
    #[wire("0+")]
    pub topics: Vec<DeleteStateData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DeleteStateData {
    /// The topic's id; this API has no names.
    #[wire("0+")]
    pub topic_id: Uuid,
    /// The partitions whose state shall go.
    #[wire("0+")]
    pub partitions: Vec<PartitionData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One partition.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct PartitionData {
    /// The partition's number within the topic.
    #[wire("0+")]
    pub partition: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The result for each partition.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct DeleteShareGroupStateResponse {
    /// The results, grouped by topic.
    #[wire("0+")]
    pub results: Vec<DeleteStateResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The results for one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DeleteStateResult {
    /// The topic's id, as in the request.
    #[wire("0+")]
    pub topic_id: Uuid,
    /// One result per partition.
    #[wire("0+")]
    pub partitions: Vec<PartitionResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The result for one partition.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct PartitionResult {
    /// The partition's number within the topic.
    #[wire("0+")]
    pub partition: i32,
    /// `NONE` = no state is stored any more.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// Says more about `error_code`, for people; null without an error.
    #[wire("0+", nullable = "0+", default = null)]
    pub error_message: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
