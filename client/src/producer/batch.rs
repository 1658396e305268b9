//! One batch, from its first record to its last word.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use strandline_protocol::Compressor;
use strandline_protocol::batch::{
    BatchBuilder, BatchHeader, BuildError, NewRecord, RecordHeader, SharedBatch,
};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::buffers::Buffers;
use super::delivery::{Promise, Written};
use crate::error::{Error, Result};

/// Memory that records take, given back when this is dropped.
#[derive(Debug)]
pub(super) struct Charge {
    room: Arc<Semaphore>,
    bytes: usize,
}

impl Charge {
    /// Takes over what has been acquired from `room`, and was made to be forgotten there.
    pub(super) const fn new(room: Arc<Semaphore>, bytes: usize) -> Self {
        Self { room, bytes }
    }

    /// None of it yet.
    pub(super) fn nothing(&self) -> Self {
        Self { room: self.room.clone(), bytes: 0 }
    }

    fn take_over(&mut self, mut other: Self) {
        self.bytes += std::mem::take(&mut other.bytes);
    }

    fn split(&mut self, bytes: usize) -> Self {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        Self { room: self.room.clone(), bytes }
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.room.add_permits(self.bytes);
    }
}

/// The number of a batch's first record, by which a broker knows it again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Number {
    pub(super) producer_id: i64,
    pub(super) epoch: i16,
    pub(super) sequence: i32,
    pub(super) is_transactional: bool,
}

/// The order of batches within a partition. What a batch was split into stands where it stood.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Place {
    pub(super) batch: u64,
    pub(super) first: i32,
}

enum Content {
    Open(BatchBuilder),
    Built { bytes: Bytes, stamped: Option<Number> },
    // Only while one becomes the other, or after that failed.
    Nothing,
}

pub(super) struct Batch {
    pub(super) partition: i32,
    pub(super) place: Place,
    pub(super) records: i32,
    pub(super) created: Instant,
    pub(super) attempts: u32,
    pub(super) last_error: Option<Error>,
    pub(super) number: Option<Number>,
    /// Whether, when it was last sent, everything before it had its fate.
    pub(super) was_first: bool,
    content: Content,
    promise: Arc<Promise>,
    is_settled: bool,
    charge: Charge,
    buffers: Arc<Buffers>,
}

impl Batch {
    pub(super) fn open(
        partition: i32,
        batch: u64,
        now: Instant,
        charge: Charge,
        buffers: Arc<Buffers>,
    ) -> Self {
        Self {
            partition,
            place: Place { batch, first: 0 },
            records: 0,
            created: now,
            attempts: 0,
            last_error: None,
            number: None,
            was_first: false,
            content: Content::Open(BatchBuilder::in_buffer(buffers.take())),
            promise: Promise::new(partition),
            is_settled: false,
            charge,
            buffers,
        }
    }

    pub(super) const fn promise(&self) -> &Arc<Promise> {
        &self.promise
    }

    /// How long it would be with this record, before compression.
    pub(super) fn bytes_with(&self, record: &NewRecord<'_>) -> usize {
        match &self.content {
            Content::Open(builder) => builder.bytes_with(record),
            _ => usize::MAX,
        }
    }

    /// How long it is, compressed once it has been built.
    pub(super) fn bytes(&self) -> usize {
        match &self.content {
            Content::Open(builder) => builder.bytes(),
            Content::Built { bytes, .. } => bytes.len(),
            Content::Nothing => 0,
        }
    }

    /// Appends a record and returns its index.
    pub(super) fn append(&mut self, record: &NewRecord<'_>, charge: Charge) -> Result<i32> {
        let Content::Open(builder) = &mut self.content else { return Err(Error::Ended) };
        let index = builder.append(record).map_err(|error| Error::Batch(Arc::new(error)))?;
        self.records = builder.record_count();
        self.charge.take_over(charge);
        Ok(index)
    }

