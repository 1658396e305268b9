use crate::{ErrorCode, TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-3", flexible = "2+")]
pub struct DescribeAclsRequest {
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
pub struct DescribeAclsResponse {
    #[wire("0+")]
    pub throttle_time_ms: i32,
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+", nullable = "0+")]
    pub error_message: Option<Text>,
    #[wire("0+")]
    pub resources: Vec<DescribeAclsResource>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribeAclsResource {
    #[wire("0+")]
    pub resource_type: i8,
    #[wire("0+")]
    pub resource_name: Text,
    #[wire("1+", default = 3)]
    pub pattern_type: i8,
    #[wire("0+")]
    pub acls: Vec<AclDescription>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct AclDescription {
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
