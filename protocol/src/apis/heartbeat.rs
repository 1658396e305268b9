//! Heartbeat keeps a member of a classic group alive, and is how it hears of a rebalance. Consumers (and
//! Connect workers) send it to their group's coordinator, a few times per session timeout; a member not
//! heard of for that long is removed. Members of the newer protocols send ConsumerGroupHeartbeat and its
//! like instead.
//!
//! The error is the message. `REBALANCE_IN_PROGRESS`: still a member, but join again before the rebalance
//! timeout ends. `ILLEGAL_GENERATION` and `UNKNOWN_MEMBER_ID`: the group went on without you, give up the
//! partitions and join anew. `FENCED_INSTANCE_ID`: another client took over the static member; this one
//! must stop. `NOT_COORDINATOR` or `COORDINATOR_NOT_AVAILABLE`: find the coordinator again.
//!
//! Trap: while Kafka's coordinator is still loading the group it says yes to every heartbeat, so that
//! nobody leaves because of a failover.
//!
//! - v1: throttle time. v2: same bytes; a throttled client gets its answer at once and waits afterwards.
//! - v3: `group_instance_id` of static members (KIP-345).
//! - v4: flexible encoding.

use crate::{ErrorCode, TaggedFields, Text, Wire};

/// A sign of life.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-4", flexible = "4+")]
pub struct HeartbeatRequest {
    /// The group that the sender is a member of.
    #[wire("0+")]
    pub group_id: Text,
    /// The generation that the member joined, from the JoinGroup answer; each rebalance makes a new one.
    #[wire("0+")]
    pub generation_id: i32,
    /// The id that the coordinator gave the member.
    #[wire("0+")]
    pub member_id: Text,
    /// The configured id of a static member; null = a dynamic one.
    #[wire("3+", nullable = "3+", default = null)]
    pub group_instance_id: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Whether the membership stands.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-4", flexible = "4+")]
pub struct HeartbeatResponse {
    /// How long the broker holds this client back for exceeding a quota, in milliseconds; 0 = not at all.
    #[wire("1+", ignorable)]
    pub throttle_time_ms: i32,
    /// None while all is well; otherwise what the member has to do next.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
