use crate::{TaggedFields, Text, Uuid, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct ConsumerGroupCurrentMemberAssignmentKey {
    #[wire("0")]
    pub group_id: Text,
    #[wire("0")]
    pub member_id: Text,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct ConsumerGroupCurrentMemberAssignmentValue {
    #[wire("0+")]
    pub member_epoch: i32,
    #[wire("0+")]
    pub previous_member_epoch: i32,
    #[wire("0+")]
    pub state: i8,
    #[wire("0+")]
    pub assigned_partitions: Vec<TopicPartitions>,
    #[wire("0+")]
    pub partitions_pending_revocation: Vec<TopicPartitions>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TopicPartitions {
    #[wire("0+")]
    pub topic_id: Uuid,
    #[wire("0+")]
    pub partitions: Vec<i32>,
    /// The epoch in which each partition was assigned, in the order of `partitions`. Left out it means empty, not null: null is written out.
    #[wire("0+", nullable = "0+", tag = 0)]
    pub assignment_epochs: Option<Vec<i32>>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
