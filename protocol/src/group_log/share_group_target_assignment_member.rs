//! What one member of a share group shall read from (KIP-932).
//!
//! Written for the members whose part of a new target differs from the one before. The same partition may
//! be in the parts of many members: that is what such a group is for. A reader replaces the member's part
//! as a whole; a tombstone removes it, when the member or its group is gone.

use crate::{TaggedFields, Text, Uuid, Wire};

/// Which member of which group.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct ShareGroupTargetAssignmentMemberKey {
    /// The group's id.
    #[wire("0")]
    pub group_id: Text,
    /// The id that the member chose for itself, by which heartbeats name it.
    #[wire("0")]
    pub member_id: Text,
}

/// The member's whole part of the target.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct ShareGroupTargetAssignmentMemberValue {
    /// The partitions, by topic; empty = the member shall read nothing.
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
