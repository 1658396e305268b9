//! Memory for frames, used again and again.
//!
//! Pages that are touched for the first time cost more than everything else that is done to a frame. So frames are
//! pieces of regions: the memory of one comes back when the last who holds it lets go, and the next groups take it,
//! whatever their lengths.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::BytesMut;

use super::aligned::AlignedBuffer;
use super::regions::{Piece, Regions};
use crate::disk::BLOCK_BYTES;

/// The default bound of a pool: what a journal by itself has on its way. Who keeps frames has a pool that is larger by
/// what is kept.
pub const POOL_BYTES_MAX: usize = 16 << 20;

/// Memory for frames. Clones are the same pool.
///
/// It has regions of as many bytes as its bound, and keeps them: the memory that one checkpoint sets free is what the
/// next frames need. What finds no place in them has memory of its own, and none is ever refused, so the bound holds as
/// far as those who hold frames have a bound of their own.
#[derive(Clone)]
pub struct BufferPool {
    shared: Arc<Shared>,
}

struct Shared {
    bytes_max: usize,
    state: Mutex<State>,
}

struct State {
    regions: Regions,
    /// What was taken and is in no region.
    outside_bytes: usize,
}

impl Default for BufferPool {
    fn default() -> Self {
        Self::new(POOL_BYTES_MAX)
    }
}

impl BufferPool {
    /// A pool that keeps what nobody uses while that and what is used are no more than so many bytes.
    pub fn new(bytes_max: usize) -> Self {
        let state = State { regions: Regions::new(bytes_max), outside_bytes: 0 };
        Self { shared: Arc::new(Shared { bytes_max, state: Mutex::new(state) }) }
    }

    /// How many bytes wait to be used again.
    pub fn idle_bytes(&self) -> usize {
        self.state().regions.free_bytes()
    }

    /// Gives what nobody uses back to the system: for quiet times.
    pub fn release(&self) {
        // What was handed out is freed when the lock is free again.
        let released = self.state().regions.remove_unused();
        drop(released);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A buffer without memory of its own yet.
    pub(super) fn empty(&self) -> FrameBuffer {
        FrameBuffer { memory: AlignedBuffer::default(), pool: self.clone() }
    }

    /// A copy of a frame in memory that is no larger than it needs.
    pub fn copy_of(&self, frame: &[u8]) -> FrameBuffer {
        let mut copy = self.empty();
        copy.grow(frame.len());
        copy.memory.append(frame);
        copy
    }

    fn take(&self, bytes: usize) -> AlignedBuffer {
        let wanted = bytes.max(1).next_multiple_of(BLOCK_BYTES);
        if let Some(piece) = self.take_piece(wanted) {
            return piece.into();
        }
        let buffer = AlignedBuffer::with_capacity(wanted);
        let unused = self.make_room(buffer.allocated_bytes());
        drop(unused);
        buffer
    }

    fn take_piece(&self, bytes: usize) -> Option<Piece> {
        let mut state = self.state();
        let taken = state.regions.bytes() + state.outside_bytes;
        state.regions.take(bytes, self.shared.bytes_max.saturating_sub(taken))
    }

    /// Counts memory outside of the regions, and gives for it, where it is too much, those that nobody uses.
    fn make_room(&self, bytes: usize) -> Vec<BytesMut> {
        let mut state = self.state();
        state.outside_bytes += bytes;
        let is_too_much = state.regions.bytes() + state.outside_bytes > self.shared.bytes_max;
        if is_too_much { state.regions.remove_unused() } else { Vec::new() }
    }

    fn give_back(&self, buffer: AlignedBuffer) {
        let bytes = buffer.allocated_bytes();
        let piece = buffer.into_piece();
        let mut state = self.state();
        match piece {
            Some(piece) => state.regions.give_back(piece),
            None => state.outside_bytes -= bytes,
        }
    }
}

impl fmt::Debug for BufferPool {
    /// The bytes are a user's.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        formatter
            .debug_struct("BufferPool")
            .field("bytes_max", &self.shared.bytes_max)
            .field("regions_bytes", &state.regions.bytes())
            .field("free_bytes", &state.regions.free_bytes())
            .field("outside_bytes", &state.outside_bytes)
            .finish()
    }
}

/// The memory of a frame. It goes back to its pool when it is dropped.
#[derive(Debug)]
pub struct FrameBuffer {
    memory: AlignedBuffer,
    pool: BufferPool,
}

impl FrameBuffer {
    /// The frame, from its header to its last entry.
    pub fn bytes(&self) -> &[u8] {
        self.memory.bytes()
    }

    /// How much memory it takes, used or not.
    pub fn allocated_bytes(&self) -> usize {
        self.memory.allocated_bytes()
    }

