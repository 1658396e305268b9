//! Frames in memory: what is kept, what is counted, and what readers may rely on.

mod sharing;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use strandline_protocol::batch::{BatchBuilder, BatchHeader, BatchView, NewRecord};

use super::memory::CHUNK_BYTES;
use super::{BUDGET_BYTES_MAX, Budget, FrameSlice, Frames, Tail, TailEntry};
use crate::disk::simulated::{self, SimulatedDisk};
use crate::journal::{
    BufferPool, Class, Entry, FrameBuffer, Journal, Options, Position, Reader, Replayed, Staged,
};
use crate::random::Random;

/// The bytes of a frame, which no other frame has.
fn content(sequence: u64, length: usize) -> Vec<u8> {
    let word = sequence.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes();
    let mut bytes = word.repeat(length.div_ceil(word.len()));
    bytes.truncate(length);
    bytes
}

fn keep(frames: &Frames, pool: &BufferPool, sequence: u64, length: usize) {
    frames.keep(sequence, 1, sequence << 20, pool.copy_of(&content(sequence, length)));
}

/// A frame that is small for its buffer.
fn keep_roomy(frames: &Frames, pool: &BufferPool, sequence: u64, length: usize) {
    let buffer = FrameBuffer::roomy(pool, &content(sequence, length), 1 << 20);
    frames.keep(sequence, 1, sequence << 20, buffer);
}

fn all(frames: &Frames, sequence: u64, length: usize) -> Option<FrameSlice> {
    frames.slice(sequence, 0, u32::try_from(length).unwrap())
}

fn is_whole(slice: &FrameSlice, sequence: u64) -> bool {
    slice.as_ref() == content(sequence, slice.as_ref().len())
}

#[test]
fn the_oldest_frames_are_evicted_and_stay_known_until_they_are_forgotten() {
    let (pool, length) = (BufferPool::default(), 1 << 20);
    let frames = Frames::new(Budget::new((4 << 20) - 1));
    for sequence in 5..15 {
        keep(&frames, &pool, sequence, length);
        assert!(frames.budget().used_bytes() <= 4 << 20);
    }
    for sequence in 5..15 {
        let slice = all(&frames, sequence, length);
        assert_eq!(slice.is_some(), sequence >= 12, "{sequence}");
        assert!(slice.is_none_or(|slice| is_whole(&slice, sequence)));
        let expected = Position { file: 1, offset: (sequence << 20) + 100, length: 7 };
        assert_eq!(frames.place(sequence, 100, 7), Some(expected));
    }
    frames.forget_up_to(13);
    assert!(frames.place(13, 0, 1).is_none() && all(&frames, 13, length).is_none());
    assert!(all(&frames, 14, length).is_some() && frames.place(15, 0, 1).is_none());
    frames.forget_up_to(u64::MAX);
    assert_eq!(frames.budget().used_bytes(), 0);
}

#[test]
fn frames_that_nobody_looks_for_give_up_their_memory_and_are_found_in_the_journal() {
    let (pool, length) = (BufferPool::default(), 4 << 10);
    let frames = Frames::new(Budget::new(BUDGET_BYTES_MAX));
    for sequence in 0..200 {
        keep(&frames, &pool, sequence, length);
    }
    let used = frames.budget().used_bytes();
    for (up_to, left) in [(150, 49), (150, 49), (10, 49), (151, 48)] {
        frames.release_up_to(up_to);
        let in_memory = (0..200).filter(|sequence| all(&frames, *sequence, length).is_some());
        assert_eq!(in_memory.collect::<Vec<_>>(), (200 - left..200).collect::<Vec<_>>());
        assert_eq!(frames.budget().used_bytes(), used / 200 * left);
        assert!((0..200).all(|sequence| frames.place(sequence, 0, 1).is_some()));
    }
    keep(&frames, &pool, 200, length);
    frames.release_up_to(u64::MAX);
    assert_eq!(frames.budget().used_bytes(), 0);
    keep(&frames, &pool, 201, length);
    assert!(all(&frames, 201, length).is_some(), "and what comes next is kept");
}

#[test]
fn a_slice_lies_in_its_frame_or_is_none() {
    let (pool, frames) = (BufferPool::default(), Frames::new(Budget::new(BUDGET_BYTES_MAX)));
    keep(&frames, &pool, 1, 60_000);
    let expected = content(1, 60_000);
    assert_eq!(frames.slice(1, 10, 20).unwrap().as_ref(), &expected[10..30]);
    assert_eq!(frames.slice(1, 60_000, 0).unwrap().as_ref(), b"");
    for (offset, length) in [(60_000, 1), (0, 60_001), (u32::MAX, u32::MAX), (60_001, 0)] {
        assert!(frames.slice(1, offset, length).is_none());
    }
}

