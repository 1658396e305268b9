//! Memory that batches were built in, for those that come: to give pages back and ask for others costs more than to fill
//! them.

use std::sync::{Mutex, PoisonError};

use bytes::{Bytes, BytesMut};

/// Buffers that are free, up to a bound of bytes together.
#[derive(Debug)]
pub(super) struct Buffers {
    bytes_max: usize,
    free: Mutex<Free>,
}

#[derive(Debug, Default)]
struct Free {
    buffers: Vec<BytesMut>,
    bytes: usize,
}

impl Buffers {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, free: Mutex::default() }
    }

    /// An empty one, with as much room as it had; without any if there is none.
    pub(super) fn take(&self) -> BytesMut {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(buffer) = free.buffers.pop() else { return BytesMut::new() };
        free.bytes = free.bytes.saturating_sub(buffer.capacity());
        buffer
    }

    /// Takes one back, if nobody has any of it any more.
    pub(super) fn put(&self, bytes: Bytes) {
        let Ok(mut buffer) = bytes.try_into_mut() else { return };
        buffer.clear();
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        if free.bytes.saturating_add(buffer.capacity()) <= self.bytes_max {
            free.bytes += buffer.capacity();
            free.buffers.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_free_is_taken_again_and_no_more_than_that_is_kept() {
        let buffers = Buffers::new(3_000);
        for size in [1_000, 1_500, 1_000] {
            buffers.put(BytesMut::zeroed(size).freeze());
        }
        let held = BytesMut::zeroed(100).freeze();
        let other = held.clone();
        buffers.put(held);
        assert_eq!(other.len(), 100);
        let taken: Vec<_> = (0..3).map(|_| buffers.take()).collect();
        assert!(taken.iter().all(BytesMut::is_empty));
        assert_eq!(taken.iter().map(BytesMut::capacity).collect::<Vec<_>>(), [1_500, 1_000, 0]);
    }
}
