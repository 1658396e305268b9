//! Every way to lie in a batch whose checksum is right: what is refused, where, and with which error code.

use strandline_protocol::batch::{
    Attributes, BatchErrorKind, BatchHeader, BatchView, HEADER_BYTES, Origin, Place,
};
use strandline_protocol::{Compression, ErrorCode};

use crate::make::{BYTES_MAX, framed, header, plain, reseal, sealed, validate, varint};

/// The whole field is refused with this error in the batch's own bytes.
#[track_caller]
pub(crate) fn refused(field: &[u8], origin: Origin, offset: usize, kind: &BatchErrorKind, code: ErrorCode) {
    refused_in(Place::Batch, field, origin, offset, kind, code);
}

#[track_caller]
fn refused_in(
    place: Place,
    field: &[u8],
    origin: Origin,
    offset: usize,
    kind: &BatchErrorKind,
    code: ErrorCode,
) {
    let error = validate(field, origin).unwrap_err();
    assert_eq!((error.place, error.offset, &error.kind), (place, offset, kind), "{error}");
    assert_eq!(error.code(), code, "{error}");
}

/// The plain batch of three records, with its header changed.
fn lying(change: impl FnOnce(&mut BatchHeader)) -> Vec<u8> {
    let mut header = header(3);
    change(&mut header);
    sealed(header, &three())
}

fn three() -> Vec<u8> {
    [plain(0), plain(1), plain(2)].concat()
}

#[test]
fn the_batch_that_the_lies_are_made_of_is_sound() {
    for origin in [Origin::Producer, Origin::Log] {
        assert_eq!(validate(&lying(|_| ()), origin).unwrap().record_count, 3);
    }
}

#[test]
fn bad_checksum() {
    let mut bytes = lying(|_| ());
    bytes[17] ^= 1;
    let stored = u32::from_be_bytes([bytes[17], bytes[18], bytes[19], bytes[20]]);
    let kind = BatchErrorKind::Checksum { stored, computed: stored ^ 0x0100_0000 };
    refused(&bytes, Origin::Producer, 17, &kind, ErrorCode::CORRUPT_MESSAGE);
    refused(&bytes, Origin::Log, 17, &kind, ErrorCode::CORRUPT_MESSAGE);
}

#[test]
fn other_formats() {
    for (magic, kind, code) in [
        (0, BatchErrorKind::MagicOld(0), ErrorCode::INVALID_RECORD),
        (1, BatchErrorKind::MagicOld(1), ErrorCode::INVALID_RECORD),
        (3, BatchErrorKind::MagicUnknown(3), ErrorCode::CORRUPT_MESSAGE),
        (-1, BatchErrorKind::MagicUnknown(-1), ErrorCode::CORRUPT_MESSAGE),
        (127, BatchErrorKind::MagicUnknown(127), ErrorCode::CORRUPT_MESSAGE),
    ] {
        let mut bytes = lying(|_| ());
        bytes[16] = i8::to_be_bytes(magic)[0];
        reseal(&mut bytes);
        refused(&bytes, Origin::Producer, 16, &kind, code);
    }
    // The shortest message of an old format is shorter than the header of this one.
    let mut old = [0; 26];
    (old[11], old[16]) = (14, 1);
    refused(&old, Origin::Producer, 16, &BatchErrorKind::MagicOld(1), ErrorCode::INVALID_RECORD);
}

#[test]
fn lying_length() {
    for length in [i32::MIN, -1, 0, 48] {
        let mut bytes = lying(|_| ());
        bytes[8..12].copy_from_slice(&length.to_be_bytes());
        refused(&bytes, Origin::Log, 8, &BatchErrorKind::Length(length), ErrorCode::CORRUPT_MESSAGE);
    }
    for length in [49 + 25, i32::MAX] {
        let mut bytes = lying(|_| ());
        bytes[8..12].copy_from_slice(&length.to_be_bytes());
        let wanted = usize::try_from(length).unwrap() + 12;
        let kind = BatchErrorKind::Incomplete { wanted, remaining: bytes.len() };
        refused(&bytes, Origin::Producer, bytes.len(), &kind, ErrorCode::INVALID_RECORD);
    }
}

