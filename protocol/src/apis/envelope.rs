use crate::{Bytes, ErrorCode, TaggedFields, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct EnvelopeRequest {
    #[wire("0+")]
    pub request_data: Bytes,
    #[wire("0+", nullable = "0+")]
    pub request_principal: Option<Bytes>,
    #[wire("0+")]
    pub client_host_address: Bytes,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct EnvelopeResponse {
    #[wire("0+", nullable = "0+", default = null)]
    pub response_data: Option<Bytes>,
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
