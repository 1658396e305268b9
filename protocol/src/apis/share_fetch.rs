//! Fetches records for a member of a share group, and acknowledges earlier ones on the way.
//!
//! A share consumer sends it to the leader of each partition that ShareGroupHeartbeat assigned to it
//! (KIP-932). There is no fetch offset: the leader picks records that no member holds, locks them for
//! this one and counts the delivery. Each record is then to be acknowledged before its lock times out,
//! or another member gets it.
//!
//! What an implementer must know:
//! - The answer's batches may hold more than was acquired, for batches are not cut: only the offsets
//!   within `acquired_records` are the member's, the rest it must ignore.
//! - A share session names the partitions once: epoch 0 opens it, then `topics` adds and
//!   `forgotten_topics_data` removes; -1 closes it and releases what is still acquired. Errors:
//!   SHARE_SESSION_NOT_FOUND, INVALID_SHARE_SESSION_EPOCH (both: open a new one),
//!   SHARE_SESSION_LIMIT_REACHED.
//! - Fetching and acknowledging fail apart: each partition has an error for each.
//! - A request with renewals fetches nothing: the limits of wait, bytes and records must
//!   be 0, else INVALID_REQUEST.
//!
//! What changed between versions:
//! - v0: early access in Kafka 4.0, removed in 4.1; it alone had a byte limit per partition.
//! - v1: the first stable version; limits counted in records, and the lock's duration.
//! - v2: the strict limit of records (KIP-1206) and renewals (KIP-1222).

use crate::{ErrorCode, Records, TaggedFields, Text, Uuid, Wire};

