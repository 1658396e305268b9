use crate::{TaggedFields, Text, Uuid, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct ShareGroupTargetAssignmentMemberKey {
    #[wire("0")]
    pub group_id: Text,
    #[wire("0")]
    pub member_id: Text,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct ShareGroupTargetAssignmentMemberValue {
    #[wire("0+")]
    pub topic_partitions: Vec<TopicPartition>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TopicPartition {
    #[wire("0+")]
    pub topic_id: Uuid,
    #[wire("0+")]
    pub partitions: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
