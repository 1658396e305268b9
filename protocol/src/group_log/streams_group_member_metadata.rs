//! A member of a streams group, which is one thread of the application: who it is, and where it runs
//! (KIP-1071).
//!
//! Written when a member joins and whenever it changes what stands here. Which tasks it has is in
//! `StreamsGroupCurrentMemberAssignment`; in a compacted log either may come first, so a reader creates
//! the member on both. The tombstone (the member left or was thrown out) comes after those of its
//! assignment and its target, and removes the member. Members have no subscription of their own: the
//! group's topology is for all.

use crate::{TaggedFields, Text, Wire};

/// Which member of which group.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct StreamsGroupMemberMetadataKey {
    /// The group's id, which is the application's id.
    #[wire("0")]
    pub group_id: Text,
    /// The id that the member chose for itself, by which heartbeats name it.
    #[wire("0")]
    pub member_id: Text,
}

/// What the member said of itself when it joined and since.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct StreamsGroupMemberMetadataValue {
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
    /// How long the member may take to give up tasks, in milliseconds; -1 = not told.
    #[wire("0+", default = -1)]
    pub rebalance_timeout_ms: i32,
    /// The epoch of the topology that the member runs; below the group's, the member is told that it is
    /// stale.
    #[wire("0+")]
    pub topology_epoch: i32,
    /// Which process the member runs in; its threads share state on disk, and one process needs no two
    /// copies.
    #[wire("0+")]
    pub process_id: Text,
    /// Where the application answers interactive queries; null = nowhere.
    #[wire("0+", nullable = "0+", default = null)]
    pub user_endpoint: Option<Endpoint>,
    /// The tags of the client, such as its zone, by which standby tasks are spread; Kafka writes them
    /// sorted.
    #[wire("0+")]
    pub client_tags: Vec<KeyValue>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// An address that the application listens on.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct Endpoint {
    /// A name or an address, as configured.
    #[wire("0+")]
    pub host: Text,
    /// The TCP port.
    #[wire("0+")]
    pub port: u16,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One tag of the client.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct KeyValue {
    /// The tag's name.
    #[wire("0+")]
    pub key: Text,
    /// The tag's value.
    #[wire("0+")]
    pub value: Text,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
