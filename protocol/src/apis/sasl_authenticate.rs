//! Carries one step of a SASL exchange.
//!
//! A client sends it after SaslHandshake v1, as often as the mechanism needs, and nothing else
//! until the exchange is over. What the bytes mean is the mechanism's affair (PLAIN, SCRAM,
//! OAUTHBEARER, GSSAPI). After a handshake of v0 it is not used: there the bare bytes follow, each
//! message behind its four-byte length.
//!
//! What an implementer must know:
//! - SASL_AUTHENTICATION_FAILED comes with a message and then the connection is closed;
//!   brokers delay both a little, so that guessing stays slow. The message must not say what
//!   was wrong with the credentials.
//! - ILLEGAL_SASL_STATE: not expected now, such as before the handshake.
//! - A session with a lifetime must be renewed on the same connection, by handshake and steps
//!   as at first, and with the same principal; once it is over, the broker closes the
//!   connection at the next request.
//! - Neither the bytes nor their text belong in a log.
//!
//! What changed between versions:
//! - v0: the first (KIP-152). v1: how long the session lasts (KIP-368). v2: flexible.

use crate::{Bytes, ErrorCode, TaggedFields, Text, Wire};

/// One step of the client's.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-2", flexible = "2+")]
pub struct SaslAuthenticateRequest {
    /// The mechanism's message; may be empty where the mechanism says so.
    #[wire("0+")]
    pub auth_bytes: Bytes,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One step of the server's.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-2", flexible = "2+")]
pub struct SaslAuthenticateResponse {
    /// NONE = go on, or done: the mechanism knows which.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// Why it failed, for people to read, without any detail of use to an attacker; null = it did not.
    #[wire("0+", nullable = "0+")]
    pub error_message: Option<Text>,
    /// The mechanism's message; empty when it has nothing more to say.
    #[wire("0+")]
    pub auth_bytes: Bytes,
    /// How long the session is good for, in milliseconds, set on the last step; 0 = without end.
    #[wire("1+", ignorable)]
    pub session_lifetime_ms: i64,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