#[test]
fn lying_record_count() {
    // None, or fewer than none.
    for record_count in [0, -1, i32::MIN] {
        let bytes = lying(|header| header.record_count = record_count);
        let kind = BatchErrorKind::RecordCount(record_count);
        refused(&bytes, Origin::Producer, 57, &kind, ErrorCode::INVALID_RECORD);
    }
    refused(
        &lying(|header| header.record_count = -1),
        Origin::Log,
        57,
        &BatchErrorKind::RecordCount(-1),
        ErrorCode::INVALID_RECORD,
    );
    // Not what the last offset says. To a log, more offsets than records are no lie, but the bytes then are.
    for record_count in [2, 4, i32::MAX] {
        let bytes = lying(|header| header.record_count = record_count);
        let kind = BatchErrorKind::LastOffsetDelta { last_offset_delta: 2, record_count };
        refused(&bytes, Origin::Producer, 23, &kind, ErrorCode::INVALID_RECORD);
    }
    // What the last offset says as well.
    let both =
        |count: i32| lying(|header| (header.record_count, header.last_offset_delta) = (count, count - 1));
    for origin in [Origin::Producer, Origin::Log] {
        for count in [4, i32::MAX] {
            refused(&both(count), origin, 61 + 24, &BatchErrorKind::RecordsEnd, ErrorCode::INVALID_RECORD);
        }
        refused(&both(2), origin, 61 + 16, &BatchErrorKind::TrailingBytes(8), ErrorCode::INVALID_RECORD);
    }
    let none = lying(|header| header.record_count = 0);
    refused(&none, Origin::Log, 61, &BatchErrorKind::TrailingBytes(24), ErrorCode::INVALID_RECORD);
}

#[test]
fn lying_last_offset_delta() {
    for last_offset_delta in [-1, 0, 1, 3, i32::MIN, i32::MAX] {
        let bytes = lying(|header| header.last_offset_delta = last_offset_delta);
        let kind = BatchErrorKind::LastOffsetDelta { last_offset_delta, record_count: 3 };
        refused(&bytes, Origin::Producer, 23, &kind, ErrorCode::INVALID_RECORD);
        match last_offset_delta {
            3.. => drop(validate(&bytes, Origin::Log).unwrap()),
            _ => refused(&bytes, Origin::Log, 23, &kind, ErrorCode::INVALID_RECORD),
        }
    }
}

#[test]
fn nested_compression() {
    for codec in 1..8 {
        let mut records = three();
        records[9] = codec;
        let bytes = sealed(header(3), &records);
        let kind = BatchErrorKind::NestedCompression;
        refused(&bytes, Origin::Producer, 61 + 8, &kind, ErrorCode::INVALID_RECORD);
        // In a compressed batch as well, there counted in what came out of it.
        let bytes = compressed(Compression::Gzip, &records);
        refused_in(Place::DecompressedRecords, &bytes, Origin::Producer, 8, &kind, ErrorCode::INVALID_RECORD);
        // A log has what an older broker let in: it can be read, so it is.
        validate(&bytes, Origin::Log).unwrap();
    }
    // The other bits have no meaning.
    let mut records = three();
    records[9] = 0xF8;
    validate(&sealed(header(3), &records), Origin::Producer).unwrap();
}

fn compressed(compression: Compression, records: &[u8]) -> Vec<u8> {
    let mut header = header(3);
    header.attributes = Attributes::default().with_compression(compression);
    sealed(header, &compression.compress(None, records).unwrap())
}

const CODECS: [Compression; 4] =
    [Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd];

#[test]
fn bombs() {
    let zeros = vec![0; BYTES_MAX + 1];
    for codec in CODECS {
        let bytes = compressed(codec, &zeros);
        assert!(bytes.len() < 100_000, "{codec}: {}", bytes.len());
        let kind = BatchErrorKind::DecompressedTooLarge(BYTES_MAX);
        refused(&bytes, Origin::Producer, 61, &kind, ErrorCode::MESSAGE_TOO_LARGE);
        assert_eq!(BatchView::parse(&bytes).unwrap().records(BYTES_MAX).unwrap_err().kind, kind);
        // One byte less is just no records.
        let bytes = compressed(codec, &zeros[1..]);
        let kind = BatchErrorKind::RecordEnd;
        refused_in(Place::DecompressedRecords, &bytes, Origin::Producer, 1, &kind, ErrorCode::INVALID_RECORD);
    }
}

