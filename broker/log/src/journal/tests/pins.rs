//! Readers that hold files which the journal is done with.

use std::io::ErrorKind;
use std::path::Path;

use super::super::{Class, Pinned, Position};
use super::{BLOCK, FOLDER, OPTIONS, append, commit, names, new_disk, recover};
use crate::disk::Disk;
use crate::disk::simulated::SimulatedDisk;

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

#[test]
fn a_file_that_was_taken_from_its_readers_hurts_no_recovery() {
    for seed in 0..20 {
        let disk = new_disk(seed);
        let (mut journal, _) = recover(&disk, 0).unwrap();
        let mut held = Vec::new();
        let mut last = 0;
        for _ in 0..40 {
            last = commit(&mut journal, &[&[7; 3 * BLOCK]]).sequence;
            held.push(journal.reader().pin(journal.active.file.sequence).unwrap());
            journal.recycle(last).unwrap();
        }
        assert!(journal.reader().pins().given_up() > 0);
        drop((journal, held));
        disk.crash();
        let (mut journal, _) = recover(&disk, last).unwrap();
        commit(&mut journal, &[b"on"]);
        drop(journal);
        disk.crash();
        assert_eq!(recover(&disk, last).unwrap().1.len(), 1);
    }
}
