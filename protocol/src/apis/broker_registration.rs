//! BrokerRegistration: a starting broker announces itself to the active controller and is given an epoch
//! (KIP-631).
//!
//! A broker sends it at each start and repeats it until the controller accepts. The answer's epoch marks
//! this run of the process: every later request to the controller carries it, and one with an older epoch
//! is refused with `STALE_BROKER_EPOCH`. Kafka takes the offset of the registration's own record as
//! epoch, which makes it rise by itself. A registered broker is fenced until its heartbeats lift that.
//!
//! Errors: `DUPLICATE_BROKER_REGISTRATION` while another incarnation of the id still counts as alive (it
//! passes when that one's session ends), `INCONSISTENT_CLUSTER_ID`, `UNSUPPORTED_VERSION` when the broker
//! cannot run a finalised feature level, and `INVALID_REGISTRATION` for unfit log directories.
//!
//! - v1: adds `is_migrating_zk_broker` (KIP-866).
//! - v2: adds `log_dirs` (KIP-858).
//! - v3: adds `previous_broker_epoch` (KIP-966).
//! - v4: features may have 0 as their minimum; below v4 such features must be left out (KAFKA-17011).

use crate::{ErrorCode, TaggedFields, Text, Uuid, Wire};

/// Who the broker is, where it can be reached and what it can run.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-4", flexible = "0+")]
pub struct BrokerRegistrationRequest {
    /// The broker's configured node id, which must be free or its own.
    #[wire("0+")]
    pub broker_id: i32,
    /// The cluster that the broker's disks belong to; another cluster's controller refuses it.
    #[wire("0+")]
    pub cluster_id: Text,
    /// Random, new at each start of the process. It tells a repeated request from a second broker with
    /// the same id.
    #[wire("0+")]
    pub incarnation_id: Uuid,
    /// The addresses that clients and other brokers shall use.
    #[wire("0+")]
    pub listeners: Vec<Listener>,
    /// The feature levels that the broker can run.
    #[wire("0+")]
    pub features: Vec<Feature>,
    /// The failure zone in which the broker stands, for placing replicas apart; null = none configured.
    #[wire("0+", nullable = "0+")]
    pub rack: Option<Text>,
    /// From v1: true only for brokers on the way from ZooKeeper to KRaft; false today.
    #[wire("1+")]
    pub is_migrating_zk_broker: bool,
    /// From v2: ids of the data directories that are online, from their `meta.properties`.
    #[wire("2+", ignorable)]
    pub log_dirs: Vec<Uuid>,
    /// From v3: the epoch of the run before, if that one was shut down cleanly; -1 = it was not, or is
    /// not known. Anything but the epoch on record counts as a crash that may have lost unsynced data;
    /// where eligible leader replicas are in use, it costs the broker its place among them and in the
    /// in-sync sets.
    #[wire("3+", default = -1, ignorable)]
    pub previous_broker_epoch: i64,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One address of the broker.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct Listener {
    /// The listener's name, unique within the broker.
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

/// A feature and the levels that the broker can run.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct Feature {
    /// The feature, such as `metadata.version`.
    #[wire("0+")]
    pub name: Text,
    /// The lowest level; 0 means that it can be off, and is allowed only from v4.
    #[wire("0+")]
    pub min_supported_version: i16,
    /// The highest level, itself included.
    #[wire("0+")]
    pub max_supported_version: i16,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The epoch of this run of the broker.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-4", flexible = "0+")]
pub struct BrokerRegistrationResponse {
    /// Milliseconds for which a quota holds the broker back; 0 = no quota was exceeded.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// `NONE`, or why the broker is not registered.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// The epoch to name from now on; -1 = none was given.
    #[wire("0+", default = -1)]
    pub broker_epoch: i64,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
