//! Reads back how far groups have read, as OffsetCommit stored it.
//!
//! A consumer sends it to the group's coordinator when it gets partitions, to know where to start; admin
//! tools and lag monitors send it for groups that are not their own.
//!
//! What an implementer must know:
//! - Nothing committed is not an error: the partition answers offset -1, empty metadata and NONE, and the
//!   client falls back on its own reset rule. The same goes for a group that does not exist.
//! - With `require_stable`, a partition with an offset that belongs to an open transaction answers
//!   UNSTABLE_OFFSET_COMMIT, and the client asks again: a transactional application must not start from
//!   an offset that may yet be replaced.
//! - Up to v7 the request names one group in fields of its own, from v8 on a list of groups; the two
//!   halves have structures of their own and never stand in one message together.
//!
//! What changed between versions:
//! - v0 read from ZooKeeper and was removed in Kafka 4.0. v1: reads from `__consumer_offsets`.
//! - v2: null asks for all topics; an error for the whole group. v3: throttle time.
//! - v4: throttled answers come at once, the client does the waiting. v5: leader epoch of the offset.
//! - v6: flexible. v7: `require_stable` (KIP-447). v8: several groups in one request (KIP-709).
//! - v9: member id and epoch, checked for groups of KIP-848: UNKNOWN_MEMBER_ID, STALE_MEMBER_EPOCH.
//! - v10: topic ids in place of names; UNKNOWN_TOPIC_ID.

use crate::{ErrorCode, TaggedFields, Text, Uuid, Wire};

/// Asks for the stored positions of one group (up to v7) or several (from v8 on).
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-10", flexible = "6+")]
pub struct OffsetFetchRequest {
    /// Up to v7: the group.
    #[wire("0-7")]
    pub group_id: Text,
    /// Up to v7: the partitions to look up; null (from v2 on) = all that have a position.
    #[wire("0-7", nullable = "2-7")]
    pub topics: Option<Vec<OffsetFetchRequestTopic>>,
    /// From v8 on: the groups, each with its partitions.
    #[wire("8+")]
    pub groups: Vec<OffsetFetchRequestGroup>,
    /// Whether to refuse offsets that an open transaction may still replace.
    #[wire("7+")]
    pub require_stable: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Up to v7: the partitions to look up in one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct OffsetFetchRequestTopic {
    /// The topic's name.
    #[wire("0-7")]
    pub name: Text,
    /// The partitions to look up.
    #[wire("0-7")]
    pub partition_indexes: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// From v8 on: one group and what to look up for it.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct OffsetFetchRequestGroup {
    /// The group whose positions are wanted.
    #[wire("8+")]
    pub group_id: Text,
    /// Who asks, if a member of a new group; null = a classic member or somebody outside, not checked.
    #[wire("9+", nullable = "9+", default = null, ignorable)]
    pub member_id: Option<Text>,
    /// The epoch of the member that asks; -1 = not checked.
    #[wire("9+", default = -1, ignorable)]
    pub member_epoch: i32,
    /// The partitions to look up; null = all that have a position.
    #[wire("8+", nullable = "8+")]
    pub topics: Option<Vec<OffsetFetchRequestTopics>>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// From v8 on: the partitions to look up in one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct OffsetFetchRequestTopics {
    /// The topic's name, up to v9.
    #[wire("8-9", ignorable)]
    pub name: Text,
    /// The topic's id, from v10 on.
    #[wire("10+", ignorable)]
    pub topic_id: Uuid,
    /// The partitions to look up.
    #[wire("8+")]
    pub partition_indexes: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The positions found.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-10", flexible = "6+")]
pub struct OffsetFetchResponse {
    /// How long the client is to send nothing, for it exceeded a quota, in milliseconds; 0 = no limit.
    #[wire("3+", ignorable)]
    pub throttle_time_ms: i32,
    /// Up to v7: the positions, by topic.
    #[wire("0-7")]
    pub topics: Vec<OffsetFetchResponseTopic>,
    /// Up to v7: what concerns the group, such as NOT_COORDINATOR. In v1 such
    /// errors stand on each partition.
    #[wire("2-7", ignorable)]
    pub error_code: ErrorCode,
    /// From v8 on: one entry for each group of the request.
    #[wire("8+")]
    pub groups: Vec<OffsetFetchResponseGroup>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Up to v7: the positions in one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct OffsetFetchResponseTopic {
    /// The topic's name.
    #[wire("0-7")]
    pub name: Text,
    /// The positions, one per partition.
    #[wire("0-7")]
    pub partitions: Vec<OffsetFetchResponsePartition>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Up to v7: the position in one partition.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct OffsetFetchResponsePartition {
    /// The partition within the topic.
    #[wire("0-7")]
    pub partition_index: i32,
    /// The offset of the next record to read; -1 = nothing committed.
    #[wire("0-7")]
    pub committed_offset: i64,
    /// The leader epoch that was committed along with it; -1 = none.
    #[wire("5-7", default = -1, ignorable)]
    pub committed_leader_epoch: i32,
    /// The text that was committed along with it; empty = none.
    #[wire("0-7", nullable = "0-7")]
    pub metadata: Option<Text>,
    /// NONE also when nothing is committed; UNSTABLE_OFFSET_COMMIT = ask again.
    #[wire("0-7")]
    pub error_code: ErrorCode,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// From v8 on: the positions of one group.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct OffsetFetchResponseGroup {
    /// The group, as in the request.
    #[wire("8+")]
    pub group_id: Text,
    /// The positions, by topic; empty beside an error.
    #[wire("8+")]
    pub topics: Vec<OffsetFetchResponseTopics>,
    /// What concerns this group and spares the others, such as GROUP_AUTHORIZATION_FAILED.
    #[wire("8+")]
    pub error_code: ErrorCode,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// From v8 on: the positions in one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct OffsetFetchResponseTopics {
    /// The topic's name, up to v9.
    #[wire("8-9", ignorable)]
    pub name: Text,
    /// The topic's id, from v10 on.
    #[wire("10+", ignorable)]
    pub topic_id: Uuid,
    /// The positions, one per partition.
    #[wire("8+")]
    pub partitions: Vec<OffsetFetchResponsePartitions>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// From v8 on: the position in one partition.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct OffsetFetchResponsePartitions {
    /// The partition within the topic.
    #[wire("8+")]
    pub partition_index: i32,
    /// The offset of the next record to read; -1 = nothing committed.
    #[wire("8+")]
    pub committed_offset: i64,
    /// The leader epoch that was committed along with it; -1 = none.
    #[wire("8+", default = -1, ignorable)]
    pub committed_leader_epoch: i32,
    /// The text that was committed along with it; empty = none.
    #[wire("8+", nullable = "8+")]
    pub metadata: Option<Text>,
    /// NONE also when nothing is committed; UNSTABLE_OFFSET_COMMIT = ask again.
    #[wire("8+")]
    pub error_code: ErrorCode,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
