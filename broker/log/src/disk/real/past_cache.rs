//! Writing past the page cache what nobody is expected to read from there.
//!
//! Most of what a large write costs is the pages that the system has to find for it, and clear of something else. Past
//! the cache there are none: what lies in memory as it will lie in the file, a block's border at a block's border, goes
//! to the disk from where it is, and the rest is copied into memory that is used again and again. Only whole blocks can
//! go that way; what is left of a block at either end goes through the cache.

use std::io::{self, IoSlice};
use std::ops::Range;
use std::slice;
use std::sync::Mutex;

use memmap2::MmapMut;

use super::lock;
use crate::disk::BLOCK_BYTES;

/// So much is copied at the most before it is written.
const STAGED_BYTES: usize = 1 << 20;

/// The memory of writes that are not under way. Pages of the system's begin at a block's border.
#[derive(Debug, Default)]
pub(super) struct Staging {
    spare: Mutex<Vec<MmapMut>>,
}

impl Staging {
    /// Gives memory for a write, and takes it back.
    pub(super) fn with<T>(&self, write: impl FnOnce(&mut [u8]) -> io::Result<T>) -> io::Result<T> {
        let spare = lock(&self.spare).pop();
        let mut memory = match spare {
            Some(memory) => memory,
            None => MmapMut::map_anon(STAGED_BYTES)?,
        };
        let written = write(&mut memory);
        lock(&self.spare).push(memory);
        written
    }
}

/// A part that has less is copied: to name it to the system, and to pin its pages, is as dear.
const DIRECT_BYTES_MIN: usize = 16 << 10;

/// So many parts at the most are written at once.
const PARTS_MAX: usize = 128;

/// So much at the most is written at once.
const WRITTEN_BYTES_MAX: u64 = 4 << 20;

/// How a write is split: what is left of the block that it begins in, whole blocks, and what is left.
pub(super) fn split(offset: u64, length: u64) -> [Range<u64>; 3] {
    let block = BLOCK_BYTES as u64;
    let end = offset.saturating_add(length);
    let first = offset.next_multiple_of(block).min(end);
    let last = (end / block * block).max(first);
    [offset..first, first..last, last..end]
}

/// The bytes of a write that are still to be written.
#[derive(Debug)]
pub(super) struct Rest<'a> {
    parts: slice::Iter<'a, IoSlice<'a>>,
    front: &'a [u8],
}

impl<'a> Rest<'a> {
    pub(super) fn of(parts: &'a [IoSlice<'a>]) -> Self {
        Self { parts: parts.iter(), front: &[] }
    }

    /// The first part that has bytes.
    fn front(&mut self) -> &'a [u8] {
        while self.front.is_empty() {
            let Some(next) = self.parts.next() else { break };
            self.front = next;
        }
        self.front
    }

    /// Takes so many bytes of the first part, which has as many.
    fn take(&mut self, bytes: usize) -> &'a [u8] {
        let (taken, left) = self.front().split_at_checked(bytes).unwrap_or_default();
        self.front = left;
        taken
    }

    /// Takes as many bytes as `place` holds.
    pub(super) fn take_into(&mut self, mut place: &mut [u8]) {
        while !place.is_empty() && !self.front().is_empty() {
            let bytes = self.front().len().min(place.len());
            let (now, later) = place.split_at_mut(bytes);
            now.copy_from_slice(self.take(bytes));
            place = later;
        }
    }

    /// How much of the first part can be written from where it is, at a block's border.
    fn direct_bytes(&mut self, bytes_max: usize) -> usize {
        let front = self.front();
        let is_at_border = front.as_ptr().addr().is_multiple_of(BLOCK_BYTES);
        let bytes = front.len().min(bytes_max) / BLOCK_BYTES * BLOCK_BYTES;
        if is_at_border && bytes >= DIRECT_BYTES_MIN { bytes } else { 0 }
    }

    /// How much is copied next: whole blocks of the first part, or one that ends in another part. The borders of a part's
    /// blocks are at the file's, or none of them is.
    fn copied_bytes(&mut self, bytes_max: usize) -> usize {
        (self.front().len() / BLOCK_BYTES).max(1).saturating_mul(BLOCK_BYTES).min(bytes_max)
    }

    /// What comes next of so many bytes, whole blocks at a block's border, as parts that begin and end at such: as much as
    /// is written at once. What does not lie so in memory is copied.
    pub(super) fn gather<'m>(&mut self, mut memory: &'m mut [u8], length: u64) -> Vec<IoSlice<'m>>
    where
        'a: 'm,
    {
        let mut gathered = Vec::new();
        let mut left = usize::try_from(length.min(WRITTEN_BYTES_MAX)).unwrap_or(0);
        while left > 0 && gathered.len() < PARTS_MAX {
            let direct = self.direct_bytes(left);
            let part = if direct > 0 {
                self.take(direct)
            } else {
                let copied = self.copy_next(memory, left);
                let (copy, later) = std::mem::take(&mut memory).split_at_mut(copied);
                memory = later;
                copy
            };
            if part.is_empty() {
                break;
            }
            left -= part.len();
            gathered.push(IoSlice::new(part));
        }
        gathered
    }

    /// Copies what comes next, until there is something that need not be copied, or no more room; says how much.
    fn copy_next(&mut self, memory: &mut [u8], left: usize) -> usize {
        let room = memory.len().min(left);
        let mut copied = 0;
        while copied < room && self.direct_bytes(left - copied) == 0 {
            let bytes = self.copied_bytes(room - copied);
            self.take_into(memory.get_mut(copied..copied + bytes).unwrap_or_default());
            copied += bytes;
        }
        copied
    }
}

