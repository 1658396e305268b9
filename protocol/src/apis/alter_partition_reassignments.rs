use crate::{ErrorCode, TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "0+")]
pub struct AlterPartitionReassignmentsRequest {
    #[wire("0+", default = 60000)]
    pub timeout_ms: i32,
    #[wire("1+", default = true)]
    pub allow_replication_factor_change: bool,
    #[wire("0+")]
    pub topics: Vec<ReassignableTopic>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ReassignableTopic {
    #[wire("0+")]
    pub name: Text,
    #[wire("0+")]
    pub partitions: Vec<ReassignablePartition>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ReassignablePartition {
    #[wire("0+")]
    pub partition_index: i32,
    #[wire("0+", nullable = "0+", default = null)]
    pub replicas: Option<Vec<i32>>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "0+")]
pub struct AlterPartitionReassignmentsResponse {
    #[wire("0+")]
    pub throttle_time_ms: i32,
    #[wire("1+", default = true, ignorable)]
    pub allow_replication_factor_change: bool,
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+", nullable = "0+")]
    pub error_message: Option<Text>,
    #[wire("0+")]
    pub responses: Vec<ReassignableTopicResponse>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ReassignableTopicResponse {
    #[wire("0+")]
    pub name: Text,
    #[wire("0+")]
    pub partitions: Vec<ReassignablePartitionResponse>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ReassignablePartitionResponse {
    #[wire("0+")]
    pub partition_index: i32,
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+", nullable = "0+")]
    pub error_message: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
