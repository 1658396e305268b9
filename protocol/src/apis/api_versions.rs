//! ApiVersions: the first request on a connection: what can this broker do (KIP-35)?
//!
//! Any client sends it to any broker or controller, before authentication too. The answer lists the
//! version range of every API that the listener serves; the client then uses the highest version that
//! both know.
//!
//! It has to work between strangers, hence its exceptions. The *response header* is always version 0,
//! never flexible, for its length must not depend on what was agreed. A request in a version that the
//! broker does not know is not an error of the connection: it is answered in the layout of v0 with
//! `UNSUPPORTED_VERSION`, and `api_keys` then holds at least the range of ApiVersions itself, so that the
//! client can ask again (KIP-511). The request's body is not read in that case.
//!
//! Old Java clients throw when a supported feature's minimum is 0: below v4 such features must be left
//! out (KAFKA-17011).
//!
//! - v0-2: an empty request body. v1 adds `throttle_time_ms`; from v2 a throttled client does the
//!   waiting.
//! - v3: flexible, but for the response header; the client's software (KIP-511); features as tagged
//!   fields (KIP-584).
//! - v4: supported features may have 0 as their minimum.

use crate::{ErrorCode, TaggedFields, Text, Wire};

/// Asks what the broker speaks; from v3 it also says who asks.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-4", flexible = "3+")]
pub struct ApiVersionsRequest {
    /// The client library, such as `librdkafka`. Letters, digits, `-` and `.` only, with a letter or
    /// digit at both ends; anything else is answered with `INVALID_REQUEST`.
    #[wire("3+", ignorable)]
    pub client_software_name: Text,
    /// The library's version, under the same rule as the name.
    #[wire("3+", ignorable)]
    pub client_software_version: Text,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// What this listener of the broker serves, and which features the cluster has.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-4", flexible = "3+")]
pub struct ApiVersionsResponse {
    /// `UNSUPPORTED_VERSION` = read the rest as v0; `INVALID_REQUEST` = the client's name or version is
    /// malformed.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// Every API that the listener serves, each key once. What is missing here must not be sent.
    #[wire("0+")]
    pub api_keys: Vec<ApiVersion>,
    /// Milliseconds for which a quota holds the client back; 0 = no quota was exceeded. It stands
    /// *behind* the list, not in front as in most answers, so that v0 is a prefix of v1.
    #[wire("1+", ignorable)]
    pub throttle_time_ms: i32,
    /// The feature levels that this broker could run, whatever the cluster has switched on.
    #[wire("3+", tag = 0, ignorable)]
    pub supported_features: Vec<SupportedFeatureKey>,
    /// The age of `finalized_features`: a higher one is newer. -1 = not known, and clients then ignore
    /// `finalized_features`.
    #[wire("3+", default = -1, tag = 1, ignorable)]
    pub finalized_features_epoch: i64,
    /// The feature levels in force in the whole cluster. While `group.version` is missing, for instance,
    /// the group protocol of KIP-848 is off.
    #[wire("3+", tag = 2, ignorable)]
    pub finalized_features: Vec<FinalizedFeatureKey>,
    /// Set by controllers while clusters moved from ZooKeeper to KRaft; false today.
    #[wire("3+", tag = 3, ignorable)]
    pub zk_migration_ready: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One API with the versions that may be sent.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ApiVersion {
    /// The number that stands in the request header.
    #[wire("0+")]
    pub api_key: i16,
    /// The lowest version served.
    #[wire("0+")]
    pub min_version: i16,
    /// The highest version served, itself included.
    #[wire("0+")]
    pub max_version: i16,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A feature and the levels that the broker can run.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct SupportedFeatureKey {
    /// The feature, such as `metadata.version`, `group.version` or `transaction.version`.
    #[wire("3+")]
    pub name: Text,
    /// The lowest level; 0 means that the feature can be off, and is allowed only from v4.
    #[wire("3+")]
    pub min_version: i16,
    /// The highest level, itself included.
    #[wire("3+")]
    pub max_version: i16,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A feature and its level in the cluster. Mind the order: here the maximum comes first.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct FinalizedFeatureKey {
    /// The feature, as in `supported_features`.
    #[wire("3+")]
    pub name: Text,
    /// The level in force.
    #[wire("3+")]
    pub max_version_level: i16,
    /// The lowest level in force; Kafka sends the same number as in `max_version_level`.
    #[wire("3+")]
    pub min_version_level: i16,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
