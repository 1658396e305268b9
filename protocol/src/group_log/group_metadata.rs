//! A group of the classic protocol (JoinGroup and SyncGroup) as a whole: one record holds all its
//! members.
//!
//! Written when a generation has its assignment (the leader's SyncGroup), when a group begins or has
//! become empty, when a static member returns under a new member id, and when a consumer group goes back
//! to the classic protocol. A tombstone: the empty group was deleted or lost its last offset, or it
//! became a consumer group. A rebalance under way is not in the log. A reader takes a group with members
//! for stable and starts all their session timers; if a rebalance was under way, the members will join
//! again.
//!
//! - v1: adds `rebalance_timeout` (KIP-62).
//! - v2: adds `current_state_timestamp`, from which the offsets of an empty group expire (KIP-211).
//! - v3: adds `group_instance_id` (KIP-345).
//! - v4: flexible, and nothing else; makes room for tagged fields (KIP-915).

use crate::{Bytes, TaggedFields, Text, Wire};

/// Which group.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct GroupMetadataKey {
    /// The group's id.
    #[wire("0", name = "group")]
    pub group: Text,
}

/// The last generation of the group that was complete, or empty.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-4", flexible = "4+")]
pub struct GroupMetadataValue {
    /// What the members are, such as `consumer` or `connect`; empty where no member has joined yet.
    #[wire("0+", name = "protocolType")]
    pub protocol_type: Text,
    /// The number of the generation, one more with each rebalance; 0 before the first.
    #[wire("0+", name = "generation")]
    pub generation: i32,
    /// The protocol that all members share, for consumers an assignor such as `range`; null without
    /// members.
    #[wire("0+", nullable = "0+", name = "protocol")]
    pub protocol: Option<Text>,
    /// The member id of the one that computes assignments; null without members.
    #[wire("0+", nullable = "0+", name = "leader")]
    pub leader: Option<Text>,
    /// From v2: when the group entered its state, in milliseconds since 1970; -1 = not known.
    #[wire("2+", default = -1, ignorable, name = "currentStateTimestamp")]
    pub current_state_timestamp: i64,
    /// All members; empty = an empty group, which exists for its offsets.
    #[wire("0+", name = "members")]
    pub members: Vec<MemberMetadata>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A member, with what it asked for and what it got in this generation.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct MemberMetadata {
    /// The member's id, by which its requests name it; made by the coordinator as a rule.
    #[wire("0+", name = "memberId")]
    pub member_id: Text,
    /// From v3: the configured name of a static member; null = a dynamic one.
    #[wire("3+", nullable = "3+", default = null, ignorable, name = "groupInstanceId")]
    pub group_instance_id: Option<Text>,
    /// The `client.id` of the member; the name for people and quotas.
    #[wire("0+", name = "clientId")]
    pub client_id: Text,
    /// The address that the member joined from, as text; Kafka puts a slash before it.
    #[wire("0+", name = "clientHost")]
    pub client_host: Text,
    /// From v1: how long a rebalance waits for the member, in milliseconds; -1 = as long as
    /// `session_timeout`.
    #[wire("1+", default = -1, ignorable, name = "rebalanceTimeout")]
    pub rebalance_timeout: i32,
    /// How long the member may be silent before it is thrown out, in milliseconds.
    #[wire("0+", name = "sessionTimeout")]
    pub session_timeout: i32,
    /// The member's own data for the chosen protocol; for consumers an embedded subscription. Opaque to
    /// the coordinator.
    #[wire("0+", name = "subscription")]
    pub subscription: Bytes,
    /// What the leader gave to the member; for consumers an embedded assignment. Opaque to the
    /// coordinator.
    #[wire("0+", name = "assignment")]
    pub assignment: Bytes,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
