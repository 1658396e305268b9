//! Ends a rebalance of a classic group: the leader hands in the assignment, everyone gets a share.
//!
//! After JoinGroup each member sends it to the coordinator. The leader's request brings an assignment
//! for every member, the others' bring none. The coordinator holds all answers until the leader's
//! request is there and its content is stored, then sends each member its own part. To the
//! coordinator the bytes mean nothing.
//!
//! What an implementer must know:
//! - REBALANCE_IN_PROGRESS: another rebalance began meanwhile; join again. ILLEGAL_GENERATION,
//!   UNKNOWN_MEMBER_ID and FENCED_INSTANCE_ID as in Heartbeat.
//! - A member for which the leader brings nothing gets empty bytes.
//! - In a stable group it is answered at once with the present assignment, for a
//!   member whose answer was lost.
//! - v5 on: a protocol type or name that is missing or differs from the group's is
//!   INCONSISTENT_GROUP_PROTOCOL.
//!
//! What changed between versions:
//! - v1: throttle time. v2: throttled answers come at once, the client does the waiting.
//! - v3: static members. v4: flexible. v5: protocol type and name, both ways (KIP-559).

use crate::{Bytes, ErrorCode, TaggedFields, Text, Wire};

/// Asks for the member's assignment, and brings all of them if it is the leader's.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-5", flexible = "4+")]
pub struct SyncGroupRequest {
    /// The group.
    #[wire("0+")]
    pub group_id: Text,
    /// The generation that JoinGroup answered; an older one is refused.
    #[wire("0+")]
    pub generation_id: i32,
    /// The member, by the id that JoinGroup answered.
    #[wire("0+")]
    pub member_id: Text,
    /// The static member's configured name; null = the member is not static.
    #[wire("3+", nullable = "3+", default = null)]
    pub group_instance_id: Option<Text>,
    /// The kind of group, such as `consumer`, as JoinGroup answered it.
    #[wire("5+", nullable = "5+", default = null, ignorable)]
    pub protocol_type: Option<Text>,
    /// The protocol that was chosen, as JoinGroup answered it, such as `range`.
    #[wire("5+", nullable = "5+", default = null, ignorable)]
    pub protocol_name: Option<Text>,
    /// The leader's: one per member. Empty from everyone else.
    #[wire("0+")]
    pub assignments: Vec<SyncGroupRequestAssignment>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// What one member is to get.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct SyncGroupRequestAssignment {
    /// The member.
    #[wire("0+")]
    pub member_id: Text,
    /// Its part, in the protocol's own format: for consumers that of the embedded assignment.
    #[wire("0+")]
    pub assignment: Bytes,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The member's assignment.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-5", flexible = "4+")]
pub struct SyncGroupResponse {
    /// How long the client is to send nothing, for it exceeded a quota, in milliseconds; 0 = no limit.
    #[wire("1+", ignorable)]
    pub throttle_time_ms: i32,
    /// NONE = the generation has begun, the member may work.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// The group's kind; null beside an error.
    #[wire("5+", nullable = "5+", default = null, ignorable)]
    pub protocol_type: Option<Text>,
    /// The group's protocol; null beside an error.
    #[wire("5+", nullable = "5+", default = null, ignorable)]
    pub protocol_name: Option<Text>,
    /// What the leader brought for this member; empty = nothing.
    #[wire("0+")]
    pub assignment: Bytes,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
