use crate::{ErrorCode, TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "1+")]
pub struct IncrementalAlterConfigsRequest {
    #[wire("0+")]
    pub resources: Vec<AlterConfigsResource>,
    #[wire("0+")]
    pub validate_only: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct AlterConfigsResource {
    #[wire("0+")]
    pub resource_type: i8,
    #[wire("0+")]
    pub resource_name: Text,
    #[wire("0+")]
    pub configs: Vec<AlterableConfig>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct AlterableConfig {
    #[wire("0+")]
    pub name: Text,
    #[wire("0+")]
    pub config_operation: i8,
    #[wire("0+", nullable = "0+")]
    pub value: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "1+")]
pub struct IncrementalAlterConfigsResponse {
    #[wire("0+")]
    pub throttle_time_ms: i32,
    #[wire("0+")]
    pub responses: Vec<AlterConfigsResourceResponse>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct AlterConfigsResourceResponse {
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+", nullable = "0+")]
    pub error_message: Option<Text>,
    #[wire("0+")]
    pub resource_type: i8,
    #[wire("0+")]
    pub resource_name: Text,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
