//! EndQuorumEpoch is the farewell of a KRaft leader (KIP-595). When it steps down in good order, for a
//! shutdown or because it left the set of voters, it sends this to the other voters, so that they elect a
//! successor now and do not wait for their fetch timeout. Only controllers speak it, and it needs
//! `CLUSTER_ACTION`.
//!
//! The leader lists who should succeed it, the replica with the longest log first. The first in the list
//! stands for election at once, the others after a wait that grows with their place in it. Losing the
//! message costs time, never safety.
//!
//! The one partition is 0 of `__cluster_metadata`. `INCONSISTENT_CLUSTER_ID` and `INVALID_REQUEST` stand
//! at the top; per partition `FENCED_LEADER_EPOCH` for an epoch that is over and `INCONSISTENT_VOTER_SET`
//! for a stranger. There is no throttle time.
//!
//! - v0: successors are node ids.
//! - v1: flexible encoding; successors with their directories, and endpoints in both directions (KIP-853).

use crate::{ErrorCode, TaggedFields, Text, Uuid, Wire};

/// The sender leads no more.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "1+")]
pub struct EndQuorumEpochRequest {
    /// The sender's cluster, which must be the receiver's; null = not told, and not checked.
    #[wire("0+", nullable = "0+", default = null)]
    pub cluster_id: Option<Text>,
    /// In practice one topic, `__cluster_metadata`.
    #[wire("0+")]
    pub topics: Vec<RequestTopicData>,
    /// Where the sender can be reached, on each of its listeners.
    #[wire("1+", ignorable)]
    pub leader_endpoints: Vec<LeaderEndpoint>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A topic of the request.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "TopicData")]
pub struct RequestTopicData {
    /// The topic's name.
    #[wire("0+")]
    pub topic_name: Text,
    /// Its partitions; in practice one.
    #[wire("0+")]
    pub partitions: Vec<RequestPartitionData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The quorum that loses its leader.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "PartitionData")]
pub struct RequestPartitionData {
    /// The partition; 0 for the metadata log.
    #[wire("0+")]
    pub partition_index: i32,
    /// The node that steps down: the sender.
    #[wire("0+")]
    pub leader_id: i32,
    /// The epoch in which it led.
    #[wire("0+")]
    pub leader_epoch: i32,
    /// The voters that should stand for election, the best first.
    #[wire("0", ignorable)]
    pub preferred_successors: Vec<i32>,
    /// The same with directory ids, in place of `preferred_successors`.
    #[wire("1+", ignorable)]
    pub preferred_candidates: Vec<ReplicaInfo>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A voter that should stand for election.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ReplicaInfo {
    /// The node's id.
    #[wire("1+")]
    pub candidate_id: i32,
    /// The directory that holds its log; zero = unknown.
    #[wire("1+")]
    pub candidate_directory_id: Uuid,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// An address of the leader that steps down.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct LeaderEndpoint {
    /// The listener's name.
    #[wire("1+")]
    pub name: Text,
    /// The host advertised there.
    #[wire("1+")]
    pub host: Text,
    /// The port advertised there.
    #[wire("1+")]
    pub port: u16,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// What the voter makes of it.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "1+")]
pub struct EndQuorumEpochResponse {
    /// Why the request was refused as a whole, if so.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// One entry for each topic of the request.
    #[wire("0+")]
    pub topics: Vec<ResponseTopicData>,
    /// Where to reach the leaders named in `topics`.
    #[wire("1+", tag = 0)]
    pub node_endpoints: Vec<NodeEndpoint>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A topic of the answer.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "TopicData")]
pub struct ResponseTopicData {
    /// The topic's name.
    #[wire("0+")]
    pub topic_name: Text,
    /// One entry for each partition of the request.
    #[wire("0+")]
    pub partitions: Vec<ResponsePartitionData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The voter's view of one partition.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "PartitionData")]
pub struct ResponsePartitionData {
    /// The partition.
    #[wire("0+")]
    pub partition_index: i32,
    /// Why the farewell was refused, if so.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// The leader that the voter knows of; -1 = none.
    #[wire("0+")]
    pub leader_id: i32,
    /// The newest epoch that the voter knows of.
    #[wire("0+")]
    pub leader_epoch: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The address of a leader.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct NodeEndpoint {
    /// The node's id.
    #[wire("1+")]
    pub node_id: i32,
    /// The host to connect to.
    #[wire("1+")]
    pub host: Text,
    /// The port to connect to.
    #[wire("1+")]
    pub port: u16,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
