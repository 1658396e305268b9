//! GetTelemetrySubscriptions asks which of its own metrics a client should push to the cluster, and how
//! often (KIP-714). Clients send it to a broker soon after start, then push with PushTelemetry, and ask
//! again when a push is answered `UNKNOWN_SUBSCRIPTION_ID` because the subscriptions have changed.
//!
//! What is collected is an operator's choice, made as configurations of type client metrics. A broker
//! without a plug-in that takes in metrics does not offer the API at all, and clients then stay silent.
//!
//! Asking before the push interval is over is answered with `THROTTLING_QUOTA_EXCEEDED`, unless something
//! has changed.
//!
//! - Only v0 exists, flexible from the start.

use crate::{ErrorCode, TaggedFields, Text, Uuid, Wire};

/// A client that offers metrics.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct GetTelemetrySubscriptionsRequest {
    /// The id that this client was given; zero = it has none yet.
    #[wire("0+")]
    pub client_instance_id: Uuid,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// What to push.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct GetTelemetrySubscriptionsResponse {
    /// How long the broker holds this client back for exceeding a quota, in milliseconds; 0 = not at all.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// Why nothing is told, if so.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// The id for a client that had none, to be used until it ends; zero = go on with the one you have.
    #[wire("0+")]
    pub client_instance_id: Uuid,
    /// A number for this set of subscriptions, to be repeated in each push so that changes are noticed.
    #[wire("0+")]
    pub subscription_id: i32,
    /// The codecs that pushes may use, the preferred first: 1 = gzip, 2 = snappy, 3 = lz4, 4 = zstd; 0,
    /// none, always may.
    #[wire("0+")]
    pub accepted_compression_types: Vec<i8>,
    /// The time between two pushes, in milliseconds.
    #[wire("0+")]
    pub push_interval_ms: i32,
    /// The largest push that the broker takes, in bytes as sent; more is `TELEMETRY_TOO_LARGE`.
    #[wire("0+")]
    pub telemetry_max_bytes: i32,
    /// How to report counters: true = what was added since the last push, false = the total since the
    /// start.
    #[wire("0+")]
    pub delta_temporality: bool,
    /// Prefixes of the metrics' names; empty = none are wanted. All are wanted when the one prefix is
    /// empty, or `*`, as Kafka's brokers write it.
    #[wire("0+")]
    pub requested_metrics: Vec<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
