//! CreateTopics: makes topics, with their partitions, replicas and configuration (KIP-4).
//!
//! A client sends it to any broker, which forwards it to the controller, or to a controller. It takes
//! CREATE rights on the cluster or the topic. The answer comes when the controller has recorded the
//! topics; metadata elsewhere may lag a moment, so a client that goes on at once must bear
//! `UNKNOWN_TOPIC_OR_PARTITION` for a while.
//!
//! Worth knowing: `TOPIC_ALREADY_EXISTS`; `INVALID_TOPIC_EXCEPTION` for a bad name, and for one that
//! differs from another topic's just by `.` against `_`, since metrics could not tell them apart;
//! `INVALID_REPLICATION_FACTOR` for more replicas than brokers; `INVALID_PARTITIONS`;
//! `INVALID_REPLICA_ASSIGNMENT`; `INVALID_CONFIG`; `POLICY_VIOLATION`; `INVALID_REQUEST` for a topic
//! named twice, or for counts given beside `assignments`.
//!
//! - v0-1: gone since Kafka 4.0. v1 had brought `validate_only` and error messages.
//! - v2: adds `throttle_time_ms`; from v3 the client does the waiting when throttled (KIP-219).
//! - v4: both counts may be -1 without assignments: the cluster's defaults (KIP-464).
//! - v5: flexible; the answer shows counts and configuration of the new topic (KIP-525).
//! - v6: may answer `THROTTLING_QUOTA_EXCEEDED` per topic: not created, repeat after `throttle_time_ms`
//!   (KIP-599).
//! - v7: the answer holds the new topic's id (KIP-516).

use crate::{ErrorCode, TaggedFields, Text, Uuid, Wire};

/// The topics to make. They are independent of one another.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "2-7", flexible = "5+")]
pub struct CreateTopicsRequest {
    /// The topics; a name that occurs twice fails.
    #[wire("0+")]
    pub topics: Vec<CreatableTopic>,
    /// How long to wait for the topics, in milliseconds. After a timeout they may still come into being.
    /// (Kafka's own schema spells this field and the next with a small first letter.)
    #[wire("0+", default = 60000, name = "timeoutMs")]
    pub timeout_ms: i32,
    /// True = check everything, make nothing.
    #[wire("1+", name = "validateOnly")]
    pub validate_only: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One topic to make.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct CreatableTopic {
    /// The name: at most 249 of letters, digits, `.`, `_` and `-`, but not `.` or `..` alone.
    #[wire("0+")]
    pub name: Text,
    /// How many partitions; -1 = the cluster's default (from v4), or as `assignments` says.
    #[wire("0+")]
    pub num_partitions: i32,
    /// How many replicas of each partition; -1 = the cluster's default (from v4), or as `assignments`
    /// says.
    #[wire("0+")]
    pub replication_factor: i16,
    /// Where to put each partition; empty = the controller chooses. If given, both counts must be -1.
    #[wire("0+")]
    pub assignments: Vec<CreatableReplicaAssignment>,
    /// Settings that differ from the defaults.
    #[wire("0+")]
    pub configs: Vec<CreatableTopicConfig>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The replicas of one partition.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct CreatableReplicaAssignment {
    /// The partition's number; together the entries must count from 0 without a gap.
    #[wire("0+")]
    pub partition_index: i32,
    /// Node ids, the preferred leader first; as many for every partition of the topic.
    #[wire("0+")]
    pub broker_ids: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One setting of the new topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct CreatableTopicConfig {
    /// The configuration's name, such as `cleanup.policy`.
    #[wire("0+")]
    pub name: Text,
    /// The value as text. Null fits the wire, but is no valid value.
    #[wire("0+", nullable = "0+")]
    pub value: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The result for each topic.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "2-7", flexible = "5+")]
pub struct CreateTopicsResponse {
    /// Milliseconds for which a quota holds the client back; 0 = no quota was exceeded.
    #[wire("2+", ignorable)]
    pub throttle_time_ms: i32,
    /// One entry per topic of the request.
    #[wire("0+")]
    pub topics: Vec<CreatableTopicResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The result for one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct CreatableTopicResult {
    /// The topic, as in the request.
    #[wire("0+")]
    pub name: Text,
    /// From v7: the new topic's id; zeros when none was made.
    #[wire("7+", ignorable)]
    pub topic_id: Uuid,
    /// `NONE` = made, or would be if `validate_only` were false.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// Says more about `error_code`, for people; null without an error.
    #[wire("1+", nullable = "0+", ignorable)]
    pub error_message: Option<Text>,
    /// From v5: why the fields below are not filled in: `TOPIC_AUTHORIZATION_FAILED` = made, but the
    /// caller may not see configurations. Tagged, and left out when `NONE`.
    #[wire("5+", tag = 0, ignorable)]
    pub topic_config_error_code: ErrorCode,
    /// From v5: how many partitions the topic got; -1 = not shown.
    #[wire("5+", default = -1, ignorable)]
    pub num_partitions: i32,
    /// From v5: how many replicas each partition got; -1 = not shown.
    #[wire("5+", default = -1, ignorable)]
    pub replication_factor: i16,
    /// From v5: every configuration in force for the topic, defaults too; null or empty where not shown.
    #[wire("5+", nullable = "5+", ignorable)]
    pub configs: Option<Vec<CreatableTopicConfigs>>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One configuration in force for the new topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct CreatableTopicConfigs {
    /// The configuration's name.
    #[wire("5+")]
    pub name: Text,
    /// The value as text; null = none, or hidden because it is sensitive.
    #[wire("5+", nullable = "5+")]
    pub value: Option<Text>,
    /// True = cannot be changed by a request.
    #[wire("5+")]
    pub read_only: bool,
    /// Where the value comes from: 1 = set on the topic, 2 = dynamic on the broker, 3 = dynamic default
    /// of all brokers, 4 = the broker's file, 5 = built in; -1 and 0 = not known.
    #[wire("5+", default = -1, ignorable)]
    pub config_source: i8,
    /// True = a secret, whose value is never shown.
    #[wire("5+")]
    pub is_sensitive: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
