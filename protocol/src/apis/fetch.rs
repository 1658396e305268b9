use crate::{ErrorCode, Records, TaggedFields, Text, Uuid, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "4-18", flexible = "12+")]
pub struct FetchRequest {
    #[wire("12+", nullable = "12+", default = null, tag = 0, ignorable)]
    pub cluster_id: Option<Text>,
    #[wire("0-14", default = -1)]
    pub replica_id: i32,
    #[wire("15+", tag = 1)]
    pub replica_state: ReplicaState,
    #[wire("0+")]
    pub max_wait_ms: i32,
    #[wire("0+")]
    pub min_bytes: i32,
    #[wire("3+", default = 2147483647, ignorable)]
    pub max_bytes: i32,
    #[wire("4+", ignorable)]
    pub isolation_level: i8,
    #[wire("7+", ignorable)]
    pub session_id: i32,
    #[wire("7+", default = -1, ignorable)]
    pub session_epoch: i32,
    #[wire("0+")]
    pub topics: Vec<FetchTopic>,
    #[wire("7+")]
    pub forgotten_topics_data: Vec<ForgottenTopic>,
    #[wire("11+", ignorable)]
    pub rack_id: Text,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ReplicaState {
    #[wire("15+", default = -1)]
    pub replica_id: i32,
    #[wire("15+", default = -1)]
    pub replica_epoch: i64,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct FetchTopic {
    #[wire("0-12", ignorable)]
    pub topic: Text,
    #[wire("13+", ignorable)]
    pub topic_id: Uuid,
    #[wire("0+")]
    pub partitions: Vec<FetchPartition>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct FetchPartition {
    #[wire("0+")]
    pub partition: i32,
    #[wire("9+", default = -1, ignorable)]
    pub current_leader_epoch: i32,
    #[wire("0+")]
    pub fetch_offset: i64,
    #[wire("12+", default = -1)]
    pub last_fetched_epoch: i32,
    #[wire("5+", default = -1, ignorable)]
    pub log_start_offset: i64,
    #[wire("0+")]
    pub partition_max_bytes: i32,
    #[wire("17+", tag = 0, ignorable)]
    pub replica_directory_id: Uuid,
    #[wire("18+", default = 9223372036854775807, tag = 1, ignorable)]
    pub high_watermark: i64,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ForgottenTopic {
    #[wire("7-12", ignorable)]
    pub topic: Text,
    #[wire("13+", ignorable)]
    pub topic_id: Uuid,
    #[wire("7+")]
    pub partitions: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "4-18", flexible = "12+")]
pub struct FetchResponse {
    #[wire("1+", ignorable)]
    pub throttle_time_ms: i32,
    #[wire("7+", ignorable)]
    pub error_code: ErrorCode,
    #[wire("7+")]
    pub session_id: i32,
    #[wire("0+")]
    pub responses: Vec<FetchableTopicResponse>,
    #[wire("16+", tag = 0)]
    pub node_endpoints: Vec<NodeEndpoint>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct FetchableTopicResponse {
    #[wire("0-12", ignorable)]
    pub topic: Text,
    #[wire("13+", ignorable)]
    pub topic_id: Uuid,
    #[wire("0+")]
    pub partitions: Vec<PartitionData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct PartitionData {
    #[wire("0+")]
    pub partition_index: i32,
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+")]
    pub high_watermark: i64,
    #[wire("4+", default = -1, ignorable)]
    pub last_stable_offset: i64,
    #[wire("5+", default = -1, ignorable)]
    pub log_start_offset: i64,
    #[wire("12+", tag = 0)]
    pub diverging_epoch: EpochEndOffset,
    #[wire("12+", tag = 1)]
    pub current_leader: LeaderIdAndEpoch,
    #[wire("12+", tag = 2)]
    pub snapshot_id: SnapshotId,
    #[wire("4+", nullable = "4+", ignorable)]
    pub aborted_transactions: Option<Vec<AbortedTransaction>>,
    #[wire("11+", default = -1)]
    pub preferred_read_replica: i32,
    #[wire("0+", nullable = "0+")]
    pub records: Option<Records>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct EpochEndOffset {
    #[wire("12+", default = -1)]
    pub epoch: i32,
    #[wire("12+", default = -1)]
    pub end_offset: i64,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct LeaderIdAndEpoch {
    #[wire("12+", default = -1)]
    pub leader_id: i32,
    #[wire("12+", default = -1)]
    pub leader_epoch: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct SnapshotId {
    #[wire("0+", default = -1)]
    pub end_offset: i64,
    #[wire("0+", default = -1)]
    pub epoch: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct AbortedTransaction {
    #[wire("4+")]
    pub producer_id: i64,
    #[wire("4+")]
    pub first_offset: i64,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct NodeEndpoint {
    #[wire("16+")]
    pub node_id: i32,
    #[wire("16+")]
    pub host: Text,
    #[wire("16+")]
    pub port: i32,
    #[wire("16+", nullable = "16+", default = null)]
    pub rack: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
