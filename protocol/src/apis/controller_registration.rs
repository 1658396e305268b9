//! ControllerRegistration: a controller announces its addresses and feature levels to the active
//! controller (KIP-919).
//!
//! Every controller of a KRaft quorum sends it after each start, also the active one to itself. The
//! registration is recorded in the metadata log. By it DescribeCluster can name the controllers'
//! addresses, and UpdateFeatures can refuse a level that one of the controllers could not run. Unlike a
//! broker a controller gets no epoch and sends no heartbeats.
//!
//! `UNSUPPORTED_VERSION` means that the cluster's `metadata.version` has no such record yet; Kafka's
//! controllers hold the request back until the version is raised. `NOT_CONTROLLER` sends it in search of
//! the active controller.
//!
//! - v0: the only version, flexible.

use crate::{ErrorCode, TaggedFields, Text, Uuid, Wire};

/// Who the controller is, where it can be reached and what it can run.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct ControllerRegistrationRequest {
    /// The controller's node id.
    #[wire("0+")]
    pub controller_id: i32,
    /// Random, new at each start of the process. It shows whether the registration on record is that of
    /// this run.
    #[wire("0+")]
    pub incarnation_id: Uuid,
    /// True only for controllers set up to move a cluster from ZooKeeper; false today.
    #[wire("0+")]
    pub zk_migration_ready: bool,
    /// The controller's addresses.
    #[wire("0+")]
    pub listeners: Vec<Listener>,
    /// The feature levels that the controller can run.
    #[wire("0+")]
    pub features: Vec<Feature>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One address of the controller.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct Listener {
    /// The listener's name, unique within the controller.
    #[wire("0+")]
    pub name: Text,
    /// Host name or address to hand to those who connect.
    #[wire("0+")]
    pub host: Text,
    /// TCP port.
    #[wire("0+")]
    pub port: u16,
    /// 0 = plaintext, 1 = TLS, 2 = SASL over plaintext, 3 = SASL over TLS.
    #[wire("0+")]
    pub security_protocol: i16,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A feature and the levels that the controller can run.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct Feature {
    /// The feature, such as `metadata.version`.
    #[wire("0+")]
    pub name: Text,
    /// The lowest level.
    #[wire("0+")]
    pub min_supported_version: i16,
    /// The highest level, itself included.
    #[wire("0+")]
    pub max_supported_version: i16,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Whether the registration was recorded.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct ControllerRegistrationResponse {
    /// Milliseconds for which a quota holds the sender back; 0 = no quota was exceeded.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// `NONE`, or why the controller is not registered.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// Says more about `error_code`, for people; null without an error.
    #[wire("0+", nullable = "0+")]
    pub error_message: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
