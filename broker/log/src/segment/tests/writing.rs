//! Making files, writing them, and what stays of those that others left.

use std::io::{self, IoSlice};
use std::sync::Arc;

use super::{Place, append, assert_finds_all, batch, facts, layout};
use crate::config::{Cleanup, LogConfig};
use crate::disk::simulated::Operation;
use crate::disk::{Access, Disk};
use crate::layout::FileKind;
use crate::segment::{BatchFacts, Segment, SegmentError, SegmentFacts, Way, scan_valid_end};

const LOG: FileKind = FileKind::Log;

#[test]
fn a_segment_without_an_index_is_small() {
    assert!(size_of::<Segment>() < 200, "{}", size_of::<Segment>());
}

#[test]
fn nothing_is_made_before_something_is_written() {
    let place = Place::new();
    let segment = Segment::begin(super::PARTITION, 0, 0, 5);
    assert_eq!(place.files.layout().root(), layout().root());
    assert_eq!(segment.find(&place.files, 0).unwrap(), None);
    assert!(place.disk.list(&layout().logs()).unwrap().is_empty());
}

#[test]
fn the_first_write_makes_the_folders_and_says_so() {
    let place = Place::new();
    let segment = Segment::begin(super::PARTITION, 0, 0, 5);
    let bytes = batch(0, &[1], 10);
    let (head, tail) = bytes.split_at(16);
    let written =
        segment.write(&place.files, 0, &[IoSlice::new(head), IoSlice::new(tail)], Way::ThroughCache).unwrap();
    let partition = segment.partition();
    assert_eq!(written.folders, [layout().partition(partition), layout().shard(partition), layout().logs()]);
    assert_eq!(place.content(&segment, LOG), bytes);
    assert_eq!(segment.length(), 0, "nothing is published by a write");
    let again =
        segment.write(&place.files, bytes.len() as u64, &[IoSlice::new(&bytes)], Way::ThroughCache).unwrap();
    assert!(again.folders.is_empty());
}

#[test]
fn an_orphan_with_the_name_is_replaced_and_its_readers_keep_it() {
    let place = Place::new();
    let orphan = Segment::begin(super::PARTITION, 0, 0, 5);
    append(&place.files, &orphan, &[batch(0, &[1], 5_000), batch(1, &[2], 5_000), batch(2, &[2], 5_000)]);
    orphan.write_indexes(&place.files).unwrap();
    let reader = place.files.log(&orphan, Access::Read).unwrap();
    let segment = Segment::begin(super::PARTITION, 0, 0, 5);
    let bytes = batch(0, &[9], 3);
    append(&place.files, &segment, std::slice::from_ref(&bytes));
    assert_eq!(place.content(&segment, LOG), bytes);
    assert!(!place.is_there(&segment, FileKind::OffsetIndex), "the orphan's index is gone with it");
    assert!(reader.length().unwrap() > 15_000);
}

#[test]
fn garbage_behind_the_published_bytes_is_cut_before_the_first_write() {
    let mut place = Place::new();
    let segment = Segment::begin(super::PARTITION, 0, 0, 5);
    let batches = vec![batch(0, &[1], 10), batch(1, &[2], 10)];
    append(&place.files, &segment, &batches);
    let facts = segment.facts();
    segment.write(&place.files, facts.length, &[IoSlice::new(&[7; 5_000])], Way::ThroughCache).unwrap();
    place.kill();
    let segment = Segment::recovered(super::PARTITION, 0, &facts);
    let more = batch(2, &[3], 10);
    append(&place.files, &segment, std::slice::from_ref(&more));
    assert_eq!(place.content(&segment, LOG), [batches.concat(), more.clone()].concat());
    assert_finds_all(&place.files, &segment, &[batches, vec![more]].concat());
}

#[test]
fn a_file_that_is_too_short_is_not_lengthened_by_a_write() {
    let mut place = Place::new();
    let segment = Segment::begin(super::PARTITION, 0, 0, 5);
    append(&place.files, &segment, &[batch(0, &[1], 100)]);
    let facts = segment.facts();
    place.kill();
    let file = place.disk.open(&place.path(&segment, LOG), Access::Write).unwrap();
    file.set_length(facts.length - 1).unwrap();
    let segment = Segment::recovered(super::PARTITION, 0, &facts);
    let error =
        segment.write(&place.files, facts.length, &[IoSlice::new(b"x")], Way::ThroughCache).unwrap_err();
    assert!(
        matches!(error, SegmentError::Corrupt { position, .. } if position == facts.length - 1),
        "{error}"
    );
    assert_eq!(file.length().unwrap(), facts.length - 1);
}

#[test]
fn a_full_disk_is_told_and_the_write_can_be_repeated() {
    let place = Place::new();
    let segment = Segment::begin(super::PARTITION, 0, 0, 5);
    let bytes = batch(0, &[1], 50_000);
    place.disk.set_capacity(0);
    let error = segment.write(&place.files, 0, &[IoSlice::new(&bytes)], Way::ThroughCache).unwrap_err();
    assert!(error.is_disk_full(), "{error}");
    place.disk.set_capacity(1 << 20);
    let written = segment.write(&place.files, 0, &[IoSlice::new(&bytes)], Way::ThroughCache).unwrap();
    assert_eq!(written.folders.len(), 3, "what the first attempt made is to be synced all the same");
    segment.extend(&[facts(&bytes)], super::INTERVAL);
    assert_finds_all(&place.files, &segment, &[bytes]);
}

