//! Brings a client's own metrics to a broker (KIP-714).
//!
//! A client that learned by GetTelemetrySubscriptions which metrics the operator wants sends them
//! at the interval it was told, to the broker from which it had the subscription, or another one.
//! The broker hands them to whatever reporter it is configured with. A broker without one should
//! not advertise the two APIs.
//!
//! What an implementer must know:
//! - UNKNOWN_SUBSCRIPTION_ID: the operator changed the subscription; the client asks for it anew.
//! - THROTTLING_QUOTA_EXCEEDED: pushed before the interval was over, which only the last push may do.
//! - TELEMETRY_TOO_LARGE, UNSUPPORTED_COMPRESSION_TYPE and INVALID_RECORD (not OpenTelemetry data)
//!   concern the payload; INVALID_REQUEST a zero instance id, or a push after the last one.
//! - The payload is compressed data from outside: decompress it through a cap.
//!
//! What changed between versions:
//! - v0: the only version, flexible.

use crate::{Bytes, ErrorCode, TaggedFields, Uuid, Wire};

/// One push of metrics.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct PushTelemetryRequest {
    /// The client's id for its whole life, as the broker gave it; never zero.
    #[wire("0+")]
    pub client_instance_id: Uuid,
    /// Which subscription the metrics answer to, as the broker gave it.
    #[wire("0+")]
    pub subscription_id: i32,
    /// Whether the client is about to close and this is its last push.
    #[wire("0+")]
    pub terminating: bool,
    /// How `metrics` is compressed: 0 = not, 1 = gzip, 2 = snappy, 3 = lz4, 4 = zstd.
    #[wire("0+")]
    pub compression_type: i8,
    /// The metrics as protobuf, message `MetricsData` of OpenTelemetry v1; empty = nothing to report.
    #[wire("0+")]
    pub metrics: Bytes,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Whether the push was taken.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct PushTelemetryResponse {
    /// How long the client is to send nothing, for it exceeded a quota, in milliseconds; 0 = no limit.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// NONE = handed to the broker's reporter.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
