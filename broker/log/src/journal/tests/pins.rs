//! Readers that hold files which the journal is done with.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use super::super::{Class, Journal, Pinned, Position};
use super::{BLOCK, FOLDER, OPTIONS, append, commit, names, new_disk, recover};
use crate::disk::Disk;
use crate::disk::simulated::{Operation, SimulatedDisk};
use crate::disk::watched::{Step, Watched};
use crate::random::Random;

fn file_bytes(disk: &SimulatedDisk) -> u64 {
    names(disk).iter().map(|name| disk.length_of(&Path::new(FOLDER).join(name)).unwrap()).sum()
}

#[test]
fn the_oldest_files_are_taken_from_readers_that_hold_more_than_a_journal() {
    for large in [false, true] {
        let disk = new_disk(1);
        let free = disk.free_bytes().unwrap();
        let (mut journal, _) = recover(&disk, 0).unwrap();
        let mut held: Vec<(u64, Position, Pinned)> = Vec::new();
        for number in 0..60_u64 {
            // A file of its own, or a part of one.
            let length = if large && number % 5 == 0 { 20 * BLOCK } else { 3 * BLOCK };
            let mut batch = vec![0; length];
            batch[..8].copy_from_slice(&number.to_le_bytes());
            let staged = journal.stage(&append(&batch), Class::Append).unwrap();
            let committed = journal.commit().unwrap().unwrap().0;
            let position = committed.position(&staged);
            held.push((number, position, journal.reader().pin(position.file).unwrap()));
            journal.recycle(committed.sequence).unwrap();
            assert!(journal.reader().pins().held_bytes() <= OPTIONS.bytes_max);
            let used = free - disk.free_bytes().unwrap();
            assert!(used <= 2 * OPTIONS.bytes_max + 3 * OPTIONS.file_bytes, "{number}: {used}");
        }
        assert!(journal.reader().pins().given_up() > 5);
        assert!(journal.reader().pins().held_bytes() > OPTIONS.bytes_max / 2);
        let mut last_gone = 0;
        for (number, position, pinned) in &held {
            let mut bytes = [0; 8];
            match crate::disk::read_exact_at(pinned.file(), &mut bytes, position.offset) {
                Ok(()) => assert_eq!(u64::from_le_bytes(bytes), *number),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
                    last_gone = *number;
                }
            }
        }
        // The newest ones are whole.
        assert!((20..55).contains(&last_gone), "{last_gone}");
        drop(held);
        let last = commit(&mut journal, &[b"on"]).sequence;
        journal.recycle(last).unwrap();
        assert_eq!(journal.reader().pins().held_bytes(), 0);
        assert!(file_bytes(&disk) <= OPTIONS.bytes_max + OPTIONS.file_bytes, "{:?}", names(&disk));
        drop(journal);
        disk.crash();
        recover(&disk, last).unwrap();
    }
}

/// Lets readers hold one file after the other, until the machine stands still or they hold many.
fn hold_many(journal: &mut Journal) {
    let mut held = Vec::new();
    for _ in 0..60 {
        held.push(journal.reader().pin(journal.active.file.sequence));
        if journal.stage(&append(&[7; 3 * BLOCK]), Class::Append).is_err() {
            return;
        }
        let Ok(Some((committed, _))) = journal.commit() else { return };
        if journal.recycle(committed.sequence).is_err() {
            return;
        }
    }
}

#[test]
fn a_file_that_was_taken_from_its_readers_hurts_no_recovery() {
    let mut emptied = None;
    for seed in 0..20 {
        let disk = new_disk(seed);
        let watched = Watched::new(&disk);
        let open = |watched: &Watched, checkpoint| {
            let (disk, random) = (Arc::new(watched.clone()), Random::from_seed(1));
            Journal::recover(disk, FOLDER.into(), OPTIONS, random, checkpoint, |_| {})
        };
        let mut journal = open(&watched, 0).unwrap();
        // The machine stops right behind the emptying of a file. The first time it is looked when that is.
        watched.take_steps();
        watched.halt_before(emptied);
        hold_many(&mut journal);
        let checkpoint = journal.next_sequence() - 2;
        drop(journal);
        let steps = watched.take_steps();
        let is_emptying = |step: &Step| step.operation == Operation::SetLength && step.length == 0;
        let place = steps.iter().position(is_emptying).expect("a file is emptied");
        assert!(emptied.is_none() || steps.len() == place + 1);
        emptied = Some(place + 1);
        disk.crash();
        watched.halt_before(None);
        let mut journal =
            open(&watched, checkpoint - 1).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        commit(&mut journal, &[b"on"]);
    }
}
