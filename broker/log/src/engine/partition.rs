//! What is published of a partition: the part that readers see.
//!
//! The writer changes it, in a few instructions under a lock that nobody holds across I/O. Everything in it is
//! durable as the log's settings mean it; what is only staged is not here.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use strandline_protocol::batch::NO_TIMESTAMP;

use super::read::Sources;
use crate::config::LogConfig;
use crate::epochs::{EpochEnd, LeaderEpochs};
use crate::local_id::LocalId;
use crate::producers::{CompletedTransaction, FirstBatch, Guard, Verifications};
use crate::segment::Segment;
use crate::tail::Tail;

/// How far a reader may read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum UpTo {
    /// To the end of what is durable here.
    End,
    /// To the high watermark.
    HighWatermark,
    /// To where no transaction is open, nor has ended above the high watermark.
    LastStable,
}

/// Where a log begins and ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Offsets {
    /// The first offset that is there.
    pub start: i64,
    /// The first one that is on this directory: the same, unless some of the log is kept elsewhere.
    pub local_start: i64,
    /// No transaction is open below this.
    pub last_stable: i64,
    /// What the layer above has said is replicated; the end where it never said anything.
    pub high_watermark: i64,
    /// The offset behind the last one that is durable.
    pub end: i64,
}

impl Offsets {
    /// The offset that a reader does not get to.
    pub fn limit(&self, up_to: UpTo) -> i64 {
        match up_to {
            UpTo::End => self.end,
            UpTo::HighWatermark => self.high_watermark,
            UpTo::LastStable => self.last_stable,
        }
    }
}

/// Somebody who waits for a log to go on.
#[derive(Debug)]
struct Waiting {
    beyond: i64,
    up_to: UpTo,
    waker: Waker,
}

#[derive(Debug)]
pub(super) struct View {
    pub(super) config: Arc<LogConfig>,
    pub(super) start: i64,
    /// The first offset that is on this directory, if the log begins elsewhere. It stays as it is when the log's start
    /// moves past it.
    pub(super) local_start: Option<i64>,
    pub(super) end: i64,
    /// None while the layer above has not said anything.
    pub(super) high_watermark: Option<i64>,
    /// The first offset of a transaction that is open, or has ended above the high watermark.
    pub(super) first_unstable: Option<i64>,
    /// Oldest first. Compaction leaves gaps between them, and segments with nothing in them.
    pub(super) segments: Vec<Arc<Segment>>,
    /// What is not in a segment yet.
    pub(super) tail: Tail,
    pub(super) epochs: LeaderEpochs,
    /// Aborted transactions whose markers are in no segment yet, in the order of these.
    pub(super) aborted: Vec<CompletedTransaction>,
    /// None as long as nobody has had a transaction here. It then stays, so that no guard is given twice.
    pub(super) verifications: Option<Box<Verifications>>,
    pub(super) is_deleted: bool,
    waiting: Vec<Waiting>,
}

impl View {
    pub(super) fn offsets(&self) -> Offsets {
        let high_watermark = self.high_watermark.map_or(self.end, |offset| offset.min(self.end));
        // A transaction may be open whose beginning was given up.
        let unstable = self.first_unstable.map_or(high_watermark, |offset| offset.max(self.start));
        let last_stable = unstable.min(high_watermark);
        let local_start = self.local_start.map_or(self.start, |offset| offset.max(self.start));
        Offsets { start: self.start, local_start, last_stable, high_watermark, end: self.end }
    }

    /// Those who need not wait any longer.
    pub(super) fn due(&mut self) -> Vec<Waker> {
        if self.waiting.is_empty() {
            return Vec::new();
        }
        let (offsets, is_deleted) = (self.offsets(), self.is_deleted);
        let due = self
            .waiting
            .extract_if(.., |waiting| is_deleted || offsets.limit(waiting.up_to) > waiting.beyond);
        due.map(|waiting| waiting.waker).collect()
    }
}

/// So much of what was read from files is remembered at the most.
const READ_BEHIND_BYTES_MAX: u64 = 64 << 20;

/// A partition on this data directory, for those who read it.
pub struct Partition {
    id: LocalId,
    pub(super) sources: Arc<Sources>,
    view: Mutex<View>,
    /// How much was read from files that no flush has made up for by going through the page cache.
    read_behind_bytes: AtomicU64,
}

impl fmt::Debug for Partition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "partition {} with {:?}", self.id, self.offsets())
    }
}

impl Partition {
    pub(super) fn new(
        id: LocalId,
        sources: Arc<Sources>,
        config: Arc<LogConfig>,
        start: i64,
        end: i64,
    ) -> Self {
        let view = View {
            config,
            start,
            local_start: None,
            end,
            high_watermark: None,
            first_unstable: None,
            segments: Vec::new(),
            tail: Tail::default(),
            epochs: LeaderEpochs::default(),
            aborted: Vec::new(),
            verifications: None,
            is_deleted: false,
            waiting: Vec::new(),
        };
        Self { id, sources, view: Mutex::new(view), read_behind_bytes: AtomicU64::new(0) }
    }

