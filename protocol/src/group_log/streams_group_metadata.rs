//! A streams group (KIP-1071) exists, and which epoch it is in.
//!
//! Written whenever the epoch rises: a member came, went or changed, its topology or the topics in it
//! changed, all topics were found at last, or its settings for assignments are others now. An epoch above
//! that of the target assignment means that a new target must be computed. The tombstone ends the group,
//! and comes after those of its members and its target.
//!
//! Older records lack `validated_topology_epoch` and `last_assignment_configs`, the tagged fields.

use crate::{TaggedFields, Text, Wire};

/// Which group.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct StreamsGroupMetadataKey {
    /// The group's id, which is the application's id.
    #[wire("0")]
    pub group_id: Text,
}

/// The epoch, and the circumstances that it rests on.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct StreamsGroupMetadataValue {
    /// The epoch of the group, which only rises.
    #[wire("0+")]
    pub epoch: i32,
    /// A hash over the topics of the topology, their partitions and racks; another one calls for a new
    /// epoch. 0 = no topics.
    #[wire("0+")]
    pub metadata_hash: i64,
    /// The epoch of the topology whose topics were all found, and fit; -1 = topics are missing or do not
    /// fit.
    #[wire("0+", default = -1, tag = 0)]
    pub validated_topology_epoch: i32,
    /// The settings for assignments in force then; others call for a new epoch. Null = none recorded.
    /// Left out, it reads as empty, not as null: null is written out.
    #[wire("0+", nullable = "0+", tag = 1)]
    pub last_assignment_configs: Option<Vec<LastAssignmentConfig>>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One setting of the group that the assignor goes by.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct LastAssignmentConfig {
    /// The setting's name, such as `num.standby.replicas`.
    #[wire("0+")]
    pub key: Text,
    /// The setting's value, as text.
    #[wire("0+")]
    pub value: Text,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
