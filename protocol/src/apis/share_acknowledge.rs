//! Says what became of records that a share group's member acquired, without fetching more.
//!
//! A share consumer sends it to the leader of each partition, for records that ShareFetch gave it
//! (KIP-932). ShareFetch carries acknowledgements too, and that is the usual way; this one is for when
//! the member wants no more records just now, or closes.
//!
//! What an implementer must know:
//! - It belongs to the share session that a ShareFetch opened, and shares its epochs: it never opens one,
//!   so epoch 0 is INVALID_SHARE_SESSION_EPOCH; -1 closes it and releases what is still acquired.
//! - INVALID_RECORD_STATE on a partition: the member no longer holds a record, for instance since the
//!   lock timed out; it was or will be delivered to another member.
//! - The types of a run are one value for all of it, or one per offset; another count is INVALID_REQUEST.
//!   So is a renewal (4) without `is_renew_ack`.
//! - An acknowledgement is answered once it is stored, not before.
//!
//! What changed between versions:
//! - v0: early access in Kafka 4.0, removed in 4.1. v1: the first stable version.
//! - v2: renewals, which keep the lock without ending the delivery (KIP-1222); the
//!   lock's duration in the answer.

use crate::{ErrorCode, TaggedFields, Text, Uuid, Wire};

/// What became of records, for any number of partitions with leaders on one broker.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-2", flexible = "0+")]
pub struct ShareAcknowledgeRequest {
    /// The share group. Null is for the wire alone.
    #[wire("0+", nullable = "0+", default = null)]
    pub group_id: Option<Text>,
    /// The member that holds the records, as ShareGroupHeartbeat knows it. Null is for the wire alone.
    #[wire("0+", nullable = "0+")]
    pub member_id: Option<Text>,
    /// One more than in the session's last request, and after the greatest
    /// value 1; -1 = close the session.
    #[wire("0+")]
    pub share_session_epoch: i32,
    /// Whether some of the types are renewals (4).
    #[wire("2+")]
    pub is_renew_ack: bool,
    /// The acknowledgements, by topic.
    #[wire("0+")]
    pub topics: Vec<AcknowledgeTopic>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The acknowledgements in one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct AcknowledgeTopic {
    /// The topic's id.
    #[wire("0+")]
    pub topic_id: Uuid,
    /// One entry per partition.
    #[wire("0+")]
    pub partitions: Vec<AcknowledgePartition>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The acknowledgements in one partition.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct AcknowledgePartition {
    /// The partition within the topic.
    #[wire("0+")]
    pub partition_index: i32,
    /// Runs of offsets, rising and without overlap.
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

/// Which acknowledgements were taken.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-2", flexible = "0+")]
pub struct ShareAcknowledgeResponse {
    /// How long the client is to send nothing, for it exceeded a quota, in milliseconds; 0 = no limit.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// What concerns the whole request, such as SHARE_SESSION_NOT_FOUND; if set, nothing was taken.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// What went wrong, for people to read; null = nothing did.
    #[wire("0+", nullable = "0+", default = null)]
    pub error_message: Option<Text>,
    /// How long a member holds acquired or renewed records, in milliseconds.
    #[wire("2+", ignorable)]
    pub acquisition_lock_timeout_ms: i32,
    /// One entry for each topic of the request.
    #[wire("0+")]
    pub responses: Vec<ShareAcknowledgeTopicResponse>,
    /// How to reach the brokers named in `current_leader`.
    #[wire("0+")]
    pub node_endpoints: Vec<NodeEndpoint>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The results in one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ShareAcknowledgeTopicResponse {
    /// The topic's id.
    #[wire("0+")]
    pub topic_id: Uuid,
    /// One result for each partition of the request.
    #[wire("0+")]
    pub partitions: Vec<PartitionData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Whether the acknowledgements of one partition were taken.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct PartitionData {
    /// The partition within the topic.
    #[wire("0+")]
    pub partition_index: i32,
    /// NONE, INVALID_RECORD_STATE, NOT_LEADER_OR_FOLLOWER and others.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// What went wrong, for people to read; null = nothing did.
    #[wire("0+", nullable = "0+", default = null)]
    pub error_message: Option<Text>,
    /// Where the partition is led now, of use beside NOT_LEADER_OR_FOLLOWER.
    #[wire("0+")]
    pub current_leader: LeaderIdAndEpoch,
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
