use super::{Candidate, Grouping, group, plan};
use crate::config::LogConfig;

/// Segments of ten offsets and 100 bytes, their records a second apart from one another.
fn segments(count: i64) -> Vec<Candidate> {
    let segment = |number| Candidate {
        base_offset: number * 10,
        end_offset: number * 10 + 10,
        bytes: 100,
        max_timestamp: number * 10_000 + 9_000,
        first_timestamp: number * 10_000 + 1,
        appended_ms: 0,
    };
    (0..count).map(segment).collect()
}

#[test]
fn what_was_not_compacted_before_is_dirty() {
    let config = LogConfig::default();
    let dirty = |cleaned_to| {
        let plan = plan(&segments(4), &config, 0, cleaned_to, 40, 100_000).unwrap();
        (plan.first_dirty_offset, plan.dirty_ratio, plan.is_due)
    };
    assert_eq!(dirty(None), (0, 1.0, true));
    assert_eq!(dirty(Some(10)), (10, 0.75, true));
    assert_eq!(dirty(Some(20)), (20, 0.5, false), "more than the ratio, not as much");
    assert_eq!(dirty(Some(25)), (25, 0.5, false), "a segment that a round ended in is read again");
    assert_eq!(dirty(Some(41)), (0, 1.0, true), "the log was cut since");
    assert_eq!(plan(&segments(4), &config, 0, Some(40), 40, 100_000), None);
    assert_eq!(plan(&[], &config, 0, None, 40, 100_000), None);
}

#[test]
fn where_the_log_starts_later_it_is_dirty_from_there() {
    let plan = plan(&segments(4), &LogConfig::default(), 17, Some(5), 40, 0).unwrap();
    assert_eq!((plan.first_dirty_offset, plan.segments), (17, 4));
}

#[test]
fn only_whole_segments_below_the_bound_are_compacted() {
    let config = LogConfig::default();
    for (bound, segments_below) in [(40, 4), (39, 3), (30, 3), (10, 1)] {
        let plan = plan(&segments(4), &config, 0, None, bound, 0).unwrap();
        assert_eq!(
            (plan.segments, plan.end_offset),
            (segments_below, i64::try_from(segments_below).unwrap() * 10)
        );
    }
    assert_eq!(plan(&segments(4), &config, 0, None, 9, 0), None);
}

#[test]
fn what_is_too_young_waits_with_all_behind_it() {
    let config = LogConfig { compaction_lag_min_ms: 1_000, ..LogConfig::default() };
    let planned = |segments: &[Candidate], now_ms| {
        plan(segments, &config, 0, None, 1_000, now_ms).map(|plan| plan.segments)
    };
    assert_eq!(planned(&segments(4), 30_000), Some(3));
    assert_eq!(planned(&segments(4), 29_999), Some(2));
    let mut one_from_the_future = segments(4);
    one_from_the_future[1].max_timestamp = i64::MAX;
    assert_eq!(planned(&one_from_the_future, 100_000), Some(1));
    assert_eq!(planned(&segments(4), 0), None);
    let mut one_without_time = segments(4);
    (one_without_time[1].max_timestamp, one_without_time[1].appended_ms) = (-1, 50_000);
    assert_eq!(planned(&one_without_time, 50_999), Some(1), "it was appended to less than a second ago");
    assert_eq!(planned(&one_without_time, 51_000), Some(4));
}

#[test]
fn what_is_too_old_does_not_wait_for_the_ratio() {
    let config = LogConfig { compaction_lag_max_ms: 5_000, dirty_ratio_min: 1.0, ..LogConfig::default() };
    let is_due =
        |segments: &[Candidate], now_ms| plan(segments, &config, 0, Some(30), 40, now_ms).unwrap().is_due;
    assert!(!is_due(&segments(4), 35_001));
    assert!(is_due(&segments(4), 35_002));
    for timestamp in [-1, 0, i64::MAX] {
        let mut without_time = segments(4);
        without_time[3].first_timestamp = timestamp;
        assert!(!is_due(&without_time, 100_000), "{timestamp}");
    }
}

#[test]
fn small_segments_become_one_as_far_as_it_may_hold_them() {
    let config = LogConfig { segment_bytes: 250, ..LogConfig::default() };
    assert_eq!(group(&segments(5), &Grouping::new(&config)), [2, 2, 1]);
    let config = LogConfig { segment_bytes: 10, ..config };
    assert_eq!(group(&segments(3), &Grouping::new(&config)), [1, 1, 1], "one alone may be too large");
    let config = LogConfig { segment_bytes: 1_000, index_interval_bytes: 50, index_bytes_max: 80, ..config };
    assert_eq!(group(&segments(5), &Grouping::new(&config)), [2, 2, 1], "an index has room for six");
    assert!(group(&[], &Grouping::new(&config)).is_empty());
}

#[test]
fn offsets_in_a_segment_fit_its_indexes() {
    let far = |base_offset| Candidate { base_offset, end_offset: base_offset + 10, ..segments(1)[0] };
    let grouping = Grouping::new(&LogConfig::default());
    let most = i64::from(i32::MAX);
    assert_eq!(group(&[far(0), far(most - 10)], &grouping), [2]);
    assert_eq!(group(&[far(0), far(most - 9)], &grouping), [1, 1]);
}
