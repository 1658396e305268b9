//! Record bytes that lie in a file, as an answer carries them: sent from where they are, or read where that
//! cannot be.
//!
//! A fetch puts them between the pieces of its answer as [`External`]; the transport finds the file again with
//! [`FileSlice::of`], and sends from its descriptor, or reads it where there is none.

use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Arc;

use strandline_log::disk::{self, File, LoadJob};
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
        Slice::Loaded(bytes) => return Piece::Slice(bytes),
        Slice::Segment(FileRange { file, offset, length }) => (FileSlice::Segment(file), offset, length),
        Slice::Journal { file, offset, length } => (FileSlice::Journal(file), offset, length),
    };
    // A range of a file is never longer than a segment, which 31 bits count.
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    Piece::External(External { source: Arc::new(source), position, length })
}

/// Brings what was read of logs into memory, so that whoever sends it does not wait for a disk; what comes `behind` the
/// slices of one of them too, by the work that it returns, if whoever reads them goes on that way.
pub fn read_ahead<'a>(
    read: impl Iterator<Item = (&'a mut Vec<Slice>, Option<&'a FileRange>)>,
) -> Vec<LoadJob> {
    let mut read: Vec<_> = read.collect();
    let all = read.iter().flat_map(|(slices, _)| slices.iter());
    let goes_in_turn = all.filter(|slice| matches!(slice, Slice::Segment(_))).count() <= READ_IN_TURN_MAX;
    let mut jobs = Vec::new();
    for (slices, behind) in &mut read {
        for slice in slices.iter_mut() {
            match bring(slice, goes_in_turn) {
                Ok(None) => {}
                Ok(Some(bytes)) => {
                    let length = bytes.len() as u64;
                    *slice = Slice::Loaded(bytes);
                    let next = behind.and_then(|FileRange { file, offset, length: left }| {
                        file.load_ahead(*offset, length.min(*left), offset.saturating_add(*left))
                    });
                    jobs.extend(next);
                }
                // Whoever sends it meets what is wrong with the disk.
                Err(error) => tracing::debug!(%error, "cannot read ahead"),
            }
        }
    }
    jobs
}

/// Brings bytes into the page cache, or into memory of this process, which it returns.
fn bring(slice: &Slice, goes_in_turn: bool) -> io::Result<Option<Bytes>> {
    match slice {
        Slice::Memory(_) | Slice::Loaded(_) => Ok(None),
        Slice::Segment(FileRange { file, offset, length }) if goes_in_turn => {
            if let Some(bytes) = file.load(*offset, *length) {
                return Ok(Some(bytes));
            }
            file.read_ahead(*offset, *length).map(|()| None)
        }
        Slice::Segment(FileRange { file, offset, length }) => {
            file.start_read(*offset, *length).map(|()| None)
        }
        // What is behind it may not be written yet.
        Slice::Journal { file, offset, length } => file.file().start_read(*offset, *length).map(|()| None),
    }
}
