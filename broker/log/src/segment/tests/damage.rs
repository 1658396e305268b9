//! Bad bytes, wherever they are: never served, always told, and what is around them stays readable.

use super::{PARTITION, Place, append, batch, facts, positions, random_batches};
use crate::disk::{Access, Disk};
use crate::layout::FileKind;
use crate::random::Random;
use crate::segment::{Segment, SegmentError, SegmentFacts};

const LOG: FileKind = FileKind::Log;

/// Some segment that another process left, of which it wrote the indexes or did not.
fn left(place: &mut Place, batches: &[Vec<u8>], has_indexes: bool) -> SegmentFacts {
    let segment = Segment::begin(PARTITION, 0, 0, 5);
    append(&place.files, &segment, batches);
    if has_indexes {
        segment.seal();
        segment.write_indexes(&place.files).unwrap();
    }
    let facts = segment.facts();
    place.kill();
    facts
}

/// Reads everything that can be found, by offset: which batches are served, and that they are what was written.
fn served(place: &Place, segment: &Segment, batches: &[Vec<u8>]) -> Vec<bool> {
    let serve = |bytes: &Vec<u8>| {
        let offset = facts(bytes).base_offset;
        let found = match segment.find(&place.files, offset) {
            Ok(found) => found.unwrap(),
            Err(error) => {
                assert!(matches!(error, SegmentError::Corrupt { .. }), "{error}");
                return false;
            }
        };
        let range = segment.range(&place.files, &found, 0).unwrap();
        let mut read = vec![0; usize::try_from(range.length).unwrap()];
        crate::disk::read_exact_at(&*range.file, &mut read, range.offset).unwrap();
        // What the checksum does not cover is not told by it: with a wrong base offset, a batch may be taken for
        // one of a gap that compaction has left. But a batch that was written it is.
        let is_it = |bytes: &Vec<u8>| read[16..] == bytes[16..];
        assert!(batches.iter().any(is_it) && (is_it(bytes) || found.batch.base_offset > offset), "{offset}");
        is_it(bytes)
    };
    batches.iter().map(serve).collect()
}

#[test]
fn a_flipped_bit_anywhere_is_never_served_and_costs_few_batches() {
    for seed in 0..250 {
        let mut random = Random::from_seed(seed);
        let mut place = Place::new();
        let batches = random_batches(&mut random, 30, 3_000);
        let known = left(&mut place, &batches, seed % 4 != 0);
        let number = random.index(batches.len());
        let batch = &batches[number];
        let at = match random.below(3) {
            0 => random.index(61),
            _ => random.index(batch.len()),
        };
        let segment = Segment::recovered(PARTITION, 0, &known);
        place.flip(
            &segment,
            LOG,
            positions(&batches)[number] + at as u64,
            u8::try_from(random.below(8)).unwrap(),
        );
        let served = served(&place, &segment, &batches);
        let lost = served.iter().filter(|served| !**served).count();
        if (12..16).contains(&at) {
            assert_eq!(lost, 0, "{seed}: the epoch is not covered");
        } else if at >= 16 {
            assert!(!served[number], "{seed}: byte {at} of batch {number} was flipped, and it was served");
        }
        // Without an index, nothing tells where batches go on behind one whose length is wrong.
        let is_length = (8..12).contains(&at);
        assert!(lost <= 8 || (seed % 4 == 0 && is_length), "{seed}: byte {at} of {number} cost {lost}");
        if at >= 61 {
            assert_eq!(lost, 1, "{seed}");
        }
    }
}

#[test]
fn a_hole_costs_what_it_covers() {
    let mut place = Place::new();
    let batches: Vec<_> = (0..100).map(|offset| batch(offset, &[offset], 5_000)).collect();
    let known = left(&mut place, &batches, true);
    let segment = Segment::recovered(PARTITION, 0, &known);
    let file = place.disk.open(&place.path(&segment, LOG), Access::Write).unwrap();
    file.write_at(&[std::io::IoSlice::new(&[0; 30_000])], positions(&batches)[40] + 2_000).unwrap();
    let served = served(&place, &segment, &batches);
    let lost: Vec<_> = (0..100).filter(|number| !served[*number]).collect();
    assert_eq!(lost, (40..47).collect::<Vec<_>>());
    // A range ends before the bad bytes, and a search by time does not step over them.
    let found = segment.find(&place.files, 35).unwrap().unwrap();
    let range = segment.range(&place.files, &found, u64::MAX).unwrap();
    assert_eq!(range.offset + range.length, positions(&batches)[40]);
    assert_eq!(segment.find_timestamp(&place.files, 39, 0, 1 << 20).unwrap().unwrap().offset, 39);
    assert_eq!(segment.find_timestamp(&place.files, 60, 0, 1 << 20).unwrap().unwrap().offset, 60);
    assert!(segment.find_timestamp(&place.files, 41, 0, 1 << 20).unwrap_err().is_corrupt());
    let mut headers = segment.headers(&place.files, 0).unwrap();
    assert_eq!(headers.by_ref().take_while(Result::is_ok).count(), 40);
    assert!(headers.next().is_none(), "after an error it ends");
    // It can be cut there, and what is kept ends where it can be read.
    let prefix = segment.prefix(&place.files, 43).unwrap().unwrap();
    assert_eq!((prefix.end_offset(), prefix.length()), (40, positions(&batches)[40]));
    let prefix = segment.prefix(&place.files, 60).unwrap().unwrap();
    assert_eq!((prefix.end_offset(), prefix.length()), (60, positions(&batches)[60]));
}

