//! A batch as it lies in someone's buffer, and the batches that follow one another in a records field.

use bytes::Bytes;

use super::error::{BatchError, BatchErrorKind, Place, in_batch};
use super::header::{BatchHeader, CHECKSUM_AT, CHECKSUM_START, HEADER_BYTES};
use super::section::{Frame, RecordSection, SectionBytes};
use crate::compression::{Compression, CompressionError, Decompressor};

/// One batch, borrowed: a header that has been read, and bytes that are exactly as many as it says.
///
/// Nothing else is checked yet. [`BatchView::check_crc`] tells whether the bytes are what the producer sent,
/// [`BatchView::validate`] whether they make sense.
#[derive(Clone, Copy, Debug)]
pub struct BatchView<'a> {
    header: BatchHeader,
    bytes: &'a [u8],
}

impl<'a> BatchView<'a> {
    /// The batch at the start of `bytes`, which may hold more.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, BatchError> {
        let header = BatchHeader::parse(bytes)?;
        match bytes.get(..header.total_bytes()) {
            Some(bytes) => Ok(Self { header, bytes }),
            None => {
                let kind =
                    BatchErrorKind::Incomplete { wanted: header.total_bytes(), remaining: bytes.len() };
                Err(in_batch(bytes.len(), kind))
            }
        }
    }

    /// The batch that a producer sends for a partition: the whole field, and no other batch in it.
    pub fn parse_only(field: &'a [u8]) -> Result<Self, BatchError> {
        let count = |batches| {
            let kind = BatchErrorKind::BatchCount(batches);
            BatchError { place: Place::Field, offset: field.len(), kind }
        };
        if field.is_empty() {
            return Err(count(0));
        }
        let batch = Self::parse(field)?;
        match batches(field.get(batch.bytes.len()..).unwrap_or_default()) {
            rest if rest.is_empty() => Ok(batch),
            rest => Err(count(rest.count() + 1)),
        }
    }

    /// The header.
    pub const fn header(&self) -> &BatchHeader {
        &self.header
    }

    /// The whole batch, header included.
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The records as they are sent and stored, compressed or not.
    pub fn record_bytes(&self) -> &'a [u8] {
        self.bytes.get(HEADER_BYTES..).unwrap_or_default()
    }

    /// Holds the checksum against the bytes.
    pub fn check_crc(&self) -> Result<(), BatchError> {
        let stored = self.header.crc;
        let computed = crc32c::crc32c(self.bytes.get(CHECKSUM_START..).unwrap_or_default());
        if computed == stored {
            return Ok(());
        }
        Err(in_batch(CHECKSUM_AT, BatchErrorKind::Checksum { stored, computed }))
    }

    /// The records, ready to be read one after the other. Compressed ones may take up to
    /// `decompressed_bytes_max`; others are borrowed from the batch.
    pub fn records(&self, decompressed_bytes_max: usize) -> Result<RecordSection<'a>, BatchError> {
        self.records_with(&mut Decompressor::new(), decompressed_bytes_max)
    }

    /// The same with a decompressor that is kept from one batch to the next.
    pub fn records_with(
        &self,
        decompressor: &mut Decompressor,
        decompressed_bytes_max: usize,
    ) -> Result<RecordSection<'a>, BatchError> {
        match self.decompressed(decompressor, decompressed_bytes_max)? {
            None => {
                let bytes = SectionBytes::Borrowed(self.record_bytes());
                Ok(RecordSection::new(bytes, Frame::new(&self.header, Place::Batch)))
            }
            Some(section) => Ok(section),
        }
    }

    /// The records in a buffer of their own, where they are compressed.
    fn decompressed(
        &self,
        decompressor: &mut Decompressor,
        bytes_max: usize,
    ) -> Result<Option<RecordSection<'static>>, BatchError> {
        let Some(codec) = self.codec()? else { return Ok(None) };
        let records = decompressor
            .decompress_vec(codec, self.record_bytes(), bytes_max)
            .map_err(|error| decompression_error(error, bytes_max))?;
        let frame = Frame::new(&self.header, Place::DecompressedRecords);
        Ok(Some(RecordSection::new(SectionBytes::Shared(Bytes::from(records)), frame)))
    }

    /// The codec that the records have to go through, if any.
    pub(crate) fn codec(&self) -> Result<Option<Compression>, BatchError> {
        match self.header.attributes.compression()? {
            Compression::None => Ok(None),
            // What compaction leaves of a batch may be no record at all, not even compressed nothing.
            _ if self.header.record_count == 0 && self.record_bytes().is_empty() => Ok(None),
            codec => Ok(Some(codec)),
        }
    }
}

