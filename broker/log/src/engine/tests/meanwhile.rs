//! What went wrong when real processes were killed, or read from: logs that change while a job or a reader is about them.

use super::super::Job;
use super::found::transactional;
use super::rules::{fill, small_segments};
use super::*;
use crate::config::{Cleanup, Durability};
use crate::disk::simulated::Operation;

/// Gives up all of a log while some job is under way.
fn give_up_during(rig: &mut Rig, id: LocalId, is_it: impl Fn(&Job) -> bool) {
    let end_offset = rig.partition(id).offsets().end;
    rig.clock.advance(60_000);
    let held = next(rig, is_it);
    let ticket = rig.send(Command::SetLogStart { partition: id, start_offset: end_offset });
    rig.writer().take();
    let write = rig.writer().begin().unwrap();
    rig.writer().finish(write.run());
    assert!(rig.answer(ticket).unwrap().is_ok());
    rig.writer().job_done(held.run());
    rig.settle();
    assert_eq!(rig.writer().offline(), None);
    let expected = fill(rig, id, 100..110);
    rig.disk.crash();
    rig.recover().unwrap();
    assert_records(&read_all(&rig.partition(id), end_offset), &expected, "all");
}

/// The next job of a kind; those before it are done.
pub(super) fn next(rig: &mut Rig, is_it: impl Fn(&Job) -> bool) -> Job {
    loop {
        let job = rig.writer().next_job().unwrap();
        if is_it(&job) {
            return job;
        }
        rig.writer().job_done(job.run());
    }
}

fn is_compaction(job: &Job) -> bool {
    matches!(job, Job::Compaction(_))
}

fn is_checkpoint(job: &Job) -> bool {
    matches!(job, Job::Checkpoint(_))
}

#[test]
fn what_a_log_gives_up_during_a_checkpoint_is_no_failure_of_it() {
    // Indexes are to be written, of a segment that was found and is full now.
    let mut rig = Rig::new(27);
    rig.options.flush_bytes = 0;
    rig.recover().unwrap();
    let id = rig.create(small_segments()).id();
    fill(&mut rig, id, 0..3);
    rig.clock.advance(60_000);
    rig.settle();
    rig.disk.kill();
    rig.recover().unwrap();
    fill(&mut rig, id, 3..20);
    give_up_during(&mut rig, id, is_checkpoint);
    // A file is to be cut.
    let mut rig = Rig::new(28);
    rig.options.flush_bytes = 0;
    rig.recover().unwrap();
    let id = rig.create(small_segments()).id();
    fill(&mut rig, id, 0..20);
    rig.clock.advance(60_000);
    rig.settle();
    rig.disk.kill();
    rig.recover().unwrap();
    rig.call(Command::Truncate { partition: id, end_offset: 18 }).unwrap();
    give_up_during(&mut rig, id, is_checkpoint);
}

#[test]
fn what_a_log_gives_up_during_a_compaction_is_no_failure_of_it() {
    let mut rig = Rig::new(29);
    rig.options.flush_bytes = 0;
    rig.recover().unwrap();
    let cleanup = Cleanup { deletes: false, compacts: true };
    let id = rig.create(LogConfig { cleanup, dirty_ratio_min: 0.0, ..small_segments() }).id();
    fill(&mut rig, id, 0..20);
    give_up_during(&mut rig, id, is_compaction);
}

#[test]
fn a_log_can_be_deleted_while_it_is_compacted() {
    let mut rig = Rig::new(31);
    rig.options.flush_bytes = 0;
    rig.recover().unwrap();
    let cleanup = Cleanup { deletes: false, compacts: true };
    let id = rig.create(LogConfig { cleanup, dirty_ratio_min: 0.0, ..small_segments() }).id();
    fill(&mut rig, id, 0..20);
    rig.clock.advance(60_000);
    let compaction = next(&mut rig, is_compaction);
    let ticket = rig.send(Command::Delete { partition: id });
    let folder = Layout::new(PathBuf::from("/data")).partition(id);
    rig.clock.advance(60_000);
    rig.settle();
    assert!(rig.answer(ticket).unwrap().is_ok());
    assert!(rig.disk.list(&folder).is_ok(), "somebody writes there");
    rig.writer().job_done(compaction.run());
    rig.settle();
    assert_eq!(rig.writer().offline(), None);
    rig.clock.advance(60_000);
    rig.settle();
    assert!(rig.disk.list(&folder).is_err(), "its files are gone");
    rig.disk.crash();
    rig.recover().unwrap();
    assert!(rig.writer().partitions().is_empty());
}

