//! Ends transactions in the partitions that they touched.
//!
//! The transaction coordinator sends it to the leaders of all partitions of a transaction, once it has
//! stored the decision to commit or abort. Each leader appends a control record, by which readers learn
//! the fate of the records before it. On partitions of `__consumer_offsets` the marker also makes pending
//! offsets final, or drops them. Brokers send it to brokers; an admin tool may too, to abort a hanging
//! transaction by hand (KIP-664).
//!
//! What an implementer must know:
//! - The decision stands already: the coordinator repeats the request until every partition has its
//!   marker. A leader must therefore take a marker that it has already.
//! - UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER, NOT_ENOUGH_REPLICAS and KAFKA_STORAGE_ERROR make
//!   it try again, at whoever leads by then.
//! - TRANSACTION_COORDINATOR_FENCED: the sender is no longer coordinator, by its
//!   epoch. INVALID_PRODUCER_EPOCH: the marker is older than the producer in the log.
//!   Both end the sender's attempts.
//! - The last stable offset moves only when the marker is replicated.
//!
//! What changed between versions:
//! - v0 was removed in Kafka 4.0. v1: flexible.
//! - v2: the transaction version, with which a leader can refuse late markers of
//!   an older epoch (KIP-1228).

use crate::{ErrorCode, TaggedFields, Text, Wire};

/// Markers to append, for any number of producers.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-2", flexible = "1+")]
pub struct WriteTxnMarkersRequest {
    /// One entry per transaction that ends.
    #[wire("0+")]
    pub markers: Vec<WritableTxnMarker>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// How one transaction ends, and where.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct WritableTxnMarker {
    /// The producer's id.
    #[wire("0+")]
    pub producer_id: i64,
    /// The producer's epoch at the end of the transaction, which the marker carries.
    #[wire("0+")]
    pub producer_epoch: i16,
    /// True = committed, false = aborted.
    #[wire("0+")]
    pub transaction_result: bool,
    /// The partitions that get a marker, by topic.
    #[wire("0+")]
    pub topics: Vec<WritableTxnMarkerTopic>,
    /// The leader epoch of the coordinator's partition of `__transaction_state`; an older one is fenced.
    #[wire("0+")]
    pub coordinator_epoch: i32,
    /// The protocol by which the transaction ran: 0 and 1 = the old one, 2 = a new epoch per transaction.
    #[wire("2+", ignorable)]
    pub transaction_version: i8,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The partitions of one topic that get a marker.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct WritableTxnMarkerTopic {
    /// The topic's name.
    #[wire("0+")]
    pub name: Text,
    /// The partitions within the topic.
    #[wire("0+")]
    pub partition_indexes: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Which markers were appended.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-2", flexible = "1+")]
pub struct WriteTxnMarkersResponse {
    /// One entry for each marker of the request; matched by producer id.
    #[wire("0+")]
    pub markers: Vec<WritableTxnMarkerResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Where one transaction has its markers.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct WritableTxnMarkerResult {
    /// The producer's id.
    #[wire("0+")]
    pub producer_id: i64,
    /// One entry for each topic of the marker.
    #[wire("0+")]
    pub topics: Vec<WritableTxnMarkerTopicResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The results in one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct WritableTxnMarkerTopicResult {
    /// The topic's name.
    #[wire("0+")]
    pub name: Text,
    /// One result for each partition of the marker.
    #[wire("0+")]
    pub partitions: Vec<WritableTxnMarkerPartitionResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Whether one partition has its marker.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct WritableTxnMarkerPartitionResult {
    /// The partition within the topic.
    #[wire("0+")]
    pub partition_index: i32,
    /// NONE = appended and replicated.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
