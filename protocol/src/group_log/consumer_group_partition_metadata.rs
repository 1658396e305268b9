//! The topics that a consumer group was subscribed to, as they were when its epoch last rose (KIP-848).
//!
//! Kafka 4.0 and older wrote it next to the epoch, to notice that a topic got partitions or its racks
//! changed. From 4.1 on a hash in `ConsumerGroupMetadata` does that (KIP-1101): nothing reads the value
//! any more. A coordinator that meets one while it replays only remembers that it is there, and writes
//! the tombstone at a later heartbeat of the group.

use crate::{TaggedFields, Text, Uuid, Wire};

/// Which group.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct ConsumerGroupPartitionMetadataKey {
    /// The group's id.
    #[wire("0")]
    pub group_id: Text,
}

/// All topics that some member was subscribed to.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct ConsumerGroupPartitionMetadataValue {
    /// The topics that existed then, one entry each.
    #[wire("0+")]
    pub topics: Vec<TopicMetadata>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A topic as the group last saw it.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TopicMetadata {
    /// The topic's id.
    #[wire("0+")]
    pub topic_id: Uuid,
    /// The topic's name.
    #[wire("0+")]
    pub topic_name: Text,
    /// How many partitions the topic had.
    #[wire("0+")]
    pub num_partitions: i32,
    /// The racks by partition, from Kafka before 4.0 only; empty = not known.
    #[wire("0+")]
    pub partition_metadata: Vec<PartitionMetadata>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Where the replicas of a partition stood.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct PartitionMetadata {
    /// The partition number within the topic.
    #[wire("0+")]
    pub partition: i32,
    /// The racks of the brokers that held a replica, each once.
    #[wire("0+")]
    pub racks: Vec<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