#[cfg(test)]
mod tests {
    use std::io::IoSlice;

    use memmap2::MmapMut;

    use super::{BLOCK_BYTES, PARTS_MAX, Rest, STAGED_BYTES, split};
    use crate::random::Random;

    /// Bytes that begin so far behind a block's border in memory.
    struct Placed {
        memory: MmapMut,
        start: usize,
    }

    impl Placed {
        fn new(bytes: &[u8], at: usize) -> Self {
            let start = at % BLOCK_BYTES;
            let mut memory = MmapMut::map_anon(start + bytes.len() + 1).unwrap();
            memory[start..start + bytes.len()].copy_from_slice(bytes);
            Self { memory, start }
        }

        fn part(&self, length: usize) -> IoSlice<'_> {
            IoSlice::new(&self.memory[self.start..self.start + length])
        }
    }

    /// All that a write's whole blocks are, and how much of it was copied.
    fn gather_all(parts: &[IoSlice<'_>], offset: usize) -> (Vec<u8>, usize) {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let [first, whole, _] = split(offset as u64, length as u64);
        let mut rest = Rest::of(parts);
        rest.take_into(&mut vec![0; usize::try_from(first.end - first.start).unwrap()]);
        let mut staging = MmapMut::map_anon(STAGED_BYTES).unwrap();
        let (mut bytes, mut copied) = (Vec::new(), 0);
        let wanted = usize::try_from(whole.end - whole.start).unwrap();
        while bytes.len() < wanted {
            let staged = staging.as_ptr_range();
            let gathered = rest.gather(&mut staging, (wanted - bytes.len()) as u64);
            assert!((1..=PARTS_MAX).contains(&gathered.len()));
            for part in gathered {
                let is_aligned = part.as_ptr().addr().is_multiple_of(BLOCK_BYTES);
                assert!(is_aligned && part.len().is_multiple_of(BLOCK_BYTES) && !part.is_empty());
                copied += if staged.contains(&part.as_ptr()) { part.len() } else { 0 };
                bytes.extend_from_slice(&part);
            }
        }
        assert_eq!(bytes.len(), wanted);
        (bytes, copied)
    }

    #[test]
    fn only_the_ends_are_less_than_whole_blocks() {
        assert_eq!(split(0, 8_192), [0..0, 0..8_192, 8_192..8_192]);
        assert_eq!(split(4_095, 2), [4_095..4_096, 4_096..4_096, 4_096..4_097]);
        assert_eq!(split(10, 20), [10..30, 30..30, 30..30]);
        assert_eq!(split(7, 0), [7..7, 7..7, 7..7]);
        assert_eq!(split(100, 8_192), [100..4_096, 4_096..8_192, 8_192..8_292]);
    }

    #[test]
    fn what_lies_in_memory_as_in_the_file_is_not_copied_but_for_the_blocks_that_two_share() {
        let mut random = Random::from_seed(3);
        let lengths = [100_000, 70_003, 1_000_000, 65_536, 300_001];
        let mut expected = vec![0; lengths.iter().sum()];
        random.fill(&mut expected);
        let offset = 777;
        let mut at = 0;
        let placed = lengths.map(|length| {
            let placed = Placed::new(&expected[at..at + length], offset + at);
            at += length;
            placed
        });
        let parts: Vec<_> = placed.iter().zip(lengths).map(|(placed, length)| placed.part(length)).collect();
        let (bytes, copied) = gather_all(&parts, offset);
        assert!(bytes == expected[BLOCK_BYTES - offset..][..bytes.len()]);
        assert_eq!(copied, (lengths.len() - 1) * BLOCK_BYTES);
    }

    #[test]
    fn whatever_the_parts_are_all_of_them_is_written_in_whole_blocks() {
        let mut random = Random::from_seed(4);
        for _ in 0..40 {
            let mut expected = Vec::new();
            let offset = random.index(3 * BLOCK_BYTES);
            let mut placed = Vec::new();
            let longest = [100, 5_000, 50_000, 400_000][random.index(4)];
            for _ in 0..1 + random.index(60) {
                let length = random.index(longest);
                let mut bytes = vec![0; length];
                random.fill(&mut bytes);
                let at =
                    if random.below(2) == 0 { offset + expected.len() } else { random.index(BLOCK_BYTES) };
                placed.push((Placed::new(&bytes, at), length));
                expected.extend(bytes);
            }
            let parts: Vec<_> = placed.iter().map(|(placed, length)| placed.part(*length)).collect();
            let (bytes, _) = gather_all(&parts, offset);
            let start = (offset.next_multiple_of(BLOCK_BYTES) - offset).min(expected.len());
            assert!(bytes == expected[start..start + bytes.len()]);
        }
    }
}
