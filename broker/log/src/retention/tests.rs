use std::time::Duration;

use super::{Removal, SegmentAge, WallClockGuard, removal};
use crate::clock::{Clock, SimulatedClock};
use crate::config::{Cleanup, LogConfig};
use crate::random::Random;

const DAY_MS: i64 = 86_400_000;

fn config() -> LogConfig {
    LogConfig { retention_ms: -1, ..LogConfig::default() }
}

/// Segments of ten offsets and 100 bytes, made at these times.
fn segments(timestamps: &[i64]) -> Vec<SegmentAge> {
    let segment = |(number, timestamp): (i64, &i64)| SegmentAge {
        end_offset: number * 10 + 10,
        bytes: 100,
        max_timestamp: *timestamp,
        appended_ms: *timestamp,
    };
    (0..).zip(timestamps).map(segment).collect()
}

fn count(segments: &[SegmentAge], config: &LogConfig, now_ms: i64) -> usize {
    removal(segments, config, 0, i64::MAX, Some(now_ms)).map_or(0, |removal| removal.segments)
}

/// Segments of which none goes for want of room.
fn gone(segments: usize, log_start_offset: i64, rolls_active: bool) -> Removal {
    let bytes = 100 * segments as u64;
    Removal { segments, log_start_offset, rolls_active, segments_by_size: 0, bytes }
}

#[test]
fn what_is_older_than_the_retention_time_goes() {
    let config = LogConfig { retention_ms: 1_000, ..config() };
    let segments = segments(&[5_000, 6_000, 7_000]);
    assert_eq!(count(&segments, &config, 6_000), 0);
    assert_eq!(count(&segments, &config, 6_001), 1);
    assert_eq!(count(&segments, &config, 8_000), 2);
    let all = removal(&segments, &config, 0, 30, Some(8_001)).unwrap();
    assert_eq!(all, gone(3, 30, true));
    assert_eq!(removal(&segments, &config, 0, 30, None), None, "time does not count");
}

#[test]
fn an_empty_active_segment_stays_and_an_empty_sealed_one_does_not() {
    let config = LogConfig { retention_ms: 1_000, ..config() };
    let mut segments = segments(&[5_000, 6_000, 7_000]);
    segments[1].bytes = 0;
    segments[2].bytes = 0;
    let all = removal(&segments, &config, 0, 30, Some(1_000_000)).unwrap();
    assert_eq!(all, Removal { bytes: 100, ..gone(2, 20, false) });
}

#[test]
fn a_young_segment_keeps_those_behind_it() {
    let config = LogConfig { retention_ms: 1_000, ..config() };
    assert_eq!(count(&segments(&[5_000, 9_000, 5_000]), &config, 9_500), 1);
}

#[test]
fn timestamps_that_cannot_be_true_neither_hurry_nor_hold_up() {
    let config = LogConfig { retention_ms: DAY_MS, ..config() };
    let appended_ms = 1_000 * DAY_MS;
    for timestamp in [-1, 0, i64::MAX, appended_ms + 500 * DAY_MS] {
        let segment = SegmentAge { end_offset: 10, bytes: 1, max_timestamp: timestamp, appended_ms };
        assert_eq!(count(&[segment], &config, appended_ms + DAY_MS), 0, "{timestamp}");
        assert_eq!(count(&[segment], &config, appended_ms + DAY_MS + 1), 1, "{timestamp}");
    }
}

#[test]
fn a_clock_that_was_wrong_at_the_append_makes_no_record_older() {
    let config = LogConfig { retention_ms: DAY_MS, ..config() };
    let made_ms = 1_000 * DAY_MS;
    let segment = SegmentAge { end_offset: 10, bytes: 1, max_timestamp: made_ms, appended_ms: 0 };
    assert_eq!(count(&[segment], &config, made_ms + DAY_MS), 0);
}

#[test]
fn of_too_many_bytes_the_oldest_go_and_no_less_than_allowed_stays() {
    let count_for =
        |retention_bytes| count(&segments(&[1; 5]), &LogConfig { retention_bytes, ..config() }, 1);
    assert_eq!([-1, 500, 401, 400, 301, 300].map(count_for), [0, 0, 0, 1, 1, 2]);
    assert_eq!(count_for(0), 5);
}

