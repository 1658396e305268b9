//! Which batches go into segments, and when: the oldest first, all that a log has at once.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::super::flush_job::{FlushDone, FlushJob, LogFlush, Manner, Part, Piece};
use super::super::log::Log;
use super::super::observer::{Event, Reason};
use super::super::options::Options;
use super::super::read::Sources;
use super::room::PARTITION_BYTES;
use super::{Logs, Writer};
use crate::local_id::LocalId;
use crate::segment::{BatchFacts, Segment};
use crate::tail::TailEntry;

/// So many logs at the most go into segments in one job, however little of each: the file of each is open until all of
/// them are written, and a process may not have more than a few thousand.
const LOGS_PER_JOB_MAX: usize = 256;

/// Where memory has less than twice as many jobs, what is flushed is read back anyway.
const UNFLUSHED_JOBS_MIN: u64 = 4;

/// What is in no segment yet.
#[derive(Debug, Default)]
pub(in super::super) struct Flushing {
    /// Logs in the order of their first frame that is not flushed. What a log was flushed of since, or cut off,
    /// leaves entries behind that no longer hold.
    queue: VecDeque<(u64, LocalId)>,
    bytes: u64,
    /// How many logs the journal has something of, staged or not.
    pub(in super::super) logs: u64,
    /// Everything in frames up to this one is to be flushed, whether or not memory is short.
    target: u64,
    /// Why that is so.
    target_reason: Reason,
    is_busy: bool,
    began: Duration,
    /// Why the job began that is under way.
    reason: Reason,
}

impl Flushing {
    /// What recovery has left in the journal.
    pub(super) fn new(logs: &mut Logs) -> Self {
        logs.values_mut().for_each(|log| log.needs_room = log.first_unflushed.is_some());
        let unflushed = logs.iter().filter_map(|(id, log)| Some((log.first_unflushed?, *id)));
        let mut queue: Vec<_> = unflushed.collect();
        queue.sort_unstable();
        let bytes = logs.values().map(|log| log.partition.view().tail.bytes()).sum();
        Self { logs: queue.len() as u64, queue: queue.into(), bytes, ..Self::default() }
    }

    /// How much room all of it takes in segments, at most.
    pub(super) fn room_bytes(&self) -> u64 {
        self.bytes + self.logs * PARTITION_BYTES
    }

    pub(super) fn add(&mut self, frame: u64, partition: LocalId) {
        // A truncation may leave a log with an older first frame than others have that came later.
        let place = self.queue.partition_point(|(other, _)| *other <= frame);
        self.queue.insert(place, (frame, partition));
    }

    pub(super) fn grow(&mut self, bytes: u64) {
        self.bytes += bytes;
    }

    pub(super) fn shrink(&mut self, bytes: u64) {
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn is_busy(&self) -> bool {
        self.is_busy
    }

    /// Whether waiting would make pieces larger that are small.
    fn gains_by_waiting(&self, options: &Options) -> bool {
        self.bytes < self.logs.saturating_mul(options.full_tail_bytes)
    }

    /// Whether appends wait for the flush that is under way: with more of large tails, memory would give up what is in no
    /// segment yet, and each flush would read it back from the journal and be later still. A frame goes when all logs have
    /// been flushed that it is of, so memory holds about twice what is in no segment.
    pub(in super::super) fn holds_appends_up(&self, options: &Options) -> bool {
        let bytes_max = options.tail_budget.bytes_max() / 2;
        let is_kept_in_memory = bytes_max >= options.flush_job_bytes.saturating_mul(UNFLUSHED_JOBS_MIN);
        self.is_busy && is_kept_in_memory && self.bytes >= bytes_max && !self.gains_by_waiting(options)
    }

    pub(super) fn want_up_to(&mut self, frame: u64, reason: Reason) {
        if frame > self.target {
            (self.target, self.target_reason) = (frame, reason);
        }
    }
}

impl Writer {
    /// The first frame that holds something which is in no segment.
    pub(super) fn first_unflushed(&mut self) -> Option<u64> {
        while let Some((frame, partition)) = self.flushing.queue.front() {
            let log = self.logs.get(partition);
            if log.is_some_and(|log| log.first_unflushed == Some(*frame)) {
                return Some(*frame);
            }
            self.flushing.queue.pop_front();
        }
        None
    }

    /// The last frame up to which all is in segments.
    pub(super) fn flushed_to(&mut self) -> u64 {
        self.first_unflushed().map_or(self.published, |first| first - 1)
    }

