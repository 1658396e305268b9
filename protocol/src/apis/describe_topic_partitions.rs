use crate::{ErrorCode, TaggedFields, Text, Uuid, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct DescribeTopicPartitionsRequest {
    #[wire("0+")]
    pub topics: Vec<TopicRequest>,
    #[wire("0+", default = 2000)]
    pub response_partition_limit: i32,
    #[wire("0+", nullable = "0+", default = null)]
    pub cursor: Option<RequestCursor>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TopicRequest {
    #[wire("0+")]
    pub name: Text,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "Cursor")]
pub struct RequestCursor {
    #[wire("0+")]
    pub topic_name: Text,
    #[wire("0+")]
    pub partition_index: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct DescribeTopicPartitionsResponse {
    #[wire("0+", ignorable)]
    pub throttle_time_ms: i32,
    #[wire("0+")]
    pub topics: Vec<DescribeTopicPartitionsResponseTopic>,
    #[wire("0+", nullable = "0+", default = null)]
    pub next_cursor: Option<ResponseCursor>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribeTopicPartitionsResponseTopic {
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+", nullable = "0+")]
    pub name: Option<Text>,
    #[wire("0+", ignorable)]
    pub topic_id: Uuid,
    #[wire("0+", ignorable)]
    pub is_internal: bool,
    #[wire("0+")]
    pub partitions: Vec<DescribeTopicPartitionsResponsePartition>,
    #[wire("0+", default = -2147483648)]
    pub topic_authorized_operations: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribeTopicPartitionsResponsePartition {
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+")]
    pub partition_index: i32,
    #[wire("0+")]
    pub leader_id: i32,
    #[wire("0+", default = -1, ignorable)]
    pub leader_epoch: i32,
    #[wire("0+")]
    pub replica_nodes: Vec<i32>,
    #[wire("0+")]
    pub isr_nodes: Vec<i32>,
    #[wire("0+", nullable = "0+", default = null)]
    pub eligible_leader_replicas: Option<Vec<i32>>,
    #[wire("0+", nullable = "0+", default = null)]
    pub last_known_elr: Option<Vec<i32>>,
    #[wire("0+", ignorable)]
    pub offline_replicas: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "Cursor")]
pub struct ResponseCursor {
    #[wire("0+")]
    pub topic_name: Text,
    #[wire("0+")]
    pub partition_index: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
