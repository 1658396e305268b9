//! Whether a batch makes sense: every rule that its bytes alone can be held against.
//!
//! Owns the rules; knows no log, no topic and no clock. What depends on those it reports as facts: which
//! timestamps there are, whether a key is missing. It allocates nothing, except to decompress.

use super::control::check_control_record;
use super::cursor::Cursor;
use super::error::{BatchError, BatchErrorKind, Place, in_batch};
use super::header::{
    ATTRIBUTES_AT, BASE_SEQUENCE_AT, BatchHeader, LAST_OFFSET_DELTA_AT, NO_TIMESTAMP, RECORD_COUNT_AT,
    TimestampType,
};
use super::quick::Outline;
use super::record::RawRecord;
use super::section::Frame;
use super::view::{BatchView, decompression_error};
use crate::compression::Decompressor;

/// Where a batch comes from, which decides what it may hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Origin {
    /// A producer's request. There is at least one record, the offsets are 0, 1, 2 and so on up to the last
    /// offset delta; the batch holds no control records; it has a sequence number if it has a producer id, and a
    /// producer id if it is transactional. As in Kafka it may say that its timestamps are those of the append: what
    /// to answer depends on the topic, and a leader overwrites it either way.
    Producer,
    /// A log: a leader's, read by a follower or a consumer, or the one on this disk. Compaction may have taken
    /// records out, even all of them, so that offsets only have to rise; control records are checked for
    /// their form.
    Log,
}

/// What a valid batch holds, as far as a broker has to know before it appends it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BatchSummary {
    /// How many records there are.
    pub record_count: u32,
    /// The lowest timestamp of the records that have one; `None` where none has.
    ///
    /// Together with `timestamp_max` it says whether any record lies outside of the range that a topic allows,
    /// for which Kafka answers INVALID_TIMESTAMP.
    pub timestamp_min: Option<i64>,
    /// The highest timestamp of the records, or [`NO_TIMESTAMP`].
    ///
    /// The header may say something else. As in Kafka that is no error: the leader puts the truth there
    /// ([`BatchHeader::set_timestamps`]) before it appends.
    pub timestamp_max: i64,
    /// The offset of the first record with the highest timestamp, counted from the base offset.
    pub timestamp_max_offset_delta: i32,
    /// The place in the batch of the first record that has no key, for which a compacted topic answers
    /// INVALID_RECORD.
    pub first_without_key: Option<u32>,
    /// Bytes of the records when they are not compressed.
    pub record_bytes: usize,
}

impl BatchSummary {
    /// Whether the header's max timestamp is the one that a leader would put there for a topic whose records
    /// carry their producers' timestamps.
    pub fn agrees_with(&self, header: &BatchHeader) -> bool {
        header.attributes.timestamp_type() == TimestampType::CreateTime
            && header.max_timestamp == self.timestamp_max
    }
}

