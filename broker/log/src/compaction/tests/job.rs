//! Rounds over segments on a disk.

use std::collections::BTreeMap;
use std::io::IoSlice;
use std::path::Path;
use std::sync::Arc;

use strandline_protocol::batch::BatchHeader;

use super::super::writer::{GroupWriter, Kind};
use super::super::{
    Compaction, CompactionError, CompactionInput, Replacement, Settings, Sink, Unlimited, finish_swap,
    remove_orphans,
};
use super::log::RandomLog;
use super::model::{Batch, Model};
use super::settings;
use crate::config::LogConfig;
use crate::disk::Disk;
use crate::disk::simulated::{Operation, Options, SimulatedDisk};
use crate::layout::{FileKind, Layout, parse_segment_name};
use crate::local_id::LocalId;
use crate::random::Random;
use crate::segment::{AbortedTransaction, BatchFacts, Files, FilesOptions, Segment, SegmentFacts, Way};

pub(super) const PARTITION: LocalId = LocalId(7);

/// What a new segment holds: a few of the old ones.
pub(super) const SEGMENT_BYTES: u32 = 2_000;

/// A partition's segments on a simulated disk, and what a manifest would say of them.
pub(super) struct Log {
    pub(super) disk: SimulatedDisk,
    pub(super) files: Arc<Files>,
    pub(super) segments: Vec<Arc<Segment>>,
    pub(super) manifest: BTreeMap<i64, SegmentFacts>,
    pub(super) aborted: Vec<AbortedTransaction>,
}

pub(super) fn files(disk: &SimulatedDisk) -> Arc<Files> {
    let disk: Arc<dyn Disk> = Arc::new(disk.clone());
    Arc::new(Files::new(disk, Layout::new("data".into()), &FilesOptions::default()))
}

fn make_folders(disk: &SimulatedDisk) {
    let layout = Layout::new("data".into());
    for folder in [layout.root().to_owned(), layout.logs(), layout.shard(PARTITION)] {
        disk.create_directory(&folder).unwrap();
        disk.sync_directory(folder.parent().unwrap_or(Path::new(""))).unwrap();
    }
}

impl Log {
    /// All of a random log, durable, with a manifest that says so.
    pub(super) fn new(seed: u64, batches: u64) -> Self {
        let disk = SimulatedDisk::new(Options { seed, ..Options::default() });
        make_folders(&disk);
        let files = files(&disk);
        let mut random = RandomLog::new(seed);
        random.grow(batches);
        let mut log = Self {
            disk,
            files,
            segments: Vec::new(),
            manifest: BTreeMap::new(),
            aborted: random.aborted.clone(),
        };
        for memory in random.segments.iter().filter(|segment| !segment.bytes.is_empty()) {
            let segment = Arc::new(Segment::begin(PARTITION, memory.base_offset, 0, 5));
            let written =
                segment.write(&log.files, 0, &[IoSlice::new(&memory.bytes)], Way::ThroughCache).unwrap();
            written.file.sync().unwrap();
            let facts: Vec<_> = memory.batches().map(|batch| BatchFacts::from(batch.header())).collect();
            segment.extend(&facts, 64);
            let is_its_own = |one: &&AbortedTransaction| {
                (memory.base_offset..memory.end_offset).contains(&one.last_offset)
            };
            random.aborted.iter().filter(is_its_own).for_each(|one| segment.add_aborted(*one));
            segment.seal();
            for file in segment.write_indexes(&log.files).unwrap() {
                file.sync().unwrap();
            }
            segment.indexes_written(&log.files);
            log.manifest.insert(memory.base_offset, segment.facts());
            log.segments.push(segment);
        }
        let layout = Layout::new("data".into());
        for folder in [layout.partition(PARTITION), layout.shard(PARTITION), layout.logs()] {
            log.disk.sync_directory(&folder).unwrap();
        }
        log
    }

    pub(super) fn settings(&self) -> Settings {
        settings(0, self.segments.last().unwrap().end_offset())
    }

