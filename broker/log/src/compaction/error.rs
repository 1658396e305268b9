//! What can go wrong with a compaction. The log is as before each time.

use std::io;
use std::path::{Path, PathBuf};

use crate::disk::lacks_descriptors;
use crate::segment::SegmentError;

/// Why a round of compaction ended before it was done.
#[derive(Debug, thiserror::Error)]
pub enum CompactionError {
    /// It was asked to.
    #[error("compaction was stopped")]
    Stopped,
    /// A segment cannot be read.
    #[error(transparent)]
    Segment(#[from] SegmentError),
    /// The disk refused something to do with a new file.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To which file or folder.
        path: PathBuf,
        /// What the disk said.
        source: io::Error,
    },
}

impl CompactionError {
    /// Whether it speaks of bytes in the log that are not what they should be: trying again would not help.
    pub const fn is_corrupt(&self) -> bool {
        matches!(self, Self::Segment(error) if error.is_corrupt())
    }

    /// Whether there was no room on the disk.
    pub fn is_disk_full(&self) -> bool {
        match self {
            Self::Io { source, .. } => source.kind() == io::ErrorKind::StorageFull,
            Self::Segment(error) => error.is_disk_full(),
            Self::Stopped => false,
        }
    }

    /// Whether a file was not opened for want of descriptors.
    pub fn lacks_descriptors(&self) -> bool {
        match self {
            Self::Io { source, .. } => lacks_descriptors(source),
            Self::Segment(error) => error.lacks_descriptors(),
            Self::Stopped => false,
        }
    }

    /// Whether it says nothing against the disk.
    pub fn is_harmless(&self) -> bool {
        // Its log may have given up a segment meanwhile.
        let is_gone = matches!(self, Self::Segment(SegmentError::Gone { .. }));
        matches!(self, Self::Stopped) || is_gone || self.is_disk_full() || self.lacks_descriptors()
    }
}

/// Names what failed, for `map_err`.
pub(super) fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> CompactionError {
    move |source| CompactionError::Io { doing, path: path.to_owned(), source }
}