#[test]
fn a_search_by_time_looks_again_where_its_segment_goes_meanwhile() {
    let mut rig = Rig::new(36);
    rig.options.flush_bytes = 0;
    rig.recover().unwrap();
    let id = rig.create(small_segments()).id();
    fill(&mut rig, id, 0..100);
    rig.clock.advance(60_000);
    rig.settle();
    // No file is open from then on.
    rig.recover().unwrap();
    let partition = rig.partition(id);
    assert!(partition.view().segments.len() > 2);
    let stall = rig.disk.stall(Operation::Open, 1);
    let searching = std::thread::spawn(move || partition.find_timestamp(0, UpTo::End));
    assert!(stall.wait_until_reached());
    rig.call(Command::SetLogStart { partition: id, start_offset: 70 }).unwrap();
    stall.release();
    let found = searching.join().unwrap().unwrap();
    assert_eq!(found.map(|found| found.offset), Some(70));
}

/// A batch with one record of a kilobyte.
fn keyed(key: u8) -> Bytes {
    let mut builder = BatchBuilder::new();
    builder.append(&NewRecord { key: Some(&[key]), value: Some(&[key; 1_000]), ..NewRecord::at(1) }).unwrap();
    builder.build().unwrap()
}

#[test]
fn a_compaction_does_not_count_on_what_is_cut_off_meanwhile() {
    let mut rig = Rig::new(32);
    rig.options.flush_bytes = 0;
    rig.recover().unwrap();
    let cleanup = Cleanup { deletes: false, compacts: true };
    let id = rig.create(LogConfig { cleanup, dirty_ratio_min: 0.0, ..small_segments() }).id();
    // Seven to a segment: the first one and the fourth have keys that come again further on.
    for key in (0..28).chain([0]).chain(21..28).chain(100..110) {
        rig.append(id, keyed(key)).unwrap();
    }
    rig.clock.advance(60_000);
    let begun = next(&mut rig, is_compaction);
    rig.writer().job_done(begun.run());
    let swap = next(&mut rig, is_checkpoint);
    rig.writer().job_done(swap.run());
    rig.call(Command::Truncate { partition: id, end_offset: 28 }).unwrap();
    for key in 100..110 {
        rig.append(id, keyed(key)).unwrap();
    }
    for _ in 0..2 {
        rig.clock.advance(60_000);
        rig.settle();
        let found = read_all(&rig.partition(id), 0);
        let keys: Vec<_> = found.iter().map(|(_, value)| value[0]).collect();
        // The first one was gone before.
        assert_eq!(keys, (1..28).chain(100..110).collect::<Vec<_>>());
        rig.disk.crash();
        rig.recover().unwrap();
    }
}

/// Seed 1002390: what was left of two segments in one was taken for the first of them, and went with it.
#[test]
fn a_start_that_is_on_its_way_when_segments_become_one_takes_no_more_than_it_should() {
    let mut rig = Rig::new(33);
    rig.options.flush_bytes = 0;
    rig.recover().unwrap();
    let cleanup = Cleanup { deletes: false, compacts: true };
    let config = LogConfig { cleanup, dirty_ratio_min: 0.0, segment_bytes: 2_500, ..small_segments() };
    let id = rig.create(config.clone()).id();
    for key in 0..10 {
        rig.append(id, keyed(key)).unwrap();
    }
    let config = Arc::new(LogConfig { segment_bytes: 8_000, ..config });
    rig.call(Command::Configure { partition: id, config }).unwrap();
    rig.clock.advance(60_000);
    let compaction = next(&mut rig, is_compaction);
    let ticket = rig.send(Command::SetLogStart { partition: id, start_offset: 2 });
    rig.writer().take();
    let write = rig.writer().begin().unwrap();
    rig.writer().job_done(compaction.run());
    let swap = next(&mut rig, is_checkpoint).run();
    rig.writer().finish(write.run());
    assert!(rig.answer(ticket).unwrap().is_ok());
    rig.writer().job_done(swap);
    for _ in 0..3 {
        rig.clock.advance(60_000);
        rig.settle();
        let keys: Vec<_> = read_all(&rig.partition(id), 2).iter().map(|(_, value)| value[0]).collect();
        assert_eq!(keys, (2..10).collect::<Vec<_>>());
        rig.disk.crash();
        rig.recover().unwrap();
    }
}