impl BatchView<'_> {
    /// Checks everything: the checksum, the header, and every record, decompressing them into at most
    /// `decompressed_bytes_max` bytes where they are compressed.
    pub fn validate(
        &self,
        origin: Origin,
        decompressed_bytes_max: usize,
    ) -> Result<BatchSummary, BatchError> {
        self.validate_with(&mut Decompressor::new(), origin, decompressed_bytes_max)
    }

    /// The same with a decompressor that is kept from one batch to the next: then nothing is allocated at all,
    /// once its buffer has grown to what the batches take.
    pub fn validate_with(
        &self,
        decompressor: &mut Decompressor,
        origin: Origin,
        decompressed_bytes_max: usize,
    ) -> Result<BatchSummary, BatchError> {
        self.check_crc()?;
        self.validate_records_with(decompressor, origin, decompressed_bytes_max)
    }

    /// Checks everything but the checksum, for those who have checked that before.
    pub fn validate_records(
        &self,
        origin: Origin,
        decompressed_bytes_max: usize,
    ) -> Result<BatchSummary, BatchError> {
        self.validate_records_with(&mut Decompressor::new(), origin, decompressed_bytes_max)
    }

    /// The same with a decompressor that is kept from one batch to the next.
    pub fn validate_records_with(
        &self,
        decompressor: &mut Decompressor,
        origin: Origin,
        decompressed_bytes_max: usize,
    ) -> Result<BatchSummary, BatchError> {
        check_header(self.header(), origin)?;
        let Some(codec) = self.codec()? else {
            return self.walk(origin, self.record_bytes(), Place::Batch);
        };
        let records = decompressor
            .decompress(codec, self.record_bytes(), decompressed_bytes_max)
            .map_err(|error| decompression_error(error, decompressed_bytes_max))?;
        self.walk(origin, records, Place::DecompressedRecords)
    }

    fn walk(&self, origin: Origin, records: &[u8], place: Place) -> Result<BatchSummary, BatchError> {
        let rules = Rules::new(self.header(), origin);
        let mut facts = Facts::new();
        let mut cursor = Cursor::new(records);
        let frame = Frame::new(self.header(), place);
        let failed = |(kind, remaining)| frame.error(kind, records.len(), remaining);
        while facts.record_count < frame.record_count {
            let ordinary;
            (facts, cursor, ordinary) = rules.pass_ordinary(facts, cursor, frame.record_count);
            ordinary.map_err(failed)?;
            if facts.record_count < frame.record_count {
                rules.pass_one(&mut facts, &mut cursor).map_err(failed)?;
            }
        }
        match cursor.remaining() {
            0 => Ok(facts.summary(records.len())),
            excess => Err(failed((BatchErrorKind::TrailingBytes(excess), excess))),
        }
    }
}

fn check_header(header: &BatchHeader, origin: Origin) -> Result<(), BatchError> {
    let BatchHeader { record_count, last_offset_delta, producer_id, base_sequence, attributes, .. } = *header;
    let producer = origin == Origin::Producer;
    if record_count < i32::from(producer) {
        return Err(in_batch(RECORD_COUNT_AT, BatchErrorKind::RecordCount(record_count)));
    }
    // Where compaction took records out, fewer are left than the offsets have room for.
    let room = i64::from(last_offset_delta) + 1;
    let fits =
        if producer { room == i64::from(record_count) } else { room >= i64::from(record_count.max(1)) };
    if !fits {
        let kind = BatchErrorKind::LastOffsetDelta { last_offset_delta, record_count };
        return Err(in_batch(LAST_OFFSET_DELTA_AT, kind));
    }
    if !producer {
        return Ok(());
    }
    if attributes.is_control() {
        return Err(in_batch(ATTRIBUTES_AT, BatchErrorKind::ControlFromProducer));
    }
    if header.has_producer_id() && base_sequence < 0 {
        return Err(in_batch(BASE_SEQUENCE_AT, BatchErrorKind::Sequence { producer_id, base_sequence }));
    }
    if attributes.is_transactional() && !header.has_producer_id() {
        return Err(in_batch(ATTRIBUTES_AT, BatchErrorKind::TransactionalWithoutProducer));
    }
    Ok(())
}

/// What the batch's header and its origin ask of each record.
#[derive(Clone, Copy)]
struct Rules {
    origin: Origin,
    control: bool,
    base_timestamp: i64,
    append_time: Option<i64>,
    last_offset_delta: i32,
}

/// What has been learnt from the records that were read.
#[derive(Clone, Copy)]
struct Facts {
    record_count: u32,
    // The lowest offset delta that the next record may have.
    offset_delta_min: i64,
    // `i64::MAX` until a record has a timestamp.
    timestamp_min: i64,
    timestamp_max: i64,
    timestamp_max_offset_delta: i32,
    first_without_key: Option<u32>,
}

/// An error, and how many bytes were left where it is.
type RecordResult = Result<(), (BatchErrorKind, usize)>;

impl Rules {
    fn new(header: &BatchHeader, origin: Origin) -> Self {
        Self {
            origin,
            control: header.attributes.is_control(),
            base_timestamp: header.base_timestamp,
            append_time: header.append_time(),
            last_offset_delta: header.last_offset_delta,
        }
    }

