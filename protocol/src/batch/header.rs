//! The 61 bytes in front of every batch, as values: read, written, and changed with the checksum kept true.
//!
//! Owns the layout of the header and the patches that a broker makes to it. Never looks at a record.

use super::checksum;
use super::error::{BatchError, BatchErrorKind, in_batch};
use crate::compression::Compression;

/// Bytes that the header takes. The records follow it.
pub const HEADER_BYTES: usize = 61;

/// Bytes in front of what the length field counts: the base offset and the length itself.
pub const LENGTH_OVERHEAD_BYTES: usize = 12;

/// Bytes in front of what the checksum covers.
pub(crate) const CHECKSUM_START: usize = ATTRIBUTES_AT;

/// The one format that is read and written.
pub const MAGIC: i8 = 2;

/// The producer id of batches whose producer asked for none.
pub const NO_PRODUCER_ID: i64 = -1;

/// The producer epoch of batches whose producer asked for none.
pub const NO_PRODUCER_EPOCH: i16 = -1;

/// The sequence number of batches that have none: those without a producer id, and control batches.
pub const NO_SEQUENCE: i32 = -1;

/// The leader epoch of batches that no leader has appended yet.
pub const NO_LEADER_EPOCH: i32 = -1;

/// The timestamp of records that have none.
pub const NO_TIMESTAMP: i64 = -1;

// The least that the length field can say: the rest of the header, or of the oldest format's.
const LENGTH_MIN: i32 = 49;
const OLD_LENGTH_MIN: i32 = 14;

pub(crate) const LENGTH_AT: usize = 8;
pub(crate) const MAGIC_AT: usize = 16;
pub(crate) const CHECKSUM_AT: usize = 17;
pub(crate) const ATTRIBUTES_AT: usize = 21;
pub(crate) const LAST_OFFSET_DELTA_AT: usize = 23;
pub(crate) const BASE_SEQUENCE_AT: usize = 53;
pub(crate) const RECORD_COUNT_AT: usize = 57;

/// A batch's header. Its fields are what the bytes say: only the length and the magic have been checked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BatchHeader {
    /// The offset of the first record that was written into the batch.
    pub base_offset: i64,
    /// Bytes from the leader epoch to the end of the batch.
    pub batch_length: i32,
    /// The epoch of the leader that appended the batch.
    pub partition_leader_epoch: i32,
    /// CRC-32C of everything from the attributes on.
    pub crc: u32,
    /// Codec, timestamp type and flags.
    pub attributes: Attributes,
    /// The difference between the last offset and the base offset. Compaction leaves it as it was.
    pub last_offset_delta: i32,
    /// What the timestamps of the records are counted from. It holds the delete horizon where the attributes
    /// say so, otherwise the first record's timestamp.
    pub base_timestamp: i64,
    /// The highest timestamp of the records, or the time of the append, by the timestamp type.
    pub max_timestamp: i64,
    /// The producer's id, or [`NO_PRODUCER_ID`].
    pub producer_id: i64,
    /// The producer's epoch, or [`NO_PRODUCER_EPOCH`].
    pub producer_epoch: i16,
    /// The sequence number of the first record, or [`NO_SEQUENCE`].
    pub base_sequence: i32,
    /// How many records there are.
    pub record_count: i32,
}

/// Whose clock the timestamps of a batch are from.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum TimestampType {
    /// The producer's: every record has its own.
    #[default]
    CreateTime,
    /// The broker's: the batch's max timestamp counts for all of its records.
    LogAppendTime,
}

/// The attributes of a batch, as they came. The bits that Kafka does not use are read past, and dropped
/// when a broker changes the timestamp type: both as Kafka does it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Attributes(pub u16);

impl Attributes {
    const COMPRESSION: u16 = 0x07;
    const LOG_APPEND_TIME: u16 = 0x08;
    const TRANSACTIONAL: u16 = 0x10;
    const CONTROL: u16 = 0x20;
    const DELETE_HORIZON: u16 = 0x40;
    const USED: u16 = 0x7F;

