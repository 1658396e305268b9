use crate::{ErrorCode, TaggedFields, Text, Uuid, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-2", flexible = "0+")]
pub struct DescribeQuorumRequest {
    #[wire("0+")]
    pub topics: Vec<RequestTopicData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "TopicData")]
pub struct RequestTopicData {
    #[wire("0+")]
    pub topic_name: Text,
    #[wire("0+")]
    pub partitions: Vec<RequestPartitionData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "PartitionData")]
pub struct RequestPartitionData {
    #[wire("0+")]
    pub partition_index: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-2", flexible = "0+")]
pub struct DescribeQuorumResponse {
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("2+", nullable = "2+", ignorable)]
    pub error_message: Option<Text>,
    #[wire("0+")]
    pub topics: Vec<ResponseTopicData>,
    #[wire("2+")]
    pub nodes: Vec<Node>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "TopicData")]
pub struct ResponseTopicData {
    #[wire("0+")]
    pub topic_name: Text,
    #[wire("0+")]
    pub partitions: Vec<ResponsePartitionData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "PartitionData")]
pub struct ResponsePartitionData {
    #[wire("0+")]
    pub partition_index: i32,
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("2+", nullable = "2+", ignorable)]
    pub error_message: Option<Text>,
    #[wire("0+")]
    pub leader_id: i32,
    #[wire("0+")]
    pub leader_epoch: i32,
    #[wire("0+")]
    pub high_watermark: i64,
    #[wire("0+")]
    pub current_voters: Vec<ReplicaState>,
    #[wire("0+")]
    pub observers: Vec<ReplicaState>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct Node {
    #[wire("2+")]
    pub node_id: i32,
    #[wire("2+")]
    pub listeners: Vec<Listener>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct Listener {
    #[wire("2+")]
    pub name: Text,
    #[wire("2+")]
    pub host: Text,
    #[wire("2+")]
    pub port: u16,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ReplicaState {
    #[wire("0+")]
    pub replica_id: i32,
    #[wire("2+")]
    pub replica_directory_id: Uuid,
    #[wire("0+")]
    pub log_end_offset: i64,
    #[wire("1+", default = -1, ignorable)]
    pub last_fetch_timestamp: i64,
    #[wire("1+", default = -1, ignorable)]
    pub last_caught_up_timestamp: i64,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
