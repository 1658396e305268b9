//! AlterReplicaLogDirs: moves replicas between the data directories of one broker (KIP-113).
//!
//! A tool sends it to the very broker that holds the replicas; nothing is forwarded. The broker copies
//! the replica into the target directory beside the live one, lets the copy catch up, and swaps them. The
//! answer comes when that has begun; DescribeLogDirs shows the copy, with its lag, until the swap.
//!
//! A request for a replica that the broker does not have (yet) is answered with `REPLICA_NOT_AVAILABLE`,
//! but Kafka remembers the wish: if the replica is created later, it starts in that directory. Tools rely
//! on this, and send the request before a reassignment. `LOG_DIR_NOT_FOUND` is a path that the broker is
//! not configured with, `KAFKA_STORAGE_ERROR` a directory that is offline.
//!
//! - v0: gone since Kafka 4.0.
//! - v1: a throttled request is answered at once, and the client does the waiting (KIP-219).
//! - v2: flexible.

use crate::{ErrorCode, TaggedFields, Text, Wire};

/// Which replicas of this broker belong into which of its directories.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-2", flexible = "2+")]
pub struct AlterReplicaLogDirsRequest {
    /// The target directories with the replicas to move there.
    #[wire("0+")]
    pub dirs: Vec<AlterReplicaLogDir>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One target directory.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct AlterReplicaLogDir {
    /// The directory's absolute path, exactly as DescribeLogDirs reports it.
    #[wire("0+")]
    pub path: Text,
    /// The replicas to move there, by topic.
    #[wire("0+")]
    pub topics: Vec<AlterReplicaLogDirTopic>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Replicas of one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct AlterReplicaLogDirTopic {
    /// The topic.
    #[wire("0+")]
    pub name: Text,
    /// Partition numbers within the topic.
    #[wire("0+")]
    pub partitions: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The result for each replica.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-2", flexible = "2+")]
pub struct AlterReplicaLogDirsResponse {
    /// Milliseconds for which a quota holds the client back; 0 = no quota was exceeded.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// The results by topic, whatever the target directory was.
    #[wire("0+")]
    pub results: Vec<AlterReplicaLogDirTopicResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The results for one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct AlterReplicaLogDirTopicResult {
    /// The topic, as in the request.
    #[wire("0+")]
    pub topic_name: Text,
    /// One result per replica.
    #[wire("0+")]
    pub partitions: Vec<AlterReplicaLogDirPartitionResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The result for one replica.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct AlterReplicaLogDirPartitionResult {
    /// The partition's number within the topic.
    #[wire("0+")]
    pub partition_index: i32,
    /// `NONE` = the move has begun, or the replica is there already.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
