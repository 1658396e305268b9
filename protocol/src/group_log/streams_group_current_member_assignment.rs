//! Which tasks one member of a streams group has now, and how far it is on the way to its target
//! (KIP-1071).
//!
//! Written whenever a heartbeat moves the member: it joined, reached an epoch, got tasks, or has to give
//! some up. A reader rebuilds from it who has each task, so that no active task runs twice and no process
//! holds two copies of the same state. The tombstone takes all tasks from the member; those of its target
//! and metadata follow.
//!
//! Older records lack `assignment_epochs`, a tagged field.

use crate::{TaggedFields, Text, Wire};

/// Which member of which group.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct StreamsGroupCurrentMemberAssignmentKey {
    /// The group's id, which is the application's id.
    #[wire("0")]
    pub group_id: Text,
    /// The id that the member chose for itself, by which heartbeats name it.
    #[wire("0")]
    pub member_id: Text,
}

/// Where the member stands between its last target and the next.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct StreamsGroupCurrentMemberAssignmentValue {
    /// The epoch that the next heartbeat must name.
    #[wire("0+")]
    pub member_epoch: i32,
    /// The epoch before. A heartbeat may still name it, since the answer with the new one may have been
    /// lost.
    #[wire("0+")]
    pub previous_member_epoch: i32,
    /// 1 = stable, 2 = has to give up tasks first, 3 = waits for tasks that others have yet to give up.
    /// Not the numbers of consumer groups.
    #[wire("0+")]
    pub state: i8,
    /// Tasks with which the member processes records.
    #[wire("0+")]
    pub active_tasks: Vec<TaskIds>,
    /// Tasks whose state the member keeps a copy of, ready to take over.
    #[wire("0+")]
    pub standby_tasks: Vec<TaskIds>,
    /// Tasks whose state the member restores, so that they can be moved to it.
    #[wire("0+")]
    pub warmup_tasks: Vec<TaskIds>,
    /// Active tasks that the member was told to give up and has not confirmed.
    #[wire("0+")]
    pub active_tasks_pending_revocation: Vec<TaskIds>,
    /// Standby tasks that the member was told to give up and has not confirmed.
    #[wire("0+")]
    pub standby_tasks_pending_revocation: Vec<TaskIds>,
    /// Warmup tasks that the member was told to give up and has not confirmed.
    #[wire("0+")]
    pub warmup_tasks_pending_revocation: Vec<TaskIds>,
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
    /// The member's epoch when it got each task, in the order of `partitions`; a commit with an older
    /// epoch is refused. Active tasks only; null = `member_epoch`.
    /// Left out, it reads as empty, not as null: null is written out.
    #[wire("0+", nullable = "0+", tag = 0)]
    pub assignment_epochs: Option<Vec<i32>>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
