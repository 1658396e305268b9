//! What the generator promises to reach, counted: a test over random values proves nothing about values that
//! never came.

use std::collections::BTreeMap;

use strandline_protocol::schema::FieldSchema;

use crate::support::sample;
use crate::support::value::{Structure, Value, default_of};

type Seen = BTreeMap<&'static str, usize>;

fn count(structure: &Structure, version: i16, seen: &mut Seen) {
    let present = |field: &FieldSchema| field.versions.contains(version);
    let fields = structure.schema.fields.iter().zip(&structure.fields);
    let known: Vec<u32> =
        fields.clone().filter(|(field, _)| present(field)).filter_map(|(field, _)| field.tag).collect();
    for (field, value) in fields {
        let default = *value == default_of(field);
        let tagged = field.tag.is_some() && present(field);
        let mut saw = |what, when: bool| *seen.entry(what).or_default() += usize::from(when);
        saw("field the version lacks, at its default", !present(field) && default);
        saw("field the version lacks, not at its default", !present(field) && !default);
        saw("tagged field at its default", tagged && default);
        saw("tagged field not at its default", tagged && !default);
        let nullable = field.nullable_versions.contains(version) && present(field);
        saw("null", nullable && *value == Value::Null);
        saw("not null where null may be", nullable && *value != Value::Null);
        count_value(value, version, seen);
    }
    for (tag, bytes) in &structure.unknown_tags {
        let above = known.iter().all(|known| known < tag);
        let below = known.iter().all(|known| known > tag);
        let mut saw = |what, when: bool| *seen.entry(what).or_default() += usize::from(when);
        saw("unknown tag without known ones", known.is_empty());
        saw("unknown tag below known ones", !known.is_empty() && below);
        saw("unknown tag between known ones", !above && !below);
        saw("unknown tag above known ones", !known.is_empty() && above);
        saw("unknown tag of five bytes", *tag == u32::MAX);
        saw("unknown tag without a value", bytes.is_empty());
    }
}

fn count_value(value: &Value, version: i16, seen: &mut Seen) {
    let mut saw = |what, when: bool| *seen.entry(what).or_default() += usize::from(when);
    match value {
        Value::Int(value) => {
            saw("least int64", *value == i64::MIN);
            saw("greatest int64", *value == i64::MAX);
            saw("least int32", *value == i64::from(i32::MIN));
            saw("greatest uint16", *value == i64::from(u16::MAX));
        }
        Value::Float(bits) => {
            saw("NaN", f64::from_bits(*bits).is_nan());
            saw("infinite", f64::from_bits(*bits).is_infinite());
        }
        Value::Text(text) => {
            saw("empty text", text.is_empty());
            saw("text of two bytes of length", text.len() > 127);
            saw("text of three bytes of length", text.len() >= 16_383);
            saw("longest text", text.len() == 32_767);
            saw("text of several bytes a character", text.chars().any(|character| character.len_utf8() == 4));
        }
        Value::Bytes(bytes) | Value::Records(bytes) => {
            saw("empty bytes", bytes.is_empty());
            saw("bytes of three bytes of length", bytes.len() >= 16_383);
        }
        Value::Array(elements) => {
            saw("empty array", elements.is_empty());
            saw("array of two bytes of count", elements.len() > 127);
            saw("array of three bytes of count", elements.len() >= 16_383);
            let structures = matches!(elements.first(), Some(Value::Struct(_)));
            saw("structures of two bytes of count", structures && elements.len() > 126);
            elements.iter().for_each(|element| count_value(element, version, seen));
        }
        Value::Struct(structure) => count(structure, version, seen),
        Value::Null | Value::Bool(_) | Value::Uuid(_) => {}
    }
}

#[test]
fn the_generator_reaches_what_it_promises() {
    let mut seen = Seen::new();
    for sample in sample::all(6) {
        count(&sample.tree, sample.version, &mut seen);
    }
    assert_eq!(seen.remove("field the version lacks, not at its default"), Some(0));
    let missed: Vec<_> = seen.iter().filter(|&(_, &times)| times < 3).collect();
    assert!(missed.is_empty(), "hardly ever seen: {missed:?} among {seen:#?}");
}

/// A failure is found again by its seed.
#[test]
fn the_same_seed_makes_the_same_message() {
    let once: Vec<_> = sample::all(4).map(|sample| sample.canonical.bytes).collect();
    assert!(sample::all(4).map(|sample| sample.canonical.bytes).eq(once.iter().cloned()));
    let distinct: std::collections::BTreeSet<_> = once.iter().collect();
    assert!(distinct.len() > once.len() / 2, "{} of {}", distinct.len(), once.len());
}
