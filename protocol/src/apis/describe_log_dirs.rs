//! DescribeLogDirs tells which partitions lie in which log directory of a broker, how large they are, and
//! how much room there is (KIP-113). An admin client sends it to each broker in turn, since each can only
//! speak of its own disks. It needs `DESCRIBE` on the cluster.
//!
//! A partition appears twice while a replica moves between directories: its current log, and with
//! `is_future_key` the copy that is to replace it. An offline directory is listed with
//! `KAFKA_STORAGE_ERROR` and nothing in it. Partitions without a replica on the broker are missing from
//! the answer.
//!
//! Trap: before v3 there was no place for a refusal, so an unauthorized caller saw an empty list.
//!
//! - v0: dropped by Kafka 4.0; v1 has the same bytes, but a throttled client gets its answer at once and
//!   waits afterwards.
//! - v2: flexible encoding.
//! - v3: an error code for the whole answer.
//! - v4: size and free space of the volume (KIP-827).
//! - v5: whether a directory is cordoned (KIP-1066).

use crate::{ErrorCode, TaggedFields, Text, Wire};

/// Which partitions to look for in the broker's directories.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-5", flexible = "2+")]
pub struct DescribeLogDirsRequest {
    /// The partitions of interest; null = all. Directories are listed even where they hold none of them.
    #[wire("0+", nullable = "0+")]
    pub topics: Option<Vec<DescribableLogDirTopic>>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribableLogDirTopic {
    /// The topic's name.
    #[wire("0+")]
    pub topic: Text,
    /// The partition indexes.
    #[wire("0+")]
    pub partitions: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The broker's log directories.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-5", flexible = "2+")]
pub struct DescribeLogDirsResponse {
    /// How long the broker holds this client back for exceeding a quota, in milliseconds; 0 = not at all.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// Why nothing is told, if so: `CLUSTER_AUTHORIZATION_FAILED` as a rule.
    #[wire("3+", ignorable)]
    pub error_code: ErrorCode,
    /// One entry for each configured directory.
    #[wire("0+")]
    pub results: Vec<DescribeLogDirsResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A log directory.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribeLogDirsResult {
    /// What is wrong with this directory: `KAFKA_STORAGE_ERROR` when it is offline.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// Its absolute path on the broker.
    #[wire("0+")]
    pub log_dir: Text,
    /// The partitions of interest that lie in it.
    #[wire("0+")]
    pub topics: Vec<DescribeLogDirsTopic>,
    /// The size of the volume it lies on, without anything in remote storage; -1 = unknown.
    #[wire("4+", default = -1, ignorable)]
    pub total_bytes: i64,
    /// The room left on that volume, in bytes; -1 = unknown.
    #[wire("4+", default = -1, ignorable)]
    pub usable_bytes: i64,
    /// Whether the directory takes no new partitions.
    #[wire("5+", ignorable)]
    pub is_cordoned: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic in one directory.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribeLogDirsTopic {
    /// The topic's name.
    #[wire("0+")]
    pub name: Text,
    /// The logs found.
    #[wire("0+")]
    pub partitions: Vec<DescribeLogDirsPartition>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One log of a partition.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribeLogDirsPartition {
    /// The partition.
    #[wire("0+")]
    pub partition_index: i32,
    /// The bytes of all its segments together.
    #[wire("0+")]
    pub partition_size: i64,
    /// In records: how far a current log's end lies behind the high watermark, or a future log's end
    /// behind the current log's end. 0 = level.
    #[wire("0+")]
    pub offset_lag: i64,
    /// Whether this is the copy under way to another directory, not yet the log in use.
    #[wire("0+")]
    pub is_future_key: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
