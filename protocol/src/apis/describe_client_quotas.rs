//! DescribeClientQuotas lists the quotas configured for users, client ids and IP addresses (KIP-546). An
//! admin client sends it to any broker, which answers from its own copy of the cluster's metadata. It
//! needs `DESCRIBE_CONFIGS` on the cluster.
//!
//! A quota belongs to an entity, which is one pair of type and name or several: `user` = alice, or `user`
//! = alice together with `client-id` = report. The request filters entities: every component must match.
//! The answer says what was configured; which of several quotas wins for a connection is for the broker to
//! resolve.
//!
//! `INVALID_REQUEST` answers a type named twice, `ip` combined with another type, and a match value that
//! does not suit the match type; `UNSUPPORTED_VERSION` answers an entity type that the broker does not
//! know.
//!
//! - v1: flexible encoding; nothing else.

use crate::{ErrorCode, TaggedFields, Text, Wire};

/// Which quota entities to list. No component and `strict` off lists them all.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "1+")]
pub struct DescribeClientQuotasRequest {
    /// The conditions, all of which an entity has to meet; at most one for each entity type.
    #[wire("0+")]
    pub components: Vec<ComponentData>,
    /// Whether an entity that also names a type without a component is left out.
    #[wire("0+")]
    pub strict: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One condition on one part of a quota entity.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ComponentData {
    /// The part of the entity that is tested: `user`, `client-id` or `ip`.
    #[wire("0+")]
    pub entity_type: Text,
    /// How it is tested: 0 = exactly `match_value`, 1 = the default of that type, 2 = any name.
    #[wire("0+")]
    pub match_type: i8,
    /// The name to find when `match_type` is 0; must be null otherwise.
    #[wire("0+", nullable = "0+", name = "Match")]
    pub match_value: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The quota entities that met the filter.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "1+")]
pub struct DescribeClientQuotasResponse {
    /// How long the broker holds this client back for exceeding a quota, in milliseconds; 0 = not at all.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// Why the whole request failed; there are no errors for single entities.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// The failure in words; null when there was none.
    #[wire("0+", nullable = "0+")]
    pub error_message: Option<Text>,
    /// One entry for each entity that matched; null when the request failed.
    #[wire("0+", nullable = "0+")]
    pub entries: Option<Vec<EntryData>>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// An entity and the quotas set on it.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct EntryData {
    /// The parts that make up the entity; their order means nothing.
    #[wire("0+")]
    pub entity: Vec<EntityData>,
    /// The quotas set on exactly this entity; inherited ones are not among them.
    #[wire("0+")]
    pub values: Vec<ValueData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One part of a quota entity.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct EntityData {
    /// What is named: `user`, `client-id` or `ip`.
    #[wire("0+")]
    pub entity_type: Text,
    /// The name; null = the default, which applies where no quota names the user, client or address
    /// itself.
    #[wire("0+", nullable = "0+")]
    pub entity_name: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One quota.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ValueData {
    /// What is limited, as a configuration key, for example `producer_byte_rate` or `request_percentage`.
    #[wire("0+")]
    pub key: Text,
    /// The limit, in the unit that the key implies (bytes per second, percent, operations per second).
    #[wire("0+")]
    pub value: f64,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
