//! What a directory is like after it was given up.

use super::rules::{fill, in_memory, small_segments};
use super::*;
use crate::disk::simulated::Operation;

/// Gives the directory up as the threads do.
fn close(rig: &mut Rig) {
    rig.writer().mailbox().close();
    rig.settle();
    assert!(rig.writer().is_saved());
    rig.writer.take().unwrap().close().unwrap();
}

#[test]
fn what_an_async_log_has_survives_the_machine_once_the_directory_was_closed() {
    let mut rig = Rig::new(30);
    let ids = [rig.create(in_memory()).id(), rig.create(small_segments()).id()];
    let expected = ids.map(|id| fill(&mut rig, id, 0..100));
    close(&mut rig);
    rig.disk.crash();
    rig.recover().unwrap();
    assert!(rig.writer().was_closed());
    for (id, expected) in ids.into_iter().zip(expected) {
        assert_records(&read_all(&rig.partition(id), 0), &expected, "all");
        assert_eq!(rig.partition(id).view().tail.iter().count(), 0, "nothing had to be replayed");
    }
}

#[test]
fn a_process_that_died_is_told_from_one_that_closed() {
    let mut rig = Rig::new(31);
    let id = rig.create(small_segments()).id();
    fill(&mut rig, id, 0..3);
    rig.disk.kill();
    rig.recover().unwrap();
    assert!(!rig.writer().was_closed());
    fill(&mut rig, id, 3..6);
    rig.writer().watch().answer_for_losses();
    close(&mut rig);
    rig.recover().unwrap();
    assert!(rig.writer().was_closed());
}

#[test]
fn a_death_is_told_at_each_start_until_somebody_answers_for_it() {
    let mut rig = Rig::new(32);
    rig.create(small_segments());
    rig.disk.crash();
    for round in 0..3 {
        rig.recover().unwrap();
        assert!(!rig.writer().was_closed(), "closed in round {round}");
        close(&mut rig);
        rig.recover().unwrap();
        assert!(!rig.writer().was_closed(), "left in round {round}");
        rig.disk.crash();
    }
    rig.recover().unwrap();
    rig.writer().watch().answer_for_losses();
    close(&mut rig);
    for _ in 0..2 {
        rig.recover().unwrap();
        assert!(rig.writer().was_closed(), "it stays so where nothing was written");
        close(&mut rig);
    }
}

#[test]
fn what_could_not_be_saved_is_to_be_answered_for_at_the_next_start() {
    let mut rig = Rig::new(33);
    let id = rig.create(in_memory()).id();
    fill(&mut rig, id, 0..10);
    rig.disk.fail(Operation::SyncFileSystem, 1);
    rig.disk.fail(Operation::Sync, 1);
    rig.writer().mailbox().close();
    rig.settle();
    assert!(rig.writer().offline().is_some());
    rig.writer.take().unwrap().close().unwrap();
    rig.disk.crash();
    rig.recover().unwrap();
    assert!(!rig.writer().was_closed());
}
