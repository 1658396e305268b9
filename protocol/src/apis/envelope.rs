//! Envelope carries a client's request from a broker to the active controller. Clients of a KRaft cluster
//! talk to brokers only; what a broker cannot decide itself, such as CreateTopics, it wraps up together
//! with who asked and from where, and unwraps the answer for the client (KIP-590). It needs
//! `CLUSTER_ACTION`, and the controller checks the client's own rights, not the broker's.
//!
//! There are two kinds of failure. What the controller says about the request is inside `response_data`.
//! The envelope's own error code speaks of the carrying: `NOT_CONTROLLER` (look for the controller and try
//! again), `CLUSTER_AUTHORIZATION_FAILED`, `PRINCIPAL_DESERIALIZATION_FAILURE`, `UNSUPPORTED_VERSION` when
//! the inner request cannot be read, `INVALID_REQUEST` for a bad address or an API that is not to be
//! forwarded.
//!
//! - Only v0 exists, flexible from the start.

use crate::{Bytes, ErrorCode, TaggedFields, Wire};

/// A request inside a request.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct EnvelopeRequest {
    /// The inner request: header and body as the client would send them, without the length in front.
    #[wire("0+")]
    pub request_data: Bytes,
    /// The authenticated client, in the form that the cluster's principal builder serialises to; null =
    /// none.
    #[wire("0+", nullable = "0+")]
    pub request_principal: Option<Bytes>,
    /// The client's address: 4 bytes for IPv4 or 16 for IPv6, in network order.
    #[wire("0+")]
    pub client_host_address: Bytes,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A response inside a response.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct EnvelopeResponse {
    /// The inner response: header and body in the versions that the inner request calls for; null beside
    /// an error.
    #[wire("0+", nullable = "0+", default = null)]
    pub response_data: Option<Bytes>,
    /// Why the inner request was not handled, if so.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
