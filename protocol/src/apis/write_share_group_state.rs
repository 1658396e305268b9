//! Stores changes of the delivery state of share-partitions.
//!
//! The leader of a partition sends it to the share coordinator before it confirms acknowledgements to
//! members of a share group (KIP-932), so it lies on the path of each of them. The coordinator appends
//! the changes to `__share_group_state`, as an update or, now and then, a snapshot. It is between
//! brokers: the sender needs CLUSTER_ACTION.
//!
//! What an implementer must know:
//! - A batch replaces what was stored for its offsets; offsets that no batch covers stay as they were.
//!   What lies below the start offset is forgotten.
//! - FENCED_LEADER_EPOCH: a newer leader has read or written the state. FENCED_STATE_EPOCH: an
//!   administrator has reset the group meanwhile. Either way the sender stops serving the
//!   share-partition from its memory.
//! - NOT_COORDINATOR, COORDINATOR_NOT_AVAILABLE and COORDINATOR_LOAD_IN_PROGRESS stand on each partition
//!   and are worth another try; there is neither a throttle time nor an error at the top.
//!
//! What changed between versions:
//! - v0: the first, flexible.
//! - v1: how many offsets are done with beyond the start, so that a lag can be told (KIP-1226).

use crate::{ErrorCode, TaggedFields, Text, Uuid, Wire};

/// Changes to some share-partitions of one group.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "0+")]
pub struct WriteShareGroupStateRequest {
    /// The share group.
    #[wire("0+")]
    pub group_id: Text,
    /// The changes, by topic.
    #[wire("0+")]
    pub topics: Vec<WriteStateData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The changes in one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct WriteStateData {
    /// The topic's id.
    #[wire("0+")]
    pub topic_id: Uuid,
    /// One entry per partition.
    #[wire("0+")]
    pub partitions: Vec<PartitionData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The changes in one share-partition.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct PartitionData {
    /// The partition within the topic.
    #[wire("0+")]
    pub partition: i32,
    /// The state epoch that ReadShareGroupState answered; an older one is fenced, -1 is not checked.
    #[wire("0+")]
    pub state_epoch: i32,
    /// The epoch of the leadership that writes; an older one is fenced, -1 is not checked.
    #[wire("0+")]
    pub leader_epoch: i32,
    /// The first offset that is not done with yet; -1 = as stored before.
    #[wire("0+")]
    pub start_offset: i64,
    /// How many offsets from the start offset on are done with already; -1 = not known.
    #[wire("1+", default = -1, ignorable)]
    pub delivery_complete_count: i32,
    /// The runs of offsets whose state changed.
    #[wire("0+")]
    pub state_batches: Vec<StateBatch>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A run of offsets in the same delivery state.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct StateBatch {
    /// The first offset of the run.
    #[wire("0+")]
    pub first_offset: i64,
    /// The last offset of the run, itself included.
    #[wire("0+")]
    pub last_offset: i64,
    /// 0 = available, 2 = acknowledged, 4 = archived. Acquired (1) is never stored.
    #[wire("0+")]
    pub delivery_state: i8,
    /// How often the records were delivered so far.
    #[wire("0+")]
    pub delivery_count: i16,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// What was stored.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "0+")]
pub struct WriteShareGroupStateResponse {
    /// One entry for each topic of the request.
    #[wire("0+")]
    pub results: Vec<WriteStateResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The results in one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct WriteStateResult {
    /// The topic's id.
    #[wire("0+")]
    pub topic_id: Uuid,
    /// One result for each partition of the request.
    #[wire("0+")]
    pub partitions: Vec<PartitionResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Whether the changes of one share-partition were stored.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct PartitionResult {
    /// The partition within the topic.
    #[wire("0+")]
    pub partition: i32,
    /// NONE = stored and replicated.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// What went wrong, for people to read; null = nothing did.
    #[wire("0+", nullable = "0+", default = null)]
    pub error_message: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
