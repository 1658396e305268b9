//! The samples as lines of JSON, for Kafka's own classes to be held against: `tests/conformance/codec` runs
//! this and knows what the lines mean.

use std::fs::File;
use std::io::{BufWriter, Write};

use serde_json::{Map, Value as Json, json};
use strandline_protocol::Uuid;
use strandline_protocol::any::Entry;
use strandline_protocol::apis::{API_KEYS, Api};
use strandline_protocol::catalog;

use crate::support::value::{Structure, Value, default_of};
use crate::support::{canonical, generate, sample};

#[test]
#[ignore = "writes the file that STRANDLINE_SAMPLES names, for the conformance script"]
fn write_samples_for_kafka() {
    let path = std::env::var_os("STRANDLINE_SAMPLES").expect("STRANDLINE_SAMPLES names a file");
    let mut file = BufWriter::new(File::create(path).unwrap());
    for api in API_KEYS.iter().map(|key| key.api()) {
        for version in api.versions().iter() {
            writeln!(file, "{}", api_line(api, version)).unwrap();
        }
    }
    for entry in catalog::all() {
        for version in entry.schema.versions.iter().filter(|&version| kafka_has(entry, version)) {
            for seed in 0..sample::seeds(8) {
                writeln!(file, "{}", sample_line(entry, version, seed)).unwrap();
            }
        }
    }
    file.flush().unwrap();
}

fn api_line(api: &Api, version: i16) -> Json {
    json!({
        "api": i16::from(api.key),
        "name": api.name,
        "version": version,
        "requestHeader": api.request_header_version(version),
        "responseHeader": api.response_header_version(version),
        "stable": api.stable_versions().contains(version),
    })
}

/// Kafka 4 forgot the header of a request that it no longer has.
fn kafka_has(entry: Entry, version: i16) -> bool {
    (entry.schema.name, version) != ("RequestHeader", 0)
}

fn sample_line(entry: Entry, version: i16, seed: u64) -> Json {
    let schema = entry.schema;
    let mut tree = generate::message(schema, version, seed);
    drop_tags_that_kafka_refuses(&mut tree);
    let canonical = canonical::write(schema, version, &tree).expect("the generator keeps to the version");
    // Read and written again by our codec: those bytes are what is to be judged.
    let message = sample::decode(entry, version, canonical.bytes.into()).expect("our codec reads it");
    let bytes = sample::encode(&*message, version).expect("our codec writes it");
    json!({
        "message": schema.name,
        "version": version,
        "seed": seed,
        "defaults": tree == Structure::of_defaults(schema.body),
        "bytes": hex(&bytes),
        "value": structure(&tree, version),
    })
}

/// We keep every tag that we do not know. Kafka refuses those that only a later version of the structure
/// knows, and those that do not fit its signed number; no correct peer sends either.
fn drop_tags_that_kafka_refuses(structure: &mut Structure) {
    let known: Vec<u32> = structure.schema.fields.iter().filter_map(|field| field.tag).collect();
    structure.unknown_tags.retain(|(tag, _)| !known.contains(tag) && i32::try_from(*tag).is_ok());
    structure.fields.iter_mut().for_each(drop_tags_in_value);
}

fn drop_tags_in_value(value: &mut Value) {
    match value {
        Value::Struct(structure) => drop_tags_that_kafka_refuses(structure),
        Value::Array(elements) => elements.iter_mut().for_each(drop_tags_in_value),
        _ => {}
    }
}

/// The fields that the version has, named as Kafka names them in JSON; tagged ones only where they say something.
fn structure(structure: &Structure, version: i16) -> Json {
    let mut fields = Map::new();
    for (field, content) in structure.schema.fields.iter().zip(&structure.fields) {
        let silent = field.tag.is_some() && *content == default_of(field);
        if field.versions.contains(version) && !silent {
            let mut name = camel_case(field.name);
            if let Value::Records(_) = content {
                name.push_str("SizeInBytes");
            }
            fields.insert(name, value(content, version));
        }
    }
    Json::Object(fields)
}

fn value(content: &Value, version: i16) -> Json {
    match content {
        Value::Null => Json::Null,
        Value::Bool(content) => json!(content),
        Value::Int(content) => json!(content),
        Value::Float(bits) => json!(bits.cast_signed()),
        Value::Uuid(bytes) => json!(Uuid(*bytes).to_string()),
        Value::Text(content) => json!(content),
        Value::Bytes(bytes) => json!(hex(bytes)),
        Value::Records(bytes) => json!(bytes.len()),
        Value::Array(elements) => elements.iter().map(|element| value(element, version)).collect(),
        Value::Struct(content) => structure(content, version),
    }
}

fn camel_case(name: &str) -> String {
    let (first, rest) = name.split_at(1);
    first.to_ascii_lowercase() + rest
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
