//! Index files: what is written into them, and what happens when they are not what was written.

use super::{PARTITION, Place, append, assert_finds_all, batch, facts, random_batches};
use crate::layout::FileKind;
use crate::random::Random;
use crate::segment::{Aborted, AbortedTransaction, OffsetIndex, Segment, SegmentError, TimeIndex};

const INDEXES: [FileKind; 2] = [FileKind::OffsetIndex, FileKind::TimeIndex];

/// A sealed segment whose indexes are in their files.
fn sealed(place: &Place, batches: &[Vec<u8>]) -> Segment {
    let segment = Segment::begin(PARTITION, 0, 0, 5);
    append(&place.files, &segment, batches);
    segment.seal();
    segment.write_indexes(&place.files).unwrap();
    segment.indexes_written(&place.files);
    segment
}

#[test]
fn entries_are_those_that_kafka_would_write() {
    let place = Place::new();
    // Six of these are more than the interval, five are not.
    let batches: Vec<_> =
        (0..14).map(|number| batch(number * 2, &[number % 4, 50 + number % 4], 350)).collect();
    let bytes = batches[0].len() as u64;
    assert!(bytes * 5 < 4_096 && bytes * 6 > 4_096, "{bytes}");
    let segment = sealed(&place, &batches);
    let offsets = place.content(&segment, FileKind::OffsetIndex);
    let entries: Vec<_> =
        OffsetIndex::new(0, &offsets).entries().map(|entry| (entry.offset, entry.position)).collect();
    assert_eq!(entries, [(13, 6 * bytes), (25, 12 * bytes)]);
    // Behind the batch that ends with 13 comes, as far as the index knows, the one that ends with 25.
    let behind = |offset| OffsetIndex::new(0, &offsets).behind(offset).map(|entry| entry.offset);
    assert_eq!([0, 13, 14, 15, 26].map(behind), [None, None, Some(25), None, None]);
    // It does not: there are some between.
    assert_eq!(segment.find(&place.files, 14).unwrap().unwrap().position, 7 * bytes);
    let times = place.content(&segment, FileKind::TimeIndex);
    let entries: Vec<_> =
        TimeIndex::new(0, &times).entries().map(|entry| (entry.timestamp, entry.offset)).collect();
    assert_eq!(entries, [(53, 7)]);
}

#[test]
fn a_time_index_ends_with_the_largest_timestamp() {
    let place = Place::new();
    let batches: Vec<_> = (0..9).map(|number| batch(number, &[number], 1_100)).collect();
    let segment = sealed(&place, &batches);
    let times = place.content(&segment, FileKind::TimeIndex);
    let last = TimeIndex::new(0, &times).last().unwrap();
    assert_eq!((last.timestamp, last.offset), (8, 8));
    assert_eq!(place.content(&segment, FileKind::OffsetIndex).len(), 16);
}

#[test]
fn indexes_of_what_two_processes_wrote_are_whole() {
    let mut place = Place::new();
    let batches = random_batches(&mut Random::from_seed(2), 50, 3_000);
    let segment = Segment::begin(PARTITION, 0, 0, 5);
    append(&place.files, &segment, &batches[..30]);
    let known = segment.facts();
    place.kill();
    let segment = Segment::recovered(PARTITION, 0, &known);
    append(&place.files, &segment, &batches[30..]);
    segment.seal();
    segment.write_indexes(&place.files).unwrap();
    segment.indexes_written(&place.files);
    let offsets = place.content(&segment, FileKind::OffsetIndex);
    for entry in OffsetIndex::new(0, &offsets).entries() {
        let found = segment.find(&place.files, entry.offset).unwrap().unwrap();
        assert_eq!((found.batch.last_offset, found.position), (entry.offset, entry.position));
    }
    let times = place.content(&segment, FileKind::TimeIndex);
    let times: Vec<_> = TimeIndex::new(0, &times).entries().collect();
    assert!(times.is_sorted_by(|one, next| one.timestamp < next.timestamp && one.offset < next.offset));
    assert_eq!(times.last().unwrap().timestamp, segment.max_timestamp());
    assert_finds_all(&place.files, &segment, &batches);
}

