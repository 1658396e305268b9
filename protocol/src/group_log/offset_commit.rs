use crate::{TaggedFields, Text, Uuid, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct OffsetCommitKey {
    #[wire("0", name = "group")]
    pub group: Text,
    #[wire("0", name = "topic")]
    pub topic: Text,
    #[wire("0", name = "partition")]
    pub partition: i32,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-4", flexible = "4+")]
pub struct OffsetCommitValue {
    #[wire("0+", name = "offset")]
    pub offset: i64,
    #[wire("3+", default = -1, ignorable, name = "leaderEpoch")]
    pub leader_epoch: i32,
    #[wire("0+", name = "metadata")]
    pub metadata: Text,
    #[wire("0+", name = "commitTimestamp")]
    pub commit_timestamp: i64,
    #[wire("1", default = -1, ignorable, name = "expireTimestamp")]
    pub expire_timestamp: i64,
    #[wire("4+", tag = 0, ignorable, name = "topicId")]
    pub topic_id: Uuid,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
