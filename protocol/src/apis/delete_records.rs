//! DeleteRecords: removes the oldest records of partitions by moving their log start forward (KIP-107).
//!
//! A client sends it to each partition's leader; Kafka Streams does so to empty its repartition topics.
//! Nothing in the middle of a log can be removed this way. The leader moves its log start at once and
//! answers when all live replicas have followed, or with `REQUEST_TIMED_OUT` otherwise: the leader's own
//! records are gone then all the same. Space is freed when whole segments lie below the log start. It
//! takes DELETE rights on the topic.
//!
//! `OFFSET_OUT_OF_RANGE` = beyond the high watermark, or negative other than -1; an offset at or below
//! the log start is fine and changes nothing. `POLICY_VIOLATION` = the topic is compacted without
//! `delete` among its policies; `INVALID_TOPIC_EXCEPTION` = an internal topic; `NOT_LEADER_OR_FOLLOWER` =
//! ask the new leader.
//!
//! - v1: a throttled request is answered at once, and the client does the waiting (KIP-219).
//! - v2: flexible.

use crate::{ErrorCode, TaggedFields, Text, Wire};

/// The new log starts of some partitions. Partitions are independent of one another.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-2", flexible = "2+")]
pub struct DeleteRecordsRequest {
    /// The partitions, by topic.
    #[wire("0+")]
    pub topics: Vec<DeleteRecordsTopic>,
    /// How long to wait for the other replicas, in milliseconds.
    #[wire("0+")]
    pub timeout_ms: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// New log starts for one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DeleteRecordsTopic {
    /// The topic.
    #[wire("0+")]
    pub name: Text,
    /// One new log start per partition.
    #[wire("0+")]
    pub partitions: Vec<DeleteRecordsPartition>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The new log start of one partition.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DeleteRecordsPartition {
    /// The partition's number within the topic.
    #[wire("0+")]
    pub partition_index: i32,
    /// The first offset to keep: all below it goes. -1 = the high watermark, that is, everything
    /// committed.
    #[wire("0+")]
    pub offset: i64,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The result for each partition.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-2", flexible = "2+")]
pub struct DeleteRecordsResponse {
    /// Milliseconds for which a quota holds the client back; 0 = no quota was exceeded.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// The results, grouped by topic.
    #[wire("0+")]
    pub topics: Vec<DeleteRecordsTopicResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The results for one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DeleteRecordsTopicResult {
    /// The topic, as in the request.
    #[wire("0+")]
    pub name: Text,
    /// One result per partition.
    #[wire("0+")]
    pub partitions: Vec<DeleteRecordsPartitionResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The result for one partition.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DeleteRecordsPartitionResult {
    /// The partition's number within the topic.
    #[wire("0+")]
    pub partition_index: i32,
    /// The smallest log start among the live replicas: below it no record can be read from any of them.
    /// -1 beside an error.
    #[wire("0+")]
    pub low_watermark: i64,
    /// `NONE` = all live replicas have reached the new log start.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
