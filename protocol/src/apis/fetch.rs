//! Fetch reads record batches: consumers send it to partition leaders (or a near replica), followers
//! replicate with it, and KRaft nodes read the metadata log. The answer waits until `min_bytes` are there
//! or `max_wait_ms` have passed.
//!
//! Batches come as stored: the first may begin before the offset asked for, the last may be cut off, and
//! the reader skips both. The first batch is sent even if over the limits, so that none is unreadable.
//! Consumers see up to the high watermark, or the last stable offset (LSO) if `isolation_level` is 1.
//!
//! A session (KIP-227) spares repeating partitions: epoch 0 opens it, each request raises the epoch and
//! names only changes, the answer only partitions with news; `FETCH_SESSION_ID_NOT_FOUND` and
//! `INVALID_FETCH_SESSION_EPOCH` mean to start anew. Errors worth telling apart: `OFFSET_OUT_OF_RANGE`,
//! `FENCED_LEADER_EPOCH` (client is behind), `UNKNOWN_LEADER_EPOCH` (broker is).
//!
//! - v0-3: dropped by Kafka 4.0. v4: isolation level. v5: log start offsets. v6: `KAFKA_STORAGE_ERROR`.
//! - v7: sessions. v8: a throttled client is answered at once. v9: leader epoch check (KIP-320).
//! - v10: zstd; older versions get `UNSUPPORTED_COMPRESSION_TYPE`. v11: rack, preferred replica (KIP-392).
//! - v12: flexible; divergence found by epochs. v13: topic ids, `UNKNOWN_TOPIC_ID` (KIP-516).
//! - v14: `OFFSET_MOVED_TO_TIERED_STORAGE`. v15: `replica_state` (KIP-903). v16: `node_endpoints`.
//! - v17: replica directories (KIP-853). v18: the follower's high watermark (KIP-1166).

use crate::{ErrorCode, Records, TaggedFields, Text, Uuid, Wire};

