//! What one member of a consumer group owns now, and how far it is on the way to its target (KIP-848).
//!
//! Written whenever a heartbeat moves the member: it joined, reached an epoch, got partitions, or has to
//! give some up. A reader rebuilds from it who owns each partition, so that no partition goes to a second
//! member too early. The tombstone takes all partitions from the member; those of its target and metadata
//! follow. A static member that leaves for a while gets no tombstone: its epoch becomes -2 and its place
//! is kept.
//!
//! `assignment_epochs` came as a tagged field with KIP-1251.

use crate::{TaggedFields, Text, Uuid, Wire};

/// Which member of which group.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct ConsumerGroupCurrentMemberAssignmentKey {
    /// The group's id.
    #[wire("0")]
    pub group_id: Text,
    /// The member's id, by which heartbeats name it.
    #[wire("0")]
    pub member_id: Text,
}

/// Where the member stands between its last target and the next.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct ConsumerGroupCurrentMemberAssignmentValue {
    /// The epoch that the next heartbeat must name; -2 = a static member that went and will be back.
    #[wire("0+")]
    pub member_epoch: i32,
    /// The epoch before. A heartbeat may still name it, since the answer with the new one may have been
    /// lost.
    #[wire("0+")]
    pub previous_member_epoch: i32,
    /// 0 = stable, 1 = has to give up partitions first, 2 = waits for partitions that others have yet to
    /// give up.
    #[wire("0+")]
    pub state: i8,
    /// What the member may use, as the answers to its heartbeats say.
    #[wire("0+")]
    pub assigned_partitions: Vec<TopicPartitions>,
    /// What the member was told to give up and has not confirmed; nobody else may get it yet.
    #[wire("0+")]
    pub partitions_pending_revocation: Vec<TopicPartitions>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TopicPartitions {
    /// The topic's id.
    #[wire("0+")]
    pub topic_id: Uuid,
    /// Partition numbers within the topic.
    #[wire("0+")]
    pub partitions: Vec<i32>,
    /// The member's epoch when it got each partition, in the order of `partitions`; a commit with an
    /// older epoch is refused. Null = `member_epoch` for all.
    /// Left out, it reads as empty, not as null: null is written out.
    #[wire("0+", nullable = "0+", tag = 0)]
    pub assignment_epochs: Option<Vec<i32>>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
