//! What a check says of directories to which something was done.

use std::io::IoSlice;
use std::path::Path;
use std::sync::Arc;

use strandline_protocol::batch::{BatchBuilder, BatchHeader, NewRecord};

use super::{Engine, Finding, Problem, bytes_of, closed_directory, findings, layout, options, segments};
use crate::config::LogConfig;
use crate::disk::simulated::SimulatedDisk;
use crate::disk::{Access, Disk};
use crate::journal::{Class, Entry, Journal};
use crate::layout::FileKind;
use crate::local_id::LocalId;
use crate::manifest::{Changes, Manifest, ManifestOptions, PartitionRow};
use crate::producers::Producers;
use crate::random::Random;
use crate::segment::SegmentFacts;

/// The one finding that there is.
fn only(findings: Vec<Finding>) -> Finding {
    match <[Finding; 1]>::try_from(findings) {
        Ok([finding]) => finding,
        Err(findings) => panic!("{findings:#?}"),
    }
}

#[test]
fn a_bit_that_rots_in_a_segment_is_found_with_its_batch() {
    let (disk, partition) = closed_directory();
    let (base_offset, length) = segments(&disk, partition)[2];
    let path = layout().segment(partition, base_offset, FileKind::Log);
    disk.flip_bit(&path, length - 10, 3).unwrap();
    let finding = only(findings(&disk));
    assert_eq!((finding.path, finding.problem), (path, Problem::Batch("a batch's checksum is wrong".into())));
    assert!(finding.position.is_some_and(|position| position > 0 && position < length - 10));
}

#[test]
fn every_byte_of_a_segment_counts() {
    let (disk, partition) = closed_directory();
    let (base_offset, length) = segments(&disk, partition)[1];
    let path = layout().segment(partition, base_offset, FileKind::Log);
    for position in (0..length).step_by(13) {
        disk.flip_bit(&path, position, 6).unwrap();
        let found = findings(&disk);
        disk.flip_bit(&path, position, 6).unwrap();
        // Of the leader's epoch nothing can be told.
        let header = bytes_of(&disk, &path);
        let batch = strandline_protocol::batch::batches(&header).map(|batch| batch.unwrap());
        let mut start = 0;
        let within = batch.map(|batch| {
            start += batch.header().total_bytes() as u64;
            start
        });
        let start = within.take_while(|end| *end <= position).last().unwrap_or(0);
        let is_epoch = (12..16).contains(&(position - start));
        assert!(is_epoch || found.iter().any(|finding| finding.path == path), "byte {position}");
    }
}

#[test]
fn files_that_are_cut_or_gone_are_found() {
    let (disk, partition) = closed_directory();
    let (base_offset, length) = segments(&disk, partition)[0];
    let path = layout().segment(partition, base_offset, FileKind::Log);
    let file = disk.open(&path, Access::Write).unwrap();
    file.set_length(length - 1).unwrap();
    let found = findings(&disk);
    let short = Problem::Short { found: length - 1, expected: length };
    assert!(found.contains(&Finding { path: path.clone(), position: Some(length - 1), problem: short }));
    disk.remove(&path).unwrap();
    assert_eq!(only(findings(&disk)), Finding { path, position: None, problem: Problem::Missing });
}

#[test]
fn what_nothing_names_is_found() {
    let (disk, partition) = closed_directory();
    let folder = layout().partition(partition);
    let orphans = [
        layout().segment(partition, 99_999, FileKind::Log),
        layout().cleaned(partition, 0, FileKind::Log, 1),
        folder.join("notes"),
        layout().shard(partition).join("elsewhere"),
        layout().partition(LocalId(77)),
        layout().logs().join("notes"),
    ];
    for orphan in &orphans {
        disk.create(orphan, Access::Write).unwrap();
    }
    let mut found = findings(&disk);
    found.sort_by(|one, other| one.path.cmp(&other.path));
    let mut expected = orphans.map(|path| Finding { path, position: None, problem: Problem::Orphan });
    expected.sort_by(|one, other| one.path.cmp(&other.path));
    assert_eq!(found, expected);
}

