use crate::{Bytes, TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct GroupMetadataKey {
    #[wire("0", name = "group")]
    pub group: Text,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-4", flexible = "4+")]
pub struct GroupMetadataValue {
    #[wire("0+", name = "protocolType")]
    pub protocol_type: Text,
    #[wire("0+", name = "generation")]
    pub generation: i32,
    #[wire("0+", nullable = "0+", name = "protocol")]
    pub protocol: Option<Text>,
    #[wire("0+", nullable = "0+", name = "leader")]
    pub leader: Option<Text>,
    #[wire("2+", default = -1, ignorable, name = "currentStateTimestamp")]
    pub current_state_timestamp: i64,
    #[wire("0+", name = "members")]
    pub members: Vec<MemberMetadata>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct MemberMetadata {
    #[wire("0+", name = "memberId")]
    pub member_id: Text,
    #[wire("3+", nullable = "3+", default = null, ignorable, name = "groupInstanceId")]
    pub group_instance_id: Option<Text>,
    #[wire("0+", name = "clientId")]
    pub client_id: Text,
    #[wire("0+", name = "clientHost")]
    pub client_host: Text,
    #[wire("1+", default = -1, ignorable, name = "rebalanceTimeout")]
    pub rebalance_timeout: i32,
    #[wire("0+", name = "sessionTimeout")]
    pub session_timeout: i32,
    #[wire("0+", name = "subscription")]
    pub subscription: Bytes,
    #[wire("0+", name = "assignment")]
    pub assignment: Bytes,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
