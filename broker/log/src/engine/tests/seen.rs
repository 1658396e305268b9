//! What is asked of the disk, and what is not: the cost of things, and what happens beside something that hangs.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use super::super::Job;
use super::meanwhile::next;
use super::rules::{fill, in_memory, small_segments, value};
use super::*;
use crate::disk::simulated::Operation;
use crate::disk::watched::Step;

/// Long enough for any machine: what waits for something that never comes fails, and does not hang.
const PATIENCE: Duration = Duration::from_secs(120);

fn watch(seed: u64, options: Options) -> (Rig, Watched) {
    let mut rig = Rig::new(seed);
    let watched = Watched::new(&rig.disk);
    rig.watched = Some(watched.clone());
    rig.options = options;
    rig.recover().unwrap();
    (rig, watched)
}

/// With a journal that is not half full soon.
fn roomy_options() -> Options {
    let journal = journal::Options { bytes_max: 32 << 20, entries_max: 100_000, ..small_options().journal };
    Options { journal, ..small_options() }
}

fn is_log(step: &Step) -> bool {
    step.path.starts_with("/data/logs")
}

fn count(steps: &[Step], operation: Operation) -> usize {
    steps.iter().filter(|step| step.operation == operation && is_log(step)).count()
}

#[test]
fn a_group_of_many_partitions_is_one_write() {
    for refuses_direct in [false, true] {
        let (mut rig, watched) = watch(80, Options { reserve_bytes: 1 << 20, ..small_options() });
        rig.disk.set_refuses_direct(refuses_direct);
        rig.recover().unwrap();
        let ids = [(); 20].map(|()| rig.create(LogConfig::default()).id());
        watched.take_steps();
        let tickets = ids.map(|id| rig.send(append(id, batch(&[b"x"]))));
        rig.writer().take();
        let write = rig.writer().begin().unwrap();
        rig.writer().finish(write.run());
        assert!(tickets.iter().all(|ticket| rig.answer(*ticket).unwrap().is_ok()));
        let operations: Vec<_> = watched.take_steps().iter().map(|step| step.operation).collect();
        let expected: &[_] =
            if refuses_direct { &[Operation::Write, Operation::Sync] } else { &[Operation::Write] };
        assert_eq!(operations, expected);
    }
}

#[test]
fn a_checkpoint_of_many_partitions_is_one_sync() {
    let (mut rig, watched) = watch(81, Options { syncs_max: 16, ..roomy_options() });
    let ids = [(); 40].map(|()| rig.create(LogConfig::default()).id());
    for (partitions, syncs) in [(40, 0), (3, 3)] {
        for id in &ids[..partitions] {
            rig.append(*id, batch(&[b"x"])).unwrap();
        }
        // The manifest does not have it as it is.
        rig.call(Command::Configure { partition: ids[0], config: Arc::default() }).unwrap();
        watched.take_steps();
        rig.clock.advance(60_000);
        rig.settle();
        let steps = watched.take_steps();
        assert_eq!(count(&steps, Operation::Write), partitions);
        assert_eq!(count(&steps, Operation::Sync), syncs);
        let whole = steps.iter().filter(|step| step.operation == Operation::SyncFileSystem).count();
        assert_eq!(whole, usize::from(syncs == 0));
    }
}

/// How much of a log that was flushed went past the page cache, and how much through it.
fn flushed(rig: &mut Rig, watched: &Watched, id: LocalId, numbers: std::ops::Range<u32>) -> (u64, u64) {
    watched.take_steps();
    fill(rig, id, numbers);
    // What was young at the first checkpoint goes with the second.
    for _ in 0..2 {
        rig.clock.advance(60_000);
        rig.settle();
    }
    let steps = watched.take_steps();
    let bytes = |operation| {
        let steps = steps.iter().filter(|step| is_log(step) && step.operation == operation);
        steps.map(|step| step.length).sum()
    };
    (bytes(Operation::WritePastCache), bytes(Operation::Write))
}

