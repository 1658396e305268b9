//! What the engine promises, one by one.

use strandline_protocol::batch::ControlRecord;

use super::*;
use crate::config::{Cleanup, Durability};
use crate::disk::simulated::Operation;

pub(super) fn value(number: u32, bytes: usize) -> Vec<u8> {
    let mut value = number.to_le_bytes().to_vec();
    value.resize(bytes, number.to_le_bytes()[0]);
    value
}

/// Appends so many records of a kilobyte, one batch each, and says what a reader has to find.
pub(super) fn fill(rig: &mut Rig, id: LocalId, numbers: std::ops::Range<u32>) -> Vec<(i64, Vec<u8>)> {
    let records = numbers.map(|number| {
        let value = value(number, 1_000);
        (rig.append(id, batch(&[&value])).unwrap(), value)
    });
    records.collect()
}

pub(super) fn small_segments() -> LogConfig {
    LogConfig { segment_bytes: 8_000, index_interval_bytes: 500, ..LogConfig::default() }
}

pub(super) fn in_memory() -> LogConfig {
    LogConfig { durability: Durability::Async, ..small_segments() }
}

#[test]
fn what_is_appended_is_read_at_its_offset() {
    let mut rig = Rig::new(1);
    let partition = rig.create(LogConfig::default());
    assert_eq!(rig.append(partition.id(), batch(&[b"a", b"b"])).unwrap(), 0);
    assert_eq!(rig.append(partition.id(), batch(&[b"c"])).unwrap(), 2);
    let expected = [(0, b"a".to_vec()), (1, b"b".to_vec()), (2, b"c".to_vec())];
    assert_records(&read_all(&partition, 0), &expected, "all");
    assert_records(&read_all(&partition, 1), &expected[1..], "all");
}

#[test]
fn nothing_is_answered_or_seen_before_it_is_durable() {
    let mut rig = Rig::new(2);
    let partition = rig.create(LogConfig::default());
    let ticket = rig.send(append(partition.id(), batch(&[b"a"])));
    rig.writer().take();
    let write = rig.writer().begin().unwrap();
    assert!(rig.answer(ticket).is_none());
    assert_eq!(partition.offsets().end, 0);
    let written = write.run();
    assert_eq!(partition.offsets().end, 0);
    rig.writer().finish(written);
    assert!(rig.answer(ticket).unwrap().is_ok());
    assert_eq!(partition.offsets().end, 1);
}

#[test]
fn what_was_acknowledged_is_there_after_a_power_cut() {
    let mut rig = Rig::new(3);
    let id = rig.create(small_segments()).id();
    let mut expected = Vec::new();
    for round in 0..5 {
        expected.extend(fill(&mut rig, id, round * 100..(round + 1) * 100));
        rig.disk.crash();
        rig.recover().unwrap();
        let partition = rig.partition(id);
        assert_records(&read_all(&partition, 0), &expected, "all");
        assert_records(&read_all(&partition, 50), &expected[50..], "all");
    }
    assert!(rig.partition(id).view().segments.len() > 20, "it rolled");
}

#[test]
fn a_duplicate_is_answered_when_its_original_is_durable() {
    let mut rig = Rig::new(4);
    let partition = rig.create(LogConfig::default());
    let id = partition.id();
    let sent = |sequence| {
        let mut builder = BatchBuilder::new().producer(7, 0, sequence);
        builder.append(&NewRecord { value: Some(b"x"), ..NewRecord::at(1_000) }).unwrap();
        append(id, builder.build().unwrap())
    };
    let original = rig.send(sent(0));
    rig.writer().take();
    let write = rig.writer().begin().unwrap();
    let duplicate = rig.send(sent(0));
    let next = rig.send(sent(1));
    rig.writer().take();
    assert!(rig.answer(duplicate).is_none() && rig.answer(next).is_none());
    rig.writer().finish(write.run());
    rig.settle();
    let base = |outcome: Option<Outcome>| match outcome {
        Some(Ok(Done::Appended { base_offset, is_duplicate, .. })) => (base_offset, is_duplicate),
        other => panic!("{other:?}"),
    };
    let answers = [original, duplicate, next].map(|ticket| base(rig.answer(ticket)));
    assert_eq!(answers, [(0, false), (0, true), (1, false)]);
    assert!(matches!(rig.call(sent(5)), Err(Refusal::Producer(_))));
    rig.disk.crash();
    rig.recover().unwrap();
    let duplicate = rig.call(sent(1));
    assert_eq!(base(Some(duplicate)), (1, true), "and after a crash");
}

