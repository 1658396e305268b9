use crate::{TaggedFields, Text, Uuid, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct ControlRecordTypeSchema {
    #[wire("0+", name = "Type")]
    pub kind: i16,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct EndTxnMarker {
    #[wire("0+")]
    pub coordinator_epoch: i32,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "0+")]
pub struct LeaderChangeMessage {
    #[wire("0+")]
    pub version: i16,
    #[wire("0+")]
    pub leader_id: i32,
    #[wire("0+")]
    pub voters: Vec<Voter>,
    #[wire("0+")]
    pub granting_voters: Vec<Voter>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct Voter {
    #[wire("0+")]
    pub voter_id: i32,
    #[wire("1+")]
    pub voter_directory_id: Uuid,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct SnapshotHeaderRecord {
    #[wire("0+")]
    pub version: i16,
    #[wire("0+")]
    pub last_contained_log_timestamp: i64,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct SnapshotFooterRecord {
    #[wire("0+")]
    pub version: i16,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct KRaftVersionRecord {
    #[wire("0+")]
    pub version: i16,
    #[wire("0+", name = "KRaftVersion")]
    pub kraft_version: i16,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct VotersRecord {
    #[wire("0+")]
    pub version: i16,
    #[wire("0+")]
    pub voters: Vec<RegisteredVoter>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "Voter")]
pub struct RegisteredVoter {
    #[wire("0+")]
    pub voter_id: i32,
    #[wire("0+")]
    pub voter_directory_id: Uuid,
    #[wire("0+")]
    pub endpoints: Vec<Endpoint>,
    #[wire("0+", name = "KRaftVersionFeature")]
    pub kraft_version_feature: KRaftVersionFeature,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct Endpoint {
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
