//! ConsumerGroupDescribe: shows groups that run the consumer protocol of KIP-848, with members and
//! assignments.
//!
//! A tool sends it to the coordinator of the groups. It knows these groups only: a classic group is
//! answered with `GROUP_ID_NOT_FOUND`, whereupon admin clients ask again with DescribeGroups. Each group
//! has its own error; there is none on top.
//!
//! The epochs tell how far a rebalance has come. The group epoch rises with every change of members,
//! subscriptions or topics; the assignment epoch follows once the target is computed for it; each
//! member's epoch follows when the member has given up what it must give up and moved on. In a stable
//! group all three are equal.
//!
//! `TOPIC_AUTHORIZATION_FAILED` for a group means that the caller may not see some topic its members use,
//! and hides all of its members. Other errors: `GROUP_AUTHORIZATION_FAILED`, `INVALID_GROUP_ID` and the
//! coordinator's three.
//!
//! - v1: adds `member_type`, for groups that are moving from the classic protocol (KIP-1099).

use crate::{ErrorCode, TaggedFields, Text, Uuid, Wire};

/// The groups to show.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "0+")]
pub struct ConsumerGroupDescribeRequest {
    /// The groups, all of which must belong to the coordinator that is asked.
    #[wire("0+")]
    pub group_ids: Vec<Text>,
    /// True = also compute `authorized_operations`.
    #[wire("0+")]
    pub include_authorized_operations: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One entry per group.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "0+")]
pub struct ConsumerGroupDescribeResponse {
    /// Milliseconds for which a quota holds the client back; 0 = no quota was exceeded.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// The groups, each with its own error.
    #[wire("0+")]
    pub groups: Vec<DescribedGroup>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One group, as of its coordinator's committed state.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribedGroup {
    /// `NONE`, or why this group cannot be shown; everything but `group_id` means nothing then.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// Says more about `error_code`, for people; null without an error.
    #[wire("0+", nullable = "0+", default = null)]
    pub error_message: Option<Text>,
    /// The group, as in the request.
    #[wire("0+")]
    pub group_id: Text,
    /// `Empty`, `Assigning` (target being computed), `Reconciling` (members moving to it), `Stable` or
    /// `Dead`; empty beside an error.
    #[wire("0+")]
    pub group_state: Text,
    /// Rises whenever members, subscriptions or the topics' partitions change.
    #[wire("0+")]
    pub group_epoch: i32,
    /// The group epoch for which the target assignment was computed; lower than `group_epoch` while that
    /// is under way.
    #[wire("0+")]
    pub assignment_epoch: i32,
    /// The assignor on the broker's side that computes targets, such as `uniform` or `range`.
    #[wire("0+")]
    pub assignor_name: Text,
    /// The members; empty when the group is.
    #[wire("0+")]
    pub members: Vec<Member>,
    /// What the caller may do with the group: bit n stands for the ACL operation with code n. i32::MIN =
    /// not asked for.
    #[wire("0+", default = -2147483648)]
    pub authorized_operations: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One member of a group.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct Member {
    /// Names the member for as long as it lives.
    #[wire("0+")]
    pub member_id: Text,
    /// The configured name of a static member, which survives restarts; null = dynamic.
    #[wire("0+", nullable = "0+", default = null)]
    pub instance_id: Option<Text>,
    /// The failure zone that the member says it is in; null = none.
    #[wire("0+", nullable = "0+", default = null)]
    pub rack_id: Option<Text>,
    /// The epoch that the member has reached; it trails `assignment_epoch` until it has revoked what it
    /// must.
    #[wire("0+")]
    pub member_epoch: i32,
    /// The client id of the member's request headers.
    #[wire("0+")]
    pub client_id: Text,
    /// The address from which it connects, as the broker sees it.
    #[wire("0+")]
    pub client_host: Text,
    /// The topics it subscribed to by name.
    #[wire("0+")]
    pub subscribed_topic_names: Vec<Text>,
    /// The pattern it subscribed with; null = none.
    #[wire("0+", nullable = "0+", default = null)]
    pub subscribed_topic_regex: Option<Text>,
    /// What the member owns now.
    #[wire("0+")]
    pub assignment: Assignment,
    /// What it shall own once the rebalance is through. Equal to `assignment` in a stable group.
    #[wire("0+")]
    pub target_assignment: Assignment,
    /// From v1: 0 = speaks the classic protocol, 1 = speaks the new one, -1 = not known.
    #[wire("1+", default = -1, ignorable)]
    pub member_type: i8,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TopicPartitions {
    /// The topic's id.
    #[wire("0+")]
    pub topic_id: Uuid,
    /// The name that belongs to the id at present, for display.
    #[wire("0+")]
    pub topic_name: Text,
    /// Partition numbers within the topic.
    #[wire("0+")]
    pub partitions: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The partitions of one member.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct Assignment {
    /// The partitions, by topic.
    #[wire("0+")]
    pub topic_partitions: Vec<TopicPartitions>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
