use crate::{ErrorCode, TaggedFields, Text, Uuid, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-10", flexible = "6+")]
pub struct OffsetFetchRequest {
    #[wire("0-7")]
    pub group_id: Text,
    #[wire("0-7", nullable = "2-7")]
    pub topics: Option<Vec<OffsetFetchRequestTopic>>,
    #[wire("8+")]
    pub groups: Vec<OffsetFetchRequestGroup>,
    #[wire("7+")]
    pub require_stable: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct OffsetFetchRequestTopic {
    #[wire("0-7")]
    pub name: Text,
    #[wire("0-7")]
    pub partition_indexes: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct OffsetFetchRequestGroup {
    #[wire("8+")]
    pub group_id: Text,
    #[wire("9+", nullable = "9+", default = null, ignorable)]
    pub member_id: Option<Text>,
    #[wire("9+", default = -1, ignorable)]
    pub member_epoch: i32,
    #[wire("8+", nullable = "8+")]
    pub topics: Option<Vec<OffsetFetchRequestTopics>>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct OffsetFetchRequestTopics {
    #[wire("8-9", ignorable)]
    pub name: Text,
    #[wire("10+", ignorable)]
    pub topic_id: Uuid,
    #[wire("8+")]
    pub partition_indexes: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-10", flexible = "6+")]
pub struct OffsetFetchResponse {
    #[wire("3+", ignorable)]
    pub throttle_time_ms: i32,
    #[wire("0-7")]
    pub topics: Vec<OffsetFetchResponseTopic>,
    #[wire("2-7", ignorable)]
    pub error_code: ErrorCode,
    #[wire("8+")]
    pub groups: Vec<OffsetFetchResponseGroup>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct OffsetFetchResponseTopic {
    #[wire("0-7")]
    pub name: Text,
    #[wire("0-7")]
    pub partitions: Vec<OffsetFetchResponsePartition>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct OffsetFetchResponsePartition {
    #[wire("0-7")]
    pub partition_index: i32,
    #[wire("0-7")]
    pub committed_offset: i64,
    #[wire("5-7", default = -1, ignorable)]
    pub committed_leader_epoch: i32,
    #[wire("0-7", nullable = "0-7")]
    pub metadata: Option<Text>,
    #[wire("0-7")]
    pub error_code: ErrorCode,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct OffsetFetchResponseGroup {
    #[wire("8+")]
    pub group_id: Text,
    #[wire("8+")]
    pub topics: Vec<OffsetFetchResponseTopics>,
    #[wire("8+")]
    pub error_code: ErrorCode,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct OffsetFetchResponseTopics {
    #[wire("8-9", ignorable)]
    pub name: Text,
    #[wire("10+", ignorable)]
    pub topic_id: Uuid,
    #[wire("8+")]
    pub partitions: Vec<OffsetFetchResponsePartitions>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct OffsetFetchResponsePartitions {
    #[wire("8+")]
    pub partition_index: i32,
    #[wire("8+")]
    pub committed_offset: i64,
    #[wire("8+", default = -1, ignorable)]
    pub committed_leader_epoch: i32,
    #[wire("8+", nullable = "8+")]
    pub metadata: Option<Text>,
    #[wire("8+")]
    pub error_code: ErrorCode,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
