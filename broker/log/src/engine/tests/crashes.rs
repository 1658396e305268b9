//! What went wrong when real processes were killed.

use super::rules::{fill, in_memory, small_segments};
use super::*;
use crate::disk::simulated::Operation;

#[test]
fn a_deletion_that_only_the_journal_tells_of_reaches_the_manifest() {
    let mut rig = Rig::new(17);
    let id = rig.create(small_segments()).id();
    fill(&mut rig, id, 0..100);
    rig.clock.advance(60_000);
    rig.settle();
    let folder = Layout::new(PathBuf::from("/data")).partition(id);
    assert!(rig.disk.list(&folder).is_ok(), "it has a row and files");
    rig.call(Command::Delete { partition: id }).unwrap();
    rig.disk.crash();
    rig.recover().unwrap();
    // The journal is not asked about that any more after this.
    let other = rig.create(LogConfig::default()).id();
    rig.clock.advance(60_000);
    rig.settle();
    assert!(rig.disk.list(&folder).is_err(), "its files are gone");
    rig.disk.crash();
    rig.recover().unwrap();
    let left: Vec<_> = rig.writer().partitions().iter().map(|(partition, _)| partition.id()).collect();
    assert_eq!(left, [other]);
}

#[test]
fn what_an_async_log_took_behind_a_cut_survives_the_death_of_the_process() {
    let mut rig = Rig::new(18);
    let id = rig.create(in_memory()).id();
    let mut expected = fill(&mut rig, id, 0..100);
    // Through the last segment, so that no other one has to go first.
    rig.call(Command::Truncate { partition: id, end_offset: 99 }).unwrap();
    expected.truncate(99);
    for round in 2..4 {
        expected.extend(fill(&mut rig, id, round * 100..round * 100 + 5));
        rig.disk.kill();
        rig.recover().unwrap();
        assert_records(&read_all(&rig.partition(id), 0), &expected, "all");
    }
}

#[test]
fn nothing_is_flushed_that_a_staged_truncation_cuts_off() {
    let mut rig = Rig::new(19);
    rig.options.flush_bytes = 1 << 30;
    rig.recover().unwrap();
    let id = rig.create(small_segments()).id();
    let mut expected = fill(&mut rig, id, 0..30);
    let ticket = rig.send(Command::Truncate { partition: id, end_offset: 12 });
    rig.writer().take();
    let write = rig.writer().begin().unwrap();
    rig.writer().options.flush_bytes = 0;
    let jobs: Vec<_> = std::iter::from_fn(|| rig.writer().next_job()).collect();
    rig.writer().finish(write.run());
    assert!(rig.answer(ticket).unwrap().is_ok());
    jobs.into_iter().for_each(|job| rig.writer().job_done(job.run()));
    rig.settle();
    expected.truncate(12);
    expected.extend(fill(&mut rig, id, 100..130));
    assert_records(&read_all(&rig.partition(id), 0), &expected, "all");
    rig.disk.crash();
    rig.recover().unwrap();
    assert_records(&read_all(&rig.partition(id), 0), &expected, "all");
}

#[test]
fn files_that_nothing_knows_of_go() {
    let mut rig = Rig::new(20);
    let (kept, gone) = (rig.create(small_segments()).id(), rig.create(small_segments()).id());
    for id in [kept, gone] {
        fill(&mut rig, id, 0..100);
    }
    let layout = Layout::new(PathBuf::from("/data"));
    let segments = |rig: &Rig, id| rig.disk.list(&layout.partition(id)).map_or(0, |entries| entries.len());
    rig.clock.advance(60_000);
    rig.settle();
    let before = segments(&rig, kept);
    rig.call(Command::SetLogStart { partition: kept, start_offset: 90 }).unwrap();
    rig.call(Command::Delete { partition: gone }).unwrap();
    rig.clock.advance(60_000);
    // The manifest is told, and nothing else is done any more.
    rig.disk.fail(Operation::Remove, 1);
    rig.settle();
    assert!(rig.writer().offline().is_some());
    assert!(segments(&rig, kept) == before && segments(&rig, gone) > 0);
    rig.disk.kill();
    rig.recover().unwrap();
    rig.settle();
    assert_eq!(segments(&rig, gone), 0);
    assert!(segments(&rig, kept) < before / 2, "{before} files became {}", segments(&rig, kept));
    assert_eq!(read_all(&rig.partition(kept), 90).len(), 10);
}

