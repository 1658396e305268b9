//! ExpireDelegationToken moves the end of a delegation token, or ends it on the spot (KIP-48). The token's
//! owner or one of its renewers sends it with an admin client; the controller decides.
//!
//! The request names the token by its secret, not by its id: who cannot show the HMAC cannot end the
//! token.
//!
//! Errors: `DELEGATION_TOKEN_NOT_FOUND`, `DELEGATION_TOKEN_EXPIRED`, `DELEGATION_TOKEN_OWNER_MISMATCH` for
//! somebody who is neither owner nor renewer, `DELEGATION_TOKEN_AUTH_DISABLED`, and
//! `DELEGATION_TOKEN_REQUEST_NOT_ALLOWED` on a connection that is not authenticated, or was itself with a
//! token. The throttle time stands at the end of the answer.
//!
//! - v0: dropped by Kafka 4.0; v1 has the same bytes, but a throttled client gets its answer at once and
//!   waits afterwards.
//! - v2: flexible encoding.

use crate::{Bytes, ErrorCode, TaggedFields, Wire};

/// A token and its new end.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-2", flexible = "2+")]
pub struct ExpireDelegationTokenRequest {
    /// The token's secret, which is how it is found.
    #[wire("0+")]
    pub hmac: Bytes,
    /// How long the token shall live on from now, in milliseconds, never past its maximum; negative = end
    /// it at once.
    #[wire("0+")]
    pub expiry_time_period_ms: i64,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// When the token ends.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-2", flexible = "2+")]
pub struct ExpireDelegationTokenResponse {
    /// Why the token's end was not moved, if so.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// The new end, in milliseconds since 1970.
    #[wire("0+")]
    pub expiry_timestamp_ms: i64,
    /// How long the broker holds this client back for exceeding a quota, in milliseconds; 0 = not at all.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
