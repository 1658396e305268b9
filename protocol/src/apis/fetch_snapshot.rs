use crate::{ErrorCode, Records, TaggedFields, Text, Uuid, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "0+")]
pub struct FetchSnapshotRequest {
    #[wire("0+", nullable = "0+", default = null, tag = 0)]
    pub cluster_id: Option<Text>,
    #[wire("0+", default = -1)]
    pub replica_id: i32,
    #[wire("0+", default = 2147483647)]
    pub max_bytes: i32,
    #[wire("0+")]
    pub topics: Vec<RequestTopicSnapshot>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "TopicSnapshot")]
pub struct RequestTopicSnapshot {
    #[wire("0+")]
    pub name: Text,
    #[wire("0+")]
    pub partitions: Vec<RequestPartitionSnapshot>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "PartitionSnapshot")]
pub struct RequestPartitionSnapshot {
    #[wire("0+")]
    pub partition: i32,
    #[wire("0+")]
    pub current_leader_epoch: i32,
    #[wire("0+")]
    pub snapshot_id: RequestSnapshotId,
    #[wire("0+")]
    pub position: i64,
    #[wire("1+", tag = 0, ignorable)]
    pub replica_directory_id: Uuid,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "SnapshotId")]
pub struct RequestSnapshotId {
    #[wire("0+")]
    pub end_offset: i64,
    #[wire("0+")]
    pub epoch: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "0+")]
pub struct FetchSnapshotResponse {
    #[wire("0+", ignorable)]
    pub throttle_time_ms: i32,
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+")]
    pub topics: Vec<ResponseTopicSnapshot>,
    #[wire("1+", tag = 0)]
    pub node_endpoints: Vec<NodeEndpoint>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "TopicSnapshot")]
pub struct ResponseTopicSnapshot {
    #[wire("0+")]
    pub name: Text,
    #[wire("0+")]
    pub partitions: Vec<ResponsePartitionSnapshot>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "PartitionSnapshot")]
pub struct ResponsePartitionSnapshot {
    #[wire("0+")]
    pub index: i32,
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+")]
    pub snapshot_id: ResponseSnapshotId,
    #[wire("0+", tag = 0)]
    pub current_leader: LeaderIdAndEpoch,
    #[wire("0+")]
    pub size: i64,
    #[wire("0+")]
    pub position: i64,
    #[wire("0+")]
    pub unaligned_records: Records,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "SnapshotId")]
pub struct ResponseSnapshotId {
    #[wire("0+")]
    pub end_offset: i64,
    #[wire("0+")]
    pub epoch: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct LeaderIdAndEpoch {
    #[wire("0+")]
    pub leader_id: i32,
    #[wire("0+")]
    pub leader_epoch: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct NodeEndpoint {
    #[wire("1+")]
    pub node_id: i32,
    #[wire("1+")]
    pub host: Text,
    #[wire("1+")]
    pub port: u16,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