    pub(super) fn plan_flush(&mut self) -> Option<FlushJob> {
        if self.flushing.is_busy || self.checkpoints.is_crowded() {
            return None;
        }
        let mut logs: Vec<LogFlush> = Vec::new();
        let mut planned_bytes = 0;
        let mut put_off = Vec::new();
        let options = &self.options;
        let enough_bytes = if self.flushing.gains_by_waiting(options) {
            options.flush_bytes
        } else {
            options.flush_bytes.min(options.flush_job_bytes)
        };
        while planned_bytes < self.options.flush_job_bytes.max(1) && logs.len() < LOGS_PER_JOB_MAX {
            let Some(first) = self.first_unflushed() else { break };
            let is_wanted = first <= self.flushing.target;
            let is_due = is_wanted || self.flushing.bytes - planned_bytes >= enough_bytes;
            let Some((_, partition)) = self.flushing.queue.pop_front_if(|_| is_due) else { break };
            let Some(log) = self.logs.get_mut(&partition) else { continue };
            // What a truncation is about to cut off goes into no segment any more.
            if log.is_removing || log.is_changing {
                put_off.push((first, partition));
                continue;
            }
            let past_cache_bytes_min = self.options.past_cache_bytes_min;
            let flush = log.plan_flush(partition, &self.sources, self.clock.wall_ms(), past_cache_bytes_min);
            planned_bytes += flush.bytes;
            if logs.is_empty() {
                let wanted = self.flushing.target_reason;
                self.flushing.reason = if is_wanted { wanted } else { Reason::TailMemory };
            }
            logs.push(flush);
        }
        for (frame, partition) in put_off.into_iter().rev() {
            self.flushing.queue.push_front((frame, partition));
        }
        self.flushing.is_busy = !logs.is_empty();
        self.flushing.began = self.clock.monotonic();
        self.flushing.is_busy.then(|| FlushJob { sources: Arc::clone(&self.sources), logs })
    }

    pub(super) fn flush_done(&mut self, done: FlushDone) {
        self.flushing.is_busy = false;
        match done.result {
            Ok(written) => {
                self.found_room();
                self.checkpoints.note_written(written, self.options.syncs_max);
                let logs = &done.job.logs;
                self.tell(&Event::Flushed {
                    logs: logs.len(),
                    bytes: logs.iter().map(|flush| flush.bytes).sum(),
                    took: self.clock.monotonic().saturating_sub(self.flushing.began),
                    reason: self.flushing.reason,
                });
                done.job.logs.into_iter().for_each(|flush| self.log_flushed(flush));
                let flushed_to = self.flushed_to();
                self.sources.frames.release_up_to(flushed_to);
            }
            Err(error) if error.is_disk_full() || error.lacks_descriptors() => {
                // Nothing of it counts: it is written again, to the same places. The reserve was kept for this.
                if error.is_disk_full() {
                    self.make_room(done.job.logs.iter().map(|flush| flush.bytes).sum());
                } else {
                    self.wait_for_descriptors();
                }
                for flush in done.job.logs {
                    let first = self.logs.get(&flush.partition).and_then(|log| log.first_unflushed);
                    first.into_iter().for_each(|first| self.flushing.add(first, flush.partition));
                }
            }
            Err(error) => self.go_offline(&error),
        }
    }

    fn log_flushed(&mut self, flush: LogFlush) {
        let LogFlush { partition, pieces, end_offset, snapshot, .. } = flush;
        let Some(log) = self.logs.get_mut(&partition) else { return };
        log.take_pieces(pieces, self.clock.wall_ms());
        let (freed, first) = {
            let mut view = log.partition.view();
            let before = view.tail.bytes();
            view.tail.drop_below(end_offset);
            (before - view.tail.bytes(), view.tail.first_frame())
        };
        log.flushed_to = log.flushed_to.max(end_offset);
        log.first_unflushed = first;
        log.unsaved().snapshot = Some((end_offset, snapshot));
        self.flushing.shrink(freed);
        self.unsaved.insert(partition);
        if let Some(first) = first {
            self.flushing.add(first, partition);
        }
        self.give_room_back(partition);
    }
}

impl Log {
    /// All of the log's tail, on its way into segments.
    fn plan_flush(
        &mut self,
        partition: LocalId,
        sources: &Sources,
        now_ms: i64,
        past_cache_bytes_min: u64,
    ) -> LogFlush {
        // Behind a cut that went through a batch, the end is beyond that of the last batch.
        let (entries, end_offset): (Vec<TailEntry>, i64) = {
            let view = self.partition.view();
            (view.tail.iter().copied().collect(), view.end)
        };
        let bytes = entries.iter().map(|entry| u64::from(entry.length)).sum();
        let batches = entries.iter().filter_map(|entry| Some((facts(entry), part(sources, entry)?)));
        let pieces = self.plan_pieces(batches, now_ms);
        let is_for_readers = self.partition.takes_flush_for_readers(bytes);
        let past_cache_bytes_min = if is_for_readers { u64::MAX } else { past_cache_bytes_min };
        let manner = Manner { writeback_bytes_min: 0, past_cache_bytes_min };
        LogFlush { partition, pieces, end_offset, bytes, manner, snapshot: self.producers.snapshot() }
    }

