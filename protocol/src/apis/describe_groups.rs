//! DescribeGroups tells the state of classic groups with their members, subscriptions and assignments.
//! Admin tools and lag monitors send it to the coordinator of the groups named; groups of the newer
//! protocols have APIs of their own.
//!
//! Trap: below v6 a group that does not exist is no error: the answer says state `Dead` and no members.
//! From v6 on it is `GROUP_ID_NOT_FOUND`, with state `Dead` beside it. A broker that does not coordinate a
//! group says `NOT_COORDINATOR` for it, one still reading the group's log says
//! `COORDINATOR_LOAD_IN_PROGRESS`; the caller lacks `DESCRIBE` on the group: `GROUP_AUTHORIZATION_FAILED`.
//!
//! Metadata and assignments are opaque to the broker. In groups of consumers they are the structures of
//! the consumer protocol (see the `embedded` module); Kafka Connect and others bring their own.
//!
//! - v1: throttle time. v2: same bytes; a throttled client gets its answer at once and waits afterwards.
//! - v3: authorized operations (KIP-430).
//! - v4: `group_instance_id` of static members (KIP-345).
//! - v5: flexible encoding.
//! - v6: missing groups are an error, with a message (KIP-1043).

use crate::{Bytes, ErrorCode, TaggedFields, Text, Wire};

/// Which groups to describe.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-6", flexible = "5+")]
pub struct DescribeGroupsRequest {
    /// The groups, all with the same coordinator: the one that this goes to.
    #[wire("0+")]
    pub groups: Vec<Text>,
    /// Whether to work out `authorized_operations` for every group.
    #[wire("3+")]
    pub include_authorized_operations: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The groups.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-6", flexible = "5+")]
pub struct DescribeGroupsResponse {
    /// How long the broker holds this client back for exceeding a quota, in milliseconds; 0 = not at all.
    #[wire("1+", ignorable)]
    pub throttle_time_ms: i32,
    /// One entry for each group of the request.
    #[wire("0+")]
    pub groups: Vec<DescribedGroup>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A group as its coordinator sees it.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribedGroup {
    /// Why this group is not described, if so.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// The failure in words; null when there was none.
    #[wire("6+", nullable = "6+", default = null)]
    pub error_message: Option<Text>,
    /// The group, as in the request.
    #[wire("0+")]
    pub group_id: Text,
    /// `Empty`, `PreparingRebalance`, `CompletingRebalance`, `Stable` or `Dead`; empty beside most errors.
    #[wire("0+")]
    pub group_state: Text,
    /// What the group is for, as its members said: `consumer`, `connect`, …; empty when nobody has.
    #[wire("0+")]
    pub protocol_type: Text,
    /// The protocol that all members agreed on, for consumers the assignor; empty unless `Stable`.
    #[wire("0+")]
    pub protocol_data: Text,
    /// The members; none in states `Empty` and `Dead`.
    #[wire("0+")]
    pub members: Vec<DescribedGroupMember>,
    /// What the caller may do with the group: bit n stands for the ACL operation with code n. `i32::MIN` =
    /// not asked.
    #[wire("3+", default = -2147483648)]
    pub authorized_operations: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribedGroupMember {
    /// The id that the coordinator gave the member when it joined.
    #[wire("0+")]
    pub member_id: Text,
    /// The configured id of a static member; null = a dynamic one.
    #[wire("4+", nullable = "4+", default = null, ignorable)]
    pub group_instance_id: Option<Text>,
    /// The client id in the header of the member's last JoinGroup.
    #[wire("0+")]
    pub client_id: Text,
    /// The address that it came from; Kafka writes it with a leading slash.
    #[wire("0+")]
    pub client_host: Text,
    /// What the member sent for the chosen protocol, for consumers the subscription; empty unless
    /// `Stable`.
    #[wire("0+")]
    pub member_metadata: Bytes,
    /// What the leader assigned to the member; empty unless `Stable`.
    #[wire("0+")]
    pub member_assignment: Bytes,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
