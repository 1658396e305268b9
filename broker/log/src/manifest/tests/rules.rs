//! One rule each.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::super::chunk::{Chunk, Place};
use super::super::{Changes, ManifestError, Meta};
use super::{FOLDER, LocalId, Model, new_disk, open, partition_row, segment_row};
use crate::disk::simulated::{Operation, SimulatedDisk};
use crate::disk::{Access, Disk};
use crate::journal::{Class, Entry, Error, Journal};
use crate::random::Random;

const ONE: LocalId = LocalId(1);
const TWO: LocalId = LocalId(2);

fn some_changes() -> Changes {
    Changes {
        checkpoint: 7,
        next_local_id: 3,
        partitions: vec![(TWO, partition_row(5)), (ONE, partition_row(4))],
        segments: vec![(TWO, 9, Some(segment_row(2))), (ONE, -1, Some(segment_row(1)))],
        snapshots: vec![(ONE, 10, Some(b"ten".to_vec())), (ONE, 20, Some(b"twenty".to_vec()))],
        removed: vec![],
    }
}

fn files(disk: &SimulatedDisk) -> Vec<PathBuf> {
    let names = disk.list(Path::new(FOLDER)).unwrap().into_iter().map(|entry| entry.name);
    names.filter(|name| name.ends_with(".journal")).map(|name| Path::new(FOLDER).join(name)).collect()
}

#[test]
fn a_new_manifest_is_empty_and_stays_when_the_power_fails() {
    for seed in 0..50 {
        let disk = new_disk(seed);
        drop(open(&disk).unwrap());
        disk.crash();
        assert_eq!(disk.list(Path::new("/")).unwrap().len(), 1, "its folder's name is durable");
        let manifest = open(&disk).unwrap();
        assert_eq!(Model::read(&manifest).unwrap(), Model::default());
        assert_eq!(manifest.snapshot_at_or_below(ONE, i64::MAX).unwrap(), None);
    }
}

#[test]
fn what_is_committed_is_read_back_before_and_after_a_crash() {
    let disk = new_disk(1);
    let manifest = open(&disk).unwrap();
    manifest.commit(&some_changes()).unwrap();
    let mut model = Model::default();
    model.apply(&some_changes());
    assert_eq!(Model::read(&manifest).unwrap(), model);
    assert_eq!(manifest.meta(), Meta { checkpoint: 7, next_local_id: 3 });
    disk.crash();
    assert_eq!(Model::read(&open(&disk).unwrap()).unwrap(), model);
}

#[test]
fn the_newest_snapshot_at_or_below_an_offset_is_found() {
    let manifest = open(&new_disk(1)).unwrap();
    manifest.commit(&some_changes()).unwrap();
    let found = |partition, offset| {
        let found = manifest.snapshot_at_or_below(partition, offset).unwrap();
        found.map(|(offset, bytes)| (offset, String::from_utf8(bytes).unwrap()))
    };
    assert_eq!(found(ONE, 9), None);
    assert_eq!(found(ONE, 10), Some((10, "ten".to_owned())));
    assert_eq!(found(ONE, 19), Some((10, "ten".to_owned())));
    assert_eq!(found(ONE, i64::MAX), Some((20, "twenty".to_owned())));
    assert_eq!(found(TWO, i64::MAX), None);
}

#[test]
fn a_removed_partition_leaves_nothing_and_touches_no_other() {
    let manifest = open(&new_disk(1)).unwrap();
    manifest.commit(&some_changes()).unwrap();
    let changes = Changes {
        removed: vec![ONE],
        segments: vec![(ONE, 5, Some(segment_row(5))), (TWO, 9, None)],
        ..Changes::default()
    };
    manifest.commit(&changes).unwrap();
    let read = Model::read(&manifest).unwrap();
    assert_eq!(read.partitions.keys().collect::<Vec<_>>(), [&TWO]);
    assert!(read.partitions[&TWO].segments.is_empty());
    assert_eq!(manifest.snapshot_at_or_below(ONE, i64::MAX).unwrap(), None);
}

#[test]
fn the_files_stay_in_proportion_to_what_they_say() {
    let disk = new_disk(1);
    let manifest = open(&disk).unwrap();
    let mut model = Model::default();
    for round in 0..300 {
        let partitions = (0..20).map(|number| (LocalId(number), partition_row(round))).collect();
        let changes = Changes { checkpoint: 1, partitions, ..Changes::default() };
        manifest.commit(&changes).unwrap();
        model.apply(&changes);
    }
    assert!(files(&disk).len() <= 4, "{:?}", files(&disk));
    assert_eq!(Model::read(&manifest).unwrap(), model);
    drop(manifest);
    disk.kill();
    assert_eq!(Model::read(&open(&disk).unwrap()).unwrap(), model);
}

