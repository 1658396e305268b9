//! BrokerHeartbeat: a registered broker shows the controller that it lives, and asks to change its state
//! (KIP-631).
//!
//! A broker sends it to the active controller from registration until it ends, every 2 seconds by
//! default. If none arrives for the session timeout (9 seconds by default), the controller fences the
//! broker: it leads nothing, leaves the in-sync sets that have another member, and clients no longer see
//! it. A new broker starts fenced; once it has replayed the metadata up to its own registration it sends
//! `want_fence` = false and the controller unfences it. To stop in an orderly way it sends
//! `want_shut_down` and goes on with heartbeats until `should_shut_down` comes back, while the controller
//! moves its leaderships away.
//!
//! `STALE_BROKER_EPOCH` says that the epoch is not that of the current registration. With
//! `NOT_CONTROLLER` the broker has to find the active controller first.
//!
//! - v1: adds `offline_log_dirs`, so that the loss of one disk costs just its partitions (KIP-858).
//! - v2: adds `cordoned_log_dirs`: directories that shall get no new replicas (KIP-1066).

use crate::{ErrorCode, TaggedFields, Uuid, Wire};

/// A broker's sign of life, with the state that it wishes for.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-2", flexible = "0+")]
pub struct BrokerHeartbeatRequest {
    /// The broker's node id.
    #[wire("0+")]
    pub broker_id: i32,
    /// The epoch that BrokerRegistration gave it; -1 = none, and therefore refused.
    #[wire("0+", default = -1)]
    pub broker_epoch: i64,
    /// Up to where the broker has applied the metadata log. The controller holds it against the offset of
    /// the broker's own registration.
    #[wire("0+")]
    pub current_metadata_offset: i64,
    /// True = keep me, or make me, fenced; false = unfence me as soon as I have caught up.
    #[wire("0+")]
    pub want_fence: bool,
    /// True = I want to stop; move my leaderships elsewhere.
    #[wire("0+")]
    pub want_shut_down: bool,
    /// From v1: ids of the directories that have failed. The controller elects other leaders for the
    /// replicas in them. Tagged, and left out when empty.
    #[wire("1+", tag = 0)]
    pub offline_log_dirs: Vec<Uuid>,
    /// From v2: ids of the directories closed for new replicas; existing ones stay. Null = not known yet,
    /// as early in the broker's start. Tagged.
    #[wire("2+", nullable = "2+", default = null, tag = 1)]
    pub cordoned_log_dirs: Option<Vec<Uuid>>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The state in which the controller holds the broker.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-2", flexible = "0+")]
pub struct BrokerHeartbeatResponse {
    /// Milliseconds for which a quota holds the broker back; 0 = no quota was exceeded.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// `NONE`, or why the heartbeat did not count.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// True = the broker's metadata reaches at least to its own registration.
    #[wire("0+")]
    pub is_caught_up: bool,
    /// True = the controller gives the broker no leadership and hides it from clients; the safe
    /// assumption, hence the default.
    #[wire("0+", default = true)]
    pub is_fenced: bool,
    /// True = nothing is left to hand over; the broker may stop now.
    #[wire("0+")]
    pub should_shut_down: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
