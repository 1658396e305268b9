//! The records of `__transaction_state`: where each transactional producer stands.

use crate::coordinator_log::coordinator_log;
use crate::{TaggedFields, Text, Wire};

coordinator_log! {
    /// What a record of `__transaction_state` is about.
    TransactionLogRecordKey,
    /// What a record of `__transaction_state` says about it.
    TransactionLogRecordValue:
    Transaction = 0 => {TransactionLogKey, TransactionLogValue},
}

/// Which transactional producer.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct TransactionLogKey {
    /// The id that the producer was configured with.
    #[wire("0")]
    pub transactional_id: Text,
}

/// Where the producer and its transaction stand. Version 1 added the tagged fields of KIP-890, in which each
/// end of a transaction bumps the epoch.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "1+")]
pub struct TransactionLogValue {
    /// The producer id in use.
    #[wire("0+")]
    pub producer_id: i64,
    /// The producer id of the transaction before, -1 where it was the same one.
    #[wire("1+", default = -1, tag = 0)]
    pub previous_producer_id: i64,
    /// The producer id that follows when the epochs of this one are used up, -1 while they last.
    #[wire("1+", default = -1, tag = 1)]
    pub next_producer_id: i64,
    /// The epoch in use.
    #[wire("0+")]
    pub producer_epoch: i16,
    /// The epoch that goes with the next producer id, -1 where there is none.
    #[wire("1+", default = -1, tag = 3)]
    pub next_producer_epoch: i16,
    /// How long a transaction may stay open before the coordinator aborts it.
    #[wire("0+")]
    pub transaction_timeout_ms: i32,
    /// The state: 0 empty, 1 ongoing, 2 prepared to commit, 3 prepared to abort, 4 committed, 5 aborted, 6 dead,
    /// 7 prepared to fence by an epoch.
    #[wire("0+")]
    pub transaction_status: i8,
    /// The partitions that the open transaction wrote to; null where none is open.
    #[wire("0+", nullable = "0+")]
    pub transaction_partitions: Option<Vec<PartitionsSchema>>,
    /// When this state was reached.
    #[wire("0+")]
    pub transaction_last_update_timestamp_ms: i64,
    /// When the open transaction began, -1 where none is open.
    #[wire("0+")]
    pub transaction_start_timestamp_ms: i64,
    /// The version of the transaction protocol that the client spoke: 0, 1 or 2.
    #[wire("1+", tag = 2)]
    pub client_transaction_version: i16,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic that a transaction wrote to.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct PartitionsSchema {
    /// The topic.
    #[wire("0+")]
    pub topic: Text,
    /// The partitions.
    #[wire("0+")]
    pub partition_ids: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
