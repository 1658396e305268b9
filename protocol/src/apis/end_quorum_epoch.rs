use crate::{ErrorCode, TaggedFields, Text, Uuid, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "1+")]
pub struct EndQuorumEpochRequest {
    #[wire("0+", nullable = "0+", default = null)]
    pub cluster_id: Option<Text>,
    #[wire("0+")]
    pub topics: Vec<RequestTopicData>,
    #[wire("1+", ignorable)]
    pub leader_endpoints: Vec<LeaderEndpoint>,
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
    #[wire("0+")]
    pub leader_id: i32,
    #[wire("0+")]
    pub leader_epoch: i32,
    #[wire("0", ignorable)]
    pub preferred_successors: Vec<i32>,
    #[wire("1+", ignorable)]
    pub preferred_candidates: Vec<ReplicaInfo>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ReplicaInfo {
    #[wire("1+")]
    pub candidate_id: i32,
    #[wire("1+")]
    pub candidate_directory_id: Uuid,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct LeaderEndpoint {
    #[wire("1+")]
    pub name: Text,
    #[wire("1+")]
    pub host: Text,
    #[wire("1+")]
    pub port: u16,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "1+")]
pub struct EndQuorumEpochResponse {
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+")]
    pub topics: Vec<ResponseTopicData>,
    #[wire("1+", tag = 0)]
    pub node_endpoints: Vec<NodeEndpoint>,
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
    #[wire("0+")]
    pub leader_id: i32,
    #[wire("0+")]
    pub leader_epoch: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct NodeEndpoint {
    #[wire("1+")]
    pub node_id: i32,
    #[wire("1+")]
    pub host: Text,
    #[wire("1+")]
    pub port: u16,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
