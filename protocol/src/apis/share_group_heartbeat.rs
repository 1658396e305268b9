//! Joins a share group, stays in it, and learns which partitions to read (KIP-932).
//!
//! A share consumer sends it to the group's coordinator: with epoch 0 to join, then at the interval it is
//! told, with -1 to leave. Assignments come in the answers. There is nothing to revoke and nothing to
//! confirm: partitions are shared, so a member changes over at once.
//!
//! What an implementer must know:
//! - The client makes its member id (a UUID) itself and keeps it for the life of the process.
//! - The first heartbeat has all fields set; later ones only what changed, null else.
//! - UNKNOWN_MEMBER_ID: the coordinator dropped the member; it joins anew with epoch 0 and the same id.
//!   Its records that are still locked are its leaders' affair, not the coordinator's.
//! - INVALID_REQUEST: an empty id, or joining without topics. GROUP_MAX_SIZE_REACHED: no room.
//!   TOPIC_AUTHORIZATION_FAILED: the caller may not DESCRIBE a topic that it subscribes to.
//!
//! What changed between versions:
//! - v0: early access in Kafka 4.0, removed in 4.1. v1: the first stable version.

use crate::{ErrorCode, TaggedFields, Text, Uuid, Wire};

/// A sign of life, and what has changed with the member.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1", flexible = "0+")]
pub struct ShareGroupHeartbeatRequest {
    /// The share group; created by the first member that joins.
    #[wire("0+")]
    pub group_id: Text,
    /// The id that the client made for itself; never empty.
    #[wire("0+")]
    pub member_id: Text,
    /// 0 = join, -1 = leave; else the epoch of the last answer.
    #[wire("0+")]
    pub member_epoch: i32,
    /// Where the client stands; null = does not say, or as before.
    #[wire("0+", nullable = "0+", default = null)]
    pub rack_id: Option<Text>,
    /// The topics to read, all of them; null = as before.
    #[wire("0+", nullable = "0+", default = null)]
    pub subscribed_topic_names: Option<Vec<Text>>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The member's standing, and its partitions if they changed.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1", flexible = "0+")]
pub struct ShareGroupHeartbeatResponse {
    /// How long the client is to send nothing, for it exceeded a quota, in milliseconds; 0 = no limit.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// NONE = the member is in the group, or has left it as it asked.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// What went wrong, for people to read; null = nothing did.
    #[wire("0+", nullable = "0+", default = null)]
    pub error_message: Option<Text>,
    /// The member's id, as in the request; null beside an error.
    #[wire("0+", nullable = "0+", default = null)]
    pub member_id: Option<Text>,
    /// The epoch to send next time; -1 after leaving.
    #[wire("0+")]
    pub member_epoch: i32,
    /// How long to wait until the next heartbeat, in milliseconds.
    #[wire("0+")]
    pub heartbeat_interval_ms: i32,
    /// The partitions to read from now on, all of them; null = as before.
    #[wire("0+", nullable = "0+", default = null)]
    pub assignment: Option<Assignment>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// What the member is to read.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct Assignment {
    /// The partitions, by topic; empty = none for the time being.
    #[wire("0+")]
    pub topic_partitions: Vec<TopicPartitions>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TopicPartitions {
    /// The topic's id; its name has to be looked up by Metadata.
    #[wire("0+")]
    pub topic_id: Uuid,
    /// The partitions within the topic.
    #[wire("0+")]
    pub partitions: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
