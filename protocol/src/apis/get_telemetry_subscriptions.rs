use crate::{ErrorCode, TaggedFields, Text, Uuid, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct GetTelemetrySubscriptionsRequest {
    #[wire("0+")]
    pub client_instance_id: Uuid,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct GetTelemetrySubscriptionsResponse {
    #[wire("0+")]
    pub throttle_time_ms: i32,
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+")]
    pub client_instance_id: Uuid,
    #[wire("0+")]
    pub subscription_id: i32,
    #[wire("0+")]
    pub accepted_compression_types: Vec<i8>,
    #[wire("0+")]
    pub push_interval_ms: i32,
    #[wire("0+")]
    pub telemetry_max_bytes: i32,
    #[wire("0+")]
    pub delta_temporality: bool,
    #[wire("0+")]
    pub requested_metrics: Vec<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
