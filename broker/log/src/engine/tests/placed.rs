//! Where batches lie in the journal's frames, and where in their segments.

use super::rules::value;
use super::*;
use crate::disk::BLOCK_BYTES;

/// With groups of several large batches.
fn options() -> Options {
    let journal = journal::Options {
        file_bytes: 2 << 20,
        bytes_max: 32 << 20,
        entries_max: 100_000,
        group_bytes_max: 1 << 20,
        ..small_options().journal
    };
    Options { journal, flush_bytes: 1 << 30, reserve_bytes: 32 << 20, ..small_options() }
}

/// Holds where the batches of a log lie that are in no segment against where they will.
fn assert_placed(rig: &mut Rig, id: LocalId) {
    let partition = rig.partition(id);
    let view = partition.view();
    let mut position = view.segments.last().map_or(0, |segment| segment.length());
    for entry in view.tail.iter() {
        let is_large = u64::from(entry.length) >= 64 << 10;
        let block = BLOCK_BYTES as u64;
        assert!(!is_large || u64::from(entry.offset_in_frame) % block == position % block);
        position += u64::from(entry.length);
    }
}

#[test]
fn large_batches_lie_in_memory_as_they_will_in_their_segment_wherever_that_ends() {
    let mut rig = Rig::new(86);
    rig.options = options();
    rig.recover().unwrap();
    // One of them begins a new segment now and then.
    let segment_bytes = [1_000_000, LogConfig::default().segment_bytes];
    let ids = segment_bytes
        .map(|segment_bytes| rig.create(LogConfig { segment_bytes, ..LogConfig::default() }).id());
    let mut expected: Vec<(i64, Vec<u8>)> = Vec::new();
    for round in 0..6_u32 {
        for number in 0..4_u32 {
            let length = [90_000, 70, 65_536][number as usize % 3] + round as usize;
            // Several of a log in one group.
            let mut tickets = Vec::new();
            for value in [value(number, length), value(number + 1, length)] {
                tickets.extend(ids.map(|id| rig.send(append(id, batch(&[&value])))));
                expected.push((i64::try_from(expected.len()).unwrap(), value));
            }
            rig.settle();
            assert!(tickets.iter().all(|ticket| rig.answer(*ticket).unwrap().is_ok()));
        }
        ids.iter().for_each(|id| assert_placed(&mut rig, *id));
        rig.clock.advance(60_000);
        rig.settle();
        let is_flushed = |rig: &mut Rig, id| rig.partition(id).view().tail.is_empty();
        assert!(ids.iter().all(|id| is_flushed(&mut rig, *id)));
    }
    assert!(rig.partition(ids[0]).view().segments.len() > 2, "where it ended earlier");
    for id in ids {
        assert_records(&read_all(&rig.partition(id), 0), &expected, "of a log");
    }
}