    /// Passes over records for as long as they are ordinary ones, up to `count` in all.
    // Everything goes in and comes out by value: behind a reference it would be written to memory and read
    // again for every record, which takes longer than all else that is done to it.
    fn pass_ordinary<'a>(
        self,
        mut facts: Facts,
        mut cursor: Cursor<'a>,
        count: u32,
    ) -> (Facts, Cursor<'a>, RecordResult) {
        // The values of control records have to be looked at.
        while facts.record_count < count && !self.control {
            let Some((record, rest)) = Outline::read(cursor.rest()) else { break };
            let timestamp_delta = i64::from(record.timestamp_delta);
            if let Err(kind) = facts.take(self, record.offset_delta, timestamp_delta, record.has_key) {
                return (facts, cursor, Err((kind, cursor.remaining())));
            }
            cursor = Cursor::new(rest);
        }
        (facts, cursor, Ok(()))
    }

    /// Reads one record of any kind.
    fn pass_one(self, facts: &mut Facts, cursor: &mut Cursor<'_>) -> RecordResult {
        let start = cursor.remaining();
        let raw = RawRecord::read(cursor)?;
        raw.headers.check().map_err(|(kind, remaining)| (kind, remaining + cursor.remaining()))?;
        let failed = |kind| (kind, start);
        if self.origin == Origin::Producer && raw.attributes & RECORD_COMPRESSION != 0 {
            return Err(failed(BatchErrorKind::NestedCompression));
        }
        if self.control {
            check_control_record(raw.key, raw.value).map_err(failed)?;
        }
        facts.take(self, raw.offset_delta, raw.timestamp_delta, raw.key.is_some()).map_err(failed)
    }
}

impl Facts {
    const fn new() -> Self {
        Self {
            record_count: 0,
            offset_delta_min: 0,
            timestamp_min: i64::MAX,
            timestamp_max: NO_TIMESTAMP,
            timestamp_max_offset_delta: 0,
            first_without_key: None,
        }
    }

    /// Adds a record.
    #[inline(always)]
    fn take(
        &mut self,
        rules: Rules,
        offset_delta: i32,
        timestamp_delta: i64,
        has_key: bool,
    ) -> Result<(), BatchErrorKind> {
        let found = i64::from(offset_delta);
        let expected = self.offset_delta_min;
        let fits = match rules.origin {
            Origin::Producer => found == expected,
            Origin::Log => found >= expected && offset_delta <= rules.last_offset_delta,
        };
        if !fits {
            return Err(BatchErrorKind::OffsetDelta { expected, found: offset_delta });
        }
        self.offset_delta_min = found + 1;
        self.take_timestamp(rules, offset_delta, timestamp_delta)?;
        if !has_key && self.first_without_key.is_none() {
            self.first_without_key = Some(self.record_count);
        }
        self.record_count += 1;
        Ok(())
    }

    #[inline(always)]
    fn take_timestamp(
        &mut self,
        rules: Rules,
        offset_delta: i32,
        timestamp_delta: i64,
    ) -> Result<(), BatchErrorKind> {
        let base = rules.base_timestamp;
        let timestamp = match rules.append_time {
            Some(time) => time,
            None => match base.checked_add(timestamp_delta) {
                Some(timestamp) => timestamp,
                None => return Err(BatchErrorKind::TimestampOverflow { base, delta: timestamp_delta }),
            },
        };
        if timestamp > self.timestamp_max {
            self.timestamp_max = timestamp;
            self.timestamp_max_offset_delta = offset_delta;
        }
        if timestamp != NO_TIMESTAMP {
            self.timestamp_min = self.timestamp_min.min(timestamp);
        }
        Ok(())
    }

    fn summary(&self, record_bytes: usize) -> BatchSummary {
        // The mark for none is a timestamp as well: one that is then the highest, too.
        let has_timestamp = self.timestamp_min != i64::MAX || self.timestamp_max == i64::MAX;
        BatchSummary {
            record_count: self.record_count,
            timestamp_min: has_timestamp.then_some(self.timestamp_min),
            timestamp_max: self.timestamp_max,
            timestamp_max_offset_delta: self.timestamp_max_offset_delta,
            first_without_key: self.first_without_key,
            record_bytes,
        }
    }
}

// Where the old formats had the codec of a compressed record.
const RECORD_COMPRESSION: u8 = 0x07;
