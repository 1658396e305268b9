use crate::{ErrorCode, TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct DescribeTransactionsRequest {
    #[wire("0+")]
    pub transactional_ids: Vec<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct DescribeTransactionsResponse {
    #[wire("0+")]
    pub throttle_time_ms: i32,
    #[wire("0+")]
    pub transaction_states: Vec<TransactionState>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TransactionState {
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+")]
    pub transactional_id: Text,
    #[wire("0+")]
    pub transaction_state: Text,
    #[wire("0+")]
    pub transaction_timeout_ms: i32,
    #[wire("0+")]
    pub transaction_start_time_ms: i64,
    #[wire("0+")]
    pub producer_id: i64,
    #[wire("0+")]
    pub producer_epoch: i16,
    #[wire("0+")]
    pub topics: Vec<TopicData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TopicData {
    #[wire("0+")]
    pub topic: Text,
    #[wire("0+")]
    pub partitions: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
