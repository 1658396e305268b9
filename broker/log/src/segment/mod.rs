//! Segments: the files that a partition's batches lie in, laid out as Kafka lays them out.
//!
//! Owns the files of a segment and what is known of them: how long they are, where in them what is, and which
//! parts have been held against their checksums. It never decides what is written or when: the writer does,
//! and says so. It knows no journal and no manifest.
//!
//! # Who may do what
//!
//! One writer, many readers. The writer has bytes written at positions that it chose ([`Segment::write`]) and
//! publishes them afterwards ([`Segment::extend`]). Readers see what has been published and nothing else; what
//! lies behind it in the file is garbage. Published bytes are never written again. A segment that has to lose
//! its end becomes another one ([`Segment::prefix`]), which takes no more batches; whoever reads the first one
//! meanwhile gets [`SegmentError::Gone`] at worst.
//!
//! A name may come to belong to other bytes, by compaction or when a log is cut at a segment's beginning. Whoever
//! does that says so first ([`Segment::hold_open`], [`Segment::let_go`]), so that no reader of the segment takes
//! those bytes for its own.
//!
//! # What is trusted
//!
//! What this process has written. Of what was there before, a stretch is held against its checksums when it is
//! first read, however it is found; bad bytes are an error for those who ask for them, and the rest is served.
//! An index file is a hint: each entry that is used has to name a batch that is there, and if one does not, the
//! index is made anew from the batches.
//!
//! The base offset and the leader epoch of a batch are outside of its checksum. That an offset is wrong shows only
//! where offsets then fail to rise.

mod error;
mod facts;
mod files;
mod index;
mod indexes;
mod loaded;
mod lru;
mod prefix;
mod read;
mod reader;
mod room;
mod scan;
mod timestamp;
mod transactions;
mod verified;
mod verify;
mod write;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::disk::{Access, File};
use crate::local_id::LocalId;

use self::index::IndexBuilder;
use self::verified::Verified;

pub use self::error::SegmentError;
pub use self::facts::{BatchFacts, SegmentFacts};
pub use self::files::{Files, FilesOptions};
pub use self::index::{IndexEntries, OffsetEntry, OffsetIndex, TimeEntry, TimeIndex};
pub use self::lru::CacheFigures;
pub use self::read::{FileRange, Found};
pub use self::reader::{BatchReader, Headers};
pub use self::room::Room;
pub use self::scan::{Order, PIECE_BYTES, PROBE_BYTES, Scanner, Walk, scan_valid_end};
pub use self::timestamp::FoundTimestamp;
pub(crate) use self::timestamp::max_timestamp_in_batch;
pub use self::transactions::{Aborted, AbortedTransaction};
pub use self::write::{Way, Written};

/// No segment is longer, and no offset in it further from its beginning: Kafka counts both with signed numbers.
pub(crate) const LENGTH_MAX: u64 = 0x7fff_ffff;

/// A number that is given once in a process.
fn next_key() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A segment of a partition.
///
/// There is one for every partition, so it is small as long as it has no index entries.
pub struct Segment {
    key: u64,
    file_key: u64,
    partition: LocalId,
    base_offset: i64,
    generation: u32,
    created_ms: i64,
    /// The bytes before this were there when the process began.
    untrusted_length: u64,
    state: Mutex<State>,
}

/// What changes. Nobody holds it across I/O.
struct State {
    length: u64,
    end_offset: i64,
    first_timestamp: i64,
    /// The index of the bytes before this is in a file, or is made from them when it is needed.
    covered: u64,
    /// The index of the bytes from there on.
    builder: IndexBuilder,
    extras: Option<Box<Extras>>,
    name: Name,
    file: FileState,
    is_sealed: bool,
    /// Whether all aborted transactions are in memory, and a file that may list some is not the segment's, or is what
    /// a checkpoint left that did not come to its end.
    lists_all_aborted: bool,
}

/// What few segments have.
#[derive(Default)]
struct Extras {
    verified: Verified,
    /// What is not in a file yet.
    aborted: Vec<AbortedTransaction>,
    /// To which length the file has been cut, for all segments that have it; none if no prefix was ever made.
    cut_to: Option<Arc<AtomicU64>>,
}

/// Whose the segment's names are.
enum Name {
    Own,
    /// They belong, or will belong, to other bytes.
    Gone,
    /// The same, and the segment's own bytes can still be read here.
    Kept(Arc<dyn File>),
}

/// What has to be done before the file is first written to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum FileState {
    Unmade,
    /// Another process may have left bytes behind the published ones.
    Uncut,
    Ready,
}

/// What is published, at one moment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Extent {
    length: u64,
    end_offset: i64,
    covered: u64,
    max_timestamp: i64,
}

impl fmt::Debug for Segment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = self.facts();
        write!(formatter, "segment {} of partition {}: {facts:?}", self.base_offset, self.partition)
    }
}

impl Segment {
    /// A segment that has nothing in it and no file yet.
    pub fn begin(partition: LocalId, base_offset: i64, generation: u32, created_ms: i64) -> Self {
        let facts = SegmentFacts::empty(base_offset, generation, created_ms);
        Self::new(partition, base_offset, &facts, FileState::Unmade)
    }

    /// A segment that another process has left.
    pub fn recovered(partition: LocalId, base_offset: i64, facts: &SegmentFacts) -> Self {
        let file = if facts.length == 0 { FileState::Unmade } else { FileState::Uncut };
        Self::new(partition, base_offset, facts, file)
    }

