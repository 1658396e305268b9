use crate::{ErrorCode, TaggedFields, Text, Uuid, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "0+")]
pub struct DescribeShareGroupOffsetsRequest {
    #[wire("0+")]
    pub groups: Vec<DescribeShareGroupOffsetsRequestGroup>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribeShareGroupOffsetsRequestGroup {
    #[wire("0+")]
    pub group_id: Text,
    #[wire("0+", nullable = "0+")]
    pub topics: Option<Vec<DescribeShareGroupOffsetsRequestTopic>>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribeShareGroupOffsetsRequestTopic {
    #[wire("0+")]
    pub topic_name: Text,
    #[wire("0+")]
    pub partitions: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "0+")]
pub struct DescribeShareGroupOffsetsResponse {
    #[wire("0+")]
    pub throttle_time_ms: i32,
    #[wire("0+")]
    pub groups: Vec<DescribeShareGroupOffsetsResponseGroup>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribeShareGroupOffsetsResponseGroup {
    #[wire("0+")]
    pub group_id: Text,
    #[wire("0+")]
    pub topics: Vec<DescribeShareGroupOffsetsResponseTopic>,
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+", nullable = "0+", default = null)]
    pub error_message: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribeShareGroupOffsetsResponseTopic {
    #[wire("0+")]
    pub topic_name: Text,
    #[wire("0+")]
    pub topic_id: Uuid,
    #[wire("0+")]
    pub partitions: Vec<DescribeShareGroupOffsetsResponsePartition>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribeShareGroupOffsetsResponsePartition {
    #[wire("0+")]
    pub partition_index: i32,
    #[wire("0+")]
    pub start_offset: i64,
    #[wire("0+")]
    pub leader_epoch: i32,
    #[wire("1+", default = -1, ignorable)]
    pub lag: i64,
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+", nullable = "0+", default = null)]
    pub error_message: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
