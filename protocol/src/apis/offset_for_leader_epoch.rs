//! Asks a leader where in its log a leader epoch ended.
//!
//! Whoever copies or reads a log needs it after a change of leader, to learn whether records it already
//! has were cut off. A consumer sends it to the new leader with the epoch of the last record it read
//! (KIP-320): an end below its own position means that the log was truncated. A follower sends it to find
//! where to truncate (KIP-101), unless Fetch already tells it, as it does from v12 on.
//!
//! What an implementer must know:
//! - The end of an epoch is the start of the next one; for the leader's latest epoch
//!   it is the end of the log.
//! - An epoch that the leader never had is answered with the largest one below it; none below it gives -1
//!   for both. The asker then asks again with the smaller epoch.
//! - `current_leader_epoch` fences as in Fetch: FENCED_LEADER_EPOCH if the asker is behind,
//!   UNKNOWN_LEADER_EPOCH if the broker is. Only the leader answers: NOT_LEADER_OR_FOLLOWER.
//!
//! What changed between versions:
//! - v0 and v1 were removed in Kafka 4.0; v1 had added the epoch to the answer.
//! - v2: the asker's view of the current epoch; throttle time. v3: who asks. v4: flexible.

use crate::{ErrorCode, TaggedFields, Text, Wire};

/// Asks for the ends of epochs, for any number of partitions.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "2-4", flexible = "4+")]
pub struct OffsetForLeaderEpochRequest {
    /// The follower that asks; -1 = a consumer, -2 = one that may see beyond the high
    /// watermark (also up to v2).
    #[wire("3+", default = -2, ignorable)]
    pub replica_id: i32,
    /// The partitions and epochs, by topic.
    #[wire("0+")]
    pub topics: Vec<OffsetForLeaderTopic>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// What to look up in one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct OffsetForLeaderTopic {
    /// The topic's name.
    #[wire("0+")]
    pub topic: Text,
    /// One question per partition.
    #[wire("0+")]
    pub partitions: Vec<OffsetForLeaderPartition>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The epoch to look up in one partition.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct OffsetForLeaderPartition {
    /// The partition within the topic.
    #[wire("0+")]
    pub partition: i32,
    /// The epoch in which the asker believes the leader to be; -1 = not checked.
    #[wire("2+", default = -1, ignorable)]
    pub current_leader_epoch: i32,
    /// The epoch whose end is wanted.
    #[wire("0+")]
    pub leader_epoch: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The ends of the epochs.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "2-4", flexible = "4+")]
pub struct OffsetForLeaderEpochResponse {
    /// How long the client is to send nothing, for it exceeded a quota, in milliseconds; 0 = no limit.
    #[wire("2+", ignorable)]
    pub throttle_time_ms: i32,
    /// One entry for each topic of the request.
    #[wire("0+")]
    pub topics: Vec<OffsetForLeaderTopicResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The ends in one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct OffsetForLeaderTopicResult {
    /// The topic's name.
    #[wire("0+")]
    pub topic: Text,
    /// One answer per partition.
    #[wire("0+")]
    pub partitions: Vec<EpochEndOffset>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Where an epoch ended in one partition.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct EpochEndOffset {
    /// NONE, FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH, NOT_LEADER_OR_FOLLOWER and others.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// The partition within the topic.
    #[wire("0+")]
    pub partition: i32,
    /// The largest epoch of the leader's log not above the one asked for; -1 = there is none.
    #[wire("1+", default = -1, ignorable)]
    pub leader_epoch: i32,
    /// The first offset behind that epoch; -1 = not known.
    #[wire("0+", default = -1)]
    pub end_offset: i64,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
