use crate::{ErrorCode, Records, TaggedFields, Text, Uuid, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-2", flexible = "0+")]
pub struct ShareFetchRequest {
    #[wire("0+", nullable = "0+", default = null)]
    pub group_id: Option<Text>,
    #[wire("0+", nullable = "0+")]
    pub member_id: Option<Text>,
    #[wire("0+")]
    pub share_session_epoch: i32,
    #[wire("0+")]
    pub max_wait_ms: i32,
    #[wire("0+")]
    pub min_bytes: i32,
    #[wire("0+", default = 2147483647)]
    pub max_bytes: i32,
    #[wire("1+")]
    pub max_records: i32,
    #[wire("1+")]
    pub batch_size: i32,
    #[wire("2+", ignorable)]
    pub share_acquire_mode: i8,
    #[wire("2+")]
    pub is_renew_ack: bool,
    #[wire("0+")]
    pub topics: Vec<FetchTopic>,
    #[wire("0+")]
    pub forgotten_topics_data: Vec<ForgottenTopic>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct FetchTopic {
    #[wire("0+")]
    pub topic_id: Uuid,
    #[wire("0+")]
    pub partitions: Vec<FetchPartition>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct FetchPartition {
    #[wire("0+")]
    pub partition_index: i32,
    #[wire("0")]
    pub partition_max_bytes: i32,
    #[wire("0+")]
    pub acknowledgement_batches: Vec<AcknowledgementBatch>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct AcknowledgementBatch {
    #[wire("0+")]
    pub first_offset: i64,
    #[wire("0+")]
    pub last_offset: i64,
    #[wire("0+")]
    pub acknowledge_types: Vec<i8>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ForgottenTopic {
    #[wire("0+")]
    pub topic_id: Uuid,
    #[wire("0+")]
    pub partitions: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-2", flexible = "0+")]
pub struct ShareFetchResponse {
    #[wire("0+")]
    pub throttle_time_ms: i32,
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+", nullable = "0+", default = null)]
    pub error_message: Option<Text>,
    #[wire("1+")]
    pub acquisition_lock_timeout_ms: i32,
    #[wire("0+")]
    pub responses: Vec<ShareFetchableTopicResponse>,
    #[wire("0+")]
    pub node_endpoints: Vec<NodeEndpoint>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ShareFetchableTopicResponse {
    #[wire("0+")]
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
    #[wire("0+", nullable = "0+", default = null)]
    pub error_message: Option<Text>,
    #[wire("0+")]
    pub acknowledge_error_code: ErrorCode,
    #[wire("0+", nullable = "0+", default = null)]
    pub acknowledge_error_message: Option<Text>,
    #[wire("0+")]
    pub current_leader: LeaderIdAndEpoch,
    #[wire("0+", nullable = "0")]
    pub records: Option<Records>,
    #[wire("0+")]
    pub acquired_records: Vec<AcquiredRecords>,
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
pub struct AcquiredRecords {
    #[wire("0+")]
    pub first_offset: i64,
    #[wire("0+")]
    pub last_offset: i64,
    #[wire("0+")]
    pub delivery_count: i16,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct NodeEndpoint {
    #[wire("0+")]
    pub node_id: i32,
    #[wire("0+")]
    pub host: Text,
    #[wire("0+")]
    pub port: i32,
    #[wire("0+", nullable = "0+", default = null)]
    pub rack: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
