//! Loads where share-partitions stand, without the delivery state of each record.
//!
//! The group coordinator sends it to the share coordinator to answer DescribeShareGroupOffsets: it needs
//! the start offsets, not the batches that ReadShareGroupState returns. It is between brokers: the
//! sender needs CLUSTER_ACTION.
//!
//! What an implementer must know:
//! - Nothing stored yet is not an error: the start offset is -1.
//! - Unlike ReadShareGroupState it comes from somebody who does not lead the partition, so it
//!   records no leader epoch.
//! - NOT_COORDINATOR, COORDINATOR_NOT_AVAILABLE, COORDINATOR_LOAD_IN_PROGRESS and
//!   UNKNOWN_TOPIC_OR_PARTITION stand on each partition; there is neither a throttle time
//!   nor an error at the top.
//!
//! What changed between versions:
//! - v0: the first (KIP-932), flexible.
//! - v1: how many offsets are done with beyond the start, so that a lag can be told (KIP-1226).

use crate::{ErrorCode, TaggedFields, Text, Uuid, Wire};

/// Asks where some share-partitions of one group stand.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "0+")]
pub struct ReadShareGroupStateSummaryRequest {
    /// The share group.
    #[wire("0+")]
    pub group_id: Text,
    /// The partitions to look up, by topic.
    #[wire("0+")]
    pub topics: Vec<ReadStateSummaryData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The partitions to look up in one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ReadStateSummaryData {
    /// The topic's id.
    #[wire("0+")]
    pub topic_id: Uuid,
    /// One entry per partition.
    #[wire("0+")]
    pub partitions: Vec<PartitionData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One share-partition to look up.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct PartitionData {
    /// The partition within the topic.
    #[wire("0+")]
    pub partition: i32,
    /// The partition's leader epoch as the sender knows it.
    #[wire("0+")]
    pub leader_epoch: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Where the share-partitions stand.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "0+")]
pub struct ReadShareGroupStateSummaryResponse {
    /// One entry for each topic of the request.
    #[wire("0+")]
    pub results: Vec<ReadStateSummaryResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Where the share-partitions of one topic stand.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ReadStateSummaryResult {
    /// The topic's id.
    #[wire("0+")]
    pub topic_id: Uuid,
    /// One result for each partition of the request.
    #[wire("0+")]
    pub partitions: Vec<PartitionResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Where one share-partition stands.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct PartitionResult {
    /// The partition within the topic.
    #[wire("0+")]
    pub partition: i32,
    /// NONE also when nothing is stored.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// What went wrong, for people to read; null = nothing did.
    #[wire("0+", nullable = "0+", default = null)]
    pub error_message: Option<Text>,
    /// Rises when the state is set anew, as when an administrator resets it.
    #[wire("0+")]
    pub state_epoch: i32,
    /// The leader epoch that is stored with the state.
    #[wire("0+")]
    pub leader_epoch: i32,
    /// The first offset that is not done with yet; -1 = not set.
    #[wire("0+")]
    pub start_offset: i64,
    /// How many offsets from `start_offset` on are done with already; -1 = not known.
    #[wire("1+", default = -1, ignorable)]
    pub delivery_complete_count: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
