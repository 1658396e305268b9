use crate::{Bytes, ErrorCode, TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-3", flexible = "2+")]
pub struct DescribeDelegationTokenRequest {
    #[wire("0+", nullable = "0+")]
    pub owners: Option<Vec<DescribeDelegationTokenOwner>>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribeDelegationTokenOwner {
    #[wire("0+")]
    pub principal_type: Text,
    #[wire("0+")]
    pub principal_name: Text,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-3", flexible = "2+")]
pub struct DescribeDelegationTokenResponse {
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+")]
    pub tokens: Vec<DescribedDelegationToken>,
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribedDelegationToken {
    #[wire("0+")]
    pub principal_type: Text,
    #[wire("0+")]
    pub principal_name: Text,
    #[wire("3+")]
    pub token_requester_principal_type: Text,
    #[wire("3+")]
    pub token_requester_principal_name: Text,
    #[wire("0+")]
    pub issue_timestamp: i64,
    #[wire("0+")]
    pub expiry_timestamp: i64,
    #[wire("0+")]
    pub max_timestamp: i64,
    #[wire("0+")]
    pub token_id: Text,
    #[wire("0+")]
    pub hmac: Bytes,
    #[wire("0+")]
    pub renewers: Vec<DescribedDelegationTokenRenewer>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribedDelegationTokenRenewer {
    #[wire("0+")]
    pub principal_type: Text,
    #[wire("0+")]
    pub principal_name: Text,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
