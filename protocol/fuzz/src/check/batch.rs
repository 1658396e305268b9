//! What holds of record batches: nothing is allocated but to decompress, validation and iteration agree, and
//! what a leader changes leaves the rest of the batch as it was.

use bytes::Bytes;
use strandline_protocol::batch::{
    BatchSummary, BatchView, ControlRecord, HEADER_BYTES, LENGTH_OVERHEAD_BYTES, MAGIC, NO_TIMESTAMP, Origin,
    RecordSection, SharedBatch, TimestampType, batches,
};
use strandline_protocol::compression::{Compression, Decompressor};

use super::super::allocation::{Usage, measure};
use super::compression::FIXED_BYTES;
use super::message::assert_bounded;

/// What the records of a compressed batch may take.
const DECOMPRESSED_BYTES_MAX: usize = 1 << 20;

/// The first byte says whether the bytes are taken as they are, made whole (what lies behind the header is one
/// batch, and its checksum is right), or made whole and compressed: noise alone would never get past a checksum.
pub fn field(input: &[u8]) {
    let Some((&repair, bytes)) = input.split_first() else { return };
    let mut bytes = bytes.to_vec();
    let codec = Compression::ALL.get(usize::from(repair >> 1) % Compression::ALL.len());
    if let Some(&codec) = codec.filter(|_| repair & 1 == 1) {
        bytes = whole(bytes, codec).unwrap_or_default();
    }
    let mut batches = batches(&bytes);
    let mut total = 0;
    for view in batches.by_ref().flatten() {
        total += view.bytes().len();
        batch(view);
    }
    assert_eq!(total + batches.rest().len(), bytes.len());
    if let Ok(only) = BatchView::parse_only(&bytes) {
        assert_eq!(only.bytes(), bytes);
    }
}

/// Makes one batch of the bytes, with their header where it says nothing about lengths, codec and checksum.
fn whole(mut bytes: Vec<u8>, codec: Compression) -> Option<Vec<u8>> {
    let records = codec.compress(None, bytes.get(HEADER_BYTES..)?).ok()?;
    bytes.truncate(HEADER_BYTES);
    bytes.extend(records);
    let length = i32::try_from(bytes.len() - LENGTH_OVERHEAD_BYTES).ok()?;
    bytes.get_mut(8..12)?.copy_from_slice(&length.to_be_bytes());
    *bytes.get_mut(16)? = MAGIC.unsigned_abs();
    let attributes = bytes.get_mut(22)?;
    *attributes = *attributes & !7 | codec.id();
    seal(&mut bytes);
    Some(bytes)
}

/// Puts the right checksum into a batch.
pub fn seal(batch: &mut [u8]) {
    let checksum = crc32c::crc32c(batch.get(21..).unwrap_or_default());
    if let Some(room) = batch.get_mut(17..21) {
        room.copy_from_slice(&checksum.to_be_bytes());
    }
}

fn batch(view: BatchView<'_>) {
    let valid = validate(view);
    assert_iteration(view, valid);
    assert_patched(view);
    let shared = SharedBatch::parse(Bytes::copy_from_slice(view.bytes()));
    assert_eq!(shared.map(|shared| *shared.header()).as_ref(), Ok(view.header()));
}

/// Validates in every way, and tells what the batch holds if it may stand in a log, its checksum apart.
fn validate(view: BatchView<'_>) -> Option<BatchSummary> {
    let (crc, usage) = measure(|| view.check_crc());
    assert_eq!(usage.allocations, 0, "a checksum took {usage:?}");
    let mut kept = Decompressor::new();
    let [producer, log] = [Origin::Producer, Origin::Log].map(|origin| {
        let (result, usage) = measure(|| view.validate_records(origin, DECOMPRESSED_BYTES_MAX));
        assert_frugal(view, usage);
        let again = view.validate_records_with(&mut kept, origin, DECOMPRESSED_BYTES_MAX);
        assert_eq!(again, result, "the decompressor remembers");
        let whole = view.validate(origin, DECOMPRESSED_BYTES_MAX);
        assert_eq!(whole.is_ok(), crc.is_ok() && result.is_ok());
        result
    });
    // A log holds whatever producers may send.
    if let Ok(summary) = &producer {
        assert_eq!(log.as_ref(), Ok(summary));
    }
    log.ok()
}

