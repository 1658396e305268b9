use crate::{ErrorCode, TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "1+")]
pub struct DescribeClientQuotasRequest {
    #[wire("0+")]
    pub components: Vec<ComponentData>,
    #[wire("0+")]
    pub strict: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ComponentData {
    #[wire("0+")]
    pub entity_type: Text,
    #[wire("0+")]
    pub match_type: i8,
    #[wire("0+", nullable = "0+", name = "Match")]
    pub match_value: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "1+")]
pub struct DescribeClientQuotasResponse {
    #[wire("0+")]
    pub throttle_time_ms: i32,
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+", nullable = "0+")]
    pub error_message: Option<Text>,
    #[wire("0+", nullable = "0+")]
    pub entries: Option<Vec<EntryData>>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct EntryData {
    #[wire("0+")]
    pub entity: Vec<EntityData>,
    #[wire("0+")]
    pub values: Vec<ValueData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct EntityData {
    #[wire("0+")]
    pub entity_type: Text,
    #[wire("0+", nullable = "0+")]
    pub entity_name: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ValueData {
    #[wire("0+")]
    pub key: Text,
    #[wire("0+")]
    pub value: f64,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
