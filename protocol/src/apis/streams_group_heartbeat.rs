use crate::{ErrorCode, TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct StreamsGroupHeartbeatRequest {
    #[wire("0+")]
    pub group_id: Text,
    #[wire("0+")]
    pub member_id: Text,
    #[wire("0+")]
    pub member_epoch: i32,
    #[wire("0+")]
    pub endpoint_information_epoch: i32,
    #[wire("0+", nullable = "0+", default = null)]
    pub instance_id: Option<Text>,
    #[wire("0+", nullable = "0+", default = null)]
    pub rack_id: Option<Text>,
    #[wire("0+", default = -1)]
    pub rebalance_timeout_ms: i32,
    #[wire("0+", nullable = "0+", default = null)]
    pub topology: Option<Topology>,
    #[wire("0+", nullable = "0+", default = null)]
    pub active_tasks: Option<Vec<RequestTaskIds>>,
    #[wire("0+", nullable = "0+", default = null)]
    pub standby_tasks: Option<Vec<RequestTaskIds>>,
    #[wire("0+", nullable = "0+", default = null)]
    pub warmup_tasks: Option<Vec<RequestTaskIds>>,
    #[wire("0+", nullable = "0+", default = null)]
    pub process_id: Option<Text>,
    #[wire("0+", nullable = "0+", default = null)]
    pub user_endpoint: Option<RequestEndpoint>,
    #[wire("0+", nullable = "0+", default = null)]
    pub client_tags: Option<Vec<KeyValue>>,
    #[wire("0+", nullable = "0+", default = null)]
    pub task_offsets: Option<Vec<TaskOffset>>,
    #[wire("0+", nullable = "0+", default = null)]
    pub task_end_offsets: Option<Vec<TaskOffset>>,
    #[wire("0+")]
    pub shutdown_application: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct Topology {
    #[wire("0+")]
    pub epoch: i32,
    #[wire("0+")]
    pub subtopologies: Vec<Subtopology>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct Subtopology {
    #[wire("0+")]
    pub subtopology_id: Text,
    #[wire("0+")]
    pub source_topics: Vec<Text>,
    #[wire("0+")]
    pub source_topic_regex: Vec<Text>,
    #[wire("0+")]
    pub state_changelog_topics: Vec<TopicInfo>,
    #[wire("0+")]
    pub repartition_sink_topics: Vec<Text>,
    #[wire("0+")]
    pub repartition_source_topics: Vec<TopicInfo>,
    #[wire("0+")]
    pub copartition_groups: Vec<CopartitionGroup>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct CopartitionGroup {
    #[wire("0+")]
    pub source_topics: Vec<i16>,
    #[wire("0+")]
    pub source_topic_regex: Vec<i16>,
    #[wire("0+")]
    pub repartition_source_topics: Vec<i16>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct KeyValue {
    #[wire("0+")]
    pub key: Text,
    #[wire("0+")]
    pub value: Text,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TopicInfo {
    #[wire("0+")]
    pub name: Text,
    #[wire("0+")]
    pub partitions: i32,
    #[wire("0+")]
    pub replication_factor: i16,
    #[wire("0+")]
    pub topic_configs: Vec<KeyValue>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "Endpoint")]
pub struct RequestEndpoint {
    #[wire("0+")]
    pub host: Text,
    #[wire("0+")]
    pub port: u16,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TaskOffset {
    #[wire("0+")]
    pub subtopology_id: Text,
    #[wire("0+")]
    pub partition: i32,
    #[wire("0+")]
    pub offset: i64,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "TaskIds")]
pub struct RequestTaskIds {
    #[wire("0+")]
    pub subtopology_id: Text,
    #[wire("0+")]
    pub partitions: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct StreamsGroupHeartbeatResponse {
    #[wire("0+")]
    pub throttle_time_ms: i32,
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+", nullable = "0+", default = null)]
    pub error_message: Option<Text>,
    #[wire("0+")]
    pub member_id: Text,
    #[wire("0+")]
    pub member_epoch: i32,
    #[wire("0+")]
    pub heartbeat_interval_ms: i32,
    #[wire("0+")]
    pub acceptable_recovery_lag: i32,
    #[wire("0+")]
    pub task_offset_interval_ms: i32,
    #[wire("0+", nullable = "0+")]
    pub status: Option<Vec<Status>>,
    #[wire("0+", nullable = "0+", default = null)]
    pub active_tasks: Option<Vec<ResponseTaskIds>>,
    #[wire("0+", nullable = "0+", default = null)]
    pub standby_tasks: Option<Vec<ResponseTaskIds>>,
    #[wire("0+", nullable = "0+", default = null)]
    pub warmup_tasks: Option<Vec<ResponseTaskIds>>,
    #[wire("0+")]
    pub endpoint_information_epoch: i32,
    #[wire("0+", nullable = "0+", default = null)]
    pub partitions_by_user_endpoint: Option<Vec<EndpointToPartitions>>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct EndpointToPartitions {
    #[wire("0+")]
    pub user_endpoint: ResponseEndpoint,
    #[wire("0+")]
    pub active_partitions: Vec<TopicPartition>,
    #[wire("0+")]
    pub standby_partitions: Vec<TopicPartition>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct Status {
    #[wire("0+")]
    pub status_code: i8,
    #[wire("0+")]
    pub status_detail: Text,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TopicPartition {
    #[wire("0+")]
    pub topic: Text,
    #[wire("0+")]
    pub partitions: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "TaskIds")]
pub struct ResponseTaskIds {
    #[wire("0+")]
    pub subtopology_id: Text,
    #[wire("0+")]
    pub partitions: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "Endpoint")]
pub struct ResponseEndpoint {
    #[wire("0+")]
    pub host: Text,
    #[wire("0+")]
    pub port: u16,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