    pub(super) fn view(&self) -> MutexGuard<'_, View> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What this directory calls it.
    pub fn id(&self) -> LocalId {
        self.id
    }

    /// How it is kept.
    pub fn config(&self) -> Arc<LogConfig> {
        Arc::clone(&self.view().config)
    }

    /// Where it begins and ends.
    pub fn offsets(&self) -> Offsets {
        self.view().offsets()
    }

    /// How many bytes of record batches it has, wherever they lie.
    pub fn bytes(&self) -> u64 {
        let view = self.view();
        view.segments.iter().map(|segment| segment.length()).sum::<u64>() + view.tail.bytes()
    }

    /// How many segments it has, and its [`Partition::bytes`].
    pub fn extent(&self) -> (u64, u64) {
        let view = self.view();
        let in_segments: u64 = view.segments.iter().map(|segment| segment.length()).sum();
        (view.segments.len() as u64, in_segments + view.tail.bytes())
    }

    /// Notes that so much was read which is in no memory of this process.
    pub(super) fn note_read_behind(&self, bytes: u64) {
        if bytes > 0 {
            let noted = |before: u64| before.saturating_add(bytes).min(READ_BEHIND_BYTES_MAX);
            self.read_behind_bytes.update(Ordering::Relaxed, Ordering::Relaxed, noted);
        }
    }

    /// Whether the flush of so much that is about to begin is for those who read behind the tail: they need what is flushed
    /// now a little later, and as much as they have read. The writer alone asks.
    pub(super) fn takes_flush_for_readers(&self, bytes: u64) -> bool {
        let bytes = bytes.min(READ_BEHIND_BYTES_MAX);
        let made_up_for = |read: u64| read.checked_sub(bytes);
        self.read_behind_bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, made_up_for).is_ok()
    }

    /// Whether it has been deleted.
    pub fn is_deleted(&self) -> bool {
        self.view().is_deleted
    }

    /// The offset behind the last one of an epoch, with the epoch that it is of, as a follower asks for it; none
    /// if this log cannot tell.
    pub fn end_of_epoch(&self, epoch: i32) -> Option<EpochEnd> {
        let view = self.view();
        view.epochs.end_offset_for(epoch, view.end)
    }

    /// The last epoch that something was appended in; none before that.
    pub fn latest_epoch(&self) -> Option<i32> {
        self.view().epochs.latest().map(|entry| entry.epoch)
    }

    /// The epoch of the first record that is there, if that is known.
    pub fn start_epoch(&self) -> Option<i32> {
        let view = self.view();
        view.epochs.epoch_for(view.start)
    }

    /// The epoch that the record at an offset was appended in, if that is known; none beyond the end.
    pub fn epoch_at(&self, offset: i64) -> Option<i32> {
        let view = self.view();
        view.epochs.epoch_for(offset).filter(|_| offset < view.end)
    }

    /// The highest timestamp of all batches; none if none has one.
    pub fn max_timestamp(&self) -> Option<i64> {
        let view = self.view();
        let in_segments = view.segments.iter().map(|segment| segment.max_timestamp());
        let in_tail = view.tail.iter().map(|entry| entry.max_timestamp);
        in_segments.chain(in_tail).max().filter(|timestamp| *timestamp != NO_TIMESTAMP)
    }

    /// What a transactional batch has to show when it is appended: nothing if its transaction is open, and otherwise
    /// this guard, once its coordinator has said that the partition is part of the transaction. `raises_epoch` says
    /// that the producer gets a new epoch with each transaction.
    pub fn begin_verification(&self, first: FirstBatch, raises_epoch: bool, now_ms: i64) -> Option<Guard> {
        self.view().verifications.get_or_insert_default().begin(first, raises_epoch, now_ms)
    }

    /// Takes a guard back: the coordinator has said that the partition is part of no transaction.
    pub fn refuse_verification(&self, producer_id: i64, guard: Guard) {
        if let Some(verifications) = &mut self.view().verifications {
            verifications.refused(producer_id, guard);
        }
    }

    /// Wakes somebody once there is something to read beyond an offset, or the partition is deleted. Gives
    /// false, and wakes nobody, where that is so already.
    pub fn wake_when_beyond(&self, beyond: i64, up_to: UpTo, waker: Waker) -> bool {
        let mut view = self.view();
        if view.is_deleted || view.offsets().limit(up_to) > beyond {
            return false;
        }
        view.waiting.retain(|waiting| !waiting.waker.will_wake(&waker));
        view.waiting.push(Waiting { beyond, up_to, waker });
        true
    }

    /// Wakes all who wait, though it has not gone on: something that is not in it has changed, which they look at.
    pub fn wake_all(&self) {
        let waiting = std::mem::take(&mut self.view().waiting);
        waiting.into_iter().for_each(|waiting| waiting.waker.wake());
    }

    /// How many wait for it to go on.
    pub fn waiting_count(&self) -> usize {
        self.view().waiting.len()
    }

    /// Takes [`Partition::wake_when_beyond`] back.
    pub fn stop_waking(&self, waker: &Waker) {
        self.view().waiting.retain(|waiting| !waiting.waker.will_wake(waker));
    }
}