#[test]
fn an_end_that_is_cut_off_stays_off() {
    let mut rig = Rig::new(5);
    for (count, end_offset) in [(10, 9_i64), (100, 37), (300, 0), (300, 150)] {
        let id = rig.create(small_segments()).id();
        let mut expected = fill(&mut rig, id, 0..count);
        rig.call(Command::Truncate { partition: id, end_offset }).unwrap();
        expected.truncate(usize::try_from(end_offset).unwrap());
        assert_records(&read_all(&rig.partition(id), 0), &expected, &format!("{count} cut at {end_offset}"));
        expected.extend(fill(&mut rig, id, 1_000..1_050));
        assert_records(
            &read_all(&rig.partition(id), 0),
            &expected,
            &format!("{count} cut at {end_offset}, and on"),
        );
        rig.disk.crash();
        rig.recover().unwrap();
        assert_records(
            &read_all(&rig.partition(id), 0),
            &expected,
            &format!("{count} cut at {end_offset}, and a crash"),
        );
    }
}

#[test]
fn a_beginning_that_is_given_up_stays_so() {
    let mut rig = Rig::new(6);
    let id = rig.create(small_segments()).id();
    let expected = fill(&mut rig, id, 0..200);
    rig.call(Command::SetLogStart { partition: id, start_offset: 77 }).unwrap();
    for _ in 0..2 {
        let partition = rig.partition(id);
        assert_eq!(partition.offsets().start, 77);
        assert!(matches!(partition.read(76, 1, UpTo::End), Err(ReadError::OffsetOutOfRange { .. })));
        assert_records(&read_all(&partition, 77), &expected[77..], "all");
        rig.disk.crash();
        rig.recover().unwrap();
    }
    let beyond = Command::SetLogStart { partition: id, start_offset: 201 };
    assert!(matches!(rig.call(beyond), Err(Refusal::OffsetOutOfRange { .. })));
}

#[test]
fn what_was_deleted_does_not_come_back() {
    let mut rig = Rig::new(7);
    let first = rig.create(small_segments());
    fill(&mut rig, first.id(), 0..100);
    rig.call(Command::Delete { partition: first.id() }).unwrap();
    assert!(matches!(first.read(0, 1, UpTo::End), Err(ReadError::UnknownPartition)));
    assert!(matches!(rig.append(first.id(), batch(&[b"x"])), Err(Refusal::UnknownPartition)));
    let second = rig.create(small_segments());
    assert_ne!(first.id(), second.id());
    rig.disk.crash();
    rig.recover().unwrap();
    let ids: Vec<_> = rig.writer().partitions().iter().map(|(partition, _)| partition.id()).collect();
    assert_eq!(ids, [second.id()]);
    assert!(rig.create(small_segments()).id() > second.id());
}

#[test]
fn an_async_log_survives_the_death_of_the_process() {
    let mut rig = Rig::new(8);
    let id = rig.create(in_memory()).id();
    let mut expected = fill(&mut rig, id, 0..100);
    rig.disk.kill();
    rig.recover().unwrap();
    assert_records(&read_all(&rig.partition(id), 0), &expected, "all");
    rig.call(Command::Truncate { partition: id, end_offset: 60 }).unwrap();
    expected.truncate(60);
    expected.extend(fill(&mut rig, id, 200..230));
    rig.disk.kill();
    rig.recover().unwrap();
    assert_records(&read_all(&rig.partition(id), 0), &expected, "all");
    rig.disk.crash();
    rig.recover().unwrap();
    let left = read_all(&rig.partition(id), 0);
    assert!(left.len() >= 60 && expected.starts_with(&left), "{} records are left", left.len());
}

