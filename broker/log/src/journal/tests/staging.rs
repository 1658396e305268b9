//! What is staged in other ways than as a plain entry, and files that are made ahead.

use std::path::PathBuf;
use std::sync::Arc;

use strandline_protocol::batch::{BatchBuilder, BatchHeader, BatchView, HEADER_BYTES, NewRecord};

use super::super::{BufferPool, Class, Entry, Journal, Options, StageError};
use super::{BLOCK, FOLDER, OPTIONS, append, bytes, commit, names, new_disk, recover, recover_with};
use crate::disk::Disk;
use crate::disk::simulated::Operation;
use crate::random::Random;

fn batch(value: &[u8]) -> Vec<u8> {
    let mut builder = BatchBuilder::new().base_offset(5).partition_leader_epoch(-1);
    builder.append(&NewRecord { value: Some(value), ..NewRecord::at(9) }).unwrap();
    builder.build().unwrap().to_vec()
}

#[test]
fn an_appended_batch_gets_its_offset_and_epoch_and_stays_valid() {
    let disk = new_disk(1);
    let (mut journal, _) = recover(&disk, 0).unwrap();
    let batches = [batch(b"one"), batch(&[7; 9_000]), batch(b"")];
    let mut staged = Vec::new();
    for (offset, bytes) in (70..).zip(&batches) {
        let mut header = BatchHeader::parse(bytes).unwrap();
        header.assign(offset, 12);
        staged.push(journal.stage_append(3, &header, bytes, || 0, Class::Append).unwrap());
    }
    let (committed, frame) = journal.commit().unwrap().unwrap();
    for ((offset, original), staged) in (70..).zip(&batches).zip(&staged) {
        let found = &frame.bytes()[staged.offset as usize..][..staged.length as usize];
        assert_eq!(journal.reader().read(&committed.position(staged)).unwrap(), found);
        let view = BatchView::parse_only(found).unwrap();
        view.check_crc().unwrap();
        assert_eq!((view.header().base_offset, view.header().partition_leader_epoch), (offset, 12));
        let others = [&found[8..12], &found[16..]].concat();
        assert_eq!(others, [&original[8..12], &original[16..]].concat(), "nothing else changes");
    }
    drop((journal, frame));
    disk.crash();
    let mut offsets = Vec::new();
    let random = Random::from_seed(1);
    Journal::recover(Arc::new(disk), FOLDER.into(), OPTIONS, random, 0, |replayed| {
        let Entry::Append { partition: 3, base_offset, batch } = replayed.entry else { panic!() };
        assert_eq!(BatchView::parse(batch).unwrap().header().base_offset, base_offset);
        let staged = replayed.position.offset - replayed.frame_offset;
        offsets.push((base_offset, replayed.sequence, replayed.frame_offset, staged));
    })
    .unwrap();
    let expected = (70..).zip(&staged);
    let expected = expected
        .map(|(offset, staged)| (offset, committed.sequence, committed.offset, u64::from(staged.offset)));
    assert!(offsets.into_iter().eq(expected), "replay names the same places");
}

#[test]
fn a_large_batch_lies_in_its_block_as_it_will_in_its_segment_and_is_found_there() {
    let options = Options { file_bytes: 4 << 20, bytes_max: 16 << 20, group_bytes_max: 1 << 20, ..OPTIONS };
    let disk = new_disk(1);
    let (mut journal, _) = recover_with(&disk, options, 0).unwrap();
    let values = [100_000, 65_500, 10, 70_000, 99_999, 66_000].map(|length| vec![7; length]);
    let batches = values.map(|value| batch(&value));
    let mut expected = Vec::new();
    for positions in [[0, 100_123, 0, 4_095, 1, 4_096], [70, 71, 72, 73, 74, 75]] {
        let mut staged = Vec::new();
        for (bytes, position) in batches.iter().zip(positions) {
            let header = BatchHeader::parse(bytes).unwrap();
            staged.push(journal.stage_append(3, &header, bytes, || position, Class::Append).unwrap());
        }
        let (committed, frame) = journal.commit().unwrap().unwrap();
        for ((bytes, position), staged) in batches.iter().zip(positions).zip(&staged) {
            let found = &frame.bytes()[staged.offset as usize..][..staged.length as usize];
            assert_eq!(found, bytes);
            let places = [found.as_ptr().addr() as u64, committed.position(staged).offset, position];
            let is_large = bytes.len() >= 64 << 10;
            assert!(!is_large || places.iter().all(|place| place % BLOCK as u64 == position % BLOCK as u64));
            expected.push((committed.sequence, committed.position(staged)));
        }
    }
    assert!(
        journal
            .stage_append(
                3,
                &BatchHeader::parse(&batches[2]).unwrap(),
                &batches[2],
                || panic!(),
                Class::Append
            )
            .is_ok()
    );
    drop(journal);
    disk.crash();
    let mut found = Vec::new();
    let random = Random::from_seed(1);
    Journal::recover(Arc::new(disk), FOLDER.into(), options, random, 0, |replayed| {
        assert!(matches!(replayed.entry, Entry::Append { partition: 3, .. }));
        found.push((replayed.sequence, replayed.position));
    })
    .unwrap();
    assert_eq!(found, expected, "padding is nothing that anybody hears of");
}

#[test]
fn what_is_too_short_for_a_batch_is_refused() {
    let (mut journal, _) = recover(&new_disk(1), 0).unwrap();
    let header = BatchHeader::parse(&batch(b"one")).unwrap();
    for length in [0, 16, HEADER_BYTES - 1] {
        let refused = journal.stage_append(1, &header, &vec![0; length], || 0, Class::Append).unwrap_err();
        assert!(matches!(refused, StageError::NoBatch { bytes } if bytes == length), "{refused}");
    }
    assert!(!journal.has_staged());
    journal.stage_append(1, &header, &[0; HEADER_BYTES], || 0, Class::Append).unwrap();
}

