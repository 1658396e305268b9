//! Names that come to belong to other bytes, and descriptors that are closed meanwhile.

use std::io::IoSlice;

use super::{PARTITION, Place, append, assert_finds_all, batch, files_on, layout, random_batches};
use crate::disk::{Access, Disk};
use crate::layout::FileKind;
use crate::random::Random;
use crate::segment::{Files, FilesOptions, Segment, SegmentError};

#[test]
fn a_segment_that_is_held_open_is_read_on_after_its_name_went_to_another() {
    let place = Place::new();
    let batches = random_batches(&mut Random::from_seed(1), 30, 3_000);
    let segment = Segment::begin(PARTITION, 0, 0, 5);
    append(&place.files, &segment, &batches);
    segment.seal();
    segment.write_indexes(&place.files).unwrap();
    segment.indexes_written(&place.files);
    segment.hold_open(&place.files).unwrap();
    let cleaned = layout().cleaned(PARTITION, 0, FileKind::Log, 1);
    let file = place.disk.create(&cleaned, Access::Write).unwrap();
    file.write_at(&[IoSlice::new(&batches[3])], 0).unwrap();
    place.disk.rename(&cleaned, &place.path(&segment, FileKind::Log)).unwrap();
    for kind in [FileKind::OffsetIndex, FileKind::TimeIndex] {
        place.overwrite(&segment, kind, &[1; 48]);
    }
    assert_finds_all(&place.files, &segment, &batches);
    place.files.forget(&segment);
    assert_finds_all(&place.files, &segment, &batches);
}

#[test]
fn a_segment_that_was_let_go_gives_no_bytes_of_its_successor() {
    let place = Place::new();
    let segment = Segment::begin(PARTITION, 0, 0, 5);
    append(&place.files, &segment, &[batch(0, &[1], 10)]);
    let range =
        segment.range(&place.files, &segment.find(&place.files, 0).unwrap().unwrap(), 1 << 20).unwrap();
    segment.let_go();
    let next = Segment::begin(PARTITION, 0, 0, 5);
    append(&place.files, &next, &[batch(0, &[2], 2_000)]);
    let error = segment.find(&place.files, 0).unwrap_err();
    assert!(matches!(error, SegmentError::Gone { partition: PARTITION, base_offset: 0 }), "{error}");
    assert_eq!(range.file.length().unwrap(), range.length, "who held a range keeps its bytes");
    assert!(next.find(&place.files, 0).unwrap().is_some());
}

#[test]
fn a_segment_whose_name_was_taken_without_a_word_gives_no_bytes_of_the_taker_either() {
    let place = Place::new();
    let batches = random_batches(&mut Random::from_seed(1), 30, 3_000);
    let segment = Segment::begin(PARTITION, 0, 0, 5);
    append(&place.files, &segment, &batches);
    segment.seal();
    segment.write_indexes(&place.files).unwrap();
    segment.indexes_written(&place.files);
    let next = Segment::begin(PARTITION, 0, 0, 5);
    append(&place.files, &next, &batches[..2]);
    for _ in 0..2 {
        match segment.find(&place.files, 20) {
            Ok(found) => {
                let expected = super::expected(&batches, 20);
                assert_eq!(found.map(|found| (found.position, found.batch)), expected);
            }
            Err(error) => assert!(matches!(error, SegmentError::Gone { .. }), "{error}"),
        }
        place.files.forget(&segment);
    }
    assert!(matches!(segment.find(&place.files, 20), Err(SegmentError::Gone { .. })));
    // To remove it takes nothing from the one that has the name now, and that one can be removed.
    segment.remove(&place.files).unwrap();
    assert_finds_all(&place.files, &next, &batches[..2]);
    next.remove(&place.files).unwrap();
    assert!(!place.is_there(&next, FileKind::Log));
    let last = Segment::begin(PARTITION, 0, 0, 5);
    append(&place.files, &last, &batches[..1]);
    place.files.forget(&last);
    assert_finds_all(&place.files, &last, &batches[..1]);
}

#[test]
fn removing_a_segment_removes_all_of_its_files_and_can_be_repeated() {
    let place = Place::new();
    let segment = Segment::begin(PARTITION, 0, 0, 5);
    append(&place.files, &segment, &[batch(0, &[1], 10)]);
    segment.seal();
    segment.write_indexes(&place.files).unwrap();
    segment.remove(&place.files).unwrap();
    assert!(place.disk.list(&layout().partition(PARTITION)).unwrap().is_empty());
    assert_eq!(place.files.open_count(), 0);
    segment.remove(&place.files).unwrap();
    assert!(matches!(segment.find(&place.files, 0), Err(SegmentError::Gone { .. })));
}

#[test]
fn descriptors_are_bounded_and_files_stay_open_for_those_who_hold_them() {
    let place = Place::new();
    let options = FilesOptions { descriptors_max: 4, ..FilesOptions::default() };
    let files = Files::new(std::sync::Arc::new(place.disk.clone()), layout(), &options);
    let segments: Vec<_> = (0..10).map(|offset| Segment::begin(PARTITION, offset, 0, 5)).collect();
    for segment in &segments {
        append(&files, segment, &[batch(segment.base_offset(), &[1], 10)]);
        assert!(files.open_count() <= 4);
    }
    let held = files.log(&segments[0], Access::Read).unwrap();
    for segment in &segments {
        assert!(segment.find(&files, 0).unwrap().is_some());
        assert!(files.open_count() <= 4);
    }
    assert!(held.length().unwrap() > 0);
    segments.iter().for_each(|segment| files.forget(segment));
    assert_eq!(files.open_count(), 0);
}

#[test]
fn a_file_opened_for_reading_is_opened_again_for_writing_and_not_the_other_way() {
    let mut place = Place::new();
    let segment = Segment::begin(PARTITION, 0, 0, 5);
    append(&place.files, &segment, &[batch(0, &[1], 10)]);
    let facts = segment.facts();
    place.kill();
    place.files = files_on(&place.disk);
    let segment = Segment::recovered(PARTITION, 0, &facts);
    assert!(segment.find(&place.files, 0).unwrap().is_some());
    append(&place.files, &segment, &[batch(1, &[1], 10)]);
    let before = place.disk.operations();
    place.files.log(&segment, Access::Read).unwrap();
    assert_eq!((place.disk.operations() - before, place.files.open_count()), (0, 1));
}