#[test]
fn a_truncation_is_replayed_whose_segment_has_gone_already() {
    for operation in 1.. {
        let mut rig = Rig::new(21);
        let id = rig.create(in_memory()).id();
        let mut expected = fill(&mut rig, id, 0..7);
        // The next segment begins with it, and the cut leaves nothing of that.
        let values = [[1; 500].as_slice(), &[2; 500], &[3; 500]];
        assert_eq!(rig.append(id, batch(&values)).unwrap(), 7);
        rig.clock.advance(60_000);
        rig.settle();
        rig.disk.halt_in(operation);
        let ticket = rig.send(Command::Truncate { partition: id, end_offset: 8 });
        rig.settle();
        let is_done = rig.answer(ticket).is_some_and(|outcome| outcome.is_ok());
        rig.clock.advance(60_000);
        rig.settle();
        let is_halted = rig.disk.is_halted();
        rig.disk.kill();
        rig.expect_no_damage();
        rig.recover().unwrap();
        if is_done {
            assert_eq!(rig.partition(id).offsets().end, 8, "halted at {operation}");
            assert_records(&read_all(&rig.partition(id), 0), &expected, "all");
            expected.extend(fill(&mut rig, id, 8..20));
            assert_records(&read_all(&rig.partition(id), 0), &expected, "all, and more");
        }
        if !is_halted {
            assert!(is_done && operation > 10);
            break;
        }
    }
}

#[test]
fn what_is_found_of_an_async_log_is_durable_before_the_manifest_says_so() {
    let mut rig = Rig::new(22);
    let id = rig.create(in_memory()).id();
    let expected = fill(&mut rig, id, 0..40);
    rig.disk.kill();
    rig.recover().unwrap();
    rig.clock.advance(60_000);
    rig.settle();
    rig.disk.crash();
    rig.recover().unwrap();
    assert_records(&read_all(&rig.partition(id), 0), &expected, "all");
    let partition = rig.partition(id);
    let segments = partition.view().segments.clone();
    let (last, full) = segments.split_last().unwrap();
    assert!(full.len() > 3 && full.iter().all(|segment| segment.is_sealed()) && !last.is_sealed());
}

#[test]
fn files_go_no_sooner_than_the_manifest_says_so() {
    let mut rig = Rig::new(23);
    let [shortened, cut, deleted] = [(); 3].map(|()| rig.create(small_segments()).id());
    for id in [shortened, cut, deleted] {
        fill(&mut rig, id, 0..100);
    }
    rig.clock.advance(60_000);
    rig.settle();
    rig.call(Command::SetLogStart { partition: shortened, start_offset: 90 }).unwrap();
    for partition in [cut, deleted] {
        rig.call(Command::Truncate { partition, end_offset: 44 }).unwrap();
    }
    rig.call(Command::Delete { partition: deleted }).unwrap();
    for _ in 0..3 {
        rig.disk.kill();
        rig.expect_no_damage();
        rig.recover().unwrap();
        // It looks for orphans, and it is not the time for the manifest.
        rig.settle();
    }
    for (id, expected) in [(shortened, 90..100), (cut, 0..44)] {
        let found = read_all(&rig.partition(id), expected.start);
        assert!(found.iter().map(|(offset, _)| *offset).eq(expected));
    }
    assert_eq!(rig.writer().partitions().len(), 2);
}

