//! Writing past the page cache what nobody is expected to read from there.
//!
//! Most of what a large write costs is the pages that the system has to find for it, and clear of something else. Past
//! the cache there are none: what is written is copied into memory that is used again and again, and goes to the disk
//! from there. Only whole blocks can go that way; what is left of a block at either end goes through the cache.

use std::io::{self, IoSlice};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use memmap2::MmapMut;

use super::BLOCK_BYTES;

/// So much is copied and then written at once.
const STAGED_BYTES: usize = 1 << 20;

/// The memory of writes that are not under way. Pages of the system's begin at a block's border.
#[derive(Debug, Default)]
pub(super) struct Staging {
    spare: Mutex<Vec<MmapMut>>,
}

impl Staging {
    /// Gives memory for a write, and takes it back.
    pub(super) fn with<T>(&self, write: impl FnOnce(&mut [u8]) -> io::Result<T>) -> io::Result<T> {
        let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut memory = match spare {
            Some(memory) => memory,
            None => MmapMut::map_anon(STAGED_BYTES)?,
        };
        let written = write(&mut memory);
        self.spare.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
        written
    }
}

/// Parts of a write in the order of the file: either whole blocks, as many as are staged at once, or less than a block.
pub(super) fn stretches(offset: u64, length: u64) -> impl Iterator<Item = Range<u64>> {
    let block = BLOCK_BYTES as u64;
    let (end, mut at) = (offset.saturating_add(length), offset);
    std::iter::from_fn(move || {
        let start = at;
        at = if !start.is_multiple_of(block) {
            start.next_multiple_of(block).min(end)
        } else if end - start < block {
            end
        } else {
            end.min(start + STAGED_BYTES as u64) / block * block
        };
        (start < at).then_some(start..at)
    })
}

/// Whether a stretch is of whole blocks.
pub(super) fn is_whole_blocks(stretch: &Range<u64>) -> bool {
    let block = BLOCK_BYTES as u64;
    stretch.start.is_multiple_of(block) && stretch.end.is_multiple_of(block)
}

/// Takes as many bytes off the front of the parts as `place` holds.
pub(super) fn take_into(mut place: &mut [u8], parts: &mut &mut [IoSlice<'_>]) {
    while let Some(part) = parts.first() {
        let bytes = part.len().min(place.len());
        let (now, later) = std::mem::take(&mut place).split_at_mut(bytes);
        now.copy_from_slice(part.get(..bytes).unwrap_or_default());
        place = later;
        IoSlice::advance_slices(parts, bytes);
        if place.is_empty() {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{STAGED_BYTES, is_whole_blocks, stretches};

    /// Beginnings and ends.
    fn places(offset: u64, length: u64) -> Vec<(u64, u64)> {
        stretches(offset, length).map(|stretch| (stretch.start, stretch.end)).collect()
    }

    #[test]
    fn only_the_ends_are_less_than_whole_blocks() {
        let staged = STAGED_BYTES as u64;
        assert_eq!(places(0, 8_192), [(0, 8_192)]);
        assert_eq!(places(4_095, 2), [(4_095, 4_096), (4_096, 4_097)]);
        assert_eq!(places(10, 20), [(10, 30)]);
        assert_eq!(places(7, 0), []);
        let (first, second) = (staged + 4_096, 2 * staged + 4_096);
        let expected = [(100, 4_096), (4_096, first), (first, second), (second, second + 100)];
        assert_eq!(places(100, 2 * staged + 4_096), expected);
        let whole: Vec<_> =
            stretches(100, 2 * staged + 4_096).map(|stretch| is_whole_blocks(&stretch)).collect();
        assert_eq!(whole, [false, true, true, false]);
    }
}
