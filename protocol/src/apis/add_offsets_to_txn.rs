use crate::{ErrorCode, TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-4", flexible = "3+")]
pub struct AddOffsetsToTxnRequest {
    #[wire("0+")]
    pub transactional_id: Text,
    #[wire("0+")]
    pub producer_id: i64,
    #[wire("0+")]
    pub producer_epoch: i16,
    #[wire("0+")]
    pub group_id: Text,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-4", flexible = "3+")]
pub struct AddOffsetsToTxnResponse {
    #[wire("0+")]
    pub throttle_time_ms: i32,
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
