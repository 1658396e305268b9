//! Making a batch, record by record, with the bytes that Kafka's own builder makes.
//!
//! Owns the writing of records and the choice of every header field. Without compression a record is copied
//! once, into the buffer that the finished batch is.

use bytes::{BufMut, Bytes, BytesMut};

use super::control::ControlRecord;
use super::header::{
    Attributes, BatchHeader, HEADER_BYTES, LENGTH_OVERHEAD_BYTES, NO_LEADER_EPOCH, NO_PRODUCER_EPOCH,
    NO_PRODUCER_ID, NO_SEQUENCE, NO_TIMESTAMP, TimestampType,
};
use super::record::RecordHeader;
use super::write::PlacedRecord;
use crate::EncodeError;
use crate::compression::{Compression, CompressionError, Compressor};

/// A record to be appended to a batch.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NewRecord<'a> {
    /// Milliseconds since 1970, or [`NO_TIMESTAMP`].
    pub timestamp: i64,
    /// The key, if it has one.
    pub key: Option<&'a [u8]>,
    /// The value, or null.
    pub value: Option<&'a [u8]>,
    /// The headers, in order; keys may repeat.
    pub headers: &'a [RecordHeader<'a>],
}

impl NewRecord<'_> {
    /// A record of this time with nothing in it yet.
    pub const fn at(timestamp: i64) -> Self {
        Self { timestamp, key: None, value: None, headers: &[] }
    }
}

/// Why a batch cannot be built.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// No record has been appended.
    #[error("a batch needs a record")]
    Empty,
    /// A time before 1970 that is not the mark for none, or one too far from the batch's first.
    #[error("{0} is no timestamp for this batch")]
    Timestamp(i64),
    /// The offset deltas do not rise, or the last one was said to be lower.
    #[error("the offset delta is {found}, expected {expected} or more")]
    OffsetDelta {
        /// The lowest that is possible.
        expected: i64,
        /// What was asked for.
        found: i32,
    },
    /// The batch's length would not fit its field.
    #[error("a batch of {0} bytes is too long")]
    TooLarge(usize),
    /// A transactional batch needs a producer id.
    #[error("a transactional batch needs a producer id")]
    TransactionalWithoutProducer,
    /// A batch with a producer id needs an epoch and, unless it is a control batch or a coordinator's in a
    /// transaction, a sequence number.
    #[error(
        "producer {producer_id} needs more than epoch {producer_epoch} and sequence number {base_sequence}"
    )]
    ProducerIncomplete {
        /// The producer id.
        producer_id: i64,
        /// The epoch, which may not be negative.
        producer_epoch: i16,
        /// The base sequence, which may not be negative.
        base_sequence: i32,
    },
    /// A control record goes into a control batch only, and nothing else does.
    #[error("control records and others do not mix")]
    ControlMixed,
    /// The value of a control record cannot be written.
    #[error(transparent)]
    Control(#[from] Box<EncodeError>),
    /// The codec failed.
    #[error("the records cannot be compressed")]
    Compression(#[from] CompressionError),
}

/// A batch in the making.
///
/// ```
/// use strandline_protocol::batch::{BatchBuilder, BatchView, NewRecord, Origin, RecordHeader};
///
/// let mut builder = BatchBuilder::new().producer(4_711, 0, 17);
/// for number in 0..3u8 {
///     let headers = [RecordHeader::new("trace", Some(b"a")), RecordHeader::new("trace", Some(b"b"))];
///     let value = [number];
///     let record = NewRecord { value: Some(&value), headers: &headers, ..NewRecord::at(1_700_000_000_000) };
///     if builder.bytes_with(&record) <= 16 << 10 {
///         builder.append(&record)?;
///     }
/// }
/// let bytes = builder.build()?;
///
/// let batch = BatchView::parse(&bytes)?;
/// assert_eq!(batch.validate(Origin::Producer, 0)?.record_count, 3);
/// assert_eq!(batch.header().last_sequence(), 19);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct BatchBuilder {
    // The header's place, then the records.
    buffer: BytesMut,
    // Its length and checksum are made at the end.
    header: BatchHeader,
    compression: Compression,
    compression_level: Option<i32>,
    append_time: Option<i64>,
    timestamp_max: i64,
    // The lowest delta that the next record may have.
    offset_delta_next: i64,
}

impl Default for BatchBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl BatchBuilder {
    /// An empty batch: no producer id, no compression, from offset 0 on.
    pub fn new() -> Self {
        Self::with_capacity(0)
    }

    /// The same with room for `record_bytes` of records.
    pub fn with_capacity(record_bytes: usize) -> Self {
        Self::in_buffer(BytesMut::with_capacity(HEADER_BYTES.saturating_add(record_bytes)))
    }

