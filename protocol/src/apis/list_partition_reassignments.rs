//! Lists the partitions whose replicas are being moved from one set of brokers to another.
//!
//! Admin tools send it to any broker, which hands it to the active controller; controllers also take it
//! directly. It shows what AlterPartitionReassignments started and what has not ended yet. The caller
//! needs DESCRIBE on the cluster.
//!
//! What an implementer must know:
//! - Only partitions that move are in the answer. One that was asked for and does not move, or does not
//!   exist, is left out; that is not an error.
//! - Errors stand at the top alone: CLUSTER_AUTHORIZATION_FAILED, NOT_CONTROLLER from a controller that
//!   is not the active one, REQUEST_TIMED_OUT.
//!
//! What changed between versions:
//! - v0: the only version (KIP-455), flexible from the start.

use crate::{ErrorCode, TaggedFields, Text, Wire};

/// Asks which partitions are on the move.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct ListPartitionReassignmentsRequest {
    /// How long the controller may take before it answers REQUEST_TIMED_OUT, in milliseconds.
    #[wire("0+", default = 60000)]
    pub timeout_ms: i32,
    /// The topics to look at; null = every topic of the cluster.
    #[wire("0+", nullable = "0+", default = null)]
    pub topics: Option<Vec<ListPartitionReassignmentsTopics>>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One topic to look at, and which partitions of it.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ListPartitionReassignmentsTopics {
    /// A topic by name; one that does not exist is skipped.
    #[wire("0+")]
    pub name: Text,
    /// The partitions to look at; unlike with topics, there is no value that means all.
    #[wire("0+")]
    pub partition_indexes: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The reassignments under way.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct ListPartitionReassignmentsResponse {
    /// How long the client is to send nothing, for it exceeded a quota, in milliseconds; 0 = no limit.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// Why nothing could be listed; NONE also when nothing moves.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// What went wrong, for people to read; null = nothing did.
    #[wire("0+", nullable = "0+")]
    pub error_message: Option<Text>,
    /// The topics with at least one moving partition; empty = none of those asked for moves.
    #[wire("0+")]
    pub topics: Vec<OngoingTopicReassignment>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A topic with partitions on the move.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct OngoingTopicReassignment {
    /// The topic's name.
    #[wire("0+")]
    pub name: Text,
    /// Those of its partitions that move, never the others.
    #[wire("0+")]
    pub partitions: Vec<OngoingPartitionReassignment>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One partition on its way to new brokers.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct OngoingPartitionReassignment {
    /// The partition within the topic.
    #[wire("0+")]
    pub partition_index: i32,
    /// All brokers that hold the partition now, those that come and those that go included.
    #[wire("0+")]
    pub replicas: Vec<i32>,
    /// Those of `replicas` that were added by the reassignment and have to catch up.
    #[wire("0+")]
    pub adding_replicas: Vec<i32>,
    /// Those of `replicas` that leave once the added ones are in sync.
    #[wire("0+")]
    pub removing_replicas: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