    /// The bytes to be sent: compressed once, and numbered as often as the number changes.
    pub(super) fn build(&mut self, compressor: &mut Compressor) -> Result<Bytes, BuildError> {
        self.content = match std::mem::replace(&mut self.content, Content::Nothing) {
            Content::Open(mut builder) => {
                if let Some(Number { producer_id, epoch, sequence, is_transactional }) = self.number {
                    builder = builder.producer(producer_id, epoch, sequence).transactional(is_transactional);
                }
                Content::Built { bytes: builder.build_with(compressor)?, stamped: self.number }
            }
            Content::Built { bytes, stamped } if stamped != self.number => {
                Content::Built { bytes: stamp(bytes, self.number), stamped: self.number }
            }
            content => content,
        };
        match &self.content {
            Content::Built { bytes, .. } => Ok(bytes.clone()),
            _ => Err(BuildError::Empty),
        }
    }

    /// Tells everyone who waits. Only the first word counts.
    pub(super) fn settle(mut self, result: Result<Written>) {
        self.tell(result);
    }

    fn tell(&mut self, result: Result<Written>) {
        if !std::mem::replace(&mut self.is_settled, true) {
            self.promise.settle(self.place.first, self.records, result);
        }
    }

    /// Two batches in place of one that is too large for its broker; the one itself where it cannot be halved.
    pub(super) fn halved(mut self) -> Vec<Self> {
        let Ok([(left, left_records), (right, right_records)]) = self.content_halves() else {
            return vec![self];
        };
        let charge = self.charge.split(self.charge.bytes / 2);
        let mut second =
            Self::open(self.partition, self.place.batch, self.created, charge, self.buffers.clone());
        second.place.first = self.place.first + left_records;
        second.records = right_records;
        second.content = Content::Open(right);
        second.number = self.number.map(|number| Number {
            sequence: number.sequence.wrapping_add(left_records) & i32::MAX,
            ..number
        });
        second.attempts = self.attempts;
        second.last_error = self.last_error.clone();
        second.promise = self.promise.clone();
        self.records = left_records;
        self.content = Content::Open(left);
        vec![self, second]
    }

    fn content_halves(&self) -> Result<[(BatchBuilder, i32); 2], Error> {
        let Content::Built { bytes, .. } = &self.content else { return Err(Error::Ended) };
        if self.records < 2 {
            return Err(Error::Ended);
        }
        // We made it ourselves: what cannot be read of it is refused as the broker refused it.
        let batch = SharedBatch::parse(bytes.clone()).map_err(|_| Error::Ended)?;
        let section = batch.records(usize::MAX >> 1).map_err(|_| Error::Ended)?;
        let mut halves = [(BatchBuilder::new(), 0), (BatchBuilder::new(), 0)];
        let half = self.records / 2;
        for (index, record) in (0..).zip(&section) {
            let record = record.map_err(|_| Error::Ended)?;
            let headers: Vec<RecordHeader<'_>> = record.headers.filter_map(|header| header.ok()).collect();
            let record = NewRecord {
                timestamp: record.timestamp,
                key: record.key,
                value: record.value,
                headers: &headers,
            };
            let [left, right] = &mut halves;
            let (builder, count) = if index < half { left } else { right };
            builder.append(&record).map_err(|error| Error::Batch(Arc::new(error)))?;
            *count = builder.record_count();
        }
        Ok(halves)
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        // Whoever waits is told, even where the runtime ends under the producer.
        if self.records > 0 {
            self.promise.set_total(self.records);
            self.tell(Err(Error::Ended));
        }
        if let Content::Built { bytes, .. } = std::mem::replace(&mut self.content, Content::Nothing) {
            self.buffers.put(bytes);
        }
    }
}

fn stamp(bytes: Bytes, number: Option<Number>) -> Bytes {
    let Some(Number { producer_id, epoch, sequence, .. }) = number else { return bytes };
    let Ok(mut header) = BatchHeader::parse(&bytes) else { return bytes };
    header.set_producer(producer_id, epoch, sequence);
    // A connection may still hold the old ones.
    let mut bytes = bytes.try_into_mut().unwrap_or_else(|shared| BytesMut::from(shared.as_ref()));
    match header.write_over(&mut bytes) {
        Ok(()) | Err(_) => bytes.freeze(),
    }
}
