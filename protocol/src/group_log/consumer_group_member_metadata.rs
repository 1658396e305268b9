//! A member of a consumer group: who it is, and what it subscribes to (KIP-848).
//!
//! Written when a member joins and whenever it changes what stands here. What it owns is in
//! `ConsumerGroupCurrentMemberAssignment`; in a compacted log either may come first, so a reader creates
//! the member on both. The tombstone (the member left, was thrown out, or a static member returned under
//! another id) comes after those of its assignment and its target, and removes the member.
//!
//! `classic_member_metadata` is a tagged field: members that speak the classic protocol live in the same
//! group while it moves from one protocol to the other.

use crate::{Bytes, TaggedFields, Text, Wire};

/// Which member of which group.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct ConsumerGroupMemberMetadataKey {
    /// The group's id.
    #[wire("0")]
    pub group_id: Text,
    /// The member's id, by which heartbeats name it.
    #[wire("0")]
    pub member_id: Text,
}

/// What the member said of itself when it joined and since.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct ConsumerGroupMemberMetadataValue {
    /// The configured name of a static member; null = a dynamic one.
    #[wire("0+", nullable = "0+")]
    pub instance_id: Option<Text>,
    /// The failure zone in which the member stands; null = not told.
    #[wire("0+", nullable = "0+")]
    pub rack_id: Option<Text>,
    /// The `client.id` of the member; the name for people and quotas.
    #[wire("0+")]
    pub client_id: Text,
    /// The address that the member speaks from, as text; Kafka puts a slash before it.
    #[wire("0+")]
    pub client_host: Text,
    /// The topics subscribed to by name, which need not exist; Kafka writes them sorted.
    #[wire("0+")]
    pub subscribed_topic_names: Vec<Text>,
    /// The pattern subscribed with, in the syntax of RE2; null or empty = none.
    #[wire("0+", nullable = "0+")]
    pub subscribed_topic_regex: Option<Text>,
    /// How long the member may take to give up partitions, in milliseconds; -1 = not told.
    #[wire("0+", default = -1)]
    pub rebalance_timeout_ms: i32,
    /// The assignor that the member would like; null = no wish.
    #[wire("0+", nullable = "0+")]
    pub server_assignor: Option<Text>,
    /// What only members of the classic protocol have; null = the member sends ConsumerGroupHeartbeat.
    /// Left out, it reads as empty, not as null: null is written out.
    #[wire("0+", nullable = "0+", tag = 0)]
    pub classic_member_metadata: Option<ClassicMemberMetadata>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// What a member that joined with JoinGroup said there.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ClassicMemberMetadata {
    /// How long the member may be silent before it is thrown out, in milliseconds.
    #[wire("0+")]
    pub session_timeout_ms: i32,
    /// The assignors that the member knows, as it listed them. Needed if the group goes back to classic.
    #[wire("0+")]
    pub supported_protocols: Vec<ClassicProtocol>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One assignor, with the subscription made for it.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ClassicProtocol {
    /// The assignor's name, such as `range`.
    #[wire("0+")]
    pub name: Text,
    /// The embedded subscription of the consumer protocol, as the member sent it.
    #[wire("0+")]
    pub metadata: Bytes,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
