//! The records of a batch, decompressed where they have to be, and the iterator over them.

use bytes::Bytes;

use super::cursor::Cursor;
use super::error::{BatchError, BatchErrorKind, Place};
use super::header::{BatchHeader, HEADER_BYTES};
use super::record::{RawRecord, Record};

/// The records of one batch as plain bytes: a part of the batch, or a buffer of their own where they had to be
/// decompressed.
///
/// ```
/// use strandline_protocol::batch::{BatchBuilder, NewRecord, SharedBatch};
///
/// let mut builder = BatchBuilder::new();
/// builder.append(&NewRecord { key: Some(b"k"), value: Some(b"v"), ..NewRecord::at(1_700_000_000_000) })?;
/// let batch = SharedBatch::parse(builder.build()?)?;
///
/// let records = batch.records(1 << 20)?;
/// for record in &records {
///     let record = record?;
///     // A slice of the frame that came in, which can outlive everything here.
///     let value = record.value.map(|value| records.share(value));
///     assert_eq!(value.unwrap(), "v");
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct RecordSection<'a> {
    bytes: SectionBytes<'a>,
    frame: Frame,
}

#[derive(Clone, Debug)]
pub(crate) enum SectionBytes<'a> {
    Borrowed(&'a [u8]),
    Shared(Bytes),
}

/// What the batch's header says about each record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    place: Place,
    base_offset: i64,
    base_timestamp: i64,
    append_time: Option<i64>,
    pub(crate) record_count: u32,
}

impl Frame {
    pub(crate) fn new(header: &BatchHeader, place: Place) -> Self {
        Self {
            place,
            base_offset: header.base_offset,
            base_timestamp: header.base_timestamp,
            append_time: header.append_time(),
            // The view refuses a negative count.
            record_count: u32::try_from(header.record_count).unwrap_or(0),
        }
    }

    /// An error where `remaining` bytes of `total` are left.
    #[cold]
    pub(crate) fn error(&self, kind: BatchErrorKind, total: usize, remaining: usize) -> BatchError {
        let start = if self.place == Place::Batch { HEADER_BYTES } else { 0 };
        BatchError { place: self.place, offset: start + total - remaining, kind }
    }

    #[inline]
    fn record<'a>(&self, raw: RawRecord<'a>) -> Record<'a> {
        Record {
            // Both wrap in Java as well. Validation refuses a timestamp that does.
            offset: self.base_offset.wrapping_add(i64::from(raw.offset_delta)),
            timestamp: self.append_time.unwrap_or(self.base_timestamp.wrapping_add(raw.timestamp_delta)),
            key: raw.key,
            value: raw.value,
            headers: raw.headers,
        }
    }
}

impl<'a> RecordSection<'a> {
    pub(crate) const fn new(bytes: SectionBytes<'a>, frame: Frame) -> Self {
        Self { bytes, frame }
    }

    /// The records in order.
    pub fn iter(&self) -> RecordIter<'_> {
        RecordIter::new(self.as_slice(), self.frame)
    }

    /// How many records there are, as the batch's header says: an upper bound until they have been read.
    pub const fn count(&self) -> usize {
        self.frame.record_count as usize
    }

    /// The records as bytes.
    pub fn as_slice(&self) -> &[u8] {
        match &self.bytes {
            SectionBytes::Borrowed(bytes) => bytes,
            SectionBytes::Shared(bytes) => bytes,
        }
    }

    /// A part of the records (a key, a value) as bytes of its own. It shares the section's buffer where that
    /// can be shared, and then keeps all of it alive; otherwise it is a copy.
    pub fn share(&self, part: &[u8]) -> Bytes {
        match &self.bytes {
            SectionBytes::Shared(bytes) if bytes.as_ptr_range().contains(&part.as_ptr()) => {
                let start = part.as_ptr() as usize - bytes.as_ptr() as usize;
                // A part that begins in here but does not end in here would be a slice of something else.
                if part.len() <= bytes.len() - start {
                    return bytes.slice(start..start + part.len());
                }
                Bytes::copy_from_slice(part)
            }
            _ => Bytes::copy_from_slice(part),
        }
    }
}

impl<'s> IntoIterator for &'s RecordSection<'_> {
    type Item = Result<Record<'s>, BatchError>;
    type IntoIter = RecordIter<'s>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// An iterator over the records of a batch. After an error it ends.
///
/// It checks what it needs to read each record: that the record's length fits its fields, that there are as
/// many records as the header says, and that nothing follows the last one. It does not check offsets or
/// timestamps: that is what validating the batch is for.
#[derive(Clone, Debug)]
pub struct RecordIter<'s> {
    cursor: Cursor<'s>,
    total: usize,
    left: u32,
    frame: Frame,
}

impl<'s> RecordIter<'s> {
    fn new(bytes: &'s [u8], frame: Frame) -> Self {
        Self { cursor: Cursor::new(bytes), total: bytes.len(), left: frame.record_count, frame }
    }

    #[cold]
    fn fail(&mut self, kind: BatchErrorKind, remaining: usize) -> BatchError {
        self.left = 0;
        self.cursor = Cursor::new(&[]);
        self.frame.error(kind, self.total, remaining)
    }
}

impl<'s> Iterator for RecordIter<'s> {
    type Item = Result<Record<'s>, BatchError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let Some(left) = self.left.checked_sub(1) else {
            return match self.cursor.remaining() {
                0 => None,
                excess => Some(Err(self.fail(BatchErrorKind::TrailingBytes(excess), excess))),
            };
        };
        self.left = left;
        match RawRecord::read(&mut self.cursor) {
            Ok(raw) => Some(Ok(self.frame.record(raw))),
            Err((kind, remaining)) => Some(Err(self.fail(kind, remaining))),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        // What a header promises is no reason to allocate: a record takes seven bytes at the least.
        let possible = self.cursor.remaining() / RECORD_BYTES_MIN + 1;
        (0, Some(possible.min(self.left as usize + 1)))
    }
}

const RECORD_BYTES_MIN: usize = 7;

impl std::iter::FusedIterator for RecordIter<'_> {}
