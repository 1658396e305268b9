//! Inputs that try to make much of little: memory stays in proportion to the input, and so does work.

use strandline_protocol::any::Entry;
use strandline_protocol::apis::metadata::{MetadataRequest, MetadataRequestTopic};
use strandline_protocol::catalog;
use strandline_protocol::reader::MEMORY_PER_INPUT_BYTE_MAX;
use strandline_protocol::schema::{FieldSchema, MessageSchema};
use strandline_protocol::{Bytes, DecodeErrorKind, Message, TaggedFields, Wire};

use crate::properties::allocation::measure;
use crate::properties::check::message as check;
use crate::properties::sample::{Fat, Sample, arrays, varint};
use crate::properties::subject::{OTHERS, REQUESTS, RESPONSES};

/// The first and the last version of each encoding: between them what is in memory stays the same.
fn telling_versions(schema: &MessageSchema, array: &FieldSchema) -> impl Iterator<Item = i16> {
    let versions = array.versions.intersection(schema.versions);
    let flexible_first = schema.flexible_versions.first;
    let telling = [versions.first, flexible_first - 1, flexible_first, versions.last];
    versions.iter().filter(move |version| telling.contains(version))
}

fn each_array_is_fat(entries: &[Entry]) {
    for &entry in entries {
        let schema = entry.schema;
        for array in arrays(schema.body) {
            for version in telling_versions(schema, array) {
                for (elements_elsewhere, unknown_tags) in [(0, 0), (1, 1)] {
                    let fat = Fat { array, elements: 1_000, elements_elsewhere, unknown_tags };
                    let sample = Sample::fat(schema, version, fat);
                    let result = check::decode(entry, version, &sample.bytes);
                    let kind = result.err().map(|error| error.kind);
                    let understood = matches!(kind, None | Some(DecodeErrorKind::MemoryBeyondBudget(_)));
                    assert!(understood, "{} v{version} {}: {kind:?}", schema.name, array.name);
                }
            }
        }
    }
}

#[test]
fn fat_arrays_in_requests_stay_within_the_budget() {
    each_array_is_fat(&REQUESTS);
}

#[test]
fn fat_arrays_in_responses_stay_within_the_budget() {
    each_array_is_fat(&RESPONSES);
}

#[test]
fn fat_arrays_elsewhere_stay_within_the_budget() {
    each_array_is_fat(&OTHERS);
}

/// The request that made another codec ask for 309 GB.
#[test]
fn a_count_that_lies_allocates_nothing() {
    for (version, input) in [(1, [0x7F, 0xFF, 0xFF, 0xFF, 0]), (9, [0xFF, 0xFF, 0xFF, 0xFF, 0x0F])] {
        let frame = Bytes::copy_from_slice(&input);
        let (result, usage) = measure(|| MetadataRequest::from_bytes(frame, version));
        assert!(matches!(result.err().unwrap().kind, DecodeErrorKind::LengthBeyondInput { .. }));
        assert!(usage.peak_bytes <= 1 << 10 && usage.allocations <= 2, "{usage:?}");
    }
}

/// 50 million empty strings are possible in 100 MiB, and would take 3 GB.
#[test]
fn a_large_frame_of_empty_strings_is_refused_before_it_takes_memory() {
    let mut frame = vec![0; 100 << 20];
    let count = i32::try_from((frame.len() - 4) / 2).unwrap();
    frame[..4].copy_from_slice(&count.to_be_bytes());
    let frame = Bytes::from(frame);
    let (result, usage) = measure(|| MetadataRequest::from_bytes(frame, 1));
    assert!(matches!(result.err().unwrap().kind, DecodeErrorKind::MemoryBeyondBudget(_)));
    assert!(usage.peak_bytes <= 1 << 10 && usage.allocations <= 2, "{usage:?}");
}

/// Names of two letters, short enough to take most of the budget and long enough to stay below it.
#[test]
fn a_large_frame_may_take_the_budget_and_no_more() {
    const NAME: [u8; 4] = [0, 2, b'n', b'n'];
    let count = 1_000_000_i32;
    let mut frame = count.to_be_bytes().to_vec();
    frame.extend(NAME.repeat(1_000_000));
    let frame_bytes = frame.len();
    let (result, usage) = measure(|| MetadataRequest::from_bytes(Bytes::from(frame), 1));
    assert_eq!(result.unwrap().topics.map(|topics| topics.len()), Some(1_000_000));
    assert!(usage.peak_bytes >= 1_000_000 * size_of::<MetadataRequestTopic>(), "{usage:?}");
    assert!(usage.peak_bytes > frame_bytes * MEMORY_PER_INPUT_BYTE_MAX / 2, "{usage:?}");
    check::assert_bounded(usage, frame_bytes, "MetadataRequest");
}

/// A structure that ends in `count` unknown tagged fields without a value.
fn unknown_tags(count: usize) -> Vec<u8> {
    let mut bytes = varint(count);
    for tag in 0..count {
        bytes.extend(varint(tag));
        bytes.push(0);
    }
    bytes
}

#[test]
fn unknown_tags_stay_within_the_budget() {
    let describe_cluster = catalog::find("DescribeClusterRequest").unwrap();
    for count in [1, 100, 3_000, 1_000_000] {
        let mut body = vec![0];
        body.extend(unknown_tags(count));
        let _ = check::decode(describe_cluster, 0, &body);
    }
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "1+")]
struct Nest {
    #[wire("0+")]
    rows: Vec<Row>,
    unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
struct Row {
    #[wire("0+")]
    cells: Vec<Cell>,
    unknown_tagged_fields: TaggedFields,
}

/// In version 0 it takes no byte at all: nothing on the wire says how many there can be.
#[derive(Clone, Debug, PartialEq, Wire)]
struct Cell {
    unknown_tagged_fields: TaggedFields,
}

#[test]
fn arrays_of_nothing_stay_within_the_budget() {
    let mut inflexible = 10_000i32.to_be_bytes().to_vec();
    for _ in 0..10_000 {
        inflexible.extend(i32::MAX.to_be_bytes());
    }
    let mut flexible = varint(10_001);
    for _ in 0..10_000 {
        // Two cells, each and the row without tags.
        flexible.extend([3, 0, 0, 0]);
    }
    flexible.push(0);
    for (version, bytes, understood) in [(0, inflexible, false), (1, flexible, true)] {
        let length = bytes.len();
        let (result, usage) = measure(|| Nest::from_bytes(Bytes::from(bytes), version));
        assert_eq!(result.is_ok(), understood, "{result:?}");
        check::assert_bounded(usage, length, "Nest");
    }
}
