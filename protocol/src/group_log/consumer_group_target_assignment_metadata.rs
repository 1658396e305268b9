use crate::{TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct ConsumerGroupTargetAssignmentMetadataKey {
    #[wire("0")]
    pub group_id: Text,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct ConsumerGroupTargetAssignmentMetadataValue {
    #[wire("0+")]
    pub assignment_epoch: i32,
    #[wire("0+", tag = 0, ignorable)]
    pub assignment_timestamp: i64,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
