//! What a directory is like after it was given up.

use super::rules::{fill, in_memory, small_segments};
use super::*;

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
    close(&mut rig);
    rig.recover().unwrap();
    assert!(rig.writer().was_closed());
}
