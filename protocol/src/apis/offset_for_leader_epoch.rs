use crate::{ErrorCode, TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "2-4", flexible = "4+")]
pub struct OffsetForLeaderEpochRequest {
    #[wire("3+", default = -2, ignorable)]
    pub replica_id: i32,
    #[wire("0+")]
    pub topics: Vec<OffsetForLeaderTopic>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct OffsetForLeaderTopic {
    #[wire("0+")]
    pub topic: Text,
    #[wire("0+")]
    pub partitions: Vec<OffsetForLeaderPartition>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct OffsetForLeaderPartition {
    #[wire("0+")]
    pub partition: i32,
    #[wire("2+", default = -1, ignorable)]
    pub current_leader_epoch: i32,
    #[wire("0+")]
    pub leader_epoch: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "2-4", flexible = "4+")]
pub struct OffsetForLeaderEpochResponse {
    #[wire("2+", ignorable)]
    pub throttle_time_ms: i32,
    #[wire("0+")]
    pub topics: Vec<OffsetForLeaderTopicResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct OffsetForLeaderTopicResult {
    #[wire("0+")]
    pub topic: Text,
    #[wire("0+")]
    pub partitions: Vec<EpochEndOffset>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct EpochEndOffset {
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+")]
    pub partition: i32,
    #[wire("1+", default = -1, ignorable)]
    pub leader_epoch: i32,
    #[wire("0+", default = -1)]
    pub end_offset: i64,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
