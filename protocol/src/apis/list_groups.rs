use crate::{ErrorCode, TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-5", flexible = "3+")]
pub struct ListGroupsRequest {
    #[wire("4+")]
    pub states_filter: Vec<Text>,
    #[wire("5+")]
    pub types_filter: Vec<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-5", flexible = "3+")]
pub struct ListGroupsResponse {
    #[wire("1+", ignorable)]
    pub throttle_time_ms: i32,
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+")]
    pub groups: Vec<ListedGroup>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ListedGroup {
    #[wire("0+")]
    pub group_id: Text,
    #[wire("0+")]
    pub protocol_type: Text,
    #[wire("4+", ignorable)]
    pub group_state: Text,
    #[wire("5+", ignorable)]
    pub group_type: Text,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
