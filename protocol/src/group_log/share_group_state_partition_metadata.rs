use crate::{TaggedFields, Text, Uuid, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct ShareGroupStatePartitionMetadataKey {
    #[wire("0")]
    pub group_id: Text,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct ShareGroupStatePartitionMetadataValue {
    #[wire("0+")]
    pub initializing_topics: Vec<TopicPartitionsInfo>,
    #[wire("0+")]
    pub initialized_topics: Vec<TopicPartitionsInfo>,
    #[wire("0+")]
    pub deleting_topics: Vec<TopicInfo>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TopicPartitionsInfo {
    #[wire("0+")]
    pub topic_id: Uuid,
    #[wire("0+")]
    pub topic_name: Text,
    #[wire("0+")]
    pub partitions: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TopicInfo {
    #[wire("0+")]
    pub topic_id: Uuid,
    #[wire("0+")]
    pub topic_name: Text,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
