//! Tells the quorum's leader the addresses and versions of a voter that has started anew (KIP-853).
//!
//! A controller sends it to the leader of the metadata quorum when what the log says of it is out of
//! date: other listeners, or another range of `kraft.version` after an upgrade. The leader appends the
//! set of voters with the new particulars. Administrators have no use for it.
//!
//! What an implementer must know:
//! - The answer does not wait for the change to be committed; the voter sees it come by in the log,
//!   and asks again otherwise.
//! - One change of voters at a time, and none before a new leader has committed
//!   something: REQUEST_TIMED_OUT.
//! - INVALID_REQUEST: the leader's default listener is not among the listeners, or the finalized
//!   `kraft.version` is not within the range. VOTER_NOT_FOUND: no voter has that id and directory.
//! - FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH and NOT_LEADER_OR_FOLLOWER come with who leads.
//! - A port has 16 bits in the request and 32 in the answer.
//!
//! What changed between versions:
//! - v0: the only version, flexible.

use crate::{ErrorCode, TaggedFields, Text, Uuid, Wire};

/// What is new with a voter.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct UpdateRaftVoterRequest {
    /// The cluster that is meant, as a check; null = not checked.
    #[wire("0+", nullable = "0+")]
    pub cluster_id: Option<Text>,
    /// The epoch in which the sender believes the leader to be; -1 = not known.
    #[wire("0+")]
    pub current_leader_epoch: i32,
    /// The sender's node id.
    #[wire("0+")]
    pub voter_id: i32,
    /// The id of its metadata log's directory; it tells a node from its successor with a new disk.
    #[wire("0+")]
    pub voter_directory_id: Uuid,
    /// Every address at which the other controllers reach it.
    #[wire("0+")]
    pub listeners: Vec<Listener>,
    /// Which levels of `kraft.version` it can work with.
    #[wire("0+", name = "KRaftVersionFeature")]
    pub kraft_version_feature: KRaftVersionFeature,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One address of a controller.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct Listener {
    /// The listener's name, which all controllers share.
    #[wire("0+")]
    pub name: Text,
    /// The name or address to connect to.
    #[wire("0+")]
    pub host: Text,
    /// The port to connect to.
    #[wire("0+")]
    pub port: u16,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A range of levels of `kraft.version`.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct KRaftVersionFeature {
    /// The lowest level that it can work with.
    #[wire("0+")]
    pub min_supported_version: i16,
    /// The highest level that it can work with.
    #[wire("0+")]
    pub max_supported_version: i16,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Whether the leader took it.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct UpdateRaftVoterResponse {
    /// How long the client is to send nothing, for it exceeded a quota, in milliseconds; 0 = no limit.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// NONE = appended to the leader's log, and not yet committed.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// Who leads, so that a refused voter can turn to it.
    #[wire("0+", tag = 0)]
    pub current_leader: CurrentLeader,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The quorum's leader.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct CurrentLeader {
    /// Its node id; -1 = not known.
    #[wire("0+", default = -1)]
    pub leader_id: i32,
    /// The latest epoch known to the answering node; -1 = none.
    #[wire("0+", default = -1)]
    pub leader_epoch: i32,
    /// The name or address to connect to, on the listener of this connection; empty = not known.
    #[wire("0+")]
    pub host: Text,
    /// The port to connect to; 0 = not known.
    #[wire("0+")]
    pub port: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
