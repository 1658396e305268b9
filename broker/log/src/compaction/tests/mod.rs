//! Many random logs, compacted in rounds, against a plain model.

mod crashes;
mod job;
mod log;
mod model;

use std::collections::BTreeMap;

use strandline_protocol::batch::{BatchBuilder, BatchHeader, NewRecord};

use self::log::{MemorySegment, RandomLog};
use self::model::{Batch, Model};
use super::{Cleaned, CompactionError, Grouping, LastRecord, Pace, Round, Settings, Sink, Unlimited, group};
use crate::config::LogConfig;
use crate::random::Random;
use crate::segment::AbortedTransaction;

fn batches_of(segments: &[MemorySegment]) -> Vec<Batch> {
    segments.iter().flat_map(MemorySegment::batches).map(|batch| Batch::new(&batch)).collect()
}

fn settings(first_dirty_offset: i64, end_offset: i64) -> Settings {
    Settings {
        first_dirty_offset,
        end_offset,
        now_ms: 1_000_000,
        delete_retention_ms: 100,
        map_bytes_max: 1 << 20,
        decompressed_bytes_max: 1 << 20,
        last_records: BTreeMap::new(),
    }
}

/// A round over segments in memory. What is behind the keys that are known stays as it was.
fn run(
    segments: &[MemorySegment],
    settings: &Settings,
    segment_bytes: u32,
    pace: &mut dyn Pace,
) -> Result<(Vec<MemorySegment>, usize, Cleaned), CompactionError> {
    let mut round = Round::begin(segments, settings.clone(), pace, &mut Random::from_seed(1))?;
    let cleaned_to = round.cleaned_to();
    let passed = segments.iter().take_while(|segment| segment.base_offset < cleaned_to).count();
    let candidates: Vec<_> = segments[..passed].iter().map(MemorySegment::candidate).collect();
    let grouping = Grouping::new(&LogConfig { segment_bytes, ..LogConfig::default() });
    let mut new = Vec::new();
    let mut left = segments;
    for count in group(&candidates, &grouping) {
        let (old, rest) = left.split_at(count);
        let mut sink = MemorySegment::new(old[0].base_offset);
        for source in old {
            round.pass(&source, &mut sink, pace)?;
        }
        sink.end_offset = old[count - 1].end_offset;
        new.push(sink);
        left = rest;
    }
    let passed = new.len();
    new.extend_from_slice(left);
    Ok((new, passed, round.finish()))
}

fn check_batches(found: &[Batch], expected: &[Batch], before: &[Batch], seed: u64) {
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found.base_offset, expected.base_offset, "seed {seed}");
        assert_eq!(found.last_offset, expected.last_offset, "seed {seed}");
        assert_eq!(found.producer_id, expected.producer_id, "seed {seed}");
        assert_eq!(found.is_transactional, expected.is_transactional, "seed {seed}");
        assert_eq!(found.is_control, expected.is_control, "seed {seed}");
        assert_eq!(found.records, expected.records, "seed {seed}, batch {}", found.base_offset);
        if !found.records.is_empty() {
            assert_eq!(found.commits, expected.commits, "seed {seed}");
            assert_eq!(found.unchanging, expected.unchanging, "seed {seed}");
        }
        let old = before.iter().find(|old| old.base_offset == found.base_offset).unwrap();
        let may_change = found.is_control || found.records.iter().any(|record| record.value.is_none());
        if old.records == found.records && !may_change {
            assert!(old.bytes == found.bytes, "seed {seed}: a batch changed for nothing");
        }
    }
    assert_eq!(found.len(), expected.len(), "seed {seed}");
}

/// The index of a segment names exactly the aborted transactions of whose batches some are left.
fn check_aborted(segments: &[MemorySegment], aborted: &[AbortedTransaction], before: &[Batch], seed: u64) {
    for segment in segments {
        let left = |one: &&AbortedTransaction| {
            let is_its_own = |batch: &&Batch| {
                let is_in = (one.first_offset..one.last_offset).contains(&batch.base_offset);
                is_in && batch.producer_id == one.producer_id && batch.is_transactional
            };
            let ends_here = (segment.base_offset..segment.end_offset).contains(&one.last_offset);
            ends_here && before.iter().any(|batch| is_its_own(&batch))
        };
        let expected: Vec<_> = aborted.iter().filter(left).copied().collect();
        assert_eq!(segment.aborted, expected, "seed {seed}");
    }
}

/// Segments as the next round finds them: an index names what touches its segment.
fn index_again(segments: &mut [MemorySegment]) {
    let all: Vec<_> = segments.iter().flat_map(|segment| segment.aborted.clone()).collect();
    for segment in segments {
        let touches = |one: &&AbortedTransaction| {
            one.first_offset < segment.end_offset && one.last_offset >= segment.base_offset
        };
        segment.aborted = all.iter().filter(touches).copied().collect();
    }
}

