//! Giving the records of a batch another codec: what a broker does where a topic asks for it.

use bytes::{BufMut, Bytes, BytesMut};

use super::error::{BatchError, BatchErrorKind, in_batch};
use super::header::{BatchHeader, HEADER_BYTES, LENGTH_OVERHEAD_BYTES};
use super::view::{BatchView, decompression_error};
use crate::compression::{Compression, Compressor, Decompressor};

impl BatchView<'_> {
    /// The same batch with its records compressed by another codec. The records are what they were, byte by byte.
    ///
    /// # Errors
    /// The records cannot be decompressed into `decompressed_bytes_max` bytes, or not be compressed, or the batch's
    /// length would not fit its field.
    pub fn recompressed(
        &self,
        compression: Compression,
        level: Option<i32>,
        decompressed_bytes_max: usize,
    ) -> Result<Bytes, BatchError> {
        let failed = |error| decompression_error(error, decompressed_bytes_max);
        let mut decompressor = Decompressor::new();
        let records = match self.codec()? {
            None => self.record_bytes(),
            Some(codec) => {
                decompressor.decompress(codec, self.record_bytes(), decompressed_bytes_max).map_err(failed)?
            }
        };
        if compression == Compression::None {
            return self.with_records(compression, records);
        }
        let mut compressor = Compressor::new(compression, level).map_err(failed)?;
        self.with_records(compression, compressor.compress(records).map_err(failed)?)
    }

    fn with_records(&self, compression: Compression, records: &[u8]) -> Result<Bytes, BatchError> {
        let length = HEADER_BYTES - LENGTH_OVERHEAD_BYTES + records.len();
        let batch_length = i32::try_from(length)
            .map_err(|_| in_batch(HEADER_BYTES, BatchErrorKind::DecompressedTooLarge(length)))?;
        let attributes = self.header().attributes.with_compression(compression);
        let mut header = BatchHeader { batch_length, attributes, ..*self.header() };
        header.seal(records);
        let mut bytes = BytesMut::with_capacity(HEADER_BYTES + records.len());
        bytes.put_slice(&header.encode());
        bytes.put_slice(records);
        Ok(bytes.freeze())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{BatchBuilder, BatchView, NewRecord, Origin};
    use super::*;

    #[test]
    fn records_keep_everything_but_their_codec() {
        let mut builder = BatchBuilder::new().producer(7, 1, 40);
        for timestamp in [1_000, 1_002] {
            let record = NewRecord { key: Some(b"key"), value: Some(&[9; 500]), ..NewRecord::at(timestamp) };
            builder.append(&record).unwrap();
        }
        let plain = builder.build().unwrap();
        let mut bytes = plain.clone();
        for compression in Compression::ALL.into_iter().chain([Compression::None]) {
            let level = compression.level_default();
            bytes = BatchView::parse(&bytes).unwrap().recompressed(compression, level, 1 << 20).unwrap();
            let batch = BatchView::parse(&bytes).unwrap();
            assert_eq!(batch.header().attributes.compression(), Ok(compression));
            assert_eq!(batch.validate(Origin::Producer, 1 << 20).unwrap().record_count, 2);
        }
        assert_eq!(bytes, plain);
    }

    #[test]
    fn what_is_too_large_is_refused() {
        let mut builder = BatchBuilder::new().compression(Compression::Gzip, None);
        builder.append(&NewRecord { value: Some(&[0; 4_096]), ..NewRecord::at(0) }).unwrap();
        let bytes = builder.build().unwrap();
        let error = BatchView::parse(&bytes).unwrap().recompressed(Compression::None, None, 100).unwrap_err();
        assert_eq!(error.kind, BatchErrorKind::DecompressedTooLarge(100));
    }
}
