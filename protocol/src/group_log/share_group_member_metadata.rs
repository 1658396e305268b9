//! A member of a share group: who it is, and what it subscribes to (KIP-932).
//!
//! Written when a member joins and whenever it changes what stands here. What it reads from is in
//! `ShareGroupCurrentMemberAssignment`; in a compacted log either may come first, so a reader creates the
//! member on both. The tombstone (the member left or was thrown out) comes after those of its assignment
//! and its target, and removes the member. There are no static members and no patterns in share groups.

use crate::{TaggedFields, Text, Wire};

/// Which member of which group.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct ShareGroupMemberMetadataKey {
    /// The group's id.
    #[wire("0")]
    pub group_id: Text,
    /// The id that the member chose for itself, by which heartbeats name it.
    #[wire("0")]
    pub member_id: Text,
}

/// What the member said of itself when it joined and since.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct ShareGroupMemberMetadataValue {
    /// The failure zone in which the member stands; null = not told.
    #[wire("0+", nullable = "0+")]
    pub rack_id: Option<Text>,
    /// The `client.id` of the member; the name for people and quotas.
    #[wire("0+")]
    pub client_id: Text,
    /// The address that the member speaks from, as text; Kafka puts a slash before it.
    #[wire("0+")]
    pub client_host: Text,
    /// The topics subscribed to, which need not exist; Kafka writes them sorted.
    #[wire("0+")]
    pub subscribed_topic_names: Vec<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
