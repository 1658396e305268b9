//! AlterPartition: a partition's leader asks the controller to record a new in-sync set (ISR).
//!
//! The leader alone sees who keeps up, the controller alone may write it down. A leader that wants to
//! drop a slow follower or take a caught-up one in proposes the set and goes by the answer; until then it
//! must count with both: it advances the high watermark only over the larger set (KIP-497). The request
//! is a compare-and-set on `partition_epoch`.
//!
//! Partition errors tell the leader what to do: `INVALID_UPDATE_VERSION` (someone was faster: wait for
//! metadata), `FENCED_LEADER_EPOCH` and `NEW_LEADER_ELECTED` (it leads no longer), `INELIGIBLE_REPLICA`
//! (a proposed member is fenced, shutting down or of an old broker epoch: propose again without it),
//! `UNKNOWN_TOPIC_ID` (deleted), `NOT_CONTROLLER` (this controller knows less than the leader: ask its
//! successor). `STALE_BROKER_EPOCH` on top refuses everything.
//!
//! - v0-1: gone since Kafka 4.0; they named topics by name. v1 had brought `leader_recovery_state`
//!   (KIP-704).
//! - v2: topic ids instead of names; `INELIGIBLE_REPLICA`, `NEW_LEADER_ELECTED`, `UNKNOWN_TOPIC_ID`
//!   (KIP-841).
//! - v3: each proposed member comes with its broker epoch, so that a broker that restarted in between is
//!   not taken in on the merits of its former self (KIP-903).

use crate::{ErrorCode, TaggedFields, Uuid, Wire};

/// The in-sync sets that one broker proposes for partitions that it leads.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "2-3", flexible = "0+")]
pub struct AlterPartitionRequest {
    /// The node id of the leader that asks.
    #[wire("0+")]
    pub broker_id: i32,
    /// The epoch of its current registration; -1 = not known.
    #[wire("0+", default = -1)]
    pub broker_epoch: i64,
    /// The partitions concerned, by topic.
    #[wire("0+")]
    pub topics: Vec<RequestTopicData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The proposals for one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "TopicData")]
pub struct RequestTopicData {
    /// The topic's id, which keeps a deleted and re-created topic apart from its predecessor.
    #[wire("2+", ignorable)]
    pub topic_id: Uuid,
    /// One proposal per partition.
    #[wire("0+")]
    pub partitions: Vec<RequestPartitionData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The proposal for one partition.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "PartitionData")]
pub struct RequestPartitionData {
    /// The partition's number within the topic.
    #[wire("0+")]
    pub partition_index: i32,
    /// The epoch in which the sender leads the partition. An older one than the controller's is fenced.
    #[wire("0+")]
    pub leader_epoch: i32,
    /// Up to v2: node ids of the proposed set, the leader among them.
    #[wire("0-2")]
    pub new_isr: Vec<i32>,
    /// From v3: the proposed set, the leader among them, with broker epochs.
    #[wire("3+")]
    pub new_isr_with_epochs: Vec<BrokerState>,
    /// 0 = recovered; 1 = still recovering from an unclean election, in which case the leader must be the
    /// only member of the set.
    #[wire("1+")]
    pub leader_recovery_state: i8,
    /// The epoch of the partition state on which the proposal rests; the controller raises it with every
    /// change, and refuses another than the current one.
    #[wire("0+")]
    pub partition_epoch: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A proposed member of the in-sync set.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct BrokerState {
    /// The member's node id.
    #[wire("3+")]
    pub broker_id: i32,
    /// The member's registration epoch as the leader learned it from its fetches; -1 = do not check.
    #[wire("3+", default = -1)]
    pub broker_epoch: i64,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The state of each partition after the request.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "2-3", flexible = "0+")]
pub struct AlterPartitionResponse {
    /// Milliseconds for which a quota holds the broker back; 0 = no quota was exceeded.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// An error of the whole request: stale broker epoch, no cluster rights, not the controller.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// The results, grouped by topic.
    #[wire("0+")]
    pub topics: Vec<ResponseTopicData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The results for one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "TopicData")]
pub struct ResponseTopicData {
    /// The topic's id, as in the request.
    #[wire("2+", ignorable)]
    pub topic_id: Uuid,
    /// One result per partition.
    #[wire("0+")]
    pub partitions: Vec<ResponsePartitionData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The controller's answer for one partition. On success it holds the partition's state after the change.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "PartitionData")]
pub struct ResponsePartitionData {
    /// The partition's number within the topic.
    #[wire("0+")]
    pub partition_index: i32,
    /// `NONE`, or why the proposal was refused; the fields below mean nothing then.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// Node id of the leader now in charge.
    #[wire("0+")]
    pub leader_id: i32,
    /// The epoch of that leader.
    #[wire("0+")]
    pub leader_epoch: i32,
    /// Node ids of the in-sync set now on record.
    #[wire("0+")]
    pub isr: Vec<i32>,
    /// 0 = recovered; 1 = recovering from an unclean election.
    #[wire("1+", ignorable)]
    pub leader_recovery_state: i8,
    /// The partition's epoch after the change: the one to name in the next proposal.
    #[wire("0+")]
    pub partition_epoch: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
