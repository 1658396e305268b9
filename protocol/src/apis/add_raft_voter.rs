use crate::{ErrorCode, TaggedFields, Text, Uuid, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "0+")]
pub struct AddRaftVoterRequest {
    #[wire("0+", nullable = "0+")]
    pub cluster_id: Option<Text>,
    #[wire("0+")]
    pub timeout_ms: i32,
    #[wire("0+")]
    pub voter_id: i32,
    #[wire("0+")]
    pub voter_directory_id: Uuid,
    #[wire("0+")]
    pub listeners: Vec<Listener>,
    #[wire("1+", default = true)]
    pub ack_when_committed: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct Listener {
    #[wire("0+")]
    pub name: Text,
    #[wire("0+")]
    pub host: Text,
    #[wire("0+")]
    pub port: u16,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "0+")]
pub struct AddRaftVoterResponse {
    #[wire("0+")]
    pub throttle_time_ms: i32,
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+", nullable = "0+", ignorable)]
    pub error_message: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
