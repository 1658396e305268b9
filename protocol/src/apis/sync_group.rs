use crate::{Bytes, ErrorCode, TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-5", flexible = "4+")]
pub struct SyncGroupRequest {
    #[wire("0+")]
    pub group_id: Text,
    #[wire("0+")]
    pub generation_id: i32,
    #[wire("0+")]
    pub member_id: Text,
    #[wire("3+", nullable = "3+", default = null)]
    pub group_instance_id: Option<Text>,
    #[wire("5+", nullable = "5+", default = null, ignorable)]
    pub protocol_type: Option<Text>,
    #[wire("5+", nullable = "5+", default = null, ignorable)]
    pub protocol_name: Option<Text>,
    #[wire("0+")]
    pub assignments: Vec<SyncGroupRequestAssignment>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct SyncGroupRequestAssignment {
    #[wire("0+")]
    pub member_id: Text,
    #[wire("0+")]
    pub assignment: Bytes,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-5", flexible = "4+")]
pub struct SyncGroupResponse {
    #[wire("1+", ignorable)]
    pub throttle_time_ms: i32,
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("5+", nullable = "5+", default = null, ignorable)]
    pub protocol_type: Option<Text>,
    #[wire("5+", nullable = "5+", default = null, ignorable)]
    pub protocol_name: Option<Text>,
    #[wire("0+")]
    pub assignment: Bytes,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