#[test]
fn indexes_that_do_not_fit_are_found() {
    let (disk, partition) = closed_directory();
    let (base_offset, _) = segments(&disk, partition)[0];
    for kind in [FileKind::OffsetIndex, FileKind::TimeIndex] {
        let path = layout().segment(partition, base_offset, kind);
        let bytes = bytes_of(&disk, &path);
        assert!(!bytes.is_empty());
        for position in 0..bytes.len() as u64 {
            disk.flip_bit(&path, position, 0).unwrap();
            let finding = only(findings(&disk));
            disk.flip_bit(&path, position, 0).unwrap();
            assert!(matches!(finding.problem, Problem::Index(_)) && finding.path == path, "{finding}");
        }
        disk.remove(&path).unwrap();
        assert!(matches!(only(findings(&disk)).problem, Problem::Index(_)));
        let file = disk.create(&path, Access::Write).unwrap();
        file.write_at(&[IoSlice::new(&bytes)], 0).unwrap();
        assert_eq!(findings(&disk), []);
    }
}

#[test]
fn rot_in_the_manifest_the_journal_and_the_format_is_found() {
    let (disk, _) = closed_directory();
    disk.flip_bit(&layout().format(), 20, 0).unwrap();
    assert!(matches!(only(findings(&disk)).problem, Problem::Format(_)));
    disk.flip_bit(&layout().format(), 20, 0).unwrap();
    for (folder, is_manifest) in [(layout().manifest(), true), (layout().journal(), false)] {
        let files = disk.list(&folder).unwrap().into_iter().filter(|entry| entry.name.ends_with(".journal"));
        let path = folder.join(&files.max().unwrap().name);
        disk.flip_bit(&path, 20, 0).unwrap();
        let finding = only(findings(&disk));
        assert_eq!((finding.path, finding.position), (path.clone(), Some(0)));
        assert_eq!(matches!(finding.problem, Problem::Manifest(_)), is_manifest);
        assert_eq!(matches!(finding.problem, Problem::Journal(_)), !is_manifest);
        disk.flip_bit(&path, 20, 0).unwrap();
    }
    assert_eq!(findings(&disk), []);
}

#[test]
fn a_torn_frame_is_found() {
    let mut torn = 0;
    for seed in 0..100 {
        let mut engine = Engine::new(seed);
        let partition = engine.create();
        engine.append(partition, 1);
        let disk = engine.disk.clone();
        disk.halt_in(1 + seed % 3);
        let appended =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| engine.append(partition, 299)));
        drop((appended, engine));
        disk.crash();
        torn += findings(&disk).iter().filter(|finding| finding.problem == Problem::Torn).count();
    }
    assert!(torn > 0);
}

fn row() -> PartitionRow {
    PartitionRow {
        description: vec![],
        config: LogConfig::default(),
        includes_sequence: 0,
        log_start: 0,
        local_start: None,
        flushed_to: 0,
        cleaned_to: None,
        is_swapping: false,
        epochs: vec![],
    }
}

/// What a check says of a directory of which the manifest and the journal say this.
fn said(changes: &Changes, entries: &[Entry<'_>]) -> Vec<Problem> {
    let Engine { disk, writer } = Engine::new(1);
    drop(writer);
    disk.kill();
    let shared: Arc<dyn Disk> = Arc::new(disk.clone());
    let random = || Random::from_seed(1);
    let manifest = layout().manifest();
    let manifest = Manifest::open(Arc::clone(&shared), &manifest, ManifestOptions::default(), random());
    manifest.unwrap().commit(changes).unwrap();
    let mut journal =
        Journal::recover(shared, layout().journal(), options().journal, random(), 0, |_| {}).unwrap();
    for entry in entries {
        journal.stage(entry, Class::Control).unwrap();
    }
    journal.commit().unwrap();
    drop(journal);
    disk.kill();
    let said = findings(&disk);
    said.into_iter().map(|finding| finding.problem).collect()
}

fn with_rows(partitions: Vec<(LocalId, PartitionRow)>) -> Changes {
    Changes { next_local_id: 9, partitions, ..Changes::default() }
}

fn batch(base_offset: i64) -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    builder.append(&NewRecord { value: Some(b"value"), ..NewRecord::at(1) }).unwrap();
    let mut batch = builder.build().unwrap().to_vec();
    batch[..8].copy_from_slice(&base_offset.to_be_bytes());
    batch
}

