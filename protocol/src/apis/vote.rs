//! Asks a controller for its vote, in an election of the metadata quorum's leader (KIP-595).
//!
//! A voter that has heard nothing from a leader for too long sends it to all other voters, with an epoch
//! one above the last it knew. The one with a majority leads the epoch and says so by BeginQuorumEpoch.
//! From v2 on it first asks without commitment (pre-vote, KIP-996), so that a node cut off for a while
//! does not unseat a good leader by its high epoch.
//!
//! What an implementer must know:
//! - One vote per epoch, and it must be on disk before the answer leaves. A pre-vote stores
//!   nothing and binds nobody.
//! - The vote is granted only if the asker's log is at least as long: compared by the epoch of its last
//!   record first, then by its end.
//! - FENCED_LEADER_EPOCH: the epoch is older than the voter's. INVALID_VOTER_KEY: meant for a
//!   predecessor with another disk. INCONSISTENT_CLUSTER_ID stands at the top. A refusal is no error:
//!   `vote_granted` is false.
//! - The lists have exactly one element: partition 0 of `__cluster_metadata`.
//!
//! What changed between versions:
//! - v0: the first, flexible. v1: directory ids of both sides, and the leader's address (KIP-853).
//! - v2: pre-votes; the candidate's fields are called the replica's.

use crate::{ErrorCode, TaggedFields, Text, Uuid, Wire};

/// Asks for one voter's vote.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-2", flexible = "0+")]
pub struct VoteRequest {
    /// The cluster that is meant, as a check; null = not checked.
    #[wire("0+", nullable = "0+", default = null)]
    pub cluster_id: Option<Text>,
    /// The node id of the voter that is asked; -1 = not said, as in v0.
    #[wire("1+", default = -1, ignorable)]
    pub voter_id: i32,
    /// The one topic, `__cluster_metadata`.
    #[wire("0+")]
    pub topics: Vec<RequestTopicData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The topic to vote on.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "TopicData")]
pub struct RequestTopicData {
    /// Its name.
    #[wire("0+")]
    pub topic_name: Text,
    /// The one partition, 0.
    #[wire("0+")]
    pub partitions: Vec<RequestPartitionData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Who wants to lead, and how far its log reaches.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "PartitionData")]
pub struct RequestPartitionData {
    /// The partition within the topic.
    #[wire("0+")]
    pub partition_index: i32,
    /// The epoch that it wants to lead; in a pre-vote its present epoch, not yet raised.
    #[wire("0+")]
    pub replica_epoch: i32,
    /// The node id of the one that asks.
    #[wire("0+")]
    pub replica_id: i32,
    /// The id of its log's directory; zero = not known.
    #[wire("1+", ignorable)]
    pub replica_directory_id: Uuid,
    /// The id of the log directory of the voter that is asked; zero = not known, not checked.
    #[wire("1+", ignorable)]
    pub voter_directory_id: Uuid,
    /// The leader epoch of the last record in its log.
    #[wire("0+")]
    pub last_offset_epoch: i32,
    /// Where its log ends: the offset after the last record.
    #[wire("0+")]
    pub last_offset: i64,
    /// Whether it only asks how the vote would turn out.
    #[wire("2+")]
    pub pre_vote: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The vote.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-2", flexible = "0+")]
pub struct VoteResponse {
    /// What concerns the request as a whole, such as INCONSISTENT_CLUSTER_ID.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// The one topic.
    #[wire("0+")]
    pub topics: Vec<ResponseTopicData>,
    /// How to reach the leader named in the partition.
    #[wire("1+", tag = 0)]
    pub node_endpoints: Vec<NodeEndpoint>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The vote in one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "TopicData")]
pub struct ResponseTopicData {
    /// Its name.
    #[wire("0+")]
    pub topic_name: Text,
    /// The one partition.
    #[wire("0+")]
    pub partitions: Vec<ResponsePartitionData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The vote in one partition.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "PartitionData")]
pub struct ResponsePartitionData {
    /// The partition within the topic.
    #[wire("0+")]
    pub partition_index: i32,
    /// Why no vote was cast at all; NONE also for a refusal.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// Who leads the epoch below, as the voter knows; -1 = nobody yet.
    #[wire("0+")]
    pub leader_id: i32,
    /// The voter's epoch after the request; above the asker's = the asker has to step back.
    #[wire("0+")]
    pub leader_epoch: i32,
    /// Whether the asker has the vote.
    #[wire("0+")]
    pub vote_granted: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// How to reach a controller named in this answer.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct NodeEndpoint {
    /// The controller's node id.
    #[wire("1+")]
    pub node_id: i32,
    /// The name or address to connect to, on the listener of this connection.
    #[wire("1+")]
    pub host: Text,
    /// The port to connect to.
    #[wire("1+")]
    pub port: u16,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
