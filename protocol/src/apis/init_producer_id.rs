//! InitProducerId gives a producer its id and epoch, without which it can neither be idempotent nor
//! transactional. As Java producers are idempotent by default, nearly every producer starts with it.
//! Without a transactional id any broker answers, with a fresh id and epoch 0.
//!
//! With one, it goes to the transaction coordinator, which raises the epoch: older producers with that id
//! are fenced from then on. A transaction that they left open is aborted first; meanwhile the answer is
//! `CONCURRENT_TRANSACTIONS`, to be tried again.
//!
//! Other errors: `INVALID_TRANSACTION_TIMEOUT` above the broker's maximum, `INVALID_REQUEST` for an empty
//! transactional id, `TRANSACTIONAL_ID_AUTHORIZATION_FAILED`, `CLUSTER_AUTHORIZATION_FAILED`,
//! `NOT_COORDINATOR`, `COORDINATOR_LOAD_IN_PROGRESS`.
//!
//! - v1: same bytes; a throttled client gets its answer at once and waits afterwards.
//! - v2: flexible encoding.
//! - v3: a producer may tell what it has and go on with a raised epoch (KIP-360).
//! - v4: `PRODUCER_FENCED`, where older versions have `INVALID_PRODUCER_EPOCH` (KIP-588).
//! - v5: `TRANSACTION_ABORTABLE` (KIP-890).
//! - v6: two-phase commit (KIP-939); not stable yet, so nobody may offer it.

use crate::{ErrorCode, TaggedFields, Text, Wire};

/// A producer that wants an id.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-6", flexible = "2+", unstable)]
pub struct InitProducerIdRequest {
    /// The name that outlives the producer's restarts; null = idempotent only.
    #[wire("0+", nullable = "0+")]
    pub transactional_id: Option<Text>,
    /// How long a transaction may stay open before the coordinator aborts it, in milliseconds; without
    /// transactional id it means nothing.
    #[wire("0+")]
    pub transaction_timeout_ms: i32,
    /// The id that the producer has already and wants a higher epoch of; -1 = none.
    #[wire("3+", default = -1)]
    pub producer_id: i64,
    /// The epoch that goes with `producer_id`; -1 exactly when that is -1.
    #[wire("3+", default = -1)]
    pub producer_epoch: i16,
    /// Whether an outside coordinator decides on the transactions, which then never time out.
    #[wire("6+")]
    pub enable2_pc: bool,
    /// Whether to leave a transaction open that was prepared before a restart, rather than abort it.
    #[wire("6+")]
    pub keep_prepared_txn: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The producer's identity.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-6", flexible = "2+")]
pub struct InitProducerIdResponse {
    /// How long the broker holds this client back for exceeding a quota, in milliseconds; 0 = not at all.
    #[wire("0+", ignorable)]
    pub throttle_time_ms: i32,
    /// Why there is no id, if so.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// The id to put into every batch; -1 beside an error.
    #[wire("0+", default = -1)]
    pub producer_id: i64,
    /// The epoch to put beside it. When the epochs of an id are used up, a new id begins at 0.
    #[wire("0+")]
    pub producer_epoch: i16,
    /// The producer id of the transaction that was kept open; -1 = there is none.
    #[wire("6+", default = -1)]
    pub ongoing_txn_producer_id: i64,
    /// The epoch of the transaction that was kept open; -1 = there is none.
    #[wire("6+", default = -1)]
    pub ongoing_txn_producer_epoch: i16,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
