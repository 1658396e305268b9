//! ElectLeaders has partitions led by another replica. Admin tools send it to any broker, which passes it
//! to the controller: after a restart, to give leadership back to the preferred replicas, and as a last
//! resort to bring a partition back whose in-sync replicas are all gone, at the price of lost records. It
//! needs `ALTER` on the cluster.
//!
//! Results are per partition: `NONE` when the leader was changed, `ELECTION_NOT_NEEDED` when it already
//! was the right one, `PREFERRED_LEADER_NOT_AVAILABLE` when the preferred replica is down or not in sync,
//! `ELIGIBLE_LEADERS_NOT_AVAILABLE` when no replica is alive for an unclean election, and
//! `UNKNOWN_TOPIC_OR_PARTITION`.
//!
//! Trap: when all partitions are asked for, those that need no election are left out of the answer.
//!
//! - v0: called ElectPreferredLeaders, and knows no other election (KIP-183).
//! - v1: the kind of election, and an error code for the whole answer (KIP-460).
//! - v2: flexible encoding.

use crate::{ErrorCode, TaggedFields, Text, Wire};

/// The partitions to elect leaders for.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-2", flexible = "2+")]
pub struct ElectLeadersRequest {
    /// 0 = elect the first replica of the assignment, which must be in sync; 1 = unclean: where there is
    /// no leader, elect any live replica even though records get lost.
    #[wire("1+")]
    pub election_type: i8,
    /// The partitions; null = every partition of the cluster.
    #[wire("0+", nullable = "0+")]
    pub topic_partitions: Option<Vec<TopicPartitions>>,
    /// How long the answer may wait for the elections to take effect, in milliseconds.
    #[wire("0+", default = 60000)]
    pub timeout_ms: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TopicPartitions {
    /// The topic's name.
    #[wire("0+")]
    pub topic: Text,
    /// The partition indexes.
    #[wire("0+")]
    pub partitions: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of the elections.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-2", flexible = "2+")]
pub struct ElectLeadersResponse {
    /// How long the broker holds this client back for exceeding a quota, in milliseconds; 0 = not at all.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// Why no election was tried, if so; `CLUSTER_AUTHORIZATION_FAILED` for example.
    #[wire("1+")]
    pub error_code: ErrorCode,
    /// The results by topic.
    #[wire("0+")]
    pub replica_election_results: Vec<ReplicaElectionResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The results for one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ReplicaElectionResult {
    /// The topic's name.
    #[wire("0+")]
    pub topic: Text,
    /// One entry for each partition tried.
    #[wire("0+")]
    pub partition_result: Vec<PartitionResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The result for one partition.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct PartitionResult {
    /// The partition.
    #[wire("0+")]
    pub partition_id: i32,
    /// What kept the election from happening, if anything.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// The failure in words; null when there was none.
    #[wire("0+", nullable = "0+")]
    pub error_message: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
