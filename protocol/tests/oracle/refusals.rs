//! What our codec refuses to write, held against the interpreter of the schemas.

use strandline_protocol::any::Entry;
use strandline_protocol::apis::heartbeat::{HeartbeatRequest, HeartbeatResponse};
use strandline_protocol::apis::produce::ProduceResponse;
use strandline_protocol::schema::{FieldSchema, FieldType, StructSchema};
use strandline_protocol::{Bytes, EncodeError, EncodeErrorKind, Message, TaggedFields, Text};

use crate::support::canonical::{self, Refusal, STRING_BYTES_MAX, Why};
use crate::support::sample::{self, Sample};
use crate::support::value::{Structure, Value, default_of};

/// Written as `into`, the struct gives the bytes or the refusal that the interpreter gives for its values.
fn check(entry: Entry, from: i16, into: i16, tree: &Structure, name: &str) -> Option<Why> {
    let canonical = canonical::write(entry.schema, from, tree).expect(name);
    let decoded = sample::decode(entry, from, Bytes::from(canonical.bytes)).expect(name);
    let expected = canonical::write(entry.schema, into, tree).map(|canonical| canonical.bytes);
    let written = sample::encode(&*decoded, into);
    if let Err(error) = &written {
        assert_eq!((error.message, error.version), (entry.schema.name, into), "{name}");
    }
    let written = written.map(|bytes| bytes.to_vec()).map_err(|error| refusal(&error));
    assert_eq!(written, expected, "{name}");
    expected.err().map(|refusal| refusal.why)
}

fn refusal(error: &EncodeError) -> Refusal {
    let why = match error.kind {
        EncodeErrorKind::FieldNotInVersion => Why::FieldNotInVersion,
        EncodeErrorKind::NullNotAllowed => Why::NullNotAllowed,
        EncodeErrorKind::TagsNotInVersion => Why::TagsNotInVersion,
        EncodeErrorKind::TagConflict(tag) => Why::TagConflict(tag),
        EncodeErrorKind::TooLong(length) => Why::TooLong(length),
        kind => panic!("{kind:?} has no place here"),
    };
    Refusal { why, field: error.field.to_owned() }
}

/// Random messages of each version, written in each other version.
#[test]
fn values_that_a_version_has_no_place_for_are_refused_or_dropped() {
    let mut found = Vec::new();
    for Sample { entry, version, seed, tree, .. } in sample::all(sample::seeds(5)) {
        for into in entry.schema.versions.iter() {
            let name = format!("{entry:?} v{version}, seed {seed}, written as v{into}");
            found.extend(check(entry, version, into, &tree, &name));
        }
    }
    let count = |sought: fn(&Why) -> bool| found.iter().filter(|why| sought(why)).count();
    assert!(count(|why| *why == Why::FieldNotInVersion) > 1_000);
    assert!(count(|why| *why == Why::NullNotAllowed) > 10);
    assert!(count(|why| *why == Why::TagsNotInVersion) > 1_000);
    assert!(count(|why| matches!(why, Why::TagConflict(_))) > 10);
}

/// Each field alone, so that no other one is refused before it.
#[test]
fn each_field_alone_is_refused_or_dropped_where_its_version_lacks_it() {
    let mut refused = 0;
    let mut dropped = 0;
    for (entry, from) in sample::versions() {
        for (tree, field, value) in lonely_fields(entry, from) {
            for into in entry.schema.versions.iter().filter(|&into| into != from) {
                let name = format!("{entry:?} v{from}, only {} is {value:?}, written as v{into}", field.name);
                match check(entry, from, into, &tree, &name) {
                    Some(_) => refused += 1,
                    None if !field.versions.contains(into) => dropped += 1,
                    None => {}
                }
            }
        }
    }
    assert!(refused > 1_000 && dropped > 500, "{refused} refused, {dropped} dropped");
}

/// Trees that `version` can hold, with one field each that is not at its default.
fn lonely_fields(entry: Entry, version: i16) -> Vec<(Structure, &'static FieldSchema, Value)> {
    let mut trees = Vec::new();
    lonely_within(entry.schema.body, version, &mut |tree, field, value| trees.push((tree, field, value)));
    trees.retain(|(tree, ..)| canonical::write(entry.schema, version, tree).is_ok());
    trees
}