#[test]
fn what_is_flushed_goes_past_the_page_cache_if_it_is_much_and_nobody_reads_behind_the_tail() {
    let (tail_budget, past_cache_bytes_min) = (Budget::new(8 << 20), 2 << 10);
    // One flush for each checkpoint, of all that there is.
    let (flush_bytes, flush_job_bytes) = (1 << 30, 1 << 30);
    let options =
        Options { tail_budget, past_cache_bytes_min, flush_bytes, flush_job_bytes, ..roomy_options() };
    let (mut rig, watched) = watch(84, options);
    let id = rig.create(LogConfig::default()).id();
    let (past, through) = flushed(&mut rig, &watched, id, 0..1);
    assert!(past == 0 && through > 0, "little of it: {past}, {through}");
    let (past, through) = flushed(&mut rig, &watched, id, 1..101);
    assert!(past > 2 << 10 && through == 0, "much of it: {past}, {through}");
    // What is in memory is read from there.
    let in_memory = fill(&mut rig, id, 101..102);
    assert_records(&read_all(&rig.partition(id), 101), &in_memory, "of the tail");
    let (past, through) = flushed(&mut rig, &watched, id, 102..202);
    assert!(past > 2 << 10 && through == 0, "nobody is behind: {past}, {through}");
    let behind = rig.partition(id).read(0, 1, UpTo::End).unwrap();
    assert!(matches!(*behind.slices, [Slice::Segment(_)]));
    let (past, through) = flushed(&mut rig, &watched, id, 202..302);
    assert!(past > 2 << 10 && through == 0, "little was read: {past}, {through}");
    let flush_bytes = past;
    let mut read_bytes = behind.slices.iter().map(Slice::length).sum::<u64>();
    while read_bytes < 3 * flush_bytes {
        let behind = rig.partition(id).read(102, 1_000, UpTo::End).unwrap();
        read_bytes += behind.slices.iter().map(Slice::length).sum::<u64>();
    }
    for flush in 1..=3u32 {
        let next = 202 + 100 * flush;
        let (past, through) = flushed(&mut rig, &watched, id, next..next + 100);
        assert!(past == 0 && through > 2 << 10, "for those who are behind: {past}, {through}");
    }
    let (past, through) = flushed(&mut rig, &watched, id, 602..702);
    assert!(past > 2 << 10 && through == 0, "nobody has read anything since: {past}, {through}");
}

#[test]
fn what_a_late_flush_reads_back_it_writes_in_large_pieces() {
    // So many logs are written to in turn, batches of so much; and so many writes are enough for each.
    for (logs, rounds, value_bytes, writes_max) in [(4, 30, 90_000, 4), (12, 10, 60_000, 2)] {
        let tail_budget = Budget::new(1 << 20);
        let (flush_bytes, flush_job_bytes) = (1 << 30, 1 << 30);
        let options = Options { tail_budget, flush_bytes, flush_job_bytes, ..roomy_options() };
        let (mut rig, watched) = watch(85, options);
        let ids: Vec<_> = (0..logs).map(|_| rig.create(LogConfig::default()).id()).collect();
        let mut expected = vec![Vec::new(); logs];
        for round in 0..rounds {
            for (log, records) in expected.iter_mut().enumerate() {
                let value = value(u32::try_from(round * logs + log).unwrap(), value_bytes);
                records.push((rig.append(ids[log], batch(&[&value])).unwrap(), value));
            }
        }
        watched.take_steps();
        for _ in 0..2 {
            rig.clock.advance(60_000);
            rig.settle();
        }
        let steps = watched.take_steps();
        let writes = |operation| count(&steps, operation);
        let past = writes(Operation::WritePastCache);
        assert!((logs..=logs * writes_max).contains(&past), "{past} writes for {logs} logs");
        // What of the last batches was still in memory.
        assert!(writes(Operation::Write) <= logs, "{} through the page cache", writes(Operation::Write));
        for (id, records) in ids.iter().zip(&expected) {
            assert_records(&read_all(&rig.partition(*id), 0), records, "of a log");
        }
    }
}

#[test]
fn a_file_stays_open_from_its_write_to_its_sync() {
    let (mut rig, watched) = watch(82, Options { open_files_max: 1, ..small_options() });
    let ids = [(); 10].map(|()| rig.create(LogConfig::default()).id());
    for id in ids {
        rig.append(id, batch(&[b"x"])).unwrap();
    }
    watched.take_steps();
    rig.clock.advance(60_000);
    rig.settle();
    let mut written: BTreeMap<&Path, usize> = BTreeMap::new();
    let steps = watched.take_steps();
    for (place, step) in steps.iter().enumerate().filter(|(_, step)| is_log(step)) {
        match step.operation {
            Operation::Write => drop(written.insert(&step.path, place)),
            // Who syncs another descriptor does not hear of what went wrong before it was opened.
            Operation::Open => assert!(!written.contains_key(step.path.as_path()), "{step:?}"),
            Operation::Sync => assert!(written.remove(step.path.as_path()).is_some(), "{step:?}"),
            _ => {}
        }
    }
    assert_eq!(count(&steps, Operation::Sync), 10);
}

