use crate::{ErrorCode, TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-4", flexible = "4+")]
pub struct HeartbeatRequest {
    #[wire("0+")]
    pub group_id: Text,
    #[wire("0+")]
    pub generation_id: i32,
    #[wire("0+")]
    pub member_id: Text,
    #[wire("3+", nullable = "3+", default = null)]
    pub group_instance_id: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-4", flexible = "4+")]
pub struct HeartbeatResponse {
    #[wire("1+", ignorable)]
    pub throttle_time_ms: i32,
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
