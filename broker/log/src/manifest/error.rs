//! What can go wrong with a manifest.

use std::path::{Path, PathBuf};

use crate::journal;
use crate::local_id::LocalId;

/// Why a manifest does not say, or does not take, what it should.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The disk has no room. Nothing of the changes happened, and they can be committed when there is room.
    #[error("the disk is full, and the manifest cannot grow")]
    DiskFull,
    /// A file of it cannot be opened now. The same is so as where the disk has no room.
    #[error("the process has no descriptors left, and the manifest cannot grow")]
    NoDescriptors,
    /// A row is too large for any file.
    #[error("a row of {bytes} bytes is too large for the manifest")]
    TooLarge {
        /// How large it is.
        bytes: u64,
    },
    /// What is said about a partition has rotted, or was never right.
    #[error("{} is corrupt about partition {partition}: {what}", path.display())]
    Row {
        /// The manifest's folder.
        path: PathBuf,
        /// The partition.
        partition: LocalId,
        /// What is wrong.
        what: String,
    },
    /// The rows that are there do not come to a manifest.
    #[error("{} is corrupt in frame {sequence}: {what}", path.display())]
    Corrupt {
        /// The manifest's folder.
        path: PathBuf,
        /// The frame of its journal.
        sequence: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// A later version of this program wrote it.
    #[error("{} has version {found}, and this program reads none above {known}", path.display())]
    Newer {
        /// The manifest's folder.
        path: PathBuf,
        /// The version it has.
        found: u8,
        /// The newest version that can be read.
        known: u8,
    },
    /// The files failed, or failed before: nobody knows whether the changes happened until it is opened again.
    #[error(transparent)]
    Journal(#[from] journal::Error),
}

/// An error that names the partition.
pub(super) fn bad_row(path: &Path, partition: LocalId, what: impl ToString) -> ManifestError {
    ManifestError::Row { path: path.to_owned(), partition, what: what.to_string() }
}
