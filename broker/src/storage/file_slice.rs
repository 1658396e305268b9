//! Record bytes that lie in a file, as an answer carries them: sent from where they are, or read where that
//! cannot be.
//!
//! A fetch puts them between the pieces of its answer as [`External`]; the transport finds the file again with
//! [`FileSlice::of`], and sends from its descriptor, or reads it where there is none.

use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Arc;

use strandline_log::disk::{self, File};
use strandline_log::engine::Slice;
use strandline_log::journal::Pinned;
use strandline_log::segment::FileRange;
use strandline_protocol::{Bytes, External, Piece};

/// So many ranges are read one after the other; of more, all are asked for at once.
const READ_IN_TURN_MAX: usize = 8;

/// What stands behind [`External::source`] in every answer: a file that stays open, and in the journal's case
/// unchanged, for as long as this is there. Positions are those in the file.
#[derive(Debug)]
pub enum FileSlice {
    /// A segment's.
    Segment(Arc<dyn File>),
    /// The journal's.
    Journal(Arc<Pinned>),
}

impl FileSlice {
    /// The file behind a piece, if it is one of these.
    pub fn of(external: &External) -> Option<&Self> {
        external.source.downcast_ref()
    }

    fn file(&self) -> &dyn File {
        match self {
            Self::Segment(file) => &**file,
            Self::Journal(pinned) => pinned.file(),
        }
    }

    /// The descriptor to send from; a simulated file has none.
    pub fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.file().descriptor()
    }

    /// Reads bytes of it. One that ends before them is an error.
    ///
    /// # Errors
    /// The disk's.
    pub fn read(&self, position: u64, length: usize) -> io::Result<Bytes> {
        let mut bytes = vec![0; length];
        disk::read_exact_at(self.file(), &mut bytes, position)?;
        Ok(bytes.into())
    }
}

/// What was read of a log as a piece of an answer, not copied.
pub fn piece(slice: Slice) -> Piece {
    let (source, position, length) = match slice {
        Slice::Memory(slice) => return Piece::Slice(slice.into_bytes()),
        Slice::Segment(FileRange { file, offset, length }) => (FileSlice::Segment(file), offset, length),
        Slice::Journal { file, offset, length } => (FileSlice::Journal(file), offset, length),
    };
    // A range of a file is never longer than a segment, which 31 bits count.
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    Piece::External(External { source: Arc::new(source), position, length })
}

/// Asks for what was read of logs to be brought into memory, so that whoever sends it does not wait for a disk.
pub fn read_ahead<'a>(slices: impl Iterator<Item = &'a Slice> + Clone) {
    let in_segments = slices.clone().filter(|slice| matches!(slice, Slice::Segment(_))).count();
    for slice in slices {
        let asked = match slice {
            Slice::Memory(_) => Ok(()),
            Slice::Segment(FileRange { file, offset, length }) if in_segments <= READ_IN_TURN_MAX => {
                file.read_ahead(*offset, *length)
            }
            Slice::Segment(FileRange { file, offset, length }) => file.start_read(*offset, *length),
            // What is behind it may not be written yet.
            Slice::Journal { file, offset, length } => file.file().start_read(*offset, *length),
        };
        // Whoever sends it meets what is wrong with the disk.
        asked.unwrap_or_else(|error| tracing::debug!(%error, "cannot read ahead"));
    }
}