#[test]
fn what_lies_before_the_start_goes_whatever_the_policy() {
    let config =
        LogConfig { cleanup: Cleanup { deletes: false, compacts: true }, retention_ms: 0, ..config() };
    let removed = |start| removal(&segments(&[1; 3]), &config, start, 30, Some(DAY_MS));
    assert_eq!(removed(9), None);
    assert_eq!(removed(10), Some(gone(1, 10, false)));
    assert_eq!(removed(25), Some(gone(2, 25, false)));
    assert_eq!(removed(30), Some(gone(2, 30, false)));
}

#[test]
fn nothing_goes_that_is_not_stable() {
    let config = LogConfig { retention_ms: 0, retention_bytes: 0, ..config() };
    for (bound, segments_removed) in [(0, 0), (9, 0), (10, 1), (29, 2), (30, 3)] {
        let removed = removal(&segments(&[1; 3]), &config, 0, bound, Some(DAY_MS));
        assert_eq!(removed.map_or(0, |removal| removal.segments), segments_removed, "{bound}");
    }
}

#[test]
fn the_start_only_rises_and_lies_where_a_segment_ends_or_was() {
    for seed in 0..2_000 {
        let mut random = Random::from_seed(seed);
        let timestamps: Vec<i64> = (0..random.below(6)).map(|_| random.below(100).cast_signed()).collect();
        let segments = segments(&timestamps);
        let config = LogConfig {
            retention_ms: random.below(100).cast_signed() - 1,
            retention_bytes: random.below(600).cast_signed() - 1,
            ..config()
        };
        let (start, bound) = (random.below(60).cast_signed(), random.below(70).cast_signed());
        let Some(removal) = removal(&segments, &config, start, bound, Some(100)) else { continue };
        assert!(removal.segments > 0 && removal.log_start_offset >= start);
        let last = segments[removal.segments - 1];
        assert_eq!(removal.log_start_offset, start.max(last.end_offset));
        assert!(last.end_offset <= bound);
        assert_eq!(removal.rolls_active, removal.segments == segments.len());
    }
}

fn guard(clock: &SimulatedClock) -> WallClockGuard {
    WallClockGuard::new(clock, Duration::from_secs(60), Duration::from_secs(600))
}

#[test]
fn a_clock_that_runs_is_believed() {
    let clock = SimulatedClock::new(5 * DAY_MS);
    let mut guard = guard(&clock);
    for _ in 0..100 {
        clock.advance(10_000_000);
        assert_eq!(guard.now_ms(&clock), Some(clock.wall_ms()));
    }
    clock.set_wall_ms(clock.wall_ms() + 60_000);
    assert_eq!(guard.now_ms(&clock), Some(clock.wall_ms()), "a small step is none");
}

#[test]
fn a_clock_that_was_set_pauses_deletion_for_the_grace_time() {
    for jump_ms in [3_600_000, -3_600_000, 3_650 * DAY_MS, -3_650 * DAY_MS, 60_001] {
        let clock = SimulatedClock::new(20_000 * DAY_MS);
        let mut guard = guard(&clock);
        clock.set_wall_ms(clock.wall_ms() + jump_ms);
        assert_eq!(guard.now_ms(&clock), None, "{jump_ms}");
        clock.advance(599_999);
        assert_eq!(guard.now_ms(&clock), None, "{jump_ms}");
        clock.advance(1);
        assert_eq!(guard.now_ms(&clock), Some(clock.wall_ms()), "{jump_ms}");
    }
}

#[test]
fn a_clock_that_is_set_right_again_pauses_once_more() {
    let clock = SimulatedClock::new(20_000 * DAY_MS);
    let mut guard = guard(&clock);
    clock.set_wall_ms(clock.wall_ms() + 3_650 * DAY_MS);
    assert_eq!(guard.now_ms(&clock), None);
    clock.advance(300_000);
    clock.set_wall_ms(clock.wall_ms() - 3_650 * DAY_MS);
    assert_eq!(guard.now_ms(&clock), None);
    clock.advance(599_999);
    assert_eq!(guard.now_ms(&clock), None);
    clock.advance(1);
    assert_eq!(guard.now_ms(&clock), Some(clock.wall_ms()));
}

#[test]
fn many_small_steps_add_up_to_a_jump() {
    let clock = SimulatedClock::new(20_000 * DAY_MS);
    let mut guard = guard(&clock);
    let paused = (0..10).filter(|_| {
        clock.set_wall_ms(clock.wall_ms() + 20_000);
        guard.now_ms(&clock).is_none()
    });
    assert!(paused.count() > 0);
}
