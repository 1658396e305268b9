//! The frame that is being put together.

use super::entry::{Entry, Padding, Prefix, Seal};
use super::layout::{FRAME_HEADER_BYTES, FrameHeader};
use super::pool::{BufferPool, FrameBuffer};
use crate::disk::BLOCK_BYTES;

/// What is copied and summed at once: three times 8 KiB, which are what the checksum takes in one go.
const PIECE_BYTES: usize = 24 << 10;

/// No frame that is put together has room for less, if its bound allows it: what it does not need, others get.
const ROOM_BYTES_MIN: usize = 64 << 10;

/// Where an entry's bytes lie in its frame.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Staged {
    /// From the frame's first byte.
    pub offset: u32,
    /// How many bytes there are.
    pub length: u32,
}

/// The entries that go to the disk together.
///
/// They are copied, once, into memory that can be written past the page cache.
#[derive(Debug)]
pub(super) struct Group {
    frame: FrameBuffer,
    /// What it will probably be: so much memory is taken with the first entry.
    expected_bytes: usize,
    /// What it is at most, if it is of more than one entry.
    bytes_max: usize,
    entries: u32,
    checksum: u32,
}

impl Group {
    /// An empty group.
    pub(super) fn new(pool: &BufferPool, expected_bytes: usize, bytes_max: usize) -> Self {
        Self { frame: pool.empty(), expected_bytes, bytes_max, entries: 0, checksum: 0 }
    }

    pub(super) fn clear(&mut self) {
        self.frame.memory_mut().clear();
        self.entries = 0;
        self.checksum = 0;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries == 0
    }

    pub(super) fn entries(&self) -> u64 {
        u64::from(self.entries)
    }

    pub(super) fn bytes(&self) -> usize {
        self.frame.bytes().len().max(FRAME_HEADER_BYTES)
    }

    /// How long the frame will be on the disk if so much is added.
    pub(super) fn frame_bytes_with(&self, bytes: usize) -> u64 {
        (self.bytes() + bytes).next_multiple_of(BLOCK_BYTES) as u64
    }

    /// Adds an entry as its prefix and the parts of its own bytes.
    pub(super) fn add(&mut self, prefix: &Prefix, parts: &[&[u8]]) -> Staged {
        self.add_behind(None, prefix, parts)
    }

    /// The same behind some padding.
    pub(super) fn add_behind(
        &mut self,
        padding: Option<&Padding>,
        prefix: &Prefix,
        parts: &[&[u8]],
    ) -> Staged {
        let body_bytes: usize = parts.iter().map(|part| part.len()).sum();
        self.begin(padding.map_or(0, Padding::length) + prefix.bytes().len() + body_bytes);
        padding.into_iter().flat_map(Padding::parts).for_each(|part| self.append(part));
        self.append(prefix.bytes());
        let offset = self.frame.bytes().len();
        parts.iter().for_each(|part| self.append(part));
        self.entries += 1;
        // What is staged was held against the largest length.
        let [offset, length] = [offset, body_bytes].map(|number| u32::try_from(number).unwrap_or(u32::MAX));
        Staged { offset, length }
    }

    /// Copies and sums piece by piece, so that the sum finds in the nearest cache what was just copied.
    fn append(&mut self, bytes: &[u8]) {
        for piece in bytes.chunks(PIECE_BYTES) {
            self.frame.memory_mut().append(piece);
            self.checksum = crc32c::crc32c_append(self.checksum, piece);
        }
    }

    /// Makes room for so much more, and for the zeros behind it.
    fn begin(&mut self, bytes: usize) {
        let needed = (self.bytes() + bytes).next_multiple_of(BLOCK_BYTES);
        let capacity = self.frame.memory().capacity();
        if needed > capacity {
            // Twice as much, so that many small entries are not copied at each step.
            let roomy = self.expected_bytes.max(2 * capacity).max(ROOM_BYTES_MIN).min(self.bytes_max);
            self.frame.grow(needed.max(roomy));
        }
        if self.frame.bytes().is_empty() {
            self.frame.memory_mut().pad(FRAME_HEADER_BYTES);
        }
    }

    pub(super) fn add_seal(&mut self, seal: Seal) {
        if let Some((prefix, body)) = Entry::Seal(seal).encode() {
            self.add(&prefix, &[body]);
        }
    }

    /// Makes the frame what goes to the disk: whole blocks.
    pub(super) fn finish(mut self, sequence: u64, salt: u64) -> FrameBuffer {
        let header = FrameHeader {
            sequence,
            // What is staged was held against the largest length.
            payload_bytes: u32::try_from(self.bytes() - FRAME_HEADER_BYTES).unwrap_or(u32::MAX),
            entries: self.entries,
            payload_checksum: self.checksum,
        };
        let memory = self.frame.memory_mut();
        memory.pad(memory.length().next_multiple_of(BLOCK_BYTES) - memory.length());
        if let Some(place) = memory.bytes_mut().first_chunk_mut() {
            *place = header.encode(salt);
        }
        self.frame.fit();
        self.frame
    }
}
