//! Which epoch of a consumer group its target assignment was computed for (KIP-848).
//!
//! Written last of the records of a new target, after a `ConsumerGroupTargetAssignmentMember` for each
//! member whose part changed. A reader compares the epoch with that of the group: a lower one means that
//! the next target is due. The tombstone comes with the end of the group, after those of all members'
//! targets, and leaves the group without a target.
//!
//! `assignment_timestamp` came as a tagged field with Kafka 4.3 (KIP-1263).

use crate::{TaggedFields, Text, Wire};

/// Which group.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct ConsumerGroupTargetAssignmentMetadataKey {
    /// The group's id.
    #[wire("0")]
    pub group_id: Text,
}

/// For which epoch, and when, the target was computed.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct ConsumerGroupTargetAssignmentMetadataValue {
    /// The epoch of the group that the target belongs to; members reach this epoch as they adopt their
    /// part.
    #[wire("0+")]
    pub assignment_epoch: i32,
    /// When the computation ended, in milliseconds since 1970, so that the next keeps its distance; 0 =
    /// not known.
    #[wire("0+", tag = 0, ignorable)]
    pub assignment_timestamp: i64,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
