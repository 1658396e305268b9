use crate::{ErrorCode, TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct DescribeProducersRequest {
    #[wire("0+")]
    pub topics: Vec<TopicRequest>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TopicRequest {
    #[wire("0+")]
    pub name: Text,
    #[wire("0+")]
    pub partition_indexes: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct DescribeProducersResponse {
    #[wire("0+")]
    pub throttle_time_ms: i32,
    #[wire("0+")]
    pub topics: Vec<TopicResponse>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TopicResponse {
    #[wire("0+")]
    pub name: Text,
    #[wire("0+")]
    pub partitions: Vec<PartitionResponse>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct PartitionResponse {
    #[wire("0+")]
    pub partition_index: i32,
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+", nullable = "0+", default = null)]
    pub error_message: Option<Text>,
    #[wire("0+")]
    pub active_producers: Vec<ProducerState>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ProducerState {
    #[wire("0+")]
    pub producer_id: i64,
    #[wire("0+")]
    pub producer_epoch: i32,
    #[wire("0+", default = -1)]
    pub last_sequence: i32,
    #[wire("0+", default = -1)]
    pub last_timestamp: i64,
    #[wire("0+")]
    pub coordinator_epoch: i32,
    #[wire("0+", default = -1)]
    pub current_txn_start_offset: i64,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
