//! AddRaftVoter: makes a controller that already follows the metadata log a voter of the Raft quorum
//! (KIP-853).
//!
//! An operator's tool sends it, to a controller or through a broker that forwards it; a controller
//! configured to join by itself sends it too. Only the leader of the quorum can act. It changes the voter
//! set by one member at a time, checks that the new voter supports the quorum's `kraft.version` and has
//! caught up, appends the new set to the log, and by default answers when the set is committed.
//!
//! Worth knowing: `DUPLICATE_VOTER` when the id is a voter already; `REQUEST_TIMED_OUT` when another
//! change is under way or the new voter lags; `INCONSISTENT_CLUSTER_ID`; `UNSUPPORTED_VERSION` while
//! `kraft.version` is 0, whose voters are fixed by configuration. A timeout says nothing about the
//! outcome: the change may still commit.
//!
//! - v1: adds `ack_when_committed`, for controllers that join by themselves (KIP-1186).

use crate::{ErrorCode, TaggedFields, Text, Uuid, Wire};

/// Names the new voter and where it can be reached.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "0+")]
pub struct AddRaftVoterRequest {
    /// The cluster that the sender means; the leader refuses another's. Null = do not check.
    #[wire("0+", nullable = "0+")]
    pub cluster_id: Option<Text>,
    /// How long the leader may try before it gives up with `REQUEST_TIMED_OUT`, in milliseconds.
    #[wire("0+")]
    pub timeout_ms: i32,
    /// The node id of the controller that becomes a voter.
    #[wire("0+")]
    pub voter_id: i32,
    /// The id of the metadata log directory on that node. Id and directory together are the voter's
    /// identity: after a disk is replaced the same node counts as another voter.
    #[wire("0+")]
    pub voter_directory_id: Uuid,
    /// Where the other voters reach the new one. Must include the listener that controllers use among
    /// themselves.
    #[wire("0+")]
    pub listeners: Vec<Listener>,
    /// From v1: true = answer when the new set is committed; false = as soon as the leader has appended
    /// it. Older versions mean true.
    #[wire("1+", default = true)]
    pub ack_when_committed: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One address of the new voter.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct Listener {
    /// The listener's name, as in the cluster's configuration.
    #[wire("0+")]
    pub name: Text,
    /// Host name or address to connect to.
    #[wire("0+")]
    pub host: Text,
    /// TCP port to connect to.
    #[wire("0+")]
    pub port: u16,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Whether the voter set was changed.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "0+")]
pub struct AddRaftVoterResponse {
    /// Milliseconds for which a quota holds the client back; 0 = no quota was exceeded.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// `NONE`, or why the set stays as it is.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// Says more about `error_code`, for people; null when there is nothing to say.
    #[wire("0+", nullable = "0+", ignorable)]
    pub error_message: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
