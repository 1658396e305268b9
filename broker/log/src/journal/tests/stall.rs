//! A disk that hangs in the middle of a commit.

use std::sync::mpsc;
use std::thread;

use super::{append, bytes, commit, new_disk, recover};
use crate::disk::simulated::Operation;
use crate::journal::Class;

const ATTEMPTS: [(bool, Operation); 3] =
    [(false, Operation::Write), (true, Operation::Write), (true, Operation::Sync)];

#[test]
fn nothing_is_acknowledged_while_the_disk_hangs_and_the_next_group_forms() {
    for (refuses_direct, operation) in ATTEMPTS {
        let disk = new_disk(1);
        disk.set_refuses_direct(refuses_direct);
        let (mut journal, _) = recover(&disk, 0).unwrap();
        commit(&mut journal, &[b"first"]);
        journal.stage(&append(b"second"), Class::Append).unwrap();
        let write = journal.begin_commit().unwrap().unwrap();
        let stall = disk.stall(operation, 1);
        let (sender, written) = mpsc::channel();
        let thread = thread::spawn(move || sender.send(write.run()).unwrap());
        assert!(stall.wait_until_reached());
        journal.stage(&append(b"third"), Class::Append).unwrap();
        assert!(journal.begin_commit().is_err(), "only one frame is between its write and its sync");
        assert!(written.try_recv().is_err(), "nothing is durable yet");
        stall.release();
        journal.end_commit(written.recv().unwrap()).unwrap();
        thread.join().unwrap();
        journal.commit().unwrap().unwrap();
        disk.crash();
        let (_, found) = recover(&disk, 0).unwrap();
        let expected = [b"first".as_slice(), b"second", b"third"].map(|batch| vec![bytes(&append(batch))]);
        assert!(found.iter().map(|(_, entries)| entries).eq(&expected), "{operation:?}");
    }
}

#[test]
fn a_machine_that_dies_while_its_disk_hangs_has_acknowledged_nothing_of_the_group() {
    for (refuses_direct, operation) in ATTEMPTS {
        let mut survived: Vec<usize> = (0..60)
            .map(|seed| {
                let disk = new_disk(seed);
                disk.set_refuses_direct(refuses_direct);
                let (mut journal, _) = recover(&disk, 0).unwrap();
                commit(&mut journal, &[b"first"]);
                journal.stage(&append(b"second"), Class::Append).unwrap();
                let stall = disk.stall(operation, 1);
                let thread = thread::spawn(move || journal.commit().is_err());
                assert!(stall.wait_until_reached());
                disk.crash();
                assert!(thread.join().unwrap(), "{operation:?} was acknowledged");
                recover(&disk, 0).unwrap().1.len()
            })
            .collect();
        survived.sort_unstable();
        survived.dedup();
        // The process was never told: either is right, and both happen.
        assert_eq!(survived, [1, 2], "{operation:?}");
    }
}