#[test]
fn durability_can_be_switched_to_and_fro() {
    let mut rig = Rig::new(9);
    let id = rig.create(small_segments()).id();
    let mut expected = Vec::new();
    for round in 0..6 {
        expected.extend(fill(&mut rig, id, round * 20..(round + 1) * 20));
        let config = if round % 2 == 0 { in_memory() } else { small_segments() };
        rig.call(Command::Configure { partition: id, config: Arc::new(config.clone()) }).unwrap();
        assert_eq!(*rig.partition(id).config(), config);
        // What was there is durable, whatever it was, and so is the setting.
        rig.disk.crash();
        rig.recover().unwrap();
        assert_eq!(*rig.partition(id).config(), config);
        assert_records(&read_all(&rig.partition(id), 0), &expected, &format!("round {round}"));
    }
}

#[test]
fn a_full_disk_refuses_appends_and_lets_reads_go_on() {
    let mut rig = Rig::new(10);
    let id = rig.create(small_segments()).id();
    let mut expected = fill(&mut rig, id, 0..50);
    rig.disk.set_capacity(0);
    let mut refused = 0;
    for number in 50..1_000 {
        match rig.append(id, batch(&[&value(number, 1_000)])) {
            Ok(offset) => expected.push((offset, value(number, 1_000))),
            Err(Refusal::DiskFull) => refused += 1,
            Err(other) => panic!("{other}"),
        }
        rig.clock.advance(10);
    }
    assert!(refused > 0);
    assert_records(&read_all(&rig.partition(id), 0), &expected, "all");
    rig.disk.set_capacity(1 << 40);
    rig.clock.advance(10_000);
    rig.settle();
    expected.extend(fill(&mut rig, id, 2_000..2_100));
    rig.disk.crash();
    rig.recover().unwrap();
    assert_records(&read_all(&rig.partition(id), 0), &expected, "all");
}

#[test]
fn after_a_failed_sync_nothing_is_acknowledged_and_nothing_is_tried_again() {
    for operation in [Operation::Write, Operation::Sync] {
        let mut rig = Rig::new(11);
        rig.disk.set_refuses_direct(operation == Operation::Sync);
        rig.recover().unwrap();
        let id = rig.create(small_segments()).id();
        let expected = fill(&mut rig, id, 0..5);
        rig.disk.fail(operation, 1);
        assert!(matches!(rig.append(id, batch(&[b"x"])), Err(Refusal::Offline(_))));
        let operations = rig.disk.operations();
        assert!(matches!(rig.append(id, batch(&[b"y"])), Err(Refusal::Offline(_))));
        assert!(rig.writer().next_job().is_none());
        assert_eq!(rig.disk.operations(), operations);
        assert_records(&read_all(&rig.partition(id), 0), &expected, "readers go on");
        rig.disk.crash();
        rig.recover().unwrap();
        assert!(read_all(&rig.partition(id), 0).starts_with(&expected));
    }
}

#[test]
fn of_each_key_the_last_record_stays() {
    let mut rig = Rig::new(12);
    let config = LogConfig {
        cleanup: Cleanup { deletes: false, compacts: true },
        dirty_ratio_min: 0.1,
        ..small_segments()
    };
    let id = rig.create(config).id();
    let mut last = BTreeMap::new();
    for number in 0..400_u32 {
        let key = (number % 7).to_string();
        let mut builder = BatchBuilder::new();
        let value = value(number, 500);
        let record = NewRecord { key: Some(key.as_bytes()), value: Some(&value), ..NewRecord::at(1_000) };
        builder.append(&record).unwrap();
        let offset = rig.append(id, builder.build().unwrap()).unwrap();
        last.insert(key, (offset, value));
    }
    let before = rig.partition(id).view().segments.len();
    for _ in 0..10 {
        rig.clock.advance(60_000);
        rig.settle();
    }
    let after = rig.partition(id).view().segments.len();
    assert!(after < before / 2, "{before} segments became {after}");
    for round in 0..2 {
        let records = read_all(&rig.partition(id), 0);
        assert!(records.len() < 100, "{} records are left", records.len());
        assert!(last.values().all(|record| records.contains(record)), "round {round}");
        rig.disk.crash();
        rig.recover().unwrap();
    }
}

#[test]
fn records_are_found_by_their_time() {
    let mut rig = Rig::new(13);
    let partition = rig.create(small_segments());
    for number in 0..100_i64 {
        let mut builder = BatchBuilder::new();
        let value = [0; 500];
        builder.append(&NewRecord { value: Some(&value), ..NewRecord::at(10_000 + number * 10) }).unwrap();
        rig.append(partition.id(), builder.build().unwrap()).unwrap();
    }
    for (timestamp, offset) in
        [(0, Some(0)), (10_000, Some(0)), (10_005, Some(1)), (10_990, Some(99)), (10_991, None)]
    {
        let found = partition.find_timestamp(timestamp, UpTo::End).unwrap();
        assert_eq!(found.map(|found| found.offset), offset, "{timestamp}");
    }
}

