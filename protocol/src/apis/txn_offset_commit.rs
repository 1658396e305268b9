//! Stores a group's offsets as part of a transaction.
//!
//! A transactional producer sends it to the coordinator of the *group*, so that what was read and what
//! was written become final together. The offsets are appended to `__consumer_offsets` at once and stay
//! pending until the marker comes (WriteTxnMarkers); an abort forgets them. Up to v4 the producer first
//! tells the transaction coordinator by AddOffsetsToTxn; from v5 on the broker does that by itself.
//!
//! What an implementer must know:
//! - Readers with `require_stable` see UNSTABLE_OFFSET_COMMIT while offsets are pending.
//! - Generation and member fence a zombie's reads as the producer's epoch fences its writes:
//!   ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID. Generation -1 with an empty
//!   member id is not checked.
//! - INVALID_PRODUCER_EPOCH: a newer producer has the transactional id. There is no error at the top.
//! - The caller needs WRITE on the transactional id, READ on the group and on each topic.
//!
//! What changed between versions:
//! - v1: throttled answers come at once, the client does the waiting. v2: leader epoch of the offset.
//! - v3: flexible; generation, member and static member (KIP-447).
//! - v4: TRANSACTION_ABORTABLE. v5: adds the group to the transaction too
//!   (transaction version 2, KIP-890).

use crate::{ErrorCode, TaggedFields, Text, Wire};

/// The positions to store when the transaction commits.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-5", flexible = "3+")]
pub struct TxnOffsetCommitRequest {
    /// The transaction's producer, to authorize by.
    #[wire("0+")]
    pub transactional_id: Text,
    /// The group that read the records.
    #[wire("0+")]
    pub group_id: Text,
    /// The producer's id.
    #[wire("0+")]
    pub producer_id: i64,
    /// The producer's epoch; a stale one is refused.
    #[wire("0+")]
    pub producer_epoch: i16,
    /// The group's generation, or the member's epoch in a new group; -1 = not checked.
    #[wire("3+", default = -1)]
    pub generation_id: i32,
    /// The member that read the records; empty = not checked.
    #[wire("3+")]
    pub member_id: Text,
    /// The static member's configured name; null = the member is not static.
    #[wire("3+", nullable = "3+", default = null)]
    pub group_instance_id: Option<Text>,
    /// The positions, by topic.
    #[wire("0+")]
    pub topics: Vec<TxnOffsetCommitRequestTopic>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The positions in one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TxnOffsetCommitRequestTopic {
    /// The topic's name.
    #[wire("0+")]
    pub name: Text,
    /// The positions, one per partition.
    #[wire("0+")]
    pub partitions: Vec<TxnOffsetCommitRequestPartition>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The position in one partition.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TxnOffsetCommitRequestPartition {
    /// The partition within the topic.
    #[wire("0+")]
    pub partition_index: i32,
    /// The offset of the next record to read.
    #[wire("0+")]
    pub committed_offset: i64,
    /// Leader epoch of the last record read, to notice a truncated log later; -1 = not known.
    #[wire("2+", default = -1, ignorable)]
    pub committed_leader_epoch: i32,
    /// Free text of the client's, given back by OffsetFetch; null is stored as empty.
    #[wire("0+", nullable = "0+")]
    pub committed_metadata: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Which positions were taken.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-5", flexible = "3+")]
pub struct TxnOffsetCommitResponse {
    /// How long the client is to send nothing, for it exceeded a quota, in milliseconds; 0 = no limit.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// One entry for each topic of the request.
    #[wire("0+")]
    pub topics: Vec<TxnOffsetCommitResponseTopic>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The results in one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TxnOffsetCommitResponseTopic {
    /// The topic's name.
    #[wire("0+")]
    pub name: Text,
    /// One result for each partition of the request.
    #[wire("0+")]
    pub partitions: Vec<TxnOffsetCommitResponsePartition>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Whether one position was taken.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TxnOffsetCommitResponsePartition {
    /// The partition within the topic.
    #[wire("0+")]
    pub partition_index: i32,
    /// NONE = pending until the transaction ends. Errors of the group or producer stand here too.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
