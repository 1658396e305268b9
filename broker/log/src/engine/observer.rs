//! What an engine does by itself, told to whoever wants to know: for logs and for metrics.
//!
//! The engine counts nothing and writes no log of its own. It says what it decided and why, on the writer's thread;
//! an observer counts and notes that, and takes no time for it.

use std::fmt;
use std::time::Duration;

use crate::compaction::Statistics;

/// Why batches go into segments, or the manifest is brought up to date.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Reason {
    /// It was time: something was in memory or in the journal alone for an interval.
    #[default]
    Interval,
    /// Tails are as large together as they are to become.
    TailMemory,
    /// Half of the journal's files wait to be used again.
    JournalHalfFull,
    /// Nothing has room in the journal any more, and appends wait.
    JournalFull,
    /// Logs without a journal have as much that is not synced as may be.
    Unsynced,
    /// As many files are held open for their syncs as may be.
    OpenFiles,
    /// A round of compaction takes the place of what was.
    Compaction,
    /// Records that are too old are in memory and in the journal alone, and can go once they are in segments.
    Retention,
    /// The disk might not have the room for it later.
    DiskRoom,
    /// Something that was asked waits for it.
    Asked,
    /// The engine closes.
    Closing,
}

impl Reason {
    /// The same, for people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Interval => "it was time",
            Self::TailMemory => "tails were as large as they are to become",
            Self::JournalHalfFull => "the journal was half full",
            Self::JournalFull => "the journal was full, and appends wait",
            Self::Unsynced => "half of what may be unsynced of logs without a journal was",
            Self::OpenFiles => "no more files may be held open for their syncs",
            Self::Compaction => "what was compacted takes its place",
            Self::Retention => "records that are too old can go once they are in segments",
            Self::DiskRoom => "the disk might not have the room for it later",
            Self::Asked => "something that was asked waits for it",
            Self::Closing => "the data directory is closed",
        }
    }
}

/// What happened. A log is named by what was said when it was created.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// The directory was opened.
    Recovered {
        /// How many logs there are.
        logs: usize,
        /// Whether it had been closed by the process before.
        was_closed: bool,
        /// How long it took.
        took: Duration,
    },
    /// A group is durable.
    Committed {
        /// How many requests it was made of.
        requests: usize,
        /// What went to the disk.
        bytes: u64,
        /// From when it was handed out until it was back.
        took: Duration,
    },
    /// Batches lie in segments.
    Flushed {
        /// Of how many logs.
        logs: usize,
        /// How many bytes.
        bytes: u64,
        /// How long it took.
        took: Duration,
        /// Why now.
        reason: Reason,
    },
    /// The manifest has what it was told.
    Checkpointed {
        /// How many logs changed.
        logs: usize,
        /// How many segments are none any more, for good. Their files go now, or soon.
        segments_removed: usize,
        /// What they had.
        bytes_removed: u64,
        /// How many logs are none any more.
        logs_removed: usize,
        /// How long it took.
        took: Duration,
        /// Why now.
        reason: Reason,
    },
    /// Files of what is no more have gone.
    Removed {
        /// How many.
        files: usize,
        /// How long they were together.
        bytes: u64,
        /// How many segments and partitions wait for their turn.
        waiting: usize,
    },
    /// A log is to begin further on, since what lies before is too old or too much.
    Expired {
        /// Which log.
        log: &'a [u8],
        /// Where it begins then.
        start_offset: i64,
        /// How many segments go.
        segments: usize,
        /// So many of them for want of room: the others are old, or were deleted by somebody.
        segments_by_size: usize,
        /// What they have.
        bytes: u64,
    },
    /// Producers were forgotten that sent nothing for long.
    ProducersExpired {
        /// Which log's.
        log: &'a [u8],
        /// How many.
        count: usize,
    },
    /// A look at all logs has begun.
    Housekeeping {
        /// Whether the wall's clock can be trusted: nothing goes for its age if it cannot.
        is_clock_trusted: bool,
    },
    /// A round of compaction begins.
    CompactionBegun {
        /// Which log's.
        log: &'a [u8],
        /// How much of it is dirty, from 0 to 1.
        dirty_ratio: f64,
        /// How many segments are looked at.
        segments: usize,
        /// Whether it begins for the age of a record alone: the ratio would not be enough.
        is_forced: bool,
    },
    /// A round of compaction came to its end.
    CompactionEnded {
        /// Which log's; none if it is gone.
        log: Option<&'a [u8]>,
        /// How long it took, waiting included.
        took: Duration,
        /// What came of it.
        outcome: CompactionOutcome<'a>,
    },
    /// There was no room on the disk for something that cannot wait, and some of what is kept for that was given.
    NoRoom {
        /// So many bytes; nothing is left if it is zero.
        released_bytes: u64,
    },
    /// There is room again, and appends are taken.
    RoomAgain,
    /// A file could not be opened since as many are open as may be: work that needs one waits, and is tried again.
    NoDescriptors,
    /// Files of the journal were taken from readers that held more than they may.
    JournalGivenUp {
        /// How many files, since the start.
        files: u64,
    },
    /// Nothing is written any more.
    Offline {
        /// Why.
        reason: &'a str,
    },
}

/// How a round of compaction ended.
#[derive(Clone, Copy, Debug)]
pub enum CompactionOutcome<'a> {
    /// The log is clean, or as much of it as there was memory for.
    Cleaned(&'a Statistics),
    /// It was stopped: its log changed, went, or the engine closes. Another round does it.
    Stopped,
    /// There was no room for the new segments. Another round tries again.
    NoRoom,
    /// The log cannot be read, and is not compacted any more by this process.
    Corrupt(&'a str),
}

/// Somebody who is told.
pub trait Observer: Send + Sync + fmt::Debug {
    /// This happened. Called on the writer's thread: what takes time belongs elsewhere.
    fn see(&self, event: &Event<'_>);
}

/// Nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn see(&self, _: &Event<'_>) {}
}
