//! Stores how far a group has read, per partition.
//!
//! Consumers send it to the group's coordinator, on a timer, on request of the application, and before
//! they give partitions up. The offset to commit is that of the next record to read, not of the last one
//! read. The broker appends it to `__consumer_offsets` and answers once that is replicated.
//!
//! What an implementer must know:
//! - Generation -1 with an empty member id is a commit from outside (a tool, or a consumer
//!   with partitions assigned by hand). It is taken only while the group has no members, and
//!   creates the group if need be.
//! - There is no error at the top: what concerns the group stands on every partition.
//! - Classic groups: ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID and REBALANCE_IN_PROGRESS
//!   make a member rejoin. New groups: STALE_MEMBER_EPOCH means heartbeat first, then commit again.
//! - OFFSET_METADATA_TOO_LARGE, UNKNOWN_TOPIC_OR_PARTITION and TOPIC_AUTHORIZATION_FAILED strike a
//!   partition or topic and spare the rest.
//!
//! What changed between versions:
//! - v0 and v1 were removed in Kafka 4.0. v2: the client chooses how long to keep the offset.
//! - v3: throttle time. v4: throttled answers come at once, the client does the waiting.
//! - v5: no retention any more, the broker's configuration rules. v6: leader epoch of the offset.
//! - v7: static members. v8: flexible.
//! - v9: for the groups of KIP-848; STALE_MEMBER_EPOCH, and GROUP_ID_NOT_FOUND where there is no group.
//! - v10: topic ids in place of names; UNKNOWN_TOPIC_ID.

use crate::{ErrorCode, TaggedFields, Text, Uuid, Wire};

/// The positions to store for one group.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "2-10", flexible = "8+")]
pub struct OffsetCommitRequest {
    /// The group to commit for; it need not have members.
    #[wire("0+")]
    pub group_id: Text,
    /// The classic group's generation or the new group's member epoch; -1 = not a member.
    #[wire("1+", default = -1, ignorable)]
    pub generation_id_or_member_epoch: i32,
    /// Who commits, as the coordinator knows it; empty = not a member.
    #[wire("1+", ignorable)]
    pub member_id: Text,
    /// The static member's configured name; null = the member is not static.
    #[wire("7+", nullable = "7+", default = null)]
    pub group_instance_id: Option<Text>,
    /// How long to keep the offsets, in milliseconds; -1 = as the broker is configured.
    #[wire("2-4", default = -1, ignorable)]
    pub retention_time_ms: i64,
    /// The positions, by topic.
    #[wire("0+")]
    pub topics: Vec<OffsetCommitRequestTopic>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The positions in one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct OffsetCommitRequestTopic {
    /// The topic's name, up to v9.
    #[wire("0-9", ignorable)]
    pub name: Text,
    /// The topic's id, from v10 on.
    #[wire("10+", ignorable)]
    pub topic_id: Uuid,
    /// The positions, one per partition.
    #[wire("0+")]
    pub partitions: Vec<OffsetCommitRequestPartition>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The position in one partition.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct OffsetCommitRequestPartition {
    /// The partition within the topic.
    #[wire("0+")]
    pub partition_index: i32,
    /// The offset of the next record to read. Not checked against the log.
    #[wire("0+")]
    pub committed_offset: i64,
    /// Leader epoch of the last record read, to notice a truncated log later; -1 = not known.
    #[wire("6+", default = -1, ignorable)]
    pub committed_leader_epoch: i32,
    /// Free text of the client's, given back by OffsetFetch; null is stored as empty.
    #[wire("0+", nullable = "0+")]
    pub committed_metadata: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Which positions were stored.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "2-10", flexible = "8+")]
pub struct OffsetCommitResponse {
    /// How long the client is to send nothing, for it exceeded a quota, in milliseconds; 0 = no limit.
    #[wire("3+", ignorable)]
    pub throttle_time_ms: i32,
    /// One entry for each topic of the request.
    #[wire("0+")]
    pub topics: Vec<OffsetCommitResponseTopic>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The results in one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct OffsetCommitResponseTopic {
    /// The topic's name, up to v9.
    #[wire("0-9", ignorable)]
    pub name: Text,
    /// The topic's id, from v10 on.
    #[wire("10+", ignorable)]
    pub topic_id: Uuid,
    /// One result for each partition of the request.
    #[wire("0+")]
    pub partitions: Vec<OffsetCommitResponsePartition>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Whether one position was stored.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct OffsetCommitResponsePartition {
    /// The partition within the topic.
    #[wire("0+")]
    pub partition_index: i32,
    /// NONE = stored and replicated. Errors of the group stand here too, on each partition.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