    /// The id of the codec.
    pub const fn compression_id(self) -> u8 {
        (self.0 & Self::COMPRESSION) as u8
    }

    /// The codec of the records.
    pub fn compression(self) -> Result<Compression, BatchError> {
        let id = self.compression_id();
        Compression::from_id(id).map_err(|_| in_batch(ATTRIBUTES_AT, BatchErrorKind::CompressionUnknown(id)))
    }

    /// Whose clock the timestamps are from.
    pub const fn timestamp_type(self) -> TimestampType {
        if self.0 & Self::LOG_APPEND_TIME == 0 {
            TimestampType::CreateTime
        } else {
            TimestampType::LogAppendTime
        }
    }

    /// Whether the records belong to a transaction.
    pub const fn is_transactional(self) -> bool {
        self.0 & Self::TRANSACTIONAL != 0
    }

    /// Whether the records are a broker's own notes instead of a user's data.
    pub const fn is_control(self) -> bool {
        self.0 & Self::CONTROL != 0
    }

    /// Whether the base timestamp says from when on compaction may drop the batch's tombstones.
    pub const fn has_delete_horizon(self) -> bool {
        self.0 & Self::DELETE_HORIZON != 0
    }

    /// The same with this codec.
    #[must_use]
    pub fn with_compression(self, compression: Compression) -> Self {
        Self(self.0 & !Self::COMPRESSION | u16::from(compression.id()))
    }

    /// The same with this timestamp type.
    #[must_use]
    pub const fn with_timestamp_type(self, timestamp_type: TimestampType) -> Self {
        self.with(Self::LOG_APPEND_TIME, matches!(timestamp_type, TimestampType::LogAppendTime))
    }

    /// The same, marked as part of a transaction or not.
    #[must_use]
    pub const fn with_transactional(self, transactional: bool) -> Self {
        self.with(Self::TRANSACTIONAL, transactional)
    }

    /// The same, marked as control records or not.
    #[must_use]
    pub const fn with_control(self, control: bool) -> Self {
        self.with(Self::CONTROL, control)
    }

    /// The same, with the base timestamp marked as a delete horizon or not.
    #[must_use]
    pub const fn with_delete_horizon(self, horizon: bool) -> Self {
        self.with(Self::DELETE_HORIZON, horizon)
    }

    const fn with(self, flag: u16, set: bool) -> Self {
        if set { Self(self.0 | flag) } else { Self(self.0 & !flag) }
    }
}

impl BatchHeader {
    /// Reads the header at the start of `bytes`, which need not hold the records: the length and the magic
    /// are checked, nothing else is.
    #[inline]
    pub fn parse(bytes: &[u8]) -> Result<Self, BatchError> {
        // As Kafka does, the length first and the magic second: they lie in the same place in every format,
        // and a batch of an old one may be shorter than this header.
        if let Some(start) = bytes.first_chunk::<{ MAGIC_AT + 1 }>() {
            let &[_, _, _, _, _, _, _, _, a, b, c, d, _, _, _, _, magic] = start;
            check_length_and_magic(i32::from_be_bytes([a, b, c, d]), i8::from_be_bytes([magic]))?;
        }
        // All of its bytes at once: then none of its fields is looked for in vain.
        let header = bytes.first_chunk::<HEADER_BYTES>();
        header.and_then(|header| Self::decode(&mut Fields(header))).ok_or_else(|| incomplete_header(bytes))
    }

