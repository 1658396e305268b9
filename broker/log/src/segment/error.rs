//! What can go wrong with a segment.

use std::io;
use std::path::{Path, PathBuf};

use strandline_protocol::batch::BatchError;

use crate::disk::lacks_descriptors;
use crate::local_id::LocalId;

/// Why a segment cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum SegmentError {
    /// The disk refused something.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To which file or folder.
        path: PathBuf,
        /// What the disk said.
        source: io::Error,
    },
    /// Bytes that should be batches are none, or not the ones that were written.
    #[error("{} is corrupt at byte {position}: {what}", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Where in it.
        position: u64,
        /// What is wrong there.
        what: &'static str,
    },
    /// A batch is what was written, and its records cannot be read all the same.
    #[error("the batch at byte {position} of {} cannot be read: {source}", path.display())]
    Records {
        /// The file.
        path: PathBuf,
        /// Where in it the batch begins.
        position: u64,
        /// What is wrong with the batch.
        source: BatchError,
    },
    /// The segment was removed, cut or replaced since it was looked up: look it up again.
    #[error("the segment at offset {base_offset} of partition {partition} is there no more")]
    Gone {
        /// The partition.
        partition: LocalId,
        /// Where the segment began.
        base_offset: i64,
    },
}

impl SegmentError {
    /// Whether there was no room on the disk.
    pub fn is_disk_full(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull)
    }

    /// Whether a file was not opened for want of descriptors.
    pub fn lacks_descriptors(&self) -> bool {
        matches!(self, Self::Io { source, .. } if lacks_descriptors(source))
    }

    /// Whether the file is not there.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }

    /// Whether bytes on the disk are bad, as opposed to a disk that does not answer.
    pub const fn is_corrupt(&self) -> bool {
        matches!(self, Self::Corrupt { .. } | Self::Records { .. })
    }
}

/// Names what failed, for `map_err`.
pub(super) fn failed(doing: &'static str, path: &Path) -> impl Fn(io::Error) -> SegmentError {
    move |source| SegmentError::Io { doing, path: path.to_owned(), source }
}
