//! A disk that has no room.

use super::rules::{fill, in_memory, small_segments};
use super::*;
use crate::disk::simulated::Operation;
use crate::disk::watched::Step;

/// Makes the disk as small as what is on it.
fn fill_up(rig: &Rig) -> u64 {
    let used = (1 << 40) - rig.disk.free_bytes().unwrap();
    rig.disk.set_capacity(used);
    used
}

/// Appends until there is no room for more, and says what was acknowledged.
fn append_until_full(rig: &mut Rig, id: LocalId) -> Vec<(i64, Vec<u8>)> {
    let mut records = Vec::new();
    for number in 0..1_000_u32 {
        let value = [number.to_le_bytes()[0]; 1_000];
        match rig.append(id, batch(&[&value])) {
            Ok(offset) => records.push((offset, value.to_vec())),
            Err(Refusal::DiskFull) => return records,
            Err(other) => panic!("{other}"),
        }
        rig.clock.advance(10);
    }
    panic!("it is not full");
}

#[test]
fn on_a_full_disk_a_partition_can_be_deleted_and_that_makes_the_room_to_go_on() {
    let mut rig = Rig::new(70);
    // As by default: all that the journal holds has room.
    rig.options.reserve_bytes = 2 * rig.options.journal.bytes_max;
    rig.recover().unwrap();
    let [kept, gone] = [(); 2].map(|()| rig.create(small_segments()).id());
    let mut expected = fill(&mut rig, kept, 0..50);
    fill(&mut rig, gone, 0..300);
    rig.clock.advance(60_000);
    rig.settle();
    fill_up(&rig);
    expected.extend(append_until_full(&mut rig, kept));
    rig.call(Command::Delete { partition: gone }).unwrap();
    for _ in 0..3 {
        rig.clock.advance(60_000);
        rig.settle();
    }
    assert!(
        rig.disk.list(&Layout::new(PathBuf::from("/data")).partition(gone)).is_err(),
        "its files are gone"
    );
    // Nobody else made any room.
    expected.extend(fill(&mut rig, kept, 2_000..2_050));
    rig.disk.crash();
    rig.recover().unwrap();
    assert_records(&read_all(&rig.partition(kept), 0), &expected, "all");
    assert_eq!(rig.writer().partitions().len(), 1);
}

#[test]
fn however_small_jobs_are_what_is_kept_is_given_in_few_pieces() {
    for flush_job_bytes in [0, 1, 4_096, u64::MAX] {
        let mut rig = Rig::new(71);
        rig.options.flush_job_bytes = flush_job_bytes;
        rig.options.reserve_bytes = 256 << 10;
        let watched = Watched::new(&rig.disk);
        rig.watched = Some(watched.clone());
        rig.recover().unwrap();
        let ids = [(); 4].map(|()| rig.create(small_segments()).id());
        let mut expected = ids.map(|id| fill(&mut rig, id, 0..10));
        fill_up(&rig);
        watched.take_steps();
        expected[0].extend(append_until_full(&mut rig, ids[0]));
        for _ in 0..3 {
            rig.clock.advance(60_000);
            rig.settle();
        }
        let steps = watched.take_steps();
        let is_reserve = |step: &&Step| step.path.ends_with("reserve");
        let released = steps.iter().filter(is_reserve).filter(|step| step.operation == Operation::SetLength);
        // Each look whether there is room again cuts it, too: one for each second that was waited.
        let pauses = 3 + expected[0].len();
        assert!(released.count() <= 8 + pauses, "jobs of {flush_job_bytes}");
        let tails = ids.map(|id| rig.partition(id).view().tail.bytes());
        assert_eq!(tails, [0; 4], "jobs of {flush_job_bytes}: all of it found room");
        rig.disk.crash();
        rig.recover().unwrap();
        for (id, expected) in ids.into_iter().zip(&expected) {
            assert_records(&read_all(&rig.partition(id), 0), expected, "all");
        }
    }
}