/// What to read, how much, and how long to wait for it.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "4-18", flexible = "12+")]
pub struct FetchRequest {
    /// The sender's cluster, told by KRaft nodes so that a stranger's fetch is refused; null = not told.
    #[wire("12+", nullable = "12+", default = null, tag = 0, ignorable)]
    pub cluster_id: Option<Text>,
    /// The follower's broker id; -1 = a consumer.
    #[wire("0-14", default = -1)]
    pub replica_id: i32,
    /// Which follower this is, in place of `replica_id`; the default stands for a consumer.
    #[wire("15+", tag = 1)]
    pub replica_state: ReplicaState,
    /// How long the answer may wait for `min_bytes`, in milliseconds.
    #[wire("0+")]
    pub max_wait_ms: i32,
    /// How many bytes of records to wait for; 0 = answer at once. An error in a partition ends the wait.
    #[wire("0+")]
    pub min_bytes: i32,
    /// The most bytes of records wanted in all, exceeded only by a first batch that is larger by itself.
    #[wire("3+", default = 2147483647, ignorable)]
    pub max_bytes: i32,
    /// 0 = read uncommitted, up to the high watermark; 1 = read committed, up to the LSO, with the aborted
    /// transactions listed.
    #[wire("4+", ignorable)]
    pub isolation_level: i8,
    /// The session to go on with, as the broker numbered it; 0 = none yet.
    #[wire("7+", ignorable)]
    pub session_id: i32,
    /// 0 = full fetch that opens a session, 1 and up = the next incremental fetch of it, -1 = full fetch
    /// without session, closing the one named. After `i32::MAX` comes 1.
    #[wire("7+", default = -1, ignorable)]
    pub session_epoch: i32,
    /// The partitions to read, in order of urgency; in an incremental fetch only those new or changed.
    #[wire("0+")]
    pub topics: Vec<FetchTopic>,
    /// The partitions to drop from the session.
    #[wire("7+")]
    pub forgotten_topics_data: Vec<ForgottenTopic>,
    /// The consumer's rack, by which a leader may point it to a nearer replica; empty = none.
    #[wire("11+", ignorable)]
    pub rack_id: Text,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Who fetches, if a follower.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ReplicaState {
    /// The follower's broker id; -1 = a consumer.
    #[wire("15+", default = -1)]
    pub replica_id: i32,
    /// The epoch of the follower's registration, so that one that has restarted since does not slip into
    /// the in-sync replicas; -1 = unknown.
    #[wire("15+", default = -1)]
    pub replica_epoch: i64,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic to read.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct FetchTopic {
    /// The topic's name.
    #[wire("0-12", ignorable)]
    pub topic: Text,
    /// The topic's id, in place of the name.
    #[wire("13+", ignorable)]
    pub topic_id: Uuid,
    /// The partitions to read.
    #[wire("0+")]
    pub partitions: Vec<FetchPartition>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A partition to read.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct FetchPartition {
    /// The partition index.
    #[wire("0+")]
    pub partition: i32,
    /// The leader epoch that the reader knows, to be checked by the broker; -1 = no check.
    #[wire("9+", default = -1, ignorable)]
    pub current_leader_epoch: i32,
    /// The first offset wanted; for a follower the end of its log.
    #[wire("0+")]
    pub fetch_offset: i64,
    /// The leader epoch of the record before `fetch_offset`, to find a log that diverged; -1 = unknown.
    #[wire("12+", default = -1)]
    pub last_fetched_epoch: i32,
    /// Where the follower's own log begins; -1 from a consumer.
    #[wire("5+", default = -1, ignorable)]
    pub log_start_offset: i64,
    /// The most bytes wanted from this partition, exceeded only like `max_bytes`.
    #[wire("0+")]
    pub partition_max_bytes: i32,
    /// The directory of the follower's log, sent by KRaft nodes; zero = not told.
    #[wire("17+", tag = 0, ignorable)]
    pub replica_directory_id: Uuid,
    /// The high watermark that the follower knows, so that the leader answers at once if it has a newer
    /// one; -1 = unknown, `i64::MAX` = the follower takes no part in this.
    #[wire("18+", default = 9223372036854775807, tag = 1, ignorable)]
    pub high_watermark: i64,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic to drop from the session.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ForgottenTopic {
    /// The topic's name.
    #[wire("7-12", ignorable)]
    pub topic: Text,
    /// The topic's id, in place of the name.
    #[wire("13+", ignorable)]
    pub topic_id: Uuid,
    /// The partition indexes.
    #[wire("7+")]
    pub partitions: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// What was read.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "4-18", flexible = "12+")]
pub struct FetchResponse {
    /// How long the broker holds this client back for exceeding a quota, in milliseconds; 0 = not at all.
    #[wire("1+", ignorable)]
    pub throttle_time_ms: i32,
    /// What is wrong with the fetch as a whole, mostly its session.
    #[wire("7+", ignorable)]
    pub error_code: ErrorCode,
    /// The session that the next fetch can go on with; 0 = the broker keeps none.
    #[wire("7+")]
    pub session_id: i32,
    /// The partitions read; in a session only those with records, an error or moved offsets.
    #[wire("0+")]
    pub responses: Vec<FetchableTopicResponse>,
    /// Where to reach the leaders named in `current_leader`, which saves asking for metadata.
    #[wire("16+", tag = 0)]
    pub node_endpoints: Vec<NodeEndpoint>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct FetchableTopicResponse {
    /// The topic's name.
    #[wire("0-12", ignorable)]
    pub topic: Text,
    /// The topic's id, in place of the name.
    #[wire("13+", ignorable)]
    pub topic_id: Uuid,
    /// The partitions read.
    #[wire("0+")]
    pub partitions: Vec<PartitionData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// What was read from one partition.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct PartitionData {
    /// The partition.
    #[wire("0+")]
    pub partition_index: i32,
    /// Why nothing was read, if so.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// The end of what all in-sync replicas have; -1 = unknown, as beside errors.
    #[wire("0+")]
    pub high_watermark: i64,
    /// The LSO: the end of what no open transaction can still touch; -1 = unknown.
    #[wire("4+", default = -1, ignorable)]
    pub last_stable_offset: i64,
    /// The first offset that the log still has; -1 = unknown.
    #[wire("5+", default = -1, ignorable)]
    pub log_start_offset: i64,
    /// Set when the reader's log is not a prefix of the leader's: the point to truncate to before fetching
    /// on.
    #[wire("12+", tag = 0)]
    pub diverging_epoch: EpochEndOffset,
    /// The leader and epoch as the broker knows them, set beside `NOT_LEADER_OR_FOLLOWER` and
    /// `FENCED_LEADER_EPOCH`.
    #[wire("12+", tag = 1)]
    pub current_leader: LeaderIdAndEpoch,
    /// Set when the offset lies before the log's start: the snapshot to read with FetchSnapshot (KRaft
    /// only).
    #[wire("12+", tag = 2)]
    pub snapshot_id: SnapshotId,
    /// The aborted transactions that touch the records sent; null = read uncommitted, which does not tell.
    #[wire("4+", nullable = "4+", ignorable)]
    pub aborted_transactions: Option<Vec<AbortedTransaction>>,
    /// The replica to read this partition from instead, with no records sent; -1 = stay here.
    #[wire("11+", default = -1)]
    pub preferred_read_replica: i32,
    /// The record batches; of length 0, not null, when there are none.
    #[wire("0+", nullable = "0+")]
    pub records: Option<Records>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The last point at which reader and leader can agree.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct EpochEndOffset {
    /// The largest leader epoch, not above the reader's last, that the leader's log has; -1 = not set.
    #[wire("12+", default = -1)]
    pub epoch: i32,
    /// The offset at which that epoch ends in the leader's log; -1 = not set.
    #[wire("12+", default = -1)]
    pub end_offset: i64,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A leader and its epoch.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct LeaderIdAndEpoch {
    /// The leading broker; -1 = unknown.
    #[wire("12+", default = -1)]
    pub leader_id: i32,
    /// The newest epoch known; -1 = unknown.
    #[wire("12+", default = -1)]
    pub leader_epoch: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The name of a snapshot.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct SnapshotId {
    /// The offset after the last record that went into it; -1 = not set.
    #[wire("0+", default = -1)]
    pub end_offset: i64,
    /// The leader epoch of that last record; -1 = not set.
    #[wire("0+", default = -1)]
    pub epoch: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A transaction whose records a committed read must drop.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct AbortedTransaction {
    /// The producer of those records.
    #[wire("4+")]
    pub producer_id: i64,
    /// Where they begin in this partition; they end with the abort marker of the same producer.
    #[wire("4+")]
    pub first_offset: i64,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The address of a leader.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct NodeEndpoint {
    /// The broker's id.
    #[wire("16+")]
    pub node_id: i32,
    /// The host advertised on the listener that was asked.
    #[wire("16+")]
    pub host: Text,
    /// The port advertised there.
    #[wire("16+")]
    pub port: i32,
    /// The broker's rack; null = none.
    #[wire("16+", nullable = "16+", default = null)]
    pub rack: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
