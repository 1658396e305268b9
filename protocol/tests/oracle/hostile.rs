//! Bytes that are not what they claim to be, for every message in every version.
//!
//! Nothing here may panic, nothing that is cut short may pass, and each error says where it is.

use std::collections::BTreeSet;

use strandline_protocol::any::Entry;
use strandline_protocol::apis::api_versions::ApiVersionsResponse;
use strandline_protocol::apis::metadata::MetadataRequest;
use strandline_protocol::schema::{FieldType, StructSchema};
use strandline_protocol::{Bytes, DecodeError, DecodeErrorKind, Message};

use crate::support::canonical::{Counts, Form, Prefix, varint};
use crate::support::generate::SEED_FULL;
use crate::support::random::Random;
use crate::support::sample::{self, Sample};

/// One full message of each version.
fn samples() -> impl Iterator<Item = Sample> {
    sample::versions().map(|(entry, version)| Sample::new(entry, version, SEED_FULL))
}

/// The error of `bytes`, which speaks of this message and of a field that it has.
fn error_of(sample: &Sample, bytes: Bytes, what: &str) -> DecodeError {
    let (length, name) = (bytes.len(), sample.name());
    let error = *sample::decode(sample.entry, sample.version, bytes).expect_err(&format!("{name}, {what}"));
    assert_eq!((error.message, error.version), (sample.entry.schema.name, sample.version), "{name}, {what}");
    assert!(error.offset <= length, "{name}, {what}: {error}");
    error
}

/// Every `Structure.Field` that an error in this message may speak of.
fn places(entry: Entry) -> BTreeSet<String> {
    fn collect(schema: &StructSchema, places: &mut BTreeSet<String>) {
        places.insert(format!("{}.tags", schema.name));
        for field in schema.fields {
            places.insert(format!("{}.{}", schema.name, field.name));
            if let FieldType::Struct(inner) | FieldType::Array(&FieldType::Struct(inner)) = field.field_type {
                collect(inner, places);
            }
        }
    }
    let mut places = BTreeSet::new();
    collect(entry.schema.body, &mut places);
    places
}

#[test]
fn a_message_cut_anywhere_is_an_error() {
    for sample in samples() {
        let (bytes, places) = (sample.bytes(), places(sample.entry));
        for length in 0..bytes.len() {
            let what = format!("cut to {length} bytes");
            let error = error_of(&sample, bytes.slice(..length), &what);
            let cut = matches!(
                error.kind,
                DecodeErrorKind::Truncated { .. } | DecodeErrorKind::LengthBeyondInput { .. }
            );
            assert!(cut && places.contains(error.field), "{}, {what}: {error}", sample.name());
        }
    }
}

#[test]
fn bytes_behind_the_end_are_an_error() {
    for sample in samples() {
        let mut bytes = sample.canonical.bytes.clone();
        let end = bytes.len();
        bytes.extend([0, 0]);
        let error = error_of(&sample, Bytes::from(bytes), "two bytes more");
        assert_eq!((error.kind, error.offset), (DecodeErrorKind::TrailingBytes(2), end), "{}", sample.name());
    }
}

/// What a length or a count claims instead, and whether an error is the one that this must be.
type Lie = (Vec<u8>, fn(&DecodeErrorKind) -> bool);

fn lies(prefix: &Prefix) -> Vec<Lie> {
    use DecodeErrorKind as Kind;
    let beyond: fn(&Kind) -> bool = |kind| matches!(kind, Kind::LengthBeyondInput { .. });
    let negative: fn(&Kind) -> bool = |kind| matches!(kind, Kind::LengthNegative(_));
    let null: fn(&Kind) -> bool = |kind| matches!(kind, Kind::NullNotAllowed);
    let endless: fn(&Kind) -> bool = |kind| matches!(kind, Kind::VarintTooLong);
    let too_long: fn(&Kind) -> bool =
        |kind| matches!(kind, Kind::LengthBeyondInput { .. } | Kind::StringTooLong(_));
    let mut lies: Vec<Lie> = match prefix.form {
        Form::Int16 => vec![
            (i16::MAX.to_be_bytes().to_vec(), beyond),
            (i16::MIN.to_be_bytes().to_vec(), negative),
            ((-2_i16).to_be_bytes().to_vec(), negative),
        ],
        Form::Int32 => vec![
            (i32::MAX.to_be_bytes().to_vec(), beyond),
            (0x0100_0000_i32.to_be_bytes().to_vec(), beyond),
            (i32::MIN.to_be_bytes().to_vec(), negative),
            ((-2_i32).to_be_bytes().to_vec(), negative),
        ],
        Form::Compact | Form::Varint => vec![
            (varint(u32::MAX), too_long),
            (varint(1 << 31), too_long),
            (varint(1 << 24), too_long),
            (vec![0xFF; 6], endless),
            (vec![0x80, 0x80, 0x80, 0x80, 0x10], endless),
        ],
    };
    match prefix.form {
        _ if prefix.nullable => {}
        Form::Int16 => lies.push((vec![0xFF; 2], null)),
        Form::Int32 => lies.push((vec![0xFF; 4], null)),
        Form::Compact => lies.push((vec![0], null)),
        Form::Varint => {}
    }
    lies
}

