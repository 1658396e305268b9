//! Memory that begins at a block's border, as writes past the page cache want it.

use std::fmt;

use crate::disk::BLOCK_BYTES;

/// Bytes that grow at their end, the first of them at a block's border.
#[derive(Default)]
pub(super) struct AlignedBuffer {
    // What lies before `start` is there for the alignment only. The vector never grows by itself: that could
    // move it.
    memory: Vec<u8>,
    start: usize,
}

impl AlignedBuffer {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        let mut memory = Vec::<u8>::with_capacity(bytes + BLOCK_BYTES);
        let address = memory.as_ptr().addr();
        let start = address.next_multiple_of(BLOCK_BYTES) - address;
        push_zeros(&mut memory, start);
        Self { memory, start }
    }

    pub(super) fn zeroed(bytes: usize) -> Self {
        let mut buffer = Self::with_capacity(bytes);
        buffer.pad(bytes);
        buffer
    }

    pub(super) fn length(&self) -> usize {
        self.memory.len() - self.start
    }

    pub(super) fn capacity(&self) -> usize {
        self.memory.capacity() - self.start
    }

    /// All the memory that it takes.
    pub(super) fn allocated_bytes(&self) -> usize {
        self.memory.capacity()
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.memory.get(self.start..).unwrap_or_default()
    }

    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        self.memory.get_mut(self.start..).unwrap_or_default()
    }

    pub(super) fn append(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len());
        self.memory.extend_from_slice(bytes);
    }

    /// Appends so many zeros.
    pub(super) fn pad(&mut self, bytes: usize) {
        self.reserve(bytes);
        push_zeros(&mut self.memory, bytes);
    }

    /// Forgets the bytes and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.truncate(0);
    }

    /// Forgets the bytes behind the first `length`.
    pub(super) fn truncate(&mut self, length: usize) {
        self.memory.truncate(self.start + length);
    }

    fn reserve(&mut self, bytes: usize) {
        let needed = self.length() + bytes;
        if needed > self.capacity() {
            let mut larger = Self::with_capacity(needed.next_power_of_two());
            larger.memory.extend_from_slice(self.bytes());
            *self = larger;
        }
    }
}

impl fmt::Debug for AlignedBuffer {
    /// The bytes are a user's.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("AlignedBuffer")
            .field("length", &self.length())
            .field("capacity", &self.capacity())
            .finish()
    }
}

// In whole pieces: without optimisation, one zero after the other took most of the tests' time.
fn push_zeros(memory: &mut Vec<u8>, bytes: usize) {
    const ZEROS: [u8; BLOCK_BYTES] = [0; BLOCK_BYTES];
    let mut left = bytes;
    while left > 0 {
        let piece = ZEROS.get(..left).unwrap_or(&ZEROS);
        memory.extend_from_slice(piece);
        left -= piece.len();
    }
}

#[cfg(test)]
mod tests {
    use super::{AlignedBuffer, BLOCK_BYTES};

    #[test]
    fn it_stays_at_a_border_while_it_grows() {
        let mut buffer = AlignedBuffer::with_capacity(10);
        let mut expected = Vec::new();
        for number in 0..2_000_u32 {
            buffer.append(&number.to_le_bytes());
            expected.extend_from_slice(&number.to_le_bytes());
            assert!(buffer.bytes().as_ptr().addr().is_multiple_of(BLOCK_BYTES));
        }
        buffer.pad(3);
        expected.extend([0; 3]);
        assert_eq!(buffer.bytes(), expected);
    }
}