    pub(super) fn begin(
        &self,
        settings: Settings,
        segment_bytes: u32,
    ) -> Result<Compaction, CompactionError> {
        let config = LogConfig { segment_bytes, index_interval_bytes: 64, ..LogConfig::default() };
        let (later, unindexed) = (Vec::new(), Vec::new());
        let input = CompactionInput { segments: self.segments.clone(), later, unindexed, settings, config };
        Compaction::begin(Arc::clone(&self.files), input, &mut Unlimited, &mut Random::from_seed(1))
    }

    /// Makes the manifest name the new segments.
    pub(super) fn commit(&mut self, replacement: &Replacement) {
        for old in &replacement.replaced {
            self.manifest.remove(&old.base_offset());
        }
        for new in &replacement.segments {
            self.manifest.insert(new.base_offset(), new.facts());
        }
    }

    pub(super) fn publish(&mut self, replacement: &Replacement) {
        let is_old =
            |segment: &Arc<Segment>| replacement.replaced.iter().any(|old| old.key() == segment.key());
        self.segments.retain(|segment| !is_old(segment));
        self.segments.extend(replacement.segments.iter().cloned());
        self.segments.sort_by_key(|segment| segment.base_offset());
    }

    /// Runs a whole round, every step made to count.
    pub(super) fn compact(&mut self, settings: Settings) -> Result<i64, CompactionError> {
        let mut compaction = self.begin(settings, SEGMENT_BYTES)?;
        while let Some(replacement) = compaction.step(&mut Unlimited)? {
            self.commit(&replacement);
            replacement.swap(&self.files)?;
            self.publish(&replacement);
        }
        Ok(compaction.finish().cleaned_to)
    }

    /// What another process finds by the manifest.
    pub(super) fn recover(&mut self) {
        self.files = files(&self.disk);
        let layout = self.files.layout();
        self.segments.clear();
        for (base_offset, facts) in &self.manifest {
            finish_swap(&self.disk, layout, PARTITION, *base_offset, facts.generation).unwrap();
            self.segments.push(Arc::new(Segment::recovered(PARTITION, *base_offset, facts)));
        }
        let current = |base_offset| self.manifest.get(&base_offset).map(|facts| facts.generation);
        remove_orphans(&self.disk, layout, PARTITION, current).unwrap();
    }

    pub(super) fn batches(&self) -> Vec<Batch> {
        let mut found = Vec::new();
        for segment in self.segments.iter().filter(|segment| segment.length() > 0) {
            let mut batches = segment.batches(&self.files, 0).unwrap();
            while let Some((_, batch)) = batches.next().unwrap() {
                found.push(Batch::new(&batch));
            }
        }
        found
    }

    /// The transactions of all indexes.
    pub(super) fn index(&self) -> Vec<AbortedTransaction> {
        let listed = |segment: &Arc<Segment>| segment.aborted(&self.files, 0, i64::MAX).unwrap().transactions;
        self.segments.iter().filter(|segment| segment.length() > 0).flat_map(listed).collect()
    }

    pub(super) fn names(&self) -> Vec<String> {
        let folder = self.files.layout().partition(PARTITION);
        self.disk.list(&folder).unwrap().into_iter().map(|entry| entry.name).collect()
    }
}

/// Offsets and records, for comparing what must be the same.
pub(super) fn contents(batches: &[Batch]) -> Vec<(i64, i64, i64, Vec<super::model::Seen>)> {
    let content =
        |batch: &Batch| (batch.base_offset, batch.last_offset, batch.producer_id, batch.records.clone());
    batches.iter().map(content).collect()
}

/// The transactions of which something is left.
pub(super) fn aborted_left(batches: &[Batch], aborted: &[AbortedTransaction]) -> Vec<AbortedTransaction> {
    let is_left = |one: &&AbortedTransaction| {
        batches.iter().any(|batch| {
            let is_in = (one.first_offset..one.last_offset).contains(&batch.base_offset);
            is_in && batch.is_transactional && batch.producer_id == one.producer_id
        })
    };
    aborted.iter().filter(is_left).copied().collect()
}

