//! Memory that begins at a block's border, as writes past the page cache want it.

use std::fmt;

use memmap2::MmapMut;

use super::regions::Piece;
use crate::disk::BLOCK_BYTES;

/// From this size on memory is the system's own: the allocator cannot use what lies between pieces of such sizes for
/// anything else, and gives none of it back.
const MAPPED_BYTES_MIN: usize = 64 << 10;

/// Bytes that grow at their end, the first of them at a block's border.
#[derive(Default)]
pub(super) struct AlignedBuffer {
    memory: Memory,
    /// What lies before this is there for the alignment only.
    start: usize,
    /// How many bytes of the memory are used, those before the start included.
    end: usize,
}

/// It never grows by itself: that could move it.
enum Memory {
    Allocated(Vec<u8>),
    /// Pages of its own. One that was never touched takes no memory.
    Mapped(MmapMut),
    /// Shares a region with others.
    Piece(Piece),
}

impl Default for Memory {
    fn default() -> Self {
        Self::Allocated(Vec::new())
    }
}

impl Memory {
    /// Pages where they are worth it, if the system has some; where it has none, the allocator says so.
    fn with_length(bytes: usize) -> Self {
        let mapped = (bytes >= MAPPED_BYTES_MIN).then(|| MmapMut::map_anon(bytes + BLOCK_BYTES));
        match mapped {
            Some(Ok(pages)) => Self::Mapped(pages),
            _ => Self::Allocated(vec![0; bytes + BLOCK_BYTES]),
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Allocated(bytes) => bytes,
            Self::Mapped(pages) => pages,
            Self::Piece(piece) => piece.bytes(),
        }
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        match self {
            Self::Allocated(bytes) => bytes,
            Self::Mapped(pages) => pages,
            Self::Piece(piece) => piece.bytes_mut(),
        }
    }
}

impl From<Piece> for AlignedBuffer {
    fn from(piece: Piece) -> Self {
        Self { memory: Memory::Piece(piece), start: 0, end: 0 }
    }
}

impl AlignedBuffer {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        let memory = Memory::with_length(bytes);
        let address = memory.bytes().as_ptr().addr();
        let start = address.next_multiple_of(BLOCK_BYTES) - address;
        Self { memory, start, end: start }
    }

    pub(super) fn zeroed(bytes: usize) -> Self {
        let mut buffer = Self::with_capacity(bytes);
        // New memory is zero already. Not written to, pages are not even there.
        buffer.end += bytes;
        buffer
    }

    pub(super) fn length(&self) -> usize {
        self.end - self.start
    }

    pub(super) fn capacity(&self) -> usize {
        self.memory.bytes().len() - self.start
    }

    /// All the memory that it takes.
    pub(super) fn allocated_bytes(&self) -> usize {
        self.memory.bytes().len()
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.memory.bytes().get(self.start..self.end).unwrap_or_default()
    }

    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        self.memory.bytes_mut().get_mut(self.start..self.end).unwrap_or_default()
    }

    pub(super) fn append(&mut self, bytes: &[u8]) {
        if let Some(place) = self.extend(bytes.len()) {
            place.copy_from_slice(bytes);
        }
    }

    /// Appends so many zeros.
    pub(super) fn pad(&mut self, bytes: usize) {
        if let Some(place) = self.extend(bytes) {
            place.fill(0);
        }
    }

    /// Forgets the bytes and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.truncate(0);
    }

    /// Forgets the bytes behind the first `length`.
    pub(super) fn truncate(&mut self, length: usize) {
        self.end = self.end.min(self.start + length);
    }

    /// The piece that its memory is, if it is one.
    pub(super) fn piece_mut(&mut self) -> Option<&mut Piece> {
        match &mut self.memory {
            Memory::Piece(piece) => Some(piece),
            Memory::Allocated(_) | Memory::Mapped(_) => None,
        }
    }

    /// Gives the piece up that its memory is; none where it has memory of its own, which goes with it.
    pub(super) fn into_piece(self) -> Option<Piece> {
        match self.memory {
            Memory::Piece(piece) => Some(piece),
            Memory::Allocated(_) | Memory::Mapped(_) => None,
        }
    }

    /// So many more bytes, whatever is in them. They are always there.
    fn extend(&mut self, bytes: usize) -> Option<&mut [u8]> {
        let needed = self.length() + bytes;
        if needed > self.capacity() {
            let mut larger = Self::with_capacity(needed.next_power_of_two());
            larger.append(self.bytes());
            *self = larger;
        }
        let begin = self.end;
        self.end += bytes;
        self.memory.bytes_mut().get_mut(begin..self.end)
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

#[cfg(test)]
mod tests {
    use super::{AlignedBuffer, BLOCK_BYTES};

    #[test]
    fn it_stays_at_a_border_while_it_grows() {
        let mut buffer = AlignedBuffer::with_capacity(10);
        let mut expected = Vec::new();
        for number in 0..40_000_u32 {
            buffer.append(&number.to_le_bytes());
            expected.extend_from_slice(&number.to_le_bytes());
            assert!(buffer.bytes().as_ptr().addr().is_multiple_of(BLOCK_BYTES));
        }
        buffer.pad(3);
        expected.extend([0; 3]);
        assert_eq!(buffer.bytes(), expected);
    }

    #[test]
    fn what_is_used_again_holds_nothing_of_before() {
        for bytes in [1_000, 1 << 20] {
            let mut buffer = AlignedBuffer::with_capacity(bytes);
            buffer.append(&vec![7; bytes]);
            buffer.truncate(10);
            assert_eq!(buffer.bytes(), [7; 10]);
            buffer.clear();
            assert!(buffer.bytes().is_empty());
            buffer.pad(bytes);
            assert_eq!(buffer.bytes(), vec![0; bytes]);
        }
    }
}
