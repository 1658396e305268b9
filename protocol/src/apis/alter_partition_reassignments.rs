//! AlterPartitionReassignments: moves partitions to other brokers, or calls such a move off (KIP-455).
//!
//! A tool sends it to a broker, which forwards it to the controller. The answer says that the controller
//! has recorded the wish, not that data has moved: from then on the partition has its old and new
//! replicas, the new ones catch up, and when all are in sync the old ones go. ListPartitionReassignments
//! shows what is still under way. A new target for a partition on the move replaces the former one.
//!
//! Errors per partition: `NO_REASSIGNMENT_IN_PROGRESS` for a cancellation without a move,
//! `INVALID_REPLICA_ASSIGNMENT` for an empty target, a broker named twice or an unknown broker,
//! `UNKNOWN_TOPIC_OR_PARTITION`, and `INVALID_REPLICATION_FACTOR` when the number of replicas would
//! change and the caller ruled that out.
//!
//! - v1: adds `allow_replication_factor_change`, in both directions (KIP-860). Before, a change was
//!   always allowed.

use crate::{ErrorCode, TaggedFields, Text, Wire};

/// The targets of some partitions. Partitions are independent of one another.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "0+")]
pub struct AlterPartitionReassignmentsRequest {
    /// How long the controller may take to record the change, in milliseconds; moving data is not part of
    /// it.
    #[wire("0+", default = 60000)]
    pub timeout_ms: i32,
    /// From v1: false = refuse targets with more or fewer replicas than the partition has.
    #[wire("1+", default = true)]
    pub allow_replication_factor_change: bool,
    /// The partitions to move, by topic.
    #[wire("0+")]
    pub topics: Vec<ReassignableTopic>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The targets for one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ReassignableTopic {
    /// The topic.
    #[wire("0+")]
    pub name: Text,
    /// One target per partition.
    #[wire("0+")]
    pub partitions: Vec<ReassignablePartition>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The target for one partition.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ReassignablePartition {
    /// The partition's number within the topic.
    #[wire("0+")]
    pub partition_index: i32,
    /// Node ids that shall hold the partition, the preferred leader first. Null = cancel the move in
    /// progress.
    #[wire("0+", nullable = "0+", default = null)]
    pub replicas: Option<Vec<i32>>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of each wish.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "0+")]
pub struct AlterPartitionReassignmentsResponse {
    /// Milliseconds for which a quota holds the client back; 0 = no quota was exceeded.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// From v1: the setting that the controller went by, as in the request.
    #[wire("1+", default = true, ignorable)]
    pub allow_replication_factor_change: bool,
    /// An error of the whole request, such as missing cluster rights.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// Says more about `error_code`, for people; null without an error.
    #[wire("0+", nullable = "0+")]
    pub error_message: Option<Text>,
    /// The results, grouped by topic.
    #[wire("0+")]
    pub responses: Vec<ReassignableTopicResponse>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The results for one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ReassignableTopicResponse {
    /// The topic, as in the request.
    #[wire("0+")]
    pub name: Text,
    /// One result per partition.
    #[wire("0+")]
    pub partitions: Vec<ReassignablePartitionResponse>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The result for one partition.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ReassignablePartitionResponse {
    /// The partition's number within the topic.
    #[wire("0+")]
    pub partition_index: i32,
    /// `NONE` = recorded (the move starts, or the cancellation takes effect).
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// Says more about `error_code`, for people; null without an error.
    #[wire("0+", nullable = "0+")]
    pub error_message: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
