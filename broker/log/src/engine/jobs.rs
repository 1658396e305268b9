//! Work that the writer hands out, and takes back: everything slow that is no group's write.
//!
//! A job decides nothing. It has all that it needs with it, does it, and says how it went; what follows from
//! that is the writer's. Of each kind there is at most one at a time.

use super::checkpoint_job::{CheckpointDone, CheckpointJob};
use super::compaction_job::{CompactionDone, CompactionJob};
use super::flush_job::{FlushDone, FlushJob};
use super::removal_job::{RemovalDone, RemovalJob};
use super::sweep_job::{SweepDone, SweepJob};
use crate::journal::{SpareDone, SpareJob};

/// Something to be done.
#[derive(Debug)]
#[must_use = "the writer waits for it"]
pub enum Job {
    /// A file for the journal, ahead of its need.
    Spare(SpareJob),
    /// Batches into segments.
    Flush(FlushJob),
    /// What was written becomes durable, and the manifest says so.
    Checkpoint(Box<CheckpointJob>),
    /// A log without what was overwritten in it.
    Compaction(Box<CompactionJob>),
    /// Files of what is no more go.
    Removal(RemovalJob),
    /// A look for files that nothing knows of.
    Sweep(SweepJob),
}

/// Who does a job: those of one kind wait for each other, those of another do not.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Lane {
    /// Batches that go into segments: producers may come to wait for it.
    Flush,
    /// Files of the journal that are made ahead: each is written from end to end, and nobody should wait for that.
    Spare,
    /// Syncs.
    Sync,
    /// Files that go: a piece of it may keep a file system busy, and compaction may take for ever.
    Removal,
    /// What takes as long as it takes.
    Long,
}

impl Lane {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Flush, Self::Spare, Self::Sync, Self::Removal, Self::Long];
}

/// Something that was done, or failed.
#[derive(Debug)]
#[must_use = "the writer waits for it"]
pub enum JobDone {
    /// See [`Job::Spare`].
    Spare(SpareDone),
    /// See [`Job::Flush`].
    Flush(FlushDone),
    /// See [`Job::Checkpoint`].
    Checkpoint(Box<CheckpointDone>),
    /// See [`Job::Compaction`].
    Compaction(Box<CompactionDone>),
    /// See [`Job::Removal`].
    Removal(RemovalDone),
    /// See [`Job::Sweep`].
    Sweep(SweepDone),
}

impl Job {
    /// Where it belongs.
    pub fn lane(&self) -> Lane {
        match self {
            Self::Flush(_) => Lane::Flush,
            Self::Spare(_) => Lane::Spare,
            Self::Checkpoint(_) => Lane::Sync,
            Self::Removal(_) => Lane::Removal,
            Self::Compaction(_) | Self::Sweep(_) => Lane::Long,
        }
    }

    /// Does it.
    pub fn run(self) -> JobDone {
        match self {
            Self::Spare(job) => JobDone::Spare(job.run()),
            Self::Flush(job) => JobDone::Flush(job.run()),
            Self::Checkpoint(job) => JobDone::Checkpoint(Box::new(job.run())),
            Self::Compaction(job) => JobDone::Compaction(Box::new(job.run())),
            Self::Removal(job) => JobDone::Removal(job.run()),
            Self::Sweep(job) => JobDone::Sweep(job.run()),
        }
    }
}
