use crate::{ErrorCode, TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-2", flexible = "0+")]
pub struct UpdateFeaturesRequest {
    #[wire("0+", default = 60000, name = "timeoutMs")]
    pub timeout_ms: i32,
    #[wire("0+")]
    pub feature_updates: Vec<FeatureUpdateKey>,
    #[wire("1+")]
    pub validate_only: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct FeatureUpdateKey {
    #[wire("0+")]
    pub feature: Text,
    #[wire("0+")]
    pub max_version_level: i16,
    #[wire("0")]
    pub allow_downgrade: bool,
    #[wire("1+", default = 1)]
    pub upgrade_type: i8,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-2", flexible = "0+")]
pub struct UpdateFeaturesResponse {
    #[wire("0+")]
    pub throttle_time_ms: i32,
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+", nullable = "0+")]
    pub error_message: Option<Text>,
    #[wire("0-1", ignorable)]
    pub results: Vec<UpdatableFeatureResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct UpdatableFeatureResult {
    #[wire("0+")]
    pub feature: Text,
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+", nullable = "0+")]
    pub error_message: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