/// Asks for records, and says what became of earlier ones.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-2", flexible = "0+")]
pub struct ShareFetchRequest {
    /// The share group. Null is for the wire alone.
    #[wire("0+", nullable = "0+", default = null)]
    pub group_id: Option<Text>,
    /// The member that asks, as ShareGroupHeartbeat knows it. Null is for the wire alone.
    #[wire("0+", nullable = "0+")]
    pub member_id: Option<Text>,
    /// 0 = open a session, -1 = close it; else one more than last time, and after the greatest value 1.
    #[wire("0+")]
    pub share_session_epoch: i32,
    /// How long to wait until there are `min_bytes`, in milliseconds.
    #[wire("0+")]
    pub max_wait_ms: i32,
    /// How many bytes to wait for; 0 = answer at once.
    #[wire("0+")]
    pub min_bytes: i32,
    /// How many bytes to answer at most; the first batch may exceed it, so that
    /// a large one passes at all.
    #[wire("0+", default = 2147483647)]
    pub max_bytes: i32,
    /// How many records to acquire at most; in acquire mode 0 whole batches may exceed it.
    #[wire("1+")]
    pub max_records: i32,
    /// How many records each entry of `acquired_records` is best made of.
    #[wire("1+")]
    pub batch_size: i32,
    /// 0 = whole batches, 1 = never more than `max_records`.
    #[wire("2+", ignorable)]
    pub share_acquire_mode: i8,
    /// Whether some acknowledgements are renewals (4).
    #[wire("2+")]
    pub is_renew_ack: bool,
    /// Partitions new to the session, and those with acknowledgements.
    #[wire("0+")]
    pub topics: Vec<FetchTopic>,
    /// Partitions that leave the session.
    #[wire("0+")]
    pub forgotten_topics_data: Vec<ForgottenTopic>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The partitions of one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct FetchTopic {
    /// The topic's id.
    #[wire("0+")]
    pub topic_id: Uuid,
    /// One entry per partition.
    #[wire("0+")]
    pub partitions: Vec<FetchPartition>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One partition to fetch from or to acknowledge in.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct FetchPartition {
    /// The partition within the topic.
    #[wire("0+")]
    pub partition_index: i32,
    /// v0 alone: how many bytes to answer for this partition at most.
    #[wire("0")]
    pub partition_max_bytes: i32,
    /// What became of records acquired before: runs of offsets, rising and without overlap.
    #[wire("0+")]
    pub acknowledgement_batches: Vec<AcknowledgementBatch>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of a run of records.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct AcknowledgementBatch {
    /// The first offset of the run.
    #[wire("0+")]
    pub first_offset: i64,
    /// The last offset of the run, itself included.
    #[wire("0+")]
    pub last_offset: i64,
    /// One for the run or one per offset: 0 = gap (no record there), 1 = accept,
    /// 2 = release, 3 = reject, 4 = renew.
    #[wire("0+")]
    pub acknowledge_types: Vec<i8>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic that leave the session.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ForgottenTopic {
    /// The topic's id.
    #[wire("0+")]
    pub topic_id: Uuid,
    /// The partitions within the topic.
    #[wire("0+")]
    pub partitions: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Records, which of them were acquired, and what became of the acknowledgements.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-2", flexible = "0+")]
pub struct ShareFetchResponse {
    /// How long the client is to send nothing, for it exceeded a quota, in milliseconds; 0 = no limit.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// What concerns the whole request, such as INVALID_SHARE_SESSION_EPOCH.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// What went wrong, for people to read; null = nothing did.
    #[wire("0+", nullable = "0+", default = null)]
    pub error_message: Option<Text>,
    /// How long the member holds the acquired records, in milliseconds.
    #[wire("1+")]
    pub acquisition_lock_timeout_ms: i32,
    /// The partitions that have something to say; the session's others are left out.
    #[wire("0+")]
    pub responses: Vec<ShareFetchableTopicResponse>,
    /// How to reach the brokers named in `current_leader`.
    #[wire("0+")]
    pub node_endpoints: Vec<NodeEndpoint>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The results in one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ShareFetchableTopicResponse {
    /// The topic's id.
    #[wire("0+")]
    pub topic_id: Uuid,
    /// One result per partition.
    #[wire("0+")]
    pub partitions: Vec<PartitionData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The records of one partition.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct PartitionData {
    /// The partition within the topic.
    #[wire("0+")]
    pub partition_index: i32,
    /// What went wrong with fetching; the acknowledgements may have been taken all the same.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// What went wrong with fetching, for people to read; null = nothing did.
    #[wire("0+", nullable = "0+", default = null)]
    pub error_message: Option<Text>,
    /// What went wrong with the acknowledgements, such as INVALID_RECORD_STATE.
    #[wire("0+")]
    pub acknowledge_error_code: ErrorCode,
    /// What went wrong with the acknowledgements, for people to read; null = nothing did.
    #[wire("0+", nullable = "0+", default = null)]
    pub acknowledge_error_message: Option<Text>,
    /// Where the partition is led now, of use beside NOT_LEADER_OR_FOLLOWER.
    #[wire("0+")]
    pub current_leader: LeaderIdAndEpoch,
    /// Record batches as they stand in the log; empty = none. Null in v0 alone.
    #[wire("0+", nullable = "0")]
    pub records: Option<Records>,
    /// Which offsets within `records` are this member's to process.
    #[wire("0+")]
    pub acquired_records: Vec<AcquiredRecords>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Who leads a partition, so that the client need not ask for metadata.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct LeaderIdAndEpoch {
    /// The leading broker; -1 = not known.
    #[wire("0+")]
    pub leader_id: i32,
    /// The epoch of that leadership, to keep an older answer from replacing a newer one.
    #[wire("0+")]
    pub leader_epoch: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A run of records that the member now holds.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct AcquiredRecords {
    /// The first offset of the run.
    #[wire("0+")]
    pub first_offset: i64,
    /// The last offset of the run, itself included.
    #[wire("0+")]
    pub last_offset: i64,
    /// How often these records have been delivered, this time included: 1 = never before.
    #[wire("0+")]
    pub delivery_count: i16,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// How to reach a broker named in this answer.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct NodeEndpoint {
    /// The broker's id.
    #[wire("0+")]
    pub node_id: i32,
    /// The name or address to connect to, on the listener of this connection.
    #[wire("0+")]
    pub host: Text,
    /// The port to connect to.
    #[wire("0+")]
    pub port: i32,
    /// Where the broker stands, as configured; null = not configured.
    #[wire("0+", nullable = "0+", default = null)]
    pub rack: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
