//! Finding by offset and by timestamp, ranges, and going along the batches.

use strandline_protocol::batch::BatchView;
use strandline_protocol::compression::Compression;

use super::{
    PARTITION, Place, append, assert_finds_all, batch, compressed, expected, facts, positions, random_batches,
};
use crate::disk;
use crate::random::Random;
use crate::segment::{Files, FoundTimestamp, Segment, SegmentError, Way};

/// Every timestamp, against a look at every record.
fn assert_finds_timestamps(files: &Files, segment: &Segment, batches: &[Vec<u8>]) {
    for timestamp in 990..1_200 {
        for from_offset in [0, segment.end_offset() / 2] {
            let found = segment.find_timestamp(files, timestamp, from_offset, 1 << 20).unwrap();
            let expected = batches.iter().find_map(|bytes| {
                let view = BatchView::parse(bytes).unwrap();
                let records = view.records(1 << 20).unwrap();
                let mut records = records.iter().map(Result::unwrap);
                let record = records.find(|one| one.timestamp >= timestamp && one.offset >= from_offset)?;
                Some(FoundTimestamp { timestamp: record.timestamp, offset: record.offset, leader_epoch: 3 })
            });
            assert_eq!(found, expected, "{timestamp} from {from_offset}");
        }
    }
}

/// Behind each batch: no record before that has the offset which is told, and it is not far away.
fn assert_bounds(files: &Files, segment: &Segment, batches: &[Vec<u8>]) {
    let mut near = 0;
    for (position, bytes) in positions(batches).into_iter().zip(batches) {
        let bound = segment.offset_bound(files, position + bytes.len() as u64).unwrap();
        let last_offset = facts(bytes).last_offset;
        assert!(last_offset < bound && bound <= segment.end_offset(), "{bound} behind {last_offset}");
        near += usize::from(bound < segment.end_offset());
        assert!(segment.offset_bound(files, position).unwrap() <= bound);
    }
    assert!(near > batches.len() / 2, "{near} of {}", batches.len());
    assert_eq!(segment.offset_bound(files, segment.length()).unwrap(), segment.end_offset());
}

#[test]
fn every_offset_and_timestamp_is_found_in_whatever_state_a_segment_is() {
    for seed in 0..8 {
        let mut random = Random::from_seed(seed);
        let mut place = Place::new();
        let batches = random_batches(&mut random, 60, 3_000);
        let (first, rest) = batches.split_at(20);
        let (second, third) = rest.split_at(20);
        let segment = Segment::begin(PARTITION, 0, 0, 5);
        append(&place.files, &segment, first);
        assert_finds_all(&place.files, &segment, first);
        let facts = segment.facts();
        place.kill();
        let segment = Segment::recovered(PARTITION, 0, &facts);
        append(&place.files, &segment, second);
        append(&place.files, &segment, third);
        assert_finds_all(&place.files, &segment, &batches);
        assert_bounds(&place.files, &segment, &batches);
        assert_finds_timestamps(&place.files, &segment, &batches);
        segment.seal();
        segment.write_indexes(&place.files).unwrap();
        segment.indexes_written(&place.files);
        assert_finds_all(&place.files, &segment, &batches);
        assert_bounds(&place.files, &segment, &batches);
        assert_finds_timestamps(&place.files, &segment, &batches);
        let facts = segment.facts();
        place.kill();
        let segment = Segment::recovered(PARTITION, 0, &facts);
        assert_finds_timestamps(&place.files, &segment, &batches);
        assert_finds_all(&place.files, &segment, &batches);
    }
}

#[test]
fn timestamps_are_found_within_compressed_batches_up_to_a_cap() {
    let place = Place::new();
    let segment = Segment::begin(PARTITION, 0, 0, 5);
    let batches: Vec<_> =
        [Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd, Compression::None]
            .into_iter()
            .zip(0..)
            .map(|(codec, number)| {
                compressed(number * 3, &[number * 10, number * 10 + 5, number * 10 + 2], 900, codec)
            })
            .collect();
    append(&place.files, &segment, &batches);
    for number in 0..5 {
        let found = segment.find_timestamp(&place.files, number * 10 + 3, 0, 10_000).unwrap().unwrap();
        assert_eq!((found.timestamp, found.offset), (number * 10 + 5, number * 3 + 1));
    }
    let error = segment.find_timestamp(&place.files, 3, 0, 1_000).unwrap_err();
    assert!(matches!(error, SegmentError::Records { position: 0, .. }), "{error}");
}

