//! Strikes a broker off the cluster's list for good.
//!
//! An administrator (`kafka-cluster.sh unregister`) sends it to any broker, which hands it to the active
//! controller, or to that controller itself, after a broker was retired. A broker that merely stops stays
//! registered, fenced, and so keeps its place in replica sets; its supported versions also keep counting
//! when features are upgraded. The caller needs ALTER on the cluster.
//!
//! What an implementer must know:
//! - BROKER_ID_NOT_REGISTERED: there is no such broker, or no longer.
//! - It moves no replicas: that is to be done before, by AlterPartitionReassignments.
//! - A broker process that is started again under the id registers anew.
//!
//! What changed between versions:
//! - v0: the only version (KIP-631), flexible.

use crate::{ErrorCode, TaggedFields, Text, Wire};

/// Names the broker to strike off.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct UnregisterBrokerRequest {
    /// The retired broker's node id.
    #[wire("0+")]
    pub broker_id: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Whether it is gone.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct UnregisterBrokerResponse {
    /// How long the client is to send nothing, for it exceeded a quota, in milliseconds; 0 = no limit.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// NONE = struck off.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// What went wrong, for people to read; null = nothing did.
    #[wire("0+", nullable = "0+")]
    pub error_message: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
