//! Lets a delegation token live longer (KIP-48).
//!
//! The owner of a token, or one of the renewers that CreateDelegationToken named, sends it to any broker,
//! which hands it to the controller. A token can be renewed again and again, and never beyond the maximum
//! lifetime that it got when it was made.
//!
//! What an implementer must know:
//! - DELEGATION_TOKEN_OWNER_MISMATCH: the caller is neither owner nor renewer.
//!   DELEGATION_TOKEN_NOT_FOUND: no token has this HMAC. DELEGATION_TOKEN_EXPIRED: too
//!   late, a new one is needed.
//! - DELEGATION_TOKEN_REQUEST_NOT_ALLOWED: the connection proves nobody's identity, or was itself opened
//!   with a token. DELEGATION_TOKEN_AUTH_DISABLED: the cluster has no secret for tokens.
//! - The HMAC is the token's password: never to be logged.
//! - The error code stands first in this answer and the throttle time last.
//!
//! What changed between versions:
//! - v0 was removed in Kafka 4.0. v1: throttled answers come at once, the client does
//!   the waiting. v2: flexible.

use crate::{Bytes, ErrorCode, TaggedFields, Wire};

/// Names the token and how long it is to live.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-2", flexible = "2+")]
pub struct RenewDelegationTokenRequest {
    /// The token's HMAC as raw bytes, which both names the token and proves its possession.
    #[wire("0+")]
    pub hmac: Bytes,
    /// How long to live from now on, in milliseconds; 0 or below = the configured
    /// period, which also caps it.
    #[wire("0+")]
    pub renew_period_ms: i64,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Until when the token lives.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-2", flexible = "2+")]
pub struct RenewDelegationTokenResponse {
    /// NONE = renewed.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// When the token expires, in milliseconds since 1970; never beyond its maximum lifetime.
    #[wire("0+")]
    pub expiry_timestamp_ms: i64,
    /// How long the client is to send nothing, for it exceeded a quota, in milliseconds; 0 = no limit.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
