use crate::{ErrorCode, TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-2", flexible = "2+")]
pub struct ElectLeadersRequest {
    #[wire("1+")]
    pub election_type: i8,
    #[wire("0+", nullable = "0+")]
    pub topic_partitions: Option<Vec<TopicPartitions>>,
    #[wire("0+", default = 60000)]
    pub timeout_ms: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TopicPartitions {
    #[wire("0+")]
    pub topic: Text,
    #[wire("0+")]
    pub partitions: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-2", flexible = "2+")]
pub struct ElectLeadersResponse {
    #[wire("0+")]
    pub throttle_time_ms: i32,
    #[wire("1+")]
    pub error_code: ErrorCode,
    #[wire("0+")]
    pub replica_election_results: Vec<ReplicaElectionResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ReplicaElectionResult {
    #[wire("0+")]
    pub topic: Text,
    #[wire("0+")]
    pub partition_result: Vec<PartitionResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct PartitionResult {
    #[wire("0+")]
    pub partition_id: i32,
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+", nullable = "0+")]
    pub error_message: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
