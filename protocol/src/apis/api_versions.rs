use crate::{ErrorCode, TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-4", flexible = "3+")]
pub struct ApiVersionsRequest {
    #[wire("3+", ignorable)]
    pub client_software_name: Text,
    #[wire("3+", ignorable)]
    pub client_software_version: Text,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-4", flexible = "3+")]
pub struct ApiVersionsResponse {
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+")]
    pub api_keys: Vec<ApiVersion>,
    #[wire("1+", ignorable)]
    pub throttle_time_ms: i32,
    #[wire("3+", tag = 0, ignorable)]
    pub supported_features: Vec<SupportedFeatureKey>,
    #[wire("3+", default = -1, tag = 1, ignorable)]
    pub finalized_features_epoch: i64,
    #[wire("3+", tag = 2, ignorable)]
    pub finalized_features: Vec<FinalizedFeatureKey>,
    #[wire("3+", tag = 3, ignorable)]
    pub zk_migration_ready: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ApiVersion {
    #[wire("0+")]
    pub api_key: i16,
    #[wire("0+")]
    pub min_version: i16,
    #[wire("0+")]
    pub max_version: i16,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct SupportedFeatureKey {
    #[wire("3+")]
    pub name: Text,
    #[wire("3+")]
    pub min_version: i16,
    #[wire("3+")]
    pub max_version: i16,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct FinalizedFeatureKey {
    #[wire("3+")]
    pub name: Text,
    #[wire("3+")]
    pub max_version_level: i16,
    #[wire("3+")]
    pub min_version_level: i16,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
