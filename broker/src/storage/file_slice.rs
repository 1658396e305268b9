//! Ranges of files in an answer: what the transport sends from where it lies.
//!
//! A fetch puts them between the pieces of its answer as [`External`]; the transport finds the file again with
//! [`FileSlice::behind`] and sends from its descriptor, or reads it where there is none.

use std::io;
use std::sync::Arc;

use strandline_log::disk::{self, File};
use strandline_log::engine::Slice;
use strandline_log::journal::Pinned;
use strandline_log::segment::FileRange;
use strandline_protocol::{Bytes, External, Piece};

/// A file with record batches, kept open, and kept from being used for anything else, as long as this is there.
#[derive(Debug)]
pub enum FileSlice {
    /// A segment's.
    Segment(Arc<dyn File>),
    /// A journal's.
    Journal(Arc<Pinned>),
}

impl FileSlice {
    /// The file.
    pub fn file(&self) -> &dyn File {
        match self {
            Self::Segment(file) => &**file,
            Self::Journal(pinned) => pinned.file(),
        }
    }

    /// The file that a piece of an answer lies in; none if it lies somewhere else.
    pub fn behind(external: &External) -> Option<&Self> {
        external.source.downcast_ref()
    }

    /// The bytes of a piece, copied: for transports that cannot send from a file.
    ///
    /// # Errors
    /// The disk's, or that the piece lies in no file.
    pub fn read(external: &External) -> io::Result<Bytes> {
        let slice = Self::behind(external).ok_or(io::ErrorKind::InvalidInput)?;
        let mut bytes = vec![0; external.length];
        disk::read_exact_at(slice.file(), &mut bytes, external.position)?;
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

/// Asks for what was read of a log to be brought into memory, so that whoever sends it does not wait for a disk.
pub fn read_ahead(slice: &Slice) {
    let asked = match slice {
        Slice::Memory(_) => Ok(()),
        Slice::Segment(range) => range.file.start_read(range.offset, range.length),
        Slice::Journal { file, offset, length } => file.file().start_read(*offset, *length),
    };
    // Whoever sends it meets what is wrong with the disk.
    asked.unwrap_or_else(|error| tracing::debug!(%error, "cannot read ahead"));
}
