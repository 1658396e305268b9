use crate::{ErrorCode, TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "1+")]
pub struct AlterClientQuotasRequest {
    #[wire("0+")]
    pub entries: Vec<RequestEntryData>,
    #[wire("0+")]
    pub validate_only: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "EntryData")]
pub struct RequestEntryData {
    #[wire("0+")]
    pub entity: Vec<RequestEntityData>,
    #[wire("0+")]
    pub ops: Vec<OpData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "EntityData")]
pub struct RequestEntityData {
    #[wire("0+")]
    pub entity_type: Text,
    #[wire("0+", nullable = "0+")]
    pub entity_name: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct OpData {
    #[wire("0+")]
    pub key: Text,
    #[wire("0+")]
    pub value: f64,
    #[wire("0+")]
    pub remove: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "1+")]
pub struct AlterClientQuotasResponse {
    #[wire("0+")]
    pub throttle_time_ms: i32,
    #[wire("0+")]
    pub entries: Vec<ResponseEntryData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "EntryData")]
pub struct ResponseEntryData {
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+", nullable = "0+")]
    pub error_message: Option<Text>,
    #[wire("0+")]
    pub entity: Vec<ResponseEntityData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "EntityData")]
pub struct ResponseEntityData {
    #[wire("0+")]
    pub entity_type: Text,
    #[wire("0+", nullable = "0+")]
    pub entity_name: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