    /// A batch that is put together in this buffer: what is in it is dropped, what room it has is used.
    ///
    /// ```
    /// use bytes::BytesMut;
    /// use strandline_protocol::batch::BatchBuilder;
    /// assert!(BatchBuilder::in_buffer(BytesMut::with_capacity(1 << 16)).is_empty());
    /// ```
    pub fn in_buffer(mut buffer: BytesMut) -> Self {
        buffer.clear();
        buffer.put_bytes(0, HEADER_BYTES);
        let header = BatchHeader {
            base_offset: 0,
            batch_length: 0,
            partition_leader_epoch: NO_LEADER_EPOCH,
            crc: 0,
            attributes: Attributes::default(),
            last_offset_delta: 0,
            base_timestamp: NO_TIMESTAMP,
            max_timestamp: NO_TIMESTAMP,
            producer_id: NO_PRODUCER_ID,
            producer_epoch: NO_PRODUCER_EPOCH,
            base_sequence: NO_SEQUENCE,
            record_count: 0,
        };
        Self {
            buffer,
            header,
            compression: Compression::None,
            compression_level: None,
            append_time: None,
            timestamp_max: NO_TIMESTAMP,
            offset_delta_next: 0,
        }
    }

    /// The offset that the batch begins at. A producer leaves it at zero, and the leader assigns it.
    #[must_use]
    pub const fn base_offset(mut self, base_offset: i64) -> Self {
        self.header.base_offset = base_offset;
        self
    }

    /// The epoch of the leader that appends the batch.
    #[must_use]
    pub const fn partition_leader_epoch(mut self, epoch: i32) -> Self {
        self.header.partition_leader_epoch = epoch;
        self
    }

    /// The producer's id and epoch, and the sequence number of the first record. It may be said last: a
    /// producer numbers its batches in the order in which they go out.
    #[must_use]
    pub const fn producer(mut self, producer_id: i64, producer_epoch: i16, base_sequence: i32) -> Self {
        self.header.producer_id = producer_id;
        self.header.producer_epoch = producer_epoch;
        self.header.base_sequence = base_sequence;
        self
    }

    /// Whether the batch is part of a transaction.
    #[must_use]
    pub const fn transactional(mut self, transactional: bool) -> Self {
        self.header.attributes = self.header.attributes.with_transactional(transactional);
        self
    }

    /// Whether the batch holds control records.
    #[must_use]
    pub const fn control(mut self, control: bool) -> Self {
        self.header.attributes = self.header.attributes.with_control(control);
        self
    }

    /// How the records are compressed, and how hard, in the codec's own measure; `None` for its default.
    #[must_use]
    pub const fn compression(mut self, compression: Compression, level: Option<i32>) -> Self {
        self.compression = compression;
        self.compression_level = level;
        self
    }

    /// Lets this time count for all records instead of their own.
    #[must_use]
    pub const fn log_append_time(mut self, append_time: i64) -> Self {
        self.append_time = Some(append_time);
        self
    }

    /// Marks from when on compaction may drop the batch's tombstones. It has to be said before the first
    /// record: the records' timestamps are counted from it.
    #[must_use]
    pub const fn delete_horizon(mut self, horizon_ms: i64) -> Self {
        self.header.attributes = self.header.attributes.with_delete_horizon(true);
        self.header.base_timestamp = horizon_ms;
        self
    }

    /// Appends a record at the next offset, and returns how far that is from the base offset.
    pub fn append(&mut self, record: &NewRecord<'_>) -> Result<i32, BuildError> {
        let Ok(offset_delta) = i32::try_from(self.offset_delta_next) else {
            return Err(BuildError::TooLarge(self.bytes_with(record)));
        };
        self.append_at(offset_delta, record)?;
        Ok(offset_delta)
    }

    /// Appends a record at an offset of the caller's choice, as compaction does.
    pub fn append_at(&mut self, offset_delta: i32, record: &NewRecord<'_>) -> Result<(), BuildError> {
        if self.header.attributes.is_control() {
            return Err(BuildError::ControlMixed);
        }
        self.put(offset_delta, record)
    }

    /// Appends a control record at the next offset.
    pub fn append_control(&mut self, timestamp: i64, record: &ControlRecord) -> Result<(), BuildError> {
        if !self.header.attributes.is_control() {
            return Err(BuildError::ControlMixed);
        }
        let (key, value) = (record.key()?, record.value()?);
        let record = NewRecord { key: Some(&key), value: value.as_deref(), ..NewRecord::at(timestamp) };
        let offset_delta = i32::try_from(self.offset_delta_next).unwrap_or(i32::MAX);
        self.put(offset_delta, &record)
    }

    fn put(&mut self, offset_delta: i32, record: &NewRecord<'_>) -> Result<(), BuildError> {
        if i64::from(offset_delta) < self.offset_delta_next {
            return Err(BuildError::OffsetDelta { expected: self.offset_delta_next, found: offset_delta });
        }
        if record.timestamp < NO_TIMESTAMP {
            return Err(BuildError::Timestamp(record.timestamp));
        }
        // From no timestamp to the last one it is further than a difference can say.
        let Some(timestamp_delta) = self.timestamp_delta(record.timestamp) else {
            return Err(BuildError::Timestamp(record.timestamp));
        };
        let placed = PlacedRecord::new(record, offset_delta, timestamp_delta);
        let bytes = self.buffer.len().saturating_add(placed.bytes());
        if i32::try_from(bytes).is_err() {
            return Err(BuildError::TooLarge(bytes));
        }
        if self.base_is_open() {
            self.header.base_timestamp = record.timestamp;
        }
        self.buffer.reserve(placed.bytes());
        placed.write(&mut self.buffer);
        self.timestamp_max = self.timestamp_max.max(record.timestamp);
        self.header.record_count += 1;
        self.header.last_offset_delta = offset_delta;
        self.offset_delta_next = i64::from(offset_delta) + 1;
        Ok(())
    }

