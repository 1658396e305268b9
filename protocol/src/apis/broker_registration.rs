use crate::{ErrorCode, TaggedFields, Text, Uuid, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-4", flexible = "0+")]
pub struct BrokerRegistrationRequest {
    #[wire("0+")]
    pub broker_id: i32,
    #[wire("0+")]
    pub cluster_id: Text,
    #[wire("0+")]
    pub incarnation_id: Uuid,
    #[wire("0+")]
    pub listeners: Vec<Listener>,
    #[wire("0+")]
    pub features: Vec<Feature>,
    #[wire("0+", nullable = "0+")]
    pub rack: Option<Text>,
    #[wire("1+")]
    pub is_migrating_zk_broker: bool,
    #[wire("2+", ignorable)]
    pub log_dirs: Vec<Uuid>,
    #[wire("3+", default = -1, ignorable)]
    pub previous_broker_epoch: i64,
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
#[message(versions = "0-4", flexible = "0+")]
pub struct BrokerRegistrationResponse {
    #[wire("0+")]
    pub throttle_time_ms: i32,
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+", default = -1)]
    pub broker_epoch: i64,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
