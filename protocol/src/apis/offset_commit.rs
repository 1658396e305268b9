use crate::{ErrorCode, TaggedFields, Text, Uuid, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "2-10", flexible = "8+")]
pub struct OffsetCommitRequest {
    #[wire("0+")]
    pub group_id: Text,
    #[wire("1+", default = -1, ignorable)]
    pub generation_id_or_member_epoch: i32,
    #[wire("1+", ignorable)]
    pub member_id: Text,
    #[wire("7+", nullable = "7+", default = null)]
    pub group_instance_id: Option<Text>,
    #[wire("2-4", default = -1, ignorable)]
    pub retention_time_ms: i64,
    #[wire("0+")]
    pub topics: Vec<OffsetCommitRequestTopic>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct OffsetCommitRequestTopic {
    #[wire("0-9", ignorable)]
    pub name: Text,
    #[wire("10+", ignorable)]
    pub topic_id: Uuid,
    #[wire("0+")]
    pub partitions: Vec<OffsetCommitRequestPartition>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct OffsetCommitRequestPartition {
    #[wire("0+")]
    pub partition_index: i32,
    #[wire("0+")]
    pub committed_offset: i64,
    #[wire("6+", default = -1, ignorable)]
    pub committed_leader_epoch: i32,
    #[wire("0+", nullable = "0+")]
    pub committed_metadata: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "2-10", flexible = "8+")]
pub struct OffsetCommitResponse {
    #[wire("3+", ignorable)]
    pub throttle_time_ms: i32,
    #[wire("0+")]
    pub topics: Vec<OffsetCommitResponseTopic>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct OffsetCommitResponseTopic {
    #[wire("0-9", ignorable)]
    pub name: Text,
    #[wire("10+", ignorable)]
    pub topic_id: Uuid,
    #[wire("0+")]
    pub partitions: Vec<OffsetCommitResponsePartition>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct OffsetCommitResponsePartition {
    #[wire("0+")]
    pub partition_index: i32,
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