#[test]
fn a_file_that_lost_its_end_is_an_error_there_and_serves_the_rest() {
    for has_indexes in [false, true] {
        let mut place = Place::new();
        let batches: Vec<_> = (0..40).map(|offset| batch(offset, &[offset], 5_000)).collect();
        let known = left(&mut place, &batches, has_indexes);
        let segment = Segment::recovered(PARTITION, 0, &known);
        let file = place.disk.open(&place.path(&segment, LOG), Access::Write).unwrap();
        file.set_length(positions(&batches)[30] + 77).unwrap();
        let served = served(&place, &segment, &batches);
        assert_eq!(served, (0..40).map(|number| number < 30).collect::<Vec<_>>());
    }
}

#[test]
fn only_the_stretches_that_are_read_are_checked() {
    let mut place = Place::new();
    let batches: Vec<_> = (0..80).map(|offset| batch(offset, &[offset], 50_000)).collect();
    let known = left(&mut place, &batches, true);
    let segment = Segment::recovered(PARTITION, 0, &known);
    assert!(known.length > 3 << 20);
    place.flip(&segment, LOG, positions(&batches)[70] + 500, 0);
    let found = segment.find(&place.files, 10).unwrap().unwrap();
    assert_eq!(segment.range(&place.files, &found, 200_000).unwrap().length, batches[0].len() as u64 * 3);
    assert_eq!(segment.bad_from(0), None);
    assert!(segment.find(&place.files, 70).unwrap_err().is_corrupt());
    // What is checked once is not checked again: a bit that flips later goes unnoticed by this process.
    place.flip(&segment, LOG, positions(&batches)[12] + 500, 0);
    assert!(segment.find(&place.files, 12).is_ok());
}

#[test]
fn what_this_process_wrote_is_not_read_to_be_checked() {
    let place = Place::new();
    let segment = Segment::begin(PARTITION, 0, 0, 5);
    let batches: Vec<_> = (0..80).map(|offset| batch(offset, &[offset], 50_000)).collect();
    append(&place.files, &segment, &batches);
    let before = place.disk.operations();
    let found = segment.find(&place.files, 40).unwrap().unwrap();
    segment.range(&place.files, &found, u64::MAX).unwrap();
    assert_eq!(place.disk.operations() - before, 1, "one read of a header");
}

#[test]
fn a_reader_of_whole_batches_stops_at_the_first_bad_one() {
    let mut place = Place::new();
    let batches: Vec<_> = (0..20).map(|offset| batch(offset, &[offset], 500)).collect();
    let known = left(&mut place, &batches, true);
    let segment = Segment::recovered(PARTITION, 0, &known);
    place.flip(&segment, LOG, positions(&batches)[7] + 200, 1);
    let mut reader = segment.batches(&place.files, 0).unwrap();
    for _ in 0..7 {
        assert!(reader.next().unwrap().is_some());
    }
    for _ in 0..2 {
        let error = reader.next().map(|_| ()).unwrap_err();
        let position = positions(&batches)[7];
        assert!(matches!(error, SegmentError::Corrupt { position: at, .. } if at == position), "{error}");
    }
}

#[test]
fn a_disk_that_does_not_answer_is_no_damage() {
    let mut place = Place::new();
    let batches: Vec<_> = (0..40).map(|offset| batch(offset, &[offset], 3_000)).collect();
    let known = left(&mut place, &batches, true);
    for nth in 1..8 {
        let segment = Segment::recovered(PARTITION, 0, &known);
        place.disk.fail(crate::disk::simulated::Operation::Read, nth);
        let first = segment.find(&place.files, 30);
        assert!(first.as_ref().err().is_none_or(|error| !error.is_corrupt()), "{first:?}");
        place.disk.forget_faults();
        assert!(served(&place, &segment, &batches).into_iter().all(|served| served));
    }
}