#[test]
fn what_is_evicted_is_read_from_the_journal() {
    let mut rig = Rig::new(14);
    rig.options = Options { tail_budget: Budget::new(8 << 10), flush_bytes: 1 << 30, ..small_options() };
    rig.recover().unwrap();
    let id = rig.create(LogConfig::default()).id();
    let expected = fill(&mut rig, id, 0..30);
    let partition = rig.partition(id);
    assert!(partition.view().segments.is_empty());
    let slices = partition.read(0, 1_000_000, UpTo::End).unwrap().slices;
    assert!(slices.iter().any(|slice| matches!(slice, Slice::Journal { .. })));
    drop(slices);
    assert_records(&read_all(&partition, 0), &expected, "all");
}

#[test]
fn a_partition_takes_little_memory_and_no_file() {
    let mut rig = Rig::new(15);
    let partition = rig.create(LogConfig::default());
    let bytes = size_of::<crate::engine::log::Log>() + size_of::<Partition>();
    assert!(bytes < 700, "{bytes} bytes");
    rig.clock.advance(3_600_000);
    rig.settle();
    let folder = Layout::new(PathBuf::from("/data")).partition(partition.id());
    assert!(rig.disk.list(&folder).is_err());
}

#[test]
fn old_segments_go() {
    let mut rig = Rig::new(16);
    let config = LogConfig { retention_bytes: 20_000, ..small_segments() };
    let id = rig.create(config).id();
    let expected = fill(&mut rig, id, 0..200);
    rig.clock.advance(120_000);
    rig.settle();
    let start = rig.partition(id).offsets().start;
    assert!(start > 150, "it begins at {start}");
    let left = &expected[usize::try_from(start).unwrap()..];
    assert_records(&read_all(&rig.partition(id), start), left, "what is left");
    rig.disk.crash();
    rig.recover().unwrap();
    assert_eq!(rig.partition(id).offsets().start, start);
    assert_records(&read_all(&rig.partition(id), start), left, "what is left");
}

#[test]
fn what_was_aborted_is_named_to_those_who_ask() {
    let mut rig = Rig::new(17);
    let partition = rig.create(small_segments());
    let id = partition.id();
    let transactional = |sequence| {
        let mut builder = BatchBuilder::new().producer(7, 0, sequence).transactional(true);
        builder.append(&NewRecord { value: Some(&[1; 500]), ..NewRecord::at(1_000) }).unwrap();
        append(id, builder.build().unwrap())
    };
    let marker = |record: ControlRecord| {
        let batch = record.transaction_marker(1_000, 7, 0).unwrap();
        let batch = NewBatch::validated(batch).unwrap();
        Command::Append { partition: id, leader_epoch: 1, sender: Sender::Coordinator, batch }
    };
    rig.call(transactional(0)).unwrap();
    assert_eq!(partition.offsets().last_stable, 0);
    rig.call(transactional(1)).unwrap();
    rig.call(marker(ControlRecord::Abort { coordinator_epoch: 0 })).unwrap();
    assert_eq!(partition.offsets().last_stable, 3);
    // Who reads behind the marker does not see it, and would skip what the producer commits next.
    assert_eq!((partition.aborted(2, 3).unwrap().len(), partition.aborted(3, 50).unwrap().len()), (1, 0));
    fill(&mut rig, id, 0..100);
    rig.call(transactional(2)).unwrap();
    rig.call(marker(ControlRecord::Commit { coordinator_epoch: 0 })).unwrap();
    for _ in 0..3 {
        let partition = rig.partition(id);
        let aborted = partition.aborted(0, 50).unwrap();
        assert_eq!(
            aborted.iter().map(|one| (one.first_offset, one.last_offset)).collect::<Vec<_>>(),
            [(0, 2)]
        );
        assert_eq!(partition.offsets().last_stable, 105);
        rig.disk.crash();
        rig.recover().unwrap();
    }
}