#[test]
fn an_async_log_that_lost_all_behind_its_start_goes_on_there() {
    let mut lost = 0;
    for seed in 100..130 {
        let mut rig = Rig::new(seed);
        let id = rig.create(in_memory()).id();
        fill(&mut rig, id, 0..20);
        rig.call(Command::SetLogStart { partition: id, start_offset: 15 }).unwrap();
        rig.disk.crash();
        rig.recover().unwrap();
        let offsets = rig.partition(id).offsets();
        assert!(offsets.start == 15 && offsets.end >= 15, "{offsets:?}");
        lost += u32::from(offsets.end == 15);
        let mut expected = read_all(&rig.partition(id), 15);
        let added = fill(&mut rig, id, 100..110);
        assert_eq!(added[0].0, offsets.end);
        expected.extend(added);
        for advance_ms in [0, 60_000] {
            rig.clock.advance(advance_ms);
            rig.settle();
            rig.disk.kill();
            rig.expect_no_damage();
            rig.recover().unwrap();
            assert_records(&read_all(&rig.partition(id), 15), &expected, "all");
        }
    }
    assert!(lost > 5, "{lost}");
}

#[test]
fn a_write_that_fails_is_the_last_one() {
    let mut rig = Rig::new(24);
    let partitions = [(); 3].map(|()| rig.create(in_memory()));
    rig.disk.fail(Operation::Write, 2);
    let tickets = [0, 1, 2].map(|number: usize| {
        let value = [number.to_le_bytes()[0]];
        rig.send(append(partitions[number].id(), batch(&[&value])))
    });
    rig.settle();
    let [first, second, third] = tickets.map(|ticket| rig.answer(ticket).unwrap());
    assert!(first.is_ok());
    for outcome in [second, third] {
        assert!(matches!(outcome, Err(Refusal::Offline(_))), "{outcome:?}");
    }
    let ends = partitions.map(|partition| partition.offsets().end);
    assert_eq!(ends, [1, 0, 0]);
}

#[test]
fn what_an_async_log_gives_up_stays_until_the_manifest_says_so() {
    for operation in 1.. {
        let mut rig = Rig::new(25);
        let id = rig.create(in_memory()).id();
        let expected = fill(&mut rig, id, 0..30);
        rig.clock.advance(60_000);
        rig.settle();
        rig.call(Command::SetLogStart { partition: id, start_offset: 20 }).unwrap();
        rig.disk.halt_in(operation);
        rig.clock.advance(60_000);
        rig.settle();
        let is_halted = rig.disk.is_halted();
        rig.disk.crash();
        rig.expect_no_damage();
        rig.recover().unwrap();
        assert_records(&read_all(&rig.partition(id), 20), &expected[20..], "all");
        if !is_halted {
            assert!(operation > 5);
            break;
        }
    }
}

#[test]
fn a_cut_inside_of_a_batch_ends_the_log_where_it_was_made() {
    for is_flushed_before in [false, true] {
        let mut rig = Rig::new(26);
        let id = rig.create(LogConfig::default()).id();
        let three = batch(&[b"a", b"b", b"c"]);
        rig.append(id, three.clone()).unwrap();
        if is_flushed_before {
            rig.clock.advance(60_000);
            rig.settle();
        }
        rig.append(id, three.clone()).unwrap();
        rig.call(Command::Truncate { partition: id, end_offset: 4 }).unwrap();
        for round in 0..3 {
            assert_eq!(rig.partition(id).offsets().end, 4, "round {round}");
            rig.disk.crash();
            rig.expect_no_damage();
            rig.recover().unwrap();
            rig.clock.advance(60_000);
            rig.settle();
        }
        assert_eq!(rig.append(id, three).unwrap(), 4);
    }
}

#[test]
fn a_start_behind_what_the_manifest_knows_takes_nothing_of_an_async_log() {
    for start_offset in [4, 5, 6] {
        let mut rig = Rig::new(30);
        let id = rig.create(in_memory()).id();
        let mut expected = fill(&mut rig, id, 0..5);
        rig.clock.advance(60_000);
        rig.settle();
        // Into the same segment.
        expected.extend(fill(&mut rig, id, 5..7));
        rig.call(Command::SetLogStart { partition: id, start_offset }).unwrap();
        for _ in 0..2 {
            rig.disk.kill();
            rig.expect_no_damage();
            rig.recover().unwrap();
            let found = read_all(&rig.partition(id), start_offset);
            assert_records(&found, &expected[usize::try_from(start_offset).unwrap()..], "all");
        }
    }
}
