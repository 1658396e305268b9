//! A consumer group (KIP-848) exists, and which epoch it is in.
//!
//! Written whenever the epoch rises: a member came, went or changed what it subscribes to, or the
//! subscribed topics changed. An epoch above that of the target assignment means that a new target must
//! be computed. The tombstone ends the group, and comes after the tombstones of its members and of its
//! target: the group was deleted, lost its last offset while empty, or went back to the classic protocol.
//!
//! `metadata_hash` came as a tagged field with Kafka 4.1 (KIP-1101), in place of
//! `ConsumerGroupPartitionMetadata`.

use crate::{TaggedFields, Text, Wire};

/// Which group.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct ConsumerGroupMetadataKey {
    /// The group's id.
    #[wire("0")]
    pub group_id: Text,
}

/// The epoch, and what the subscribed topics looked like in it.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct ConsumerGroupMetadataValue {
    /// The epoch of the group, which only rises.
    #[wire("0+")]
    pub epoch: i32,
    /// A hash over the subscribed topics, their partitions and racks; another one calls for a new epoch.
    /// 0 = no topics.
    #[wire("0+", tag = 0)]
    pub metadata_hash: i64,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
