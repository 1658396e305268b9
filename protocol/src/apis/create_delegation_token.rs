use crate::{Bytes, ErrorCode, TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-3", flexible = "2+")]
pub struct CreateDelegationTokenRequest {
    #[wire("3+", nullable = "3+")]
    pub owner_principal_type: Option<Text>,
    #[wire("3+", nullable = "3+")]
    pub owner_principal_name: Option<Text>,
    #[wire("0+")]
    pub renewers: Vec<CreatableRenewers>,
    #[wire("0+")]
    pub max_lifetime_ms: i64,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct CreatableRenewers {
    #[wire("0+")]
    pub principal_type: Text,
    #[wire("0+")]
    pub principal_name: Text,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-3", flexible = "2+")]
pub struct CreateDelegationTokenResponse {
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+")]
    pub principal_type: Text,
    #[wire("0+")]
    pub principal_name: Text,
    #[wire("3+")]
    pub token_requester_principal_type: Text,
    #[wire("3+")]
    pub token_requester_principal_name: Text,
    #[wire("0+")]
    pub issue_timestamp_ms: i64,
    #[wire("0+")]
    pub expiry_timestamp_ms: i64,
    #[wire("0+")]
    pub max_timestamp_ms: i64,
    #[wire("0+")]
    pub token_id: Text,
    #[wire("0+")]
    pub hmac: Bytes,
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
