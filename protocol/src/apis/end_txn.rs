//! EndTxn commits or aborts a transaction. A transactional producer sends it to its coordinator, which
//! answers once the decision is safe in its log; the markers in the partitions follow after the answer.
//!
//! Until they are written the id is busy: the next call gets `CONCURRENT_TRANSACTIONS`, to be tried again.
//! Repeating a call with the same outcome is harmless, with the other outcome it is `INVALID_TXN_STATE`. A
//! newer producer with the same id makes this one `PRODUCER_FENCED`; `INVALID_PRODUCER_ID_MAPPING` says
//! that the coordinator knows another producer id. `TRANSACTION_ABORTABLE` leaves the producer alive: it
//! has to abort, then it may go on.
//!
//! - v1: same bytes; a throttled client gets its answer at once and waits afterwards.
//! - v2: `PRODUCER_FENCED`, where older versions have `INVALID_PRODUCER_EPOCH` (KIP-588).
//! - v3: flexible encoding.
//! - v4: `TRANSACTION_ABORTABLE` (KIP-890).
//! - v5: transaction version 2: every transaction gets an epoch of its own. The coordinator raises the
//!   epoch and answers with it, and the next transaction must use it; stray writes of the last one are
//!   thereby fenced (KIP-890). Only sent when the cluster's `transaction.version` is 2 or more.

use crate::{ErrorCode, TaggedFields, Text, Wire};

/// The end of a transaction.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-5", flexible = "3+")]
pub struct EndTxnRequest {
    /// The id whose transaction ends; this goes to its coordinator.
    #[wire("0+")]
    pub transactional_id: Text,
    /// The producer id that the coordinator gave out for it.
    #[wire("0+")]
    pub producer_id: i64,
    /// The epoch that the producer works under, checked against the coordinator's.
    #[wire("0+")]
    pub producer_epoch: i16,
    /// True = commit, false = abort.
    #[wire("0+")]
    pub committed: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Whether the decision stands.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-5", flexible = "3+")]
pub struct EndTxnResponse {
    /// How long the broker holds this client back for exceeding a quota, in milliseconds; 0 = not at all.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// Why the transaction does not end, if so.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// The id for the next transaction: a new one when the old one's epochs are used up. -1 = none told.
    #[wire("5+", default = -1, ignorable)]
    pub producer_id: i64,
    /// The epoch for the next transaction; -1 = none told.
    #[wire("5+", default = -1, ignorable)]
    pub producer_epoch: i16,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