#[test]
fn a_range_is_a_whole_batch_at_least_and_ends_where_one_begins_if_that_is_known() {
    let place = Place::new();
    let segment = Segment::begin(PARTITION, 0, 0, 5);
    let batches: Vec<_> = (0..50).map(|offset| batch(offset, &[1], 6_000)).collect();
    append(&place.files, &segment, &batches);
    let positions = positions(&batches);
    let length = |from: i64, bytes_max| {
        let found = segment.find(&place.files, from).unwrap().unwrap();
        let range = segment.range(&place.files, &found, bytes_max).unwrap();
        assert_eq!(range.offset, positions[usize::try_from(from).unwrap()]);
        let mut bytes = vec![0; usize::try_from(range.length).unwrap()];
        disk::read_exact_at(&*range.file, &mut bytes, range.offset).unwrap();
        assert!(bytes.starts_with(&batches[usize::try_from(from).unwrap()]));
        range.length
    };
    let one = batches[10].len() as u64;
    assert_eq!(length(10, 0), one);
    assert_eq!(length(10, one + 1), one);
    assert_eq!(length(10, 5 * one + 17), 5 * one);
    assert_eq!(length(10, u64::MAX), segment.length() - positions[10]);
    assert_eq!(length(49, 10), one);
}

#[test]
fn what_is_written_and_not_published_is_not_seen() {
    let place = Place::new();
    let segment = Segment::begin(PARTITION, 0, 0, 5);
    let batches = [batch(0, &[1], 10), batch(1, &[2], 10)];
    append(&place.files, &segment, &batches[..1]);
    let found = segment.find(&place.files, 0).unwrap().unwrap();
    segment
        .write(&place.files, segment.length(), &[std::io::IoSlice::new(&batches[1])], Way::ThroughCache)
        .unwrap();
    assert_eq!(segment.find(&place.files, 1).unwrap(), None);
    assert_eq!(segment.range(&place.files, &found, 1 << 20).unwrap().length, batches[0].len() as u64);
    assert_eq!(segment.headers(&place.files, 0).unwrap().count(), 1);
}

#[test]
fn batches_and_headers_come_in_order_from_wherever_one_begins() {
    let place = Place::new();
    let mut random = Random::from_seed(3);
    let segment = Segment::begin(PARTITION, 0, 0, 5);
    let mut batches = random_batches(&mut random, 40, 2_000);
    // One that is larger than a piece.
    batches.push(batch(1_000, &[1_500], 3 << 20));
    batches.push(batch(1_001, &[1_500], 10));
    append(&place.files, &segment, &batches);
    for from in [0, 17, 40, 41] {
        let start = positions(&batches)[from];
        let mut reader = segment.batches(&place.files, start).unwrap();
        for (position, bytes) in positions(&batches).into_iter().zip(&batches).skip(from) {
            let (at, view) = reader.next().unwrap().unwrap();
            assert!(at == position && view.bytes() == bytes.as_slice());
        }
        assert!(reader.next().unwrap().is_none());
        let headers: Vec<_> =
            segment.headers(&place.files, start).unwrap().map(|header| header.unwrap().0).collect();
        assert_eq!(headers, positions(&batches)[from..]);
    }
}

