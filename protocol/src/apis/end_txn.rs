use crate::{ErrorCode, TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-5", flexible = "3+")]
pub struct EndTxnRequest {
    #[wire("0+")]
    pub transactional_id: Text,
    #[wire("0+")]
    pub producer_id: i64,
    #[wire("0+")]
    pub producer_epoch: i16,
    #[wire("0+")]
    pub committed: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-5", flexible = "3+")]
pub struct EndTxnResponse {
    #[wire("0+")]
    pub throttle_time_ms: i32,
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("5+", default = -1, ignorable)]
    pub producer_id: i64,
    #[wire("5+", default = -1, ignorable)]
    pub producer_epoch: i16,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
