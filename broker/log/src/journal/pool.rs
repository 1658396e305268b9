//! Memory for frames, used again and again.
//!
//! Pages that are touched for the first time cost more than everything else that is done to a frame. So the
//! memory of a frame comes back when the last one who holds it lets go, and the next group takes it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::aligned::AlignedBuffer;

/// No buffer is smaller.
const BUFFER_BYTES_MIN: usize = 64 << 10;

/// The default bound of a pool: what a journal by itself has on its way. Who keeps frames has a pool that is larger by
/// what is kept.
pub const POOL_BYTES_MAX: usize = 16 << 20;

/// Memory for frames. Clones are the same pool.
///
/// It knows what was taken from it, and keeps as much of what came back as the bound leaves beside that: the
/// memory that one checkpoint sets free is what the next frames need. It never refuses any, so the bound holds
/// as far as those who hold frames have a bound of their own.
#[derive(Clone, Debug)]
pub struct BufferPool {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    bytes_max: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Those that waited longest are first.
    idle: Vec<AlignedBuffer>,
    idle_bytes: usize,
    taken_bytes: usize,
}

impl State {
    /// The smallest buffer that fits, if it is not much too large: that would be lost to those who need it.
    fn take(&mut self, wanted: usize) -> Option<AlignedBuffer> {
        let fits = |buffer: &AlignedBuffer| (wanted..=wanted.saturating_mul(2)).contains(&buffer.capacity());
        let fitting = self.idle.iter().enumerate().rev().filter(|(_, buffer)| fits(buffer));
        let (index, _) = fitting.min_by_key(|(_, buffer)| buffer.capacity())?;
        let buffer = self.idle.remove(index);
        self.idle_bytes -= buffer.allocated_bytes();
        self.taken_bytes += buffer.allocated_bytes();
        Some(buffer)
    }

    /// Hands out what there is too much of.
    fn surplus(&mut self, bytes_max: usize) -> Vec<AlignedBuffer> {
        let mut bytes = self.idle_bytes + self.taken_bytes;
        let mut surplus = 0;
        while let Some(buffer) = self.idle.get(surplus).filter(|_| bytes > bytes_max) {
            bytes -= buffer.allocated_bytes();
            surplus += 1;
        }
        self.idle_bytes = bytes - self.taken_bytes;
        self.idle.drain(..surplus).collect()
    }
}

impl Default for BufferPool {
    fn default() -> Self {
        Self::new(POOL_BYTES_MAX)
    }
}

impl BufferPool {
    /// A pool that keeps what nobody uses while that and what is used are no more than so many bytes.
    pub fn new(bytes_max: usize) -> Self {
        Self { shared: Arc::new(Shared { bytes_max, state: Mutex::default() }) }
    }

    /// How many bytes wait to be used again.
    pub fn idle_bytes(&self) -> usize {
        self.state().idle_bytes
    }

    /// Gives what nobody uses back to the system: for quiet times.
    pub fn release(&self) {
        // What was handed out is freed when the lock is free again.
        let released = self.state().surplus(0);
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
        let wanted = rounded(bytes);
        if let Some(buffer) = self.state().take(wanted) {
            return buffer;
        }
        let buffer = AlignedBuffer::with_capacity(wanted);
        let mut state = self.state();
        state.taken_bytes += buffer.allocated_bytes();
        let surplus = state.surplus(self.shared.bytes_max);
        drop(state);
        drop(surplus);
        buffer
    }

    fn give_back(&self, mut buffer: AlignedBuffer) {
        buffer.clear();
        let mut state = self.state();
        state.taken_bytes -= buffer.allocated_bytes();
        state.idle_bytes += buffer.allocated_bytes();
        state.idle.push(buffer);
        let surplus = state.surplus(self.shared.bytes_max);
        drop(state);
        drop(surplus);
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

impl Drop for FrameBuffer {
    fn drop(&mut self) {
        self.return_memory(AlignedBuffer::default());
    }
}

#[cfg(test)]
mod tests {
    use super::{BUFFER_BYTES_MIN, BufferPool, FrameBuffer, rounded};

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
    fn no_more_is_kept_than_the_bound_leaves_beside_what_is_used() {
        let each = buffer(&BufferPool::default(), 1).allocated_bytes();
        let pool = BufferPool::new(4 * each);
        let mut buffers: Vec<_> = (0..6).map(|_| buffer(&pool, 1)).collect();
        let mut idle = Vec::new();
        while buffers.pop().is_some() {
            idle.push(pool.idle_bytes() / each);
        }
        assert_eq!(idle, [0, 0, 1, 2, 3, 4]);
        let large = buffer(&pool, 2 * each);
        assert!(pool.idle_bytes() <= 4 * each - large.allocated_bytes(), "others make room for it");
        pool.release();
        assert_eq!(pool.idle_bytes(), 0);
        drop(large);
        assert!(pool.idle_bytes() > 0);
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
