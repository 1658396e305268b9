use crate::{Bytes, ErrorCode, TaggedFields, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-2", flexible = "2+")]
pub struct RenewDelegationTokenRequest {
    #[wire("0+")]
    pub hmac: Bytes,
    #[wire("0+")]
    pub renew_period_ms: i64,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-2", flexible = "2+")]
pub struct RenewDelegationTokenResponse {
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+")]
    pub expiry_timestamp_ms: i64,
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
