//! Writes segments as an engine would, for Kafka's dump tool.

use std::fmt::Write as _;
use std::io::IoSlice;
use std::path::Path;

use strandline_log::config::LogConfig;
use strandline_log::layout::FileKind;
use strandline_log::local_id::LocalId;
use strandline_log::random::Random;
use strandline_log::segment::{AbortedTransaction, BatchFacts, Files, Segment, Way};
use strandline_protocol::Compression;
use strandline_protocol::batch::{BatchBuilder, BatchHeader, BatchView, ControlRecord, NewRecord};

use crate::place::{NOW, files, folder};

const SEGMENT_BYTES: u32 = 96 << 10;

/// A log of one codec, as an engine would fill it.
struct Log {
    files: Files,
    config: LogConfig,
    partition: LocalId,
    segment: Segment,
    next_offset: i64,
    /// What is in it, for Kafka's tool to say the same.
    expected: String,
}

impl Log {
    fn new(folder: &Path, partition: LocalId) -> Self {
        let config = LogConfig { segment_bytes: SEGMENT_BYTES, ..LogConfig::default() };
        let segment = Segment::begin(partition, 0, 0, NOW);
        let mut log = Self {
            files: files(folder),
            config,
            partition,
            segment,
            next_offset: 0,
            expected: String::new(),
        };
        log.expect_segment();
        log
    }

    fn expect_segment(&mut self) {
        let path = self.files.layout().segment(self.partition, self.segment.base_offset(), FileKind::Log);
        writeln!(self.expected, "segment {}", path.display()).unwrap();
    }

    fn append(&mut self, mut batch: Vec<u8>) -> i64 {
        let mut header = BatchHeader::parse(&batch).unwrap();
        header.assign(self.next_offset, 5);
        header.write_over(&mut batch).unwrap();
        let facts = BatchFacts::from(&header);
        if self.segment.room().must_roll(&facts, &self.config, NOW) {
            self.seal();
            self.segment = Segment::begin(self.partition, self.next_offset, 0, NOW);
            self.expect_segment();
        }
        let (head, rest) = batch.split_at(16);
        let parts = [IoSlice::new(head), IoSlice::new(rest)];
        self.segment.write(&self.files, self.segment.length(), &parts, Way::ThroughCache).unwrap();
        self.segment.extend(&[facts], self.config.index_interval_bytes);
        for record in &BatchView::parse(&batch).unwrap().records(1 << 20).unwrap() {
            let record = record.unwrap();
            writeln!(self.expected, "record {} {}", record.offset, record.timestamp).unwrap();
        }
        self.next_offset = facts.last_offset + 1;
        facts.last_offset
    }

    fn abort(&mut self, producer_id: i64, first_offset: i64) {
        let marker = ControlRecord::Abort { coordinator_epoch: 1 };
        let last_offset = self.append(marker.transaction_marker(NOW, producer_id, 2).unwrap().to_vec());
        let aborted = AbortedTransaction {
            producer_id,
            first_offset,
            last_offset,
            last_stable_offset: last_offset + 1,
        };
        self.segment.add_aborted(aborted);
        writeln!(self.expected, "aborted {producer_id} {first_offset} {last_offset} {}", last_offset + 1)
            .unwrap();
    }

    fn seal(&mut self) {
        self.segment.seal();
        self.segment.write_indexes(&self.files).unwrap();
        self.segment.indexes_written(&self.files);
    }

    /// Another process goes on.
    fn reopen(&mut self, folder: &Path) {
        self.files = files(folder);
        self.segment = Segment::recovered(self.partition, self.segment.base_offset(), &self.segment.facts());
    }
}

fn random_batch(random: &mut Random, codec: Compression, producer: Option<(i64, i32)>) -> Vec<u8> {
    let mut builder = BatchBuilder::new().compression(codec, None);
    if let Some((producer_id, sequence)) = producer {
        builder = builder.transactional(true).producer(producer_id, 2, sequence);
    }
    for _ in 0..=random.index(6) {
        let timestamp = NOW + i64::try_from(random.below(100_000)).unwrap();
        let mut value = vec![0; random.index(900)];
        random.fill(&mut value);
        builder.append(&NewRecord { value: Some(&value), ..NewRecord::at(timestamp) }).unwrap();
    }
    builder.build().unwrap().to_vec()
}

#[test]
#[ignore = "writes into the folder that STRANDLINE_SEGMENTS names, for the conformance script"]
fn write_segments_for_kafka() {
    let folder = folder();
    std::fs::create_dir_all(folder.join("data/logs")).unwrap();
    let mut expected = String::new();
    for (codec, number) in Compression::ALL.into_iter().zip(1..) {
        let mut random = Random::from_seed(number);
        let mut log = Log::new(&folder, LocalId(number));
        for round in 0..120 {
            for _ in 0..random.index(4) {
                log.append(random_batch(&mut random, codec, None));
            }
            if random.one_in(3) {
                let producer_id = 100 + i64::from(round);
                let first_offset = log.next_offset;
                log.append(random_batch(&mut random, codec, Some((producer_id, 0))));
                log.abort(producer_id, first_offset);
            }
            if random.one_in(40) && log.segment.length() > 0 && log.segment.facts().first_timestamp > 0 {
                let listed = log.segment.aborted(&log.files, 0, i64::MAX).unwrap().transactions;
                log.reopen(&folder);
                // What is not in a file yet the engine keeps elsewhere.
                listed.into_iter().for_each(|aborted| log.segment.add_aborted(aborted));
            }
        }
        log.seal();
        expected.push_str(&log.expected);
    }
    std::fs::write(folder.join("expected.txt"), expected).unwrap();
}
