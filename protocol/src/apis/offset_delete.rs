//! Deletes the committed offsets of a group, for chosen partitions.
//!
//! Admin tools (`kafka-consumer-groups.sh --delete-offsets`) send it to the group's coordinator, to rid a
//! group of topics that it has stopped reading, which would otherwise go on showing a lag. The caller
//! needs DELETE on the group and READ on each topic.
//!
//! What an implementer must know:
//! - A group of consumers may be alive, as long as no member subscribes to the topic: else
//!   GROUP_SUBSCRIBED_TO_TOPIC on that topic's partitions. A live group of another kind is
//!   NON_EMPTY_GROUP as a whole.
//! - GROUP_ID_NOT_FOUND, NOT_COORDINATOR and the like stand at the top, and then no topic is listed.
//! - Error code and throttle time stand the other way round than in nearly every other answer.
//!
//! What changed between versions:
//! - v0: the only version (KIP-496), and never flexible.

use crate::{ErrorCode, Text, Wire};

/// The positions to forget, for one group.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct OffsetDeleteRequest {
    /// The group whose offsets go.
    #[wire("0+")]
    pub group_id: Text,
    /// The topics in question.
    #[wire("0+")]
    pub topics: Vec<OffsetDeleteRequestTopic>,
}

/// The positions to forget in one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct OffsetDeleteRequestTopic {
    /// The topic's name; one that does not exist is UNKNOWN_TOPIC_OR_PARTITION.
    #[wire("0+")]
    pub name: Text,
    /// The partitions in question; there is no value that means all.
    #[wire("0+")]
    pub partitions: Vec<OffsetDeleteRequestPartition>,
}

/// One position to forget.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct OffsetDeleteRequestPartition {
    /// The partition within the topic; no offset stored for it is no error.
    #[wire("0+")]
    pub partition_index: i32,
}

/// Which positions are gone.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct OffsetDeleteResponse {
    /// What concerns the group as a whole, such as NON_EMPTY_GROUP; if set, nothing was deleted.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// How long the client is to send nothing, for it exceeded a quota, in milliseconds; 0 = no limit.
    #[wire("0+", ignorable)]
    pub throttle_time_ms: i32,
    /// One entry for each topic of the request; empty beside an error.
    #[wire("0+")]
    pub topics: Vec<OffsetDeleteResponseTopic>,
}

/// The results in one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct OffsetDeleteResponseTopic {
    /// The topic's name.
    #[wire("0+")]
    pub name: Text,
    /// One result for each partition of the request.
    #[wire("0+")]
    pub partitions: Vec<OffsetDeleteResponsePartition>,
}

/// Whether one position is gone.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct OffsetDeleteResponsePartition {
    /// The partition within the topic.
    #[wire("0+")]
    pub partition_index: i32,
    /// NONE, or GROUP_SUBSCRIBED_TO_TOPIC, TOPIC_AUTHORIZATION_FAILED and others.
    #[wire("0+")]
    pub error_code: ErrorCode,
}
