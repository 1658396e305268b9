//! The batches that are produced: built once. Batches of fewer records are the front of the full one under a header of
//! their own, and a producer's numbers are patched into the header with the checksum, without reading the records.

use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use strandline_protocol::batch::{BatchBuilder, BatchHeader, BatchView, HEADER_BYTES, NewRecord};
use strandline_protocol::{Compression, Piece, Records};

use crate::cluster::Failure;

/// What of the header the checksum covers.
const CHECKSUM_START: usize = 21;

pub(super) struct Batches {
    values: Vec<Vec<u8>>,
    timestamp: i64,
    compression: Compression,
    full: Batch,
    // How long the records are up to and with each one; of no use where they are compressed.
    ends: Vec<usize>,
    // Headers of shorter batches: as many as there are lengths.
    shorter: HashMap<usize, BatchHeader>,
}

/// A batch in the two parts that it is sent in.
#[derive(Clone)]
struct Batch {
    header: BatchHeader,
    body: Bytes,
}

impl Batches {
    /// Records of `record_bytes` of random capitals each, as many to a batch as fit into `batch_bytes`, at least one.
    pub(super) fn new(
        record_bytes: usize,
        batch_bytes: usize,
        compression: Compression,
    ) -> Result<Self, Failure> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let timestamp = i64::try_from(now.as_millis()).unwrap_or(0);
        let mut builder = BatchBuilder::new();
        let (mut values, mut ends, mut letters) = (Vec::new(), Vec::new(), Letters::new());
        loop {
            let value = letters.take(record_bytes);
            let record = NewRecord { value: Some(&value), ..NewRecord::at(timestamp) };
            if !builder.is_empty() && builder.bytes_with(&record) > batch_bytes {
                break;
            }
            builder.append(&record).map_err(|error| Failure::Usage(format!("--record-bytes: {error}")))?;
            ends.push(builder.bytes() - HEADER_BYTES);
            values.push(value);
        }
        let full = built(builder, compression)?;
        Ok(Self { values, timestamp, compression, full, ends, shorter: HashMap::new() })
    }

    /// How many records a full batch has.
    pub(super) fn records_max(&self) -> u64 {
        u64::try_from(self.values.len()).unwrap_or(u64::MAX)
    }

    /// A batch of the first `records`, as a producer of this id, epoch and sequence sends it.
    pub(super) fn batch(
        &mut self,
        records: u64,
        producer: Option<(i64, i16, i32)>,
    ) -> Result<Records, Failure> {
        let count = usize::try_from(records).unwrap_or(usize::MAX).clamp(1, self.values.len());
        let Batch { mut header, body } = if count == self.values.len() {
            self.full.clone()
        } else if self.compression == Compression::None {
            self.front(count)
        } else {
            self.compressed(count)?
        };
        if let Some((id, epoch, sequence)) = producer {
            header.set_producer(id, epoch, sequence);
        }
        let header = Bytes::copy_from_slice(&header.encode());
        Ok(Records::from(vec![Piece::Slice(header), Piece::Slice(body)]))
    }

    /// The front of the full batch: records are written alike in both.
    fn front(&mut self, count: usize) -> Batch {
        let end = self.ends.get(count - 1).copied().unwrap_or(0);
        let body = self.full.body.slice(..end);
        let full = self.full.header;
        let header = self.shorter.entry(count).or_insert_with(|| shortened(full, count, &body));
        Batch { header: *header, body }
    }

    fn compressed(&mut self, count: usize) -> Result<Batch, Failure> {
        let mut builder = BatchBuilder::new();
        for value in self.values.iter().take(count) {
            let record = NewRecord { value: Some(value), ..NewRecord::at(self.timestamp) };
            builder.append(&record).map_err(|error| Failure::Refused(error.to_string()))?;
        }
        built(builder, self.compression)
    }
}

fn built(builder: BatchBuilder, compression: Compression) -> Result<Batch, Failure> {
    let refused = |error: String| Failure::Usage(format!("the batch cannot be built: {error}"));
    let builder = builder.compression(compression, None);
    let bytes = builder.build().map_err(|error| refused(error.to_string()))?;
    let header = *BatchView::parse(&bytes).map_err(|error| refused(error.to_string()))?.header();
    Ok(Batch { header, body: bytes.slice(HEADER_BYTES..) })
}

/// A header for the first `count` records, which are `body`.
fn shortened(full: BatchHeader, count: usize, body: &[u8]) -> BatchHeader {
    let count = i32::try_from(count).unwrap_or(i32::MAX);
    let removed = i32::try_from(full.record_bytes().saturating_sub(body.len())).unwrap_or(0);
    let mut header = BatchHeader {
        batch_length: full.batch_length - removed,
        last_offset_delta: count - 1,
        record_count: count,
        ..full
    };
    let covered = header.encode();
    let front = crc32c::crc32c(covered.get(CHECKSUM_START..).unwrap_or_default());
    header.crc = crc32c::crc32c_append(front, body);
    header
}

/// Random capitals, as Kafka's own performance tool sends: the same ones in each run.
struct Letters {
    state: u64,
}

impl Letters {
    const fn new() -> Self {
        Self { state: 0x9E37_79B9_7F4A_7C15 }
    }

    fn take(&mut self, count: usize) -> Vec<u8> {
        (0..count)
            .map(|_| {
                self.state ^= self.state << 13;
                self.state ^= self.state >> 7;
                self.state ^= self.state << 17;
                b'A' + u8::try_from((self.state >> 32) % 26).unwrap_or(0)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strandline_protocol::batch::Origin;

    fn bytes(records: &Records) -> Vec<u8> {
        records
            .pieces()
            .flat_map(|piece| match piece {
                Piece::Slice(slice) => slice.to_vec(),
                Piece::External(_) => panic!("not in memory"),
            })
            .collect()
    }

    #[test]
    fn batches_of_every_length_are_valid_and_numbered() {
        for compression in [Compression::None, Compression::Lz4] {
            let mut batches = Batches::new(100, 1_000, compression).unwrap();
            assert_eq!(batches.records_max(), 8);
            for records in [1, 3, 7, 8] {
                for producer in [None, Some((4_711, 3, 12))] {
                    let bytes = bytes(&batches.batch(records, producer).unwrap());
                    let batch = BatchView::parse_only(&bytes).unwrap();
                    let summary = batch.validate(Origin::Producer, 1 << 20).unwrap();
                    assert_eq!(u64::from(summary.record_count), records);
                    assert_eq!(batch.header().has_producer_id(), producer.is_some());
                    assert!(producer.is_none() || batch.header().base_sequence == 12);
                    let section = batch.records(1 << 20).unwrap();
                    let values: Vec<_> =
                        section.iter().map(|record| record.unwrap().value.unwrap().to_vec()).collect();
                    assert_eq!(values, batches.values[..usize::try_from(records).unwrap()]);
                }
            }
        }
    }

    #[test]
    fn a_record_larger_than_a_batch_is_a_batch_of_its_own() {
        let batches = Batches::new(5_000, 1_000, Compression::None).unwrap();
        assert_eq!(batches.records_max(), 1);
    }
}