#[test]
fn numbers_may_be_left_out() {
    let (pool, frames) = (BufferPool::default(), Frames::new(Budget::new(BUDGET_BYTES_MAX)));
    let there = [3, 4, 7, 8, 9, 20];
    for sequence in there {
        keep(&frames, &pool, sequence, 100);
    }
    for sequence in 0..30 {
        let slice = all(&frames, sequence, 100);
        assert_eq!(slice.is_some(), there.contains(&sequence), "{sequence}");
        assert!(slice.is_none_or(|slice| is_whole(&slice, sequence)));
    }
}

#[test]
fn what_recovery_finds_lies_in_the_journal_alone() {
    let (pool, frames) = (BufferPool::default(), Frames::new(Budget::new(BUDGET_BYTES_MAX)));
    for sequence in [4, 4, 5, 5, 5] {
        frames.keep_evicted(sequence, 9, 4_096 * sequence);
    }
    keep(&frames, &pool, 7, 100);
    assert!(frames.slice(5, 0, 1).is_none());
    assert_eq!(frames.place(5, 1, 2), Some(Position { file: 9, offset: 20_481, length: 2 }));
    assert!(all(&frames, 7, 100).is_some());
}

#[test]
fn a_slow_reader_is_counted_and_its_bytes_stay() {
    let (pool, length) = (BufferPool::default(), 1 << 20);
    let frames = Frames::new(Budget::new((4 << 20) - 1));
    let mut held = Vec::new();
    for sequence in 0..3 {
        keep(&frames, &pool, sequence, length);
        held.push(all(&frames, sequence, length).unwrap());
    }
    let used = frames.budget().used_bytes();
    // There is no room but what the reader holds: the newest frame is read from the journal.
    keep(&frames, &pool, 3, length);
    assert!(all(&frames, 3, length).is_none() && frames.place(3, 0, 1).is_some());
    assert!(all(&frames, 0, length).is_none(), "evicted, and still counted");
    assert_eq!(frames.budget().used_bytes(), used);
    assert!(held.iter().zip(0..).all(|(slice, sequence)| is_whole(slice, sequence)));
    held.pop();
    keep(&frames, &pool, 4, length);
    assert!(all(&frames, 4, length).is_some(), "there is room again");
    // As bytes they are the same memory.
    let address = held[1].as_ref().as_ptr();
    let bytes: Vec<_> = held.into_iter().map(FrameSlice::into_bytes).collect();
    assert_eq!(bytes[1].as_ptr(), address);
    drop(frames.clone());
    let budget = frames.budget().clone();
    drop(frames);
    let allocated = used / 3;
    assert_eq!(budget.used_bytes(), 2 * allocated);
    drop(bytes);
    assert_eq!(budget.used_bytes(), 0);
}

#[test]
fn small_frames_share_chunks_and_do_not_keep_their_buffers() {
    let pool = BufferPool::default();
    let frames = Frames::new(Budget::new(4 << 20));
    for sequence in 0..1_000 {
        keep_roomy(&frames, &pool, sequence, 1_000);
    }
    let chunks = 1_000_u64.div_ceil(CHUNK_BYTES as u64 / 1_000);
    assert_eq!(frames.budget().used_bytes(), chunks * CHUNK_BYTES as u64);
    assert!((0..1_000).all(|sequence| is_whole(&all(&frames, sequence, 1_000).unwrap(), sequence)));
    // One of them keeps its whole chunk, which no other frame can take while it does.
    let held = all(&frames, 10, 1_000).unwrap();
    frames.forget_up_to(998);
    assert_eq!(frames.budget().used_bytes(), 2 * CHUNK_BYTES as u64);
    assert!(is_whole(&held, 10));
    drop(held);
    assert_eq!(frames.budget().used_bytes(), CHUNK_BYTES as u64);
    let budget = frames.budget().clone();
    drop(frames);
    assert_eq!(budget.used_bytes(), 0);
}

#[test]
fn a_frame_that_is_small_for_its_buffer_and_large_for_a_chunk_is_copied_alone() {
    let (pool, frames) = (BufferPool::default(), Frames::new(Budget::new(BUDGET_BYTES_MAX)));
    keep_roomy(&frames, &pool, 1, 300_000);
    assert!(frames.budget().used_bytes() < 400_000, "{}", frames.budget().used_bytes());
    assert!(is_whole(&all(&frames, 1, 300_000).unwrap(), 1));
    let before = frames.budget().used_bytes();
    keep_roomy(&frames, &pool, 2, 700_000);
    assert!(frames.budget().used_bytes() - before >= 1 << 20, "its buffer is used well enough");
}

