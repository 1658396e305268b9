//! The two headers of a journal's file, as bytes and back.
//!
//! A file begins with one block for its own header. Frames begin at the borders of blocks, and each is a
//! header, its entries, and zeros up to the next border. Numbers are little-endian.
//!
//! A frame's header is believed if its checksum is right, and that begins with the salt of the file: a random
//! number of this one use of the file. A header that is left from an earlier use does not fit it, and nobody
//! who gets bytes of his own into a record can forge one that does. The entries' checksum needs no salt: it
//! stands in the header.

use crate::codec::take;
use crate::disk::BLOCK_BYTES;

/// The newest format that this version reads, and the one it writes.
pub(super) const FORMAT: u32 = 1;

const FILE_MAGIC: [u8; 8] = *b"SLjournl";
const FRAME_MAGIC: [u8; 4] = *b"SLfr";

/// A frame's own header.
pub(super) const FRAME_HEADER_BYTES: usize = 32;

/// What stands in the first block of a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct FileHeader {
    /// Rises with every use of a file; no two are in use with the same one.
    pub(super) sequence: u64,
    pub(super) salt: u64,
    pub(super) length: u64,
}

/// What became of reading a file's header.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum FileHeaderRead {
    Valid(FileHeader),
    Newer(u32),
    Bad,
}

impl FileHeader {
    const CHECKED_BYTES: usize = 36;

    pub(super) fn encode(&self) -> [u8; Self::CHECKED_BYTES + 4] {
        let mut bytes = [0; Self::CHECKED_BYTES + 4];
        put(
            &mut bytes,
            &[
                &FILE_MAGIC,
                &FORMAT.to_le_bytes(),
                &self.sequence.to_le_bytes(),
                &self.salt.to_le_bytes(),
                &self.length.to_le_bytes(),
            ],
        );
        let (checked, checksum) = bytes.split_at_mut(Self::CHECKED_BYTES);
        checksum.copy_from_slice(&crc32c::crc32c(checked).to_le_bytes());
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> FileHeaderRead {
        Self::decode_fields(bytes).unwrap_or(FileHeaderRead::Bad)
    }

    fn decode_fields(bytes: &[u8]) -> Option<FileHeaderRead> {
        let checked = bytes.get(..Self::CHECKED_BYTES)?;
        let rest = &mut &*bytes;
        let magic = take::<8>(rest)?;
        let format = u32::from_le_bytes(take(rest)?);
        if magic == FILE_MAGIC && format > FORMAT {
            // Where its checksum stands is not for this version to know.
            return Some(FileHeaderRead::Newer(format));
        }
        let [sequence, salt, length] = [take(rest)?, take(rest)?, take(rest)?].map(u64::from_le_bytes);
        let is_valid = magic == FILE_MAGIC && crc32c::crc32c(checked) == u32::from_le_bytes(take(rest)?);
        is_valid.then_some(FileHeaderRead::Valid(Self { sequence, salt, length }))
    }
}

/// What stands before a frame's entries.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct FrameHeader {
    /// Rises by one from frame to frame, over all files.
    pub(super) sequence: u64,
    pub(super) payload_bytes: u32,
    pub(super) entries: u32,
    pub(super) payload_checksum: u32,
}

impl FrameHeader {
    const CHECKED_BYTES: usize = FRAME_HEADER_BYTES - 4;

    pub(super) fn encode(&self, salt: u64) -> [u8; FRAME_HEADER_BYTES] {
        let mut bytes = [0; FRAME_HEADER_BYTES];
        put(
            &mut bytes,
            &[
                &FRAME_MAGIC,
                &FORMAT.to_le_bytes(),
                &self.sequence.to_le_bytes(),
                &self.payload_bytes.to_le_bytes(),
                &self.entries.to_le_bytes(),
                &self.payload_checksum.to_le_bytes(),
            ],
        );
        let (checked, checksum) = bytes.split_at_mut(Self::CHECKED_BYTES);
        checksum.copy_from_slice(&salted(salt, checked).to_le_bytes());
        bytes
    }

    /// Reads a header that was written in a file with this salt.
    pub(super) fn decode(bytes: &[u8], salt: u64) -> Option<Self> {
        let checked = bytes.get(..Self::CHECKED_BYTES)?;
        let rest = &mut &*bytes;
        // The magic is there to be quick about the many blocks that begin with no header.
        if take(rest)? != FRAME_MAGIC || u32::from_le_bytes(take(rest)?) != FORMAT {
            return None;
        }
        let sequence = u64::from_le_bytes(take(rest)?);
        let [payload_bytes, entries, payload_checksum, checksum] =
            [take(rest)?, take(rest)?, take(rest)?, take(rest)?].map(u32::from_le_bytes);
        let is_valid = checksum == salted(salt, checked);
        is_valid.then_some(Self { sequence, payload_bytes, entries, payload_checksum })
    }

    /// How long the frame is, with its header and up to the next border.
    pub(super) fn frame_bytes(&self) -> u64 {
        (FRAME_HEADER_BYTES as u64 + u64::from(self.payload_bytes)).next_multiple_of(BLOCK_BYTES as u64)
    }
}

fn salted(salt: u64, bytes: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&salt.to_le_bytes()), bytes)
}

fn put(bytes: &mut [u8], parts: &[&[u8]]) {
    bytes.iter_mut().zip(parts.iter().copied().flatten()).for_each(|(to, from)| *to = *from);
}

#[cfg(test)]
mod tests {
    use super::{FORMAT, FileHeader, FileHeaderRead, FrameHeader};

    const FILE: FileHeader = FileHeader { sequence: 7, salt: 0x1234_5678_9abc_def0, length: 1 << 25 };
    const FRAME: FrameHeader =
        FrameHeader { sequence: 99, payload_bytes: 4_065, entries: 3, payload_checksum: 0xdead_beef };

    #[test]
    fn headers_are_read_as_written_and_no_bit_goes_unnoticed() {
        let file = FILE.encode();
        assert_eq!(FileHeader::decode(&file), FileHeaderRead::Valid(FILE));
        let frame = FRAME.encode(5);
        assert_eq!(FrameHeader::decode(&frame, 5), Some(FRAME));
        assert_eq!(FrameHeader::decode(&frame, 6), None, "the salt of another file");
        for bit in 0..file.len() * 8 {
            let mut flipped = file;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(!matches!(FileHeader::decode(&flipped), FileHeaderRead::Valid(_)), "bit {bit}");
        }
        for bit in 0..frame.len() * 8 {
            let mut flipped = frame;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(FrameHeader::decode(&flipped, 5), None, "bit {bit}");
        }
        for cut in 0..frame.len() {
            assert_eq!(FrameHeader::decode(&frame[..cut], 5), None);
            assert_eq!(FileHeader::decode(&file[..cut]), FileHeaderRead::Bad);
        }
    }

    #[test]
    fn a_newer_format_is_told_from_rot() {
        let mut file = FILE.encode();
        file[8..12].copy_from_slice(&(FORMAT + 1).to_le_bytes());
        assert_eq!(FileHeader::decode(&file), FileHeaderRead::Newer(FORMAT + 1));
    }

    #[test]
    fn a_frame_ends_at_a_border() {
        assert_eq!(FRAME.frame_bytes(), 8_192);
        assert_eq!(FrameHeader { payload_bytes: 4_064, ..FRAME }.frame_bytes(), 4_096);
    }
}
