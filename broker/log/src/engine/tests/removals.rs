//! Files of what is no more go at a bounded rate, and nothing waits for them.

use super::super::Job;
use super::meanwhile::next;
use super::rules::{fill, small_segments};
use super::*;

/// Four files go in a second.
const SLOW: u64 = 1 << 20;

fn rig(seed: u64) -> Rig {
    let mut rig = Rig::new(seed);
    rig.options.removal_bytes_per_second = SLOW;
    rig.recover().unwrap();
    rig
}

fn files(rig: &Rig, id: LocalId) -> usize {
    rig.disk.list(&Layout::new(PathBuf::from("/data")).partition(id)).map_or(0, |entries| entries.len())
}

/// Lets time pass as the threads do, which look around now and then.
fn pass(rig: &mut Rig, milliseconds: u32) {
    for _ in 0..milliseconds / 50 {
        rig.clock.advance(50);
        rig.settle();
    }
}

/// A partition with many files, all of them in the manifest.
fn filled(rig: &mut Rig) -> LocalId {
    let id = rig.create(small_segments()).id();
    fill(rig, id, 0..200);
    rig.clock.advance(60_000);
    rig.settle();
    assert!(files(rig, id) > 60, "{}", files(rig, id));
    id
}

/// Deletes it, and lets the manifest hear of that.
fn delete(rig: &mut Rig, id: LocalId) {
    rig.call(Command::Delete { partition: id }).unwrap();
    rig.clock.advance(60_000);
    rig.settle();
}

#[test]
fn a_deleted_partitions_files_go_at_the_rate_that_is_set_and_at_another_as_soon_as_it_is_set() {
    let mut rig = rig(80);
    let id = filled(&mut rig);
    let before = files(&rig, id);
    delete(&mut rig, id);
    for seconds in 1..=5 {
        pass(&mut rig, 1_000);
        let gone = before - files(&rig, id);
        assert!((4 * seconds - 1..=4 * seconds + 2).contains(&gone), "{gone} files in {seconds} s");
    }
    assert_eq!(rig.writer().watch().figures().waiting_removals, 1);
    let tuning = rig.options.tuning();
    rig.writer().watch().tune(Tuning { removal_bytes_per_second: u64::MAX, ..tuning });
    rig.settle();
    assert_eq!(files(&rig, id), 0);
    assert_eq!(rig.writer().watch().figures().waiting_removals, 0);
    // Who looks for it again finds nothing.
    rig.disk.crash();
    rig.recover().unwrap();
    rig.settle();
    assert!(rig.writer().partitions().is_empty());
}

#[test]
fn what_a_log_begins_behind_goes_at_the_rate_and_the_log_goes_on_meanwhile() {
    let mut rig = rig(81);
    let id = filled(&mut rig);
    let before = files(&rig, id);
    rig.call(Command::SetLogStart { partition: id, start_offset: 190 }).unwrap();
    rig.clock.advance(60_000);
    rig.settle();
    assert!(rig.writer().watch().figures().waiting_removals > 15);
    assert!(files(&rig, id) > before - 10, "{} of {before}", files(&rig, id));
    // New records go into segments and the manifest, though the old ones' files are there.
    let expected = fill(&mut rig, id, 200..260);
    for _ in 0..2 {
        rig.clock.advance(60_000);
        rig.settle();
    }
    let figures = rig.writer().watch().figures();
    assert_eq!((figures.unflushed_bytes, figures.frames_behind), (0, 0), "{figures:?}");
    assert!(figures.waiting_removals > 10, "{figures:?}");
    for _ in 0..30 {
        rig.clock.advance(60_000);
        rig.settle();
    }
    assert_eq!(rig.writer().watch().figures().waiting_removals, 0);
    assert!(files(&rig, id) < before / 2, "{} of {before}", files(&rig, id));
    rig.disk.crash();
    rig.recover().unwrap();
    assert_records(&read_all(&rig.partition(id), 200), &expected, "all");
    rig.expect_no_damage();
}

#[test]
fn what_is_on_its_way_out_is_still_counted_until_it_is_gone() {
    let mut rig = rig(86);
    let id = filled(&mut rig);
    rig.call(Command::Delete { partition: id }).unwrap();
    rig.clock.advance(60_000);
    let job = next(&mut rig, |job| matches!(job, Job::Removal(_)));
    // Whoever looks meanwhile sees what the writer noted last.
    rig.writer().take();
    assert_eq!(rig.writer().watch().figures().waiting_removals, 1);
    rig.writer().job_done(job.run());
    assert_eq!(rig.writer().watch().figures().waiting_removals, 1, "most of it waits for its turn");
    let tuning = rig.options.tuning();
    rig.writer().watch().tune(Tuning { removal_bytes_per_second: u64::MAX, ..tuning });
    rig.settle();
    assert_eq!(rig.writer().watch().figures().waiting_removals, 0);
    assert_eq!(files(&rig, id), 0);
}

#[test]
fn what_a_crash_leaves_of_it_goes_after_the_next_start_at_the_same_rate() {
    let mut rig = rig(82);
    let id = filled(&mut rig);
    delete(&mut rig, id);
    let before = files(&rig, id);
    rig.disk.kill();
    rig.recover().unwrap();
    rig.settle();
    assert!(files(&rig, id) + 3 > before, "{} of {before}", files(&rig, id));
    pass(&mut rig, 5_000);
    let gone = before - files(&rig, id);
    assert!((17..=24).contains(&gone), "{gone} files in 5 s");
}

#[test]
fn where_the_disk_is_full_they_go_at_once() {
    let mut rig = rig(83);
    rig.options.reserve_bytes = 0;
    rig.options.flush_bytes = 0;
    rig.recover().unwrap();
    let (kept, gone) = (rig.create(small_segments()).id(), filled(&mut rig));
    delete(&mut rig, gone);
    assert!(files(&rig, gone) > 60);
    rig.disk.set_capacity((1 << 40) - rig.disk.free_bytes().unwrap());
    let mut has_refused = false;
    for _ in 0..1_000 {
        has_refused = rig.append(kept, batch(&[&[1; 1_000]])).is_err();
        if has_refused || files(&rig, gone) == 0 {
            break;
        }
    }
    rig.settle();
    assert_eq!(files(&rig, gone), 0, "refused: {has_refused}");
}

#[test]
fn at_the_end_they_go_at_once() {
    let mut rig = rig(84);
    let id = filled(&mut rig);
    delete(&mut rig, id);
    assert!(files(&rig, id) > 60);
    rig.writer().mailbox().close();
    rig.settle();
    assert!(rig.writer().is_saved());
    assert_eq!(files(&rig, id), 0);
}

#[test]
fn nobody_keeps_files_open_of_what_is_no_more() {
    let mut rig = Rig::new(85);
    let id = filled(&mut rig);
    read_all(&rig.partition(id), 0);
    assert!(rig.writer().watch().figures().files.weight > 10);
    delete(&mut rig, id);
    assert_eq!(files(&rig, id), 0);
    assert_eq!(rig.writer().watch().figures().files.weight, 0, "the disk would not have their room back");
}