    /// The same bytes in memory that is no larger than they need.
    pub fn fitted(&self) -> Self {
        self.pool.copy_of(self.bytes())
    }

    pub(super) fn memory(&self) -> &AlignedBuffer {
        &self.memory
    }

    /// The memory, for changes that need no more room than was reserved.
    pub(super) fn memory_mut(&mut self) -> &mut AlignedBuffer {
        &mut self.memory
    }

    /// Makes room for so many bytes in all: where it is, or in memory that it moves to.
    pub(super) fn grow(&mut self, bytes: usize) {
        let more = bytes.next_multiple_of(BLOCK_BYTES).saturating_sub(self.memory.capacity());
        let piece = self.memory.piece_mut();
        if piece.is_some_and(|piece| self.pool.state().regions.extend(piece, more)) {
            return;
        }
        let mut larger = self.pool.take(bytes);
        larger.append(self.memory.bytes());
        self.return_memory(larger);
    }

    /// Gives the blocks back that nothing was written to.
    pub(super) fn fit(&mut self) {
        let used = self.memory.length().next_multiple_of(BLOCK_BYTES);
        if let Some(piece) = self.memory.piece_mut() {
            self.pool.state().regions.shorten(piece, used);
        }
    }

    fn return_memory(&mut self, instead: AlignedBuffer) {
        let memory = std::mem::replace(&mut self.memory, instead);
        if memory.capacity() > 0 {
            self.pool.give_back(memory);
        }
    }
}

impl Drop for FrameBuffer {
    fn drop(&mut self) {
        self.return_memory(AlignedBuffer::default());
    }
}

#[cfg(test)]
mod tests {
    use super::{BLOCK_BYTES, BufferPool, FrameBuffer};

    impl FrameBuffer {
        /// A frame in memory that has room for more.
        pub(crate) fn roomy(pool: &BufferPool, frame: &[u8], capacity_bytes: usize) -> Self {
            let mut buffer = pool.empty();
            buffer.grow(capacity_bytes);
            buffer.memory.append(frame);
            buffer
        }
    }

    fn buffer(pool: &BufferPool, bytes: usize) -> FrameBuffer {
        let mut buffer = pool.empty();
        buffer.grow(bytes);
        buffer
    }

    #[test]
    fn memory_comes_back_when_it_is_dropped_and_is_used_again() {
        let pool = BufferPool::default();
        let first = buffer(&pool, 1 << 20);
        let free = pool.idle_bytes();
        drop(first);
        assert_eq!(pool.idle_bytes(), free + (1 << 20));
        pool.release();
        assert_eq!(pool.idle_bytes(), 0);
        let mut addresses = (0..40).map(|_| buffer(&pool, (1 << 20) - 5).memory().bytes().as_ptr());
        let first = addresses.next();
        assert!(addresses.any(|address| Some(address) == first), "it goes around");
    }

    #[test]
    fn what_finds_no_place_in_regions_has_memory_of_its_own_that_nobody_keeps() {
        let pool = BufferPool::new(1 << 20);
        let small = buffer(&pool, 1);
        let mut large = buffer(&pool, 2 << 20);
        assert!(large.memory_mut().piece_mut().is_none());
        let free = pool.idle_bytes();
        assert!(free < 1 << 16, "no region beside it that is not used: {free}");
        assert!(buffer(&pool, 512 << 10).memory_mut().piece_mut().is_none(), "nor is one made");
        drop(large);
        assert_eq!(pool.idle_bytes(), free);
        assert!(buffer(&pool, 512 << 10).memory_mut().piece_mut().is_some());
        drop(small);
        assert_eq!(pool.idle_bytes(), 1 << 20);
    }

    #[test]
    fn a_frame_grows_where_it_is_and_gives_back_what_it_does_not_need() {
        let pool = BufferPool::new(64 << 20);
        let mut growing = buffer(&pool, 1);
        let (address, mut expected) = (growing.memory().bytes().as_ptr(), Vec::new());
        for number in 0..100_u8 {
            growing.grow(expected.len() + 10_000);
            growing.memory_mut().append(&[number; 10_000]);
            expected.extend([number; 10_000]);
        }
        growing.grow(2 << 20);
        growing.fit();
        assert_eq!((growing.bytes(), growing.bytes().as_ptr()), (&*expected, address));
        assert_eq!(growing.allocated_bytes(), expected.len().next_multiple_of(BLOCK_BYTES));
        let behind = pool.copy_of(b"right behind it");
        growing.grow(2 << 20);
        assert!(growing.bytes() == expected && growing.bytes().as_ptr() != address);
        assert_eq!((pool.copy_of(&expected).bytes(), behind.bytes()), (&*expected, &b"right behind it"[..]));
    }
}
