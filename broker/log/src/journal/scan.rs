//! Looking into a journal's file without changing it.

use super::error::Error;
use super::files::{Folder, LiveFile};
use super::layout::{FORMAT, FileHeader, FileHeaderRead, FrameHeader};
use crate::disk::BLOCK_BYTES;

/// The search for newer frames reads so many bytes at once.
const SEARCH_BYTES: u64 = 256 << 10;

/// What is wrong with a file, and where.
pub(super) fn corrupt(live: &LiveFile, offset: u64, what: &'static str) -> Error {
    Error::Corrupt { path: live.path.clone(), offset, what }
}

/// Opens a file in use, and reads its header.
pub(super) fn open_live(folder: &Folder, sequence: u64) -> Result<LiveFile, Error> {
    let (path, file) = folder.open_live(sequence)?;
    let mut live = LiveFile { sequence, salt: 0, length: 0, path, file };
    let length = live.file.length().map_err(live.failed("measure"))?;
    let mut bytes = [0; BLOCK_BYTES];
    live.file.read_at(&mut bytes, 0).map_err(live.failed("read"))?;
    match FileHeader::decode(&bytes) {
        FileHeaderRead::Valid(header) if header.sequence == sequence && header.length == length => {
            live.salt = header.salt;
            live.length = header.length;
            Ok(live)
        }
        FileHeaderRead::Newer(found) => Err(Error::NewerFormat { path: live.path, found, known: FORMAT }),
        FileHeaderRead::Valid(_) | FileHeaderRead::Bad => Err(corrupt(&live, 0, "the file's header is bad")),
    }
}

/// Looks for a frame's header from `start` to the end of a file, and says where one is.
pub(super) fn search(
    live: &LiveFile,
    start: u64,
    is_wanted: impl Fn(u64, &FrameHeader) -> bool,
) -> Result<Option<u64>, Error> {
    let mut bytes = vec![0; usize::try_from(SEARCH_BYTES.min(live.length)).unwrap_or(0)];
    for chunk_offset in (start..live.length).step_by(bytes.len().max(BLOCK_BYTES)) {
        let read = live.file.read_at(&mut bytes, chunk_offset).map_err(live.failed("read"))?;
        let offsets = (chunk_offset..).step_by(BLOCK_BYTES);
        let mut blocks = offsets.zip(bytes.get(..read).unwrap_or_default().chunks(BLOCK_BYTES));
        let found = blocks.find(|(offset, block)| {
            FrameHeader::decode(block, live.salt).is_some_and(|header| is_wanted(*offset, &header))
        });
        if let Some((offset, _)) = found {
            return Ok(Some(offset));
        }
    }
    Ok(None)
}
