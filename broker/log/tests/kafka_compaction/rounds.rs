//! Goes through Kafka's rounds one by one. Before each, what was appended since comes in, and after it both logs have
//! to be the same: each batch's header and records, and where nothing is compressed its bytes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use strandline_log::compaction::{Compaction, CompactionInput, LastRecord, Settings, Unlimited};
use strandline_log::config::LogConfig;
use strandline_log::disk::Disk;
use strandline_log::disk::real::RealDisk;
use strandline_log::layout::{FileKind, Layout};
use strandline_log::local_id::LocalId;
use strandline_log::random::Random;
use strandline_log::segment::{Files, FilesOptions, Segment, SegmentFacts};
use strandline_protocol::Compression;
use strandline_protocol::batch::{BatchHeader, BatchView, Origin, batches};

const PARTITION: LocalId = LocalId(1);
const DELETE_RETENTION_MS: i64 = 1_000;

/// What a round begins with, as Kafka saw it.
#[derive(Default)]
struct Facts {
    now_ms: i64,
    first_dirty_offset: i64,
    end_offset: i64,
    segments: Vec<(i64, SegmentFacts)>,
    last_records: BTreeMap<i64, LastRecord>,
}

impl Facts {
    fn read(path: &Path) -> Self {
        let mut facts = Self::default();
        for line in std::fs::read_to_string(path).unwrap().lines() {
            let (word, numbers) = line.split_once(' ').unwrap();
            let numbers: Vec<i64> = numbers.split(' ').map(|number| number.parse().unwrap()).collect();
            match (word, numbers.as_slice()) {
                ("round", &[now_ms, first_dirty_offset, end_offset]) => {
                    (facts.now_ms, facts.first_dirty_offset, facts.end_offset) =
                        (now_ms, first_dirty_offset, end_offset);
                }
                ("segment", &[base_offset, length, end_offset, max_timestamp, first_timestamp]) => {
                    let length = length.try_into().unwrap();
                    let (generation, created_ms, is_sealed) = (0, 0, true);
                    let segment = SegmentFacts {
                        generation,
                        length,
                        end_offset,
                        max_timestamp,
                        first_timestamp,
                        created_ms,
                        is_sealed,
                    };
                    facts.segments.push((base_offset, segment));
                }
                ("producer", &[producer_id, offset, epoch]) => {
                    let data_offset = (offset >= 0).then_some(offset);
                    let producer_epoch = epoch.try_into().unwrap();
                    facts.last_records.insert(producer_id, LastRecord { data_offset, producer_epoch });
                }
                _ => panic!("what is {line:?}?"),
            }
        }
        facts
    }
}

/// Our copy of the log.
struct Log {
    files: Arc<Files>,
    segments: Vec<Arc<Segment>>,
}

impl Log {
    fn new(folder: &Path) -> Self {
        let layout = Layout::new(folder.to_owned());
        std::fs::create_dir_all(layout.partition(PARTITION)).unwrap();
        let disk: Arc<dyn Disk> = Arc::new(RealDisk::new(folder).unwrap());
        let files = Arc::new(Files::new(disk, layout, &FilesOptions::default()));
        Self { files, segments: Vec::new() }
    }

    /// Takes in what was appended before a round.
    fn take(&mut self, folder: &Path, facts: &Facts) {
        for (base_offset, segment) in &facts.segments {
            for kind in [FileKind::Log, FileKind::TransactionIndex] {
                let to = self.files.layout().segment(PARTITION, *base_offset, kind);
                let from = folder.join(to.file_name().unwrap());
                if from.exists() {
                    std::fs::copy(from, to).unwrap();
                }
            }
            self.segments.push(Arc::new(Segment::recovered(PARTITION, *base_offset, segment)));
        }
    }

