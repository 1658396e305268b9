use crate::{TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-2", flexible = "2+")]
pub struct RequestHeader {
    #[wire("0+")]
    pub request_api_key: i16,
    #[wire("0+")]
    pub request_api_version: i16,
    #[wire("0+")]
    pub correlation_id: i32,
    #[wire("1+", nullable = "1+", never_flexible)]
    pub client_id: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "1+")]
pub struct ResponseHeader {
    #[wire("0+")]
    pub correlation_id: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
