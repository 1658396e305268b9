use crate::{ErrorCode, TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct ListPartitionReassignmentsRequest {
    #[wire("0+", default = 60000)]
    pub timeout_ms: i32,
    #[wire("0+", nullable = "0+", default = null)]
    pub topics: Option<Vec<ListPartitionReassignmentsTopics>>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ListPartitionReassignmentsTopics {
    #[wire("0+")]
    pub name: Text,
    #[wire("0+")]
    pub partition_indexes: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct ListPartitionReassignmentsResponse {
    #[wire("0+")]
    pub throttle_time_ms: i32,
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+", nullable = "0+")]
    pub error_message: Option<Text>,
    #[wire("0+")]
    pub topics: Vec<OngoingTopicReassignment>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct OngoingTopicReassignment {
    #[wire("0+")]
    pub name: Text,
    #[wire("0+")]
    pub partitions: Vec<OngoingPartitionReassignment>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct OngoingPartitionReassignment {
    #[wire("0+")]
    pub partition_index: i32,
    #[wire("0+")]
    pub replicas: Vec<i32>,
    #[wire("0+")]
    pub adding_replicas: Vec<i32>,
    #[wire("0+")]
    pub removing_replicas: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
