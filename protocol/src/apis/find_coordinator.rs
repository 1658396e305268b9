use crate::{ErrorCode, TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-6", flexible = "3+")]
pub struct FindCoordinatorRequest {
    #[wire("0-3")]
    pub key: Text,
    #[wire("1+")]
    pub key_type: i8,
    #[wire("4+")]
    pub coordinator_keys: Vec<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-6", flexible = "3+")]
pub struct FindCoordinatorResponse {
    #[wire("1+", ignorable)]
    pub throttle_time_ms: i32,
    #[wire("0-3")]
    pub error_code: ErrorCode,
    #[wire("1-3", nullable = "1-3", ignorable)]
    pub error_message: Option<Text>,
    #[wire("0-3")]
    pub node_id: i32,
    #[wire("0-3")]
    pub host: Text,
    #[wire("0-3")]
    pub port: i32,
    #[wire("4+")]
    pub coordinators: Vec<Coordinator>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct Coordinator {
    #[wire("4+")]
    pub key: Text,
    #[wire("4+")]
    pub node_id: i32,
    #[wire("4+")]
    pub host: Text,
    #[wire("4+")]
    pub port: i32,
    #[wire("4+")]
    pub error_code: ErrorCode,
    #[wire("4+", nullable = "4+", ignorable)]
    pub error_message: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