#[test]
fn a_reader_keeps_what_it_began_to_read() {
    let disk = new_disk(1);
    let manifest = open(&disk).unwrap();
    manifest.commit(&some_changes()).unwrap();
    let pinned = manifest.pin(|index| index.rows(&super::super::Table::ALL));
    for round in 0..300 {
        let changes = Changes { partitions: vec![(ONE, partition_row(round))], ..Changes::default() };
        manifest.commit(&changes).unwrap();
    }
    let mut rows = 0;
    pinned
        .read(Path::new(FOLDER), |_, _| {
            rows += 1;
            Ok(())
        })
        .unwrap();
    assert_eq!(rows, 6);
}

#[test]
fn a_full_disk_changes_nothing_and_later_there_is_room() {
    let disk = new_disk(1);
    let manifest = open(&disk).unwrap();
    let mut model = Model::default();
    let free = disk.free_bytes().unwrap();
    disk.set_capacity((1 << 40) - free);
    let mut commits_without_room = 0;
    let refused = loop {
        let row = partition_row(commits_without_room);
        let partitions = (0..100).map(|number| (LocalId(number), row.clone())).collect();
        let changes = Changes { partitions, ..Changes::default() };
        match manifest.commit(&changes) {
            Ok(()) => model.apply(&changes),
            Err(ManifestError::DiskFull) => break changes,
            Err(error) => panic!("{error}"),
        }
        commits_without_room += 1;
    };
    assert!(commits_without_room > 0, "room is allocated ahead");
    assert_eq!(Model::read(&manifest).unwrap(), model);
    assert!(matches!(manifest.commit(&refused), Err(ManifestError::DiskFull)));
    disk.set_capacity(1 << 40);
    manifest.commit(&refused).unwrap();
    model.apply(&refused);
    assert_eq!(Model::read(&manifest).unwrap(), model);
    disk.crash();
    assert_eq!(Model::read(&open(&disk).unwrap()).unwrap(), model);
}

#[test]
fn a_commit_that_finds_no_room_for_all_of_it_leaves_what_there_is_to_others() {
    let disk = new_disk(1);
    let manifest = open(&disk).unwrap();
    let free = disk.free_bytes().unwrap();
    disk.set_capacity((1 << 40) - free);
    let row = partition_row(4);
    let large = Changes {
        partitions: (0..10_000).map(|number| (LocalId(number), row.clone())).collect(),
        ..Changes::default()
    };
    assert!(matches!(manifest.commit(&large), Err(ManifestError::DiskFull)));
    // Other rows, and nobody has made room.
    let mut model = Model::default();
    for number in 0..10 {
        let small = Changes { partitions: vec![(LocalId(number), row.clone())], ..Changes::default() };
        manifest.commit(&small).unwrap();
        model.apply(&small);
        assert!(matches!(manifest.commit(&large), Err(ManifestError::DiskFull)));
    }
    assert_eq!(Model::read(&manifest).unwrap(), model);
    disk.set_capacity(1 << 40);
    manifest.commit(&large).unwrap();
    model.apply(&large);
    disk.crash();
    assert_eq!(Model::read(&open(&disk).unwrap()).unwrap(), model);
}

#[test]
fn after_a_failed_sync_nothing_is_tried_again() {
    for operation in [Operation::Sync, Operation::Write] {
        let disk = new_disk(1);
        disk.set_refuses_direct(true);
        let manifest = open(&disk).unwrap();
        disk.fail(operation, 1);
        let error = manifest.commit(&some_changes()).unwrap_err();
        assert!(matches!(error, ManifestError::Journal(Error::Io { .. })), "{error}");
        let operations = disk.operations();
        let error = manifest.commit(&some_changes()).unwrap_err();
        assert!(matches!(error, ManifestError::Journal(Error::Poisoned)), "{error}");
        assert_eq!(disk.operations(), operations);
        assert_eq!(Model::read(&manifest).unwrap(), Model::default());
    }
}

#[test]
fn what_could_be_read_after_a_failed_sync_is_durable_once_it_was_opened() {
    let mut kept = 0;
    for seed in 0..100 {
        let disk = new_disk(seed);
        disk.set_refuses_direct(true);
        let manifest = open(&disk).unwrap();
        // Which of them is the one of the frame depends on the room that has to be made.
        disk.fail(Operation::Sync, 1 + seed % 3);
        if manifest.commit(&some_changes()).is_ok() {
            continue;
        }
        disk.kill();
        let read = Model::read(&open(&disk).unwrap()).unwrap();
        kept += usize::from(read != Model::default());
        disk.crash();
        assert_eq!(Model::read(&open(&disk).unwrap()).unwrap(), read, "seed {seed}");
    }
    assert!(kept > 0);
}

