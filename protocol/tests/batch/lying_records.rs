//! Lies within the records: in their lengths, their offsets and their timestamps.

use strandline_protocol::ErrorCode;
use strandline_protocol::batch::{BatchErrorKind, BatchView, NO_TIMESTAMP, Origin};

use crate::make::{NOW, framed, header, plain, sealed, validate, varint};
use crate::refusals::refused;

#[test]
fn lying_offset_deltas() {
    // What the three records say, the first that lies, and what it should have said.
    for (deltas, liar, expected, in_a_log) in [
        ([0, 1, 3], 2, 2, false),
        ([0, 2, 1], 1, 1, true),
        ([0, 0, 1], 1, 1, true),
        ([1, 2, 3], 0, 0, false),
        ([2, 1, 0], 0, 0, false),
        ([0, 1, 1], 2, 2, true),
    ] {
        let records = deltas.map(plain).concat();
        let bytes = sealed(header(3), &records);
        let kind = BatchErrorKind::OffsetDelta { expected, found: deltas[liar].into() };
        refused(&bytes, Origin::Producer, 61 + 8 * liar, &kind, ErrorCode::INVALID_RECORD);
        if in_a_log && deltas[liar] < 2 {
            refused(&bytes, Origin::Log, 61 + 8 * liar, &kind, ErrorCode::INVALID_RECORD);
        }
    }
    for found in [-1, i32::MIN, i32::MAX] {
        let record = framed(&[&[0, 0], &varint(found.into()), &[1, 1, 0]]);
        let bytes = sealed(header(3), &[&plain(0)[..], &record, &plain(2)].concat());
        let kind = BatchErrorKind::OffsetDelta { expected: 1, found };
        refused(&bytes, Origin::Producer, 61 + 8, &kind, ErrorCode::INVALID_RECORD);
        refused(&bytes, Origin::Log, 61 + 8, &kind, ErrorCode::INVALID_RECORD);
    }
}

/// Lies in the second of three records: its fields behind the attributes, the offset of the error counted
/// from the record's first byte, and the error.
#[test]
fn lengths_that_are_negative_or_too_long() {
    let field = |what, value, remaining| BatchErrorKind::RecordField { what, value, remaining };
    let far = varint(i32::MAX.into());
    let cases: Vec<(Vec<u8>, usize, BatchErrorKind)> = vec![
        // The fields: timestamp delta, offset delta, key, value, header count, headers.
        ([&[0, 2][..], &varint(-2), &[1, 0]].concat(), 5, field("key length", -2, 2)),
        ([&[0, 2][..], &varint(i32::MIN.into()), &[1, 0]].concat(), 9, field("key length", i32::MIN, 2)),
        ([&[0, 2][..], &far, &[1, 0]].concat(), 9, field("key length", i32::MAX, 2)),
        (vec![0, 2, 6, 1, 0], 5, field("key length", 3, 2)),
        ([&[0, 2, 1][..], &varint(-2), &[0]].concat(), 6, field("value length", -2, 1)),
        ([&[0, 2, 1][..], &far, &[0]].concat(), 10, field("value length", i32::MAX, 1)),
        ([&[0, 2, 1, 1][..], &varint(-1)].concat(), 7, field("header count", -1, 0)),
        ([&[0, 2, 1, 1][..], &varint(-2), &[0, 0]].concat(), 7, field("header count", -2, 2)),
        ([&[0, 2, 1, 1][..], &far, &[0, 0]].concat(), 11, field("header count", i32::MAX, 2)),
        (vec![0, 2, 1, 1, 4, 0, 0, 0], 7, field("header count", 2, 3)),
        // A header's key is never null.
        ([&[0, 2, 1, 1, 2][..], &varint(-1), &[1]].concat(), 8, field("header key length", -1, 1)),
        ([&[0, 2, 1, 1, 2][..], &far, &[1]].concat(), 12, field("header key length", i32::MAX, 1)),
        ([&[0, 2, 1, 1, 2, 0][..], &varint(-2)].concat(), 9, field("header value length", -2, 0)),
        ([&[0, 2, 1, 1, 2, 0][..], &far].concat(), 13, field("header value length", i32::MAX, 0)),
        // Bytes too many within the record, and too few.
        (vec![0, 2, 1, 1, 0, 9], 7, BatchErrorKind::RecordLength(1)),
        (vec![0, 2, 1, 1, 2, 0, 1, 9, 9], 9, BatchErrorKind::RecordLength(2)),
        (vec![0, 2, 1, 1], 6, BatchErrorKind::RecordEnd),
        (vec![0, 2, 1], 5, BatchErrorKind::RecordEnd),
        (vec![0, 2, 1, 0x80], 5, BatchErrorKind::RecordEnd),
        (vec![], 2, BatchErrorKind::RecordEnd),
        // A number of more bytes than it may have.
        (vec![0, 0x80, 0x80, 0x80, 0x80, 0x80, 0, 1, 1, 0], 3, BatchErrorKind::VarintTooLong),
    ];
    for (fields, offset, kind) in cases {
        let liar = framed(&[&[0], &fields]);
        // In the middle of the records, and as the last one.
        for behind in [plain(2), Vec::new()] {
            let count = if behind.is_empty() { 2 } else { 3 };
            let bytes = sealed(header(count), &[&plain(0)[..], &liar, &behind].concat());
            for origin in [Origin::Producer, Origin::Log] {
                refused(&bytes, origin, 61 + 8 + offset, &kind, ErrorCode::INVALID_RECORD);
            }
            let section = BatchView::parse(&bytes).unwrap().records(0).unwrap();
            let readable = section
                .iter()
                .all(|record| record.is_ok_and(|record| record.headers.clone().all(|header| header.is_ok())));
            assert!(!readable, "{kind}");
        }
    }
}