#[test]
fn segments_on_a_disk_become_what_the_model_says() {
    let (mut segments_before, mut segments_after) = (0, 0);
    for seed in 0..40 {
        let mut log = Log::new(seed, 40);
        let settings = log.settings();
        let before = log.batches();
        let expected = Model::default().clean(&before, &settings, &log.aborted, settings.end_offset);
        segments_before += log.segments.len();
        assert_eq!(log.compact(settings.clone()).unwrap(), settings.end_offset);
        segments_after += log.segments.len();
        assert_eq!(contents(&log.batches()), contents(&expected), "seed {seed}");
        let listed = log.index();
        assert_eq!(listed, aborted_left(&before, &log.aborted), "seed {seed}");
        // Another process sees the same, and nothing lies about.
        let names = log.names();
        log.recover();
        assert_eq!(contents(&log.batches()), contents(&expected), "seed {seed}");
        assert_eq!(log.index(), listed, "seed {seed}");
        assert_eq!(log.names(), names);
        let is_known = |name: &String| {
            let (base_offset, _) = parse_segment_name(name).unwrap();
            log.manifest.contains_key(&base_offset)
        };
        assert!(names.iter().all(is_known), "seed {seed}: {names:?}");
    }
    assert!(segments_after * 3 < segments_before * 2, "{segments_before} became {segments_after}");
}

#[test]
fn transactions_that_end_behind_the_round_are_known() {
    for seed in 0..40 {
        for is_indexed in [false, true] {
            let mut log = Log::new(seed, 40);
            let mut segments = log.segments.clone();
            let later = segments.split_off(segments.len() / 2);
            let Some(end_offset) = segments.last().map(|segment| segment.end_offset()) else { continue };
            let settings = settings(0, end_offset);
            let before = log.batches();
            let (taken, rest): (Vec<_>, Vec<_>) =
                before.into_iter().partition(|batch| batch.base_offset < end_offset);
            let mut expected = Model::default().clean(&taken, &settings, &log.aborted, end_offset);
            expected.extend(rest);
            let unindexed = log.aborted.iter().filter(|one| one.last_offset >= end_offset).copied();
            let (later, unindexed) =
                if is_indexed { (later, Vec::new()) } else { (Vec::new(), unindexed.collect()) };
            let config = LogConfig { segment_bytes: SEGMENT_BYTES, ..LogConfig::default() };
            let input = CompactionInput { segments, later, unindexed, settings, config };
            let random = &mut Random::from_seed(1);
            let mut compaction =
                Compaction::begin(Arc::clone(&log.files), input, &mut Unlimited, random).unwrap();
            while let Some(replacement) = compaction.step(&mut Unlimited).unwrap() {
                replacement.swap(&log.files).unwrap();
                log.publish(&replacement);
            }
            assert_eq!(contents(&log.batches()), contents(&expected), "seed {seed}");
        }
    }
}

#[test]
fn indexes_of_new_segments_are_taken_as_they_are() {
    let mut log = Log::new(1, 40);
    log.compact(log.settings()).unwrap();
    log.recover();
    for segment in log.segments.iter().filter(|segment| segment.length() > 0) {
        for batch in log.batches() {
            let is_in = (segment.base_offset()..segment.end_offset()).contains(&batch.base_offset);
            if is_in {
                let found = segment.find(&log.files, batch.last_offset).unwrap().unwrap();
                assert_eq!(found.batch.base_offset, batch.base_offset);
            }
        }
        let path = log.files.layout().segment(PARTITION, segment.base_offset(), FileKind::OffsetIndex);
        let bytes = segment.indexes(&log.files).unwrap().offsets.len() as u64;
        assert_eq!(log.disk.length_of(&path).unwrap(), bytes);
    }
}

#[test]
fn whoever_reads_an_old_segment_goes_on_reading_it() {
    let mut log = Log::new(2, 40);
    let old = log.segments.clone();
    let before = log.batches();
    let aborted =
        |log: &Log, segment: &Segment| segment.aborted(&log.files, 0, i64::MAX).unwrap().transactions;
    let aborted_before: Vec<_> = old.iter().map(|segment| aborted(&log, segment)).collect();
    assert!(aborted_before.iter().any(|listed| !listed.is_empty()));
    log.compact(log.settings()).unwrap();
    log.segments = old;
    assert_eq!(contents(&log.batches()), contents(&before));
    // Also what is in no index any more that belongs to it.
    let aborted_after: Vec<_> = log.segments.iter().map(|segment| aborted(&log, segment)).collect();
    assert_eq!(aborted_after, aborted_before);
}

