//! Takes a controller out of the set that votes on the metadata log (KIP-853).
//!
//! Admin tools (`kafka-metadata-quorum.sh remove-controller`) send it to a controller, or to a broker,
//! which hands it on; the leader of the quorum carries it out. It appends the new set of voters to the
//! metadata log and answers once a majority of the new set has it. The caller needs ALTER on the cluster.
//!
//! What an implementer must know:
//! - One change at a time: while another is not committed, or a new leader has not committed anything
//!   yet, the answer is REQUEST_TIMED_OUT, and so it is if the change itself does not commit in time.
//! - VOTER_NOT_FOUND: there is no voter of that id *and* directory; UNSUPPORTED_VERSION: `kraft.version`
//!   is 0, where voters are fixed by configuration; INCONSISTENT_CLUSTER_ID: meant for another cluster.
//! - A leader may remove itself: it leads until the change is committed, and then resigns.
//!
//! What changed between versions:
//! - v0: the only version, flexible.

use crate::{ErrorCode, TaggedFields, Text, Uuid, Wire};

/// Names the voter to remove.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct RemoveRaftVoterRequest {
    /// The cluster that is meant, as a check; null = not checked.
    #[wire("0+", nullable = "0+")]
    pub cluster_id: Option<Text>,
    /// The controller's node id.
    #[wire("0+")]
    pub voter_id: i32,
    /// The id of its metadata log's directory; it tells a node from its successor with a new disk.
    #[wire("0+")]
    pub voter_directory_id: Uuid,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Whether the voter is out.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct RemoveRaftVoterResponse {
    /// How long the client is to send nothing, for it exceeded a quota, in milliseconds; 0 = no limit.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// NONE = the new set of voters is committed.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// What went wrong, for people to read; null = nothing did.
    #[wire("0+", nullable = "0+", ignorable)]
    pub error_message: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