#[test]
fn what_cannot_be_decompressed() {
    for codec in CODECS {
        let mut header = header(3);
        header.attributes = Attributes::default().with_compression(codec);
        for records in [&b"this was never compressed"[..], b""] {
            let error = validate(&sealed(header, records), Origin::Producer).unwrap_err();
            assert_eq!(error.code(), ErrorCode::INVALID_RECORD, "{codec}: {error}");
            // Snappy takes nothing for nothing.
            let broken = matches!(error.kind, BatchErrorKind::Decompression(_)) && error.offset == 61;
            assert!(
                broken || (records.is_empty() && error.kind == BatchErrorKind::RecordsEnd),
                "{codec}: {error}"
            );
        }
    }
    for id in 5..8 {
        let bytes = lying(|header| header.attributes = Attributes(id.into()));
        let kind = BatchErrorKind::CompressionUnknown(id);
        refused(&bytes, Origin::Producer, 21, &kind, ErrorCode::UNSUPPORTED_COMPRESSION_TYPE);
        refused(&bytes, Origin::Log, 21, &kind, ErrorCode::UNSUPPORTED_COMPRESSION_TYPE);
    }
}

#[test]
fn lies_in_compressed_records_are_counted_in_what_came_out() {
    for codec in CODECS {
        let liar = framed(&[&[0, 0, 2], &varint(-2), &[1, 0]]);
        let bytes = compressed(codec, &[&plain(0)[..], &liar, &plain(2)].concat());
        let kind = BatchErrorKind::RecordField { what: "key length", value: -2, remaining: 2 };
        refused_in(
            Place::DecompressedRecords,
            &bytes,
            Origin::Producer,
            13,
            &kind,
            ErrorCode::INVALID_RECORD,
        );
        let bytes = compressed(codec, &[&three()[..], b"more"].concat());
        let kind = BatchErrorKind::TrailingBytes(4);
        refused_in(
            Place::DecompressedRecords,
            &bytes,
            Origin::Producer,
            24,
            &kind,
            ErrorCode::INVALID_RECORD,
        );
    }
}

#[test]
fn what_only_brokers_write() {
    let bytes = lying(|header| header.attributes = Attributes::default().with_control(true));
    let kind = BatchErrorKind::ControlFromProducer;
    refused(&bytes, Origin::Producer, 21, &kind, ErrorCode::INVALID_RECORD);
}

#[test]
fn producers_without_what_they_need() {
    let transactional = Attributes::default().with_transactional(true);
    for producer_id in [-1, i64::MIN] {
        let bytes = lying(|header| (header.attributes, header.producer_id) = (transactional, producer_id));
        let kind = BatchErrorKind::TransactionalWithoutProducer;
        refused(&bytes, Origin::Producer, 21, &kind, ErrorCode::INVALID_RECORD);
    }
    for base_sequence in [-1, i32::MIN] {
        let bytes = lying(|header| (header.producer_id, header.base_sequence) = (7, base_sequence));
        let kind = BatchErrorKind::Sequence { producer_id: 7, base_sequence };
        refused(&bytes, Origin::Producer, 53, &kind, ErrorCode::INVALID_RECORD);
        // A log does: markers have none.
        validate(&bytes, Origin::Log).unwrap();
    }
}

#[test]
fn trailing_bytes() {
    for excess in [1, 7, 200] {
        let records = [three(), vec![0; excess]].concat();
        let kind = BatchErrorKind::TrailingBytes(excess);
        for origin in [Origin::Producer, Origin::Log] {
            refused(&sealed(header(3), &records), origin, 61 + 24, &kind, ErrorCode::INVALID_RECORD);
        }
        // Behind the batch instead of in it: whatever it is, it is not nothing.
        let field = [lying(|_| ()), vec![0; excess]].concat();
        let kind = BatchErrorKind::BatchCount(2);
        refused_in(Place::Field, &field, Origin::Producer, field.len(), &kind, ErrorCode::INVALID_RECORD);
    }
}

#[test]
fn not_exactly_one_batch() {
    let one = lying(|_| ());
    for count in 2..4 {
        let field = one.repeat(count);
        let kind = BatchErrorKind::BatchCount(count);
        refused_in(Place::Field, &field, Origin::Producer, field.len(), &kind, ErrorCode::INVALID_RECORD);
    }
    let kind = BatchErrorKind::BatchCount(0);
    refused_in(Place::Field, &[], Origin::Producer, 0, &kind, ErrorCode::INVALID_RECORD);
    for length in [1, 16, 17, HEADER_BYTES - 1] {
        let kind = BatchErrorKind::Incomplete { wanted: HEADER_BYTES, remaining: length };
        refused(&one[..length], Origin::Producer, length, &kind, ErrorCode::INVALID_RECORD);
    }
}