fn rounds(seed: u64) {
    let mut log = RandomLog::new(seed);
    let mut model = Model::default();
    let mut cleaned_to = 0;
    let mut now_ms = 1_000_000;
    let live: Vec<i64> = (1..5).filter(|_| log.random.one_in(2)).collect();
    for _ in 0..4 {
        if !log.random.one_in(3) {
            let batches = log.random.below(40);
            log.grow(batches);
        }
        let end_offset = log.segments.last().unwrap().end_offset;
        let last_record = |producer: &i64| {
            let data_offset = log.last_data.get(producer).copied();
            (*producer, LastRecord { data_offset, producer_epoch: 0 })
        };
        let settings = Settings {
            now_ms,
            map_bytes_max: [1 << 20, 24 * 12, 0][log.random.index(3)],
            last_records: live.iter().map(last_record).collect(),
            ..settings(cleaned_to, end_offset)
        };
        let before = batches_of(&log.segments);
        let segment_bytes = [200, 1_500, 1 << 20][log.random.index(3)];
        let (mut after, passed, cleaned) =
            run(&log.segments, &settings, segment_bytes, &mut Unlimited).unwrap();
        assert_eq!(cleaned.statistics.batches_unwritable, 0);
        assert!(cleaned.cleaned_to > cleaned_to || cleaned_to == end_offset, "it gets on");
        assert_eq!(cleaned.is_partial, cleaned.cleaned_to < end_offset);
        let found = batches_of(&after[..passed]);
        let passed_to = after[..passed].last().map_or(0, |segment| segment.end_offset);
        let (before, rest): (Vec<_>, Vec<_>) =
            before.into_iter().partition(|batch| batch.base_offset < passed_to);
        let expected = model.clean(&before, &settings, &log.aborted, cleaned.cleaned_to);
        check_batches(&found, &expected, &before, seed);
        check_aborted(&after[..passed], &log.aborted, &before, seed);
        assert_eq!(batches_of(&after[passed..]).len(), rest.len());
        let ends =
            |segments: &[MemorySegment]| (segments[0].base_offset, segments.last().unwrap().end_offset);
        assert_eq!(ends(&after), ends(&log.segments), "the segments cover what they covered");
        index_again(&mut after);
        log.segments = after;
        cleaned_to = cleaned.cleaned_to;
        now_ms += [0, 30, 99, 100, 1_000][log.random.index(5)];
    }
}

#[test]
fn random_logs_become_what_the_model_says() {
    for seed in 0..200 {
        rounds(seed);
    }
}

/// Says no when it is asked for the last of so many times.
struct StopAt(u64);

impl Pace for StopAt {
    fn goes_on(&mut self, bytes: u64) -> bool {
        assert!(bytes > 0);
        self.0 -= 1;
        self.0 > 0
    }
}

#[test]
fn it_stops_when_it_is_told_to() {
    // Five megabytes, read twice and written once.
    let mut segment = MemorySegment::new(0);
    let value = vec![0; 100_000];
    for offset in 0..50 {
        let mut builder = BatchBuilder::new().base_offset(offset);
        builder
            .append(&NewRecord { key: Some(&offset.to_le_bytes()), value: Some(&value), ..NewRecord::at(0) })
            .unwrap();
        let batch = builder.build().unwrap();
        segment.append(&BatchHeader::parse(&batch).unwrap(), &batch).unwrap();
    }
    let settings = settings(0, 50);
    let result = |times| run(std::slice::from_ref(&segment), &settings, 1, &mut StopAt(times)).map(drop);
    for times in [1, 4, 5, 12] {
        assert!(matches!(result(times), Err(CompactionError::Stopped)), "{times}");
    }
    assert!(result(30).is_ok());
}

/// Adds up what it is asked for.
#[derive(Default)]
struct Meter(u64);

impl Pace for Meter {
    fn goes_on(&mut self, bytes: u64) -> bool {
        self.0 += bytes;
        true
    }
}

#[test]
fn a_log_that_is_smaller_than_a_piece_counts_as_well() {
    let mut segment = MemorySegment::new(0);
    for offset in 0..3 {
        let mut builder = BatchBuilder::new().base_offset(offset);
        builder
            .append(&NewRecord {
                key: Some(&offset.to_le_bytes()),
                value: Some(&[0; 100]),
                ..NewRecord::at(0)
            })
            .unwrap();
        let batch = builder.build().unwrap();
        segment.append(&BatchHeader::parse(&batch).unwrap(), &batch).unwrap();
    }
    let mut meter = Meter::default();
    run(std::slice::from_ref(&segment), &settings(0, 3), 1, &mut meter).unwrap();
    // Read twice and written once.
    assert!(meter.0 > 3 * 3 * 100, "{}", meter.0);
}
