//! ListConfigResources names the resources that can have a configuration. An admin client sends it to any
//! broker, mostly to find resources that no other API lists: client-metrics subscriptions, and groups that
//! have settings of their own. It needs `DESCRIBE_CONFIGS` on the cluster.
//!
//! Only names come back; DescribeConfigs reads the values. The types are those of DescribeConfigs: 2 =
//! topic, 4 = broker, 8 = broker logger, 16 = client metrics, 32 = group. `UNSUPPORTED_VERSION` answers a
//! type that the broker cannot list.
//!
//! - v0: called ListClientMetricsResources, and lists nothing else.
//! - v1: all types, with a choice among them (KIP-1142). Asked with none chosen, it lists everything: an
//!   empty request means more than in v0.

use crate::{ErrorCode, TaggedFields, Text, Wire};

/// The kinds of resource to list.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "0+")]
pub struct ListConfigResourcesRequest {
    /// The types wanted; empty = all. In v0 client metrics alone.
    #[wire("1+")]
    pub resource_types: Vec<i8>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The resources.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "0+")]
pub struct ListConfigResourcesResponse {
    /// How long the broker holds this client back for exceeding a quota, in milliseconds; 0 = not at all.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// Why nothing is listed, if so.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// The resources, of all the types wanted.
    #[wire("0+")]
    pub config_resources: Vec<ConfigResource>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A resource that can have a configuration.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ConfigResource {
    /// Its name; for brokers and their loggers the broker id in decimal.
    #[wire("0+")]
    pub resource_name: Text,
    /// Its type; in v0 always 16, client metrics.
    #[wire("1+", default = 16, ignorable)]
    pub resource_type: i8,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
