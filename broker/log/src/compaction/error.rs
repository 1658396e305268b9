//! What can go wrong with a compaction. The log is as before each time.

use std::io;
use std::path::PathBuf;

use strandline_protocol::batch::BatchError;

/// Why a round of compaction ended before it was done.
#[derive(Debug, thiserror::Error)]
pub enum CompactionError {
    /// It was asked to.
    #[error("compaction was stopped")]
    Stopped,
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
    /// A segment holds something that is no batch.
    #[error("{}, the batch at byte {position}: {source}", path.display())]
    Batch {
        /// The segment.
        path: PathBuf,
        /// Where the batch begins.
        position: u64,
        /// What is wrong with it.
        source: BatchError,
    },
    /// A batch has offsets that it cannot have where it lies.
    #[error(
        "{}, the batch at byte {position}: its offsets are {base_offset} to {last_offset}, where there is room from \
         {expected} to below {end_offset}",
        path.display()
    )]
    Offsets {
        /// The segment.
        path: PathBuf,
        /// Where the batch begins.
        position: u64,
        /// Its first offset.
        base_offset: i64,
        /// Its last offset.
        last_offset: i64,
        /// The lowest first offset that it could have.
        expected: i64,
        /// The offset behind the segment.
        end_offset: i64,
    },
    /// A batch is longer than any can be, or than its segment.
    #[error("{}, the batch at byte {position}: it cannot take {bytes} bytes", path.display())]
    Length {
        /// The segment.
        path: PathBuf,
        /// Where the batch begins.
        position: u64,
        /// How long it says it is.
        bytes: usize,
    },
}

impl CompactionError {
    /// Whether it speaks of bytes in the log that are not what they should be: trying again would not help.
    pub const fn is_corruption(&self) -> bool {
        matches!(self, Self::Batch { .. } | Self::Offsets { .. } | Self::Length { .. })
    }
}
