//! The frame that is being put together.

use super::GROUP_BYTES_MAX;
use super::aligned::AlignedBuffer;
use super::entry::Entry;
use super::layout::{FRAME_HEADER_BYTES, FrameHeader};
use crate::disk::BLOCK_BYTES;

/// A frame of more memory than this gives it back once it is written.
const KEPT_BYTES_MAX: usize = 2 * GROUP_BYTES_MAX;

/// Where an entry's bytes lie in its frame.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Staged {
    /// From the frame's first byte.
    pub(super) offset: usize,
    pub(super) length: u32,
}

/// The entries that go to the disk together.
///
/// They are copied, once, into memory that can be written past the page cache.
#[derive(Debug)]
pub(super) struct Group {
    frame: AlignedBuffer,
    entries: u32,
    checksum: u32,
}

impl Group {
    pub(super) fn new() -> Self {
        let mut group = Self { frame: AlignedBuffer::with_capacity(BLOCK_BYTES), entries: 0, checksum: 0 };
        group.clear();
        group
    }

    pub(super) fn clear(&mut self) {
        let capacity = self.frame.capacity();
        if capacity > KEPT_BYTES_MAX {
            self.frame = AlignedBuffer::with_capacity(BLOCK_BYTES);
        }
        self.frame.clear();
        self.frame.pad(FRAME_HEADER_BYTES);
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
        self.frame.length()
    }

    /// How long the frame will be on the disk if so much is added.
    pub(super) fn frame_bytes_with(&self, bytes: usize) -> u64 {
        (self.frame.length() + bytes).next_multiple_of(BLOCK_BYTES) as u64
    }

    /// Adds an entry as its two parts.
    pub(super) fn add(&mut self, prefix: &[u8], body: &[u8]) -> Staged {
        self.frame.append(prefix);
        let offset = self.frame.length();
        self.frame.append(body);
        self.checksum = crc32c::crc32c_append(crc32c::crc32c_append(self.checksum, prefix), body);
        self.entries += 1;
        // The length stands in the prefix too, in as many bits.
        Staged { offset, length: u32::try_from(body.len()).unwrap_or(u32::MAX) }
    }

    pub(super) fn add_seal(&mut self) {
        if let Some((prefix, body)) = Entry::Seal.encode() {
            self.add(prefix.bytes(), body);
        }
    }

    /// Makes the frame what goes to the disk; after this the group can only be written and cleared.
    pub(super) fn finish(&mut self, sequence: u64, salt: u64) {
        let payload_bytes = self.frame.length() - FRAME_HEADER_BYTES;
        let header = FrameHeader {
            sequence,
            // What is staged was held against the largest length.
            payload_bytes: u32::try_from(payload_bytes).unwrap_or(u32::MAX),
            entries: self.entries,
            payload_checksum: self.checksum,
        };
        self.frame.pad(self.frame.length().next_multiple_of(BLOCK_BYTES) - self.frame.length());
        if let Some(place) = self.frame.bytes_mut().first_chunk_mut() {
            *place = header.encode(salt);
        }
    }

    /// The frame.
    pub(super) fn frame(&self) -> &[u8] {
        self.frame.bytes()
    }
}