    fn compact(&mut self, facts: Facts, segment_bytes: u32) {
        let settings = Settings {
            first_dirty_offset: facts.first_dirty_offset,
            end_offset: facts.end_offset,
            now_ms: facts.now_ms,
            delete_retention_ms: DELETE_RETENTION_MS,
            map_bytes_max: 1 << 20,
            decompressed_bytes_max: 1 << 20,
            last_records: facts.last_records,
        };
        let config = LogConfig { segment_bytes, ..LogConfig::default() };
        let (later, unindexed) = (Vec::new(), Vec::new());
        let input = CompactionInput { segments: self.segments.clone(), later, unindexed, settings, config };
        let random = &mut Random::from_seed(1);
        let mut compaction =
            Compaction::begin(Arc::clone(&self.files), input, &mut Unlimited, random).unwrap();
        while let Some(replacement) = compaction.step(&mut Unlimited).unwrap() {
            replacement.swap(&self.files).unwrap();
            let is_old =
                |segment: &Arc<Segment>| replacement.replaced.iter().any(|old| old.key() == segment.key());
            self.segments.retain(|segment| !is_old(segment));
            self.segments.extend(replacement.segments);
            self.segments.sort_by_key(|segment| segment.base_offset());
        }
        assert!(!compaction.finish().is_partial);
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for segment in &self.segments {
            let mut batches = segment.batches(&self.files, 0).unwrap();
            while let Some((_, batch)) = batches.next().unwrap() {
                bytes.extend_from_slice(batch.bytes());
            }
        }
        bytes
    }
}

/// All that a batch says, whatever its codec made of it.
fn shown(batch: &BatchView<'_>) -> String {
    batch.validate(Origin::Log, 1 << 20).unwrap();
    let header = BatchHeader { batch_length: 0, crc: 0, ..*batch.header() };
    let records = batch.records(1 << 20).unwrap();
    let mut shown = format!("{header:?}");
    for record in &records {
        let record = record.unwrap();
        let (key, value) = (record.key, record.value);
        shown += &format!("\n    {} {} {key:?} {value:?}", record.offset, record.timestamp);
    }
    if header.attributes.compression().unwrap() == Compression::None {
        shown += &format!("\n    {:?}", batch.bytes());
    }
    shown
}

fn compare(ours: &[u8], theirs: &[u8], place: &str) {
    let mut theirs = batches(theirs).map(|batch| shown(&batch.unwrap()));
    for batch in batches(ours) {
        let batch = shown(&batch.unwrap());
        let expected = theirs.next();
        assert!(
            Some(&batch) == expected.as_ref(),
            "{place}: {batch}\nis to Kafka {}",
            expected.unwrap_or_default()
        );
    }
    assert_eq!(theirs.next(), None, "{place}");
}

#[test]
#[ignore = "needs the folder that STRANDLINE_COMPACTION names, which the conformance script makes"]
fn every_round_leaves_what_kafka_leaves() {
    let root = PathBuf::from(std::env::var_os("STRANDLINE_COMPACTION").expect("it names a folder"));
    let (mut rounds, mut shrunk) = (0, 0);
    for number in 0.. {
        let folder = root.join(number.to_string());
        if !folder.exists() {
            break;
        }
        let mut log = Log::new(&folder.join("ours"));
        // Grouped in other ways than Kafka does: that shows nowhere.
        let segment_bytes = [1, 4_000, 1 << 20][number % 3];
        for round in 0.. {
            let folder = folder.join(round.to_string());
            if !folder.exists() {
                break;
            }
            let facts = Facts::read(&folder.join("facts.txt"));
            log.take(&folder, &facts);
            let before = log.bytes().len();
            log.compact(facts, segment_bytes);
            let theirs = std::fs::read(folder.join("after.bin")).unwrap();
            compare(&log.bytes(), &theirs, &format!("log {number}, round {round}"));
            rounds += 1;
            shrunk += usize::from(theirs.len() < before);
        }
    }
    assert!(
        rounds >= 100 && shrunk > rounds / 2,
        "{rounds} rounds, {shrunk} with less behind them, show nothing"
    );
}
