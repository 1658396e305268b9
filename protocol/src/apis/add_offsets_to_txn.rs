//! AddOffsetsToTxn: a transactional producer tells its transaction coordinator that the open transaction
//! is going to commit consumer offsets of a group.
//!
//! The coordinator adds the partition of `__consumer_offsets` that holds the group to the transaction, so
//! that the offsets get a commit or abort marker like any record. Only then does the producer send
//! TxnOffsetCommit, and that one goes to the *group* coordinator. Under transaction version 2 (KIP-890) a
//! client skips this call: the broker adds the partition itself when TxnOffsetCommit v5 arrives.
//!
//! Worth knowing: `CONCURRENT_TRANSACTIONS` means that the previous transaction is still being completed
//! (wait and repeat); `INVALID_PRODUCER_ID_MAPPING` that the transactional id no longer belongs to this
//! producer id; both `TRANSACTIONAL_ID_AUTHORIZATION_FAILED` and `GROUP_AUTHORIZATION_FAILED` are
//! possible, since two resources are checked.
//!
//! - v1: a throttled request is answered at once, and the client does the waiting (KIP-219).
//! - v2: a fenced producer gets `PRODUCER_FENCED`; below, it must be `INVALID_PRODUCER_EPOCH`.
//! - v3: flexible.
//! - v4: may answer `TRANSACTION_ABORTABLE`: the transaction must be aborted, the producer lives on
//!   (KIP-890).

use crate::{ErrorCode, TaggedFields, Text, Wire};

/// Asks the transaction coordinator to make a group's offsets part of the open transaction.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-4", flexible = "3+")]
pub struct AddOffsetsToTxnRequest {
    /// The id whose transaction is open. Its hash decides which broker is the coordinator.
    #[wire("0+")]
    pub transactional_id: Text,
    /// The producer id that InitProducerId handed out for this transactional id.
    #[wire("0+")]
    pub producer_id: i64,
    /// The epoch that came with `producer_id`. An older one marks a zombie and is fenced.
    #[wire("0+")]
    pub producer_epoch: i16,
    /// The consumer group whose offsets will be committed. Its hash decides the partition of
    /// `__consumer_offsets` that joins the transaction.
    #[wire("0+")]
    pub group_id: Text,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Whether the offsets partition now belongs to the transaction.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-4", flexible = "3+")]
pub struct AddOffsetsToTxnResponse {
    /// Milliseconds for which a quota holds the client back; 0 = no quota was exceeded.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// The one result: the request names one group, so nothing is reported per partition.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