#[test]
fn recovery_opens_no_file_but_those_that_replay_names() {
    for partitions in [5, 60] {
        let (mut rig, watched) = watch(83, small_options());
        let ids: Vec<_> = (0..partitions).map(|_| rig.create(small_segments()).id()).collect();
        for id in &ids {
            fill(&mut rig, *id, 0..9);
        }
        rig.clock.advance(60_000);
        rig.settle();
        let records = fill(&mut rig, ids[0], 9..12);
        rig.disk.crash();
        watched.take_steps();
        rig.recover().unwrap();
        let steps = watched.take_steps();
        // That the folder of all is there is looked at in any case.
        let opened = steps.iter().find(|step| is_log(step) && step.path != Path::new("/data/logs"));
        assert_eq!(opened, None);
        assert_records(&read_all(&rig.partition(ids[0]), 9), &records, "what was replayed");
        // Through a segment: what is left of it has to be looked at.
        rig.call(Command::Truncate { partition: ids[1], end_offset: 4 }).unwrap();
        rig.disk.crash();
        watched.take_steps();
        rig.recover().unwrap();
        let folder = Layout::new(PathBuf::from("/data")).partition(ids[1]);
        let steps = watched.take_steps();
        let opened = steps.iter().filter(|step| is_log(step) && step.operation == Operation::Open);
        assert!(opened.clone().all(|step| step.path.starts_with(&folder)));
        assert!(opened.count() > 0);
    }
}

#[test]
fn nothing_is_flushed_that_is_not_durable() {
    let (mut rig, _) = watch(84, Options { flush_bytes: 0, ..small_options() });
    let id = rig.create(small_segments()).id();
    let durable = rig.send(append(id, batch(&[b"durable"])));
    rig.writer().take();
    let write = rig.writer().begin().unwrap();
    rig.writer().finish(write.run());
    let staged = rig.send(append(id, batch(&[b"staged"])));
    rig.writer().take();
    let write = rig.writer().begin().unwrap();
    let jobs: Vec<_> = std::iter::from_fn(|| rig.writer().next_job()).collect();
    let flushed: Vec<_> = jobs
        .iter()
        .filter_map(|job| if let Job::Flush(job) = job { Some(&job.logs) } else { None })
        .flatten()
        .map(|log| log.end_offset)
        .collect();
    assert_eq!(flushed, [1]);
    assert!(rig.answer(durable).is_some() && rig.answer(staged).is_none());
    jobs.into_iter().for_each(|job| rig.writer().job_done(job.run()));
    rig.writer().finish(write.run());
    rig.settle();
    assert!(rig.answer(staged).unwrap().is_ok());
}

/// Reads all of a log, on another thread.
fn read_meanwhile(partition: &Arc<Partition>) -> Vec<(i64, Vec<u8>)> {
    let (sender, records) = mpsc::channel();
    let partition = Arc::clone(partition);
    std::thread::spawn(move || sender.send(read_all(&partition, 0)));
    records.recv_timeout(PATIENCE).expect("readers wait for nobody's disk")
}

#[test]
fn readers_go_on_while_a_flush_a_checkpoint_or_a_group_hangs() {
    let is_flush: fn(&Job) -> bool = |job| matches!(job, Job::Flush(_));
    let is_checkpoint: fn(&Job) -> bool = |job| matches!(job, Job::Checkpoint(_));
    for (operation, is_it) in [
        (Operation::Write, is_flush),
        (Operation::Sync, is_checkpoint),
        (Operation::SyncDirectory, is_checkpoint),
    ] {
        let (mut rig, _) = watch(85, small_options());
        let id = rig.create(small_segments()).id();
        let mut expected = fill(&mut rig, id, 0..17);
        rig.clock.advance(60_000);
        // The first part is in segments, the last of which takes some of the rest.
        expected.extend(fill(&mut rig, id, 17..25));
        let partition = rig.partition(id);
        rig.call(Command::Configure { partition: id, config: Arc::new(small_segments()) }).unwrap();
        rig.clock.advance(60_000);
        let job = next(&mut rig, is_it);
        let stall = rig.disk.stall(operation, 1);
        let hanging = std::thread::spawn(move || job.run());
        assert!(stall.wait_until_reached());
        assert_records(&read_meanwhile(&partition), &expected, &format!("{operation:?}"));
        stall.release();
        rig.writer().job_done(hanging.join().unwrap());
        rig.settle();
        // The same with a group.
        let ticket = rig.send(append(id, batch(&[b"x"])));
        rig.writer().take();
        let write = rig.writer().begin().unwrap();
        let stall = rig.disk.stall(Operation::Write, 1);
        let hanging = std::thread::spawn(move || write.run());
        assert!(stall.wait_until_reached());
        assert_records(&read_meanwhile(&partition), &expected, "beside a group");
        stall.release();
        rig.writer().finish(hanging.join().unwrap());
        assert!(rig.answer(ticket).unwrap().is_ok());
    }
}

