//! DeleteGroups: removes groups with all that their coordinator keeps about them, committed offsets above
//! all (KIP-229).
//!
//! A tool sends it to the coordinator of the groups, which is found group by group. It works for groups
//! of every kind. A group must have no members: `NON_EMPTY_GROUP`. A group that does not exist is
//! `GROUP_ID_NOT_FOUND`. Each group needs DELETE rights (`GROUP_AUTHORIZATION_FAILED`). Groups are
//! independent: some may go while others stay, and the coordinator's errors come per group too, never on
//! top.
//!
//! - v1: a throttled request is answered at once, and the client does the waiting (KIP-219).
//! - v2: flexible.

use crate::{ErrorCode, TaggedFields, Text, Wire};

/// The groups to remove.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-2", flexible = "2+")]
pub struct DeleteGroupsRequest {
    /// Group ids, despite the name; all must belong to the coordinator that is asked.
    #[wire("0+")]
    pub groups_names: Vec<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The result for each group.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-2", flexible = "2+")]
pub struct DeleteGroupsResponse {
    /// Milliseconds for which a quota holds the client back; 0 = no quota was exceeded.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// One entry per group of the request.
    #[wire("0+")]
    pub results: Vec<DeletableGroupResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The result for one group.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DeletableGroupResult {
    /// The group, as in the request.
    #[wire("0+")]
    pub group_id: Text,
    /// `NONE` = the group and its offsets are gone. This API has no error messages.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
