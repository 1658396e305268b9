use crate::{ErrorCode, TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-3", flexible = "2+")]
pub struct CreatePartitionsRequest {
    #[wire("0+")]
    pub topics: Vec<CreatePartitionsTopic>,
    #[wire("0+")]
    pub timeout_ms: i32,
    #[wire("0+")]
    pub validate_only: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct CreatePartitionsTopic {
    #[wire("0+")]
    pub name: Text,
    #[wire("0+")]
    pub count: i32,
    #[wire("0+", nullable = "0+")]
    pub assignments: Option<Vec<CreatePartitionsAssignment>>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct CreatePartitionsAssignment {
    #[wire("0+")]
    pub broker_ids: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-3", flexible = "2+")]
pub struct CreatePartitionsResponse {
    #[wire("0+")]
    pub throttle_time_ms: i32,
    #[wire("0+")]
    pub results: Vec<CreatePartitionsTopicResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct CreatePartitionsTopicResult {
    #[wire("0+")]
    pub name: Text,
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+", nullable = "0+", default = null)]
    pub error_message: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