#[test]
fn what_is_evicted_from_memory_costs_no_write() {
    let options = Options { tail_budget: Budget::new(8 << 10), flush_bytes: 1 << 30, ..roomy_options() };
    let (mut rig, watched) = watch(86, options);
    let ids = [(); 30].map(|()| rig.create(LogConfig::default()).id());
    watched.take_steps();
    for id in ids {
        rig.append(id, batch(&[&[1; 900]])).unwrap();
    }
    let steps = watched.take_steps();
    assert_eq!(steps.iter().filter(|step| is_log(step)).count(), 0, "no partition is written for it");
    let is_evicted = |id: &LocalId| {
        let slices = rig.writer.as_ref().unwrap().logs[id].partition.read(0, 1, UpTo::End).unwrap().slices;
        matches!(slices.as_slice(), [Slice::Journal { .. }])
    };
    assert!(ids.iter().filter(|id| is_evicted(id)).count() > 15);
}

#[test]
fn a_large_tail_goes_into_a_segment_soon_and_small_ones_wait() {
    let options = Options {
        tail_budget: Budget::new(4 << 20),
        flush_bytes: 1 << 30,
        flush_job_bytes: 256 << 10,
        ..roomy_options()
    };
    let (mut rig, watched) = watch(90, options);
    let ids = [(); 30].map(|()| rig.create(LogConfig::default()).id());
    watched.take_steps();
    for id in ids.iter().cycle().take(600) {
        rig.append(*id, batch(&[&[1; 900]])).unwrap();
    }
    assert!(!watched.take_steps().iter().any(is_log), "20 KiB of each would be 30 small writes");
    let id = rig.create(LogConfig::default()).id();
    for _ in 0..9_000 {
        rig.append(id, batch(&[&[1; 900]])).unwrap();
    }
    assert!(
        watched.take_steps().iter().any(is_log),
        "more than 256 KiB of each, and most of it is this one's"
    );
    assert!(rig.writer().logs[&id].flushed_to > 0);
}

#[test]
fn an_async_log_has_no_copy_in_the_journal() {
    let (mut rig, watched) = watch(87, small_options());
    let id = rig.create(in_memory()).id();
    watched.take_steps();
    fill(&mut rig, id, 0..20);
    let steps = watched.take_steps();
    assert!(!steps.iter().any(|step| step.path.starts_with("/data/journal")));
    assert_eq!((count(&steps, Operation::Write), count(&steps, Operation::Sync)), (20, 0));
}

#[test]
fn where_one_sync_would_not_tell_of_losses_each_file_has_its_own_and_few_are_open() {
    let (mut rig, watched) = watch(88, Options { flush_bytes: 0, ..roomy_options() });
    watched.hide_losses();
    rig.recover().unwrap();
    let ids: Vec<_> = (0..1_100).map(|_| rig.create(LogConfig::default()).id()).collect();
    watched.take_steps();
    let (mut open, mut open_max) = (0_usize, 0);
    for id in &ids {
        rig.append(*id, batch(&[b"x"])).unwrap();
        for step in watched.take_steps().iter().filter(|step| is_log(step)) {
            match step.operation {
                Operation::Write => open += 1,
                Operation::Sync => open -= 1,
                Operation::SyncFileSystem => panic!("it tells of nothing"),
                _ => {}
            }
            open_max = open_max.max(open);
        }
    }
    assert!((900..1_100).contains(&open_max), "{open_max} files were open at once");
    rig.disk.crash();
    rig.recover().unwrap();
    assert!(ids.iter().all(|id| rig.writer().logs[id].partition.offsets().end == 1));
}
