use crate::{TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct StreamsGroupCurrentMemberAssignmentKey {
    #[wire("0")]
    pub group_id: Text,
    #[wire("0")]
    pub member_id: Text,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct StreamsGroupCurrentMemberAssignmentValue {
    #[wire("0+")]
    pub member_epoch: i32,
    #[wire("0+")]
    pub previous_member_epoch: i32,
    #[wire("0+")]
    pub state: i8,
    #[wire("0+")]
    pub active_tasks: Vec<TaskIds>,
    #[wire("0+")]
    pub standby_tasks: Vec<TaskIds>,
    #[wire("0+")]
    pub warmup_tasks: Vec<TaskIds>,
    #[wire("0+")]
    pub active_tasks_pending_revocation: Vec<TaskIds>,
    #[wire("0+")]
    pub standby_tasks_pending_revocation: Vec<TaskIds>,
    #[wire("0+")]
    pub warmup_tasks_pending_revocation: Vec<TaskIds>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TaskIds {
    #[wire("0+")]
    pub subtopology_id: Text,
    #[wire("0+")]
    pub partitions: Vec<i32>,
    /// The epoch in which each task was assigned, in the order of `partitions`. Left out it means empty, not null: null is written out.
    #[wire("0+", nullable = "0+", tag = 0)]
    pub assignment_epochs: Option<Vec<i32>>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
