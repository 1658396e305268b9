use crate::{ErrorCode, TaggedFields, Text, Uuid, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "0+")]
pub struct WriteShareGroupStateRequest {
    #[wire("0+")]
    pub group_id: Text,
    #[wire("0+")]
    pub topics: Vec<WriteStateData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct WriteStateData {
    #[wire("0+")]
    pub topic_id: Uuid,
    #[wire("0+")]
    pub partitions: Vec<PartitionData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct PartitionData {
    #[wire("0+")]
    pub partition: i32,
    #[wire("0+")]
    pub state_epoch: i32,
    #[wire("0+")]
    pub leader_epoch: i32,
    #[wire("0+")]
    pub start_offset: i64,
    #[wire("1+", default = -1, ignorable)]
    pub delivery_complete_count: i32,
    #[wire("0+")]
    pub state_batches: Vec<StateBatch>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct StateBatch {
    #[wire("0+")]
    pub first_offset: i64,
    #[wire("0+")]
    pub last_offset: i64,
    #[wire("0+")]
    pub delivery_state: i8,
    #[wire("0+")]
    pub delivery_count: i16,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "0+")]
pub struct WriteShareGroupStateResponse {
    #[wire("0+")]
    pub results: Vec<WriteStateResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct WriteStateResult {
    #[wire("0+")]
    pub topic_id: Uuid,
    #[wire("0+")]
    pub partitions: Vec<PartitionResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct PartitionResult {
    #[wire("0+")]
    pub partition: i32,
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+", nullable = "0+", default = null)]
    pub error_message: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
