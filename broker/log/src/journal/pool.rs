//! Memory for frames, used again and again.
//!
//! Pages that are touched for the first time cost more than everything else that is done to a frame. So the
//! memory of a frame comes back when the last one who holds it lets go, and the next group takes it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::aligned::AlignedBuffer;

/// No buffer is smaller.
const BUFFER_BYTES_MIN: usize = 64 << 10;

/// Buffers that wait to be used again, bounded in number and in bytes. Clones are the same pool.
#[derive(Clone, Debug)]
pub struct BufferPool {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    buffers_max: usize,
    bytes_max: usize,
    idle: Mutex<Vec<AlignedBuffer>>,
}

impl Default for BufferPool {
    /// Room for what two groups leave while two others are on their way.
    fn default() -> Self {
        Self::new(64, 16 << 20)
    }
}

impl BufferPool {
    /// A pool that keeps no more than this of what nobody uses.
    pub fn new(buffers_max: usize, bytes_max: usize) -> Self {
        Self { shared: Arc::new(Shared { buffers_max, bytes_max, idle: Mutex::default() }) }
    }

    /// How many bytes wait to be used again.
    pub fn idle_bytes(&self) -> usize {
        self.idle().iter().map(AlignedBuffer::allocated_bytes).sum()
    }

    fn idle(&self) -> MutexGuard<'_, Vec<AlignedBuffer>> {
        self.shared.idle.lock().unwrap_or_else(PoisonError::into_inner)
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
        let wanted = rounded(bytes);
        let mut idle = self.idle();
        // One that is much too large would be lost to those who need it.
        let fits = |buffer: &AlignedBuffer| (wanted..=wanted.saturating_mul(2)).contains(&buffer.capacity());
        let fitting = idle.iter().enumerate().filter(|(_, buffer)| fits(buffer));
        match fitting.min_by_key(|(_, buffer)| buffer.capacity()) {
            Some((index, _)) => idle.swap_remove(index),
            None => {
                drop(idle);
                AlignedBuffer::with_capacity(wanted)
            }
        }
    }

    fn give_back(&self, mut buffer: AlignedBuffer) {
        buffer.clear();
        let mut idle = self.idle();
        let bytes: usize = idle.iter().map(AlignedBuffer::allocated_bytes).sum();
        if idle.len() < self.shared.buffers_max && bytes + buffer.allocated_bytes() <= self.shared.bytes_max {
            idle.push(buffer);
        }
    }
}

/// Rounds up by a quarter at most, so that buffers of nearly the same length stand in for each other.
fn rounded(bytes: usize) -> usize {
    let step = (bytes.checked_next_power_of_two().unwrap_or(bytes) / 8).max(BUFFER_BYTES_MIN);
    bytes.max(1).next_multiple_of(step)
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

    /// Moves to memory that has room for so many bytes in all.
    pub(super) fn grow(&mut self, bytes: usize) {
        let mut larger = self.pool.take(bytes);
        larger.append(self.memory.bytes());
        self.return_memory(larger);
    }

    fn return_memory(&mut self, instead: AlignedBuffer) {
        let memory = std::mem::replace(&mut self.memory, instead);
        if memory.capacity() > 0 {
            self.pool.give_back(memory);
        }
    }
}

#[cfg(test)]
impl FrameBuffer {
    /// A frame in memory that has room for more.
    pub(crate) fn roomy(pool: &BufferPool, frame: &[u8], capacity_bytes: usize) -> Self {
        let mut buffer = pool.empty();
        buffer.grow(capacity_bytes);
        buffer.memory.append(frame);
        buffer
    }
}

impl Drop for FrameBuffer {
    fn drop(&mut self) {
        self.return_memory(AlignedBuffer::default());
    }
}

#[cfg(test)]
mod tests {
    use super::{BUFFER_BYTES_MIN, BufferPool, rounded};

    fn buffer(pool: &BufferPool, bytes: usize) -> super::FrameBuffer {
        let mut buffer = pool.empty();
        buffer.grow(bytes);
        buffer
    }

    #[test]
    fn memory_comes_back_when_it_is_dropped_and_is_used_again() {
        let pool = BufferPool::default();
        let first = buffer(&pool, 1 << 20);
        let (address, allocated) = (first.memory().bytes().as_ptr(), first.allocated_bytes());
        assert_eq!(pool.idle_bytes(), 0);
        drop(first);
        assert_eq!(pool.idle_bytes(), allocated);
        let second = buffer(&pool, (1 << 20) - 5);
        assert_eq!((second.memory().bytes().as_ptr(), pool.idle_bytes()), (address, 0));
        assert!(second.bytes().is_empty());
    }

    #[test]
    fn a_buffer_that_is_much_too_large_is_left_for_others() {
        let pool = BufferPool::default();
        drop(buffer(&pool, 4 << 20));
        let small = buffer(&pool, 1_000);
        assert!(small.allocated_bytes() < 2 * BUFFER_BYTES_MIN && pool.idle_bytes() > 4 << 20);
    }

    #[test]
    fn no_more_is_kept_than_the_bounds_say() {
        let by_number = BufferPool::new(2, 1 << 30);
        let by_bytes = BufferPool::new(100, 3 * BUFFER_BYTES_MIN);
        for pool in [by_number, by_bytes] {
            let buffers: Vec<_> = (0..5).map(|_| buffer(&pool, 1)).collect();
            let each = buffers[0].allocated_bytes();
            drop(buffers);
            assert_eq!(pool.idle_bytes(), 2 * each);
        }
    }

    #[test]
    fn what_grows_keeps_its_bytes_and_gives_the_smaller_memory_back() {
        let pool = BufferPool::default();
        let mut growing = pool.empty();
        let mut expected = Vec::new();
        for number in 0..100_u8 {
            growing.grow(expected.len() + 10_000);
            growing.memory_mut().append(&[number; 10_000]);
            expected.extend([number; 10_000]);
        }
        assert_eq!(growing.bytes(), expected);
        assert!(pool.idle_bytes() > 0);
        let fitted = growing.fitted();
        assert_eq!(fitted.bytes(), expected);
        assert!(fitted.allocated_bytes() < 1_400_000);
    }

    #[test]
    fn lengths_are_rounded_by_a_quarter_at_most() {
        for bytes in [1, BUFFER_BYTES_MIN, (1 << 20) + 57, 4 << 20, (4 << 20) + 1, 1_000_000_000] {
            let (rounded, quarter) = (rounded(bytes), bytes / 4 + BUFFER_BYTES_MIN);
            assert!(rounded >= bytes && rounded <= bytes + quarter, "{bytes} {rounded}");
        }
        assert_eq!(rounded(4 << 20), 4 << 20);
    }
}
