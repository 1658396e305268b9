use crate::{ErrorCode, TaggedFields, Text, Uuid, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct UpdateRaftVoterRequest {
    #[wire("0+", nullable = "0+")]
    pub cluster_id: Option<Text>,
    #[wire("0+")]
    pub current_leader_epoch: i32,
    #[wire("0+")]
    pub voter_id: i32,
    #[wire("0+")]
    pub voter_directory_id: Uuid,
    #[wire("0+")]
    pub listeners: Vec<Listener>,
    #[wire("0+", name = "KRaftVersionFeature")]
    pub kraft_version_feature: KRaftVersionFeature,
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
pub struct KRaftVersionFeature {
    #[wire("0+")]
    pub min_supported_version: i16,
    #[wire("0+")]
    pub max_supported_version: i16,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct UpdateRaftVoterResponse {
    #[wire("0+")]
    pub throttle_time_ms: i32,
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+", tag = 0)]
    pub current_leader: CurrentLeader,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct CurrentLeader {
    #[wire("0+", default = -1)]
    pub leader_id: i32,
    #[wire("0+", default = -1)]
    pub leader_epoch: i32,
    #[wire("0+")]
    pub host: Text,
    #[wire("0+")]
    pub port: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
