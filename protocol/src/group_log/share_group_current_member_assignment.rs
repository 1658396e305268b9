//! What one member of a share group reads from now, and in which epoch (KIP-932).
//!
//! Written when a heartbeat changes the member's epoch or its part. Since members share partitions,
//! nobody waits for another: a member takes its new part at once, and no revocations are recorded. A
//! reader sets the member's epoch and partitions; the tombstone takes both away, and those of the target
//! and the metadata follow.

use crate::{TaggedFields, Text, Uuid, Wire};

/// Which member of which group.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct ShareGroupCurrentMemberAssignmentKey {
    /// The group's id.
    #[wire("0")]
    pub group_id: Text,
    /// The id that the member chose for itself, by which heartbeats name it.
    #[wire("0")]
    pub member_id: Text,
}

/// The part that the member was last given.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct ShareGroupCurrentMemberAssignmentValue {
    /// The epoch that the next heartbeat must name.
    #[wire("0+")]
    pub member_epoch: i32,
    /// The epoch before. A heartbeat may still name it, since the answer with the new one may have been
    /// lost.
    #[wire("0+")]
    pub previous_member_epoch: i32,
    /// 0 = stable. The other states of consumer groups have no use where partitions are shared.
    #[wire("0+")]
    pub state: i8,
    /// What the member reads from, as the answers to its heartbeats say.
    #[wire("0+")]
    pub assigned_partitions: Vec<TopicPartitions>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TopicPartitions {
    /// The topic's id.
    #[wire("0+")]
    pub topic_id: Uuid,
    /// Partition numbers within the topic.
    #[wire("0+")]
    pub partitions: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
