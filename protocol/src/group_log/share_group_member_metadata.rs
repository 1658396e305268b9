use crate::{TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct ShareGroupMemberMetadataKey {
    #[wire("0")]
    pub group_id: Text,
    #[wire("0")]
    pub member_id: Text,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct ShareGroupMemberMetadataValue {
    #[wire("0+", nullable = "0+")]
    pub rack_id: Option<Text>,
    #[wire("0+")]
    pub client_id: Text,
    #[wire("0+")]
    pub client_host: Text,
    #[wire("0+")]
    pub subscribed_topic_names: Vec<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
