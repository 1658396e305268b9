//! Record bytes that lie in a file, as an answer carries them: sent from where they are, or read where that
//! cannot be.

use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Arc;

use bytes::Bytes;
use strandline_log::disk::{self, File};
use strandline_log::engine::Slice;
use strandline_log::journal::Pinned;
use strandline_protocol::records::{External, Piece};

/// What stands behind [`External::source`] in every answer: a file that stays open, and in the journal's case
/// unchanged, for as long as this is there. Positions are those in the file.
#[derive(Clone, Debug)]
pub enum FileSlice {
    /// A segment's.
    Segment(Arc<dyn File>),
    /// The journal's.
    Journal(Arc<Pinned>),
}

impl FileSlice {
    /// What was read of a log, as a piece of an answer. Nothing is copied.
    pub fn piece(slice: Slice) -> Piece {
        let length = usize::try_from(slice.length()).unwrap_or(usize::MAX);
        let (source, position) = match slice {
            Slice::Memory(slice) => return Piece::Slice(slice.into_bytes()),
            Slice::Segment(range) => (Self::Segment(range.file), range.offset),
            Slice::Journal { file, offset, .. } => (Self::Journal(file), offset),
        };
        Piece::External(External { source: Arc::new(source), position, length })
    }

    /// The file behind a piece, if it is one of these.
    pub(super) fn of(external: &External) -> Option<&Self> {
        external.source.downcast_ref()
    }

    fn file(&self) -> &dyn File {
        match self {
            Self::Segment(file) => &**file,
            Self::Journal(file) => file.file(),
        }
    }

    /// The descriptor to send from; a simulated file has none.
    pub(super) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.file().descriptor()
    }

    /// Reads bytes of it. One that ends before them is an error.
    pub(super) fn read(&self, position: u64, length: usize) -> io::Result<Bytes> {
        let mut bytes = vec![0; length];
        disk::read_exact_at(self.file(), &mut bytes, position)?;
        Ok(bytes.into())
    }
}
