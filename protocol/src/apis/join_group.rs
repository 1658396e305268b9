use crate::{Bytes, ErrorCode, TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-9", flexible = "6+")]
pub struct JoinGroupRequest {
    #[wire("0+")]
    pub group_id: Text,
    #[wire("0+")]
    pub session_timeout_ms: i32,
    #[wire("1+", default = -1, ignorable)]
    pub rebalance_timeout_ms: i32,
    #[wire("0+")]
    pub member_id: Text,
    #[wire("5+", nullable = "5+", default = null)]
    pub group_instance_id: Option<Text>,
    #[wire("0+")]
    pub protocol_type: Text,
    #[wire("0+")]
    pub protocols: Vec<JoinGroupRequestProtocol>,
    #[wire("8+", nullable = "8+", default = null, ignorable)]
    pub reason: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct JoinGroupRequestProtocol {
    #[wire("0+")]
    pub name: Text,
    #[wire("0+")]
    pub metadata: Bytes,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-9", flexible = "6+")]
pub struct JoinGroupResponse {
    #[wire("2+", ignorable)]
    pub throttle_time_ms: i32,
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+", default = -1)]
    pub generation_id: i32,
    #[wire("7+", nullable = "7+", default = null, ignorable)]
    pub protocol_type: Option<Text>,
    #[wire("0+", nullable = "7+")]
    pub protocol_name: Option<Text>,
    #[wire("0+")]
    pub leader: Text,
    #[wire("9+")]
    pub skip_assignment: bool,
    #[wire("0+")]
    pub member_id: Text,
    #[wire("0+")]
    pub members: Vec<JoinGroupResponseMember>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct JoinGroupResponseMember {
    #[wire("0+")]
    pub member_id: Text,
    #[wire("5+", nullable = "5+", default = null, ignorable)]
    pub group_instance_id: Option<Text>,
    #[wire("0+")]
    pub metadata: Bytes,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
