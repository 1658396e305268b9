//! JoinGroup enters a classic group, or enters it again for a rebalance. Consumers and Connect workers
//! send it to the group's coordinator, which holds all answers back until everyone has joined or the
//! rebalance timeout is over, then starts a new generation. One member is the leader: it alone gets the
//! list of members, works out the assignment and hands it in with SyncGroup.
//!
//! A newcomer has no member id. From v4 on it is answered `MEMBER_ID_REQUIRED` with an id, and joins again
//! with that, so that lost answers leave no ghost members. Static members are spared this. Other errors:
//! `UNKNOWN_MEMBER_ID` (join with an empty id), `FENCED_INSTANCE_ID` (fatal),
//! `INCONSISTENT_GROUP_PROTOCOL` (nothing in common with the group), `INVALID_SESSION_TIMEOUT`,
//! `GROUP_MAX_SIZE_REACHED`, `INVALID_GROUP_ID`.
//!
//! - v1: rebalance timeout of its own (KIP-62). v2: throttle time.
//! - v3: same bytes; a throttled client gets its answer at once and waits afterwards.
//! - v4: the second join with the id given (KIP-394).
//! - v5: `group_instance_id` (KIP-345). v6: flexible encoding.
//! - v7: the answer tells the protocol type, and its protocol name may be null (KIP-559).
//! - v8: reason (KIP-800). v9: `skip_assignment` (KIP-814).

use crate::{Bytes, ErrorCode, TaggedFields, Text, Wire};

/// A member, and what it can do.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-9", flexible = "6+")]
pub struct JoinGroupRequest {
    /// The group to join; created on first use.
    #[wire("0+")]
    pub group_id: Text,
    /// How long the member may be silent before it is removed, in milliseconds; the broker sets bounds.
    #[wire("0+")]
    pub session_timeout_ms: i32,
    /// How long a rebalance waits for this member to join again, in milliseconds. v0 has none: the session
    /// timeout serves.
    #[wire("1+", default = -1, ignorable)]
    pub rebalance_timeout_ms: i32,
    /// The id that the coordinator gave; empty = none yet.
    #[wire("0+")]
    pub member_id: Text,
    /// The configured id of a static member, which keeps its assignment over a restart; null = a dynamic
    /// one.
    #[wire("5+", nullable = "5+", default = null)]
    pub group_instance_id: Option<Text>,
    /// What the group is for, the same for all its members: `consumer`, `connect`, …
    #[wire("0+")]
    pub protocol_type: Text,
    /// What the member can run (for consumers, its assignors), the preferred first; one has to suit all
    /// members.
    #[wire("0+")]
    pub protocols: Vec<JoinGroupRequestProtocol>,
    /// Why it joins, for the broker's log; null = not told.
    #[wire("8+", nullable = "8+", default = null, ignorable)]
    pub reason: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A protocol that a member can run.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct JoinGroupRequestProtocol {
    /// The protocol's name; for consumers the assignor's, such as `range`.
    #[wire("0+")]
    pub name: Text,
    /// What the leader needs to know of the member under this protocol; for consumers, the subscription.
    /// Opaque to the broker.
    #[wire("0+")]
    pub metadata: Bytes,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The new generation, as this member sees it.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-9", flexible = "6+")]
pub struct JoinGroupResponse {
    /// How long the broker holds this client back for exceeding a quota, in milliseconds; 0 = not at all.
    #[wire("2+", ignorable)]
    pub throttle_time_ms: i32,
    /// Why the member is not in, if so.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// The generation's number, to be repeated in every request as its member; -1 beside an error.
    #[wire("0+", default = -1)]
    pub generation_id: i32,
    /// The group's protocol type; null beside an error.
    #[wire("7+", nullable = "7+", default = null, ignorable)]
    pub protocol_type: Option<Text>,
    /// The protocol that the coordinator chose from those that all members can run; null beside an error,
    /// before v7 empty.
    #[wire("0+", nullable = "7+")]
    pub protocol_name: Option<Text>,
    /// The member id of the leader, who is this member if it equals `member_id`; empty beside an error.
    #[wire("0+")]
    pub leader: Text,
    /// Whether the leader shall not assign: a static one that came back, where nothing else has changed.
    #[wire("9+")]
    pub skip_assignment: bool,
    /// The member's id: its own, or a new one, also beside `MEMBER_ID_REQUIRED`.
    #[wire("0+")]
    pub member_id: Text,
    /// All members, for the leader; empty for everyone else.
    #[wire("0+")]
    pub members: Vec<JoinGroupResponseMember>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A member, as the leader sees it.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct JoinGroupResponseMember {
    /// The member's id.
    #[wire("0+")]
    pub member_id: Text,
    /// The configured id of a static member; null = a dynamic one.
    #[wire("5+", nullable = "5+", default = null, ignorable)]
    pub group_instance_id: Option<Text>,
    /// What the member sent for the chosen protocol.
    #[wire("0+")]
    pub metadata: Bytes,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
