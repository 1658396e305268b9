//! Reads segments that Kafka wrote, and holds Kafka's answers about them against ours.

use std::path::Path;
use std::str::FromStr;

use strandline_log::layout::FileKind;
use strandline_log::local_id::LocalId;
use strandline_log::segment::{Files, Segment, SegmentFacts};

use crate::place::{NOW, files, folder};

/// The numbers behind the first word of a line.
fn numbers<T: FromStr<Err: std::fmt::Debug>>(line: &str) -> Vec<T> {
    line.split(' ').skip(1).map(|word| word.parse().unwrap()).collect()
}

/// Reads a segment that Kafka wrote, and holds Kafka's answers against ours.
fn check_segment(folder: &Path, lines: &[&str]) {
    let (first, answers) = lines.split_first().unwrap();
    let &[partition, base_offset, length, end_offset, max_timestamp, first_timestamp] =
        numbers::<i64>(first).as_slice()
    else {
        panic!("{first}");
    };
    let partition = LocalId(u64::try_from(partition).unwrap());
    let mut facts = SegmentFacts::empty(base_offset, 0, NOW);
    facts.length = u64::try_from(length).unwrap();
    (facts.end_offset, facts.max_timestamp, facts.first_timestamp) =
        (end_offset, max_timestamp, first_timestamp);
    facts.is_sealed = true;
    let files = files(folder);
    let segment = Segment::recovered(partition, base_offset, &facts);
    let mut records = Vec::new();
    let mut reader = segment.batches(&files, 0).unwrap();
    while let Some((_, batch)) = reader.next().unwrap() {
        let section = batch.records(1 << 20).unwrap();
        records
            .extend(section.iter().map(|record| record.map(|one| vec![one.offset, one.timestamp]).unwrap()));
    }
    let of =
        |word| answers.iter().filter(move |line| line.starts_with(word)).map(|line| numbers::<i64>(line));
    assert_eq!(records, of("record ").collect::<Vec<_>>(), "{first}");
    for answer in of("find ") {
        let found = segment.find(&files, answer[0]).unwrap();
        let found = found.map_or(-1, |found| i64::try_from(found.position).unwrap());
        assert_eq!(found, answer[1], "offset {} of {first}", answer[0]);
    }
    for answer in of("time ") {
        let found = segment.find_timestamp(&files, answer[0], base_offset, 1 << 20).unwrap();
        let found = found.map_or((-1, -1), |found| (found.offset, found.timestamp));
        assert_eq!(found, (answer[1], answer[2]), "timestamp {} of {first}", answer[0]);
    }
    let aborted = segment.aborted(&files, i64::MIN, i64::MAX).unwrap().transactions;
    let aborted = aborted
        .iter()
        .map(|one| vec![one.producer_id, one.first_offset, one.last_offset, one.last_stable_offset]);
    assert_eq!(aborted.collect::<Vec<_>>(), of("aborted ").collect::<Vec<_>>(), "{first}");
    check_indexes(&files, &segment);
}

/// What we would write into the index files, with and without a look at Kafka's, is what Kafka wrote.
fn check_indexes(files: &Files, segment: &Segment) {
    let path = |kind| files.layout().segment(segment.partition(), segment.base_offset(), kind);
    let kafka = [FileKind::OffsetIndex, FileKind::TimeIndex].map(|kind| std::fs::read(path(kind)).unwrap());
    let ours = segment.indexes(files).unwrap();
    assert!([ours.offsets, ours.times] == kafka, "{segment:?}");
    for kind in [FileKind::OffsetIndex, FileKind::TimeIndex] {
        std::fs::remove_file(path(kind)).unwrap();
    }
    let segment = Segment::recovered(segment.partition(), segment.base_offset(), &segment.facts());
    let ours = segment.indexes(files).unwrap();
    assert!([ours.offsets, ours.times] == kafka, "made anew: {segment:?}");
}

#[test]
#[ignore = "reads the folder that STRANDLINE_SEGMENTS names, for the conformance script"]
fn read_segments_of_kafka() {
    let folder = folder();
    let answers = std::fs::read_to_string(folder.join("kafka.txt")).unwrap();
    let lines: Vec<_> = answers.lines().collect();
    let segments: Vec<_> = lines
        .chunk_by(|_, next| !next.starts_with("segment "))
        .inspect(|lines| check_segment(&folder, lines))
        .collect();
    assert!(segments.len() >= 15, "only {} segments", segments.len());
}
