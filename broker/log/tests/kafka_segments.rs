//! Our segments for Kafka's tools, and Kafka's segments for us: `tests/conformance/segments` runs these two, and
//! knows what the lines mean that they write and read.

use std::fmt::Write as _;
use std::io::IoSlice;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use strandline_log::config::LogConfig;
use strandline_log::disk::Disk;
use strandline_log::disk::real::RealDisk;
use strandline_log::layout::{FileKind, Layout};
use strandline_log::local_id::LocalId;
use strandline_log::random::Random;
use strandline_log::segment::{AbortedTransaction, BatchFacts, Files, FilesOptions, Segment, SegmentFacts};
use strandline_protocol::Compression;
use strandline_protocol::batch::{BatchBuilder, BatchHeader, BatchView, ControlRecord, NewRecord};

const NOW: i64 = 1_700_000_000_000;
const SEGMENT_BYTES: u32 = 96 << 10;

fn folder() -> PathBuf {
    std::env::var_os("STRANDLINE_SEGMENTS").expect("STRANDLINE_SEGMENTS names a folder").into()
}

fn files(folder: &Path) -> Files {
    let disk: Arc<dyn Disk> = Arc::new(RealDisk::new(folder).unwrap());
    Files::new(disk, Layout::new(folder.join("data")), &FilesOptions::default())
}

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
        self.segment.write(&self.files, self.segment.length(), &parts).unwrap();
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

/// The numbers behind the first word of a line.
fn numbers<T: FromStr<Err: std::fmt::Debug>>(line: &str) -> Vec<T> {
    line.split(' ').skip(1).map(|word| word.parse().unwrap()).collect()
}

/// Reads a segment that Kafka wrote, and holds Kafka's answers against ours.
fn check_segment(folder: &Path, lines: &[&str]) {
    let (first, answers) = lines.split_first().unwrap();
    let &[partition, base_offset, length, end_offset, max_timestamp, first_timestamp] =
        numbers::<i64>(first).as_slice()
    else {
        panic!("{first}");
    };
    let partition = LocalId(u64::try_from(partition).unwrap());
    let mut facts = SegmentFacts::empty(base_offset, 0, NOW);
    facts.length = u64::try_from(length).unwrap();
    (facts.end_offset, facts.max_timestamp, facts.first_timestamp) =
        (end_offset, max_timestamp, first_timestamp);
    facts.is_sealed = true;
    let files = files(folder);
    let segment = Segment::recovered(partition, base_offset, &facts);
    let mut records = Vec::new();
    let mut reader = segment.batches(&files, 0).unwrap();
    while let Some((_, batch)) = reader.next().unwrap() {
        let section = batch.records(1 << 20).unwrap();
        records
            .extend(section.iter().map(|record| record.map(|one| vec![one.offset, one.timestamp]).unwrap()));
    }
    let of =
        |word| answers.iter().filter(move |line| line.starts_with(word)).map(|line| numbers::<i64>(line));
    assert_eq!(records, of("record ").collect::<Vec<_>>(), "{first}");
    for answer in of("find ") {
        let found = segment.find(&files, answer[0]).unwrap();
        let found = found.map_or(-1, |found| i64::try_from(found.position).unwrap());
        assert_eq!(found, answer[1], "offset {} of {first}", answer[0]);
    }
    for answer in of("time ") {
        let found = segment.find_timestamp(&files, answer[0], base_offset, 1 << 20).unwrap();
        let found = found.map_or((-1, -1), |found| (found.offset, found.timestamp));
        assert_eq!(found, (answer[1], answer[2]), "timestamp {} of {first}", answer[0]);
    }
    let aborted = segment.aborted(&files, i64::MIN, i64::MAX).unwrap().transactions;
    let aborted = aborted
        .iter()
        .map(|one| vec![one.producer_id, one.first_offset, one.last_offset, one.last_stable_offset]);
    assert_eq!(aborted.collect::<Vec<_>>(), of("aborted ").collect::<Vec<_>>(), "{first}");
    check_indexes(&files, &segment);
}

/// What we would write into the index files, with and without a look at Kafka's, is what Kafka wrote.
fn check_indexes(files: &Files, segment: &Segment) {
    let path = |kind| files.layout().segment(segment.partition(), segment.base_offset(), kind);
    let kafka = [FileKind::OffsetIndex, FileKind::TimeIndex].map(|kind| std::fs::read(path(kind)).unwrap());
    let ours = segment.indexes(files).unwrap();
    assert!([ours.offsets, ours.times] == kafka, "{segment:?}");
    for kind in [FileKind::OffsetIndex, FileKind::TimeIndex] {
        std::fs::remove_file(path(kind)).unwrap();
    }
    let segment = Segment::recovered(segment.partition(), segment.base_offset(), &segment.facts());
    let ours = segment.indexes(files).unwrap();
    assert!([ours.offsets, ours.times] == kafka, "made anew: {segment:?}");
}

#[test]
#[ignore = "reads the folder that STRANDLINE_SEGMENTS names, for the conformance script"]
fn read_segments_of_kafka() {
    let folder = folder();
    let answers = std::fs::read_to_string(folder.join("kafka.txt")).unwrap();
    let lines: Vec<_> = answers.lines().collect();
    let segments: Vec<_> = lines
        .chunk_by(|_, next| !next.starts_with("segment "))
        .inspect(|lines| check_segment(&folder, lines))
        .collect();
    assert!(segments.len() >= 15, "only {} segments", segments.len());
}
