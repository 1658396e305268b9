use crate::{TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct StreamsGroupMemberMetadataKey {
    #[wire("0")]
    pub group_id: Text,
    #[wire("0")]
    pub member_id: Text,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct StreamsGroupMemberMetadataValue {
    #[wire("0+", nullable = "0+")]
    pub instance_id: Option<Text>,
    #[wire("0+", nullable = "0+")]
    pub rack_id: Option<Text>,
    #[wire("0+")]
    pub client_id: Text,
    #[wire("0+")]
    pub client_host: Text,
    #[wire("0+", default = -1)]
    pub rebalance_timeout_ms: i32,
    #[wire("0+")]
    pub topology_epoch: i32,
    #[wire("0+")]
    pub process_id: Text,
    #[wire("0+", nullable = "0+", default = null)]
    pub user_endpoint: Option<Endpoint>,
    #[wire("0+")]
    pub client_tags: Vec<KeyValue>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct Endpoint {
    #[wire("0+")]
    pub host: Text,
    #[wire("0+")]
    pub port: u16,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct KeyValue {
    #[wire("0+")]
    pub key: Text,
    #[wire("0+")]
    pub value: Text,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
