//! One rule each, by example.

use std::io::ErrorKind;
use std::path::PathBuf;

use super::super::{Class, Entry, Error, FrameBuffer, Options, StageError, Staged};
use super::{BLOCK, FOLDER, OPTIONS, append, bytes, commit, names, new_disk, recover, recover_with};
use crate::disk::Disk;
use crate::disk::simulated::Operation;

fn file(number: u64) -> PathBuf {
    PathBuf::from(format!("{FOLDER}/{number:020}.journal"))
}

fn corruption(result: Result<impl Sized, Error>) -> (PathBuf, u64) {
    match result.err().expect("the corruption is reported") {
        Error::Corrupt { path, offset, .. } => (path, offset),
        error => panic!("{error}"),
    }
}

fn in_frame<'a>(frame: &'a FrameBuffer, staged: &Staged) -> &'a [u8] {
    &frame.bytes()[staged.offset as usize..][..staged.length as usize]
}

#[test]
fn groups_come_back_as_they_were() {
    let disk = new_disk(1);
    let (mut journal, found) = recover(&disk, 0).unwrap();
    assert_eq!(found, []);
    let large = vec![7; 100_000];
    let groups: [&[Entry<'_>]; 3] = [
        &[append(b"one"), Entry::Truncate { partition: 2, end_offset: 9 }, Entry::RaftVote(b"vote")],
        &[append(&large)],
        &[Entry::CreatePartition { partition: 3, description: b"d" }, append(b"")],
    ];
    let mut expected = Vec::new();
    for group in groups {
        let staged: Vec<_> = group.iter().map(|entry| journal.stage(entry, Class::Append).unwrap()).collect();
        let (committed, frame) = journal.commit().unwrap().unwrap();
        for (entry, staged) in group.iter().zip(&staged) {
            let position = committed.position(staged);
            assert_eq!(journal.reader().read(&position).unwrap(), entry.body());
            assert_eq!(in_frame(&frame, staged), entry.body());
        }
        expected.push((committed.sequence, group.iter().map(bytes).collect::<Vec<_>>()));
    }
    assert!(journal.commit().unwrap().is_none(), "nothing is staged");
    drop(journal);
    disk.crash();
    let (journal, found) = recover(&disk, 0).unwrap();
    assert_eq!(found, expected);
    drop(journal);
    disk.kill();
    assert_eq!(recover(&disk, expected[1].0).unwrap().1, expected[2..], "only above the checkpoint");
}

#[test]
fn replay_says_where_the_bytes_lie() {
    let disk = new_disk(1);
    let (mut journal, _) = recover(&disk, 0).unwrap();
    commit(&mut journal, &[b"first", b"second"]);
    drop(journal);
    disk.kill();
    let mut positions = Vec::new();
    let random = crate::random::Random::from_seed(1);
    let shared = std::sync::Arc::new(disk.clone());
    let journal = super::Journal::recover(shared, FOLDER.into(), OPTIONS, random, 0, |replayed| {
        positions.push((replayed.position, replayed.entry.body().to_vec()));
    });
    let reader = journal.unwrap().reader();
    assert_eq!(positions.len(), 2);
    for (position, expected) in positions {
        assert_eq!(reader.read(&position).unwrap(), expected);
    }
}

#[test]
fn the_next_group_forms_while_one_is_written() {
    let disk = new_disk(1);
    let (mut journal, _) = recover(&disk, 0).unwrap();
    let mut last = journal.next_sequence();
    journal.stage(&append(b"first"), Class::Append).unwrap();
    let mut write = journal.begin_commit().unwrap();
    for number in 0..20_u8 {
        let batch = [number; 3 * BLOCK];
        journal.recycle(last - 1).unwrap();
        journal.stage(&append(&batch), Class::Append).unwrap();
        assert!(matches!(journal.begin_commit(), Err(Error::Busy)), "one at a time");
        let written = std::thread::spawn(|| write.unwrap().run()).join().unwrap();
        last = journal.end_commit(written).unwrap().0.sequence;
        write = journal.begin_commit().unwrap();
    }
    let (last_written, _) = journal.end_commit(write.unwrap().run()).unwrap();
    assert_eq!(last_written.sequence, last + 1);
    drop(journal);
    disk.crash();
    let found = recover(&disk, last).unwrap().1;
    assert_eq!(found, [(last + 1, vec![bytes(&append(&[19; 3 * BLOCK]))])]);
}

#[test]
fn a_failed_write_or_sync_is_the_end_of_it() {
    for operation in [Operation::Sync, Operation::Write] {
        let disk = new_disk(1);
        disk.set_refuses_direct(operation == Operation::Sync);
        let (mut journal, _) = recover(&disk, 0).unwrap();
        commit(&mut journal, &[b"kept"]);
        journal.stage(&append(b"lost"), Class::Append).unwrap();
        disk.fail(operation, 1);
        assert!(matches!(journal.commit(), Err(Error::Io { .. })));
        let before = disk.operations();
        assert!(matches!(journal.commit(), Err(Error::Poisoned)));
        assert!(matches!(journal.recycle(1), Err(Error::Poisoned)));
        let staged = journal.stage(&append(b"no"), Class::Control);
        assert!(matches!(staged, Err(StageError::Failed(Error::Poisoned))));
        assert!(matches!(journal.close(), Err(Error::Poisoned)));
        assert_eq!(disk.operations(), before, "nothing is tried again");
    }
}

#[test]
fn a_full_disk_refuses_appends_and_leaves_nothing_staged() {
    let disk = new_disk(1);
    let (mut journal, _) = recover(&disk, 0).unwrap();
    commit(&mut journal, &[b"first"]);
    disk.set_capacity(0);
    let batch = [1; 3 * BLOCK];
    // What is left of this file takes appends, and the spare one control operations alone.
    let refused = loop {
        match journal.stage(&append(&batch), Class::Append) {
            Ok(_) => drop(journal.commit().unwrap()),
            Err(refused) => break refused,
        };
    };
    assert!(matches!(refused, StageError::DiskFull) && !journal.has_staged());
    for _ in 0..3 {
        journal.stage(&Entry::Metadata(&batch), Class::Control).unwrap();
        journal.commit().unwrap();
    }
    assert!(matches!(journal.stage(&append(b"small"), Class::Append), Err(StageError::DiskFull)));
    disk.set_capacity(1 << 30);
    commit(&mut journal, &[&batch]);
}

#[test]
fn the_bound_refuses_appends_before_control_and_recycling_makes_room() {
    let by_bytes = Options { entries_max: 1_000, ..OPTIONS };
    let by_entries = Options { entries_max: 16, ..OPTIONS };
    for (options, batch) in [(by_bytes, &[1; 3 * BLOCK][..]), (by_entries, b"small")] {
        let disk = new_disk(1);
        let (mut journal, _) = recover_with(&disk, options, 0).unwrap();
        let mut last = 0;
        let refused = loop {
            match journal.stage(&append(batch), Class::Append) {
                Ok(_) => last = journal.commit().unwrap().unwrap().0.sequence,
                Err(refused) => break refused,
            }
        };
        assert!(matches!(refused, StageError::JournalFull), "{refused}");
        journal.stage(&Entry::DeletePartition { partition: 1 }, Class::Control).unwrap();
        journal.commit().unwrap();
        journal.recycle(last + 1).unwrap();
        for _ in 0..100 {
            last = commit(&mut journal, &[batch]).sequence;
            journal.recycle(last).unwrap();
        }
        assert!(names(&disk).len() <= 5, "{:?}", names(&disk));
        drop(journal);
        disk.crash();
        assert_eq!(recover_with(&disk, options, last).unwrap().1, []);
    }
}

#[test]
fn what_never_fits_is_told_from_what_does_not_fit_now() {
    let (mut journal, _) = recover(&new_disk(1), 0).unwrap();
    let huge = vec![0; 200 << 10];
    assert!(matches!(journal.stage(&append(&huge), Class::Append), Err(StageError::TooLarge { .. })));
    let large = vec![0; 180 << 10];
    journal.recycle(journal.next_sequence() - 1).unwrap();
    for _ in 0..3 {
        let sequence = commit(&mut journal, &[&large]).sequence;
        assert!(matches!(journal.stage(&append(&large), Class::Append), Err(StageError::JournalFull)));
        journal.recycle(sequence).unwrap();
    }
    journal.stage(&append(b"small"), Class::Append).unwrap();
    assert!(matches!(journal.stage(&append(&large), Class::Append), Err(StageError::GroupFull)));
}

#[test]
fn a_file_that_is_read_is_not_written_over() {
    let disk = new_disk(1);
    let (mut journal, _) = recover(&disk, 0).unwrap();
    let staged = journal.stage(&append(b"still read"), Class::Append).unwrap();
    let position = journal.commit().unwrap().unwrap().0.position(&staged);
    let pinned = journal.reader().pin(position.file).unwrap();
    for _ in 0..30 {
        let sequence = commit(&mut journal, &[&[9; 3 * BLOCK]]).sequence;
        journal.recycle(sequence).unwrap();
    }
    assert_eq!(journal.reader().read(&position).unwrap_err().kind(), ErrorKind::NotFound);
    let mut bytes = [0; 10];
    pinned.file().read_at(&mut bytes, position.offset).unwrap();
    assert_eq!(&bytes, b"still read");
}

#[test]
fn rot_is_reported_with_file_and_position() {
    let disk = new_disk(1);
    let (mut journal, _) = recover(&disk, 0).unwrap();
    let first = commit(&mut journal, &[&[1; 5_000]]);
    let second = commit(&mut journal, &[&[2; 5_000]]);
    journal.close().unwrap();
    for committed in [first, second] {
        for place in [8, 20, 30, 60, 5_000] {
            disk.flip_bit(&file(1), committed.offset + place, 3).unwrap();
            assert_eq!(corruption(recover(&disk, 0)), (file(1), committed.offset));
            disk.flip_bit(&file(1), committed.offset + place, 3).unwrap();
        }
    }
    disk.flip_bit(&file(1), 13, 0).unwrap();
    assert_eq!(corruption(recover(&disk, 0)), (file(1), 0));
    disk.flip_bit(&file(1), 13, 0).unwrap();
    assert_eq!(recover(&disk, 0).unwrap().1.len(), 2);
}

#[test]
fn a_missing_file_is_reported() {
    let disk = new_disk(1);
    let (mut journal, _) = recover(&disk, 0).unwrap();
    let sequences: Vec<_> = (0..9).map(|_| commit(&mut journal, &[&[1; 3 * BLOCK]]).sequence).collect();
    journal.close().unwrap();
    let elsewhere = PathBuf::from("/elsewhere");
    disk.rename(&file(2), &elsewhere).unwrap();
    assert_eq!(corruption(recover(&disk, sequences[2])), (file(3), 0), "a gap");
    disk.rename(&elsewhere, &file(2)).unwrap();

    disk.rename(&file(1), &elsewhere).unwrap();
    assert_eq!(corruption(recover(&disk, sequences[1])), (file(2), BLOCK as u64), "one that is needed");
    // Nothing in the first file is needed any more.
    assert_eq!(recover(&disk, sequences[2]).unwrap().1.len(), 6);
    for number in [2, 3] {
        disk.remove(&file(number)).unwrap();
    }
    assert_eq!(corruption(recover(&disk, sequences[2])).0, PathBuf::from(FOLDER), "all of them");
}

#[test]
fn a_later_format_is_refused_as_such() {
    let disk = new_disk(1);
    drop(recover(&disk, 0).unwrap());
    disk.flip_bit(&file(1), 8, 1).unwrap();
    let error = recover(&disk, 0).unwrap_err();
    assert!(matches!(error, Error::NewerFormat { found: 3, known: 1, .. }), "{error}");
}

#[test]
fn a_second_recovery_finds_the_same_and_writes_no_other_seal() {
    let disk = new_disk(1);
    let (mut journal, _) = recover(&disk, 0).unwrap();
    commit(&mut journal, &[b"one"]);
    drop(journal);
    disk.crash();
    let (journal, first) = recover(&disk, 0).unwrap();
    let next = journal.next_sequence();
    drop(journal);
    for _ in 0..3 {
        let (journal, again) = recover(&disk, 0).unwrap();
        assert_eq!((journal.next_sequence(), &again), (next, &first));
        drop(journal);
        disk.crash();
    }
}

#[test]
fn files_of_another_length_are_read_and_then_replaced() {
    let disk = new_disk(1);
    let mut expected = 0;
    for file_bytes in [64 << 10, 128 << 10, 32 << 10, 64 << 10] {
        let options = Options { file_bytes, bytes_max: 1 << 20, ..OPTIONS };
        let (mut journal, found) = recover_with(&disk, options, 0).unwrap();
        assert_eq!(found.len(), expected);
        for _ in 0..8 {
            commit(&mut journal, &[&[1; 3 * BLOCK]]);
        }
        expected += 8;
    }
    let (mut journal, found) = recover(&disk, 0).unwrap();
    journal.recycle(found.last().unwrap().0).unwrap();
    for _ in 0..12 {
        let sequence = commit(&mut journal, &[&[1; 3 * BLOCK]]).sequence;
        journal.recycle(sequence).unwrap();
    }
    for name in names(&disk) {
        assert_eq!(disk.length_of(&PathBuf::from(FOLDER).join(name)).unwrap(), OPTIONS.file_bytes);
    }
}

#[test]
fn options_that_contradict_each_other_are_refused() {
    for options in [
        Options { file_bytes: 10_000, ..OPTIONS },
        Options { group_bytes_max: 60 << 10, ..OPTIONS },
        Options { bytes_max: 200 << 10, ..OPTIONS },
        Options { entries_max: 1, ..OPTIONS },
    ] {
        assert!(matches!(recover_with(&new_disk(1), options, 0), Err(Error::Options(_))));
    }
}
