use crate::{ErrorCode, TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct StreamsGroupDescribeRequest {
    #[wire("0+")]
    pub group_ids: Vec<Text>,
    #[wire("0+")]
    pub include_authorized_operations: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct StreamsGroupDescribeResponse {
    #[wire("0+")]
    pub throttle_time_ms: i32,
    #[wire("0+")]
    pub groups: Vec<DescribedGroup>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribedGroup {
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+", nullable = "0+", default = null)]
    pub error_message: Option<Text>,
    #[wire("0+")]
    pub group_id: Text,
    #[wire("0+")]
    pub group_state: Text,
    #[wire("0+")]
    pub group_epoch: i32,
    #[wire("0+")]
    pub assignment_epoch: i32,
    #[wire("0+", nullable = "0+", default = null)]
    pub topology: Option<Topology>,
    #[wire("0+")]
    pub members: Vec<Member>,
    #[wire("0+", default = -2147483648)]
    pub authorized_operations: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct Topology {
    #[wire("0+")]
    pub epoch: i32,
    #[wire("0+", nullable = "0+", default = null)]
    pub subtopologies: Option<Vec<Subtopology>>,
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
    pub repartition_sink_topics: Vec<Text>,
    #[wire("0+")]
    pub state_changelog_topics: Vec<TopicInfo>,
    #[wire("0+")]
    pub repartition_source_topics: Vec<TopicInfo>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct Member {
    #[wire("0+")]
    pub member_id: Text,
    #[wire("0+")]
    pub member_epoch: i32,
    #[wire("0+", nullable = "0+", default = null)]
    pub instance_id: Option<Text>,
    #[wire("0+", nullable = "0+", default = null)]
    pub rack_id: Option<Text>,
    #[wire("0+")]
    pub client_id: Text,
    #[wire("0+")]
    pub client_host: Text,
    #[wire("0+")]
    pub topology_epoch: i32,
    #[wire("0+")]
    pub process_id: Text,
    #[wire("0+", nullable = "0+", default = null)]
    pub user_endpoint: Option<Endpoint>,
    #[wire("0+")]
    pub client_tags: Vec<KeyValue>,
    #[wire("0+")]
    pub task_offsets: Vec<TaskOffset>,
    #[wire("0+")]
    pub task_end_offsets: Vec<TaskOffset>,
    #[wire("0+")]
    pub assignment: Assignment,
    #[wire("0+")]
    pub target_assignment: Assignment,
    #[wire("0+")]
    pub is_classic: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct Endpoint {
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
pub struct Assignment {
    #[wire("0+")]
    pub active_tasks: Vec<TaskIds>,
    #[wire("0+")]
    pub standby_tasks: Vec<TaskIds>,
    #[wire("0+")]
    pub warmup_tasks: Vec<TaskIds>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TaskIds {
    #[wire("0+")]
    pub subtopology_id: Text,
    #[wire("0+")]
    pub partitions: Vec<i32>,
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
