use crate::{ErrorCode, TaggedFields, Text, Uuid, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-13", flexible = "9+")]
pub struct MetadataRequest {
    #[wire("0+", nullable = "1+")]
    pub topics: Option<Vec<MetadataRequestTopic>>,
    #[wire("4+", default = true)]
    pub allow_auto_topic_creation: bool,
    #[wire("8-10")]
    pub include_cluster_authorized_operations: bool,
    #[wire("8+")]
    pub include_topic_authorized_operations: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct MetadataRequestTopic {
    #[wire("10+", ignorable)]
    pub topic_id: Uuid,
    #[wire("0+", nullable = "10+")]
    pub name: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-13", flexible = "9+")]
pub struct MetadataResponse {
    #[wire("3+", ignorable)]
    pub throttle_time_ms: i32,
    #[wire("0+")]
    pub brokers: Vec<MetadataResponseBroker>,
    #[wire("2+", nullable = "2+", default = null, ignorable)]
    pub cluster_id: Option<Text>,
    #[wire("1+", default = -1, ignorable)]
    pub controller_id: i32,
    #[wire("0+")]
    pub topics: Vec<MetadataResponseTopic>,
    #[wire("8-10", default = -2147483648)]
    pub cluster_authorized_operations: i32,
    #[wire("13+", ignorable)]
    pub error_code: ErrorCode,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct MetadataResponseBroker {
    #[wire("0+")]
    pub node_id: i32,
    #[wire("0+")]
    pub host: Text,
    #[wire("0+")]
    pub port: i32,
    #[wire("1+", nullable = "1+", default = null, ignorable)]
    pub rack: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct MetadataResponseTopic {
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+", nullable = "12+")]
    pub name: Option<Text>,
    #[wire("10+", ignorable)]
    pub topic_id: Uuid,
    #[wire("1+", ignorable)]
    pub is_internal: bool,
    #[wire("0+")]
    pub partitions: Vec<MetadataResponsePartition>,
    #[wire("8+", default = -2147483648)]
    pub topic_authorized_operations: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct MetadataResponsePartition {
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+")]
    pub partition_index: i32,
    #[wire("0+")]
    pub leader_id: i32,
    #[wire("7+", default = -1, ignorable)]
    pub leader_epoch: i32,
    #[wire("0+")]
    pub replica_nodes: Vec<i32>,
    #[wire("0+")]
    pub isr_nodes: Vec<i32>,
    #[wire("5+", ignorable)]
    pub offline_replicas: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
