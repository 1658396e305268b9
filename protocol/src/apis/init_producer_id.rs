use crate::{ErrorCode, TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-6", flexible = "2+", unstable)]
pub struct InitProducerIdRequest {
    #[wire("0+", nullable = "0+")]
    pub transactional_id: Option<Text>,
    #[wire("0+")]
    pub transaction_timeout_ms: i32,
    #[wire("3+", default = -1)]
    pub producer_id: i64,
    #[wire("3+", default = -1)]
    pub producer_epoch: i16,
    #[wire("6+")]
    pub enable2_pc: bool,
    #[wire("6+")]
    pub keep_prepared_txn: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-6", flexible = "2+")]
pub struct InitProducerIdResponse {
    #[wire("0+", ignorable)]
    pub throttle_time_ms: i32,
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+", default = -1)]
    pub producer_id: i64,
    #[wire("0+")]
    pub producer_epoch: i16,
    #[wire("6+", default = -1)]
    pub ongoing_txn_producer_id: i64,
    #[wire("6+", default = -1)]
    pub ongoing_txn_producer_epoch: i16,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