#[test]
fn a_frame_is_kept_by_who_holds_it_and_its_memory_used_again_after() {
    let (mut journal, _) = recover(&new_disk(1), 0).unwrap();
    let pool = BufferPool::default();
    journal.use_buffers(pool.clone());
    commit(&mut journal, &[b"the group before has memory already"]);
    journal.stage(&append(b"held"), Class::Append).unwrap();
    let (_, held) = journal.commit().unwrap().unwrap();
    let (address, bytes) = (held.bytes().as_ptr(), held.bytes().to_vec());
    for number in 0..4 {
        commit(&mut journal, &[&[number; 3 * BLOCK]]);
        assert_eq!(held.bytes(), bytes);
    }
    drop(held);
    assert!(pool.idle_bytes() > 0);
    let addresses: Vec<_> = (0..2)
        .map(|_| {
            journal.stage(&append(b"again"), Class::Append).unwrap();
            journal.commit().unwrap().unwrap().1
        })
        .collect();
    assert!(addresses.iter().any(|frame| frame.bytes().as_ptr() == address));
}

#[test]
fn with_files_that_are_made_ahead_staging_makes_none() {
    let disk = new_disk(1);
    let (mut journal, _) = recover(&disk, 0).unwrap();
    let mut made = 0;
    loop {
        // As in production: whenever one is wanted, somebody else makes it.
        while let Some(job) = journal.begin_spare() {
            assert!(journal.begin_spare().is_none(), "one at a time");
            assert!(journal.end_spare(job.run()).unwrap());
            made += 1;
        }
        disk.fail(Operation::Create, 1);
        match journal.stage(&append(&[1; 3 * BLOCK]), Class::Append) {
            Ok(_) => drop(journal.commit().unwrap()),
            Err(refused) => break assert!(matches!(refused, StageError::JournalFull), "{refused}"),
        }
        disk.forget_faults();
    }
    assert!(made > 1, "{made}");
    let bytes: u64 =
        names(&disk).iter().map(|name| disk.length_of(&PathBuf::from(FOLDER).join(name)).unwrap()).sum();
    assert!(bytes <= OPTIONS.bytes_max, "no more files than the bound needs");
}

#[test]
fn the_first_file_is_short_and_what_is_behind_it_is_found() {
    let options = Options { file_bytes: 4 << 20, bytes_max: 16 << 20, group_bytes_max: 1 << 20, ..OPTIONS };
    let disk = new_disk(1);
    let (mut journal, _) = recover_with(&disk, options, 0).unwrap();
    let first = PathBuf::from(FOLDER).join(&names(&disk)[0]);
    assert_eq!(disk.length_of(&first).unwrap(), 128 << 10);
    // Small ones for the short file, one that is longer than it is, and some that find another file written beside it.
    let mut sent = Vec::new();
    for round in 0..60_u8 {
        let length = if round == 3 { 600 << 10 } else { 10 << 10 };
        sent.push(vec![round; length]);
        commit(&mut journal, &[&sent[usize::from(round)]]);
        if let Some(job) = journal.begin_spare().filter(|_| round % 2 == 0) {
            assert!(journal.end_spare(job.run()).unwrap());
        }
    }
    drop(journal);
    disk.crash();
    let (mut journal, found) = recover_with(&disk, options, 0).unwrap();
    let expected: Vec<_> = sent.iter().map(|batch| vec![bytes(&append(batch))]).collect();
    assert_eq!(found.into_iter().map(|(_, entries)| entries).collect::<Vec<_>>(), expected);
    // It is not used again: files that are have the common length.
    let last = commit(&mut journal, &[&[7; 100]]).sequence;
    journal.recycle(last).unwrap();
    let lengths =
        names(&disk).into_iter().map(|name| disk.length_of(&PathBuf::from(FOLDER).join(name)).unwrap());
    assert!(lengths.into_iter().all(|length| length == 4 << 20));
}

#[test]
fn a_file_that_is_not_whole_is_nobodys_and_hits_nobody() {
    let disk = new_disk(1);
    let (mut journal, _) = recover(&disk, 0).unwrap();
    let mut late = journal.begin_spare();
    drop(journal);
    // The job runs when another recovery has been, and another journal uses the folder.
    let filling = PathBuf::from(FOLDER).join("filling-00000000000000000077");
    drop(disk.create(&filling, crate::disk::Access::Write).unwrap());
    let (mut journal, _) = recover(&disk, 0).unwrap();
    assert!(names(&disk).iter().all(|name| !name.starts_with("filling")));
    commit(&mut journal, &[b"first"]);
    drop(late.take().map(|job| job.run()));
    for _ in 0..20 {
        commit(&mut journal, &[&[1; 100]]);
    }
    drop(journal);
    disk.crash();
    assert_eq!(recover(&disk, 0).unwrap().1.len(), 21);
}

#[test]
fn a_spare_file_that_cannot_be_made_is_the_end_of_it_and_a_full_disk_is_not() {
    let disk = new_disk(1);
    let (mut journal, _) = recover(&disk, 0).unwrap();
    disk.set_capacity(0);
    let job = journal.begin_spare().unwrap();
    assert!(!journal.end_spare(job.run()).unwrap());
    disk.set_capacity(1 << 40);
    commit(&mut journal, &[b"goes on"]);
    let job = journal.begin_spare().unwrap();
    disk.fail(Operation::Allocate, 1);
    assert!(journal.end_spare(job.run()).is_err());
    assert!(matches!(journal.stage(&append(b"no"), Class::Append), Err(StageError::Failed(_))));
    assert!(journal.begin_spare().is_none());
}
