//! For which partitions a share group has state at the share coordinator (KIP-932).
//!
//! How far a share group has come in a partition is not in this topic: the share coordinator keeps it.
//! Before members may read a partition, its state must be initialized there, and at the end it must be
//! deleted. Each of these steps goes through another coordinator and may fail halfway, so each begins and
//! ends with this record, which always holds all three lists. A reader takes up what was under way; only
//! initialized partitions are assigned. The tombstone comes with the end of the group.

use crate::{TaggedFields, Text, Uuid, Wire};

/// Which group.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct ShareGroupStatePartitionMetadataKey {
    /// The group's id.
    #[wire("0")]
    pub group_id: Text,
}

/// All partitions with state, by how far they are.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct ShareGroupStatePartitionMetadataValue {
    /// The share coordinator was asked to initialize these, and has not yet confirmed.
    #[wire("0+")]
    pub initializing_topics: Vec<TopicPartitionsInfo>,
    /// These have state, and may be assigned.
    #[wire("0+")]
    pub initialized_topics: Vec<TopicPartitionsInfo>,
    /// The share coordinator was asked to delete the state of these, all partitions, and has not yet
    /// confirmed.
    #[wire("0+")]
    pub deleting_topics: Vec<TopicInfo>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Some partitions of one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TopicPartitionsInfo {
    /// The topic's id, which counts.
    #[wire("0+")]
    pub topic_id: Uuid,
    /// The topic's name, for people; Kafka writes `<UNKNOWN>` when it no longer knows the topic.
    #[wire("0+")]
    pub topic_name: Text,
    /// Partition numbers within the topic.
    #[wire("0+")]
    pub partitions: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One topic with all its partitions.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TopicInfo {
    /// The topic's id, which counts.
    #[wire("0+")]
    pub topic_id: Uuid,
    /// The topic's name, for people; Kafka writes `<UNKNOWN>` when it no longer knows the topic.
    #[wire("0+")]
    pub topic_name: Text,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
