//! How much an engine takes, and when it does what. One set of defaults, which every benchmark uses.

use std::sync::Arc;
use std::time::Duration;

use super::mailbox::MailboxOptions;
use super::observer::{Observer, Unobserved};
use crate::journal;
use crate::manifest::ManifestOptions;
use crate::tail::Budget;

/// What can be set for a data directory.
#[derive(Clone, Debug)]
pub struct Options {
    /// The journal, whose bound decides how long a recovery takes.
    pub journal: journal::Options,
    /// What is known of partitions and segments.
    pub manifest: ManifestOptions,
    /// The queue before the writer.
    pub mailbox: MailboxOptions,
    /// Memory for what was appended last, of all partitions together. Who opens several directories gives the same to
    /// all of them: clones are one budget. Whoever says nothing has that of the process.
    pub tail_budget: Budget,
    /// So many bytes that are in no segment yet start their writing there.
    pub flush_bytes: u64,
    /// The largest piece of that which is handed out at once.
    pub flush_job_bytes: u64,
    /// Tails of so much on average go into segments as soon as they fill a job: their pieces are large already, and all
    /// of them is in memory still. What is smaller waits for more of its kind.
    pub full_tail_bytes: u64,
    /// What is flushed of one log at once goes past the page cache from this size on, unless the log was lately read
    /// behind its tail: that costs half as much, and pays where few read what is in memory no more.
    pub past_cache_bytes_min: u64,
    /// `async` logs may have so many bytes that no sync has covered.
    pub unsynced_bytes_max: u64,
    /// How many files are kept open.
    pub open_files_max: u64,
    /// From so many files on, one sync of the whole file system takes the place of theirs.
    pub syncs_max: usize,
    /// Room that is kept for writing what the journal holds into segments.
    pub reserve_bytes: u64,
    /// The manifest is brought up to date after so much time even if nothing presses, and what has been in the journal
    /// alone for as long goes into segments.
    pub checkpoint_interval: Duration,
    /// How often it is looked whether records are too old, too many, or worth compacting.
    pub housekeeping_interval: Duration,
    /// Producers that sent nothing for so long are forgotten.
    pub producer_expiration_ms: i64,
    /// Memory for the keys of one compaction.
    pub compaction_map_bytes: usize,
    /// So many bytes a second are read and written by compaction.
    pub compaction_bytes_per_second: u64,
    /// So many bytes of files a second are removed of what is no more; a file counts as 256 KiB at least.
    pub removal_bytes_per_second: u64,
    /// Who is told what is done.
    pub observer: Arc<dyn Observer>,
}

impl Default for Options {
    fn default() -> Self {
        let journal = journal::Options::default();
        Self {
            journal,
            manifest: ManifestOptions::default(),
            mailbox: MailboxOptions::default(),
            tail_budget: Budget::default(),
            flush_bytes: 32 << 20,
            flush_job_bytes: 8 << 20,
            full_tail_bytes: 256 << 10,
            past_cache_bytes_min: 256 << 10,
            unsynced_bytes_max: 128 << 20,
            open_files_max: 4_096,
            syncs_max: 64,
            reserve_bytes: journal.bytes_max,
            checkpoint_interval: Duration::from_secs(30),
            housekeeping_interval: Duration::from_secs(60),
            producer_expiration_ms: 24 * 60 * 60 * 1_000,
            compaction_map_bytes: 128 << 20,
            compaction_bytes_per_second: u64::MAX,
            removal_bytes_per_second: 4 << 30,
            observer: Arc::new(Unobserved),
        }
    }
}
