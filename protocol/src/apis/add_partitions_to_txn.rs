use crate::{ErrorCode, TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-5", flexible = "3+")]
pub struct AddPartitionsToTxnRequest {
    #[wire("4+")]
    pub transactions: Vec<AddPartitionsToTxnTransaction>,
    #[wire("0-3")]
    pub v3_and_below_transactional_id: Text,
    #[wire("0-3")]
    pub v3_and_below_producer_id: i64,
    #[wire("0-3")]
    pub v3_and_below_producer_epoch: i16,
    #[wire("0-3")]
    pub v3_and_below_topics: Vec<AddPartitionsToTxnTopic>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct AddPartitionsToTxnTransaction {
    #[wire("4+")]
    pub transactional_id: Text,
    #[wire("4+")]
    pub producer_id: i64,
    #[wire("4+")]
    pub producer_epoch: i16,
    #[wire("4+")]
    pub verify_only: bool,
    #[wire("4+")]
    pub topics: Vec<AddPartitionsToTxnTopic>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct AddPartitionsToTxnTopic {
    #[wire("0+")]
    pub name: Text,
    #[wire("0+")]
    pub partitions: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-5", flexible = "3+")]
pub struct AddPartitionsToTxnResponse {
    #[wire("0+")]
    pub throttle_time_ms: i32,
    #[wire("4+", ignorable)]
    pub error_code: ErrorCode,
    #[wire("4+")]
    pub results_by_transaction: Vec<AddPartitionsToTxnResult>,
    #[wire("0-3")]
    pub results_by_topic_v3_and_below: Vec<AddPartitionsToTxnTopicResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct AddPartitionsToTxnResult {
    #[wire("4+")]
    pub transactional_id: Text,
    #[wire("4+")]
    pub topic_results: Vec<AddPartitionsToTxnTopicResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct AddPartitionsToTxnTopicResult {
    #[wire("0+")]
    pub name: Text,
    #[wire("0+")]
    pub results_by_partition: Vec<AddPartitionsToTxnPartitionResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct AddPartitionsToTxnPartitionResult {
    #[wire("0+")]
    pub partition_index: i32,
    #[wire("0+")]
    pub partition_error_code: ErrorCode,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
