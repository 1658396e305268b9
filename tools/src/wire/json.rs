//! The protocol as JSON, close to the words of Kafka's own definitions, which the conformance script holds it
//! against.

use serde_json::{Map, Value, json};
use strandline_protocol::any::RecordType;
use strandline_protocol::apis::API_KEYS;
use strandline_protocol::catalog;
use strandline_protocol::schema::{DefaultValue, FieldSchema, FieldType, MessageSchema, StructSchema};
use strandline_protocol::{ErrorCode, group_log, transaction_log};

use super::retry_name;

/// The tables that pair messages, and all messages.
pub(super) fn everything() -> Value {
    let record_types: Vec<Value> = record_types("__consumer_offsets", group_log::RECORD_TYPES)
        .chain(record_types("__transaction_state", transaction_log::RECORD_TYPES))
        .collect();
    let messages: Vec<Value> = catalog::all().map(|entry| message(entry.schema)).collect();
    json!({ "apis": apis(), "recordTypes": record_types, "messages": messages })
}

/// The table of APIs.
pub(super) fn apis() -> Value {
    let api = |api: &strandline_protocol::apis::Api| {
        json!({
            "key": i16::from(api.key),
            "name": api.name,
            "versions": api.versions().to_string(),
            "stableVersions": api.stable_versions().to_string(),
            "flexibleVersions": api.request.schema.flexible_versions.to_string(),
            "request": api.request.schema.name,
            "response": api.response.schema.name,
        })
    };
    API_KEYS.iter().map(|key| api(key.api())).collect()
}

/// The table of error codes.
pub(super) fn errors() -> Value {
    let error = |error: &ErrorCode| json!({ "code": error.0, "name": error.name(), "retry": retry_name(error.retry()) });
    ErrorCode::ALL.iter().map(error).collect()
}

fn record_types(topic: &str, types: &'static [RecordType]) -> impl Iterator<Item = Value> {
    types.iter().map(move |record| {
        json!({
            "topic": topic,
            "type": record.id,
            "key": record.key.schema.name,
            "value": record.value.schema.name,
        })
    })
}

/// One message.
pub(super) fn message(schema: &MessageSchema) -> Value {
    json!({
        "name": schema.name,
        "versions": schema.versions.to_string(),
        "flexibleVersions": schema.flexible_versions.to_string(),
        "latestVersionUnstable": schema.latest_version_unstable,
        "fields": fields(schema.body),
    })
}

fn fields(structure: &StructSchema) -> Value {
    structure.fields.iter().map(field).collect()
}

fn field(field: &FieldSchema) -> Value {
    let mut object = Map::new();
    let mut say = |word: &str, value: Value| object.insert(word.to_owned(), value);
    say("name", json!(field.name));
    say("type", json!(type_name(field.field_type)));
    say("versions", json!(field.versions.to_string()));
    say("nullableVersions", json!(field.nullable_versions.to_string()));
    say("ignorable", json!(field.ignorable));
    say("neverFlexible", json!(field.never_flexible));
    if let Some(tag) = field.tag {
        say("tag", json!(tag));
    }
    // A default is said where it is not the type's zero.
    match field.default {
        DefaultValue::Zero => {}
        DefaultValue::Null => _ = say("default", Value::Null),
        DefaultValue::Int(number) => _ = say("default", json!(number)),
        DefaultValue::Bool(truth) => _ = say("default", json!(truth)),
    }
    if let Some(structure) = structure_of(field.field_type) {
        say("fields", fields(structure));
    }
    Value::Object(object)
}

/// The structure inside a type, however many arrays lie around it.
pub(super) fn structure_of(field_type: FieldType) -> Option<&'static StructSchema> {
    match field_type {
        FieldType::Struct(structure) => Some(structure),
        FieldType::Array(element) => structure_of(*element),
        _ => None,
    }
}

/// A type as Kafka's definitions write it.
pub(super) fn type_name(field_type: FieldType) -> String {
    let name = match field_type {
        FieldType::Bool => "bool",
        FieldType::Int8 => "int8",
        FieldType::Int16 => "int16",
        FieldType::Uint16 => "uint16",
        FieldType::Int32 => "int32",
        FieldType::Uint32 => "uint32",
        FieldType::Int64 => "int64",
        FieldType::Float64 => "float64",
        FieldType::Uuid => "uuid",
        FieldType::String => "string",
        FieldType::Bytes => "bytes",
        FieldType::Records => "records",
        FieldType::Struct(structure) => structure.name,
        FieldType::Array(element) => return format!("[]{}", type_name(*element)),
    };
    name.to_owned()
}
