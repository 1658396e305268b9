use crate::{Bytes, ErrorCode, TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-2", flexible = "2+")]
pub struct SaslAuthenticateRequest {
    #[wire("0+")]
    pub auth_bytes: Bytes,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-2", flexible = "2+")]
pub struct SaslAuthenticateResponse {
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+", nullable = "0+")]
    pub error_message: Option<Text>,
    #[wire("0+")]
    pub auth_bytes: Bytes,
    #[wire("1+", ignorable)]
    pub session_lifetime_ms: i64,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
