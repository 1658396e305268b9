use crate::{Bytes, ErrorCode, TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-6", flexible = "5+")]
pub struct DescribeGroupsRequest {
    #[wire("0+")]
    pub groups: Vec<Text>,
    #[wire("3+")]
    pub include_authorized_operations: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-6", flexible = "5+")]
pub struct DescribeGroupsResponse {
    #[wire("1+", ignorable)]
    pub throttle_time_ms: i32,
    #[wire("0+")]
    pub groups: Vec<DescribedGroup>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribedGroup {
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("6+", nullable = "6+", default = null)]
    pub error_message: Option<Text>,
    #[wire("0+")]
    pub group_id: Text,
    #[wire("0+")]
    pub group_state: Text,
    #[wire("0+")]
    pub protocol_type: Text,
    #[wire("0+")]
    pub protocol_data: Text,
    #[wire("0+")]
    pub members: Vec<DescribedGroupMember>,
    #[wire("3+", default = -2147483648)]
    pub authorized_operations: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribedGroupMember {
    #[wire("0+")]
    pub member_id: Text,
    #[wire("4+", nullable = "4+", default = null, ignorable)]
    pub group_instance_id: Option<Text>,
    #[wire("0+")]
    pub client_id: Text,
    #[wire("0+")]
    pub client_host: Text,
    #[wire("0+")]
    pub member_metadata: Bytes,
    #[wire("0+")]
    pub member_assignment: Bytes,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
