//! What one member of a consumer group shall own in the end (KIP-848).
//!
//! Written for the members whose part of a new target differs from the one before, and for a static
//! member that returns under another id, which takes over the part of its predecessor. It is a goal: what
//! the member may use now is in `ConsumerGroupCurrentMemberAssignment`. A reader replaces the member's
//! part as a whole; a tombstone removes it, when the member or its group is gone.

use crate::{TaggedFields, Text, Uuid, Wire};

/// Which member of which group.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct ConsumerGroupTargetAssignmentMemberKey {
    /// The group's id.
    #[wire("0")]
    pub group_id: Text,
    /// The member's id, by which heartbeats name it.
    #[wire("0")]
    pub member_id: Text,
}

/// The member's whole part of the target.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct ConsumerGroupTargetAssignmentMemberValue {
    /// The partitions, by topic; empty = the member shall own nothing.
    #[wire("0+")]
    pub topic_partitions: Vec<TopicPartition>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TopicPartition {
    /// The topic's id.
    #[wire("0+")]
    pub topic_id: Uuid,
    /// Partition numbers within the topic.
    #[wire("0+")]
    pub partitions: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
