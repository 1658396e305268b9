//! IncrementalAlterConfigs changes single keys of the configuration of topics, brokers, loggers,
//! client-metrics subscriptions and groups, and leaves all other keys as they are (KIP-339). It takes the
//! place of AlterConfigs, which resets every key that it does not name. Admin clients send it to any
//! broker, which passes it to the controller; the log levels of a broker go to that broker itself.
//!
//! Each resource succeeds or fails as a whole and apart from the others. Errors per resource:
//! `INVALID_CONFIG` for a bad value, and for adding to a key that is no list; `INVALID_REQUEST` for a key
//! named twice, a null value that is not for deletion, an unknown operation; `POLICY_VIOLATION`,
//! `UNKNOWN_TOPIC_OR_PARTITION`, and the authorization errors for want of `ALTER_CONFIGS`.
//!
//! Trap: the answer speaks of storing. Brokers apply the change a moment later, as it reaches them in the
//! metadata log.
//!
//! - v0: the first version.
//! - v1: flexible encoding; nothing else.

use crate::{ErrorCode, TaggedFields, Text, Wire};

/// Changes to configurations.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "1+")]
pub struct IncrementalAlterConfigsRequest {
    /// The resources to change, each at most once.
    #[wire("0+")]
    pub resources: Vec<AlterConfigsResource>,
    /// Whether to check everything and change nothing.
    #[wire("0+")]
    pub validate_only: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Changes to one resource.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct AlterConfigsResource {
    /// Its kind: 2 = topic, 4 = broker, 8 = broker logger, 16 = client metrics, 32 = group.
    #[wire("0+")]
    pub resource_type: i8,
    /// Its name: of a topic, group or subscription, or a broker id in decimal; empty = the defaults of all
    /// brokers.
    #[wire("0+")]
    pub resource_name: Text,
    /// The keys to change, each at most once.
    #[wire("0+")]
    pub configs: Vec<AlterableConfig>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A change to one key.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct AlterableConfig {
    /// The key, such as `retention.ms`.
    #[wire("0+")]
    pub name: Text,
    /// 0 = set the value, 1 = delete it so that the default applies, 2 = add items to a list, 3 = remove
    /// items from a list.
    #[wire("0+")]
    pub config_operation: i8,
    /// The value, or the items separated by commas; null only where the key is deleted.
    #[wire("0+", nullable = "0+")]
    pub value: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of the changes.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "1+")]
pub struct IncrementalAlterConfigsResponse {
    /// How long the broker holds this client back for exceeding a quota, in milliseconds; 0 = not at all.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// One entry for each resource of the request.
    #[wire("0+")]
    pub responses: Vec<AlterConfigsResourceResponse>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of the changes to one resource.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct AlterConfigsResourceResponse {
    /// Why nothing of it was changed, if so.
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
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
