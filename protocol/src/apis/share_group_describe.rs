//! Describes share groups: their members, and who reads which partitions.
//!
//! Admin tools (`kafka-share-groups.sh --describe`) send it to each group's coordinator; groups with
//! different coordinators need different requests. How far a group has read is another API:
//! DescribeShareGroupOffsets.
//!
//! What an implementer must know:
//! - Each group has its own error: GROUP_ID_NOT_FOUND (also for a group of another kind),
//!   NOT_COORDINATOR, GROUP_AUTHORIZATION_FAILED, and TOPIC_AUTHORIZATION_FAILED if its members read a
//!   topic that the caller may not DESCRIBE.
//! - Unlike in consumer groups one partition may be assigned to several members.
//!
//! What changed between versions:
//! - v0: early access in Kafka 4.0, removed in 4.1. v1: the first stable version (KIP-932).

use crate::{ErrorCode, TaggedFields, Text, Uuid, Wire};

/// Names the groups to describe.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1", flexible = "0+")]
pub struct ShareGroupDescribeRequest {
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
#[message(versions = "1", flexible = "0+")]
pub struct ShareGroupDescribeResponse {
    /// How long the client is to send nothing, for it exceeded a quota, in milliseconds; 0 = no limit.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// One entry for each group of the request.
    #[wire("0+")]
    pub groups: Vec<DescribedGroup>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One share group.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribedGroup {
    /// Why the group cannot be described; then nothing but its id and the message is of use.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// What went wrong, for people to read; null = nothing did.
    #[wire("0+", nullable = "0+", default = null)]
    pub error_message: Option<Text>,
    /// The group, as in the request.
    #[wire("0+")]
    pub group_id: Text,
    /// `Empty`, `Stable` or `Dead`; the empty string beside an error.
    #[wire("0+")]
    pub group_state: Text,
    /// Rises with each change of members, subscriptions or partitions.
    #[wire("0+")]
    pub group_epoch: i32,
    /// The group epoch for which the present assignment was computed; behind `group_epoch` = one is due.
    #[wire("0+")]
    pub assignment_epoch: i32,
    /// Who computes the assignment: an assignor of the broker's, such as `simple`.
    #[wire("0+")]
    pub assignor_name: Text,
    /// The members, in no promised order.
    #[wire("0+")]
    pub members: Vec<Member>,
    /// Bit n set = the caller may do the ACL operation of code n; `i32::MIN` = not asked.
    #[wire("0+", default = -2147483648)]
    pub authorized_operations: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One member of the group.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct Member {
    /// The id that the client made for itself.
    #[wire("0+")]
    pub member_id: Text,
    /// Where the client stands, as it says; null = it does not say.
    #[wire("0+", nullable = "0+", default = null)]
    pub rack_id: Option<Text>,
    /// The epoch of the assignment that the member has.
    #[wire("0+")]
    pub member_epoch: i32,
    /// The client's name for itself, from the request header.
    #[wire("0+")]
    pub client_id: Text,
    /// The address from which the client is connected.
    #[wire("0+")]
    pub client_host: Text,
    /// The topics that it wants to read.
    #[wire("0+")]
    pub subscribed_topic_names: Vec<Text>,
    /// The partitions that it reads.
    #[wire("0+")]
    pub assignment: Assignment,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TopicPartitions {
    /// The topic's id.
    #[wire("0+")]
    pub topic_id: Uuid,
    /// The topic's name.
    #[wire("0+")]
    pub topic_name: Text,
    /// The partitions within the topic.
    #[wire("0+")]
    pub partitions: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// What a member reads.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct Assignment {
    /// The partitions, by topic.
    #[wire("0+")]
    pub topic_partitions: Vec<TopicPartitions>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
