//! AddPartitionsToTxn: names the partitions that a transaction is about to write to, so that the
//! transaction coordinator knows where to write markers when the transaction ends. The first partition
//! added is also what begins it.
//!
//! Two callers share the key. Clients speak v0-3: before the first Produce to a partition within a
//! transaction, they send one transaction with its partitions. Brokers speak v4 and up (it takes cluster
//! rights): a partition leader asks the coordinator, for many transactions at once, whether a partition
//! belongs to the transaction (`verify_only`), or adds it on behalf of a client under transaction version
//! 2, which then never sends this API itself (KIP-890).
//!
//! It is all or nothing per transaction: if one partition is unknown or forbidden, the others get
//! `OPERATION_NOT_ATTEMPTED`, and none is added. Adding a partition twice is no error.
//! `CONCURRENT_TRANSACTIONS` means that the previous transaction is still being completed; wait and
//! repeat.
//!
//! - v1: a throttled request is answered at once, and the client does the waiting (KIP-219).
//! - v2: a fenced producer gets `PRODUCER_FENCED`; below, it must be `INVALID_PRODUCER_EPOCH`.
//! - v3: flexible; the last version for clients.
//! - v4: for brokers: a batch of transactions, `verify_only`, and an error for the whole request.
//! - v5: may answer `TRANSACTION_ABORTABLE` (KIP-890).

use crate::{ErrorCode, TaggedFields, Text, Wire};

/// Partitions to add to one transaction (v0-3), or to add to or look up in several (v4 and up).
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-5", flexible = "3+")]
pub struct AddPartitionsToTxnRequest {
    /// From v4: the transactions, each with its own producer and partitions.
    #[wire("4+")]
    pub transactions: Vec<AddPartitionsToTxnTransaction>,
    /// Up to v3: the id whose transaction is open.
    #[wire("0-3")]
    pub v3_and_below_transactional_id: Text,
    /// Up to v3: the producer id that InitProducerId handed out for the transactional id.
    #[wire("0-3")]
    pub v3_and_below_producer_id: i64,
    /// Up to v3: the epoch that came with the producer id. An older one marks a zombie and is fenced.
    #[wire("0-3")]
    pub v3_and_below_producer_epoch: i16,
    /// Up to v3: the partitions that the client is about to write to.
    #[wire("0-3")]
    pub v3_and_below_topics: Vec<AddPartitionsToTxnTopic>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One transaction in a broker's batch.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct AddPartitionsToTxnTransaction {
    /// The id whose transaction is open.
    #[wire("4+")]
    pub transactional_id: Text,
    /// The producer id found in the batch that a client sent to the asking leader.
    #[wire("4+")]
    pub producer_id: i64,
    /// The epoch found in the same batch.
    #[wire("4+")]
    pub producer_epoch: i16,
    /// True = add nothing, only say for each partition whether it already belongs to the transaction.
    #[wire("4+")]
    pub verify_only: bool,
    /// The partitions to add or to look up.
    #[wire("4+")]
    pub topics: Vec<AddPartitionsToTxnTopic>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct AddPartitionsToTxnTopic {
    /// The topic. This API has no topic ids.
    #[wire("0+")]
    pub name: Text,
    /// Partition numbers within the topic.
    #[wire("0+")]
    pub partitions: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The result of each partition.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-5", flexible = "3+")]
pub struct AddPartitionsToTxnResponse {
    /// Milliseconds for which a quota holds the client back; 0 = no quota was exceeded.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// From v4: an error of the whole request, such as `CLUSTER_AUTHORIZATION_FAILED`. Older versions
    /// have no such place and repeat the error on every partition.
    #[wire("4+", ignorable)]
    pub error_code: ErrorCode,
    /// From v4: one entry per transaction of the request.
    #[wire("4+")]
    pub results_by_transaction: Vec<AddPartitionsToTxnResult>,
    /// Up to v3: the results for the one transaction of the request.
    #[wire("0-3")]
    pub results_by_topic_v3_and_below: Vec<AddPartitionsToTxnTopicResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The results for one transaction of the batch.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct AddPartitionsToTxnResult {
    /// Which transaction of the request this answers.
    #[wire("4+")]
    pub transactional_id: Text,
    /// The results of its partitions, by topic.
    #[wire("4+")]
    pub topic_results: Vec<AddPartitionsToTxnTopicResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The results for the partitions of one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct AddPartitionsToTxnTopicResult {
    /// The topic, as in the request.
    #[wire("0+")]
    pub name: Text,
    /// One entry per partition asked for.
    #[wire("0+")]
    pub results_by_partition: Vec<AddPartitionsToTxnPartitionResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The result for one partition.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct AddPartitionsToTxnPartitionResult {
    /// The partition's number within its topic.
    #[wire("0+")]
    pub partition_index: i32,
    /// `NONE`, the partition's own failure, or `OPERATION_NOT_ATTEMPTED` when another partition failed.
    /// Errors of the producer (fenced, unknown, busy) are the same on every partition.
    #[wire("0+")]
    pub partition_error_code: ErrorCode,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
