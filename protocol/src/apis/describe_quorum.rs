//! DescribeQuorum tells how far the voters and observers of a KRaft quorum have replicated the metadata
//! log (KIP-595). Admin tools send it to a broker, which passes it on, or to a controller; only the
//! quorum's leader can answer. It needs `DESCRIBE` on the cluster.
//!
//! The one partition that exists is 0 of `__cluster_metadata`; the request names it all the same, and any
//! other gets `UNKNOWN_TOPIC_OR_PARTITION`. A node that does not lead says `NOT_LEADER_OR_FOLLOWER`. There
//! is no throttle time.
//!
//! Lag in records is the leader's `log_end_offset` minus the replica's; lag in time compares
//! `last_caught_up_timestamp` with the leader's own, both of which come from the leader's clock.
//!
//! - v1: the two timestamps of each replica (KIP-836).
//! - v2: error messages, directory ids, and the nodes' listeners (KIP-853). The request never changed.

use crate::{ErrorCode, TaggedFields, Text, Uuid, Wire};

/// The replicated logs to describe.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-2", flexible = "0+")]
pub struct DescribeQuorumRequest {
    /// In practice one topic, `__cluster_metadata`.
    #[wire("0+")]
    pub topics: Vec<RequestTopicData>,
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

/// A partition of the request.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "PartitionData")]
pub struct RequestPartitionData {
    /// The partition; 0 for the metadata log.
    #[wire("0+")]
    pub partition_index: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The state of the quorum.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-2", flexible = "0+")]
pub struct DescribeQuorumResponse {
    /// Why nothing is told, if so.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// The failure in words; null when there was none.
    #[wire("2+", nullable = "2+", ignorable)]
    pub error_message: Option<Text>,
    /// One entry for each topic of the request.
    #[wire("0+")]
    pub topics: Vec<ResponseTopicData>,
    /// Where to reach the nodes of the quorum, each once.
    #[wire("2+")]
    pub nodes: Vec<Node>,
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
    /// One entry for each partition asked for.
    #[wire("0+")]
    pub partitions: Vec<ResponsePartitionData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The quorum that replicates one partition.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "PartitionData")]
pub struct ResponsePartitionData {
    /// The partition.
    #[wire("0+")]
    pub partition_index: i32,
    /// Why this partition is not described, if so.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// The failure in words; null when there was none.
    #[wire("2+", nullable = "2+", ignorable)]
    pub error_message: Option<Text>,
    /// The node that leads the quorum; -1 = unknown.
    #[wire("0+")]
    pub leader_id: i32,
    /// The epoch in which it was elected; each election raises it.
    #[wire("0+")]
    pub leader_epoch: i32,
    /// The end of what a majority of voters has stored: records below it are committed.
    #[wire("0+")]
    pub high_watermark: i64,
    /// The replicas that vote and count for the majority.
    #[wire("0+")]
    pub current_voters: Vec<ReplicaState>,
    /// The replicas that only follow: brokers, and controllers that do not vote.
    #[wire("0+")]
    pub observers: Vec<ReplicaState>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A node of the quorum.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct Node {
    /// The id that `replica_id` refers to.
    #[wire("2+")]
    pub node_id: i32,
    /// Its controller listeners.
    #[wire("2+")]
    pub listeners: Vec<Listener>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// An address of a node.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct Listener {
    /// The listener's name in the configuration.
    #[wire("2+")]
    pub name: Text,
    /// The host advertised there.
    #[wire("2+")]
    pub host: Text,
    /// The port advertised there.
    #[wire("2+")]
    pub port: u16,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// How far one replica has got, as the leader knows it.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ReplicaState {
    /// The node that holds the replica.
    #[wire("0+")]
    pub replica_id: i32,
    /// The directory that holds the log, which tells a replaced disk from the old one; zero = unknown.
    #[wire("2+")]
    pub replica_directory_id: Uuid,
    /// Where the replica's log ends, judged by its last fetch; -1 = unknown.
    #[wire("0+")]
    pub log_end_offset: i64,
    /// When the leader last saw it fetch, in milliseconds since 1970; -1 = unknown, and for the leader
    /// itself.
    #[wire("1+", default = -1, ignorable)]
    pub last_fetch_timestamp: i64,
    /// When it last had all that the leader had, in milliseconds since 1970; the present for the leader,
    /// -1 = unknown.
    #[wire("1+", default = -1, ignorable)]
    pub last_caught_up_timestamp: i64,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
