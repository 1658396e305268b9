//! Describes the groups of Kafka Streams applications: topology, members and tasks (KIP-1071).
//!
//! Admin tools (`kafka-streams-groups.sh --describe`) send it to each group's coordinator; groups with
//! different coordinators need different requests. Only groups that speak the streams protocol are found:
//! older Streams applications are classic groups, see DescribeGroups.
//!
//! What an implementer must know:
//! - Each group has its own error: GROUP_ID_NOT_FOUND (also for a group of another kind),
//!   NOT_COORDINATOR, GROUP_AUTHORIZATION_FAILED, and TOPIC_AUTHORIZATION_FAILED if its topology has a
//!   topic that the caller may not DESCRIBE.
//! - A task is a subtopology plus a partition number; assignments speak of tasks,
//!   never of topic partitions.
//! - A member is settled once `assignment` equals `target_assignment`.
//!
//! What changed between versions:
//! - v0: the only version, flexible.

use crate::{ErrorCode, TaggedFields, Text, Wire};

/// Names the groups to describe.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct StreamsGroupDescribeRequest {
    /// The groups, all with the same coordinator.
    #[wire("0+")]
    pub group_ids: Vec<Text>,
    /// Whether to say what the caller may do with each group.
    #[wire("0+")]
    pub include_authorized_operations: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The groups.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct StreamsGroupDescribeResponse {
    /// How long the client is to send nothing, for it exceeded a quota, in milliseconds; 0 = no limit.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// One entry for each group of the request.
    #[wire("0+")]
    pub groups: Vec<DescribedGroup>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One streams group.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribedGroup {
    /// Why the group cannot be described; then nothing but its id and the message is of use.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// What went wrong, for people to read; null = nothing did.
    #[wire("0+", nullable = "0+", default = null)]
    pub error_message: Option<Text>,
    /// The group, as in the request; the application's id.
    #[wire("0+")]
    pub group_id: Text,
    /// The state's name, such as `Empty`, `NotReady`, `Assigning`, `Reconciling` or `Stable`.
    #[wire("0+")]
    pub group_state: Text,
    /// Rises with each change of members, topology or topics.
    #[wire("0+")]
    pub group_epoch: i32,
    /// The group epoch for which the target assignment was computed.
    #[wire("0+")]
    pub assignment_epoch: i32,
    /// The topology that the group runs; null = not known, as beside an error.
    #[wire("0+", nullable = "0+", default = null)]
    pub topology: Option<Topology>,
    /// The members, in no promised order.
    #[wire("0+")]
    pub members: Vec<Member>,
    /// Bit n set = the caller may do the ACL operation of code n; `i32::MIN` = not asked.
    #[wire("0+", default = -2147483648)]
    pub authorized_operations: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// An application's processing graph, as far as brokers need it.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct Topology {
    /// The topology's version; members with another one get no tasks of it.
    #[wire("0+")]
    pub epoch: i32,
    /// Its parts with all topics resolved; null = not ready, for instance since
    /// source topics are missing.
    #[wire("0+", nullable = "0+", default = null)]
    pub subtopologies: Option<Vec<Subtopology>>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A part of the graph that runs as one task per partition.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct Subtopology {
    /// Its name, the same on every member.
    #[wire("0+")]
    pub subtopology_id: Text,
    /// The topics that it reads and that the application does not own.
    #[wire("0+")]
    pub source_topics: Vec<Text>,
    /// The repartition topics that it writes, for other subtopologies to read.
    #[wire("0+")]
    pub repartition_sink_topics: Vec<Text>,
    /// The topics that back its state stores; the coordinator creates them.
    #[wire("0+")]
    pub state_changelog_topics: Vec<TopicInfo>,
    /// The repartition topics that it reads; the coordinator creates them.
    #[wire("0+")]
    pub repartition_source_topics: Vec<TopicInfo>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One client of the application: a thread with a consumer of its own.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct Member {
    /// The id that the client made for itself.
    #[wire("0+")]
    pub member_id: Text,
    /// The epoch of the assignment that the member has.
    #[wire("0+")]
    pub member_epoch: i32,
    /// The static member's configured name; null = the member is not static.
    #[wire("0+", nullable = "0+", default = null)]
    pub instance_id: Option<Text>,
    /// Where the client stands, as it says; null = it does not say.
    #[wire("0+", nullable = "0+", default = null)]
    pub rack_id: Option<Text>,
    /// The client's name for itself, from the request header.
    #[wire("0+")]
    pub client_id: Text,
    /// The address from which the client is connected.
    #[wire("0+")]
    pub client_host: Text,
    /// The version of the topology that the member runs.
    #[wire("0+")]
    pub topology_epoch: i32,
    /// Which process the client belongs to; threads of one process share its state stores.
    #[wire("0+")]
    pub process_id: Text,
    /// Where the process answers interactive queries; null = it does not.
    #[wire("0+", nullable = "0+", default = null)]
    pub user_endpoint: Option<Endpoint>,
    /// Labels by which standby tasks are spread, such as zones.
    #[wire("0+")]
    pub client_tags: Vec<KeyValue>,
    /// How far the member has restored the state of its tasks.
    #[wire("0+")]
    pub task_offsets: Vec<TaskOffset>,
    /// How far it would have to go to have restored all of it.
    #[wire("0+")]
    pub task_end_offsets: Vec<TaskOffset>,
    /// The tasks that the member has.
    #[wire("0+")]
    pub assignment: Assignment,
    /// The tasks that it is to have.
    #[wire("0+")]
    pub target_assignment: Assignment,
    /// Whether it still speaks the classic protocol, in a group that is being migrated.
    #[wire("0+")]
    pub is_classic: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// An address for interactive queries.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct Endpoint {
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

/// Tasks, by what the member does with them.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct Assignment {
    /// Tasks that it processes.
    #[wire("0+")]
    pub active_tasks: Vec<TaskIds>,
    /// Tasks whose state it keeps up to date, to take over fast.
    #[wire("0+")]
    pub standby_tasks: Vec<TaskIds>,
    /// Tasks whose state it is restoring, to become active in them once it has caught up.
    #[wire("0+")]
    pub warmup_tasks: Vec<TaskIds>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Tasks of one subtopology.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TaskIds {
    /// The subtopology.
    #[wire("0+")]
    pub subtopology_id: Text,
    /// The partition numbers, one task each.
    #[wire("0+")]
    pub partitions: Vec<i32>,
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
    /// How many partitions it is to have; 0 = not prescribed, as always for changelogs in a heartbeat.
    #[wire("0+")]
    pub partitions: i32,
    /// How many replicas it is to have; 0 = the broker's default.
    #[wire("0+")]
    pub replication_factor: i16,
    /// Settings to create it with.
    #[wire("0+")]
    pub topic_configs: Vec<KeyValue>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
