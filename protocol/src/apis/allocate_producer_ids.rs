use crate::{ErrorCode, TaggedFields, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct AllocateProducerIdsRequest {
    #[wire("0+")]
    pub broker_id: i32,
    #[wire("0+", default = -1)]
    pub broker_epoch: i64,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct AllocateProducerIdsResponse {
    #[wire("0+")]
    pub throttle_time_ms: i32,
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+")]
    pub producer_id_start: i64,
    #[wire("0+")]
    pub producer_id_len: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
