//! ConsumerGroupHeartbeat: the one request with which a consumer joins, stays in and leaves a group of
//! the new protocol (KIP-848).
//!
//! A consumer sends it to the group's coordinator at the interval that the coordinator sets, and at once
//! when something changed. The coordinator computes assignments; each member is brought to its target
//! alone, without a barrier: it is told to give up partitions, confirms by naming what it still owns, and
//! only then do they go to others.
//!
//! Both sides send only what changed; null means "as before". The first heartbeat (epoch 0) and the first
//! after an error or a lost answer must be complete. On `UNKNOWN_MEMBER_ID` and `FENCED_MEMBER_EPOCH` the
//! member drops its partitions at once and joins again with epoch 0 and the same id.
//! `UNRELEASED_INSTANCE_ID`: another member holds the static name. `UNSUPPORTED_ASSIGNOR`,
//! `GROUP_MAX_SIZE_REACHED` and `INVALID_REQUEST` are final; the coordinator's three errors are not.
//!
//! - v0: the coordinator chooses an id when `member_id` is empty at joining.
//! - v1: the member must choose its own id (KIP-1082), so that a repeated join cannot create two; adds
//!   `subscribed_topic_regex`, matched on the broker, with `INVALID_REGULAR_EXPRESSION`.

use crate::{ErrorCode, TaggedFields, Text, Uuid, Wire};

/// A member's sign of life, with what changed since the last one.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "0+")]
pub struct ConsumerGroupHeartbeatRequest {
    /// The group to join or to stay in; created by its first member. Must not be empty.
    #[wire("0+")]
    pub group_id: Text,
    /// Chosen by the member, a random UUID as text, and kept for the life of the process. In v0 empty at
    /// joining.
    #[wire("0+")]
    pub member_id: Text,
    /// The epoch that the last answer gave; 0 = join, -1 = leave, -2 = a static member goes but will be
    /// back.
    #[wire("0+")]
    pub member_epoch: i32,
    /// The configured name of a static member; null = a dynamic one, or as before.
    #[wire("0+", nullable = "0+", default = null)]
    pub instance_id: Option<Text>,
    /// The failure zone in which the member stands; null = none, or as before.
    #[wire("0+", nullable = "0+", default = null)]
    pub rack_id: Option<Text>,
    /// How long the member may take to give up partitions before it is thrown out, in milliseconds; -1 =
    /// as before. Required at joining.
    #[wire("0+", default = -1)]
    pub rebalance_timeout_ms: i32,
    /// The topics subscribed to by name, complete; empty = none, null = as before.
    #[wire("0+", nullable = "0+", default = null)]
    pub subscribed_topic_names: Option<Vec<Text>>,
    /// From v1: the pattern subscribed with, in RE2's syntax; empty = none any more, null = as before.
    #[wire("1+", nullable = "1+", default = null)]
    pub subscribed_topic_regex: Option<Text>,
    /// The assignor that the member would like; null = the coordinator's choice, or as before. The group
    /// uses the one that most members want.
    #[wire("0+", nullable = "0+", default = null)]
    pub server_assignor: Option<Text>,
    /// What the member owns now, which is how it confirms a revocation; null = as before, empty at
    /// joining.
    #[wire("0+", nullable = "0+", default = null)]
    pub topic_partitions: Option<Vec<RequestTopicPartitions>>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic that the member owns.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "TopicPartitions")]
pub struct RequestTopicPartitions {
    /// The topic's id.
    #[wire("0+")]
    pub topic_id: Uuid,
    /// Partition numbers within the topic.
    #[wire("0+")]
    pub partitions: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The member's epoch and, when it changed, its assignment.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "0+")]
pub struct ConsumerGroupHeartbeatResponse {
    /// Milliseconds for which a quota holds the client back; 0 = no quota was exceeded.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// `NONE`, or what the member must act upon; the fields below mean nothing then.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// Says more about `error_code`, for people; null without an error.
    #[wire("0+", nullable = "0+", default = null)]
    pub error_message: Option<Text>,
    /// The member's id; in v0 this is how a member learns the id that was chosen for it. Null beside an
    /// error.
    #[wire("0+", nullable = "0+", default = null)]
    pub member_id: Option<Text>,
    /// The epoch to name in the next heartbeat. A leaving member gets back its -1 or -2.
    #[wire("0+")]
    pub member_epoch: i32,
    /// How long to wait before the next heartbeat, in milliseconds; may change at any time.
    #[wire("0+")]
    pub heartbeat_interval_ms: i32,
    /// What the member shall own, complete; null = as before.
    #[wire("0+", nullable = "0+", default = null)]
    pub assignment: Option<Assignment>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions that the member may use at once. Those that others have yet to give up are not in it.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct Assignment {
    /// The partitions, by topic.
    #[wire("0+")]
    pub topic_partitions: Vec<ResponseTopicPartitions>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "TopicPartitions")]
pub struct ResponseTopicPartitions {
    /// The topic's id; the member looks the name up in its metadata.
    #[wire("0+")]
    pub topic_id: Uuid,
    /// Partition numbers within the topic.
    #[wire("0+")]
    pub partitions: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