#[test]
fn lengths_and_counts_that_lie_are_errors_at_their_place() {
    let mut told = 0;
    for sample in samples() {
        for prefix in &sample.canonical.prefixes {
            for (lie, expected) in lies(prefix) {
                let (start, end) = (prefix.position, prefix.position + lie.len());
                let mut bytes = sample.canonical.bytes.clone();
                bytes.splice(start..start + prefix.width, lie.iter().copied());
                let what = format!("{prefix:?} becomes {lie:?}");
                let error = error_of(&sample, Bytes::from(bytes), &what);
                told += 1;
                // A count of tags is noticed by the first thing that is no tag.
                if prefix.counts == Counts::Tags && lie.len() < 6 {
                    continue;
                }
                // A wider varint may no longer fit into the tagged field around it.
                let cut = matches!(error.kind, DecodeErrorKind::Truncated { .. }) && lie.len() > prefix.width;
                assert!(expected(&error.kind) || cut, "{}, {what}: {error}", sample.name());
                assert_eq!(error.field, prefix.field, "{}, {what}: {error}", sample.name());
                assert!((start..=end).contains(&error.offset), "{}, {what}: {error}", sample.name());
            }
        }
    }
    assert!(told > 10_000, "{told}");
}

#[test]
fn text_that_is_not_utf8_is_an_error_at_its_place() {
    for sample in samples() {
        let texts = sample.canonical.prefixes.iter().filter(|prefix| prefix.counts == Counts::StringBytes);
        for prefix in texts {
            let mut bytes = sample.canonical.bytes.clone();
            bytes[prefix.position + prefix.width] = 0xFF;
            let error = error_of(&sample, Bytes::from(bytes), "0xFF in a text");
            let (kind, field) = (error.kind, error.field);
            assert_eq!((kind, field), (DecodeErrorKind::Utf8, prefix.field.as_str()), "{}", sample.name());
        }
    }
}

/// Whatever is read can be written, and is read again as the same: nothing gets in that cannot get out.
#[test]
fn damaged_bytes_are_refused_or_mean_something() {
    let mut accepted = 0;
    for sample in samples().filter(|sample| !sample.canonical.bytes.is_empty()) {
        let (name, version) = (sample.name(), sample.version);
        let mut random = Random::new(SEED_FULL, &name);
        for _ in 0..40 * sample::seeds(1) {
            let bytes = sample.damaged(&mut random);
            let Ok(first) = sample::decode(sample.entry, version, bytes.clone()) else { continue };
            let written = sample::encode(&*first, version);
            let written = written.unwrap_or_else(|error| panic!("{name}, {bytes:?}: {error}"));
            let second = sample::decode(sample.entry, version, written).expect(&name);
            assert_eq!(format!("{second:?}"), format!("{first:?}"), "{name}, {bytes:?}");
            accepted += 1;
        }
    }
    assert!(accepted > 1_000, "{accepted}");
}

/// One error code, no APIs, no throttling, then the tagged fields as given.
fn api_versions_with_tags(tags: &[u8]) -> Result<ApiVersionsResponse, DecodeErrorKind> {
    let bytes = [&[0, 0, 1, 0, 0, 0, 0][..], tags].concat();
    ApiVersionsResponse::from_bytes(Bytes::from(bytes), 3).map_err(|error| {
        assert_eq!((error.message, error.version), ("ApiVersionsResponse", 3));
        assert_eq!(error.field.split_once('.').map(|(structure, _)| structure), Some("ApiVersionsResponse"));
        error.kind
    })
}

#[test]
fn tags_rise_and_known_ones_fill_their_length() {
    use DecodeErrorKind::{TagLength, TagOutOfOrder, Truncated};
    let kind = |tags: &[u8]| api_versions_with_tags(tags).unwrap_err();
    assert_eq!(kind(&[2, 9, 0, 9, 0]), TagOutOfOrder(9), "an unknown tag twice");
    assert_eq!(kind(&[2, 9, 0, 8, 0]), TagOutOfOrder(8), "falling");
    assert_eq!(kind(&[2, 3, 1, 1, 3, 1, 1]), TagOutOfOrder(3), "a known tag twice");
    assert_eq!(kind(&[1, 3, 2, 1, 0]), TagLength { tag: 3, announced: 2, taken: 1 });
    assert_eq!(kind(&[1, 3, 0]), Truncated { wanted: 1, remaining: 0 }, "a truth value of no bytes");
    // The value of one tag does not reach into the next, though the bytes are there.
    assert_eq!(kind(&[2, 1, 7, 0, 0, 0, 0, 0, 0, 0, 3, 1, 1]), Truncated { wanted: 8, remaining: 7 });
    let response = api_versions_with_tags(&[1, 3, 1, 2]).unwrap();
    assert!(response.zk_migration_ready, "whatever is not zero is true, as Kafka reads it");
}

/// Five bytes that made a published codec ask for hundreds of gigabytes.
#[test]
fn a_count_in_five_bytes_allocates_nothing() {
    let bytes = Bytes::from_static(&[0xFF, 0xFF, 0xFF, 0xFF, 0x0F]);
    let error = MetadataRequest::from_bytes(bytes, 12).unwrap_err();
    let text =
        "MetadataRequest v12: MetadataRequest.Topics at byte 5: length 4294967294 where 0 bytes remain";
    assert_eq!(error.to_string(), text);
}
