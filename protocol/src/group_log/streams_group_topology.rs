use crate::{TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct StreamsGroupTopologyKey {
    #[wire("0")]
    pub group_id: Text,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct StreamsGroupTopologyValue {
    #[wire("0+")]
    pub epoch: i32,
    #[wire("0+")]
    pub subtopologies: Vec<Subtopology>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct Subtopology {
    #[wire("0+")]
    pub subtopology_id: Text,
    #[wire("0+")]
    pub source_topics: Vec<Text>,
    #[wire("0+")]
    pub source_topic_regex: Vec<Text>,
    #[wire("0+")]
    pub state_changelog_topics: Vec<TopicInfo>,
    #[wire("0+")]
    pub repartition_sink_topics: Vec<Text>,
    #[wire("0+")]
    pub repartition_source_topics: Vec<TopicInfo>,
    #[wire("0+")]
    pub copartition_groups: Vec<CopartitionGroup>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct CopartitionGroup {
    #[wire("0+")]
    pub source_topics: Vec<i16>,
    #[wire("0+")]
    pub source_topic_regex: Vec<i16>,
    #[wire("0+")]
    pub repartition_source_topics: Vec<i16>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TopicConfig {
    #[wire("0+", name = "key")]
    pub key: Text,
    #[wire("0+", name = "value")]
    pub value: Text,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TopicInfo {
    #[wire("0+")]
    pub name: Text,
    #[wire("0+")]
    pub partitions: i32,
    #[wire("0+")]
    pub replication_factor: i16,
    #[wire("0+")]
    pub topic_configs: Vec<TopicConfig>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
