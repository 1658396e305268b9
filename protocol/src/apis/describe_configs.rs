//! DescribeConfigs reads the configuration of topics, brokers, loggers, client-metrics subscriptions and
//! groups. Admin clients, Kafka Connect (which checks that its internal topics are compacted) and Kafka
//! Streams send it.
//!
//! Any broker can answer for topics, groups, subscriptions and the cluster-wide broker defaults (resource
//! name empty). What one broker runs with, and its log levels, only that broker knows: the request goes to
//! the broker named.
//!
//! Each key comes with its effective value, where that value comes from, and on request the whole chain
//! behind it. Passwords and their like are `is_sensitive` and have a null value. Errors are per resource:
//! `UNKNOWN_TOPIC_OR_PARTITION`, `INVALID_TOPIC_EXCEPTION`, `TOPIC_AUTHORIZATION_FAILED`,
//! `CLUSTER_AUTHORIZATION_FAILED`, or `INVALID_REQUEST` for a broker that is not the one asked.
//!
//! - v0 said `is_default` where `config_source` is now. Kafka 4.0 dropped it.
//! - v1: `config_source` and synonyms (KIP-226).
//! - v2: same bytes; a throttled client gets its answer at once and waits afterwards.
//! - v3: type and documentation of each key (KIP-569).
//! - v4: flexible encoding.

use crate::{ErrorCode, TaggedFields, Text, Wire};

/// Whose configuration to read, and how much to tell about each key.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-4", flexible = "4+")]
pub struct DescribeConfigsRequest {
    /// The resources to read, each answered on its own.
    #[wire("0+")]
    pub resources: Vec<DescribeConfigsResource>,
    /// Whether to list every place that sets the key, not only the one that wins.
    #[wire("1+")]
    pub include_synonyms: bool,
    /// Whether to send the help text of each key; it makes the answer several times larger.
    #[wire("3+")]
    pub include_documentation: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A resource to read.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribeConfigsResource {
    /// Its kind: 2 = topic, 4 = broker, 8 = broker logger, 16 = client metrics, 32 = group.
    #[wire("0+")]
    pub resource_type: i8,
    /// Its name: of a topic, group or subscription, or a broker id in decimal; empty = the defaults of all
    /// brokers.
    #[wire("0+")]
    pub resource_name: Text,
    /// The keys to tell; null = every key. A key that does not exist is left out of the answer.
    #[wire("0+", nullable = "0+")]
    pub configuration_keys: Option<Vec<Text>>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The configurations.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-4", flexible = "4+")]
pub struct DescribeConfigsResponse {
    /// How long the broker holds this client back for exceeding a quota, in milliseconds; 0 = not at all.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// One result for each resource of the request.
    #[wire("0+")]
    pub results: Vec<DescribeConfigsResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The configuration of one resource.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribeConfigsResult {
    /// Why this resource could not be read, if so.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// The failure in words; null when there was none.
    #[wire("0+", nullable = "0+")]
    pub error_message: Option<Text>,
    /// The kind of resource, as in the request.
    #[wire("0+")]
    pub resource_type: i8,
    /// The name of the resource, as in the request.
    #[wire("0+")]
    pub resource_name: Text,
    /// The keys with their values; empty when reading failed.
    #[wire("0+")]
    pub configs: Vec<DescribeConfigsResourceResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One key of a configuration.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribeConfigsResourceResult {
    /// The key, such as `retention.ms`.
    #[wire("0+")]
    pub name: Text,
    /// The effective value as text; null when sensitive or when the key has no value.
    #[wire("0+", nullable = "0+")]
    pub value: Option<Text>,
    /// Whether the key cannot be altered while the broker runs.
    #[wire("0+")]
    pub read_only: bool,
    /// Where the value comes from: 1 = the topic, 2 = this broker at run time, 3 = the brokers' default at
    /// run time, 4 = the broker's file, 5 = built in, 6 = broker logger, 7 = client metrics, 8 = group; 0
    /// = unknown.
    #[wire("1+", default = -1, ignorable)]
    pub config_source: i8,
    /// Whether the value is a secret, and is therefore withheld.
    #[wire("0+")]
    pub is_sensitive: bool,
    /// Every setting that could have given the value, the winning one first; empty unless asked for.
    #[wire("1+", ignorable)]
    pub synonyms: Vec<DescribeConfigsSynonym>,
    /// The type: 1 = boolean, 2 = string, 3 = int, 4 = short, 5 = long, 6 = double, 7 = list, 8 = class, 9
    /// = password; 0 = unknown.
    #[wire("3+", ignorable)]
    pub config_type: i8,
    /// The help text; null unless asked for.
    #[wire("3+", nullable = "0+", ignorable)]
    pub documentation: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A setting that stands behind a key: for a topic's `retention.ms` the broker's `log.retention.ms` and
/// the like.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribeConfigsSynonym {
    /// The key under which this place sets it.
    #[wire("1+")]
    pub name: Text,
    /// What it sets there; null when sensitive.
    #[wire("1+", nullable = "0+")]
    pub value: Option<Text>,
    /// The place, with the codes of `config_source`.
    #[wire("1+")]
    pub source: i8,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
