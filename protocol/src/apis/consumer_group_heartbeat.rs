use crate::{ErrorCode, TaggedFields, Text, Uuid, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "0+")]
pub struct ConsumerGroupHeartbeatRequest {
    #[wire("0+")]
    pub group_id: Text,
    #[wire("0+")]
    pub member_id: Text,
    #[wire("0+")]
    pub member_epoch: i32,
    #[wire("0+", nullable = "0+", default = null)]
    pub instance_id: Option<Text>,
    #[wire("0+", nullable = "0+", default = null)]
    pub rack_id: Option<Text>,
    #[wire("0+", default = -1)]
    pub rebalance_timeout_ms: i32,
    #[wire("0+", nullable = "0+", default = null)]
    pub subscribed_topic_names: Option<Vec<Text>>,
    #[wire("1+", nullable = "1+", default = null)]
    pub subscribed_topic_regex: Option<Text>,
    #[wire("0+", nullable = "0+", default = null)]
    pub server_assignor: Option<Text>,
    #[wire("0+", nullable = "0+", default = null)]
    pub topic_partitions: Option<Vec<RequestTopicPartitions>>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "TopicPartitions")]
pub struct RequestTopicPartitions {
    #[wire("0+")]
    pub topic_id: Uuid,
    #[wire("0+")]
    pub partitions: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "0+")]
pub struct ConsumerGroupHeartbeatResponse {
    #[wire("0+")]
    pub throttle_time_ms: i32,
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+", nullable = "0+", default = null)]
    pub error_message: Option<Text>,
    #[wire("0+", nullable = "0+", default = null)]
    pub member_id: Option<Text>,
    #[wire("0+")]
    pub member_epoch: i32,
    #[wire("0+")]
    pub heartbeat_interval_ms: i32,
    #[wire("0+", nullable = "0+", default = null)]
    pub assignment: Option<Assignment>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct Assignment {
    #[wire("0+")]
    pub topic_partitions: Vec<ResponseTopicPartitions>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "TopicPartitions")]
pub struct ResponseTopicPartitions {
    #[wire("0+")]
    pub topic_id: Uuid,
    #[wire("0+")]
    pub partitions: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
