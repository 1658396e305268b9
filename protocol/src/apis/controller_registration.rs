use crate::{ErrorCode, TaggedFields, Text, Uuid, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct ControllerRegistrationRequest {
    #[wire("0+")]
    pub controller_id: i32,
    #[wire("0+")]
    pub incarnation_id: Uuid,
    #[wire("0+")]
    pub zk_migration_ready: bool,
    #[wire("0+")]
    pub listeners: Vec<Listener>,
    #[wire("0+")]
    pub features: Vec<Feature>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct Listener {
    #[wire("0+")]
    pub name: Text,
    #[wire("0+")]
    pub host: Text,
    #[wire("0+")]
    pub port: u16,
    #[wire("0+")]
    pub security_protocol: i16,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct Feature {
    #[wire("0+")]
    pub name: Text,
    #[wire("0+")]
    pub min_supported_version: i16,
    #[wire("0+")]
    pub max_supported_version: i16,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct ControllerRegistrationResponse {
    #[wire("0+")]
    pub throttle_time_ms: i32,
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+", nullable = "0+")]
    pub error_message: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
