//! Many random logs, compacted in rounds, against a plain model.

mod log;
mod model;

use std::collections::BTreeMap;

use strandline_protocol::batch::BatchHeader;

use self::log::{MemorySegment, RandomLog};
use self::model::{Batch, Model, batches_of};
use super::{
    AbortedTransaction, Cleaned, CompactionError, Grouping, LastRecord, Pace, Round, Settings, Unlimited,
    group,
};
use crate::config::LogConfig;
use crate::random::Random;

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
    let mut round = Round::begin(segments, settings, pace, &mut Random::from_seed(1))?;
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
            round.pass(source, &mut sink)?;
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

fn grown(seed: u64) -> RandomLog {
    let mut log = RandomLog::new(seed);
    log.grow(60);
    log
}

#[test]
fn a_batch_with_a_false_checksum_ends_the_round() {
    let mut log = grown(3);
    let settings = settings(0, log.next_offset);
    let bytes = &mut log.segments[0].bytes;
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let error = run(&log.segments, &settings, 1, &mut Unlimited).unwrap_err();
    assert!(error.is_corruption(), "{error}");
    assert!(error.to_string().contains("checksum"), "{:?}", error);
}

#[test]
fn offsets_that_go_back_end_the_round() {
    let mut log = grown(4);
    let settings = settings(0, log.next_offset);
    let segment = &mut log.segments[1];
    let mut header = BatchHeader::parse(&segment.bytes).unwrap();
    header.assign(segment.base_offset - 1, 0);
    header.write_over(&mut segment.bytes).unwrap();
    let error = run(&log.segments, &settings, 1, &mut Unlimited).unwrap_err();
    assert!(matches!(error, CompactionError::Offsets { position: 0, .. }), "{error}");
}

struct StopAfter(u64);

impl Pace for StopAfter {
    fn goes_on(&mut self, _bytes: u64) -> bool {
        self.0 = self.0.saturating_sub(1);
        self.0 > 0
    }
}

#[test]
fn it_stops_when_it_is_told_to() {
    let log = grown(5);
    let settings = settings(0, log.next_offset);
    let mut steps = 1;
    while let Err(error) = run(&log.segments, &settings, 1, &mut StopAfter(steps)) {
        assert!(matches!(error, CompactionError::Stopped), "{error}");
        steps += 1;
    }
    assert!(steps > 50, "it is asked often: {steps}");
}
