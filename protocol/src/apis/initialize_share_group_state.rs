//! InitializeShareGroupState creates the durable state of share-partitions when a share group first
//! subscribes to their topic, or puts their start offset elsewhere (KIP-932). The group coordinator sends
//! it to the share coordinators, found with FindCoordinator (key type 2); clients never do. It needs
//! `CLUSTER_ACTION`.
//!
//! What was delivered and acknowledged before is forgotten. The state epoch guards against late writers: a
//! request with a lower epoch than the stored one is `FENCED_STATE_EPOCH`.
//!
//! Errors stand beside each partition: `NOT_COORDINATOR`, `COORDINATOR_NOT_AVAILABLE`,
//! `COORDINATOR_LOAD_IN_PROGRESS`, `FENCED_STATE_EPOCH`, `INVALID_REQUEST`. There is no throttle time.
//!
//! - Only v0 exists, flexible from the start.

use crate::{ErrorCode, TaggedFields, Text, Uuid, Wire};

/// Share-partitions to begin, or begin anew.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct InitializeShareGroupStateRequest {
    /// The share group.
    #[wire("0+")]
    pub group_id: Text,
    /// The share-partitions by topic.
    #[wire("0+")]
    pub topics: Vec<InitializeStateData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Share-partitions of one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct InitializeStateData {
    /// The topic's id; there is no name.
    #[wire("0+")]
    pub topic_id: Uuid,
    /// The partitions to initialize.
    #[wire("0+")]
    pub partitions: Vec<PartitionData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A share-partition to initialize.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct PartitionData {
    /// The partition index.
    #[wire("0+")]
    pub partition: i32,
    /// The epoch of the new state, chosen by the group coordinator; never below the stored one.
    #[wire("0+")]
    pub state_epoch: i32,
    /// The first offset to deliver; -1 = left open, for the group's reset strategy to choose on first use.
    #[wire("0+")]
    pub start_offset: i64,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of each share-partition.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct InitializeShareGroupStateResponse {
    /// The results by topic.
    #[wire("0+")]
    pub results: Vec<InitializeStateResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The results for one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct InitializeStateResult {
    /// The topic's id.
    #[wire("0+")]
    pub topic_id: Uuid,
    /// One entry for each partition of the request.
    #[wire("0+")]
    pub partitions: Vec<PartitionResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The result for one share-partition.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct PartitionResult {
    /// The partition index.
    #[wire("0+")]
    pub partition: i32,
    /// Why its state was not written, if so.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// The failure in words; null when there was none.
    #[wire("0+", nullable = "0+", default = null)]
    pub error_message: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
