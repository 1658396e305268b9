use crate::{Bytes, TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct ConsumerGroupMemberMetadataKey {
    #[wire("0")]
    pub group_id: Text,
    #[wire("0")]
    pub member_id: Text,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct ConsumerGroupMemberMetadataValue {
    #[wire("0+", nullable = "0+")]
    pub instance_id: Option<Text>,
    #[wire("0+", nullable = "0+")]
    pub rack_id: Option<Text>,
    #[wire("0+")]
    pub client_id: Text,
    #[wire("0+")]
    pub client_host: Text,
    #[wire("0+")]
    pub subscribed_topic_names: Vec<Text>,
    #[wire("0+", nullable = "0+")]
    pub subscribed_topic_regex: Option<Text>,
    #[wire("0+", default = -1)]
    pub rebalance_timeout_ms: i32,
    #[wire("0+", nullable = "0+")]
    pub server_assignor: Option<Text>,
    /// What is kept of a member that speaks the classic protocol; null for one that does not. Left out it means empty, not null: null is written out.
    #[wire("0+", nullable = "0+", tag = 0)]
    pub classic_member_metadata: Option<ClassicMemberMetadata>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ClassicMemberMetadata {
    #[wire("0+")]
    pub session_timeout_ms: i32,
    #[wire("0+")]
    pub supported_protocols: Vec<ClassicProtocol>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ClassicProtocol {
    #[wire("0+")]
    pub name: Text,
    #[wire("0+")]
    pub metadata: Bytes,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