    // Whether the next record's timestamp becomes the one that others are counted from.
    const fn base_is_open(&self) -> bool {
        self.is_empty() && !self.header.attributes.has_delete_horizon()
    }

    const fn timestamp_delta(&self, timestamp: i64) -> Option<i64> {
        if self.base_is_open() { Some(0) } else { timestamp.checked_sub(self.header.base_timestamp) }
    }

    /// How many records have been appended.
    pub const fn record_count(&self) -> i32 {
        self.header.record_count
    }

    /// Whether no record has been appended.
    pub const fn is_empty(&self) -> bool {
        self.header.record_count == 0
    }

    /// How long the batch is now, before compression.
    pub fn bytes(&self) -> usize {
        self.buffer.len()
    }

    /// How long the batch would be, before compression, with this record at its end: what a producer holds
    /// against its limit before it appends.
    pub fn bytes_with(&self, record: &NewRecord<'_>) -> usize {
        let offset_delta = i32::try_from(self.offset_delta_next).unwrap_or(i32::MAX);
        let timestamp_delta = self.timestamp_delta(record.timestamp).unwrap_or(i64::MAX);
        let placed = PlacedRecord::new(record, offset_delta, timestamp_delta);
        self.buffer.len().saturating_add(placed.bytes())
    }

    /// Lets the batch end at this offset, counted from the base offset, though its last record may lie before
    /// it: compaction keeps the offsets of batches that it takes records from.
    pub const fn end_at(&mut self, last_offset_delta: i32) -> Result<(), BuildError> {
        if last_offset_delta < self.header.last_offset_delta {
            let expected = self.header.last_offset_delta as i64;
            return Err(BuildError::OffsetDelta { expected, found: last_offset_delta });
        }
        self.header.last_offset_delta = last_offset_delta;
        self.offset_delta_next = last_offset_delta as i64 + 1;
        Ok(())
    }

    /// The finished batch.
    pub fn build(self) -> Result<Bytes, BuildError> {
        let mut compressor = Compressor::new(self.compression, self.compression_level)?;
        self.build_with(&mut compressor)
    }

    /// The finished batch, compressed by a compressor that is kept from one batch to the next. Its codec counts,
    /// whatever was said of [`BatchBuilder::compression`].
    pub fn build_with(mut self, compressor: &mut Compressor) -> Result<Bytes, BuildError> {
        self.check()?;
        let compression = compressor.codec();
        if compression != Compression::None {
            let compressed = compressor.compress(self.buffer.get(HEADER_BYTES..).unwrap_or_default())?;
            let mut buffer = BytesMut::with_capacity(HEADER_BYTES + compressed.len());
            buffer.put_bytes(0, HEADER_BYTES);
            buffer.put_slice(compressed);
            self.buffer = buffer;
        }
        self.finish(compression)
    }

    fn finish(mut self, compression: Compression) -> Result<Bytes, BuildError> {
        let length = self.buffer.len() - LENGTH_OVERHEAD_BYTES;
        self.header.batch_length =
            i32::try_from(length).map_err(|_| BuildError::TooLarge(self.buffer.len()))?;
        let timestamp_type = match self.append_time {
            None => TimestampType::CreateTime,
            Some(_) => TimestampType::LogAppendTime,
        };
        let attributes = self.header.attributes;
        self.header.attributes = attributes.with_compression(compression).with_timestamp_type(timestamp_type);
        self.header.max_timestamp = self.append_time.unwrap_or(self.timestamp_max);
        self.header.seal(self.buffer.get(HEADER_BYTES..).unwrap_or_default());
        if let Some(room) = self.buffer.first_chunk_mut() {
            *room = self.header.encode();
        }
        Ok(self.buffer.freeze())
    }

    fn check(&self) -> Result<(), BuildError> {
        let BatchHeader { producer_id, producer_epoch, base_sequence, attributes, .. } = self.header;
        if self.is_empty() {
            return Err(BuildError::Empty);
        }
        for time in self.append_time.into_iter().chain(self.header.delete_horizon_ms()) {
            if time < 0 {
                return Err(BuildError::Timestamp(time));
            }
        }
        if !self.header.has_producer_id() {
            let transactional = attributes.is_transactional();
            return if transactional { Err(BuildError::TransactionalWithoutProducer) } else { Ok(()) };
        }
        // A group's coordinator appends the offsets of a transaction under its producer's id, and counts nothing.
        let is_counted = match base_sequence {
            NO_SEQUENCE => !(attributes.is_control() || attributes.is_transactional()),
            _ => true,
        };
        if producer_epoch < 0 || (base_sequence < 0 && is_counted) {
            return Err(BuildError::ProducerIncomplete { producer_id, producer_epoch, base_sequence });
        }
        Ok(())
    }
}
