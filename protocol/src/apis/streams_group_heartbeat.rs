//! Joins the group of a Kafka Streams application, stays in it, and learns which tasks to run (KIP-1071).
//!
//! Each thread of the application sends it to the group's coordinator: with epoch 0 to join, then at the
//! interval it is told, with -1 to leave. The coordinator knows the application's topology, creates its
//! internal topics and hands out tasks: a task is a subtopology plus a partition number.
//!
//! What an implementer must know:
//! - The first heartbeat brings the topology, the rebalance timeout and empty task lists. Later ones
//!   bring only what changed, null else.
//! - The three task lists go together: a member reports what it owns, the coordinator gives a task to
//!   another member only when its owner no longer reports it.
//! - `status` is not an error: the member is in the group, and may still have no tasks,
//!   since topics are missing.
//! - UNKNOWN_MEMBER_ID and FENCED_MEMBER_EPOCH: give up all tasks and join anew.
//!   UNRELEASED_INSTANCE_ID: another member has that instance id. STREAMS_INVALID_TOPOLOGY,
//!   STREAMS_INVALID_TOPOLOGY_EPOCH and STREAMS_TOPOLOGY_FENCED concern the topology;
//!   CLUSTER_AUTHORIZATION_FAILED the right to create internal topics.
//! - Source topics by regular expression are on the wire, and brokers of 4.x refuse
//!   them with INVALID_REQUEST.
//!
//! What changed between versions:
//! - v0: the only version, flexible.

use crate::{ErrorCode, TaggedFields, Text, Wire};