#[test]
fn what_is_clean_already_stays_as_it_is() {
    let mut log = Log::new(3, 40);
    let mut settings = log.settings();
    // The second round finds the markers of what the first one removed.
    for _ in 0..2 {
        settings.first_dirty_offset = log.compact(settings.clone()).unwrap();
    }
    let names = log.names();
    let mut compaction = log.begin(settings, 1).unwrap();
    assert!(compaction.step(&mut Unlimited).unwrap().is_none());
    assert_eq!(log.names(), names);
}

#[test]
fn a_round_that_the_disk_refuses_leaves_nothing_behind() {
    let log = Log::new(4, 40);
    let (names, before) = (log.names(), contents(&log.batches()));
    let failed = || log.begin(log.settings(), 1 << 20).unwrap().step(&mut Unlimited).unwrap_err();
    let faults = [
        (Operation::Create, 1),
        (Operation::Create, 3),
        (Operation::Write, 1),
        (Operation::Write, 3),
        (Operation::Sync, 2),
        (Operation::SyncDirectory, 1),
    ];
    for (operation, nth) in faults {
        log.disk.fail(operation, nth);
        let error = failed();
        assert!(matches!(error, CompactionError::Io { .. }), "{error}");
        assert_eq!(log.names(), names, "{operation:?} {nth}");
    }
    log.disk.set_capacity(0);
    assert!(failed().is_disk_full());
    assert_eq!((log.names(), contents(&log.batches())), (names, before));
}

#[test]
fn a_round_that_failed_does_not_go_on_and_counts_for_nothing() {
    let mut log = Log::new(4, 40);
    let mut compaction = log.begin(log.settings(), SEGMENT_BYTES).unwrap();
    let first = compaction.step(&mut Unlimited).unwrap().unwrap();
    log.disk.fail(Operation::Sync, 1);
    assert!(compaction.step(&mut Unlimited).is_err());
    assert!(matches!(compaction.step(&mut Unlimited), Err(CompactionError::Stopped)));
    let cleaned = compaction.finish();
    assert_eq!((cleaned.cleaned_to, cleaned.is_partial), (0, true));
    // The step before it is as good as ever.
    let settings = log.settings();
    let before = log.batches();
    let expected = Model::default().clean(&before, &settings, &log.aborted, settings.end_offset);
    first.swap(&log.files).unwrap();
    log.publish(&first);
    log.compact(settings).unwrap();
    assert_eq!(contents(&log.batches()), contents(&expected));
}

#[test]
fn what_grows_beyond_a_segment_becomes_two() {
    let log = Log::new(6, 40);
    let expected = log.batches();
    let kind = Kind { generation: 1, created_ms: 0, index_interval_bytes: 64, length_max: 700 };
    let mut writer = GroupWriter::begin(&log.files, &log.segments[0], kind).unwrap();
    for batch in &expected {
        writer.append(&BatchHeader::parse(&batch.bytes).unwrap(), &batch.bytes).unwrap();
    }
    let (replaced, segments) = (log.segments.clone(), writer.finish().unwrap());
    assert!(segments.len() > 5);
    assert!(segments.iter().all(|segment| segment.length() <= 700));
    let replacement = Replacement { replaced, segments };
    replacement.swap(&log.files).unwrap();
    let log = Log { segments: replacement.segments, ..log };
    assert_eq!(contents(&log.batches()), contents(&expected));
}

#[test]
fn corrupt_bytes_end_the_round_and_the_log_is_as_before() {
    let mut log = Log::new(5, 40);
    let path = log.files.layout().segment(PARTITION, log.segments[1].base_offset(), FileKind::Log);
    let length = log.disk.length_of(&path).unwrap();
    log.disk.flip_bit(&path, length - 1, 3).unwrap();
    let names = log.names();
    let error = log.compact(log.settings()).unwrap_err();
    assert!(error.is_corrupt(), "{error}");
    assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    assert_eq!(log.names(), names);
}
