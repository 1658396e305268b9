use crate::{ErrorCode, TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-5", flexible = "2+")]
pub struct DescribeLogDirsRequest {
    #[wire("0+", nullable = "0+")]
    pub topics: Option<Vec<DescribableLogDirTopic>>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribableLogDirTopic {
    #[wire("0+")]
    pub topic: Text,
    #[wire("0+")]
    pub partitions: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-5", flexible = "2+")]
pub struct DescribeLogDirsResponse {
    #[wire("0+")]
    pub throttle_time_ms: i32,
    #[wire("3+", ignorable)]
    pub error_code: ErrorCode,
    #[wire("0+")]
    pub results: Vec<DescribeLogDirsResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribeLogDirsResult {
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+")]
    pub log_dir: Text,
    #[wire("0+")]
    pub topics: Vec<DescribeLogDirsTopic>,
    #[wire("4+", default = -1, ignorable)]
    pub total_bytes: i64,
    #[wire("4+", default = -1, ignorable)]
    pub usable_bytes: i64,
    #[wire("5+", ignorable)]
    pub is_cordoned: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribeLogDirsTopic {
    #[wire("0+")]
    pub name: Text,
    #[wire("0+")]
    pub partitions: Vec<DescribeLogDirsPartition>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribeLogDirsPartition {
    #[wire("0+")]
    pub partition_index: i32,
    #[wire("0+")]
    pub partition_size: i64,
    #[wire("0+")]
    pub offset_lag: i64,
    #[wire("0+")]
    pub is_future_key: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