#[test]
fn a_first_write_that_fails_anywhere_can_be_repeated() {
    for operation in [Operation::Create, Operation::CreateDirectory, Operation::Write] {
        let place = Place::new();
        let segment = Segment::begin(super::PARTITION, 0, 0, 5);
        let bytes = batch(0, &[1], 5_000);
        place.disk.fail(operation, 1);
        segment.write(&place.files, 0, &[IoSlice::new(&bytes)], Way::ThroughCache).unwrap_err();
        let written = segment.write(&place.files, 0, &[IoSlice::new(&bytes)], Way::ThroughCache).unwrap();
        assert_eq!(written.folders.len(), 3);
        assert_eq!(place.content(&segment, LOG), bytes, "{operation:?}");
    }
}

#[test]
fn segments_roll_by_length_time_index_and_distance() {
    let config = LogConfig { segment_bytes: 1_000, segment_ms: 50, ..LogConfig::default() };
    let next = |base_offset, max_timestamp, bytes| BatchFacts {
        base_offset,
        last_offset: base_offset,
        max_timestamp,
        bytes,
    };
    let segment = Segment::begin(super::PARTITION, 0, 0, 1_000);
    assert!(!segment.room().must_roll(&next(0, 1, 5_000), &config, 9_999), "an empty one takes any batch");
    assert!(segment.room().must_roll(&next(1 << 31, 1, 10), &config, 1_000), "no offset is too far");
    segment.extend(&[next(0, 100, 600)], 4_096);
    assert!(!segment.room().must_roll(&next(1, 150, 400), &config, 9_999));
    assert!(segment.room().must_roll(&next(1, 150, 401), &config, 1_000), "by length");
    assert!(segment.room().must_roll(&next(1, 151, 10), &config, 1_000), "by the records' time");
    let compacts = Cleanup { deletes: false, compacts: true };
    for (cleanup, compaction_lag_max_ms, rolls) in
        [(compacts, 20, true), (compacts, 0, false), (config.cleanup, 20, false)]
    {
        let config = LogConfig { cleanup, compaction_lag_max_ms, ..config };
        assert!(!segment.room().must_roll(&next(1, 120, 10), &config, 9_999));
        let is_rolled = segment.room().must_roll(&next(1, 121, 10), &config, 9_999);
        assert_eq!(is_rolled, rolls, "for the sake of compaction");
    }
    let untimed = Segment::begin(super::PARTITION, 0, 0, 1_000);
    untimed.extend(&[next(0, -1, 10)], 4_096);
    assert!(!untimed.room().must_roll(&next(1, -1, 10), &config, 1_050));
    assert!(
        untimed.room().must_roll(&next(1, -1, 10), &config, 1_051),
        "by the clock where records have no time"
    );
    let tiny = LogConfig { index_bytes_max: 36, index_interval_bytes: 0, ..LogConfig::default() };
    let indexed = Segment::begin(super::PARTITION, 0, 0, 1_000);
    indexed.extend(&[next(0, 1, 10), next(1, 1, 10)], 0);
    assert!(!indexed.room().must_roll(&next(2, 1, 10), &tiny, 1_000));
    indexed.extend(&[next(2, 1, 10)], 0);
    assert!(indexed.room().must_roll(&next(3, 1, 10), &tiny, 1_000), "by the index");
    segment.seal();
    assert!(segment.room().must_roll(&next(1, 100, 1), &config, 1_000), "a sealed one takes nothing");
}

#[test]
fn what_an_asynchronous_log_left_counts_as_far_as_it_is_whole() {
    let mut place = Place::new();
    let segment = Segment::begin(super::PARTITION, 0, 0, 5);
    let batches: Vec<_> = (0..20).map(|offset| batch(offset, &[offset + 100], 3_000)).collect();
    append(&place.files, &segment, &batches[..5]);
    let durable = segment.facts();
    append(&place.files, &segment, &batches[5..]);
    let whole = segment.facts();
    place.kill();
    let path = place.path(&segment, LOG);
    let scan = |place: &Place| {
        let file = place.disk.open(&path, Access::Read).unwrap();
        scan_valid_end(&file, &path, &durable).unwrap()
    };
    assert_eq!(scan(&place), whole);
    let from_nothing = {
        let file = place.disk.open(&path, Access::Read).unwrap();
        scan_valid_end(&file, &path, &SegmentFacts::empty(0, 0, 5)).unwrap()
    };
    assert_eq!(from_nothing, whole);
    // Torn in the middle of the last one, then rotten in one before.
    let file = place.disk.open(&path, Access::Write).unwrap();
    file.set_length(whole.length - 1).unwrap();
    assert_eq!(scan(&place).end_offset, 19);
    place.flip(&segment, LOG, super::positions(&batches)[12] + 100, 3);
    let found = scan(&place);
    assert_eq!(
        (found.end_offset, found.length, found.max_timestamp),
        (12, super::positions(&batches)[12], 111)
    );
    place.disk.fail(Operation::Read, 1);
    let error = scan_valid_end(&(file as Arc<_>), &path, &durable).unwrap_err();
    assert!(matches!(error, SegmentError::Io { source, .. } if source.kind() != io::ErrorKind::NotFound));
}
