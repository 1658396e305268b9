//! Logs made at random, in memory, with everything in them that compaction has to tell apart.

use std::collections::BTreeMap;

use strandline_protocol::Compression;
use strandline_protocol::batch::{
    BatchBuilder, BatchError, BatchHeader, BatchView, Batches as BatchIter, ControlRecord, NewRecord, Origin,
    RecordHeader, batches,
};

use super::super::{Batches, Candidate, CompactionError, Sink, Source};
use crate::random::Random;
use crate::segment::AbortedTransaction;

/// Batches in memory.
#[derive(Clone, Debug, Default)]
pub(super) struct MemorySegment {
    pub(super) base_offset: i64,
    pub(super) end_offset: i64,
    pub(super) bytes: Vec<u8>,
    pub(super) aborted: Vec<AbortedTransaction>,
}

impl MemorySegment {
    pub(super) fn new(base_offset: i64) -> Self {
        Self { base_offset, end_offset: base_offset, ..Self::default() }
    }

    pub(super) fn candidate(&self) -> Candidate {
        Candidate {
            base_offset: self.base_offset,
            end_offset: self.end_offset,
            bytes: self.bytes.len() as u64,
            max_timestamp: -1,
            first_timestamp: -1,
            appended_ms: 0,
        }
    }

    pub(super) fn batches(&self) -> impl Iterator<Item = BatchView<'_>> {
        batches(&self.bytes).map(Result::unwrap)
    }
}

impl Source for &MemorySegment {
    type Batches<'a>
        = MemoryBatches<'a>
    where
        Self: 'a;

    fn end_offset(&self) -> i64 {
        self.end_offset
    }

    fn aborted(&self) -> Result<Vec<AbortedTransaction>, CompactionError> {
        Ok(self.aborted.clone())
    }

    fn batches(&self) -> Result<MemoryBatches<'_>, CompactionError> {
        Ok(MemoryBatches(batches(&self.bytes)))
    }

    fn failed(&self, position: u64, error: BatchError) -> CompactionError {
        panic!("the batch at {position}: {error}");
    }
}

pub(super) struct MemoryBatches<'a>(BatchIter<'a>);

impl Batches for MemoryBatches<'_> {
    fn next(&mut self) -> Result<Option<(u64, BatchView<'_>)>, CompactionError> {
        Ok(self.0.next().map(|batch| (0, batch.unwrap())))
    }
}

impl Sink for MemorySegment {
    fn append(&mut self, header: &BatchHeader, batch: &[u8]) -> Result<(), CompactionError> {
        assert_eq!(&BatchHeader::parse(batch).unwrap(), header);
        BatchView::parse(batch).unwrap().validate(Origin::Log, 1 << 20).unwrap();
        assert!(header.base_offset >= self.end_offset);
        self.end_offset = header.last_offset() + 1;
        self.bytes.extend_from_slice(batch);
        Ok(())
    }

    fn add_aborted(&mut self, transaction: AbortedTransaction) -> Result<(), CompactionError> {
        self.aborted.push(transaction);
        Ok(())
    }
}

/// A log that grows at random.
pub(super) struct RandomLog {
    pub(super) random: Random,
    pub(super) segments: Vec<MemorySegment>,
    pub(super) next_offset: i64,
    pub(super) aborted: Vec<AbortedTransaction>,
    /// Where the transactions begin that are open.
    open: BTreeMap<i64, i64>,
    sequences: BTreeMap<i64, i32>,
    /// The last offset of each producer's last batch of records.
    pub(super) last_data: BTreeMap<i64, i64>,
}

const TRANSACTIONAL: i64 = 3;
const PRODUCERS: u64 = 5;