#[test]
fn a_missing_index_is_made_anew() {
    for missing in [&INDEXES[..1], &INDEXES[1..], &INDEXES[..]] {
        let mut place = Place::new();
        let batches = random_batches(&mut Random::from_seed(4), 40, 3_000);
        let segment = sealed(&place, &batches);
        let before = segment.indexes(&place.files).unwrap();
        place.kill();
        for kind in missing {
            crate::disk::Disk::remove(&place.disk, &place.path(&segment, *kind)).unwrap();
        }
        let segment = Segment::recovered(PARTITION, 0, &segment.facts());
        assert_finds_all(&place.files, &segment, &batches);
        assert_eq!(segment.indexes(&place.files).unwrap(), before);
    }
}

#[test]
fn whatever_is_in_an_index_file_offsets_and_timestamps_are_found() {
    for seed in 0..80 {
        let mut random = Random::from_seed(seed);
        let mut place = Place::new();
        let batches = random_batches(&mut random, 25, 3_000);
        let segment = sealed(&place, &batches);
        let kind = INDEXES[random.index(2)];
        let mut bytes = place.content(&segment, kind);
        match random.below(5) {
            0 => bytes.truncate(random.index(bytes.len())),
            1 => bytes.extend([0; 100]),
            2 => random.fill(&mut bytes),
            3 => bytes.fill(0),
            _ => {
                let at = random.index(bytes.len());
                bytes[at] ^= 1 << random.below(8);
            }
        }
        place.kill();
        place.overwrite(&segment, kind, &bytes);
        let known = segment.facts();
        let segment = Segment::recovered(PARTITION, 0, &known);
        if random.one_in(2) {
            assert_finds_all(&place.files, &segment, &batches);
        }
        for timestamp in (1_000..known.max_timestamp + 2).step_by(3) {
            let found = segment.find_timestamp(&place.files, timestamp, 0, 1 << 20).unwrap();
            let first = batches.iter().map(|bytes| facts(bytes)).find(|one| one.max_timestamp >= timestamp);
            let holds =
                |one: super::BatchFacts, offset| (one.base_offset..=one.last_offset).contains(&offset);
            match (found, first) {
                (None, None) => {}
                (Some(found), Some(first)) => assert!(holds(first, found.offset), "{seed}: {timestamp}"),
                other => panic!("{seed}: {timestamp}: {other:?}"),
            }
        }
        assert_finds_all(&place.files, &segment, &batches);
    }
}

#[test]
fn indexes_that_lost_their_ends_hide_nothing() {
    for seed in 0..40 {
        let mut random = Random::from_seed(seed);
        let mut place = Place::new();
        // Timestamps without any order; the largest comes last.
        let mut timestamps: Vec<_> = (0..60).map(|_| i64::try_from(random.below(100)).unwrap()).collect();
        timestamps.push(100);
        let numbered = timestamps.iter().zip(0..);
        let batches: Vec<_> =
            numbered.map(|(timestamp, offset)| batch(offset, &[*timestamp], 1_000)).collect();
        let segment = sealed(&place, &batches);
        let whole = INDEXES.map(|kind| place.content(&segment, kind));
        for _ in 0..6 {
            place.kill();
            for ((kind, whole), entry_bytes) in INDEXES.into_iter().zip(&whole).zip([8, 12]) {
                let kept = random.index(whole.len() / entry_bytes + 1) * entry_bytes;
                place.overwrite(&segment, kind, &whole[..kept]);
            }
            let segment = Segment::recovered(PARTITION, 0, &segment.facts());
            for timestamp in (0..102).step_by(3) {
                let found = segment.find_timestamp(&place.files, timestamp, 0, 1 << 20).unwrap();
                let first = timestamps.iter().position(|one| *one >= timestamp);
                let first = first.map(|first| i64::try_from(first).unwrap());
                assert_eq!(found.map(|found| found.offset), first, "{timestamp} in seed {seed}");
            }
        }
    }
}