#[test]
fn a_budget_that_is_too_small_for_a_frame_evicts_nothing_for_it() {
    let pool = BufferPool::default();
    let frames = Frames::new(Budget::new(300_000));
    keep_roomy(&frames, &pool, 1, 1_000);
    keep(&frames, &pool, 2, 1 << 20);
    assert!(all(&frames, 1, 1_000).is_some() && all(&frames, 2, 1 << 20).is_none());
    // The open chunk goes where its memory is needed for something else.
    keep(&frames, &pool, 3, 150_000);
    assert!(all(&frames, 1, 1_000).is_none() && all(&frames, 3, 150_000).is_some());
    let nothing = Frames::new(Budget::new(0));
    keep_roomy(&nothing, &pool, 1, 1_000);
    assert!(nothing.slice(1, 0, 1).is_none() && nothing.place(1, 0, 1).is_some());
}

#[test]
fn one_budget_bounds_the_frames_of_several_journals() {
    let (pool, budget, length) = (BufferPool::default(), Budget::new(3 << 20), 1 << 20);
    let both = [Frames::new(budget.clone()), Frames::new(budget.clone())];
    for sequence in 0..10 {
        for frames in &both {
            keep(frames, &pool, sequence, length);
            assert!(budget.used_bytes() <= 3 << 20);
        }
    }
    drop(both);
    assert_eq!(budget.used_bytes(), 0);
}

#[test]
fn random_frames_and_readers_are_counted_exactly() {
    for seed in 0..60 {
        let mut random = Random::from_seed(seed);
        let (pool, budget) = (BufferPool::default(), Budget::new(100_000 + random.below(2 << 20)));
        let frames = Frames::new(budget.clone());
        let (mut held, mut next, mut forgotten) = (Vec::new(), 1, 0);
        for _ in 0..120 {
            match random.below(8) {
                0..=3 => {
                    let length_max = if random.one_in(4) { 600_000 } else { 30_000 };
                    let length = random.index(length_max);
                    if random.one_in(2) {
                        keep(&frames, &pool, next, length);
                    } else {
                        keep_roomy(&frames, &pool, next, length);
                    }
                    next += 1 + u64::from(random.one_in(10));
                }
                4 | 5 => {
                    let sequence = random.below(next);
                    held.extend(frames.slice(sequence, 0, 0).map(|_| sequence).and_then(|sequence| {
                        let length = u32::try_from(random.below(20_000)).unwrap();
                        frames.slice(sequence, 0, length).map(|slice| (slice, sequence))
                    }));
                }
                6 => {
                    forgotten = random.below(next).max(forgotten);
                    frames.forget_up_to(forgotten);
                    assert!(frames.place(forgotten, 0, 0).is_none());
                }
                _ if !held.is_empty() => drop(held.swap_remove(random.index(held.len()))),
                _ => {}
            }
            assert!(budget.used_bytes() <= budget.bytes_max(), "seed {seed}");
            assert!(held.iter().all(|(slice, sequence)| is_whole(slice, *sequence)), "seed {seed}");
        }
        drop(frames);
        assert!((budget.used_bytes() == 0) == held.is_empty(), "seed {seed}: what is held, and nothing else");
        drop(held);
        assert_eq!(budget.used_bytes(), 0, "seed {seed}");
    }
}

/// Slices frames near the newest one and holds some of them; says how often it had one.
fn read_meanwhile(frames: &Frames, newest: &AtomicU64, last: u64, seed: u64) -> u64 {
    let mut random = Random::from_seed(seed);
    let (mut held, mut read) = (VecDeque::new(), 0);
    loop {
        let newest = newest.load(Ordering::Acquire);
        let sequence = newest.saturating_sub(random.below(150));
        if let Some(slice) = frames.slice(sequence, 0, 100) {
            assert!(is_whole(&slice, sequence));
            held.push_back((slice, sequence));
            read += 1;
        }
        if held.len() > 5 {
            let (slice, sequence) = held.pop_front().unwrap();
            assert!(is_whole(&slice, sequence), "after an eviction too");
        }
        if newest == last {
            return read;
        }
    }
}