#[test]
fn what_waits_for_the_manifest_on_a_full_disk_is_refused_and_holds_nobody_up() {
    let mut rig = Rig::new(72);
    // Nothing is kept, so that the manifest finds no room in the end.
    rig.options.reserve_bytes = 0;
    rig.options.journal.entries_max = 30;
    rig.recover().unwrap();
    let id = rig.create(in_memory()).id();
    let other = rig.create(small_segments()).id();
    let mut expected = fill(&mut rig, id, 0..20);
    let used = fill_up(&rig);
    // Indexes of full segments come with a checkpoint, and have to be somewhere.
    let cut = rig.send(Command::Truncate { partition: id, end_offset: 12 });
    let deletion = rig.send(Command::Delete { partition: other });
    rig.settle();
    assert!(matches!(rig.answer(cut), Some(Err(Refusal::DiskFull))));
    assert!(rig.answer(deletion).unwrap().is_ok());
    // Nor does the journal wait for a checkpoint that does not come, once there are as many entries as there may be.
    let config = Arc::new(in_memory());
    let outcomes: Vec<_> = (0..80)
        .map(|_| rig.call(Command::Configure { partition: id, config: Arc::clone(&config) }))
        .collect();
    assert!(outcomes.iter().filter(|outcome| outcome.is_ok()).count() > 10);
    assert!(matches!(outcomes.last(), Some(Err(Refusal::DiskFull))));
    assert_records(&read_all(&rig.partition(id), 0), &expected, "it is as it was");
    rig.disk.set_capacity(2 * used);
    rig.clock.advance(10_000);
    rig.settle();
    rig.call(Command::Truncate { partition: id, end_offset: 12 }).unwrap();
    expected.truncate(12);
    rig.disk.crash();
    rig.recover().unwrap();
    assert_records(&read_all(&rig.partition(id), 0), &expected, "all");
}

/// So many partitions with little in each: what they take in segments is blocks and folders, not bytes.
#[test]
fn however_many_partitions_have_a_little_in_the_journal_there_is_room_for_it() {
    const KEPT: u64 = 256 << 10;
    for (kept, is_full, at_once) in [(KEPT, true, KEPT / (12 << 10)), (KEPT, false, 100), (0, true, 1)] {
        let mut rig = Rig::new(73);
        (rig.options.reserve_bytes, rig.options.flush_bytes) = (kept, 1 << 30);
        rig.recover().unwrap();
        let ids: Vec<_> = (0..100).map(|_| rig.create(small_segments()).id()).collect();
        rig.clock.advance(60_000);
        rig.settle();
        if is_full {
            fill_up(&rig);
        }
        rig.clock.advance(60_000);
        let tickets: Vec<_> = ids.iter().map(|id| rig.send(append(*id, batch(&[b"little"])))).collect();
        rig.writer().take();
        assert_eq!(rig.writer().flushing.logs, at_once, "with {kept}");
        // Nobody makes room: what was acknowledged comes into segments all the same, with what was kept for it.
        for _ in 0..3 {
            rig.settle();
            rig.clock.advance(60_000);
        }
        rig.settle();
        let outcomes: Vec<_> = tickets.iter().map(|ticket| rig.answer(*ticket).unwrap()).collect();
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Ok(_) | Err(Refusal::DiskFull))));
        let acknowledged = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        assert!(acknowledged as u64 >= at_once, "{acknowledged} of {at_once}");
        let writer = rig.writer();
        let left = (writer.flushing.logs, writer.published - writer.manifest.meta().checkpoint);
        assert_eq!(left == (0, 0), kept > 0, "{left:?} are left with {kept}");
        rig.disk.crash();
        rig.recover().unwrap();
        for (id, outcome) in ids.iter().zip(outcomes) {
            let expected = Vec::from_iter(outcome.is_ok().then(|| (0, b"little".to_vec())));
            assert_eq!(read_all(&rig.partition(*id), 0), expected);
        }
    }
}

#[test]
fn where_nothing_is_kept_any_more_partitions_that_are_deleted_make_room_all_the_same() {
    let mut rig = Rig::new(74);
    rig.options.reserve_bytes = 0;
    rig.options.flush_bytes = 0;
    rig.recover().unwrap();
    let [kept, gone] = [(); 2].map(|()| rig.create(small_segments()).id());
    let mut expected = fill(&mut rig, kept, 0..50);
    fill(&mut rig, gone, 0..300);
    fill_up(&rig);
    // Indexes of full segments come with a checkpoint, and there is no room for them.
    for _ in 0..3 {
        rig.clock.advance(60_000);
        rig.settle();
    }
    assert!(rig.writer().is_out_of_room());
    rig.call(Command::Delete { partition: gone }).unwrap();
    for _ in 0..3 {
        rig.clock.advance(60_000);
        rig.settle();
    }
    let layout = Layout::new(PathBuf::from("/data"));
    assert!(rig.disk.list(&layout.partition(gone)).is_err(), "its files are gone");
    assert!(!rig.writer().is_out_of_room());
    // Nobody else made any room.
    expected.extend(fill(&mut rig, kept, 2_000..2_020));
    for _ in 0..2 {
        rig.disk.crash();
        rig.recover().unwrap();
        rig.expect_no_damage();
        assert_records(&read_all(&rig.partition(kept), 0), &expected, "all");
        assert_eq!(rig.writer().partitions().len(), 1);
    }
}
