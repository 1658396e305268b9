use crate::{Bytes, ErrorCode, TaggedFields, Uuid, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct PushTelemetryRequest {
    #[wire("0+")]
    pub client_instance_id: Uuid,
    #[wire("0+")]
    pub subscription_id: i32,
    #[wire("0+")]
    pub terminating: bool,
    #[wire("0+")]
    pub compression_type: i8,
    #[wire("0+")]
    pub metrics: Bytes,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct PushTelemetryResponse {
    #[wire("0+")]
    pub throttle_time_ms: i32,
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
