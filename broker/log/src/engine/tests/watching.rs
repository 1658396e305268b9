//! What an engine tells of what it does by itself, how it says that it stands, and that it can be tuned while it runs.

use std::time::Duration;

use super::*;
use crate::config::Cleanup;
use crate::disk::simulated::Operation;
use crate::engine::{CompactionOutcome, Event, Observer};

/// What was told, in words.
#[derive(Debug, Default)]
struct Told(Mutex<Vec<String>>);

impl Observer for Told {
    fn see(&self, event: &Event<'_>) {
        let words = match event {
            Event::Recovered { logs, was_closed, .. } => format!("recovered {logs} {was_closed}"),
            Event::Committed { requests, .. } => format!("committed {requests}"),
            Event::Flushed { logs, reason, .. } => format!("flushed {logs}: {reason:?}"),
            Event::Checkpointed { segments_removed, reason, .. } => {
                format!("removed {segments_removed}: {reason:?}")
            }
            Event::Expired { log, start_offset, segments, segments_by_size, .. } => {
                assert_eq!(*log, b"a topic");
                format!("expired to {start_offset}: {segments}, {segments_by_size} by size")
            }
            Event::Housekeeping { is_clock_trusted } => format!("looks, by the clock: {is_clock_trusted}"),
            Event::CompactionBegun { is_forced: true, .. } => "compaction begins: forced".to_owned(),
            Event::CompactionBegun { .. } => "compaction begins: it gains".to_owned(),
            Event::CompactionEnded { outcome: CompactionOutcome::Cleaned(statistics), .. } => {
                format!("compacted: {} superseded", statistics.records_superseded)
            }
            other => format!("{other:?}"),
        };
        self.0.lock().unwrap().push(words);
    }
}

fn rig(seed: u64) -> (Rig, Arc<Told>) {
    rig_with(seed, |_| {})
}

fn rig_with(seed: u64, set: impl FnOnce(&mut Options)) -> (Rig, Arc<Told>) {
    let mut rig = Rig::new(seed);
    set(&mut rig.options);
    let told = Arc::<Told>::default();
    rig.options.observer = Arc::<Told>::clone(&told);
    rig.recover().unwrap();
    (rig, told)
}

impl Told {
    fn has(&self, words: &str) -> bool {
        self.0.lock().unwrap().iter().any(|told| told.starts_with(words))
    }

    fn expect(&self, words: &str) {
        assert!(self.has(words), "{words} is not among {:?}", self.0.lock().unwrap());
    }
}

/// Time goes by, and what it brings is done.
fn minutes_pass(rig: &mut Rig, count: usize) {
    for _ in 0..count {
        rig.clock.advance(60_000);
        rig.settle();
    }
}

#[test]
fn many_logs_with_little_in_each_are_flushed_some_at_a_time() {
    let (mut rig, told) = rig_with(50, |options| {
        options.journal.bytes_max = 64 << 20;
        options.journal.entries_max = 10_000;
        (options.flush_bytes, options.flush_job_bytes) = (8 << 20, 8 << 20);
    });
    let ids: Vec<_> = (0..300).map(|_| rig.create(LogConfig::default()).id()).collect();
    for id in ids {
        rig.append(id, batch(&[b"x"])).unwrap();
    }
    minutes_pass(&mut rig, 4);
    // The files of one job are open all at once.
    told.expect("flushed 256: ");
    assert!(!told.has("flushed 300: "));
}

#[test]
fn what_goes_for_its_age_is_told_with_its_log_and_counted() {
    let (mut rig, told) = rig(51);
    told.expect("recovered 0 ");
    let id = rig.create(LogConfig { retention_ms: 1_000, ..LogConfig::default() }).id();
    rig.append(id, batch(&[b"x", b"y"])).unwrap();
    told.expect("committed 1");
    let before = rig.writer().watch().figures();
    assert_eq!(before.logs, 1);
    assert!(before.unflushed_bytes > 0 && before.journal_bytes > 0, "{before:?}");
    assert!(
        before.frames_behind > 0 && before.journal_bytes_max == rig.options.journal.bytes_max,
        "{before:?}"
    );
    minutes_pass(&mut rig, 4);
    for words in [
        "looks, by the clock: true",
        "flushed 1: Retention",
        "expired to 2: 1, 0 by size",
        "removed 1: Interval",
    ] {
        told.expect(words);
    }
    let after = rig.writer().watch().figures();
    assert_eq!(
        (after.unflushed_bytes, after.waiting_requests, after.missing_reserve),
        (0, 0, 0),
        "{after:?}"
    );
}

