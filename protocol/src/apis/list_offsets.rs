use crate::{ErrorCode, TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-11", flexible = "6+")]
pub struct ListOffsetsRequest {
    #[wire("0+")]
    pub replica_id: i32,
    #[wire("2+")]
    pub isolation_level: i8,
    #[wire("0+")]
    pub topics: Vec<ListOffsetsTopic>,
    #[wire("10+", ignorable)]
    pub timeout_ms: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ListOffsetsTopic {
    #[wire("0+")]
    pub name: Text,
    #[wire("0+")]
    pub partitions: Vec<ListOffsetsPartition>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ListOffsetsPartition {
    #[wire("0+")]
    pub partition_index: i32,
    #[wire("4+", default = -1, ignorable)]
    pub current_leader_epoch: i32,
    #[wire("0+")]
    pub timestamp: i64,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-11", flexible = "6+")]
pub struct ListOffsetsResponse {
    #[wire("2+", ignorable)]
    pub throttle_time_ms: i32,
    #[wire("0+")]
    pub topics: Vec<ListOffsetsTopicResponse>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ListOffsetsTopicResponse {
    #[wire("0+")]
    pub name: Text,
    #[wire("0+")]
    pub partitions: Vec<ListOffsetsPartitionResponse>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ListOffsetsPartitionResponse {
    #[wire("0+")]
    pub partition_index: i32,
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("1+", default = -1)]
    pub timestamp: i64,
    #[wire("1+", default = -1)]
    pub offset: i64,
    #[wire("4+", default = -1)]
    pub leader_epoch: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