#[test]
fn rows_that_contradict_themselves_are_found() {
    let one = LocalId(1);
    assert_eq!(said(&with_rows(vec![(one, row())]), &[]), []);
    let is_row = |changes: &Changes, part: &str| {
        let said = said(changes, &[]);
        let is_it = |problem: &Problem| match problem {
            Problem::Row { what, .. } => what.contains(part),
            _ => false,
        };
        assert!(said.iter().any(is_it), "{part}: {said:?}");
    };
    is_row(&with_rows(vec![(LocalId(9), row())]), "ids are given from 9");
    is_row(&with_rows(vec![(one, PartitionRow { log_start: -1, ..row() })]), "it is from -1");
    let epochs = vec![(2, 0), (1, 5)];
    is_row(&with_rows(vec![(one, PartitionRow { epochs, ..row() })]), "epoch");
    let segment =
        |end_offset, is_sealed| Some(SegmentFacts { end_offset, is_sealed, ..SegmentFacts::empty(0, 0, 0) });
    let with_segments = |segments: Vec<(i64, Option<SegmentFacts>)>| Changes {
        segments: segments.into_iter().map(|(base_offset, facts)| (one, base_offset, facts)).collect(),
        ..with_rows(vec![(one, PartitionRow { flushed_to: 20, ..row() })])
    };
    is_row(&with_segments(vec![(0, segment(10, true)), (9, segment(20, false))]), "begins below 10");
    is_row(&with_segments(vec![(0, segment(10, false)), (10, segment(20, false))]), "not the last one");
    is_row(&with_segments(vec![(0, segment(21, false))]), "its last segment at 21");
    let snapshots = vec![(one, 5, Some(b"what".to_vec()))];
    is_row(&Changes { snapshots, ..with_rows(vec![(one, row())]) }, "its snapshot at 5");
    let mut producers = Producers::new();
    for sequence in 0..8 {
        producers.replay(&of_producer(sequence), None);
    }
    let row_to = |flushed_to| with_rows(vec![(one, PartitionRow { flushed_to, ..row() })]);
    let with_snapshot = |offset, changes| {
        let snapshots = vec![(one, offset, producers.snapshot())];
        Changes { snapshots, ..changes }
    };
    is_row(&with_snapshot(7, row_to(20)), "its snapshot at 7: of producer 7 it knows 7");
    is_row(&with_snapshot(8, row_to(7)), "its snapshot at 8: segments end at 7");
    let lacks = Problem::Gap { partition: one, from: 0, to: 8 };
    assert_eq!(said(&with_snapshot(8, row_to(8)), &[]), [lacks], "nothing of the snapshot");
    let cleaned = PartitionRow { cleaned_to: Some(9), flushed_to: 8, ..row() };
    is_row(&with_rows(vec![(one, cleaned)]), "it ends at 8, and is compacted up to 9");
    let snapshots = vec![(LocalId(2), 5, Some(vec![]))];
    is_row(&Changes { snapshots, ..Changes::default() }, "nothing but a snapshot");
}

/// The header of a batch with one record, which has the producer's sequence number as its offset.
fn of_producer(sequence: i32) -> BatchHeader {
    let mut builder = BatchBuilder::new().producer(7, 0, sequence).base_offset(sequence.into());
    builder.append(&NewRecord { value: Some(b"value"), ..NewRecord::at(1) }).unwrap();
    BatchHeader::parse(&builder.build().unwrap()).unwrap()
}

