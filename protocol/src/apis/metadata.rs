//! Tells a client which brokers there are, and which of them leads each partition.
//!
//! Every client sends it first to a bootstrap broker, then at intervals to any broker, and at once after
//! an error that says its picture is stale (NOT_LEADER_OR_FOLLOWER, UNKNOWN_TOPIC_ID and others). Any
//! broker answers for the whole cluster, with the addresses of the listener on which the request came.
//!
//! What an implementer must know:
//! - "All topics" is an empty list in v0 and null from v1 on, where an empty list means no topic.
//! - Asked for all, topics that the caller may not DESCRIBE are left out; asked for one by one they are
//!   TOPIC_AUTHORIZATION_FAILED, by name without the id and by id without the name.
//! - A missing topic may be created by the mere question, if broker and request allow it, and never by
//!   id; it is answered with LEADER_NOT_AVAILABLE or UNKNOWN_TOPIC_OR_PARTITION, and clients ask again.
//! - A partition without a leader is LEADER_NOT_AVAILABLE with leader -1, and still lists its replicas.
//! - Bit fields of authorized operations are `i32::MIN` unless asked for: zero would mean "none".
//!
//! What changed between versions:
//! - v1: null for all topics; racks, the controller, and which topics are internal.
//! - v2: the cluster's id. v3: throttle time. v4: the client may forbid auto-creation.
//! - v5: offline replicas. v6: LISTENER_NOT_FOUND where the leader lacks the listener (before:
//!   LEADER_NOT_AVAILABLE), and throttled answers come at once.
//! - v7: leader epochs. v8: authorized operations. v9: flexible.
//! - v10: topic ids in the answer; in the request they are on the wire and work only from v12 on.
//! - v11: the cluster's authorized operations moved to DescribeCluster. v12: topics asked for by id.
//! - v13: an error for the whole answer: REBOOTSTRAP_REQUIRED, back to the bootstrap list (KIP-1102).

use crate::{ErrorCode, TaggedFields, Text, Uuid, Wire};

/// Asks for the brokers, and for the leaders of some or all topics.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-13", flexible = "9+")]
pub struct MetadataRequest {
    /// The topics to describe; null = all (v0: empty = all), empty = none, only the brokers.
    #[wire("0+", nullable = "1+")]
    pub topics: Option<Vec<MetadataRequestTopic>>,
    /// Whether a missing topic may be created, given that the broker's configuration also allows it.
    #[wire("4+", default = true)]
    pub allow_auto_topic_creation: bool,
    /// Whether to say what the caller may do with the cluster.
    #[wire("8-10")]
    pub include_cluster_authorized_operations: bool,
    /// Whether to say what the caller may do with each topic.
    #[wire("8+")]
    pub include_topic_authorized_operations: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One topic, by name or, from v12 on, by id.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct MetadataRequestTopic {
    /// The topic's id; zero = it is asked for by name.
    #[wire("10+", ignorable)]
    pub topic_id: Uuid,
    /// The topic's name; null = it is asked for by id. Not to be null in v10 and v11,
    /// though the wire allows it.
    #[wire("0+", nullable = "10+")]
    pub name: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The cluster as the answering broker knows it.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-13", flexible = "9+")]
pub struct MetadataResponse {
    /// How long the client is to send nothing, for it exceeded a quota, in milliseconds; 0 = no limit.
    #[wire("3+", ignorable)]
    pub throttle_time_ms: i32,
    /// The live brokers that have the listener on which the request came.
    #[wire("0+")]
    pub brokers: Vec<MetadataResponseBroker>,
    /// The cluster's id; null = not known. It tells a client that it talks to
    /// another cluster than before.
    #[wire("2+", nullable = "2+", default = null, ignorable)]
    pub cluster_id: Option<Text>,
    /// A broker to which requests for the controller may be sent; -1 = none known.
    #[wire("1+", default = -1, ignorable)]
    pub controller_id: i32,
    /// One entry for each topic asked for, or for every topic.
    #[wire("0+")]
    pub topics: Vec<MetadataResponseTopic>,
    /// Bit n set = the caller may do the ACL operation of code n; `i32::MIN` = not asked.
    #[wire("8-10", default = -2147483648)]
    pub cluster_authorized_operations: i32,
    /// What concerns the whole answer, such as REBOOTSTRAP_REQUIRED; NONE as a rule.
    #[wire("13+", ignorable)]
    pub error_code: ErrorCode,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// How to reach one broker.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct MetadataResponseBroker {
    /// The broker's id, to which leaders and replicas refer.
    #[wire("0+")]
    pub node_id: i32,
    /// The name or address to connect to, as advertised for this listener.
    #[wire("0+")]
    pub host: Text,
    /// The port to connect to.
    #[wire("0+")]
    pub port: i32,
    /// Where the broker stands, as configured; null = not configured.
    #[wire("1+", nullable = "1+", default = null, ignorable)]
    pub rack: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One topic and its partitions.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct MetadataResponseTopic {
    /// Why the topic cannot be described: UNKNOWN_TOPIC_OR_PARTITION, INVALID_TOPIC_EXCEPTION and others.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// The topic's name; null = asked for by an id that does not exist, or that the caller may not see.
    #[wire("0+", nullable = "12+")]
    pub name: Option<Text>,
    /// The topic's id; zero = asked for by a name that does not exist, or that the caller may not see.
    #[wire("10+", ignorable)]
    pub topic_id: Uuid,
    /// Whether it is one of the cluster's own, such as `__consumer_offsets`.
    #[wire("1+", ignorable)]
    pub is_internal: bool,
    /// Every partition of the topic; empty beside an error.
    #[wire("0+")]
    pub partitions: Vec<MetadataResponsePartition>,
    /// Bit n set = the caller may do the ACL operation of code n; `i32::MIN` = not asked.
    #[wire("8+", default = -2147483648)]
    pub topic_authorized_operations: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One partition: who leads it and who holds it.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct MetadataResponsePartition {
    /// NONE, or LEADER_NOT_AVAILABLE or LISTENER_NOT_FOUND if it cannot be used now.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// The partition within the topic.
    #[wire("0+")]
    pub partition_index: i32,
    /// The broker to produce to and fetch from; -1 = there is none.
    #[wire("0+")]
    pub leader_id: i32,
    /// Counts the changes of leader, for requests to be fenced by; -1 = not known.
    #[wire("7+", default = -1, ignorable)]
    pub leader_epoch: i32,
    /// Every broker that holds a copy, the preferred leader first.
    #[wire("0+")]
    pub replica_nodes: Vec<i32>,
    /// The brokers whose copies are in sync with the leader, itself included.
    #[wire("0+")]
    pub isr_nodes: Vec<i32>,
    /// Those of `replica_nodes` that are down or whose disk failed.
    #[wire("5+", ignorable)]
    pub offline_replicas: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
