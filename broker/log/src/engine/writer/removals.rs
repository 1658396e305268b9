//! When the files of what is no more are removed: at a bounded rate, in pieces, by a thread that nobody waits for.
//!
//! Where the disk is full nothing is held back, since somebody waits for the room; nor is anything at the end.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::super::observer::Event;
use super::super::removal_job::{Doomed, RemovalDone, RemovalJob, Removed};
use super::Writer;
use crate::compaction::Throttle;
use crate::local_id::LocalId;
use crate::segment::Segment;

/// A piece takes this part of a second.
const PIECES_PER_SECOND: u64 = 10;

/// So many segments or partitions are handed out at once.
const DOOMED_AT_ONCE: usize = 4_096;

/// What is to be removed, and when.
#[derive(Debug)]
pub(in super::super) struct Removals {
    waiting: VecDeque<Doomed>,
    /// The segments of partitions that are deleted, until the manifest says so too: their files may be open.
    segments: HashMap<LocalId, Vec<Arc<Segment>>>,
    /// How many of them are on their way, in a job.
    handed_out: usize,
    throttle: Throttle,
    /// Nothing goes before this.
    due: Duration,
}

impl Removals {
    pub(super) fn new(bytes_per_second: u64) -> Self {
        Self {
            waiting: VecDeque::new(),
            segments: HashMap::new(),
            handed_out: 0,
            throttle: Throttle::new(bytes_per_second),
            due: Duration::ZERO,
        }
    }

    /// How many segments and partitions have not gone yet.
    pub(super) fn waiting(&self) -> usize {
        self.handed_out + self.waiting.len()
    }

    fn is_busy(&self) -> bool {
        self.handed_out > 0
    }

    /// Whether nothing is left to be done.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting() == 0
    }

    /// Keeps what a partition had that is about to go.
    pub(super) fn keep_segments(&mut self, partition: LocalId, segments: Vec<Arc<Segment>>) {
        if !segments.is_empty() {
            self.segments.insert(partition, segments);
        }
    }

    /// These segments are no log's any more, and the manifest says so.
    pub(super) fn add_segments(&mut self, segments: impl IntoIterator<Item = Arc<Segment>>) {
        self.waiting.extend(segments.into_iter().map(Doomed::Segment));
    }

    /// These partitions are no more, and the manifest says so.
    pub(super) fn add_partitions(&mut self, partitions: impl IntoIterator<Item = LocalId>) {
        for partition in partitions {
            let segments = self.segments.remove(&partition).unwrap_or_default();
            self.waiting.push_back(Doomed::Partition(partition, segments));
        }
    }

    /// What went without being asked for here counts as well.
    pub(super) fn charge(&mut self, removed: Removed, now: Duration) {
        self.due = now.saturating_add(self.throttle.delay(removed.cost_bytes, now));
    }

    /// From now on it goes at this rate; what went before was held against another one.
    pub(super) fn set_rate(&mut self, bytes_per_second: u64) {
        self.throttle.set_rate(bytes_per_second);
        self.due = Duration::ZERO;
    }

    /// Whether what went last still counts.
    pub(super) fn is_resting(&self, now: Duration) -> bool {
        now < self.due
    }
}

impl Writer {
    /// The next piece. Where it is urgent, all that there is.
    pub(super) fn plan_removals(&mut self, is_urgent: bool) -> Option<RemovalJob> {
        // Somebody waits for the room.
        let is_urgent = is_urgent || self.is_out_of_room() || !self.reserve.is_whole();
        let removals = &mut self.removals;
        if removals.is_busy() || removals.waiting.is_empty() {
            return None;
        }
        if !is_urgent && removals.is_resting(self.clock.monotonic()) {
            return None;
        }
        let piece_bytes = (self.options.removal_bytes_per_second / PIECES_PER_SECOND).max(1);
        removals.handed_out = removals.waiting.len().min(DOOMED_AT_ONCE);
        Some(RemovalJob {
            sources: Arc::clone(&self.sources),
            doomed: removals.waiting.drain(..removals.handed_out).collect(),
            cost_bytes_max: if is_urgent { u64::MAX } else { piece_bytes },
        })
    }

    pub(super) fn removals_done(&mut self, done: RemovalDone) {
        let RemovalDone { mut left, removed, is_throttled, result } = done;
        let removals = &mut self.removals;
        removals.handed_out = 0;
        left.append(&mut removals.waiting);
        removals.waiting = left;
        if is_throttled {
            removals.charge(removed, self.clock.monotonic());
        }
        self.tell_removed(removed);
        match result {
            // It is worth trying again what found none.
            Ok(()) if removed.files > 0 => self.found_room(),
            Ok(()) => {}
            Err(error) => self.go_offline(&error),
        }
    }

    pub(super) fn tell_removed(&self, removed: Removed) {
        if removed.files > 0 {
            let Removed { files, bytes, .. } = removed;
            self.tell(&Event::Removed { files, bytes, waiting: self.removals.waiting() });
        }
    }

    /// How long nothing is removed, if something waits for its turn.
    pub(in super::super) fn removal_due_in(&self) -> Option<Duration> {
        let is_waiting = !self.removals.is_busy() && !self.removals.waiting.is_empty();
        let left = is_waiting.then(|| self.removals.due.saturating_sub(self.clock.monotonic()));
        left.filter(|left| !left.is_zero())
    }
}
