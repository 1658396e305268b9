//! The record with the highest timestamp, of those that are there.

use super::rules::small_segments;
use super::*;

/// Three records to a batch, with any timestamps.
fn append_times(rig: &mut Rig, id: LocalId, random: &mut Random, batches: usize) -> Vec<(i64, i64)> {
    let mut records = Vec::new();
    for _ in 0..batches {
        let mut builder = BatchBuilder::new();
        let times = [(); 3].map(|()| 1_000 + i64::try_from(random.below(500)).unwrap());
        for time in times {
            builder.append(&NewRecord { value: Some(&[0; 200]), ..NewRecord::at(time) }).unwrap();
        }
        let base_offset = rig.append(id, builder.build().unwrap()).unwrap();
        records.extend((base_offset..).zip(times));
    }
    records
}

#[test]
fn the_highest_timestamp_is_that_of_a_record_that_is_there() {
    let mut below_start = 0;
    for seed in 0..3 {
        let mut rig = Rig::new(70 + seed);
        let id = rig.create(small_segments()).id();
        let mut random = Random::from_seed(seed);
        // Several segments, and a tail.
        let mut records = append_times(&mut rig, id, &mut random, 40);
        for _ in 0..2 {
            rig.clock.advance(60_000);
            rig.settle();
        }
        records.extend(append_times(&mut rig, id, &mut random, 10));
        let partition = rig.partition(id);
        let segments = partition.view().segments.len();
        let in_tail = partition.view().tail.iter().count();
        assert!(segments > 2 && in_tail == 10, "{segments} segments, {in_tail} batches");
        let end = partition.offsets().end;
        for start_offset in 0..=end {
            rig.call(Command::SetLogStart { partition: id, start_offset }).unwrap();
            let left = records.iter().filter(|(offset, _)| *offset >= start_offset);
            // The first of those that have the highest.
            let expected = left.copied().rev().max_by_key(|(_, time)| *time);
            let found = partition.find_max_timestamp(UpTo::End).unwrap();
            let found = found.map(|found| (found.offset, found.timestamp));
            assert_eq!(found, expected, "seed {seed}, from {start_offset}");
            let highest = partition.max_timestamp();
            below_start += usize::from(highest != expected.map(|(_, time)| time));
        }
    }
    assert!(below_start > 10, "the highest lay below the start {below_start} times");
}
