//! What can go wrong with a data directory, and with what is asked of it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use strandline_protocol::error_code::ErrorCode;

use crate::compaction::CompactionError;
use crate::directory::DirectoryError;
use crate::disk::lacks_descriptors;
use crate::journal;
use crate::manifest::ManifestError;
use crate::producers::ProducerError;
use crate::segment::SegmentError;

/// Why a request was refused. The log is as if it had never been made.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Refusal {
    /// There is no such partition in this directory, or not any more.
    #[error("there is no such partition here")]
    UnknownPartition,
    /// The offset lies outside of what the log holds.
    #[error("offset {offset} is not between {start_offset} and {end_offset}")]
    OffsetOutOfRange {
        /// What was asked for.
        offset: i64,
        /// The first offset that is there.
        start_offset: i64,
        /// The offset behind the last one.
        end_offset: i64,
    },
    /// A batch that brings its own offsets would go back.
    #[error("a batch begins at offset {base_offset}, and the log is at {end_offset} already")]
    OffsetGoesBack {
        /// Where the batch begins.
        base_offset: i64,
        /// The offset behind the log's last one.
        end_offset: i64,
    },
    /// The offsets of the log are used up.
    #[error("the log has no offsets left")]
    OffsetsUsedUp,
    /// A leader of an epoch before the last one appends.
    #[error("leader epoch {epoch} appends behind leader epoch {latest}")]
    EpochGoesBack {
        /// Its epoch.
        epoch: i32,
        /// The last one that appended.
        latest: i32,
    },
    /// The batch does not follow its producer's last one.
    #[error(transparent)]
    Producer(#[from] ProducerError),
    /// The batch is larger than a journal or a segment can take.
    #[error("a batch of {bytes} bytes is too large")]
    TooLarge {
        /// How large it is.
        bytes: u64,
    },
    /// The batch is too short to be one.
    #[error("{bytes} bytes are no record batch")]
    NoBatch {
        /// How long it is.
        bytes: usize,
    },
    /// A batch that it follows from was refused.
    #[error("a batch before it was refused")]
    Unchained,
    /// What is to be cut off cannot be told from what stays: the log cannot be read there.
    #[error("the log cannot be read: {0}")]
    Unreadable(Arc<str>),
    /// The disk has no room, or the process no descriptors. Reads go on, and appends do once there is room.
    #[error("the disk is full")]
    DiskFull,
    /// The directory is out of use: what is on its disk is not known any more.
    #[error("the data directory is offline: {0}")]
    Offline(Arc<str>),
    /// The engine is being closed.
    #[error("the engine is closed")]
    Closed,
}

impl Refusal {
    /// What Kafka answers.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::UnknownPartition => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            Self::OffsetOutOfRange { .. } => ErrorCode::OFFSET_OUT_OF_RANGE,
            Self::OffsetGoesBack { .. } | Self::OffsetsUsedUp => ErrorCode::INVALID_RECORD,
            Self::EpochGoesBack { .. } => ErrorCode::FENCED_LEADER_EPOCH,
            Self::Producer(error) => error.code(),
            Self::TooLarge { .. } => ErrorCode::RECORD_LIST_TOO_LARGE,
            Self::NoBatch { .. } => ErrorCode::CORRUPT_MESSAGE,
            Self::DiskFull | Self::Unchained | Self::Unreadable(_) | Self::Offline(_) | Self::Closed => {
                ErrorCode::KAFKA_STORAGE_ERROR
            }
        }
    }
}

/// Why a read gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The partition has been deleted.
    #[error("there is no such partition here")]
    UnknownPartition,
    /// The offset lies outside of what may be read.
    #[error("offset {offset} is not between {start_offset} and {end_offset}")]
    OffsetOutOfRange {
        /// What was asked for.
        offset: i64,
        /// The first offset that is there.
        start_offset: i64,
        /// The offset behind the last one that may be read.
        end_offset: i64,
    },
    /// The segment cannot be read there.
    #[error(transparent)]
    Segment(#[from] SegmentError),
    /// The journal cannot be read there.
    #[error("cannot read the journal: {0}")]
    Journal(io::Error),
}

impl ReadError {
    /// What Kafka answers.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::UnknownPartition => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            Self::OffsetOutOfRange { .. } => ErrorCode::OFFSET_OUT_OF_RANGE,
            Self::Segment(_) | Self::Journal(_) => ErrorCode::KAFKA_STORAGE_ERROR,
        }
    }
}

/// Why a directory cannot be opened, or go on.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// It is not one of ours, is in use, or has a newer format.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// Its journal.
    #[error(transparent)]
    Journal(#[from] journal::Error),
    /// Its manifest.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A segment.
    #[error(transparent)]
    Segment(#[from] SegmentError),
    /// Compacted segments that take the names of others.
    #[error(transparent)]
    Compaction(#[from] CompactionError),
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
    /// Manifest and journal do not go together.
    #[error("the journal and the manifest contradict each other: {0}")]
    Inconsistent(String),
    /// A thread could not be started.
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
}

impl EngineError {
    /// Whether a file or a folder was not opened for want of descriptors.
    pub(super) fn lacks_descriptors(&self) -> bool {
        match self {
            Self::Segment(error) => error.lacks_descriptors(),
            Self::Io { source, .. } => lacks_descriptors(source),
            _ => false,
        }
    }
}

pub(super) fn failed(doing: &'static str, path: &Path) -> impl Fn(io::Error) -> EngineError {
    move |source| EngineError::Io { doing, path: path.to_owned(), source }
}
