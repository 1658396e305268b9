//! ListGroups names the groups that a broker coordinates, of every kind. Admin tools and lag monitors send
//! it to each broker in turn and put the answers together; no broker knows them all.
//!
//! A caller with `DESCRIBE` on the cluster sees every group, any other those that it may describe; the
//! rest is missing without an error. `COORDINATOR_LOAD_IN_PROGRESS` and `COORDINATOR_NOT_AVAILABLE` mean
//! that the list would not be whole.
//!
//! Trap: a client of today meets groups that are not consumers': the type tells, and the protocol type for
//! classic groups. A group that only commits offsets, without members, has an empty protocol type.
//!
//! - v1: throttle time.
//! - v2: same bytes; a throttled client gets its answer at once and waits afterwards.
//! - v3: flexible encoding.
//! - v4: states, and choosing by state (KIP-518).
//! - v5: types, and choosing by type (KIP-848).

use crate::{ErrorCode, TaggedFields, Text, Wire};

/// Which groups to list.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-5", flexible = "3+")]
pub struct ListGroupsRequest {
    /// The states to list, such as `Stable` or `Empty`; empty = all.
    #[wire("4+")]
    pub states_filter: Vec<Text>,
    /// The types to list, such as `classic` or `consumer`; empty = all.
    #[wire("5+")]
    pub types_filter: Vec<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The groups of one broker.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-5", flexible = "3+")]
pub struct ListGroupsResponse {
    /// How long the broker holds this client back for exceeding a quota, in milliseconds; 0 = not at all.
    #[wire("1+", ignorable)]
    pub throttle_time_ms: i32,
    /// Why the list is missing or not whole, if so.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// The groups that the broker coordinates and that passed the filters.
    #[wire("0+")]
    pub groups: Vec<ListedGroup>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A group.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ListedGroup {
    /// The group's id.
    #[wire("0+")]
    pub group_id: Text,
    /// What the group is for, as its members said: `consumer`, `connect`, …; empty when nobody has.
    #[wire("0+")]
    pub protocol_type: Text,
    /// Its state; which states there are depends on the type.
    #[wire("4+", ignorable)]
    pub group_state: Text,
    /// The protocol it runs: `classic`, `consumer`, `share`, `streams`.
    #[wire("5+", ignorable)]
    pub group_type: Text,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