/// Codecs do not say which byte they stumbled over, so it is the first.
#[cold]
pub(crate) fn decompression_error(error: CompressionError, bytes_max: usize) -> BatchError {
    let kind = match error {
        CompressionError::TooLarge { .. } => BatchErrorKind::DecompressedTooLarge(bytes_max),
        error => BatchErrorKind::Decompression(error),
    };
    in_batch(HEADER_BYTES, kind)
}

/// One batch with a share in the buffer that it lies in: for those who keep batches, or parts of them.
#[derive(Clone, Debug)]
pub struct SharedBatch {
    header: BatchHeader,
    bytes: Bytes,
}

impl SharedBatch {
    /// The batch at the start of `bytes`, which may hold more.
    pub fn parse(mut bytes: Bytes) -> Result<Self, BatchError> {
        Self::split_off(&mut bytes)
    }

    fn split_off(bytes: &mut Bytes) -> Result<Self, BatchError> {
        let view = BatchView::parse(bytes)?;
        let (header, length) = (view.header, view.bytes.len());
        Ok(Self { header, bytes: bytes.split_to(length) })
    }

    /// The batch, borrowed.
    pub fn view(&self) -> BatchView<'_> {
        BatchView { header: self.header, bytes: &self.bytes }
    }

    /// The header.
    pub const fn header(&self) -> &BatchHeader {
        &self.header
    }

    /// The whole batch, header included.
    pub const fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The records, in a section that owns its share of them: see [`BatchView::records`].
    pub fn records(&self, decompressed_bytes_max: usize) -> Result<RecordSection<'static>, BatchError> {
        self.records_with(&mut Decompressor::new(), decompressed_bytes_max)
    }

    /// The same with a decompressor that is kept from one batch to the next.
    pub fn records_with(
        &self,
        decompressor: &mut Decompressor,
        decompressed_bytes_max: usize,
    ) -> Result<RecordSection<'static>, BatchError> {
        match self.view().decompressed(decompressor, decompressed_bytes_max)? {
            None => {
                let bytes = SectionBytes::Shared(self.bytes.slice(HEADER_BYTES..));
                Ok(RecordSection::new(bytes, Frame::new(&self.header, Place::Batch)))
            }
            Some(section) => Ok(section),
        }
    }
}

/// The batches that lie one behind the other in `field`, as fetch responses and log segments hold them.
///
/// ```
/// use strandline_protocol::batch::{self, BatchBuilder, NewRecord};
///
/// let mut builder = BatchBuilder::new();
/// builder.append(&NewRecord { value: Some(b"v"), ..NewRecord::at(0) })?;
/// let one = builder.build()?;
/// // Two whole batches and the beginning of a third, which a fetch may answer with.
/// let field = [&one, &one, &one[..50]].concat();
///
/// let mut batches = batch::batches(&field);
/// assert_eq!(batches.next().unwrap()?.bytes(), one);
/// assert_eq!(batches.next().unwrap()?.bytes(), one);
/// assert!(batches.next().unwrap().unwrap_err().is_incomplete());
/// assert!(batches.next().is_none());
/// assert_eq!(batches.rest(), &one[..50]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub const fn batches(field: &[u8]) -> Batches<'_> {
    Batches { rest: field, failed: false }
}

/// See [`batches`]. After an error it ends: behind bytes that are no batch, nobody knows where one begins.
#[derive(Clone, Debug)]
pub struct Batches<'a> {
    rest: &'a [u8],
    failed: bool,
}

impl<'a> Batches<'a> {
    /// What has not been read: after the end, the bytes that are no whole batch.
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }
}

impl<'a> Iterator for Batches<'a> {
    type Item = Result<BatchView<'a>, BatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed || self.is_empty() {
            return None;
        }
        let batch = BatchView::parse(self.rest);
        match &batch {
            Ok(batch) => self.rest = self.rest.get(batch.bytes.len()..).unwrap_or_default(),
            Err(_) => self.failed = true,
        }
        Some(batch)
    }
}

/// The same as [`batches`], for those who keep the batches: each shares the field's buffer.
pub const fn shared_batches(field: Bytes) -> SharedBatches {
    SharedBatches { rest: field, failed: false }
}

/// See [`shared_batches`].
#[derive(Clone, Debug)]
pub struct SharedBatches {
    rest: Bytes,
    failed: bool,
}

impl Iterator for SharedBatches {
    type Item = Result<SharedBatch, BatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed || self.rest.is_empty() {
            return None;
        }
        let batch = SharedBatch::split_off(&mut self.rest);
        self.failed = batch.is_err();
        Some(batch)
    }
}