#[test]
fn a_row_that_rots_while_it_is_open_is_reported_with_its_partition() {
    let disk = new_disk(1);
    let manifest = open(&disk).unwrap();
    manifest.commit(&some_changes()).unwrap();
    let key = super::super::Key::of_snapshot(ONE, 20);
    let (_, position) = manifest.index().snapshot_at_or_below(ONE, 30).unwrap();
    assert_eq!(manifest.snapshot_at_or_below(ONE, 30).unwrap().unwrap().0, key.offset);
    let file = Path::new(FOLDER).join(format!("{:020}.journal", position.file));
    disk.flip_bit(&file, position.offset + 2, 3).unwrap();
    let error = manifest.snapshot_at_or_below(ONE, 30).unwrap_err();
    assert!(matches!(error, ManifestError::Row { partition: ONE, .. }), "{error}");
    assert_eq!(manifest.snapshot_at_or_below(ONE, 19).unwrap().unwrap().0, 10);
}

#[test]
fn no_bit_rots_unnoticed() {
    let disk = new_disk(1);
    let manifest = open(&disk).unwrap();
    manifest.commit(&some_changes()).unwrap();
    let mut model = Model::default();
    model.apply(&some_changes());
    manifest.close().unwrap();
    let mut reported = 0;
    let path = &files(&disk)[0];
    // The file's header, a seal, the base, the commit, and a seal.
    for place in (0..5 * 4_096).filter(|place| place % 4_096 < 500) {
        disk.flip_bit(path, place, 0).unwrap();
        match open(&disk) {
            Ok(manifest) => assert_eq!(Model::read(&manifest).unwrap(), model, "byte {place}"),
            Err(ManifestError::Journal(Error::Corrupt { .. } | Error::NewerFormat { .. })) => reported += 1,
            Err(error) => panic!("byte {place}: {error}"),
        }
        // What it was before: opening may have written a seal.
        disk.flip_bit(path, place, 0).unwrap();
    }
    assert!(reported > 300, "{reported}");
}

/// A journal in the manifest's place.
fn write_frames(disk: &SimulatedDisk, frames: &[Entry<'_>]) {
    let shared = std::sync::Arc::new(disk.clone());
    let options = super::OPTIONS.journal();
    let mut journal =
        Journal::recover(shared, FOLDER.into(), options, Random::from_seed(1), 0, |_| {}).unwrap();
    for frame in frames {
        journal.stage(frame, Class::Append).unwrap();
        journal.commit().unwrap();
    }
}

fn chunk(begins: bool, ends: bool, is_base: bool) -> Vec<u8> {
    let mut chunk = Chunk::new();
    chunk.put(super::super::Key::of_segment(ONE, 0), |bytes| segment_row(1).encode(bytes));
    chunk.finish(Place { begins, ends, is_base }).to_vec()
}

#[test]
fn frames_that_come_to_no_manifest_are_refused() {
    let base = Chunk::new().finish(Place { begins: true, ends: true, is_base: true }).to_vec();
    let mut newer = base.clone();
    newer[0] = 9;
    let (whole, rest, torn) = (chunk(true, true, false), chunk(false, true, false), chunk(true, false, true));
    let refused = |frames: &[&[u8]]| {
        let disk = new_disk(1);
        write_frames(&disk, &frames.iter().map(|frame| Entry::Metadata(frame)).collect::<Vec<_>>());
        open(&disk).map(|manifest| Model::read(&manifest).map(drop))
    };
    assert!(matches!(refused(&[&newer]), Err(ManifestError::Newer { found: 9, .. })));
    assert!(matches!(refused(&[&whole]), Err(ManifestError::Corrupt { .. })), "no base");
    assert!(matches!(refused(&[&torn]), Err(ManifestError::Corrupt { .. })), "no whole base");
    assert!(matches!(refused(&[&base, &rest]), Err(ManifestError::Corrupt { sequence: 3, .. })));
    assert!(matches!(refused(&[&base, b"\x01\x03\x63"]), Err(ManifestError::Corrupt { .. })));
    let without_partition = refused(&[&rest, &base, &whole]).unwrap();
    assert!(matches!(without_partition, Err(ManifestError::Row { partition: ONE, .. })));
    assert!(refused(&[&base, &torn]).unwrap().is_ok(), "a transaction without an end never happened");
    let disk = new_disk(1);
    write_frames(&disk, &[Entry::RaftVote(b"vote")]);
    assert!(matches!(open(&disk), Err(ManifestError::Corrupt { .. })));
}

#[test]
fn files_of_no_manifest_are_no_new_manifest() {
    let disk = new_disk(1);
    let manifest = open(&disk).unwrap();
    manifest.commit(&some_changes()).unwrap();
    drop(manifest);
    let path = &files(&disk)[0];
    disk.open(path, Access::Write).unwrap().set_length(4_096).unwrap();
    assert!(matches!(open(&disk), Err(ManifestError::Journal(Error::Corrupt { .. }))));
    disk.fail(Operation::Open, 1);
    let error = open(&disk).unwrap_err();
    let ManifestError::Journal(Error::Io { source, .. }) = error else { panic!("{error}") };
    assert_ne!(source.kind(), ErrorKind::NotFound);
}
