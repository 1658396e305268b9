use crate::{TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct StreamsGroupMetadataKey {
    #[wire("0")]
    pub group_id: Text,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct StreamsGroupMetadataValue {
    #[wire("0+")]
    pub epoch: i32,
    #[wire("0+")]
    pub metadata_hash: i64,
    #[wire("0+", default = -1, tag = 0)]
    pub validated_topology_epoch: i32,
    /// The configuration that the last assignment was made with. Left out it means empty, not null: null is written out.
    #[wire("0+", nullable = "0+", tag = 1)]
    pub last_assignment_configs: Option<Vec<LastAssignmentConfig>>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct LastAssignmentConfig {
    #[wire("0+")]
    pub key: Text,
    #[wire("0+")]
    pub value: Text,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
