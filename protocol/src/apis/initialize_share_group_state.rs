use crate::{ErrorCode, TaggedFields, Text, Uuid, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct InitializeShareGroupStateRequest {
    #[wire("0+")]
    pub group_id: Text,
    #[wire("0+")]
    pub topics: Vec<InitializeStateData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct InitializeStateData {
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
    pub start_offset: i64,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct InitializeShareGroupStateResponse {
    #[wire("0+")]
    pub results: Vec<InitializeStateResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct InitializeStateResult {
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
