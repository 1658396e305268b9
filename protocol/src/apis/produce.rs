use crate::{ErrorCode, Records, TaggedFields, Text, Uuid, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "3-13", flexible = "9+")]
pub struct ProduceRequest {
    #[wire("3+", nullable = "3+", default = null)]
    pub transactional_id: Option<Text>,
    #[wire("0+")]
    pub acks: i16,
    #[wire("0+")]
    pub timeout_ms: i32,
    #[wire("0+")]
    pub topic_data: Vec<TopicProduceData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TopicProduceData {
    #[wire("0-12", ignorable)]
    pub name: Text,
    #[wire("13+", ignorable)]
    pub topic_id: Uuid,
    #[wire("0+")]
    pub partition_data: Vec<PartitionProduceData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct PartitionProduceData {
    #[wire("0+")]
    pub index: i32,
    #[wire("0+", nullable = "0+")]
    pub records: Option<Records>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "3-13", flexible = "9+")]
pub struct ProduceResponse {
    #[wire("0+")]
    pub responses: Vec<TopicProduceResponse>,
    #[wire("1+", ignorable)]
    pub throttle_time_ms: i32,
    #[wire("10+", tag = 0)]
    pub node_endpoints: Vec<NodeEndpoint>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TopicProduceResponse {
    #[wire("0-12", ignorable)]
    pub name: Text,
    #[wire("13+", ignorable)]
    pub topic_id: Uuid,
    #[wire("0+")]
    pub partition_responses: Vec<PartitionProduceResponse>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct PartitionProduceResponse {
    #[wire("0+")]
    pub index: i32,
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+")]
    pub base_offset: i64,
    #[wire("2+", default = -1, ignorable)]
    pub log_append_time_ms: i64,
    #[wire("5+", default = -1, ignorable)]
    pub log_start_offset: i64,
    #[wire("8+", ignorable)]
    pub record_errors: Vec<BatchIndexAndErrorMessage>,
    #[wire("8+", nullable = "8+", default = null, ignorable)]
    pub error_message: Option<Text>,
    #[wire("10+", tag = 0)]
    pub current_leader: LeaderIdAndEpoch,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct BatchIndexAndErrorMessage {
    #[wire("8+")]
    pub batch_index: i32,
    #[wire("8+", nullable = "8+", default = null)]
    pub batch_index_error_message: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct LeaderIdAndEpoch {
    #[wire("10+", default = -1)]
    pub leader_id: i32,
    #[wire("10+", default = -1)]
    pub leader_epoch: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct NodeEndpoint {
    #[wire("10+")]
    pub node_id: i32,
    #[wire("10+")]
    pub host: Text,
    #[wire("10+")]
    pub port: i32,
    #[wire("10+", nullable = "10+", default = null)]
    pub rack: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
