use crate::{ErrorCode, TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-4", flexible = "4+")]
pub struct DescribeConfigsRequest {
    #[wire("0+")]
    pub resources: Vec<DescribeConfigsResource>,
    #[wire("1+")]
    pub include_synonyms: bool,
    #[wire("3+")]
    pub include_documentation: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribeConfigsResource {
    #[wire("0+")]
    pub resource_type: i8,
    #[wire("0+")]
    pub resource_name: Text,
    #[wire("0+", nullable = "0+")]
    pub configuration_keys: Option<Vec<Text>>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-4", flexible = "4+")]
pub struct DescribeConfigsResponse {
    #[wire("0+")]
    pub throttle_time_ms: i32,
    #[wire("0+")]
    pub results: Vec<DescribeConfigsResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribeConfigsResult {
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+", nullable = "0+")]
    pub error_message: Option<Text>,
    #[wire("0+")]
    pub resource_type: i8,
    #[wire("0+")]
    pub resource_name: Text,
    #[wire("0+")]
    pub configs: Vec<DescribeConfigsResourceResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribeConfigsResourceResult {
    #[wire("0+")]
    pub name: Text,
    #[wire("0+", nullable = "0+")]
    pub value: Option<Text>,
    #[wire("0+")]
    pub read_only: bool,
    #[wire("1+", default = -1, ignorable)]
    pub config_source: i8,
    #[wire("0+")]
    pub is_sensitive: bool,
    #[wire("1+", ignorable)]
    pub synonyms: Vec<DescribeConfigsSynonym>,
    #[wire("3+", ignorable)]
    pub config_type: i8,
    #[wire("3+", nullable = "0+", ignorable)]
    pub documentation: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribeConfigsSynonym {
    #[wire("1+")]
    pub name: Text,
    #[wire("1+", nullable = "0+")]
    pub value: Option<Text>,
    #[wire("1+")]
    pub source: i8,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