impl RandomLog {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            random: Random::from_seed(seed),
            segments: vec![MemorySegment::new(0)],
            next_offset: 0,
            aborted: Vec::new(),
            open: BTreeMap::new(),
            sequences: BTreeMap::new(),
            last_data: BTreeMap::new(),
        }
    }

    /// Adds so many batches in some more segments, and ends what is open.
    pub(super) fn grow(&mut self, batches: u64) {
        for _ in 0..batches {
            if self.random.one_in(8) {
                self.roll();
            }
            // Producer 0 stands for none; of the others the first few are transactional.
            let producer = self.random.below(PRODUCERS).cast_signed();
            let is_transactional = (1..=TRANSACTIONAL).contains(&producer);
            if is_transactional && self.random.one_in(3) {
                self.end_transaction(producer);
            } else {
                self.append(producer, is_transactional);
            }
        }
        for producer in self.open.clone().into_keys() {
            self.end_transaction(producer);
        }
        self.roll();
        let aborted = self.aborted.clone();
        for segment in &mut self.segments {
            let (from, to) = (segment.base_offset, segment.end_offset);
            let touches = |one: &&AbortedTransaction| one.first_offset < to && one.last_offset >= from;
            segment.aborted = aborted.iter().filter(touches).copied().collect();
        }
    }

    fn roll(&mut self) {
        let next_offset = self.next_offset;
        if let Some(last) = self.segments.last_mut() {
            last.end_offset = next_offset;
        }
        self.segments.push(MemorySegment::new(next_offset));
    }

    fn push(&mut self, bytes: &[u8], records: i64) {
        let mut bytes = bytes.to_vec();
        let mut header = BatchHeader::parse(&bytes).unwrap();
        header.assign(self.next_offset, 7);
        header.write_over(&mut bytes).unwrap();
        let last = self.segments.last_mut().unwrap();
        last.bytes.extend_from_slice(&bytes);
        self.next_offset += records;
        last.end_offset = self.next_offset;
        // Offsets need not be without gaps.
        self.next_offset += self.random.below(2).cast_signed();
    }

    fn append(&mut self, producer: i64, is_transactional: bool) {
        let records = 1 + self.random.below(5).cast_signed();
        let mut builder = BatchBuilder::new().transactional(is_transactional);
        if producer > 0 {
            let sequence = self.sequences.entry(producer).or_default();
            builder = builder.producer(producer, 0, *sequence);
            *sequence += i32::try_from(records).unwrap();
        }
        if self.random.one_in(4) {
            builder = builder.log_append_time(self.next_offset);
        }
        for number in 0..records {
            self.append_record(&mut builder, self.next_offset + number);
        }
        let codec = match self.random.one_in(2) {
            true => Compression::None,
            false => Compression::ALL[self.random.index(5)],
        };
        if is_transactional {
            self.open.entry(producer).or_insert(self.next_offset);
        }
        self.last_data.insert(producer, self.next_offset + records - 1);
        self.push(&builder.compression(codec, None).build().unwrap(), records);
    }

    fn append_record(&mut self, builder: &mut BatchBuilder, offset: i64) {
        let random = &mut self.random;
        let key = format!("key {}", random.below(15));
        // Tells every record from every other.
        let value = format!("value {offset}");
        let headers = [RecordHeader::new("h", None), RecordHeader::new("", Some(b"x"))];
        let record = NewRecord {
            key: (!random.one_in(12)).then_some(key.as_bytes()),
            value: (!random.one_in(4)).then_some(value.as_bytes()),
            headers: &headers[..random.index(3)],
            timestamp: random.below(1_000).cast_signed() - 1,
        };
        builder.append(&record).unwrap();
    }

    fn end_transaction(&mut self, producer_id: i64) {
        let first_offset = self.open.remove(&producer_id);
        let marker = match self.random.one_in(2) {
            true => ControlRecord::Commit { coordinator_epoch: 3 },
            false => ControlRecord::Abort { coordinator_epoch: 3 },
        };
        if let (Some(first_offset), ControlRecord::Abort { .. }) = (first_offset, &marker) {
            let last_offset = self.next_offset;
            let last_stable_offset = self.open.values().copied().min().unwrap_or(last_offset);
            let one = AbortedTransaction { first_offset, producer_id, last_offset, last_stable_offset };
            self.aborted.push(one);
        }
        self.push(&marker.transaction_marker(50, producer_id, 0).unwrap(), 1);
    }
}
