//! A message's values as a tree, without any of its Rust types.

use strandline_protocol::schema::{DefaultValue, FieldSchema, FieldType, StructSchema};

/// The value of a field.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// Null, of whatever type.
    Null,
    Bool(bool),
    /// Every integer type fits.
    Int(i64),
    /// By its bits, so that a NaN equals itself.
    Float(u64),
    Uuid([u8; 16]),
    Text(String),
    Bytes(Vec<u8>),
    Records(Vec<u8>),
    Array(Vec<Value>),
    Struct(Structure),
}

/// The values of a structure.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Structure {
    /// Which structure it is.
    pub(crate) schema: &'static StructSchema,
    /// One value per field of the schema, whether or not the version has the field.
    pub(crate) fields: Vec<Value>,
    /// Tagged fields that the schema does not know, rising.
    pub(crate) unknown_tags: Vec<(u32, Vec<u8>)>,
}

impl Structure {
    /// The structure that nothing was said about.
    pub(crate) fn of_defaults(schema: &'static StructSchema) -> Self {
        let fields = schema.fields.iter().map(default_of).collect();
        Self { schema, fields, unknown_tags: Vec::new() }
    }
}

/// The value of a field that nothing was said about.
pub(crate) fn default_of(field: &FieldSchema) -> Value {
    match field.default {
        DefaultValue::Zero => zero_of(field.field_type),
        DefaultValue::Null => Value::Null,
        DefaultValue::Bool(value) => Value::Bool(value),
        DefaultValue::Int(value) => Value::Int(value),
    }
}

fn zero_of(field_type: FieldType) -> Value {
    match field_type {
        FieldType::Bool => Value::Bool(false),
        FieldType::Float64 => Value::Float(0),
        FieldType::Uuid => Value::Uuid([0; 16]),
        FieldType::String => Value::Text(String::new()),
        FieldType::Bytes => Value::Bytes(Vec::new()),
        FieldType::Records => Value::Records(Vec::new()),
        FieldType::Array(_) => Value::Array(Vec::new()),
        FieldType::Struct(schema) => Value::Struct(Structure::of_defaults(schema)),
        _ => Value::Int(0),
    }
}
