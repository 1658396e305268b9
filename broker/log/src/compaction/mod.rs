//! Compaction: of the records with one key the last one stays.
//!
//! Owns the decision whether a log is worth it ([`plan`]), the reading of its sealed segments, and the writing of
//! new ones in their place. It never touches the active segment, never changes a file that anybody reads, and
//! does not decide how far the log is stable: its caller says so. Everything is synchronous, and meant for a
//! thread that appends do not wait for.
//!
//! # What it promises
//!
//! - The last record of each key stays, and what stays keeps its order, its offset and its timestamp.
//! - Below the *mapped end*, which is as far as the keys fitted into memory, nothing but last records is left. The
//!   next round goes on from there.
//! - A tombstone (a key without a value) stays for `delete_retention_ms` after the first round that dropped what
//!   it deletes, so that a consumer on its way through the log sees it. From when on it may go, the *delete
//!   horizon*, stands in its batch's header.
//! - Records of aborted transactions go. A marker stays while there are batches of its transaction, and
//!   `delete_retention_ms` longer.
//! - The last batch of each live producer stays, without its records if need be, since the producer's last
//!   sequence number is told from it; and so does the batch that ends where the round ends.
//! - Records without a key go: they have no place in a compacted log.
//! - What it does not have to change stays as it is, byte for byte. What it cannot read ends the round with an
//!   error, and the log is as before: a batch whose checksum is false is never given a new one.

mod clean;
mod error;
mod filter;
mod hash;
mod job;
mod offset_map;
mod pace;
mod plan;
mod rebuild;
mod statistics;
mod swap;
mod transactions;
mod writer;

use std::collections::BTreeMap;

use strandline_protocol::batch::{BatchError, BatchHeader, BatchView};

pub use self::clean::{Cleaned, Round};
pub use self::error::CompactionError;
pub use self::job::{Compaction, CompactionInput, Replacement};
pub use self::pace::{Pace, Throttle, Unlimited};
pub use self::plan::{Candidate, Grouping, Plan, group, plan};
pub use self::statistics::Statistics;
pub use self::swap::{finish_swap, remove_orphans};

use crate::segment::AbortedTransaction;

/// What a round goes by.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What lies before it has been compacted before: each key is in it once.
    pub first_dirty_offset: i64,
    /// Behind the last segment that is compacted.
    pub end_offset: i64,
    /// What the wall's clock shows.
    pub now_ms: i64,
    /// How long tombstones and markers stay after they could have gone.
    pub delete_retention_ms: i64,
    /// Memory for the keys' last offsets.
    pub map_bytes_max: usize,
    /// No batch's records take more than this when they are decompressed.
    pub decompressed_bytes_max: usize,
    /// The last record of each producer that is alive.
    pub last_records: BTreeMap<i64, LastRecord>,
}

impl Settings {
    /// From when on a tombstone may go that could go now.
    fn delete_horizon_ms(&self) -> i64 {
        self.now_ms.saturating_add(self.delete_retention_ms.max(0)).max(0)
    }
}

/// What a live producer wrote last.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LastRecord {
    /// The last offset of its last batch of records; none if markers are all that is left of it.
    pub data_offset: Option<i64>,
    /// Its epoch.
    pub producer_epoch: i16,
}

/// A sealed segment to be read.
pub trait Source {
    /// Its batches, one after the other.
    type Batches<'a>: Batches
    where
        Self: 'a;

    /// The offset behind it.
    fn end_offset(&self) -> i64;

    /// The transactions aborted in it or through it, wherever their markers are.
    fn aborted(&self) -> Result<Vec<AbortedTransaction>, CompactionError>;

    /// All of its batches from the first on.
    fn batches(&self) -> Result<Self::Batches<'_>, CompactionError>;

    /// The error for a batch that makes no sense, with the place where it lies.
    fn failed(&self, position: u64, error: BatchError) -> CompactionError;
}

/// The batches of a segment.
pub trait Batches {
    /// The next batch and its position, until this is asked again; none at the end. Its checksum is right, and its
    /// offsets are behind those of the one before.
    fn next(&mut self) -> Result<Option<(u64, BatchView<'_>)>, CompactionError>;
}

/// Where the batches go that stay.
pub trait Sink {
    /// Takes the next batch; its header is handed in as well.
    fn append(&mut self, header: &BatchHeader, batch: &[u8]) -> Result<(), CompactionError>;

    /// Takes an entry for the transaction index.
    fn add_aborted(&mut self, transaction: AbortedTransaction) -> Result<(), CompactionError>;
}

#[cfg(test)]
mod tests;
