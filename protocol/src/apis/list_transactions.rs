//! Lists the transactional ids that a broker coordinates, with the state of each.
//!
//! Admin tools (`kafka-transactions.sh`) use it to find transactions that hang. A broker answers only for
//! the partitions of `__transaction_state` that it leads, so a tool asks every broker and joins the
//! answers. The filters narrow each other: an id is listed only if it passes all of them. Ids that the
//! caller may not DESCRIBE are left out silently.
//!
//! What an implementer must know:
//! - A state that the broker does not know is no error: it comes back in `unknown_state_filters`.
//! - An id stays listed after its transaction ended (`CompleteCommit`,
//!   `CompleteAbort`), until it expires.
//! - COORDINATOR_LOAD_IN_PROGRESS: some of the broker's partitions are still being read; ask again, for
//!   the list would have holes.
//!
//! What changed between versions:
//! - v0: the first (KIP-664), flexible.
//! - v1: a filter by how long the transaction has been open (KIP-994).
//! - v2: a filter by a pattern of transactional ids; a bad one is INVALID_REGULAR_EXPRESSION (KIP-1152).

use crate::{ErrorCode, TaggedFields, Text, Wire};

/// Asks one broker which transactions it coordinates.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-2", flexible = "0+")]
pub struct ListTransactionsRequest {
    /// Names of states to list, such as `Ongoing` or `PrepareCommit`; empty = every state.
    #[wire("0+")]
    pub state_filters: Vec<Text>,
    /// Producer ids to list; empty = every one.
    #[wire("0+")]
    pub producer_id_filters: Vec<i64>,
    /// Lists only transactions open for longer than this, in milliseconds; below 0 = whatever their age.
    #[wire("1+", default = -1)]
    pub duration_filter: i64,
    /// A regular expression that ids must match; null or empty = any id.
    #[wire("2+", nullable = "2+", default = null)]
    pub transactional_id_pattern: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The transactions of one broker that passed the filters.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-2", flexible = "0+")]
pub struct ListTransactionsResponse {
    /// How long the client is to send nothing, for it exceeded a quota, in milliseconds; 0 = no limit.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// Why nothing could be listed: COORDINATOR_LOAD_IN_PROGRESS,
    /// INVALID_REGULAR_EXPRESSION and the like.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// The names in `state_filters` that are no state; the other filters were applied all the same.
    #[wire("0+")]
    pub unknown_state_filters: Vec<Text>,
    /// One entry per transactional id, in no promised order.
    #[wire("0+")]
    pub transaction_states: Vec<TransactionState>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One transactional id and where it stands.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TransactionState {
    /// The id that the application chose for its producer.
    #[wire("0+")]
    pub transactional_id: Text,
    /// The producer id that stands behind the transactional id at present.
    #[wire("0+")]
    pub producer_id: i64,
    /// `Empty`, `Ongoing`, `PrepareCommit`, `PrepareAbort`, `CompleteCommit`,
    /// `CompleteAbort` or `PrepareEpochFence`.
    #[wire("0+")]
    pub transaction_state: Text,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
