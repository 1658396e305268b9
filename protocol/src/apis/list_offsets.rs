//! ListOffsets turns a moment, or a place such as the beginning or the end, into an offset. Consumers send
//! it to partition leaders when they have no committed position or seek by time, tools to compute lag.
//!
//! A timestamp finds the first record whose own timestamp is that or later. Negative ones are places: -1
//! the end (for clients the high watermark, or the last stable offset if `isolation_level` is 1), -2 the
//! start, -3 the record with the largest timestamp, -4 the first offset on local disk, -5 the last in
//! remote storage, -6 the first not yet in remote storage.
//!
//! Trap: finding nothing is no error, but offset -1 and timestamp -1. Errors per partition:
//! `NOT_LEADER_OR_FOLLOWER`, `FENCED_LEADER_EPOCH`, `UNKNOWN_LEADER_EPOCH`, `OFFSET_NOT_AVAILABLE` (a new
//! leader does not know the end yet: retry), `INVALID_REQUEST` for a partition named twice.
//!
//! - v0: many offsets by segment; dropped by Kafka 4.0. v1: one, by timestamp (KIP-79).
//! - v2: isolation level, throttle time. v3: a throttled client is answered at once.
//! - v4: leader epochs (KIP-320). v5: `OFFSET_NOT_AVAILABLE`, until then `LEADER_NOT_AVAILABLE` (KIP-207).
//! - v6: flexible encoding. v7: place -3 (KIP-734). v8: -4 (KIP-405). v9: -5 (KIP-1005).
//! - v10: timeout for reading remote storage (KIP-1075). v11: -6 (KIP-1023).

use crate::{ErrorCode, TaggedFields, Text, Wire};

/// Moments to find.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-11", flexible = "6+")]
pub struct ListOffsetsRequest {
    /// -1 = a client; a broker id = a follower, whose end lies above the high watermark; -2 = a debugging
    /// tool, which any replica may answer.
    #[wire("0+")]
    pub replica_id: i32,
    /// 0 = read uncommitted, up to the high watermark; 1 = read committed, up to the last stable offset.
    #[wire("2+")]
    pub isolation_level: i8,
    /// The topics with their partitions, all led by the broker asked.
    #[wire("0+")]
    pub topics: Vec<ListOffsetsTopic>,
    /// How long a search in remote storage may take, in milliseconds.
    #[wire("10+", ignorable)]
    pub timeout_ms: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ListOffsetsTopic {
    /// The topic's name.
    #[wire("0+")]
    pub name: Text,
    /// The partitions to search.
    #[wire("0+")]
    pub partitions: Vec<ListOffsetsPartition>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A moment to find in one partition.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ListOffsetsPartition {
    /// The partition.
    #[wire("0+")]
    pub partition_index: i32,
    /// The leader epoch that the client knows, to be checked by the broker; -1 = no check.
    #[wire("4+", default = -1, ignorable)]
    pub current_leader_epoch: i32,
    /// The moment in milliseconds since 1970, or a place: -1 = end, -2 = start, -3 = largest timestamp, -4
    /// = local start, -5 = last in remote storage, -6 = first not yet there.
    #[wire("0+")]
    pub timestamp: i64,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The offsets found.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-11", flexible = "6+")]
pub struct ListOffsetsResponse {
    /// How long the broker holds this client back for exceeding a quota, in milliseconds; 0 = not at all.
    #[wire("2+", ignorable)]
    pub throttle_time_ms: i32,
    /// One entry for each topic of the request.
    #[wire("0+")]
    pub topics: Vec<ListOffsetsTopicResponse>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The offsets in one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ListOffsetsTopicResponse {
    /// The topic's name.
    #[wire("0+")]
    pub name: Text,
    /// One entry for each partition searched.
    #[wire("0+")]
    pub partitions: Vec<ListOffsetsPartitionResponse>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The offset in one partition.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ListOffsetsPartitionResponse {
    /// The partition.
    #[wire("0+")]
    pub partition_index: i32,
    /// Why the search failed, if so.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// The timestamp of the record found, in milliseconds since 1970; -1 = none, also for start and end.
    #[wire("1+", default = -1)]
    pub timestamp: i64,
    /// The offset found; -1 = there is no such record.
    #[wire("1+", default = -1)]
    pub offset: i64,
    /// The leader epoch of that offset, to notice a truncation later; -1 = unknown.
    #[wire("4+", default = -1)]
    pub leader_epoch: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
