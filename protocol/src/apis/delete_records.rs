use crate::{ErrorCode, TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-2", flexible = "2+")]
pub struct DeleteRecordsRequest {
    #[wire("0+")]
    pub topics: Vec<DeleteRecordsTopic>,
    #[wire("0+")]
    pub timeout_ms: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DeleteRecordsTopic {
    #[wire("0+")]
    pub name: Text,
    #[wire("0+")]
    pub partitions: Vec<DeleteRecordsPartition>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DeleteRecordsPartition {
    #[wire("0+")]
    pub partition_index: i32,
    #[wire("0+")]
    pub offset: i64,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-2", flexible = "2+")]
pub struct DeleteRecordsResponse {
    #[wire("0+")]
    pub throttle_time_ms: i32,
    #[wire("0+")]
    pub topics: Vec<DeleteRecordsTopicResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DeleteRecordsTopicResult {
    #[wire("0+")]
    pub name: Text,
    #[wire("0+")]
    pub partitions: Vec<DeleteRecordsPartitionResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DeleteRecordsPartitionResult {
    #[wire("0+")]
    pub partition_index: i32,
    #[wire("0+")]
    pub low_watermark: i64,
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
