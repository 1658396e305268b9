use crate::{ErrorCode, TaggedFields, Text, Uuid, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "2-7", flexible = "5+")]
pub struct CreateTopicsRequest {
    #[wire("0+")]
    pub topics: Vec<CreatableTopic>,
    #[wire("0+", default = 60000, name = "timeoutMs")]
    pub timeout_ms: i32,
    #[wire("1+", name = "validateOnly")]
    pub validate_only: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct CreatableTopic {
    #[wire("0+")]
    pub name: Text,
    #[wire("0+")]
    pub num_partitions: i32,
    #[wire("0+")]
    pub replication_factor: i16,
    #[wire("0+")]
    pub assignments: Vec<CreatableReplicaAssignment>,
    #[wire("0+")]
    pub configs: Vec<CreatableTopicConfig>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct CreatableReplicaAssignment {
    #[wire("0+")]
    pub partition_index: i32,
    #[wire("0+")]
    pub broker_ids: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct CreatableTopicConfig {
    #[wire("0+")]
    pub name: Text,
    #[wire("0+", nullable = "0+")]
    pub value: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "2-7", flexible = "5+")]
pub struct CreateTopicsResponse {
    #[wire("2+", ignorable)]
    pub throttle_time_ms: i32,
    #[wire("0+")]
    pub topics: Vec<CreatableTopicResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct CreatableTopicResult {
    #[wire("0+")]
    pub name: Text,
    #[wire("7+", ignorable)]
    pub topic_id: Uuid,
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("1+", nullable = "0+", ignorable)]
    pub error_message: Option<Text>,
    #[wire("5+", tag = 0, ignorable)]
    pub topic_config_error_code: ErrorCode,
    #[wire("5+", default = -1, ignorable)]
    pub num_partitions: i32,
    #[wire("5+", default = -1, ignorable)]
    pub replication_factor: i16,
    #[wire("5+", nullable = "5+", ignorable)]
    pub configs: Option<Vec<CreatableTopicConfigs>>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct CreatableTopicConfigs {
    #[wire("5+")]
    pub name: Text,
    #[wire("5+", nullable = "5+")]
    pub value: Option<Text>,
    #[wire("5+")]
    pub read_only: bool,
    #[wire("5+", default = -1, ignorable)]
    pub config_source: i8,
    #[wire("5+")]
    pub is_sensitive: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
