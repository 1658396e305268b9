//! AlterClientQuotas: sets and removes the limits on what clients may consume of the cluster (KIP-546).
//!
//! A tool sends it to any broker, which forwards it to the controller, or straight to a controller. A
//! quota belongs to an entity: a user, a client id, both together, or an IP address (the last alone).
//! Every part of an entity is a name or "the default". When a request is measured, one entity applies:
//! those with the user's own name come before those of the default user, and these before those without a
//! user; among them the client's own id comes before the default client id, and that before none.
//!
//! Keys are the names of configurations, with numbers as values: `producer_byte_rate` and
//! `consumer_byte_rate` (bytes per second and broker), `request_percentage` (percent of request threads'
//! time), `controller_mutation_rate` (partitions created or deleted per second), and for an IP address
//! `connection_creation_rate`. Unknown keys, unknown entity types, empty names and values that are no
//! whole numbers where those are needed are `INVALID_REQUEST`.
//!
//! - v1: flexible.

use crate::{ErrorCode, TaggedFields, Text, Wire};

/// Changes to the quotas of some entities. Entities are independent: one may fail while others succeed.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "1+")]
pub struct AlterClientQuotasRequest {
    /// One entry per entity. An entity must not occur twice.
    #[wire("0+")]
    pub entries: Vec<RequestEntryData>,
    /// True = say what would happen and change nothing.
    #[wire("0+")]
    pub validate_only: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The changes for one entity.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "EntryData")]
pub struct RequestEntryData {
    /// The parts that together name the entity, each type at most once; an empty list is refused.
    #[wire("0+")]
    pub entity: Vec<RequestEntityData>,
    /// What to set and what to remove; quotas that are not named stay as they are.
    #[wire("0+")]
    pub ops: Vec<OpData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One part of an entity's name.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "EntityData")]
pub struct RequestEntityData {
    /// `user`, `client-id` or `ip`.
    #[wire("0+")]
    pub entity_type: Text,
    /// The user, client id or address. Null = the default for all that have no quota of their own.
    #[wire("0+", nullable = "0+")]
    pub entity_name: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One quota to set or to remove.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct OpData {
    /// The quota's name, for instance `producer_byte_rate`.
    #[wire("0+")]
    pub key: Text,
    /// The new limit, in the key's own unit. Without meaning when `remove` is true.
    #[wire("0+")]
    pub value: f64,
    /// True = drop the quota, so that a less specific one applies again.
    #[wire("0+")]
    pub remove: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The result for each entity.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "1+")]
pub struct AlterClientQuotasResponse {
    /// Milliseconds for which a quota holds the client back; 0 = no quota was exceeded.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// One entry per entity of the request.
    #[wire("0+")]
    pub entries: Vec<ResponseEntryData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The result for one entity.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "EntryData")]
pub struct ResponseEntryData {
    /// `NONE`, or why nothing was changed for this entity.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// Says more about `error_code`, for people; null without an error.
    #[wire("0+", nullable = "0+")]
    pub error_message: Option<Text>,
    /// The entity's name, repeated from the request: it is the only key to match answers by.
    #[wire("0+")]
    pub entity: Vec<ResponseEntityData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One part of an entity's name.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "EntityData")]
pub struct ResponseEntityData {
    /// `user`, `client-id` or `ip`.
    #[wire("0+")]
    pub entity_type: Text,
    /// The user, client id or address. Null = the default entity of this type.
    #[wire("0+", nullable = "0+")]
    pub entity_name: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
