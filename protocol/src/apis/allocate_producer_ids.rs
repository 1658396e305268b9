//! AllocateProducerIds: a broker fetches a block of producer ids from the active controller (KIP-730).
//!
//! Producer ids must be unique in the cluster for ever, yet InitProducerId must be fast. So each broker
//! takes a block (Kafka's holds 1000 ids), hands the ids out one by one, and asks for the next block
//! before the old one is used up. The controller must have recorded the end of the block durably before
//! it answers. Ids of a block that a broker loses in a crash are never handed out again; there are 2^63
//! of them.
//!
//! It is a request between nodes of the cluster and takes cluster rights. `STALE_BROKER_EPOCH` tells a
//! broker that it has been registered anew (or not at all) since the epoch that it names.
//!
//! - v0: the only version, flexible.

use crate::{ErrorCode, TaggedFields, Wire};

/// Asks for the next block of producer ids.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct AllocateProducerIdsRequest {
    /// The node id of the broker that asks.
    #[wire("0+")]
    pub broker_id: i32,
    /// The epoch of its current registration, from BrokerRegistration; -1 = not known, and therefore
    /// refused.
    #[wire("0+", default = -1)]
    pub broker_epoch: i64,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A block of ids that belongs to this broker alone.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct AllocateProducerIdsResponse {
    /// Milliseconds for which a quota holds the broker back; 0 = no quota was exceeded.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// `NONE`, or why there is no block; the other fields mean nothing then.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// The first id of the block.
    #[wire("0+")]
    pub producer_id_start: i64,
    /// How many consecutive ids the block holds, counted from `producer_id_start`.
    #[wire("0+")]
    pub producer_id_len: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
