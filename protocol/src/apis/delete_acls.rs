use crate::{ErrorCode, TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-3", flexible = "2+")]
pub struct DeleteAclsRequest {
    #[wire("0+")]
    pub filters: Vec<DeleteAclsFilter>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DeleteAclsFilter {
    #[wire("0+")]
    pub resource_type_filter: i8,
    #[wire("0+", nullable = "0+")]
    pub resource_name_filter: Option<Text>,
    #[wire("1+", default = 3)]
    pub pattern_type_filter: i8,
    #[wire("0+", nullable = "0+")]
    pub principal_filter: Option<Text>,
    #[wire("0+", nullable = "0+")]
    pub host_filter: Option<Text>,
    #[wire("0+")]
    pub operation: i8,
    #[wire("0+")]
    pub permission_type: i8,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-3", flexible = "2+")]
pub struct DeleteAclsResponse {
    #[wire("0+")]
    pub throttle_time_ms: i32,
    #[wire("0+")]
    pub filter_results: Vec<DeleteAclsFilterResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DeleteAclsFilterResult {
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+", nullable = "0+")]
    pub error_message: Option<Text>,
    #[wire("0+")]
    pub matching_acls: Vec<DeleteAclsMatchingAcl>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DeleteAclsMatchingAcl {
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+", nullable = "0+")]
    pub error_message: Option<Text>,
    #[wire("0+")]
    pub resource_type: i8,
    #[wire("0+")]
    pub resource_name: Text,
    #[wire("1+", default = 3)]
    pub pattern_type: i8,
    #[wire("0+")]
    pub principal: Text,
    #[wire("0+")]
    pub host: Text,
    #[wire("0+")]
    pub operation: i8,
    #[wire("0+")]
    pub permission_type: i8,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
