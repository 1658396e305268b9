//! Retention of what is in no segment yet: nothing else may ever come that would bring it there.

use super::*;
use crate::clock::Clock;

#[test]
fn what_is_in_no_segment_yet_grows_old_as_well() {
    let mut rig = Rig::new(41);
    let id = rig.create(LogConfig { retention_ms: 3_600_000, ..LogConfig::default() }).id();
    // The manifest knows of the log: nothing of it is unsaved when a record comes.
    rig.clock.advance(60_000);
    rig.settle();
    let now_ms = rig.clock.wall_ms();
    let mut builder = BatchBuilder::new();
    builder.append(&NewRecord { value: Some(b"x"), ..NewRecord::at(now_ms) }).unwrap();
    rig.append(id, builder.build().unwrap()).unwrap();
    for minute in 0..64 {
        assert!(minute > 58 || rig.partition(id).offsets().start == 0, "too early, in minute {minute}");
        rig.clock.advance(60_000);
        rig.settle();
    }
    assert_eq!(rig.partition(id).offsets().start, 1);
}

#[test]
fn what_is_in_no_segment_yet_counts_for_the_size() {
    let mut rig = Rig::new(42);
    let config = LogConfig { retention_bytes: 3_000, segment_bytes: 1_000, ..LogConfig::default() };
    let id = rig.create(config).id();
    rig.clock.advance(60_000);
    rig.settle();
    for _ in 0..20 {
        rig.append(id, batch(&[&[7; 300]])).unwrap();
    }
    for _ in 0..4 {
        rig.clock.advance(60_000);
        rig.settle();
    }
    let partition = rig.partition(id);
    let left = partition.bytes();
    assert!(partition.offsets().start > 0 && (3_000..4_000).contains(&left), "{left} bytes are left");
}

#[test]
fn what_is_in_no_segment_yet_gets_there_in_time_whatever_its_timestamp() {
    for timestamp in [-1, 0, 1_000, i64::MAX] {
        let mut rig = Rig::new(43);
        let interval = rig.options.checkpoint_interval;
        let id = rig.create(LogConfig { retention_ms: 3_600_000, ..LogConfig::default() }).id();
        // The manifest knows of the log, and nothing happens for long.
        for _ in 0..5 {
            rig.clock.advance(60_000);
            rig.settle();
        }
        let mut builder = BatchBuilder::new();
        builder.append(&NewRecord { value: Some(b"x"), ..NewRecord::at(timestamp) }).unwrap();
        rig.append(id, builder.build().unwrap()).unwrap();
        assert_eq!(rig.writer().logs[&id].flushed_to, 0, "not at once");
        for _ in 0..2 {
            rig.clock.advance(u32::try_from(interval.as_millis()).unwrap());
            rig.settle();
        }
        let writer = rig.writer();
        assert_eq!(writer.logs[&id].flushed_to, 1);
        assert_eq!(writer.manifest.meta().checkpoint, writer.published, "nothing is left to be replayed");
        // A timestamp that cannot be true neither hurries it nor keeps it.
        let is_possible = timestamp == 1_000;
        for minute in 0..64 {
            let start = rig.partition(id).offsets().start;
            assert!(is_possible || minute > 58 || start == 0, "{timestamp}: too early, in minute {minute}");
            rig.clock.advance(60_000);
            rig.settle();
        }
        assert_eq!(rig.partition(id).offsets().start, 1, "{timestamp}");
    }
}
