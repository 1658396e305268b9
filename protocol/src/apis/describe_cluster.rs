//! DescribeCluster tells the cluster's id and the nodes that make it up (KIP-700): what Metadata tells,
//! without the topics. Admin clients send it to a broker, and since KIP-919 also straight to a controller.
//!
//! The nodes listed are those of the kind asked for, and the kind has to fit the node that is asked: a
//! broker asked for controllers says `MISMATCHED_ENDPOINT_TYPE`, an unknown kind is
//! `UNSUPPORTED_ENDPOINT_TYPE`. Addresses are those of the listener on which the request came in. Any
//! client may ask a broker; a controller of Kafka wants `ALTER` on the cluster.
//!
//! Trap: clients cannot reach the controllers of a KRaft cluster through the broker listener, so a broker
//! fills `controller_id` with some broker that is alive, and clients must not read more into it.
//!
//! - v1: `endpoint_type` in both directions, and the two errors about it (KIP-919).
//! - v2: fenced brokers can be asked for and are marked (KIP-1073).

use crate::{ErrorCode, TaggedFields, Text, Wire};

/// What to tell about the cluster.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-2", flexible = "0+")]
pub struct DescribeClusterRequest {
    /// Whether to work out `cluster_authorized_operations`, which costs a look at every ACL operation.
    #[wire("0+")]
    pub include_cluster_authorized_operations: bool,
    /// The kind of node to list: 1 = brokers, 2 = controllers.
    #[wire("1+", default = 1)]
    pub endpoint_type: i8,
    /// Whether to list brokers too that are registered but fenced, hence serve nobody.
    #[wire("2+")]
    pub include_fenced_brokers: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The cluster's identity and its nodes.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-2", flexible = "0+")]
pub struct DescribeClusterResponse {
    /// How long the broker holds this client back for exceeding a quota, in milliseconds; 0 = not at all.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// Why nothing is told, if so.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// The failure in words; null when there was none.
    #[wire("0+", nullable = "0+", default = null)]
    pub error_message: Option<Text>,
    /// The kind of node in `brokers`, as in the request: 1 = brokers, 2 = controllers.
    #[wire("1+", default = 1)]
    pub endpoint_type: i8,
    /// The id that the cluster was formatted with; clients compare it to notice that they changed
    /// clusters.
    #[wire("0+")]
    pub cluster_id: Text,
    /// Asked of a controller, the quorum's leader; asked of a broker, any live broker. -1 = unknown.
    #[wire("0+", default = -1)]
    pub controller_id: i32,
    /// The nodes of the kind asked for, each once.
    #[wire("0+")]
    pub brokers: Vec<DescribeClusterBroker>,
    /// What the caller may do with the cluster: bit n stands for the ACL operation with code n. `i32::MIN`
    /// = not asked.
    #[wire("0+", default = -2147483648)]
    pub cluster_authorized_operations: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A node, be it a broker or a controller.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribeClusterBroker {
    /// The node id, unique in the cluster.
    #[wire("0+")]
    pub broker_id: i32,
    /// The host advertised on the listener that was asked.
    #[wire("0+")]
    pub host: Text,
    /// The port advertised on that listener.
    #[wire("0+")]
    pub port: i32,
    /// The rack that the node was configured with; null = none.
    #[wire("0+", nullable = "0+", default = null)]
    pub rack: Option<Text>,
    /// Whether the broker is fenced. Never true unless fenced brokers were asked for.
    #[wire("2+")]
    pub is_fenced: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
