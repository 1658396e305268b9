//! AlterShareGroupOffsets: sets where a share group starts reading partitions (KIP-932).
//!
//! A tool sends it to the group's coordinator. A share group has no committed offset per consumer: each
//! partition has one start offset, and everything from there on is delivered, acknowledged and
//! redelivered one record at a time. Setting the start offset throws away what the group knew about
//! single records: acknowledgements and delivery counts.
//!
//! The group must have no members (`NON_EMPTY_GROUP`), since consumers hold acquired records. The group
//! needs READ rights, and so does every topic. `GROUP_ID_NOT_FOUND` also stands for an id that belongs to
//! a group of another kind. Coordinator errors (`NOT_COORDINATOR`, `COORDINATOR_NOT_AVAILABLE`,
//! `COORDINATOR_LOAD_IN_PROGRESS`) stand on top.
//!
//! - v0: the only version, flexible.

use crate::{ErrorCode, TaggedFields, Text, Uuid, Wire};

/// New start offsets for one share group.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct AlterShareGroupOffsetsRequest {
    /// The share group to reset.
    #[wire("0+")]
    pub group_id: Text,
    /// The partitions to reset, by topic; others stay as they are.
    #[wire("0+")]
    pub topics: Vec<AlterShareGroupOffsetsRequestTopic>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// New start offsets for one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct AlterShareGroupOffsetsRequestTopic {
    /// The topic. Requests name it, answers add its id.
    #[wire("0+")]
    pub topic_name: Text,
    /// One start offset per partition.
    #[wire("0+")]
    pub partitions: Vec<AlterShareGroupOffsetsRequestPartition>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The new start offset of one partition.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct AlterShareGroupOffsetsRequestPartition {
    /// The partition's number within the topic.
    #[wire("0+")]
    pub partition_index: i32,
    /// The first offset that the group is to receive.
    #[wire("0+")]
    pub start_offset: i64,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The result for each partition.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct AlterShareGroupOffsetsResponse {
    /// Milliseconds for which a quota holds the client back; 0 = no quota was exceeded.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// An error that concerns the whole group: coordinator, rights, members still present.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// Says more about `error_code`, for people; null without an error.
    #[wire("0+", nullable = "0+", default = null)]
    pub error_message: Option<Text>,
    /// The results, grouped by topic.
    #[wire("0+")]
    pub responses: Vec<AlterShareGroupOffsetsResponseTopic>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The results for one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct AlterShareGroupOffsetsResponseTopic {
    /// The topic, as in the request.
    #[wire("0+")]
    pub topic_name: Text,
    /// The id of the topic; all zeros when the topic is unknown.
    #[wire("0+")]
    pub topic_id: Uuid,
    /// One result per partition.
    #[wire("0+")]
    pub partitions: Vec<AlterShareGroupOffsetsResponsePartition>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The result for one partition.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct AlterShareGroupOffsetsResponsePartition {
    /// The partition's number within the topic.
    #[wire("0+")]
    pub partition_index: i32,
    /// `NONE`, or why the start offset stays as it was.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// Says more about `error_code`, for people; null without an error.
    #[wire("0+", nullable = "0+", default = null)]
    pub error_message: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
