//! Appends record batches to partitions.
//!
//! Producers send it to each partition's leader. With `acks` -1 the answer comes once all in-sync
//! replicas have the records, with 1 once the leader has. With 0 there is no answer at all:
//! neither success nor an error comes back, and a broker that finds an error closes the
//! connection, so that the client notices.
//!
//! What an implementer must know:
//! - Each partition takes exactly one batch of format v2; a second one, none, or an older format is
//!   INVALID_RECORD. A bad CRC is CORRUPT_MESSAGE. One partition's error leaves the others alone.
//! - Idempotent producers: a batch that was appended before is answered with its first offset and NONE, a
//!   gap in the sequence with OUT_OF_ORDER_SEQUENCE_NUMBER, a stale epoch with INVALID_PRODUCER_EPOCH
//!   (PRODUCER_FENCED belongs to other APIs). UNKNOWN_SERVER_ERROR makes a producer give up.
//! - REQUEST_TIMED_OUT and NOT_ENOUGH_REPLICAS_AFTER_APPEND undo nothing: the leader has the records.
//! - Older librdkafka breaks unless v0 is advertised, though nothing below v3 is served (KAFKA-18659).
//!
//! What changed between versions:
//! - v0 to v2 were removed in Kafka 4.0. v3: transactions, and batches of format v2.
//! - v4: clients understand KAFKA_STORAGE_ERROR. v5: where the log starts.
//!   v6: throttled answers come at once.
//! - v7: zstd; below it is UNSUPPORTED_COMPRESSION_TYPE. v8: which records were at fault
//!   (KIP-467). v9: flexible.
//! - v10: where the leader went, beside NOT_LEADER_OR_FOLLOWER (KIP-951). v11: TRANSACTION_ABORTABLE.
//! - v12: the request itself adds the partitions to the transaction (transaction version 2, KIP-890).
//! - v13: topic ids in place of names; UNKNOWN_TOPIC_ID (KIP-516).

use crate::{ErrorCode, Records, TaggedFields, Text, Uuid, Wire};

/// Batches to append, for any number of partitions with leaders on one broker.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "3-13", flexible = "9+")]
pub struct ProduceRequest {
    /// The producer's transactional id, to authorize by; null = the batches are not transactional.
    #[wire("3+", nullable = "3+", default = null)]
    pub transactional_id: Option<Text>,
    /// 0 = no answer, 1 = the leader alone, -1 = all in-sync replicas; others are INVALID_REQUIRED_ACKS.
    #[wire("0+")]
    pub acks: i16,
    /// How long the leader may wait for the replicas if `acks` is -1, in milliseconds.
    #[wire("0+")]
    pub timeout_ms: i32,
    /// The batches, by topic.
    #[wire("0+")]
    pub topic_data: Vec<TopicProduceData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The batches for one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TopicProduceData {
    /// The topic's name, up to v12.
    #[wire("0-12", ignorable)]
    pub name: Text,
    /// The topic's id, from v13 on.
    #[wire("13+", ignorable)]
    pub topic_id: Uuid,
    /// One entry per partition.
    #[wire("0+")]
    pub partition_data: Vec<PartitionProduceData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The batch for one partition.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct PartitionProduceData {
    /// The partition within the topic.
    #[wire("0+")]
    pub index: i32,
    /// One record batch; null and empty are refused, though the wire allows them.
    #[wire("0+", nullable = "0+")]
    pub records: Option<Records>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of the batches.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "3-13", flexible = "9+")]
pub struct ProduceResponse {
    /// One entry for each topic of the request.
    #[wire("0+")]
    pub responses: Vec<TopicProduceResponse>,
    /// How long the client is to send nothing, for it exceeded a quota, in milliseconds; 0 = no limit.
    #[wire("1+", ignorable)]
    pub throttle_time_ms: i32,
    /// How to reach the brokers named in `current_leader`.
    #[wire("10+", tag = 0)]
    pub node_endpoints: Vec<NodeEndpoint>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The results in one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TopicProduceResponse {
    /// The topic's name, up to v12.
    #[wire("0-12", ignorable)]
    pub name: Text,
    /// The topic's id, from v13 on.
    #[wire("13+", ignorable)]
    pub topic_id: Uuid,
    /// One result for each partition of the request.
    #[wire("0+")]
    pub partition_responses: Vec<PartitionProduceResponse>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of one batch.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct PartitionProduceResponse {
    /// The partition within the topic.
    #[wire("0+")]
    pub index: i32,
    /// NONE = appended and replicated as `acks` asked.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// The offset that the first record got; -1 beside an error.
    #[wire("0+")]
    pub base_offset: i64,
    /// The broker's time of appending, if the topic is set to stamp records with it; else -1.
    #[wire("2+", default = -1, ignorable)]
    pub log_append_time_ms: i64,
    /// The first offset that the partition still has; -1 = not known.
    #[wire("5+", default = -1, ignorable)]
    pub log_start_offset: i64,
    /// The records that made the broker refuse the whole batch; empty = none in particular.
    #[wire("8+", ignorable)]
    pub record_errors: Vec<BatchIndexAndErrorMessage>,
    /// Why the batch was refused, for people to read; null = no more than the error code says.
    #[wire("8+", nullable = "8+", default = null, ignorable)]
    pub error_message: Option<Text>,
    /// Where the partition is led now, beside NOT_LEADER_OR_FOLLOWER.
    #[wire("10+", tag = 0)]
    pub current_leader: LeaderIdAndEpoch,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One record that was at fault.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct BatchIndexAndErrorMessage {
    /// The record's place within the batch, from 0.
    #[wire("8+")]
    pub batch_index: i32,
    /// What is wrong with it, for people to read; null = see the partition's message.
    #[wire("8+", nullable = "8+", default = null)]
    pub batch_index_error_message: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Who leads a partition, so that the client need not ask for metadata.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct LeaderIdAndEpoch {
    /// The leading broker; -1 = not known.
    #[wire("10+", default = -1)]
    pub leader_id: i32,
    /// The epoch of that leadership, to keep an older answer from replacing a newer one; -1 = not known.
    #[wire("10+", default = -1)]
    pub leader_epoch: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// How to reach a broker named in this answer.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct NodeEndpoint {
    /// The broker's id.
    #[wire("10+")]
    pub node_id: i32,
    /// The name or address to connect to, on the listener of this connection.
    #[wire("10+")]
    pub host: Text,
    /// The port to connect to.
    #[wire("10+")]
    pub port: i32,
    /// Where the broker stands, as configured; null = not configured.
    #[wire("10+", nullable = "10+", default = null)]
    pub rack: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