    fn new(partition: LocalId, base_offset: i64, facts: &SegmentFacts, file: FileState) -> Self {
        let key = next_key();
        let state = State {
            length: facts.length,
            end_offset: facts.end_offset,
            first_timestamp: facts.first_timestamp,
            covered: facts.length,
            builder: IndexBuilder::new(base_offset, facts.max_timestamp),
            extras: None,
            name: Name::Own,
            file,
            is_sealed: facts.is_sealed,
            lists_all_aborted: !facts.is_sealed,
        };
        Self {
            key,
            file_key: key,
            partition,
            base_offset,
            generation: facts.generation,
            created_ms: facts.created_ms,
            untrusted_length: facts.length,
            state: Mutex::new(state),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number that no other segment of this process has.
    pub const fn key(&self) -> u64 {
        self.key
    }

    /// A number that it shares only with its prefixes.
    pub(crate) const fn file_key(&self) -> u64 {
        self.file_key
    }

    /// Whose segment it is.
    pub const fn partition(&self) -> LocalId {
        self.partition
    }

    /// The offset that it begins at, and that its files are named by.
    pub const fn base_offset(&self) -> i64 {
        self.base_offset
    }

    /// How often compaction has written it anew.
    pub const fn generation(&self) -> u32 {
        self.generation
    }

    /// How many of its bytes count.
    pub fn length(&self) -> u64 {
        self.state().length
    }

    /// The offset behind its last one.
    pub fn end_offset(&self) -> i64 {
        self.state().end_offset
    }

    /// The largest timestamp in it, or [`NO_TIMESTAMP`](strandline_protocol::batch::NO_TIMESTAMP).
    pub fn max_timestamp(&self) -> i64 {
        self.state().builder.max().timestamp
    }

    /// Whether it takes no more batches.
    pub fn is_sealed(&self) -> bool {
        self.state().is_sealed
    }

    /// What has to be kept of it for [`Segment::recovered`].
    pub fn facts(&self) -> SegmentFacts {
        let state = self.state();
        SegmentFacts {
            generation: self.generation,
            length: state.length,
            end_offset: state.end_offset,
            max_timestamp: state.builder.max().timestamp,
            first_timestamp: state.first_timestamp,
            created_ms: self.created_ms,
            is_sealed: state.is_sealed,
        }
    }

    fn extent(&self) -> Extent {
        let state = self.state();
        Extent {
            length: state.length,
            end_offset: state.end_offset,
            covered: state.covered,
            max_timestamp: state.builder.max().timestamp,
        }
    }

    /// Publishes batches that have been written behind the published ones, in this order. The writer alone
    /// does this, and not once the segment is sealed.
    pub fn extend(&self, batches: &[BatchFacts], index_interval_bytes: u32) {
        let mut state = self.state();
        debug_assert!(!state.is_sealed, "a sealed segment never grows");
        for batch in batches {
            debug_assert!(batch.base_offset >= state.end_offset, "offsets rise");
            if state.length == 0 {
                state.first_timestamp = batch.max_timestamp;
            }
            let position = state.length;
            state.builder.add(position, batch, index_interval_bytes);
            state.length += batch.bytes;
            state.end_offset = batch.last_offset.saturating_add(1);
        }
    }

    /// Takes no more batches from now on.
    pub fn seal(&self) {
        self.state().is_sealed = true;
    }

    /// Notes an aborted transaction whose marker is in this segment. The writer alone does this, in the order of
    /// the markers, and only for markers that are published.
    pub fn add_aborted(&self, transaction: AbortedTransaction) {
        self.state().extras.get_or_insert_default().aborted.push(transaction);
    }

    /// The file, if it is not to be opened by its name.
    fn kept_open(&self) -> Result<Option<Arc<dyn File>>, SegmentError> {
        match &self.state().name {
            Name::Own => Ok(None),
            Name::Kept(file) => Ok(Some(Arc::clone(file))),
            Name::Gone => Err(self.gone()),
        }
    }

    /// Whether the file may be shorter than this segment was, or be another one.
    fn may_be_gone(&self) -> bool {
        let state = self.state();
        let cut_to = state.extras.as_ref().and_then(|extras| extras.cut_to.as_ref());
        !matches!(state.name, Name::Own)
            || cut_to.is_some_and(|cut_to| cut_to.load(Ordering::Acquire) < state.length)
    }

    fn has_names(&self) -> bool {
        matches!(self.state().name, Name::Own)
    }

    const fn gone(&self) -> SegmentError {
        SegmentError::Gone { partition: self.partition, base_offset: self.base_offset }
    }

    /// Says that its names will belong to other bytes. From when this returns it is read without them, and
    /// its file stays open until the segment is dropped.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn hold_open(&self, files: &Files) -> Result<(), SegmentError> {
        let file = files.log(self, Access::Read)?;
        // The transaction index goes with the names, and cannot be made from the batches again.
        let aborted = self.aborted(files, i64::MIN, i64::MAX);
        let mut state = self.state();
        if let Ok(aborted) = aborted {
            state.extras.get_or_insert_default().aborted = aborted.transactions;
            state.lists_all_aborted = true;
        }
        state.name = Name::Kept(file);
        Ok(())
    }

    /// Says that its names will belong to other bytes, or to none. From when this returns, reading it is an
    /// error, unless it is held open.
    pub fn let_go(&self) {
        let mut state = self.state();
        if matches!(state.name, Name::Own) {
            state.name = Name::Gone;
        }
    }
}

#[cfg(test)]
mod tests;
