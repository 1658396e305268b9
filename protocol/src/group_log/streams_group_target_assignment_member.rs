//! Which tasks one member of a streams group shall have in the end (KIP-1071).
//!
//! Written for the members whose part of a new target differs from the one before. It is a goal: what the
//! member runs now is in `StreamsGroupCurrentMemberAssignment`. A reader replaces the member's part as a
//! whole; a tombstone removes it, when the member or its group is gone.

use crate::{TaggedFields, Text, Wire};

/// Which member of which group.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct StreamsGroupTargetAssignmentMemberKey {
    /// The group's id, which is the application's id.
    #[wire("0")]
    pub group_id: Text,
    /// The id that the member chose for itself, by which heartbeats name it.
    #[wire("0")]
    pub member_id: Text,
}

/// The member's whole part of the target.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct StreamsGroupTargetAssignmentMemberValue {
    /// Tasks to process records with; each is in one part only.
    #[wire("0+")]
    pub active_tasks: Vec<TaskIds>,
    /// Tasks whose state to keep a copy of, ready to take over.
    #[wire("0+")]
    pub standby_tasks: Vec<TaskIds>,
    /// Tasks whose state to restore, so that they can be moved here once it has caught up.
    #[wire("0+")]
    pub warmup_tasks: Vec<TaskIds>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Tasks of one subtopology.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TaskIds {
    /// The subtopology, by its id in the topology.
    #[wire("0+")]
    pub subtopology_id: Text,
    /// Partition numbers of its input topics; each is one task.
    #[wire("0+")]
    pub partitions: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
