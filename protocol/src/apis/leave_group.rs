use crate::{ErrorCode, TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-5", flexible = "4+")]
pub struct LeaveGroupRequest {
    #[wire("0+")]
    pub group_id: Text,
    #[wire("0-2")]
    pub member_id: Text,
    #[wire("3+")]
    pub members: Vec<MemberIdentity>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct MemberIdentity {
    #[wire("3+")]
    pub member_id: Text,
    #[wire("3+", nullable = "3+", default = null)]
    pub group_instance_id: Option<Text>,
    #[wire("5+", nullable = "5+", default = null, ignorable)]
    pub reason: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-5", flexible = "4+")]
pub struct LeaveGroupResponse {
    #[wire("1+", ignorable)]
    pub throttle_time_ms: i32,
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("3+")]
    pub members: Vec<MemberResponse>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct MemberResponse {
    #[wire("3+")]
    pub member_id: Text,
    #[wire("3+", nullable = "3+")]
    pub group_instance_id: Option<Text>,
    #[wire("3+")]
    pub error_code: ErrorCode,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
