//! DescribeProducers lists the idempotent and transactional producers whose state a partition keeps
//! (KIP-664). An operator's tool sends it to the partition's leader, chiefly to find the hanging
//! transaction that holds back the last stable offset: it is the producer with the lowest
//! `current_txn_start_offset`.
//!
//! It needs `READ` on the topic. Errors are per partition: `NOT_LEADER_OR_FOLLOWER` when the broker asked
//! does not lead it, `UNKNOWN_TOPIC_OR_PARTITION`, `TOPIC_AUTHORIZATION_FAILED`.
//!
//! Trap: `producer_epoch` is 32 bits wide here and 16 everywhere else.
//!
//! - Only v0 exists, flexible from the start.

use crate::{ErrorCode, TaggedFields, Text, Wire};

/// The partitions whose producers to list.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct DescribeProducersRequest {
    /// The topics with their partitions, all led by the broker asked.
    #[wire("0+")]
    pub topics: Vec<TopicRequest>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TopicRequest {
    /// The topic's name.
    #[wire("0+")]
    pub name: Text,
    /// The partitions to look at.
    #[wire("0+")]
    pub partition_indexes: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The producers of each partition.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct DescribeProducersResponse {
    /// How long the broker holds this client back for exceeding a quota, in milliseconds; 0 = not at all.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// One entry for each topic of the request.
    #[wire("0+")]
    pub topics: Vec<TopicResponse>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The answer for one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TopicResponse {
    /// The topic's name.
    #[wire("0+")]
    pub name: Text,
    /// One entry for each partition asked for.
    #[wire("0+")]
    pub partitions: Vec<PartitionResponse>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The answer for one partition.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct PartitionResponse {
    /// The partition.
    #[wire("0+")]
    pub partition_index: i32,
    /// Why its producers are not listed, if so.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// The failure in words; null when the code says it all, or there was none.
    #[wire("0+", nullable = "0+", default = null)]
    pub error_message: Option<Text>,
    /// Every producer whose state has not expired, in a transaction or not.
    #[wire("0+")]
    pub active_producers: Vec<ProducerState>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// What a partition remembers of one producer.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ProducerState {
    /// The id that InitProducerId gave out.
    #[wire("0+")]
    pub producer_id: i64,
    /// The newest epoch seen from that id. Lower ones are fenced.
    #[wire("0+")]
    pub producer_epoch: i32,
    /// The sequence number of the last record appended; -1 = none is known.
    #[wire("0+", default = -1)]
    pub last_sequence: i32,
    /// The timestamp of what it last appended, in milliseconds since 1970; -1 = unknown.
    #[wire("0+", default = -1)]
    pub last_timestamp: i64,
    /// The epoch of the transaction coordinator that wrote the last marker; -1 = no marker yet.
    #[wire("0+")]
    pub coordinator_epoch: i32,
    /// Where the open transaction begins in this partition; -1 = none is open.
    #[wire("0+", default = -1)]
    pub current_txn_start_offset: i64,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
