use crate::{ErrorCode, TaggedFields, Uuid, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-2", flexible = "0+")]
pub struct BrokerHeartbeatRequest {
    #[wire("0+")]
    pub broker_id: i32,
    #[wire("0+", default = -1)]
    pub broker_epoch: i64,
    #[wire("0+")]
    pub current_metadata_offset: i64,
    #[wire("0+")]
    pub want_fence: bool,
    #[wire("0+")]
    pub want_shut_down: bool,
    #[wire("1+", tag = 0)]
    pub offline_log_dirs: Vec<Uuid>,
    #[wire("2+", nullable = "2+", default = null, tag = 1)]
    pub cordoned_log_dirs: Option<Vec<Uuid>>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-2", flexible = "0+")]
pub struct BrokerHeartbeatResponse {
    #[wire("0+")]
    pub throttle_time_ms: i32,
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+")]
    pub is_caught_up: bool,
    #[wire("0+", default = true)]
    pub is_fenced: bool,
    #[wire("0+")]
    pub should_shut_down: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
