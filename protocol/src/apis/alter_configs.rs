//! AlterConfigs: replaces the whole set of dynamic configurations of a topic or broker. Kept for old
//! clients.
//!
//! Its trap is in the word *whole*: what the request does not name goes back to its default, so two tools
//! that each change one setting undo one another. IncrementalAlterConfigs (KIP-339) took its place; new
//! clients never send this one. Any broker accepts it for topics and forwards it to the controller.
//!
//! `INVALID_CONFIG` is a value that does not pass its check, `INVALID_REQUEST` a malformed wish (null
//! value, key named twice), `POLICY_VIOLATION` the no of the operator's own policy, and
//! `UNKNOWN_TOPIC_OR_PARTITION` an absent topic.
//!
//! - v1: a throttled request is answered at once, and the client does the waiting (KIP-219).
//! - v2: flexible.

use crate::{ErrorCode, TaggedFields, Text, Wire};

/// The new configuration sets, one per resource. Resources are independent of one another.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-2", flexible = "2+")]
pub struct AlterConfigsRequest {
    /// The resources to change; each at most once.
    #[wire("0+")]
    pub resources: Vec<AlterConfigsResource>,
    /// True = check everything, change nothing.
    #[wire("0+")]
    pub validate_only: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One resource and all that shall be set on it from now on.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct AlterConfigsResource {
    /// What kind of resource: 2 = topic, 4 = broker, 16 = client metrics, 32 = group. Log levels of a
    /// broker (8) can only be changed by IncrementalAlterConfigs.
    #[wire("0+")]
    pub resource_type: i8,
    /// The topic's name, or the broker's id in digits. An empty name with type 4 = the default for all
    /// brokers.
    #[wire("0+")]
    pub resource_name: Text,
    /// The complete new set; empty = reset everything to defaults.
    #[wire("0+")]
    pub configs: Vec<AlterableConfig>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One setting.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct AlterableConfig {
    /// The configuration's name, such as `retention.ms`.
    #[wire("0+")]
    pub name: Text,
    /// The value as text. Null fits the wire but is refused: leaving a name out is how it is reset.
    #[wire("0+", nullable = "0+")]
    pub value: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The result for each resource.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-2", flexible = "2+")]
pub struct AlterConfigsResponse {
    /// Milliseconds for which a quota holds the client back; 0 = no quota was exceeded.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// One entry per resource of the request.
    #[wire("0+")]
    pub responses: Vec<AlterConfigsResourceResponse>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The result for one resource.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct AlterConfigsResourceResponse {
    /// `NONE`, or why the resource stays as it was.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// Says more about `error_code`, for people; null without an error.
    #[wire("0+", nullable = "0+")]
    pub error_message: Option<Text>,
    /// The kind of resource, as in the request.
    #[wire("0+")]
    pub resource_type: i8,
    /// The resource's name, as in the request.
    #[wire("0+")]
    pub resource_name: Text,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