#[test]
fn readers_see_whole_frames_while_others_come_and_go() {
    const LAST: u64 = 8_000;
    let (pool, budget) = (BufferPool::default(), Budget::new(2 << 20));
    let frames = Frames::new(budget.clone());
    let newest = AtomicU64::new(0);
    let mut used_bytes_max = 0;
    thread::scope(|scope| {
        let readers: Vec<_> = (0..3)
            .map(|seed| {
                let (frames, newest) = (&frames, &newest);
                scope.spawn(move || read_meanwhile(frames, newest, LAST, seed))
            })
            .collect();
        for sequence in 1..=LAST {
            match sequence % 3 {
                0 => keep(&frames, &pool, sequence, 40_000),
                _ => keep_roomy(&frames, &pool, sequence, 5_000),
            }
            if sequence % 100 == 0 {
                frames.forget_up_to(sequence - 90);
            }
            used_bytes_max = used_bytes_max.max(budget.used_bytes());
            newest.store(sequence, Ordering::Release);
        }
        assert!(readers.into_iter().all(|reader| reader.join().unwrap() > 0));
    });
    assert!(used_bytes_max <= budget.bytes_max());
    drop(frames);
    assert_eq!(budget.used_bytes(), 0);
}

fn batch(value: &[u8]) -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    builder.append(&NewRecord { value: Some(value), ..NewRecord::at(9) }).unwrap();
    builder.build().unwrap().to_vec()
}

/// The bytes that an entry names, and whether they come from memory.
fn fetch(frames: &Frames, reader: &Reader, entry: &TailEntry) -> (Vec<u8>, bool) {
    let &TailEntry { frame, offset_in_frame, length, .. } = entry;
    match frames.slice(frame, offset_in_frame, length) {
        Some(slice) => (slice.as_ref().to_vec(), true),
        None => (reader.read(&frames.place(frame, offset_in_frame, length).unwrap()).unwrap(), false),
    }
}

/// Where a batch of one record lies.
fn entry_at(base_offset: i64, frame: u64, offset_in_frame: u32, length: u32) -> TailEntry {
    TailEntry { base_offset, frame, offset_in_frame, length, last_offset_delta: 0, max_timestamp: -1 }
}

#[test]
fn a_batch_is_the_same_from_memory_from_the_journal_and_after_a_recovery() {
    let disk = SimulatedDisk::new(simulated::Options { seed: 1, ..simulated::Options::default() });
    let options = Options {
        file_bytes: 64 << 10,
        bytes_max: 1 << 20,
        entries_max: 1_000,
        group_bytes_max: 16 << 10,
        placed_bytes_min: 64 << 10,
    };
    let recover = |visit: &mut dyn FnMut(Replayed<'_>)| {
        let random = Random::from_seed(disk.operations());
        Journal::recover(Arc::new(disk.clone()), "/journal".into(), options, random, 0, visit).unwrap()
    };
    let mut journal = recover(&mut |_| {});
    let (frames, mut tail) = (Frames::new(Budget::new(300_000)), Tail::new());
    for number in 0..50_u8 {
        let offsets = [2 * i64::from(number), 2 * i64::from(number) + 1];
        let batches = [batch(&[number; 100]), batch(&[number; 9_000])];
        let staged = [0, 1].map(|index| {
            let mut header = BatchHeader::parse(&batches[index]).unwrap();
            header.assign(offsets[index], 3);
            journal.stage_append(7, &header, &batches[index], || 0, Class::Append).unwrap()
        });
        let (committed, buffer) = journal.commit().unwrap().unwrap();
        frames.keep(committed.sequence, committed.file, committed.offset, buffer);
        for (base_offset, Staged { offset, length }) in offsets.into_iter().zip(staged) {
            let frame = committed.sequence;
            tail.push(entry_at(base_offset, frame, offset, length)).unwrap();
        }
    }
    let reader = journal.reader();
    let fetched: Vec<_> = tail.iter_from(0).map(|entry| fetch(&frames, &reader, entry)).collect();
    assert!((10..90).contains(&fetched.iter().filter(|(_, is_in_memory)| *is_in_memory).count()));
    for ((bytes, _), offset) in fetched.iter().zip(0..) {
        let view = BatchView::parse_only(bytes).unwrap();
        view.check_crc().unwrap();
        assert_eq!((view.header().base_offset, view.header().partition_leader_epoch), (offset, 3));
    }
    drop(journal);
    disk.crash();
    let (frames, mut recovered) = (Frames::new(Budget::new(BUDGET_BYTES_MAX)), Tail::new());
    let journal = recover(&mut |replayed| {
        let Replayed { sequence: frame, frame_offset, position, entry } = replayed;
        let Entry::Append { base_offset, .. } = entry else { return };
        frames.keep_evicted(frame, position.file, frame_offset);
        let offset_in_frame = u32::try_from(position.offset - frame_offset).unwrap();
        let length = position.length;
        recovered.push(entry_at(base_offset, frame, offset_in_frame, length)).unwrap();
    });
    assert!(recovered.iter_from(0).eq(tail.iter_from(0)));
    for (entry, (bytes, _)) in recovered.iter_from(0).zip(fetched) {
        assert_eq!(fetch(&frames, &journal.reader(), entry), (bytes, false));
    }
}
