use crate::{TaggedFields, Text, Uuid, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct ConsumerGroupPartitionMetadataKey {
    #[wire("0")]
    pub group_id: Text,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct ConsumerGroupPartitionMetadataValue {
    #[wire("0+")]
    pub topics: Vec<TopicMetadata>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TopicMetadata {
    #[wire("0+")]
    pub topic_id: Uuid,
    #[wire("0+")]
    pub topic_name: Text,
    #[wire("0+")]
    pub num_partitions: i32,
    #[wire("0+")]
    pub partition_metadata: Vec<PartitionMetadata>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct PartitionMetadata {
    #[wire("0+")]
    pub partition: i32,
    #[wire("0+")]
    pub racks: Vec<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
