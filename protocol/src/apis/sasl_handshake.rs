//! Chooses the SASL mechanism of a connection.
//!
//! A client sends it on a SASL listener before anything else but ApiVersions, and again when it renews
//! its session on a live connection. The version decides how the exchange goes on: after v1 in
//! SaslAuthenticate requests, after v0 in bare bytes behind a four-byte length, without any Kafka header.
//!
//! What an implementer must know:
//! - UNSUPPORTED_SASL_MECHANISM lists the mechanisms that would do, and the connection is closed.
//! - ILLEGAL_SASL_STATE: asked in the middle of an exchange, or on a listener without SASL.
//! - The version cannot rise without harm: clients up to 2.4 ask for whatever version the broker says is
//!   its latest (KAFKA-9577). So it never became flexible.
//!
//! What changed between versions:
//! - v0: the first (KIP-43). v1: the same bytes, and SaslAuthenticate follows (KIP-152).

use crate::{ErrorCode, Text, Wire};

/// Names a mechanism.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "none")]
pub struct SaslHandshakeRequest {
    /// The mechanism, by its SASL name, such as `PLAIN` or `SCRAM-SHA-512`.
    #[wire("0+")]
    pub mechanism: Text,
}

/// Whether the exchange may start.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "none")]
pub struct SaslHandshakeResponse {
    /// NONE = the client begins the exchange.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// What is enabled on this listener; sent with success and error alike.
    #[wire("0+")]
    pub mechanisms: Vec<Text>,
}
