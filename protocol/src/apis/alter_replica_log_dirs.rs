use crate::{ErrorCode, TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-2", flexible = "2+")]
pub struct AlterReplicaLogDirsRequest {
    #[wire("0+")]
    pub dirs: Vec<AlterReplicaLogDir>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct AlterReplicaLogDir {
    #[wire("0+")]
    pub path: Text,
    #[wire("0+")]
    pub topics: Vec<AlterReplicaLogDirTopic>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct AlterReplicaLogDirTopic {
    #[wire("0+")]
    pub name: Text,
    #[wire("0+")]
    pub partitions: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-2", flexible = "2+")]
pub struct AlterReplicaLogDirsResponse {
    #[wire("0+")]
    pub throttle_time_ms: i32,
    #[wire("0+")]
    pub results: Vec<AlterReplicaLogDirTopicResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct AlterReplicaLogDirTopicResult {
    #[wire("0+")]
    pub topic_name: Text,
    #[wire("0+")]
    pub partitions: Vec<AlterReplicaLogDirPartitionResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct AlterReplicaLogDirPartitionResult {
    #[wire("0+")]
    pub partition_index: i32,
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
