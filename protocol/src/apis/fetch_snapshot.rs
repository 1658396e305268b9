//! FetchSnapshot copies a snapshot of the metadata log, piece by piece (KIP-630). A KRaft replica that
//! asks the leader, by Fetch, for offsets the log no longer has is told the id of a snapshot; it then
//! sends this to the leader until it has `size` bytes, and goes on fetching at the snapshot's end offset.
//! It needs `CLUSTER_ACTION`.
//!
//! A snapshot is named by the offset and epoch it ends with, and never changes. Errors per partition:
//! `SNAPSHOT_NOT_FOUND` (begin again with Fetch), `POSITION_OUT_OF_RANGE`, `NOT_LEADER_OR_FOLLOWER`,
//! `FENCED_LEADER_EPOCH`, `UNKNOWN_LEADER_EPOCH`; at the top `INCONSISTENT_CLUSTER_ID`.
//!
//! Trap: the pieces are bytes, not batches: `unaligned_records` may begin and end inside a batch, and must
//! not be parsed before the whole is there.
//!
//! - v0: flexible from the start.
//! - v1: the replica's directory, and endpoints of leaders (KIP-853).

use crate::{ErrorCode, Records, TaggedFields, Text, Uuid, Wire};

/// The next piece of a snapshot, please.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "0+")]
pub struct FetchSnapshotRequest {
    /// The sender's cluster, which must be the receiver's; null = not told, and not checked.
    #[wire("0+", nullable = "0+", default = null, tag = 0)]
    pub cluster_id: Option<Text>,
    /// The node that copies; -1 = unknown.
    #[wire("0+", default = -1)]
    pub replica_id: i32,
    /// The most bytes of snapshot wanted in the answer.
    #[wire("0+", default = 2147483647)]
    pub max_bytes: i32,
    /// In practice one topic, `__cluster_metadata`.
    #[wire("0+")]
    pub topics: Vec<RequestTopicSnapshot>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A topic of the request.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "TopicSnapshot")]
pub struct RequestTopicSnapshot {
    /// The topic's name.
    #[wire("0+")]
    pub name: Text,
    /// Its partitions; in practice one.
    #[wire("0+")]
    pub partitions: Vec<RequestPartitionSnapshot>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A snapshot to read from.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "PartitionSnapshot")]
pub struct RequestPartitionSnapshot {
    /// The partition; 0 for the metadata log.
    #[wire("0+")]
    pub partition: i32,
    /// The leader epoch that the replica knows, which has to be the leader's own; -1 = unknown.
    #[wire("0+")]
    pub current_leader_epoch: i32,
    /// The snapshot, as the Fetch answer named it.
    #[wire("0+")]
    pub snapshot_id: RequestSnapshotId,
    /// The first byte wanted: as many as the replica already has.
    #[wire("0+")]
    pub position: i64,
    /// The directory of the replica's log; zero = not told.
    #[wire("1+", tag = 0, ignorable)]
    pub replica_directory_id: Uuid,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The name of a snapshot.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "SnapshotId")]
pub struct RequestSnapshotId {
    /// The offset after the last record that went into it.
    #[wire("0+")]
    pub end_offset: i64,
    /// The leader epoch of that last record.
    #[wire("0+")]
    pub epoch: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A piece of a snapshot.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "0+")]
pub struct FetchSnapshotResponse {
    /// How long the leader holds this node back for exceeding a quota, in milliseconds; 0 = not at all.
    #[wire("0+", ignorable)]
    pub throttle_time_ms: i32,
    /// Why the request was refused as a whole, if so.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// One entry for each topic of the request.
    #[wire("0+")]
    pub topics: Vec<ResponseTopicSnapshot>,
    /// Where to reach the leaders named in `current_leader`.
    #[wire("1+", tag = 0)]
    pub node_endpoints: Vec<NodeEndpoint>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A topic of the answer.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "TopicSnapshot")]
pub struct ResponseTopicSnapshot {
    /// The topic's name.
    #[wire("0+")]
    pub name: Text,
    /// One entry for each partition of the request.
    #[wire("0+")]
    pub partitions: Vec<ResponsePartitionSnapshot>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A piece of one snapshot.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "PartitionSnapshot")]
pub struct ResponsePartitionSnapshot {
    /// The partition.
    #[wire("0+")]
    pub index: i32,
    /// Why nothing was read, if so.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// The snapshot that the piece is from.
    #[wire("0+")]
    pub snapshot_id: ResponseSnapshotId,
    /// The leader and epoch as the receiver knows them, for a replica that asked the wrong node.
    #[wire("0+", tag = 0)]
    pub current_leader: LeaderIdAndEpoch,
    /// The bytes of the whole snapshot: the copy is complete when it has as many.
    #[wire("0+")]
    pub size: i64,
    /// Where the piece begins in the snapshot, in bytes.
    #[wire("0+")]
    pub position: i64,
    /// The piece: record batches as stored, cut anywhere.
    #[wire("0+")]
    pub unaligned_records: Records,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The name of a snapshot.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "SnapshotId")]
pub struct ResponseSnapshotId {
    /// The offset after the last record that went into it.
    #[wire("0+")]
    pub end_offset: i64,
    /// The leader epoch of that last record.
    #[wire("0+")]
    pub epoch: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A leader and its epoch.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct LeaderIdAndEpoch {
    /// The leading node; -1 = unknown.
    #[wire("0+")]
    pub leader_id: i32,
    /// The newest epoch known.
    #[wire("0+")]
    pub leader_epoch: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The address of a leader.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct NodeEndpoint {
    /// The node's id.
    #[wire("1+")]
    pub node_id: i32,
    /// The host to connect to.
    #[wire("1+")]
    pub host: Text,
    /// The port to connect to.
    #[wire("1+")]
    pub port: u16,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
