use crate::{TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct ShareGroupMetadataKey {
    #[wire("0")]
    pub group_id: Text,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct ShareGroupMetadataValue {
    #[wire("0+")]
    pub epoch: i32,
    #[wire("0+")]
    pub metadata_hash: i64,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