#[test]
fn lying_record_length() {
    let field = |value, remaining| BatchErrorKind::RecordField { what: "record length", value, remaining };
    for (length, kind, offset) in [
        (varint(-1), field(-1, 15), 1),
        (varint(i32::MIN.into()), field(i32::MIN, 15), 5),
        (varint(i32::MAX.into()), field(i32::MAX, 15), 5),
        (varint(16), field(16, 15), 1),
        // The record's last fields are the next one's first, and the other way round.
        (varint(8), BatchErrorKind::RecordLength(1), 8),
        (varint(6), BatchErrorKind::RecordEnd, 7),
        (varint(0), BatchErrorKind::RecordEnd, 1),
    ] {
        let records = [&plain(0)[..], &length, &plain(1)[1..], &plain(2)].concat();
        let bytes = sealed(header(3), &records);
        for origin in [Origin::Producer, Origin::Log] {
            refused(&bytes, origin, 61 + 8 + offset, &kind, ErrorCode::INVALID_RECORD);
        }
    }
}

fn timed(base: i64, delta: i64) -> Vec<u8> {
    let mut header = header(2);
    (header.base_timestamp, header.max_timestamp) = (base, base);
    sealed(header, &[plain(0), framed(&[&[0], &varint(delta), &[2, 1, 1, 0]])].concat())
}

#[test]
fn timestamps_at_the_ends_are_facts() {
    // Base, delta of the second record, the lowest and the highest.
    for (base, delta, min, max) in [
        (0, 0, Some(0), 0),
        (NO_TIMESTAMP, 0, None, NO_TIMESTAMP),
        (NO_TIMESTAMP, 1, Some(0), 0),
        (0, -1, Some(0), 0),
        (i64::MAX, 0, Some(i64::MAX), i64::MAX),
        (0, i64::MAX, Some(0), i64::MAX),
        (NOW, -NOW - 5, Some(-5), NOW),
        (i64::MIN, 0, Some(i64::MIN), NO_TIMESTAMP),
    ] {
        let summary = validate(&timed(base, delta), Origin::Producer).unwrap();
        assert_eq!((summary.timestamp_min, summary.timestamp_max), (min, max), "{base} {delta}");
    }
}

#[test]
fn timestamps_that_overflow() {
    for (base, delta) in [(i64::MAX, 1), (NOW, i64::MAX), (i64::MIN, -1), (-1, i64::MIN), (-2, i64::MIN)] {
        let kind = BatchErrorKind::TimestampOverflow { base, delta };
        refused(&timed(base, delta), Origin::Producer, 61 + 8, &kind, ErrorCode::INVALID_TIMESTAMP);
        refused(&timed(base, delta), Origin::Log, 61 + 8, &kind, ErrorCode::INVALID_TIMESTAMP);
    }
}

#[test]
fn an_error_says_where_and_what() {
    let field = [&plain(0)[..], &framed(&[&[0, 0, 2], &varint(-7), &[1, 0]])].concat();
    let error = validate(&sealed(header(2), &field), Origin::Producer).unwrap_err();
    assert_eq!(error.to_string(), "record batch, byte 74: key length -7 where 2 bytes remain in the record");
}