/// Seed 1003259: a name that was given, and was not durable, was taken back by the machine's death after the process's.
#[test]
fn names_that_a_dead_process_gave_are_durable_when_the_next_one_goes_on() {
    for operations in 1..60 {
        let mut rig = Rig::new(34);
        rig.options.flush_bytes = 0;
        rig.recover().unwrap();
        let cleanup = Cleanup { deletes: false, compacts: true };
        let id = rig.create(LogConfig { cleanup, dirty_ratio_min: 0.0, ..small_segments() }).id();
        for key in [0, 1, 2, 0, 1, 2].into_iter().chain(10..20) {
            rig.append(id, keyed(key)).unwrap();
        }
        rig.clock.advance(60_000);
        let compaction = next(&mut rig, is_compaction);
        rig.writer().job_done(compaction.run());
        let swap = next(&mut rig, is_checkpoint);
        rig.disk.halt_in(operations);
        rig.writer().job_done(swap.run());
        rig.disk.kill();
        rig.recover().unwrap();
        let expected = read_all(&rig.partition(id), 0);
        // The manifest hears that the names are given; nothing is compacted any more.
        rig.call(Command::Configure { partition: id, config: Arc::new(small_segments()) }).unwrap();
        rig.clock.advance(60_000);
        rig.settle();
        rig.disk.crash();
        rig.recover().unwrap();
        assert_records(
            &read_all(&rig.partition(id), 0),
            &expected,
            &format!("after {operations} operations"),
        );
    }
}

#[test]
fn new_segments_wait_for_a_start_that_is_on_its_way_without_a_checkpoint_for_each_moment_of_it() {
    let mut rig = Rig::new(35);
    rig.options.flush_bytes = 0;
    rig.recover().unwrap();
    let cleanup = Cleanup { deletes: false, compacts: true };
    let id = rig.create(LogConfig { cleanup, dirty_ratio_min: 0.0, ..small_segments() }).id();
    for key in [0, 1, 2, 0, 1, 2].into_iter().chain(10..20) {
        rig.append(id, keyed(key)).unwrap();
    }
    rig.clock.advance(60_000);
    let compaction = next(&mut rig, is_compaction).run();
    let ticket = rig.send(Command::SetLogStart { partition: id, start_offset: 1 });
    rig.writer().take();
    let write = rig.writer().begin().unwrap();
    rig.writer().job_done(compaction);
    let mut checkpoints = 0;
    while let Some(job) = rig.writer().next_job() {
        checkpoints += u32::from(is_checkpoint(&job));
        rig.writer().job_done(job.run());
        assert!(checkpoints < 10, "it asks for one after the other");
    }
    assert_eq!(checkpoints, 1);
    rig.writer().finish(write.run());
    assert!(rig.answer(ticket).unwrap().is_ok());
    // At once, and not when it is time for one.
    rig.settle();
    let keys: Vec<_> = read_all(&rig.partition(id), 1).iter().map(|(_, value)| value[0]).collect();
    assert_eq!(keys, [0, 1, 2].into_iter().chain(10..20).collect::<Vec<_>>());
}

/// What a log that has one batch, in a segment, gives to somebody while another one comes into that.
fn read_while_it_grows(seed: u64, durability: Durability, up_to: UpTo, second: fn(LocalId) -> Command) {
    let mut rig = Rig::new(seed);
    rig.options.flush_bytes = 0;
    rig.recover().unwrap();
    let partition = rig.create(LogConfig { durability, ..LogConfig::default() });
    let id = partition.id();
    rig.append(id, batch(&[b"first"])).unwrap();
    let length = partition.read(0, 1 << 20, up_to).unwrap().slices.iter().map(Slice::length).sum::<u64>();
    let stall = rig.disk.stall(Operation::Read, 1);
    let reader = Arc::clone(&partition);
    let reading = std::thread::spawn(move || reader.read(0, 1 << 20, up_to).unwrap());
    assert!(stall.wait_until_reached());
    let grown = rig.call(second(id));
    assert!(grown.is_ok() && partition.view().segments.last().unwrap().end_offset() == 2, "{grown:?}");
    stall.release();
    let read = reading.join().unwrap();
    assert_eq!(partition.offsets().end, 2, "it grew meanwhile");
    assert_eq!(read.offsets.end, 1, "and had ended before");
    assert_eq!(read.slices.iter().map(Slice::length).sum::<u64>(), length);
}

/// A consumer was given records behind the end that the log had, came back for what follows, and was told that this is out
/// of the log's range: it went on at the end, without what lay between.
#[test]
fn nobody_reads_beyond_the_end_that_a_log_had_when_he_came() {
    read_while_it_grows(37, Durability::Async, UpTo::End, |id| append(id, batch(&[b"second"])));
}

#[test]
fn nobody_reads_of_a_transaction_that_began_meanwhile() {
    read_while_it_grows(38, Durability::Fsync, UpTo::LastStable, |id| transactional(id, 0));
}