#[test]
fn what_goes_for_want_of_room_is_told_so() {
    let (mut rig, told) = rig(52);
    let config = LogConfig { retention_bytes: 1_000, segment_bytes: 1_000, ..LogConfig::default() };
    let id = rig.create(config).id();
    for _ in 0..8 {
        rig.append(id, batch(&[&[7; 300]])).unwrap();
    }
    minutes_pass(&mut rig, 4);
    let told = told.0.lock().unwrap();
    let expired: Vec<_> = told.iter().filter(|words| words.starts_with("expired")).collect();
    assert!(!expired.is_empty(), "{told:?}");
    for words in expired {
        let counts = words.split(": ").nth(1).unwrap();
        let (all, by_size) = counts.split_once(", ").unwrap();
        assert_eq!(by_size, format!("{all} by size"), "{words}");
    }
}

#[test]
fn a_round_of_compaction_is_told_with_what_it_did() {
    let (mut rig, told) = rig(53);
    let cleanup = Cleanup { deletes: false, compacts: true };
    let config = LogConfig { cleanup, segment_bytes: 400, dirty_ratio_min: 0.1, ..LogConfig::default() };
    let id = rig.create(config).id();
    for _ in 0..20 {
        rig.append(id, keyed(1, &[7; 100])).unwrap();
    }
    minutes_pass(&mut rig, 6);
    told.expect("compaction begins: it gains");
    told.expect("removed 1: Compaction");
    assert!(!told.has("compaction begins: forced"));
    let all = told.0.lock().unwrap();
    let superseded = all.iter().filter_map(|words| words.strip_prefix("compacted: ")?.split(' ').next());
    let superseded: u64 = superseded.map(|number| number.parse::<u64>().unwrap()).sum();
    assert!((10..20).contains(&superseded), "{all:?}");
}

#[test]
fn a_round_of_compaction_that_only_the_lag_asks_for_says_so() {
    let (mut rig, told) = rig(57);
    let cleanup = Cleanup { deletes: false, compacts: true };
    // No log is dirtier than that, and all records are older than so long.
    let (dirty_ratio_min, compaction_lag_max_ms) = (1.0, 1_000);
    let config = LogConfig {
        cleanup,
        segment_bytes: 400,
        dirty_ratio_min,
        compaction_lag_max_ms,
        ..LogConfig::default()
    };
    let id = rig.create(config).id();
    for _ in 0..20 {
        rig.append(id, keyed(1, &[7; 100])).unwrap();
    }
    minutes_pass(&mut rig, 6);
    told.expect("compaction begins: forced");
    assert!(!told.has("compaction begins: it gains"));
}

#[test]
fn each_flush_and_each_checkpoint_says_why() {
    let (mut rig, told) = rig(58);
    let id = rig.create(LogConfig::default()).id();
    for _ in 0..40 {
        rig.append(id, batch(&[&[7; 1_000]])).unwrap();
    }
    told.expect("flushed 1: TailMemory");
    assert!(!told.has("removed 0: "), "nothing presses: {:?}", told.0.lock().unwrap());
    for _ in 0..400 {
        rig.append(id, batch(&[&[7; 1_000]])).unwrap();
    }
    told.expect("flushed 1: JournalHalfFull");
    told.expect("removed 0: JournalHalfFull");
    assert!(!told.has("flushed 1: Interval") && !told.has("removed 0: Interval"));
    for _ in 0..4 {
        rig.append(id, batch(&[b"x"])).unwrap();
        rig.clock.advance(60_000);
        rig.settle();
    }
    told.expect("flushed 1: Interval");
    told.expect("removed 0: Interval");
    rig.append(id, batch(&[b"x"])).unwrap();
    rig.writer().mailbox().close();
    rig.settle();
    assert!(rig.writer().is_saved());
    told.expect("flushed 1: Closing");
    told.expect("removed 0: Closing");
}

#[test]
fn what_is_tuned_counts_at_once() {
    let (mut rig, told) = rig(54);
    rig.create(LogConfig::default());
    let watch = rig.writer().watch();
    rig.clock.advance(10_000);
    rig.settle();
    assert!(!told.has("looks"), "it is not time yet");
    let tuning = rig.options.tuning();
    assert_eq!(tuning.housekeeping_interval, Duration::from_secs(60));
    watch.tune(Tuning { housekeeping_interval: Duration::from_secs(5), ..tuning });
    rig.settle();
    told.expect("looks");
}

#[test]
fn a_directory_that_goes_offline_says_why_once() {
    let (mut rig, told) = rig(55);
    let id = rig.create(LogConfig::default()).id();
    rig.disk.fail(Operation::Write, 1);
    assert!(rig.append(id, batch(&[b"x"])).is_err());
    assert!(rig.append(id, batch(&[b"y"])).is_err());
    let told = told.0.lock().unwrap();
    let offline = told.iter().filter(|words| words.starts_with("Offline")).count();
    assert_eq!(offline, 1, "{told:?}");
    assert!(rig.writer().watch().offline().is_some());
}
