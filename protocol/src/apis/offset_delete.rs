use crate::{ErrorCode, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct OffsetDeleteRequest {
    #[wire("0+")]
    pub group_id: Text,
    #[wire("0+")]
    pub topics: Vec<OffsetDeleteRequestTopic>,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct OffsetDeleteRequestTopic {
    #[wire("0+")]
    pub name: Text,
    #[wire("0+")]
    pub partitions: Vec<OffsetDeleteRequestPartition>,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct OffsetDeleteRequestPartition {
    #[wire("0+")]
    pub partition_index: i32,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct OffsetDeleteResponse {
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+", ignorable)]
    pub throttle_time_ms: i32,
    #[wire("0+")]
    pub topics: Vec<OffsetDeleteResponseTopic>,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct OffsetDeleteResponseTopic {
    #[wire("0+")]
    pub name: Text,
    #[wire("0+")]
    pub partitions: Vec<OffsetDeleteResponsePartition>,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct OffsetDeleteResponsePartition {
    #[wire("0+")]
    pub partition_index: i32,
    #[wire("0+")]
    pub error_code: ErrorCode,
}
