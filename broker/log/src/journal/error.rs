//! What can go wrong with a journal.

use std::io;
use std::path::PathBuf;

use crate::disk::lacks_descriptors;

/// Why a journal cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
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
    /// Bytes that were durable are not what they were.
    #[error("{} is corrupt at byte {offset}: {what}", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Where in it.
        offset: u64,
        /// What is wrong there.
        what: &'static str,
    },
    /// A later version of this program wrote the file.
    #[error("{} has format {found}, and this version reads no format above {known}", path.display())]
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// The format it has.
        found: u32,
        /// The newest format that can be read.
        known: u32,
    },
    /// A write or a sync failed before: nobody knows what is on the disk, until the journal is recovered.
    #[error("the journal is out of use since a write or sync of it failed")]
    Poisoned,
    /// Only one group is ever being written.
    #[error("another group is being written")]
    Busy,
    /// Options that cannot be met together.
    #[error("the journal's options contradict each other: {0}")]
    Options(&'static str),
}

impl Error {
    /// Whether a file was not opened for want of descriptors.
    pub fn lacks_descriptors(&self) -> bool {
        matches!(self, Self::Io { source, .. } if lacks_descriptors(source))
    }
}

/// Why an entry was not staged. Nothing of it is left behind.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// It belongs into the next group: commit this one first.
    #[error("the group is full")]
    GroupFull,
    /// The journal's bound is reached, until a checkpoint lets files be recycled.
    #[error("the journal is full")]
    JournalFull,
    /// The disk has no room for another file of the journal, or the process no descriptor to make it.
    #[error("the disk is full")]
    DiskFull,
    /// It fits no journal with this bound, however empty.
    #[error("an entry of {bytes} bytes is too large for the journal")]
    TooLarge {
        /// How large it is.
        bytes: u64,
    },
    /// It is too short for a record batch, whose offset and epoch have their places in its header.
    #[error("{bytes} bytes are no record batch")]
    NoBatch {
        /// How long it is.
        bytes: usize,
    },
    /// The journal is of no use any more.
    #[error(transparent)]
    Failed(#[from] Error),
}
