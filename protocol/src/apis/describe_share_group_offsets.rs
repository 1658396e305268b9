//! DescribeShareGroupOffsets tells where share groups stand in their partitions (KIP-932). An admin client
//! sends it to the groups' coordinator, which asks the share coordinators of the partitions.
//!
//! A share group has no committed offset: records are acknowledged one by one, and what is told is the
//! share-partition start offset, the first offset that may still be delivered. It needs `DESCRIBE` on the
//! group and on the topics.
//!
//! Errors are per group (`GROUP_ID_NOT_FOUND`, `GROUP_AUTHORIZATION_FAILED`, `NOT_COORDINATOR`,
//! `COORDINATOR_LOAD_IN_PROGRESS`, `COORDINATOR_NOT_AVAILABLE`) and per partition
//! (`TOPIC_AUTHORIZATION_FAILED` among them). Trap: a partition that the group has never read is no error,
//! but start offset -1.
//!
//! - v0: the first version.
//! - v1: the answer has the lag (KIP-1226).

use crate::{ErrorCode, TaggedFields, Text, Uuid, Wire};

/// The groups whose positions to tell.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "0+")]
pub struct DescribeShareGroupOffsetsRequest {
    /// The groups, all with the same coordinator: the one that this goes to.
    #[wire("0+")]
    pub groups: Vec<DescribeShareGroupOffsetsRequestGroup>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One group of the request.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribeShareGroupOffsetsRequestGroup {
    /// The share group.
    #[wire("0+")]
    pub group_id: Text,
    /// The partitions of interest; null = every partition that the group has a position in.
    #[wire("0+", nullable = "0+")]
    pub topics: Option<Vec<DescribeShareGroupOffsetsRequestTopic>>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribeShareGroupOffsetsRequestTopic {
    /// The topic's name.
    #[wire("0+")]
    pub topic_name: Text,
    /// The partition indexes.
    #[wire("0+")]
    pub partitions: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The positions of the groups.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "0+")]
pub struct DescribeShareGroupOffsetsResponse {
    /// How long the broker holds this client back for exceeding a quota, in milliseconds; 0 = not at all.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// One entry for each group of the request.
    #[wire("0+")]
    pub groups: Vec<DescribeShareGroupOffsetsResponseGroup>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The answer for one group.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribeShareGroupOffsetsResponseGroup {
    /// The share group.
    #[wire("0+")]
    pub group_id: Text,
    /// Its positions by topic; empty when the group failed as a whole.
    #[wire("0+")]
    pub topics: Vec<DescribeShareGroupOffsetsResponseTopic>,
    /// Why nothing is told of this group, if so.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// The failure in words; null when there was none.
    #[wire("0+", nullable = "0+", default = null)]
    pub error_message: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The positions in one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribeShareGroupOffsetsResponseTopic {
    /// The topic's name.
    #[wire("0+")]
    pub topic_name: Text,
    /// The topic's id; zero when the topic is not known.
    #[wire("0+")]
    pub topic_id: Uuid,
    /// One entry for each partition.
    #[wire("0+")]
    pub partitions: Vec<DescribeShareGroupOffsetsResponsePartition>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The position in one partition.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribeShareGroupOffsetsResponsePartition {
    /// The partition.
    #[wire("0+")]
    pub partition_index: i32,
    /// The first offset that the group may still be given: all before it is settled. -1 = nothing read
    /// yet.
    #[wire("0+")]
    pub start_offset: i64,
    /// The leader epoch of the partition that was stored with the position.
    #[wire("0+")]
    pub leader_epoch: i32,
    /// How many records the group still has before it; -1 = unknown.
    #[wire("1+", default = -1, ignorable)]
    pub lag: i64,
    /// Why this partition is not told, if so.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// The failure in words; null when there was none.
    #[wire("0+", nullable = "0+", default = null)]
    pub error_message: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
