//! Memory of this process that ranges of files are read into, past the page cache.
//!
//! There is little of it, and it is used again and again. Who gets none reads through the page cache.

use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use bytes::{Bytes, BytesMut};

use super::lock;
use crate::disk::BLOCK_BYTES;

/// So much at the most is one range.
pub(super) const RANGE_BYTES_MAX: usize = 1 << 20;

/// So much before and behind a range is read ahead with it: there it is looked where batches begin.
pub(super) const AROUND_BYTES: usize = 16 << 10;

/// A range, and what is read around it, begin and end anywhere in a block.
pub(super) const MEMORY_BYTES: usize = RANGE_BYTES_MAX + 2 * AROUND_BYTES + 2 * BLOCK_BYTES;

/// The large pages that most systems have.
const HUGE_PAGE_BYTES: usize = 2 << 20;

/// So many ranges are in memory at the most.
pub(super) const MEMORIES_MAX: usize = 6;

const BLOCK: u64 = BLOCK_BYTES as u64;

/// Memory that is not in use; none of it is there before any was.
#[derive(Clone, Debug, Default)]
pub(super) struct Pool(Arc<Mutex<Option<Vec<BytesMut>>>>);

impl Pool {
    /// Memory for what begins at this position of a file; none if all of it is in use.
    pub(super) fn begin(&self, position: u64) -> Option<Loaded> {
        let mut bytes = lock(&self.0).get_or_insert_with(new_memories).pop()?;
        // The first time it is touched.
        bytes.resize(MEMORY_BYTES, 0);
        let memory = Memory { bytes, pool: self.clone() };
        let start = position / BLOCK * BLOCK;
        Some(Loaded { memory, start, end: start })
    }
}

/// Memory, until it is dropped.
#[derive(Debug)]
struct Memory {
    bytes: BytesMut,
    pool: Pool,
}

impl Drop for Memory {
    fn drop(&mut self) {
        lock(&self.pool.0).get_or_insert_default().push(std::mem::take(&mut self.bytes));
    }
}

/// All memory there will be, none of it touched: each begins at a block's border, and all of it lies together in large
/// pages, which a disk reads into in few pieces.
fn new_memories() -> Vec<BytesMut> {
    let bytes = MEMORIES_MAX * MEMORY_BYTES;
    let mut all = BytesMut::with_capacity(bytes + HUGE_PAGE_BYTES);
    let gap = all.as_ptr().addr().next_multiple_of(HUGE_PAGE_BYTES) - all.as_ptr().addr();
    let mut rest = all.split_off(gap.min(HUGE_PAGE_BYTES));
    // SAFETY: the memory is there, and what becomes of its content is not changed.
    #[expect(unsafe_code, reason = "memmap2 advises on whole maps alone, which cannot be parted")]
    // A hint: without large pages it is slower.
    let _ = unsafe { libc::madvise(rest.as_mut_ptr().cast(), bytes, libc::MADV_HUGEPAGE) };
    (0..MEMORIES_MAX)
        .map(|_| {
            let behind = rest.split_off(MEMORY_BYTES);
            std::mem::replace(&mut rest, behind)
        })
        .collect()
}

/// A range of a file in memory, as far as it is read.
#[derive(Debug)]
pub(super) struct Loaded {
    memory: Memory,
    /// Of what lies at the beginning of the memory: a block's border.
    start: u64,
    end: u64,
}

impl AsRef<[u8]> for Loaded {
    fn as_ref(&self) -> &[u8] {
        &self.memory.bytes
    }
}

impl Loaded {
    pub(super) fn holds(&self, range: &Range<u64>) -> bool {
        self.start <= range.start && range.end <= self.end
    }

    /// Whether there is room for the range.
    pub(super) fn fits(&self, range: &Range<u64>) -> bool {
        let end = range.end.next_multiple_of(BLOCK);
        self.start <= range.start && end - self.start <= MEMORY_BYTES as u64
    }

    /// Reads on up to there. `read` reads whole blocks at a block's border.
    pub(super) fn fill(
        &mut self,
        end: u64,
        read: impl Fn(&mut [u8], u64) -> io::Result<usize>,
    ) -> io::Result<()> {
        // What is behind the last good byte in its block may not have been good when it was read.
        let mut at = self.end / BLOCK * BLOCK;
        while self.end < end {
            let place = |position: u64| usize::try_from(position - self.start).ok();
            let range = place(at).zip(place(end.next_multiple_of(BLOCK)));
            let room = range.and_then(|(from, to)| self.memory.bytes.get_mut(from..to));
            let bytes = read(room.ok_or(io::ErrorKind::InvalidInput)?, at)? as u64;
            if at + bytes >= end {
                self.end = end;
            } else if bytes < BLOCK {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            at += bytes / BLOCK * BLOCK;
        }
        Ok(())
    }

    /// Where in its memory a range is; none if it does not hold that.
    fn place(&self, range: &Range<u64>) -> Option<Range<usize>> {
        let place = |position: u64| usize::try_from(position.checked_sub(self.start)?).ok();
        let (from, to) = (place(range.start)?, place(range.end)?);
        self.holds(range).then_some(from..to)
    }

    /// Copies bytes from there on; false if it does not hold them.
    pub(super) fn copy(&self, start: u64, bytes: &mut [u8]) -> bool {
        let place = self.place(&(start..start.saturating_add(bytes.len() as u64)));
        let found = place.and_then(|place| self.as_ref().get(place));
        found.is_some_and(|found| {
            bytes.copy_from_slice(found);
            true
        })
    }

    /// A range that it holds.
    pub(super) fn into_bytes(self, range: &Range<u64>) -> Option<Bytes> {
        let place = self.place(range)?;
        Some(Bytes::from_owner(self).slice(place))
    }
}