    #[inline]
    fn decode(fields: &mut Fields<'_>) -> Option<Self> {
        let base_offset = i64::from_be_bytes(fields.take()?);
        let batch_length = i32::from_be_bytes(fields.take()?);
        let partition_leader_epoch = i32::from_be_bytes(fields.take()?);
        let [_magic] = fields.take()?;
        Some(Self {
            base_offset,
            batch_length,
            partition_leader_epoch,
            crc: u32::from_be_bytes(fields.take()?),
            attributes: Attributes(u16::from_be_bytes(fields.take()?)),
            last_offset_delta: i32::from_be_bytes(fields.take()?),
            base_timestamp: i64::from_be_bytes(fields.take()?),
            max_timestamp: i64::from_be_bytes(fields.take()?),
            producer_id: i64::from_be_bytes(fields.take()?),
            producer_epoch: i16::from_be_bytes(fields.take()?),
            base_sequence: i32::from_be_bytes(fields.take()?),
            record_count: i32::from_be_bytes(fields.take()?),
        })
    }

    /// The header's bytes: what [`BatchHeader::parse`] reads.
    ///
    /// Whoever shares a batch with others does not change it in place, but puts a header of its own in front
    /// of the same records.
    pub fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        let mut room = bytes.as_mut_slice();
        let mut put = |field: &[u8]| {
            if let Some((here, rest)) = std::mem::take(&mut room).split_at_mut_checked(field.len()) {
                here.copy_from_slice(field);
                room = rest;
            }
        };
        put(&self.base_offset.to_be_bytes());
        put(&self.batch_length.to_be_bytes());
        put(&self.partition_leader_epoch.to_be_bytes());
        put(&MAGIC.to_be_bytes());
        put(&self.crc.to_be_bytes());
        put(&self.attributes.0.to_be_bytes());
        put(&self.last_offset_delta.to_be_bytes());
        put(&self.base_timestamp.to_be_bytes());
        put(&self.max_timestamp.to_be_bytes());
        put(&self.producer_id.to_be_bytes());
        put(&self.producer_epoch.to_be_bytes());
        put(&self.base_sequence.to_be_bytes());
        put(&self.record_count.to_be_bytes());
        bytes
    }

    /// Writes the header over the one at the start of `batch`.
    ///
    /// # Errors
    /// `batch` is too short for a header; nothing has been written.
    pub fn write_over(&self, batch: &mut [u8]) -> Result<(), BatchError> {
        let remaining = batch.len();
        let Some(room) = batch.first_chunk_mut::<HEADER_BYTES>() else {
            let kind = BatchErrorKind::Incomplete { wanted: HEADER_BYTES, remaining };
            return Err(in_batch(remaining, kind));
        };
        *room = self.encode();
        Ok(())
    }

    /// Bytes of the whole batch, header included.
    pub const fn total_bytes(&self) -> usize {
        // Both `parse` and the builder keep the length positive.
        self.batch_length.unsigned_abs() as usize + LENGTH_OVERHEAD_BYTES
    }

    /// Bytes of the records, as they are sent and stored.
    pub const fn record_bytes(&self) -> usize {
        self.total_bytes().saturating_sub(HEADER_BYTES)
    }

    /// The offset of the last record that was written into the batch.
    pub const fn last_offset(&self) -> i64 {
        self.base_offset.saturating_add(self.last_offset_delta as i64)
    }

    /// Whether an idempotent or transactional producer wrote the batch. Any negative id counts for none.
    pub const fn has_producer_id(&self) -> bool {
        self.producer_id >= 0
    }

    /// The sequence number of the last record, or [`NO_SEQUENCE`]. Past `i32::MAX` they start again at zero.
    pub const fn last_sequence(&self) -> i32 {
        if self.base_sequence < 0 {
            return NO_SEQUENCE;
        }
        self.base_sequence.wrapping_add(self.last_offset_delta) & i32::MAX
    }

    /// From when on compaction may drop the batch's tombstones and markers, if that has been decided.
    pub const fn delete_horizon_ms(&self) -> Option<i64> {
        if self.attributes.has_delete_horizon() { Some(self.base_timestamp) } else { None }
    }

    /// The time of the append, where it counts for all records instead of their own.
    pub const fn append_time(&self) -> Option<i64> {
        match self.attributes.timestamp_type() {
            TimestampType::CreateTime => None,
            TimestampType::LogAppendTime => Some(self.max_timestamp),
        }
    }

    /// Gives the batch its place in the log. Neither field is covered by the checksum.
    pub const fn assign(&mut self, base_offset: i64, partition_leader_epoch: i32) {
        self.base_offset = base_offset;
        self.partition_leader_epoch = partition_leader_epoch;
    }

    /// Changes the timestamp type and the max timestamp, and the checksum with them: what a broker does where
    /// a topic takes the time of the append, and where a producer's max timestamp was not the highest one.
    ///
    /// The new checksum is made from the old one and from what changed in the header, without reading the
    /// records. So it is fast, and records that were damaged since the checksum was made do not become valid.
    pub fn set_timestamps(&mut self, timestamp_type: TimestampType, max_timestamp: i64) {
        if self.attributes.timestamp_type() == timestamp_type && self.max_timestamp == max_timestamp {
            return;
        }
        let before = self.covered_checksum();
        let used = Attributes(self.attributes.0 & Attributes::USED);
        self.attributes = used.with_timestamp_type(timestamp_type);
        self.max_timestamp = max_timestamp;
        self.carry_checksum(before);
    }

    /// Gives the batch to a producer, and the checksum with it: what a producer does that numbers a finished batch
    /// when it goes out. As fast as [`BatchHeader::set_timestamps`], and as careful.
    pub fn set_producer(&mut self, producer_id: i64, producer_epoch: i16, base_sequence: i32) {
        let before = self.covered_checksum();
        self.producer_id = producer_id;
        self.producer_epoch = producer_epoch;
        self.base_sequence = base_sequence;
        self.carry_checksum(before);
    }

    /// Makes the batch's checksum from the one it had and that of the header's part as it was.
    fn carry_checksum(&mut self, before: u32) {
        let change = before ^ self.covered_checksum();
        self.crc ^= checksum::moved_ahead(change, self.record_bytes());
    }

    /// What compaction leaves of the batch once it has dropped every record: a header whose offsets and sequence
    /// numbers still tell what the producer had written. It is a whole batch by itself.
    #[must_use]
    pub fn emptied(&self) -> Self {
        let used = self.attributes.0 & Attributes::USED & !Attributes::COMPRESSION;
        let mut header = Self {
            batch_length: LENGTH_MIN,
            attributes: Attributes(used).with_delete_horizon(false),
            base_timestamp: NO_TIMESTAMP,
            record_count: 0,
            ..*self
        };
        header.seal(&[]);
        header
    }

    // Of the header's part that the batch's checksum covers.
    fn covered_checksum(&self) -> u32 {
        let bytes = self.encode();
        crc32c::crc32c(bytes.get(CHECKSUM_START..).unwrap_or_default())
    }

    /// Makes the checksum for the header as it is and these records.
    pub(crate) fn seal(&mut self, records: &[u8]) {
        self.crc = crc32c::crc32c_append(self.covered_checksum(), records);
    }
}

#[cold]
fn incomplete_header(bytes: &[u8]) -> BatchError {
    let incomplete = BatchErrorKind::Incomplete { wanted: HEADER_BYTES, remaining: bytes.len() };
    in_batch(bytes.len(), incomplete)
}

#[inline]
fn check_length_and_magic(batch_length: i32, magic: i8) -> Result<(), BatchError> {
    let length_min = if magic == MAGIC { LENGTH_MIN } else { OLD_LENGTH_MIN };
    if batch_length < length_min {
        return Err(in_batch(LENGTH_AT, BatchErrorKind::Length(batch_length)));
    }
    match magic {
        MAGIC => Ok(()),
        0 | 1 => Err(in_batch(MAGIC_AT, BatchErrorKind::MagicOld(magic))),
        _ => Err(in_batch(MAGIC_AT, BatchErrorKind::MagicUnknown(magic))),
    }
}

/// What is left to read of a header.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    #[inline]
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*field)
    }
}
