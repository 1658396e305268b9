//! DescribeTopicPartitions tells about topics page by page (KIP-966), so that a cluster with very many
//! partitions needs no single huge Metadata answer. The Java admin client of 4.x describes topics with it.
//! Any broker answers.
//!
//! Topics come in the order of their names, partitions in the order of their index. When the page is full,
//! `next_cursor` names the first partition that is missing, and the client sends it back as `cursor`; no
//! cursor means that this was the last page. Between pages the cluster may change: topics before the
//! cursor are not looked at again.
//!
//! An empty topic list means all topics. A list of names must contain the cursor's topic, or the request
//! is `INVALID_REQUEST`; names before it are skipped. Topics without `DESCRIBE` are
//! `TOPIC_AUTHORIZATION_FAILED` with a zero id when named, and silently missing when all were asked for.
//! Unlike Metadata, it never creates a topic.
//!
//! - Only v0 exists, flexible from the start.

use crate::{ErrorCode, TaggedFields, Text, Uuid, Wire};

/// The topics to describe, and the page wanted.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct DescribeTopicPartitionsRequest {
    /// The topics by name; empty = every topic.
    #[wire("0+")]
    pub topics: Vec<TopicRequest>,
    /// The most partitions to send in one page; the broker has a limit of its own and takes the lower one.
    #[wire("0+", default = 2000)]
    pub response_partition_limit: i32,
    /// Where the page begins, as the last answer's `next_cursor` had it; null = at the start.
    #[wire("0+", nullable = "0+", default = null)]
    pub cursor: Option<RequestCursor>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A topic to describe.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TopicRequest {
    /// The topic's name.
    #[wire("0+")]
    pub name: Text,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The partition with which a page begins.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "Cursor")]
pub struct RequestCursor {
    /// The topic that was not finished, or not begun.
    #[wire("0+")]
    pub topic_name: Text,
    /// The first partition of it that is still wanted.
    #[wire("0+")]
    pub partition_index: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One page of topics.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct DescribeTopicPartitionsResponse {
    /// How long the broker holds this client back for exceeding a quota, in milliseconds; 0 = not at all.
    #[wire("0+", ignorable)]
    pub throttle_time_ms: i32,
    /// The topics of this page.
    #[wire("0+")]
    pub topics: Vec<DescribeTopicPartitionsResponseTopic>,
    /// Where the next page begins; null = there is none.
    #[wire("0+", nullable = "0+", default = null)]
    pub next_cursor: Option<ResponseCursor>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A topic, with those of its partitions that fit into the page.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribeTopicPartitionsResponseTopic {
    /// Why the topic is not described, if so: `UNKNOWN_TOPIC_OR_PARTITION`, `INVALID_TOPIC_EXCEPTION`,
    /// `TOPIC_AUTHORIZATION_FAILED`.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// The topic's name. The format allows null, though topics are only asked for by name.
    #[wire("0+", nullable = "0+")]
    pub name: Option<Text>,
    /// The topic's id, new with each topic of the same name; zero beside an error.
    #[wire("0+", ignorable)]
    pub topic_id: Uuid,
    /// Whether the cluster keeps its own state in the topic, as in `__consumer_offsets`.
    #[wire("0+", ignorable)]
    pub is_internal: bool,
    /// The partitions, by rising index; where a page ends or begins inside a topic, only a part of them.
    #[wire("0+")]
    pub partitions: Vec<DescribeTopicPartitionsResponsePartition>,
    /// What the caller may do with the topic: bit n stands for the ACL operation with code n. `i32::MIN` =
    /// not worked out.
    #[wire("0+", default = -2147483648)]
    pub topic_authorized_operations: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A partition and its replicas.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribeTopicPartitionsResponsePartition {
    /// What is wrong with the partition, if anything.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// The partition.
    #[wire("0+")]
    pub partition_index: i32,
    /// The broker that leads it; -1 = none is known.
    #[wire("0+")]
    pub leader_id: i32,
    /// A number that every change of leader raises; -1 = unknown.
    #[wire("0+", default = -1, ignorable)]
    pub leader_epoch: i32,
    /// The brokers that hold a replica, the preferred leader first.
    #[wire("0+")]
    pub replica_nodes: Vec<i32>,
    /// The replicas in sync with the leader.
    #[wire("0+")]
    pub isr_nodes: Vec<i32>,
    /// Replicas out of sync that still hold everything below the high watermark, so that electing them
    /// loses nothing; null = not known.
    #[wire("0+", nullable = "0+", default = null)]
    pub eligible_leader_replicas: Option<Vec<i32>>,
    /// Replicas that were eligible leaders until they shut down uncleanly: the first to try where data may
    /// be lost; null = not known.
    #[wire("0+", nullable = "0+", default = null)]
    pub last_known_elr: Option<Vec<i32>>,
    /// Replicas whose broker or disk is down.
    #[wire("0+", ignorable)]
    pub offline_replicas: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The partition with which the next page begins.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "Cursor")]
pub struct ResponseCursor {
    /// The topic that was not finished, or not begun.
    #[wire("0+")]
    pub topic_name: Text,
    /// The first partition of it that was not sent.
    #[wire("0+")]
    pub partition_index: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