#[test]
fn an_index_is_kept_while_there_is_room_and_read_again_after() {
    let place = Place::new();
    let batches = random_batches(&mut Random::from_seed(4), 40, 3_000);
    let segment = sealed(&place, &batches);
    segment.find(&place.files, 40).unwrap();
    let before = place.disk.operations();
    segment.find(&place.files, 40).unwrap();
    let cached = place.disk.operations() - before;
    place.files.forget(&segment);
    let before = place.disk.operations();
    segment.find(&place.files, 40).unwrap();
    assert!(place.disk.operations() - before > cached + 4);
}

fn aborted(
    producer_id: i64,
    first_offset: i64,
    last_offset: i64,
    last_stable_offset: i64,
) -> AbortedTransaction {
    AbortedTransaction { producer_id, first_offset, last_offset, last_stable_offset }
}

#[test]
fn aborted_transactions_are_found_before_and_after_they_are_in_a_file() {
    let mut place = Place::new();
    let segment = Segment::begin(PARTITION, 0, 0, 5);
    append(&place.files, &segment, &(0..30).map(|offset| batch(offset, &[1], 10)).collect::<Vec<_>>());
    let all = [aborted(1, 2, 5, 4), aborted(2, 4, 9, 10), aborted(1, 12, 20, 21)];
    all.iter().for_each(|one| segment.add_aborted(*one));
    let check = |place: &Place, segment: &Segment| {
        let find = |from, to| segment.aborted(&place.files, from, to).unwrap();
        assert_eq!(find(0, 30), Aborted { transactions: all.to_vec(), is_complete: false });
        assert_eq!(find(0, 4), Aborted { transactions: vec![all[0]], is_complete: true });
        assert_eq!(find(6, 10), Aborted { transactions: vec![all[1]], is_complete: true });
        assert_eq!(find(6, 12), Aborted { transactions: vec![all[1]], is_complete: true });
        assert_eq!(find(21, 30), Aborted { transactions: vec![], is_complete: false });
    };
    check(&place, &segment);
    segment.seal();
    segment.write_indexes(&place.files).unwrap();
    check(&place, &segment);
    segment.indexes_written(&place.files);
    check(&place, &segment);
    assert_eq!(place.content(&segment, FileKind::TransactionIndex).len(), 3 * 34);
    let known = segment.facts();
    place.kill();
    check(&place, &Segment::recovered(PARTITION, 0, &known));
    let prefix = Segment::recovered(PARTITION, 0, &known).prefix(&place.files, 15).unwrap().unwrap();
    assert_eq!(prefix.aborted(&place.files, 0, 30).unwrap().transactions, all[..2]);
    // No reader may believe that there were none.
    for (at, byte) in [(0, 1), (33 + 19, 0xff), (2 * 34 + 17, 0x70)] {
        place.kill();
        let mut bytes = super::super::transactions::encode(&all);
        bytes[at] = byte;
        place.overwrite(&segment, FileKind::TransactionIndex, &bytes);
        let error = Segment::recovered(PARTITION, 0, &known).aborted(&place.files, 0, 30).unwrap_err();
        assert!(matches!(error, SegmentError::Corrupt { .. }), "{error}");
    }
}

#[test]
fn a_segment_without_aborted_transactions_has_no_file_for_them() {
    let place = Place::new();
    let segment = sealed(&place, &[batch(0, &[1], 10)]);
    assert!(!place.is_there(&segment, FileKind::TransactionIndex));
    assert!(place.content(&segment, FileKind::OffsetIndex).is_empty());
    assert_eq!(place.content(&segment, FileKind::TimeIndex).len(), 12);
}
