//! Raises or lowers the levels of the cluster's features (KIP-584).
//!
//! An administrator (`kafka-features.sh`) sends it to any broker, which hands it to the active
//! controller. A feature (`metadata.version`, `group.version`, `transaction.version` and
//! others) is finalized at one level for all nodes; ApiVersions tells it to everyone. The
//! caller needs ALTER on the cluster.
//!
//! What an implementer must know:
//! - All or nothing: if one update is refused, none is made.
//! - INVALID_UPDATE_VERSION: some node does not support the level, the feature is unknown, or
//!   the direction is not the one that `upgrade_type` permits. FEATURE_UPDATE_FAILED: the
//!   controller could not store it.
//! - Kafka's definition calls the timeout `timeoutMs`, with a small first letter: tools that
//!   compare schemas trip over it.
//!
//! What changed between versions:
//! - v0: the first, flexible. v1: a trial run, and three kinds of change in place of a flag (KIP-778).
//! - v2: no results per feature any more, since they all share one fate (KIP-1022).

use crate::{ErrorCode, TaggedFields, Text, Wire};

/// The levels to set.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-2", flexible = "0+")]
pub struct UpdateFeaturesRequest {
    /// How long the controller may take before it answers REQUEST_TIMED_OUT, in milliseconds.
    #[wire("0+", default = 60000, name = "timeoutMs")]
    pub timeout_ms: i32,
    /// One entry per feature; the others stay as they are.
    #[wire("0+")]
    pub feature_updates: Vec<FeatureUpdateKey>,
    /// Whether only to check what would happen.
    #[wire("1+")]
    pub validate_only: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The level to set for one feature.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct FeatureUpdateKey {
    /// The feature's name.
    #[wire("0+")]
    pub feature: Text,
    /// The level to finalize; below 1 = take the feature out of use.
    #[wire("0+")]
    pub max_version_level: i16,
    /// v0 alone: whether the level may be lower than now.
    #[wire("0")]
    pub allow_downgrade: bool,
    /// 1 = only raise, 2 = may lower if nothing is lost, 3 = may lower even if metadata is lost.
    #[wire("1+", default = 1)]
    pub upgrade_type: i8,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Whether the levels are set.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-2", flexible = "0+")]
pub struct UpdateFeaturesResponse {
    /// How long the client is to send nothing, for it exceeded a quota, in milliseconds; 0 = no limit.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// NONE = all of them are. From v2 on the only error there is.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// What went wrong, for people to read; null = nothing did.
    #[wire("0+", nullable = "0+")]
    pub error_message: Option<Text>,
    /// Up to v1: one entry per feature; empty beside an error at the top.
    #[wire("0-1", ignorable)]
    pub results: Vec<UpdatableFeatureResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Up to v1: what became of one feature.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct UpdatableFeatureResult {
    /// The feature's name.
    #[wire("0+")]
    pub feature: Text,
    /// NONE = set.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// What went wrong, for people to read; null = nothing did.
    #[wire("0+", nullable = "0+")]
    pub error_message: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