fn assert_frugal(view: BatchView<'_>, usage: Usage) {
    if view.header().attributes.compression_id() == 0 {
        assert_eq!(usage.allocations, 0, "records that are not compressed took {usage:?}");
    } else {
        assert!(usage.peak_bytes <= 2 * DECOMPRESSED_BYTES_MAX + FIXED_BYTES, "{usage:?}");
    }
}

/// What has been validated can be read to its end, and holds what validation says; what cannot be read is not
/// valid.
fn assert_iteration(view: BatchView<'_>, valid: Option<BatchSummary>) {
    let (records, usage) = measure(|| view.records(DECOMPRESSED_BYTES_MAX));
    assert_frugal(view, usage);
    let Ok(records) = records else {
        assert_eq!(valid, None, "valid records cannot be decompressed");
        return;
    };
    let (read, usage) = measure(|| read_all(&records, view.header().base_offset));
    assert_eq!(usage.allocations, 0, "reading records took {usage:?}");
    if valid.is_some() {
        assert_eq!(read, valid);
    }
    if view.header().attributes.is_control() {
        for record in records.iter().flatten() {
            control_record(record.key, record.value);
        }
    }
}

/// What the records hold, if all of them and all of their headers can be read.
pub fn read_all(records: &RecordSection<'_>, base_offset: i64) -> Option<BatchSummary> {
    let mut summary = BatchSummary {
        record_count: 0,
        timestamp_min: None,
        timestamp_max: NO_TIMESTAMP,
        timestamp_max_offset_delta: 0,
        first_without_key: None,
        record_bytes: records.as_slice().len(),
    };
    for record in records {
        let record = record.ok()?;
        if record.headers.into_iter().any(|header| header.is_err()) {
            return None;
        }
        if record.timestamp > summary.timestamp_max {
            summary.timestamp_max = record.timestamp;
            summary.timestamp_max_offset_delta =
                i32::try_from(record.offset.wrapping_sub(base_offset)).ok()?;
        }
        if record.timestamp != NO_TIMESTAMP {
            summary.timestamp_min =
                Some(summary.timestamp_min.map_or(record.timestamp, |min| min.min(record.timestamp)));
        }
        if record.key.is_none() && summary.first_without_key.is_none() {
            summary.first_without_key = Some(summary.record_count);
        }
        summary.record_count += 1;
    }
    Some(summary)
}

fn control_record(key: Option<&[u8]>, value: Option<&[u8]>) {
    let (record, usage) = measure(|| ControlRecord::read(key, value));
    assert_bounded(usage, value.map_or(0, <[u8]>::len), "a control record");
    let Ok(record) = record else { return };
    let (key, value) = (record.key(), record.value());
    let again = key.and_then(|key| Ok((key, value?)));
    let again = again.map(|(key, value)| ControlRecord::read(Some(&key), value.as_deref()));
    assert_eq!(again, Ok(Ok(record)));
}

/// A leader changes what it has to, and the checksum with it, without touching a record.
fn assert_patched(view: BatchView<'_>) {
    let mut header = *view.header();
    header.assign(1_000, 7);
    let mut bytes = view.bytes().to_vec();
    assert!(header.write_over(&mut bytes).is_ok());
    assert_eq!(
        BatchView::parse(&bytes).map(|patched| patched.check_crc().is_ok()),
        Ok(view.check_crc().is_ok())
    );
    header.set_timestamps(TimestampType::LogAppendTime, 1_700_000_000_000);
    assert!(header.write_over(&mut bytes).is_ok());
    let patched = BatchView::parse(&bytes);
    assert_eq!(patched.as_ref().map(|patched| patched.check_crc().is_ok()), Ok(view.check_crc().is_ok()));
    assert_eq!(patched.map(|patched| patched.record_bytes().to_vec()), Ok(view.record_bytes().to_vec()));
}
