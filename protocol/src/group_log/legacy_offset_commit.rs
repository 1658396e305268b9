use crate::{Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct LegacyOffsetCommitKey {
    #[wire("0", name = "group")]
    pub group: Text,
    #[wire("0", name = "topic")]
    pub topic: Text,
    #[wire("0", name = "partition")]
    pub partition: i32,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct LegacyOffsetCommitValue {
    #[wire("0", name = "offset")]
    pub offset: i64,
    #[wire("0", name = "metadata")]
    pub metadata: Text,
    #[wire("0", name = "commitTimestamp")]
    pub commit_timestamp: i64,
}
