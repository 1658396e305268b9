//! The records that brokers write among a partition's records: they have offsets, and no client sees them.
//!
//! They stand in batches of their own, with the control bit set. The key says what the record is, the value
//! is one of the structs below, each behind a version of two bytes of its own.
//!
//! | type | value | where |
//! | --- | --- | --- |
//! | 0 abort, 1 commit | [`EndTxnMarker`] | any partition that took part in a transaction |
//! | 2 leader change | [`LeaderChangeMessage`] | the metadata log |
//! | 3 snapshot header, 4 snapshot footer | [`SnapshotHeaderRecord`], [`SnapshotFooterRecord`] | snapshots |
//! | 5 version of the quorum | [`KRaftVersionRecord`] | the metadata log |
//! | 6 voters of the quorum | [`VotersRecord`] | the metadata log |

use crate::{TaggedFields, Text, Uuid, Wire};

/// The key of a control record, behind its version: what the record is.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct ControlRecordTypeSchema {
    /// The type; see the table of this module.
    #[wire("0+", name = "Type")]
    pub kind: i16,
}

/// The end of a transaction on one partition; whether commit or abort, the key says.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct EndTxnMarker {
    /// The epoch of the coordinator that ended it: a marker of an older one is refused.
    #[wire("0+")]
    pub coordinator_epoch: i32,
}

/// The first record of a leader of the metadata quorum.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "0+")]
pub struct LeaderChangeMessage {
    /// The version of this record.
    #[wire("0+")]
    pub version: i16,
    /// The new leader.
    #[wire("0+")]
    pub leader_id: i32,
    /// The voters as the leader knows them.
    #[wire("0+")]
    pub voters: Vec<Voter>,
    /// The voters that elected it.
    #[wire("0+")]
    pub granting_voters: Vec<Voter>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A voter of the metadata quorum, by its ids alone.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct Voter {
    /// The id of its node.
    #[wire("0+")]
    pub voter_id: i32,
    /// The directory that holds its log.
    #[wire("1+")]
    pub voter_directory_id: Uuid,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The first record of a snapshot.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct SnapshotHeaderRecord {
    /// The version of this record.
    #[wire("0+")]
    pub version: i16,
    /// The append time of the last record that the snapshot covers, in milliseconds.
    #[wire("0+")]
    pub last_contained_log_timestamp: i64,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The last record of a snapshot: one without it was never finished.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct SnapshotFooterRecord {
    /// The version of this record.
    #[wire("0+")]
    pub version: i16,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The version of the quorum's own protocol, from this record on.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct KRaftVersionRecord {
    /// The version of this record.
    #[wire("0+")]
    pub version: i16,
    /// The version of the protocol.
    #[wire("0+", name = "KRaftVersion")]
    pub kraft_version: i16,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The voters of the metadata quorum, from this record on.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct VotersRecord {
    /// The version of this record.
    #[wire("0+")]
    pub version: i16,
    /// The voters.
    #[wire("0+")]
    pub voters: Vec<RegisteredVoter>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A voter of the metadata quorum, and where to find it.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "Voter")]
pub struct RegisteredVoter {
    /// The id of its node.
    #[wire("0+")]
    pub voter_id: i32,
    /// The directory that holds its log.
    #[wire("0+")]
    pub voter_directory_id: Uuid,
    /// Where it listens.
    #[wire("0+")]
    pub endpoints: Vec<Endpoint>,
    /// The versions of the quorum's protocol that it supports.
    #[wire("0+", name = "KRaftVersionFeature")]
    pub kraft_version_feature: KRaftVersionFeature,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// An address that a voter listens on.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct Endpoint {
    /// The listener's name.
    #[wire("0+")]
    pub name: Text,
    /// The host to connect to.
    #[wire("0+")]
    pub host: Text,
    /// The port to connect to.
    #[wire("0+")]
    pub port: u16,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The versions of the quorum's protocol that a voter supports.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct KRaftVersionFeature {
    /// The lowest.
    #[wire("0+")]
    pub min_supported_version: i16,
    /// The highest.
    #[wire("0+")]
    pub max_supported_version: i16,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
