//! What becomes of the lists of aborted transactions: who reads committed records skips by them, so that one that is
//! missing shows what was aborted, and one too many hides what was committed.

use strandline_protocol::batch::ControlRecord;

use super::super::Job;
use super::found::{marker, save, transactional};
use super::meanwhile::next;
use super::rules::{fill, small_segments};
use super::*;
use crate::config::Cleanup;

/// With an aborted transaction in a segment that is full, of which the manifest knows, and on its way to be cut through.
fn cut_through_aborted(seed: u64) -> (Rig, LocalId) {
    let mut rig = Rig::new(seed);
    rig.options.flush_bytes = 0;
    rig.recover().unwrap();
    let id = rig.create(small_segments()).id();
    for sequence in 0..2 {
        rig.call(transactional(id, sequence)).unwrap();
        rig.call(marker(id, &ControlRecord::Abort { coordinator_epoch: 0 })).unwrap();
    }
    fill(&mut rig, id, 0..20);
    save(&mut rig);
    rig.disk.kill();
    rig.recover().unwrap();
    // Behind the first of them.
    rig.call(Command::Truncate { partition: id, end_offset: 3 }).unwrap();
    rig.clock.advance(60_000);
    (rig, id)
}

fn aborted(rig: &mut Rig, id: LocalId) -> Vec<i64> {
    let aborted = rig.partition(id).aborted(0, 3).unwrap();
    aborted.iter().map(|one| one.first_offset).collect()
}

/// Seed 5012222: the list was written anew in place of the only one, and a crash or a full disk came in between. It was
/// cut after that, and with seeds 53 and 56 a power cut brought the length back, and not the rows.
#[test]
fn what_was_aborted_stays_known_whatever_happens_while_its_segment_is_cut() {
    for (operations, seed) in (1..40).flat_map(|operations| [52, 53, 56].map(|seed| (operations, seed))) {
        for is_power_cut in [false, true] {
            let (mut rig, id) = cut_through_aborted(seed);
            let cut = next(&mut rig, |job| matches!(job, Job::Checkpoint(_)));
            rig.disk.halt_in(operations);
            rig.writer().job_done(cut.run());
            match is_power_cut {
                true => rig.disk.crash(),
                false => rig.disk.kill(),
            }
            rig.recover().unwrap();
            assert_eq!(aborted(&mut rig, id), [0], "after {operations} operations, {seed}");
            save(&mut rig);
            rig.disk.crash();
            rig.recover().unwrap();
            assert_eq!(aborted(&mut rig, id), [0], "and on, after {operations} operations, {seed}");
        }
    }
}

#[test]
fn what_was_aborted_stays_known_where_its_segment_is_cut_on_a_full_disk() {
    let (mut rig, id) = cut_through_aborted(53);
    let cut = next(&mut rig, |job| matches!(job, Job::Checkpoint(_)));
    let free = rig.disk.free_bytes().unwrap();
    rig.disk.set_capacity((1 << 40) - free);
    rig.writer().job_done(cut.run());
    assert_eq!(aborted(&mut rig, id), [0]);
    rig.settle();
    assert_eq!(rig.writer().offline(), None);
    rig.disk.set_capacity(1 << 40);
    save(&mut rig);
    save(&mut rig);
    assert_eq!(rig.writer().offline(), None);
    assert_eq!(aborted(&mut rig, id), [0]);
    let expected = fill(&mut rig, id, 30..40);
    assert_records(&read_all(&rig.partition(id), 3), &expected, "it goes on");
}

/// Seed 8033125: a snapshot knew of a transaction whose marker compaction had taken since, and a consumer skipped what the
/// same producer committed later.
#[test]
fn what_compaction_has_forgotten_does_not_come_back_with_a_snapshot() {
    let mut rig = Rig::new(54);
    rig.options.flush_bytes = 1 << 30;
    rig.recover().unwrap();
    let cleanup = Cleanup { deletes: false, compacts: true };
    let config = LogConfig { cleanup, dirty_ratio_min: 0.0, delete_retention_ms: 0, ..small_segments() };
    let id = rig.create(config).id();
    for (sequence, how) in [
        (0, ControlRecord::Abort { coordinator_epoch: 0 }),
        (1, ControlRecord::Commit { coordinator_epoch: 0 }),
    ] {
        rig.call(transactional(id, sequence)).unwrap();
        rig.call(marker(id, &how)).unwrap();
    }
    let mut named = Vec::new();
    for _ in 0..4 {
        for number in 0..20 {
            rig.append(id, keyed(number, &[1; 1_000])).unwrap();
        }
        (0..4).for_each(|_| save(&mut rig));
        let before = rig.partition(id).aborted(0, 100).unwrap();
        named.push(before.len());
        rig.disk.kill();
        rig.recover().unwrap();
        assert_eq!(rig.partition(id).aborted(0, 100).unwrap(), before, "{named:?}");
    }
    assert_eq!((named.first(), named.last()), (Some(&1), Some(&0)), "compaction took the marker: {named:?}");
}
