//! DeleteTopics: removes topics with all their records (KIP-4).
//!
//! A client sends it to any broker, which forwards it to the controller, or to a controller. It takes
//! DELETE rights on each topic. The answer comes when the controller has recorded that the topics are
//! gone; brokers drop the files after that. From v6 a topic can be named by id, which protects from
//! deleting a namesake that was created meanwhile.
//!
//! Worth knowing: `UNKNOWN_TOPIC_OR_PARTITION` for a name, `UNKNOWN_TOPIC_ID` for an id;
//! `TOPIC_DELETION_DISABLED` when `delete.topic.enable` is off; `INVALID_REQUEST` for a topic named
//! twice, or by name and id at once. A caller that may not even see a topic must not learn its name from
//! the answer to its id.
//!
//! - v0: gone since Kafka 4.0.
//! - v1: adds `throttle_time_ms`; from v2 the client does the waiting when throttled (KIP-219).
//! - v3: may answer `TOPIC_DELETION_DISABLED`; below, the same refusal is `INVALID_REQUEST`.
//! - v4: flexible.
//! - v5: adds error messages, and `THROTTLING_QUOTA_EXCEEDED` per topic: not deleted, repeat after
//!   `throttle_time_ms` (KIP-599).
//! - v6: `topics` with name or id takes the place of `topic_names` (KIP-516).

use crate::{ErrorCode, TaggedFields, Text, Uuid, Wire};

/// The topics to remove. They are independent of one another.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-6", flexible = "4+")]
pub struct DeleteTopicsRequest {
    /// From v6: the topics, each by name or by id.
    #[wire("6+")]
    pub topics: Vec<DeleteTopicState>,
    /// Up to v5: the topics by name.
    #[wire("0-5", ignorable)]
    pub topic_names: Vec<Text>,
    /// How long to wait for the removal, in milliseconds. After a timeout it may still happen.
    #[wire("0+")]
    pub timeout_ms: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One topic, named in one of two ways.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DeleteTopicState {
    /// The topic's name; null = `topic_id` says which.
    #[wire("6+", nullable = "6+", default = null)]
    pub name: Option<Text>,
    /// The topic's id; zeros = `name` says which.
    #[wire("6+")]
    pub topic_id: Uuid,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The result for each topic.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-6", flexible = "4+")]
pub struct DeleteTopicsResponse {
    /// Milliseconds for which a quota holds the client back; 0 = no quota was exceeded.
    #[wire("1+", ignorable)]
    pub throttle_time_ms: i32,
    /// One entry per topic of the request.
    #[wire("0+")]
    pub responses: Vec<DeletableTopicResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The result for one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DeletableTopicResult {
    /// The topic's name; null (from v6) = asked for by an id that is unknown or that the caller may not
    /// see.
    #[wire("0+", nullable = "6+")]
    pub name: Option<Text>,
    /// From v6: the topic's id; zeros when a name was asked for and did not resolve.
    #[wire("6+", ignorable)]
    pub topic_id: Uuid,
    /// `NONE` = the topic is gone.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// From v5: says more about `error_code`, for people; null without an error.
    #[wire("5+", nullable = "5+", default = null, ignorable)]
    pub error_message: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