/// A sign of life, and what has changed with the member.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct StreamsGroupHeartbeatRequest {
    /// The group, which is the application's id; created by the first member that joins.
    #[wire("0+")]
    pub group_id: Text,
    /// The id that the client made for itself; never empty, and the same for the client's whole life.
    #[wire("0+")]
    pub member_id: Text,
    /// 0 = join, -1 = leave, -2 = a static member leaves and comes back; else that of the last answer.
    #[wire("0+")]
    pub member_epoch: i32,
    /// The epoch of the endpoints that the member knows, as the last answer gave it.
    #[wire("0+")]
    pub endpoint_information_epoch: i32,
    /// The static member's configured name; null = not static, or as before.
    #[wire("0+", nullable = "0+", default = null)]
    pub instance_id: Option<Text>,
    /// Where the client stands; null = does not say, or as before.
    #[wire("0+", nullable = "0+", default = null)]
    pub rack_id: Option<Text>,
    /// How long the member may take to give up tasks, in milliseconds; -1 = as before.
    #[wire("0+", default = -1)]
    pub rebalance_timeout_ms: i32,
    /// The application's processing graph, on joining; null on every later heartbeat.
    #[wire("0+", nullable = "0+", default = null)]
    pub topology: Option<Topology>,
    /// The tasks that the member processes; null = as before.
    #[wire("0+", nullable = "0+", default = null)]
    pub active_tasks: Option<Vec<RequestTaskIds>>,
    /// The tasks whose state it keeps up to date; null = as before.
    #[wire("0+", nullable = "0+", default = null)]
    pub standby_tasks: Option<Vec<RequestTaskIds>>,
    /// The tasks whose state it is restoring; null = as before.
    #[wire("0+", nullable = "0+", default = null)]
    pub warmup_tasks: Option<Vec<RequestTaskIds>>,
    /// Which process the client belongs to; null = as before.
    #[wire("0+", nullable = "0+", default = null)]
    pub process_id: Option<Text>,
    /// Where the process answers interactive queries; null = nowhere, or as before.
    #[wire("0+", nullable = "0+", default = null)]
    pub user_endpoint: Option<RequestEndpoint>,
    /// Labels by which standby tasks are to be spread; null = as before.
    #[wire("0+", nullable = "0+", default = null)]
    pub client_tags: Option<Vec<KeyValue>>,
    /// How far the state of the tasks is restored; null = as before.
    #[wire("0+", nullable = "0+", default = null)]
    pub task_offsets: Option<Vec<TaskOffset>>,
    /// How far their changelogs reach; null = as before.
    #[wire("0+", nullable = "0+", default = null)]
    pub task_end_offsets: Option<Vec<TaskOffset>>,
    /// Whether all members are to shut down; they learn it by status 4.
    #[wire("0+")]
    pub shutdown_application: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// An application's processing graph, as far as brokers need it.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct Topology {
    /// The topology's version, which rises with each release of the application that changes it.
    #[wire("0+")]
    pub epoch: i32,
    /// Its parts, which share no state and are joined by topics alone.
    #[wire("0+")]
    pub subtopologies: Vec<Subtopology>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A part of the graph that runs as one task per partition.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct Subtopology {
    /// Its name, derived from the graph and so the same on every member.
    #[wire("0+")]
    pub subtopology_id: Text,
    /// The topics that it reads and that the application does not own.
    #[wire("0+")]
    pub source_topics: Vec<Text>,
    /// Expressions for more topics that it reads.
    #[wire("0+")]
    pub source_topic_regex: Vec<Text>,
    /// The topics that back its state stores; the coordinator creates them.
    #[wire("0+")]
    pub state_changelog_topics: Vec<TopicInfo>,
    /// The repartition topics that it writes, for other subtopologies to read.
    #[wire("0+")]
    pub repartition_sink_topics: Vec<Text>,
    /// The repartition topics that it reads; the coordinator creates them.
    #[wire("0+")]
    pub repartition_source_topics: Vec<TopicInfo>,
    /// Sets of topics that must have the same number of partitions, since they are joined.
    #[wire("0+")]
    pub copartition_groups: Vec<CopartitionGroup>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Topics of one subtopology that must have the same number of partitions.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct CopartitionGroup {
    /// Places in the subtopology's `source_topics`, from 0.
    #[wire("0+")]
    pub source_topics: Vec<i16>,
    /// Places in the subtopology's `source_topic_regex`, from 0.
    #[wire("0+")]
    pub source_topic_regex: Vec<i16>,
    /// Places in the subtopology's `repartition_source_topics`, from 0.
    #[wire("0+")]
    pub repartition_source_topics: Vec<i16>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A name and a value.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct KeyValue {
    /// The name.
    #[wire("0+")]
    pub key: Text,
    /// The value.
    #[wire("0+")]
    pub value: Text,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A topic that belongs to the application.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TopicInfo {
    /// The topic's name.
    #[wire("0+")]
    pub name: Text,
    /// How many partitions it must have; 0 = not prescribed. For a changelog anything else is refused.
    #[wire("0+")]
    pub partitions: i32,
    /// How many replicas to create it with; 0 = the broker's default.
    #[wire("0+")]
    pub replication_factor: i16,
    /// Settings to create it with.
    #[wire("0+")]
    pub topic_configs: Vec<KeyValue>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// An address for interactive queries.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "Endpoint")]
pub struct RequestEndpoint {
    /// The name or address.
    #[wire("0+")]
    pub host: Text,
    /// The port.
    #[wire("0+")]
    pub port: u16,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A position in the changelogs of one task.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TaskOffset {
    /// The task's subtopology.
    #[wire("0+")]
    pub subtopology_id: Text,
    /// The task's partition.
    #[wire("0+")]
    pub partition: i32,
    /// The sum of the offsets over the task's changelog partitions.
    #[wire("0+")]
    pub offset: i64,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Tasks of one subtopology that the member has.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "TaskIds")]
pub struct RequestTaskIds {
    /// The subtopology.
    #[wire("0+")]
    pub subtopology_id: Text,
    /// The partition numbers, one task each.
    #[wire("0+")]
    pub partitions: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The member's standing, and its tasks if they changed.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct StreamsGroupHeartbeatResponse {
    /// How long the client is to send nothing, for it exceeded a quota, in milliseconds; 0 = no limit.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// NONE = the member is in the group, or has left it as it asked.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// What went wrong, for people to read; null = nothing did.
    #[wire("0+", nullable = "0+", default = null)]
    pub error_message: Option<Text>,
    /// The member's id, as in the request.
    #[wire("0+")]
    pub member_id: Text,
    /// The epoch to send next time.
    #[wire("0+")]
    pub member_epoch: i32,
    /// How long to wait until the next heartbeat, in milliseconds.
    #[wire("0+")]
    pub heartbeat_interval_ms: i32,
    /// How far a task may be behind, in offsets, to count as caught up.
    #[wire("0+")]
    pub acceptable_recovery_lag: i32,
    /// How often to report `task_offsets`, in milliseconds.
    #[wire("0+")]
    pub task_offset_interval_ms: i32,
    /// What keeps the group from running as it should; empty or null = nothing.
    #[wire("0+", nullable = "0+")]
    pub status: Option<Vec<Status>>,
    /// The tasks to process, all of them; null = as before.
    #[wire("0+", nullable = "0+", default = null)]
    pub active_tasks: Option<Vec<ResponseTaskIds>>,
    /// The tasks whose state to keep up to date, all of them; null = as before.
    #[wire("0+", nullable = "0+", default = null)]
    pub standby_tasks: Option<Vec<ResponseTaskIds>>,
    /// The tasks whose state to restore, all of them; null = as before.
    #[wire("0+", nullable = "0+", default = null)]
    pub warmup_tasks: Option<Vec<ResponseTaskIds>>,
    /// The epoch of `partitions_by_user_endpoint`, to be sent back.
    #[wire("0+")]
    pub endpoint_information_epoch: i32,
    /// Which process has which partitions, for interactive queries; null = as before.
    #[wire("0+", nullable = "0+", default = null)]
    pub partitions_by_user_endpoint: Option<Vec<EndpointToPartitions>>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// What one process can be asked about.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct EndpointToPartitions {
    /// Where it answers interactive queries.
    #[wire("0+")]
    pub user_endpoint: ResponseEndpoint,
    /// The input partitions that its active tasks process.
    #[wire("0+")]
    pub active_partitions: Vec<TopicPartition>,
    /// The input partitions whose state its standby tasks keep.
    #[wire("0+")]
    pub standby_partitions: Vec<TopicPartition>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Something that the application or its operator should know.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct Status {
    /// 0 = stale topology, 1 = source topics missing, 2 = partition counts do not fit, 3 = internal
    /// topics missing, 4 = shut down, 5 = assignment delayed.
    #[wire("0+")]
    pub status_code: i8,
    /// The same in words, with the topics in question.
    #[wire("0+")]
    pub status_detail: Text,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TopicPartition {
    /// The topic's name.
    #[wire("0+")]
    pub topic: Text,
    /// The partitions within the topic.
    #[wire("0+")]
    pub partitions: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Tasks of one subtopology for the member to have.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "TaskIds")]
pub struct ResponseTaskIds {
    /// The subtopology.
    #[wire("0+")]
    pub subtopology_id: Text,
    /// The partition numbers, one task each.
    #[wire("0+")]
    pub partitions: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// An address for interactive queries.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "Endpoint")]
pub struct ResponseEndpoint {
    /// The name or address.
    #[wire("0+")]
    pub host: Text,
    /// The port.
    #[wire("0+")]
    pub port: u16,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
