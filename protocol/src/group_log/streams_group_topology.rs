//! The topology of a Kafka Streams application, as its streams group knows it (KIP-1071).
//!
//! Written when the heartbeat of a member brings the group its topology. A reader keeps it whole, and
//! works out from it and from the topics of the cluster which internal topics are missing and which tasks
//! there are; that result is not recorded. The tombstone comes with the end of the group, after that of
//! `StreamsGroupMetadata`, so a reader may find the group gone already.

use crate::{TaggedFields, Text, Wire};

/// Which group.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct StreamsGroupTopologyKey {
    /// The group's id, which is the application's id.
    #[wire("0")]
    pub group_id: Text,
}

/// The whole topology.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct StreamsGroupTopologyValue {
    /// The version of the topology, as the application gave it; a higher one is newer.
    #[wire("0+")]
    pub epoch: i32,
    /// The parts that are connected with each other through topics only.
    #[wire("0+")]
    pub subtopologies: Vec<Subtopology>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A connected part of the topology, which runs as one task per partition of its input.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct Subtopology {
    /// The id by which tasks name it; unique within the topology.
    #[wire("0+")]
    pub subtopology_id: Text,
    /// The users' topics that it reads, by name.
    #[wire("0+")]
    pub source_topics: Vec<Text>,
    /// Patterns for the topics that it reads. Kafka 4.x refuses heartbeats with such patterns.
    #[wire("0+")]
    pub source_topic_regex: Vec<Text>,
    /// The internal topics that its state stores are restored from.
    #[wire("0+")]
    pub state_changelog_topics: Vec<TopicInfo>,
    /// The internal repartition topics that it writes to, by name; another entry describes each as its
    /// source.
    #[wire("0+")]
    pub repartition_sink_topics: Vec<Text>,
    /// The internal repartition topics that it reads, with how to create them.
    #[wire("0+")]
    pub repartition_source_topics: Vec<TopicInfo>,
    /// Sets of its inputs that must have equally many partitions.
    #[wire("0+")]
    pub copartition_groups: Vec<CopartitionGroup>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Inputs of a subtopology that must fit each other, named by their places in its lists.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct CopartitionGroup {
    /// Indexes into `source_topics` of the subtopology, from 0.
    #[wire("0+")]
    pub source_topics: Vec<i16>,
    /// Indexes into `source_topic_regex` of the subtopology, from 0.
    #[wire("0+")]
    pub source_topic_regex: Vec<i16>,
    /// Indexes into `repartition_source_topics` of the subtopology, from 0.
    #[wire("0+")]
    pub repartition_source_topics: Vec<i16>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A setting to create an internal topic with.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TopicConfig {
    /// The setting's name, such as `cleanup.policy`.
    #[wire("0+", name = "key")]
    pub key: Text,
    /// The setting's value, as text.
    #[wire("0+", name = "value")]
    pub value: Text,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// An internal topic, and how to create it.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TopicInfo {
    /// The full name of the topic.
    #[wire("0+")]
    pub name: Text,
    /// How many partitions it shall have; 0 = as many as follow from other topics, and always so for
    /// changelogs.
    #[wire("0+")]
    pub partitions: i32,
    /// How many replicas it shall have; 0 = the cluster's default.
    #[wire("0+")]
    pub replication_factor: i16,
    /// Settings other than the defaults.
    #[wire("0+")]
    pub topic_configs: Vec<TopicConfig>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