    /// Which batches go where: behind the last segment, and into a new one where that is full.
    pub(super) fn plan_pieces(
        &mut self,
        batches: impl Iterator<Item = (BatchFacts, Part)>,
        now_ms: i64,
    ) -> Vec<Piece> {
        let mut planned = self.active().map(|active| (active.room(), active));
        let mut pieces: Vec<Piece> = Vec::new();
        // Mostly there is one piece, and thousands of batches where they are small: the writer has no time to move them time
        // and again.
        let mut room_for = batches.size_hint().1.unwrap_or(0);
        for (facts, part) in batches {
            planned.take_if(|(room, _)| room.must_roll(&facts, &self.config, now_ms));
            let (room, segment) = planned.get_or_insert_with(|| {
                let new = self.begin_segment(facts.base_offset, now_ms);
                (new.room(), new)
            });
            if !pieces.last().is_some_and(|piece| Arc::ptr_eq(&piece.segment, segment)) {
                let (position, segment) = (room.length(), Arc::clone(segment));
                let (parts, batches) = (Vec::with_capacity(room_for), Vec::with_capacity(room_for));
                room_for = 0;
                pieces.push(Piece { segment, is_new: position == 0, position, parts, batches });
            }
            room.add(&facts);
            if let Some(piece) = pieces.last_mut() {
                piece.parts.push(part);
                piece.batches.push(facts);
            }
        }
        pieces
    }

    /// The segment that a batch begins.
    fn begin_segment(&self, base_offset: i64, now_ms: i64) -> Arc<Segment> {
        let new = Arc::new(Segment::begin(self.partition.id(), base_offset, 0, now_ms));
        let gone = self.unsaved.iter().flat_map(|unsaved| &unsaved.gone);
        if gone.into_iter().any(|gone| gone.base_offset() == base_offset) {
            // What went is removed later, by its name, which is not its own any more.
            self.partition.sources.files.take_name(&new);
        }
        new
    }

    /// What was written belongs to the log's segments now.
    pub(super) fn take_pieces(&mut self, pieces: Vec<Piece>, now_ms: i64) {
        self.appended_ms = Some(now_ms);
        let mut changed = Vec::new();
        let mut gone = Vec::new();
        {
            let mut view = self.partition.view();
            for Piece { segment, is_new, batches, .. } in pieces {
                segment.extend(&batches, self.config.index_interval_bytes);
                if is_new {
                    changed.extend(view.segments.last().filter(|last| !last.is_sealed()).cloned());
                    changed.iter().for_each(|full| full.seal());
                    view.segments.push(Arc::clone(&segment));
                }
                changed.push(segment);
            }
            // The log's start may have moved past a segment while it was written.
            let start = view.start;
            gone.extend(view.segments.extract_if(.., |segment| segment.end_offset() <= start));
        }
        changed.into_iter().for_each(|segment| self.note_changed(segment));
        self.note_gone(gone);
        self.move_aborted();
    }
}

fn facts(entry: &TailEntry) -> BatchFacts {
    BatchFacts {
        base_offset: entry.base_offset,
        last_offset: entry.last_offset(),
        max_timestamp: entry.max_timestamp,
        bytes: u64::from(entry.length),
    }
}

/// Where a batch is; its frame is not forgotten before it is flushed.
fn part(sources: &Sources, entry: &TailEntry) -> Option<Part> {
    let frames = &sources.frames;
    let TailEntry { frame, offset_in_frame, length, .. } = *entry;
    match frames.slice(frame, offset_in_frame, length) {
        Some(slice) => Some(Part::Frame(slice)),
        None => frames.place(frame, offset_in_frame, length).map(Part::Journal),
    }
}
