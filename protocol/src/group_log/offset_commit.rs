//! The offset that a group committed for one partition.
//!
//! Written for each partition of an OffsetCommit or TxnOffsetCommit. In the second case the record
//! belongs to a transaction: a reader holds it back until the control record of the same producer, then
//! applies it (commit) or drops it (abort). A tombstone follows when the offset expires, when
//! OffsetDelete or DeleteGroups removes it, and when its topic is deleted. A group that only commits has
//! no other record: its offsets make it exist.
//!
//! - v0: offset, note and time of the commit.
//! - v1: adds `expire_timestamp`. Still written for a commit that asks for a retention time of its own.
//! - v2: drops it again (KIP-211): when an offset expires now follows from the state of its group.
//! - v3: adds `leader_epoch` (KIP-320).
//! - v4: flexible, with `topic_id` as a tagged field; written by Kafka since 4.1.

use crate::{TaggedFields, Text, Uuid, Wire};

/// Whose offset, and in which partition.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct OffsetCommitKey {
    /// The group that committed, of any kind but a share group.
    #[wire("0", name = "group")]
    pub group: Text,
    /// The topic's name.
    #[wire("0", name = "topic")]
    pub topic: Text,
    /// The partition number within the topic.
    #[wire("0", name = "partition")]
    pub partition: i32,
}

/// The position that the group has reached.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-4", flexible = "4+")]
pub struct OffsetCommitValue {
    /// Where the group goes on reading: by custom the offset after the last record that it is done with.
    #[wire("0+", name = "offset")]
    pub offset: i64,
    /// From v3: the leader epoch of the last record that was read, to notice a truncated log; -1 = not
    /// known.
    #[wire("3+", default = -1, ignorable, name = "leaderEpoch")]
    pub leader_epoch: i32,
    /// A note of the client, kept and given back unread; empty = none.
    #[wire("0+", name = "metadata")]
    pub metadata: Text,
    /// When the coordinator took the commit, in milliseconds since 1970.
    #[wire("0+", name = "commitTimestamp")]
    pub commit_timestamp: i64,
    /// Only v1: when this offset expires whatever becomes of its group, in milliseconds since 1970; -1 =
    /// no such time.
    #[wire("1", default = -1, ignorable, name = "expireTimestamp")]
    pub expire_timestamp: i64,
    /// From v4: the topic's id, so that an offset does not pass to a new topic of the same name; zero =
    /// not known.
    #[wire("4+", tag = 0, ignorable, name = "topicId")]
    pub topic_id: Uuid,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