#[test]
fn a_prefix_has_what_lies_wholly_below_the_offset_and_the_whole_stays_readable() {
    for seed in 0..6 {
        let mut random = Random::from_seed(seed);
        let mut place = Place::new();
        let batches = random_batches(&mut random, 30, 3_000);
        let segment = Segment::begin(PARTITION, 0, 0, 5);
        let split = random.index(30);
        append(&place.files, &segment, &batches[..split]);
        let segment = if random.one_in(2) {
            let facts = segment.facts();
            place.kill();
            Segment::recovered(PARTITION, 0, &facts)
        } else {
            segment
        };
        append(&place.files, &segment, &batches[split..]);
        for offset in 0..segment.end_offset() + 1 {
            let kept = batches.iter().take_while(|bytes| facts(bytes).last_offset < offset).count();
            let Some(prefix) = segment.prefix(&place.files, offset).unwrap() else {
                assert_eq!(kept, 0);
                continue;
            };
            let kept = &batches[..kept];
            let (last, timestamp) =
                (facts(kept.last().unwrap()), kept.iter().map(|one| facts(one).max_timestamp).max());
            assert_eq!(
                (prefix.length(), prefix.end_offset()),
                (kept.concat().len() as u64, last.last_offset + 1)
            );
            assert_eq!(Some(prefix.max_timestamp()), timestamp);
            assert!(prefix.is_sealed() && prefix.key() != segment.key());
            for offset in [0, offset / 2, offset - 1, offset] {
                let found = prefix.find(&place.files, offset).unwrap();
                assert_eq!(found.map(|found| (found.position, found.batch)), expected(kept, offset));
            }
        }
        assert_finds_all(&place.files, &segment, &batches);
    }
}

#[test]
fn a_prefix_has_the_indexes_that_it_would_have_if_it_had_never_been_longer() {
    for is_recovered in [false, true] {
        let mut place = Place::new();
        let batches = random_batches(&mut Random::from_seed(9), 40, 3_000);
        let mut segment = Segment::begin(PARTITION, 0, 0, 5);
        append(&place.files, &segment, &batches);
        if is_recovered {
            segment.seal();
            segment.write_indexes(&place.files).unwrap();
            let facts = segment.facts();
            place.kill();
            segment = Segment::recovered(PARTITION, 0, &facts);
        }
        let cut = 25;
        let prefix = segment.prefix(&place.files, facts(&batches[cut]).base_offset).unwrap().unwrap();
        let other = Segment::begin(super::LocalId(8), 0, 0, 5);
        append(&place.files, &other, &batches[..cut]);
        assert_eq!(prefix.indexes(&place.files).unwrap(), other.indexes(&place.files).unwrap());
        prefix.cut(&place.files).unwrap();
        let last = facts(batches.last().unwrap()).last_offset;
        assert!(matches!(segment.find(&place.files, last), Err(SegmentError::Gone { .. })), "not: corrupt");
        prefix.write_indexes(&place.files).unwrap();
        prefix.indexes_written(&place.files);
        assert_finds_all(&place.files, &prefix, &batches[..cut]);
        assert_eq!(place.content(&prefix, crate::layout::FileKind::Log), batches[..cut].concat());
        assert!(segment.find(&place.files, 0).unwrap().is_some(), "what is still there is still read");
    }
}

#[test]
fn readers_see_whole_batches_while_the_writer_goes_on_and_seals() {
    let place = Place::new();
    let batches: Vec<_> = (0..300).map(|offset| batch(offset, &[1_000 + offset], 700)).collect();
    let segment = Segment::begin(PARTITION, 0, 0, 5);
    let read = |mut random: Random| {
        let mut seen = 0;
        while seen < 300 {
            let end_offset = segment.end_offset();
            assert!(end_offset >= seen, "the end goes forward");
            seen = end_offset;
            if seen == 0 {
                continue;
            }
            let offset = random.index(usize::try_from(seen).unwrap());
            let found = segment.find(&place.files, i64::try_from(offset).unwrap()).unwrap().unwrap();
            let range = segment.range(&place.files, &found, random.below(5_000)).unwrap();
            let mut bytes = vec![0; usize::try_from(range.length).unwrap()];
            disk::read_exact_at(&*range.file, &mut bytes, range.offset).unwrap();
            assert!(bytes.starts_with(&batches[offset]), "offset {offset} of {seen}");
        }
    };
    std::thread::scope(|scope| {
        for seed in 0..3 {
            scope.spawn(move || read(Random::from_seed(seed)));
        }
        for batch in batches.chunks(3) {
            append(&place.files, &segment, batch);
        }
        segment.seal();
        segment.write_indexes(&place.files).unwrap();
        segment.indexes_written(&place.files);
    });
    assert_finds_all(&place.files, &segment, &batches);
}
