//! Retention of what is in no segment yet: nothing else may ever come that would bring it there.

use super::found::save;
use super::rules::fill;
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

#[test]
fn what_of_a_log_is_kept_elsewhere_is_before_what_begins_here() {
    let mut rig = Rig::new(95);
    let id = rig.create(LogConfig::default()).id();
    let records = fill(&mut rig, id, 0..10);
    let places = |rig: &mut Rig| {
        let offsets = rig.partition(id).offsets();
        (offsets.start, offsets.local_start)
    };
    assert_eq!(places(&mut rig), (0, 0));
    rig.partition(id).view().local_start = Some(4);
    // Twice: the second time it is what was found.
    for _ in 0..2 {
        (0..2).for_each(|_| save(&mut rig));
        rig.disk.crash();
        rig.recover().unwrap();
        assert_eq!(places(&mut rig), (0, 4));
        let before = rig.partition(id).read(3, 1, UpTo::End);
        assert!(matches!(before, Err(ReadError::OffsetOutOfRange { start_offset: 4, .. })), "{before:?}");
        assert_records(&read_all(&rig.partition(id), 4), &records[4..], "what is here");
    }
    rig.call(Command::SetLogStart { partition: id, start_offset: 6 }).unwrap();
    assert_eq!(places(&mut rig), (6, 6));
    (0..2).for_each(|_| save(&mut rig));
    rig.disk.crash();
    rig.recover().unwrap();
    assert_eq!(places(&mut rig), (6, 6));
}
