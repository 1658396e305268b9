//! Loads the stored delivery state of share-partitions.
//!
//! The leader of a partition sends it to the share coordinator when it begins to serve the partition to a
//! share group (KIP-932): that state says where the group starts and which records were delivered,
//! acknowledged or given up. It is between brokers: the sender needs CLUSTER_ACTION.
//!
//! What an implementer must know:
//! - The coordinator remembers the leader epoch it is given, and answers requests with an older one with
//!   FENCED_LEADER_EPOCH: reading the state shuts out the previous leader.
//! - Nothing stored yet is not an error: the start offset is -1 and there are no batches.
//! - A key (group, topic, partition) maps to one partition of `__share_group_state`: NOT_COORDINATOR,
//!   COORDINATOR_NOT_AVAILABLE and COORDINATOR_LOAD_IN_PROGRESS are as with groups, but per partition.
//! - There is neither a throttle time nor an error at the top.
//!
//! What changed between versions:
//! - v0: the only version, flexible.

use crate::{ErrorCode, TaggedFields, Text, Uuid, Wire};

/// Asks for the state of some share-partitions of one group.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct ReadShareGroupStateRequest {
    /// The share group.
    #[wire("0+")]
    pub group_id: Text,
    /// The partitions to load, by topic.
    #[wire("0+")]
    pub topics: Vec<ReadStateData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The partitions to load in one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ReadStateData {
    /// The topic's id.
    #[wire("0+")]
    pub topic_id: Uuid,
    /// One entry per partition.
    #[wire("0+")]
    pub partitions: Vec<PartitionData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One share-partition to load.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct PartitionData {
    /// The partition within the topic.
    #[wire("0+")]
    pub partition: i32,
    /// The epoch of the leadership that asks; older ones are fenced from then on.
    #[wire("0+")]
    pub leader_epoch: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The stored states.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct ReadShareGroupStateResponse {
    /// One entry for each topic of the request.
    #[wire("0+")]
    pub results: Vec<ReadStateResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The states in one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ReadStateResult {
    /// The topic's id.
    #[wire("0+")]
    pub topic_id: Uuid,
    /// One result for each partition of the request.
    #[wire("0+")]
    pub partitions: Vec<PartitionResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The stored state of one share-partition.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct PartitionResult {
    /// The partition within the topic.
    #[wire("0+")]
    pub partition: i32,
    /// NONE also when nothing is stored.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// What went wrong, for people to read; null = nothing did.
    #[wire("0+", nullable = "0+", default = null)]
    pub error_message: Option<Text>,
    /// Rises when the state is set anew, as when an administrator resets it; later writes carry it.
    #[wire("0+")]
    pub state_epoch: i32,
    /// The first offset that is not done with yet; -1 = not set, the leader decides
    /// by the group's reset rule.
    #[wire("0+")]
    pub start_offset: i64,
    /// The stored states of offsets from there on, rising; without a batch = as if never delivered.
    #[wire("0+")]
    pub state_batches: Vec<StateBatch>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A run of offsets in the same delivery state.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct StateBatch {
    /// The first offset of the run.
    #[wire("0+")]
    pub first_offset: i64,
    /// The last offset of the run, itself included.
    #[wire("0+")]
    pub last_offset: i64,
    /// 0 = available, 2 = acknowledged, 4 = archived. Acquired (1) is never stored.
    #[wire("0+")]
    pub delivery_state: i8,
    /// How often the records were delivered so far.
    #[wire("0+")]
    pub delivery_count: i16,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
