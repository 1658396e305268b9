//! DescribeTransactions tells what the transaction coordinator knows of transactional ids (KIP-664). An
//! operator's tool sends it to the coordinator of the ids, found with FindCoordinator; together with
//! DescribeProducers and ListTransactions it serves to find and end hanging transactions.
//!
//! It needs `DESCRIBE` on the transactional id; topics that the caller may not describe are left out of
//! the partitions. Errors are per id: `TRANSACTIONAL_ID_NOT_FOUND`,
//! `TRANSACTIONAL_ID_AUTHORIZATION_FAILED`, `NOT_COORDINATOR`, `COORDINATOR_LOAD_IN_PROGRESS`.
//!
//! Trap: while a transaction is being completed, partitions drop out of `topics` as their markers are
//! written. What remains is what still lacks one.
//!
//! - Only v0 exists, flexible from the start.

use crate::{ErrorCode, TaggedFields, Text, Wire};

/// The transactional ids to describe.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct DescribeTransactionsRequest {
    /// The ids, all with the same coordinator: the one that this goes to. Empty = none, never all.
    #[wire("0+")]
    pub transactional_ids: Vec<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The states of the ids.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct DescribeTransactionsResponse {
    /// How long the broker holds this client back for exceeding a quota, in milliseconds; 0 = not at all.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// One entry for each id of the request.
    #[wire("0+")]
    pub transaction_states: Vec<TransactionState>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A transactional id, and its current or last transaction.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TransactionState {
    /// Why the id is not described, if so; the other fields then mean nothing but `transactional_id`.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// The id, as in the request.
    #[wire("0+")]
    pub transactional_id: Text,
    /// `Empty`, `Ongoing`, `PrepareCommit`, `PrepareAbort`, `CompleteCommit`, `CompleteAbort`,
    /// `PrepareEpochFence` or `Dead`.
    #[wire("0+")]
    pub transaction_state: Text,
    /// How long a transaction may stay open before the coordinator aborts it, as the producer asked.
    #[wire("0+")]
    pub transaction_timeout_ms: i32,
    /// When the transaction began, in milliseconds since 1970; -1 = none has begun.
    #[wire("0+")]
    pub transaction_start_time_ms: i64,
    /// The producer id that the transactional id stands for now.
    #[wire("0+")]
    pub producer_id: i64,
    /// The epoch of that id; a producer with a lower one is fenced.
    #[wire("0+")]
    pub producer_epoch: i16,
    /// The partitions in the transaction, or those still without a marker while it is being completed.
    #[wire("0+")]
    pub topics: Vec<TopicData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TopicData {
    /// The topic's name.
    #[wire("0+")]
    pub topic: Text,
    /// The partition indexes.
    #[wire("0+")]
    pub partitions: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