#[test]
fn a_journal_that_ends_before_what_the_manifest_has_of_it_is_found() {
    let rows = |includes_sequence| with_rows(vec![(LocalId(1), PartitionRow { includes_sequence, ..row() })]);
    let entries = [Entry::SetLogStart { partition: 1, start_offset: 0 }];
    let is_told = |includes_sequence| {
        let said = said(&rows(includes_sequence), &entries);
        said.iter().any(|problem| matches!(problem, Problem::Journal(_)))
    };
    let told: Vec<_> = (0..20).filter(|includes_sequence| is_told(*includes_sequence)).collect();
    let first = told.first().copied().unwrap();
    assert!((2..10).contains(&first) && told.iter().copied().eq(first..20), "{told:?}");
}

#[test]
fn entries_that_do_not_go_on_from_the_manifest_are_found() {
    let changes = with_rows(vec![(LocalId(1), row())]);
    let batches = [0, 1, 5, 2].map(batch);
    let [zero, one, five, two] = [0, 1, 2, 3].map(|number| &batches[number][..]);
    let append = |partition, base_offset, batch| Entry::Append { partition, base_offset, batch };
    assert_eq!(said(&changes, &[append(1, 0, zero), append(1, 1, one)]), []);
    assert_eq!(
        said(&changes, &[append(1, 1, one)]),
        [Problem::Gap { partition: LocalId(1), from: 0, to: 1 }]
    );
    assert_eq!(
        said(&changes, &[append(1, 0, zero), append(1, 0, zero)]),
        [Problem::Overlap { partition: LocalId(1), offset: 0 }]
    );
    let truncated = [append(1, 0, zero), Entry::Truncate { partition: 1, end_offset: 0 }, append(1, 0, zero)];
    assert_eq!(said(&changes, &truncated), []);
    let started = [Entry::SetLogStart { partition: 1, start_offset: 5 }, append(1, 5, five)];
    assert_eq!(said(&changes, &started), []);
    let is_entry = |entries: &[Entry<'_>], part: &str| match &said(&changes, entries)[..] {
        [Problem::Entry { what, .. }] => assert!(what.contains(part), "{what}"),
        other => panic!("{part}: {other:?}"),
    };
    is_entry(&[append(77, 0, zero)], "never came to be");
    is_entry(&[append(1, 0, &zero[..50])], "");
    is_entry(&[append(1, 3, two)], "its batch is for 2");
    is_entry(&[Entry::CreatePartition { partition: 1, description: &[] }], "there already");
    // Of partitions that are no more, the end comes later, or is in no row any more.
    assert_eq!(said(&changes, &[append(2, 7, zero)]), []);
    assert_eq!(said(&changes, &[Entry::DeletePartition { partition: 1 }, append(1, 7, zero)]), []);
}

#[test]
fn a_finding_says_where_and_what() {
    let problem = Problem::Gap { partition: LocalId(2), from: 3, to: 5 };
    let finding = Finding { path: Path::new("/data/x").to_owned(), position: Some(7), problem };
    assert_eq!(
        finding.to_string(),
        "/data/x, byte 7: partition 0000000000000002 lacks the offsets from 3 to 5"
    );
}

#[test]
fn a_gap_between_segments_is_found() {
    let (disk, partition): (SimulatedDisk, _) = closed_directory();
    let all = segments(&disk, partition);
    let shared: Arc<dyn Disk> = Arc::new(disk.clone());
    let random = Random::from_seed(1);
    let manifest = Manifest::open(shared, &layout().manifest(), ManifestOptions::default(), random).unwrap();
    let meta = manifest.meta();
    let changes = Changes {
        checkpoint: meta.checkpoint,
        next_local_id: meta.next_local_id,
        segments: vec![(partition, all[1].0, None)],
        ..Changes::default()
    };
    manifest.commit(&changes).unwrap();
    manifest.close().unwrap();
    let found = findings(&disk);
    let gap = Problem::Gap { partition, from: all[1].0, to: all[2].0 };
    assert!(found.iter().any(|finding| finding.problem == gap), "{found:?}");
    let orphan = layout().segment(partition, all[1].0, FileKind::Log);
    assert!(found.iter().any(|finding| finding.path == orphan && finding.problem == Problem::Orphan));
}
