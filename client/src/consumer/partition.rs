//! One partition that is read: where it is in its life, what has been fetched of it, and how far it has been read.

use std::collections::VecDeque;

use tokio::time::Instant;

use super::chunk::Chunk;
use super::config::Settings;
use crate::admin::{Isolation, OffsetAt};

/// Where a partition is in its life.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Phase {
    /// It has to be found out where to read from.
    Lost(OffsetAt),
    /// That is being found out.
    BeingFound(OffsetAt),
    /// The leader has changed: is what was read before still there?
    Doubted,
    /// That is being asked.
    BeingValidated,
    /// It can be fetched.
    Ready,
    /// It waits for its user, who has been told why.
    Broken,
}

pub(super) struct Partition {
    pub(super) phase: Phase,
    // Raised whenever what is on its way must not count any more.
    pub(super) generation: u64,
    pub(super) is_paused: bool,
    // What the user has not got, and the epoch of the last record that it got.
    pub(super) position: Option<i64>,
    pub(super) leader_epoch: Option<i32>,
    // What has not been fetched, and the epoch of the last that has.
    pub(super) next: i64,
    pub(super) fetched_epoch: Option<i32>,
    pub(super) chunks: VecDeque<Chunk>,
    // Of those chunks, and of one that is being read.
    pub(super) chunk_bytes: usize,
    pub(super) is_in_flight: bool,
    pub(super) rests_until: Option<Instant>,
    pub(super) failures: u32,
    // The epoch of the leader in the metadata when it was last looked at.
    known_epoch: i32,
    // A replica that is nearer than the leader, and until when that counts.
    pub(super) preferred: Option<(i32, Instant)>,
    // When its leader last named one.
    pub(super) redirected_at: Option<Instant>,
    pub(super) high_watermark: Option<i64>,
    pub(super) last_stable: Option<i64>,
}

impl Partition {
    pub(super) const fn new(phase: Phase, generation: u64) -> Self {
        Self {
            phase,
            generation,
            is_paused: false,
            position: None,
            leader_epoch: None,
            next: 0,
            fetched_epoch: None,
            chunks: VecDeque::new(),
            chunk_bytes: 0,
            is_in_flight: false,
            rests_until: None,
            failures: 0,
            known_epoch: -1,
            preferred: None,
            redirected_at: None,
            high_watermark: None,
            last_stable: None,
        }
    }

    pub(super) const fn begin_at(&mut self, offset: i64) {
        self.phase = Phase::Ready;
        // What has been fetched is still read, where nobody has dropped it.
        if self.chunk_bytes == 0 {
            self.position = Some(offset);
        }
        self.next = offset;
        self.leader_epoch = None;
        self.fetched_epoch = None;
    }

    /// Forgets what has been fetched, and what is on its way.
    pub(super) fn drop_chunks(&mut self, generation: u64) {
        self.generation = generation;
        self.chunks.clear();
        self.chunk_bytes = 0;
        self.is_in_flight = false;
        self.rests_until = None;
        self.failures = 0;
    }

    pub(super) const fn wants_more(&self, settings: &Settings) -> bool {
        !self.is_paused && !self.is_in_flight && !self.is_full(settings)
    }

    const fn is_full(&self, settings: &Settings) -> bool {
        self.chunk_bytes >= settings.partition_bytes
    }

    /// Whether it wants more as soon as some of what there is has been read.
    pub(super) const fn will_want_more(&self, settings: &Settings) -> bool {
        !self.is_paused && self.is_full(settings)
    }

    /// Whether everything has been fetched that its leader told of.
    pub(super) fn is_at_end(&self, isolation: Isolation) -> bool {
        self.end(isolation).is_some_and(|end| self.next >= end)
    }

    /// Where what may be read ends, as its leader said last.
    pub(super) fn end(&self, isolation: Isolation) -> Option<i64> {
        match isolation {
            Isolation::ReadUncommitted => self.high_watermark,
            Isolation::ReadCommitted => self.last_stable.or(self.high_watermark),
        }
    }

    /// A new leader may have lost what an old one had.
    pub(super) fn notice_leader(&mut self, epoch: i32) {
        if epoch > self.known_epoch {
            let is_change = self.known_epoch >= 0 && self.fetched_epoch.is_some();
            if is_change && self.phase == Phase::Ready {
                self.phase = Phase::Doubted;
            }
            self.known_epoch = epoch;
        }
    }
}
