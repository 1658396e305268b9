//! A committed offset, in the oldest form of this topic.
//!
//! Current coordinators do not write it; a log from long ago may still hold it, since compaction keeps
//! the last record of each key. A reader takes it for what an `OffsetCommit` of the same group, topic and
//! partition says, and a tombstone for the end of that offset. It has no leader epoch and no expiry.

use crate::{Text, Wire};

/// Whose offset, and in which partition.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct LegacyOffsetCommitKey {
    /// The group that committed.
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
#[message(versions = "0", flexible = "none")]
pub struct LegacyOffsetCommitValue {
    /// Where the group goes on reading: by custom the offset after the last record that it is done with.
    #[wire("0", name = "offset")]
    pub offset: i64,
    /// A note of the client, kept and given back unread; empty = none.
    #[wire("0", name = "metadata")]
    pub metadata: Text,
    /// When the offset was committed, in milliseconds since 1970.
    #[wire("0", name = "commitTimestamp")]
    pub commit_timestamp: i64,
}
