//! LeaveGroup takes members out of a classic group, so that a rebalance starts now and not after the
//! session timeout. A consumer sends it to the coordinator when it closes or unsubscribes; admin clients
//! send it to remove members, static ones above all, since those do not leave by themselves when they shut
//! down.
//!
//! Up to v2 a request names one member and the error at the top is that member's. From v3 on it names any
//! number, each with its own error: `UNKNOWN_MEMBER_ID`, or `FENCED_INSTANCE_ID` when the instance id
//! belongs to another member id. The top then tells of the request as a whole: `NOT_COORDINATOR`,
//! `COORDINATOR_LOAD_IN_PROGRESS`, `GROUP_AUTHORIZATION_FAILED`, `INVALID_GROUP_ID`.
//!
//! - v1: throttle time.
//! - v2: same bytes; a throttled client gets its answer at once and waits afterwards.
//! - v3: many members, named by member id or instance id (KIP-345).
//! - v4: flexible encoding.
//! - v5: reason (KIP-800).

use crate::{ErrorCode, TaggedFields, Text, Wire};

/// Members that leave.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-5", flexible = "4+")]
pub struct LeaveGroupRequest {
    /// The group to leave.
    #[wire("0+")]
    pub group_id: Text,
    /// The member that leaves: the sender.
    #[wire("0-2")]
    pub member_id: Text,
    /// The members that leave; one when a client speaks for itself.
    #[wire("3+")]
    pub members: Vec<MemberIdentity>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A member that leaves.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct MemberIdentity {
    /// The member's id; empty = whichever member holds `group_instance_id`.
    #[wire("3+")]
    pub member_id: Text,
    /// The configured id of a static member; null = a dynamic one.
    #[wire("3+", nullable = "3+", default = null)]
    pub group_instance_id: Option<Text>,
    /// Why it leaves, for the broker's log; null = not told.
    #[wire("5+", nullable = "5+", default = null, ignorable)]
    pub reason: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Whether they are out.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-5", flexible = "4+")]
pub struct LeaveGroupResponse {
    /// How long the broker holds this client back for exceeding a quota, in milliseconds; 0 = not at all.
    #[wire("1+", ignorable)]
    pub throttle_time_ms: i32,
    /// Why nobody was taken out, if so; up to v2 also what is wrong with the one member.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// One entry for each member of the request.
    #[wire("3+")]
    pub members: Vec<MemberResponse>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of one member.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct MemberResponse {
    /// The member's id, as in the request.
    #[wire("3+")]
    pub member_id: Text,
    /// The instance id, as in the request; null = none.
    #[wire("3+", nullable = "3+")]
    pub group_instance_id: Option<Text>,
    /// Why this member is not out, if so.
    #[wire("3+")]
    pub error_code: ErrorCode,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
