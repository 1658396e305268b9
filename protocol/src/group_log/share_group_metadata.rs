//! A share group (KIP-932) exists, and which epoch it is in.
//!
//! Written whenever the epoch rises: a member came, went or changed what it subscribes to, the subscribed
//! topics changed, or more partitions are ready to be shared. An epoch above that of the target
//! assignment means that a new target must be computed. A share group does not expire, even when empty:
//! the tombstone comes with DeleteGroups, after those of all else that the group had.

use crate::{TaggedFields, Text, Wire};

/// Which group.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct ShareGroupMetadataKey {
    /// The group's id.
    #[wire("0")]
    pub group_id: Text,
}

/// The epoch, and what the subscribed topics looked like in it.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct ShareGroupMetadataValue {
    /// The epoch of the group, which only rises.
    #[wire("0+")]
    pub epoch: i32,
    /// A hash over the subscribed topics, their partitions and racks; another one calls for a new epoch.
    /// 0 = no topics.
    #[wire("0+")]
    pub metadata_hash: i64,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
