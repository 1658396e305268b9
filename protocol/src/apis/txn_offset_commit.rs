use crate::{ErrorCode, TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-5", flexible = "3+")]
pub struct TxnOffsetCommitRequest {
    #[wire("0+")]
    pub transactional_id: Text,
    #[wire("0+")]
    pub group_id: Text,
    #[wire("0+")]
    pub producer_id: i64,
    #[wire("0+")]
    pub producer_epoch: i16,
    #[wire("3+", default = -1)]
    pub generation_id: i32,
    #[wire("3+")]
    pub member_id: Text,
    #[wire("3+", nullable = "3+", default = null)]
    pub group_instance_id: Option<Text>,
    #[wire("0+")]
    pub topics: Vec<TxnOffsetCommitRequestTopic>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TxnOffsetCommitRequestTopic {
    #[wire("0+")]
    pub name: Text,
    #[wire("0+")]
    pub partitions: Vec<TxnOffsetCommitRequestPartition>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TxnOffsetCommitRequestPartition {
    #[wire("0+")]
    pub partition_index: i32,
    #[wire("0+")]
    pub committed_offset: i64,
    #[wire("2+", default = -1, ignorable)]
    pub committed_leader_epoch: i32,
    #[wire("0+", nullable = "0+")]
    pub committed_metadata: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-5", flexible = "3+")]
pub struct TxnOffsetCommitResponse {
    #[wire("0+")]
    pub throttle_time_ms: i32,
    #[wire("0+")]
    pub topics: Vec<TxnOffsetCommitResponseTopic>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TxnOffsetCommitResponseTopic {
    #[wire("0+")]
    pub name: Text,
    #[wire("0+")]
    pub partitions: Vec<TxnOffsetCommitResponsePartition>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TxnOffsetCommitResponsePartition {
    #[wire("0+")]
    pub partition_index: i32,
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
