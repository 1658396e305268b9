//! FindCoordinator tells which broker coordinates a group, a transactional id or a share-partition.
//! Clients send it to any broker before their first group or transaction request, and again after
//! `NOT_COORDINATOR` or `COORDINATOR_NOT_AVAILABLE`.
//!
//! A coordinator is the leader of one partition of an internal topic; the key's hash chooses the
//! partition. The first request may have to create that topic, and is answered with
//! `COORDINATOR_NOT_AVAILABLE` until it has a leader.
//!
//! Other errors: `GROUP_AUTHORIZATION_FAILED`, `TRANSACTIONAL_ID_AUTHORIZATION_FAILED`, `INVALID_REQUEST`
//! for an unknown key type. Beside an error the node id and port are -1. From v4 on errors stand beside
//! each key, and nothing at the top.
//!
//! - v0: groups only.
//! - v1: key type (transactions), throttle time, error message (KIP-98).
//! - v2: same bytes; a throttled client gets its answer at once and waits afterwards.
//! - v3: flexible encoding.
//! - v4: many keys of one type in a request (KIP-699).
//! - v5: `TRANSACTION_ABORTABLE` (KIP-890).
//! - v6: share-partitions, asked for by brokers only (KIP-932).

use crate::{ErrorCode, TaggedFields, Text, Wire};

/// What a coordinator is wanted for.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-6", flexible = "3+")]
pub struct FindCoordinatorRequest {
    /// The group or transactional id.
    #[wire("0-3")]
    pub key: Text,
    /// What the keys are: 0 = groups, 1 = transactional ids, 2 = share-partitions.
    #[wire("1+")]
    pub key_type: i8,
    /// The keys; a share-partition is written `group:topic id:partition`.
    #[wire("4+")]
    pub coordinator_keys: Vec<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The coordinators: up to v3 the one of `key`, from v4 on a list.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-6", flexible = "3+")]
pub struct FindCoordinatorResponse {
    /// How long the broker holds this client back for exceeding a quota, in milliseconds; 0 = not at all.
    #[wire("1+", ignorable)]
    pub throttle_time_ms: i32,
    /// Why no coordinator is told, if so.
    #[wire("0-3")]
    pub error_code: ErrorCode,
    /// The failure in words; null when there was none.
    #[wire("1-3", nullable = "1-3", ignorable)]
    pub error_message: Option<Text>,
    /// The coordinating broker; -1 beside an error.
    #[wire("0-3")]
    pub node_id: i32,
    /// The host it advertises on the listener that was asked; empty beside an error.
    #[wire("0-3")]
    pub host: Text,
    /// The port it advertises there; -1 beside an error.
    #[wire("0-3")]
    pub port: i32,
    /// One entry for each key of the request.
    #[wire("4+")]
    pub coordinators: Vec<Coordinator>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The coordinator of one key.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct Coordinator {
    /// The key, as in the request.
    #[wire("4+")]
    pub key: Text,
    /// The coordinating broker; -1 beside an error.
    #[wire("4+")]
    pub node_id: i32,
    /// The host it advertises on the listener that was asked; empty beside an error.
    #[wire("4+")]
    pub host: Text,
    /// The port it advertises there; -1 beside an error.
    #[wire("4+")]
    pub port: i32,
    /// Why no coordinator is told for this key, if so.
    #[wire("4+")]
    pub error_code: ErrorCode,
    /// The failure in words; null when there was none.
    #[wire("4+", nullable = "4+", ignorable)]
    pub error_message: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
