//! CreatePartitions: raises the number of partitions of existing topics (KIP-195).
//!
//! A tool sends it to a broker, which forwards it to the controller, or to a controller. Partitions
//! cannot be taken away again, so a lower number, or the same one, is `INVALID_PARTITIONS`. Existing
//! records stay where they are: from now on the same key may go to another partition, which is why tools
//! warn. It takes ALTER rights on the topic.
//!
//! Other errors: `INVALID_REPLICA_ASSIGNMENT` for an assignment that does not fit,
//! `INVALID_REPLICATION_FACTOR` when there are too few live brokers, `INVALID_REQUEST` for a topic that
//! occurs twice, `UNKNOWN_TOPIC_OR_PARTITION`. The answer comes when the controller has recorded the
//! change; brokers may take a moment longer until they serve the new partitions.
//!
//! - v1: a throttled request is answered at once, and the client does the waiting (KIP-219).
//! - v2: flexible.
//! - v3: may answer `THROTTLING_QUOTA_EXCEEDED` per topic: nothing was done, repeat after
//!   `throttle_time_ms` (KIP-599).

use crate::{ErrorCode, TaggedFields, Text, Wire};

/// The new partition counts. Topics are independent of one another.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-3", flexible = "2+")]
pub struct CreatePartitionsRequest {
    /// The topics to enlarge; each at most once.
    #[wire("0+")]
    pub topics: Vec<CreatePartitionsTopic>,
    /// How long to wait for the change, in milliseconds. After a timeout it may still happen.
    #[wire("0+")]
    pub timeout_ms: i32,
    /// True = check everything, change nothing.
    #[wire("0+")]
    pub validate_only: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One topic to enlarge.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct CreatePartitionsTopic {
    /// The topic.
    #[wire("0+")]
    pub name: Text,
    /// How many partitions it shall have in total, not how many to add.
    #[wire("0+")]
    pub count: i32,
    /// Where to put the *new* partitions, one entry each, in rising order; null = the controller places
    /// them.
    #[wire("0+", nullable = "0+")]
    pub assignments: Option<Vec<CreatePartitionsAssignment>>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The replicas of one new partition.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct CreatePartitionsAssignment {
    /// Node ids, the preferred leader first; as many as the topic's other partitions have replicas.
    #[wire("0+")]
    pub broker_ids: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The result for each topic.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-3", flexible = "2+")]
pub struct CreatePartitionsResponse {
    /// Milliseconds for which a quota holds the client back; 0 = no quota was exceeded.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// One entry per topic of the request.
    #[wire("0+")]
    pub results: Vec<CreatePartitionsTopicResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The result for one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct CreatePartitionsTopicResult {
    /// The topic, as in the request.
    #[wire("0+")]
    pub name: Text,
    /// `NONE` = enlarged, or would be if `validate_only` were false.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// Says more about `error_code`, for people; null without an error.
    #[wire("0+", nullable = "0+", default = null)]
    pub error_message: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