type Found<'a> = &'a mut dyn FnMut(Structure, &'static FieldSchema, Value);

fn lonely_within(schema: &'static StructSchema, version: i16, found: Found<'_>) {
    for (index, field) in
        schema.fields.iter().enumerate().filter(|(_, field)| field.versions.contains(version))
    {
        let with = |value: Value| {
            let mut tree = Structure::of_defaults(schema);
            tree.fields[index] = value;
            tree
        };
        for value in others(field, version) {
            found(with(value.clone()), field, value);
        }
        match field.field_type {
            FieldType::Struct(inner) => lonely_within(inner, version, &mut |tree, field, value| {
                found(with(Value::Struct(tree)), field, value);
            }),
            FieldType::Array(FieldType::Struct(inner)) => {
                lonely_within(inner, version, &mut |tree, field, value| {
                    found(with(Value::Array(vec![Value::Struct(tree)])), field, value);
                });
            }
            _ => {}
        }
    }
}

/// Values of the field that are not its default, null among them where it may be.
fn others(field: &FieldSchema, version: i16) -> Vec<Value> {
    let other = match field.field_type {
        FieldType::Bool => vec![Value::Bool(true), Value::Bool(false)],
        FieldType::Float64 => vec![Value::Float(1f64.to_bits())],
        FieldType::Uuid => vec![Value::Uuid([7; 16])],
        FieldType::String => vec![Value::Text("a".to_owned()), Value::Text(String::new())],
        FieldType::Bytes => vec![Value::Bytes(vec![1]), Value::Bytes(Vec::new())],
        FieldType::Records => vec![Value::Records(vec![1]), Value::Records(Vec::new())],
        FieldType::Array(_) => vec![Value::Array(Vec::new())],
        FieldType::Struct(inner) => vec![Value::Struct(Structure::of_defaults(inner))],
        _ => vec![Value::Int(3), Value::Int(0)],
    };
    let null = field.nullable_versions.contains(version).then_some(Value::Null);
    other.into_iter().chain(null).filter(|value| *value != default_of(field)).collect()
}

#[test]
fn strings_end_where_two_bytes_of_length_end() {
    for version in [3, 4] {
        let request =
            |length| HeartbeatRequest { group_id: Text::from("x".repeat(length)), ..Default::default() };
        let longest = request(STRING_BYTES_MAX);
        let bytes = longest.to_bytes(version).unwrap();
        assert_eq!(HeartbeatRequest::from_bytes(bytes, version).as_ref(), Ok(&longest));
        let error = request(STRING_BYTES_MAX + 1).to_bytes(version).unwrap_err();
        let expected = EncodeError {
            message: "HeartbeatRequest",
            version,
            field: "HeartbeatRequest.GroupId",
            kind: EncodeErrorKind::TooLong(STRING_BYTES_MAX + 1),
        };
        assert_eq!(*error, expected);
    }
}

#[test]
fn unknown_tags_rise_and_leave_known_ones_alone() {
    let tags = |numbers: &[u32]| {
        let mut tags = TaggedFields::NONE;
        for &number in numbers {
            tags.push(number, Bytes::from_static(b"v"));
        }
        tags
    };
    for (numbers, conflict) in [(&[5, 5][..], 5), (&[5, 4], 4), (&[0], 0)] {
        // Tag 0 is known here, even while it is at its default and not written.
        let response = ProduceResponse { unknown_tagged_fields: tags(numbers), ..Default::default() };
        let kind = response.to_bytes(10).unwrap_err().kind;
        assert_eq!(kind, EncodeErrorKind::TagConflict(conflict), "{numbers:?}");
    }
    let response = ProduceResponse { unknown_tagged_fields: tags(&[0, 1, u32::MAX]), ..Default::default() };
    assert!(response.to_bytes(9).is_ok(), "version 9 does not know tag 0");
    assert_eq!(response.to_bytes(8).unwrap_err().kind, EncodeErrorKind::TagsNotInVersion);
}

#[test]
fn versions_that_the_codec_does_not_know_are_neither_read_nor_written() {
    for version in [-1, 5, i16::MAX, i16::MIN] {
        let error = HeartbeatResponse::default().to_bytes(version).unwrap_err();
        let versions = HeartbeatResponse::SCHEMA.versions;
        assert_eq!(error.kind, EncodeErrorKind::VersionUnsupported(versions));
        assert!(HeartbeatResponse::from_bytes(Bytes::from_static(&[0; 16]), version).is_err());
    }
}
