//! What is durable becomes visible, and is answered.

use std::sync::Arc;
use std::task::Waker;

use bytes::Bytes;

use super::super::group::{Change, Cut, Group, Operation, PlacedBatch, Said};
use super::super::log::Log;
use super::super::observer::Reason;
use super::super::partition::{Offsets, Partition, View};
use super::super::request::Done;
use super::Writer;
use crate::config::LogConfig;
use crate::journal::{Committed, FrameBuffer, Staged};
use crate::local_id::LocalId;
use crate::segment::Segment;
use crate::tail::TailEntry;

impl Writer {
    /// Publishes the group that was written, in the order in which it was staged.
    pub(super) fn publish(&mut self, committed: Committed, frame: FrameBuffer) {
        let group = self.writing.take().unwrap_or_default();
        // Before anything points into it.
        self.sources.frames.keep(committed.sequence, committed.file, committed.offset, frame);
        self.published = committed.sequence;
        let Group { operations, answers } = group;
        for operation in operations {
            self.publish_one(operation);
        }
        for (reply, outcome) in answers {
            self.reply(reply, outcome);
        }
    }

    fn publish_one(&mut self, operation: Operation) {
        let Operation { partition, said, reply } = operation;
        let done = match said {
            Said::Append { batch, staged } => {
                let offsets = self.publish_append(partition, &batch, &staged);
                batch.appended(offsets)
            }
            Said::Change(Change::Create { description, config }) => {
                Done::Created(self.add_log(partition, description, config))
            }
            Said::Change(Change::Delete) => {
                self.remove_log(partition);
                Done::Changed
            }
            Said::Change(change) => {
                self.publish_change(partition, change);
                Done::Changed
            }
        };
        if let Some(reply) = reply {
            self.reply(reply, Ok(done));
        }
    }

    fn add_log(&mut self, id: LocalId, description: Bytes, config: Arc<LogConfig>) -> Arc<Partition> {
        let partition = Partition::new(id, Arc::clone(&self.sources), Arc::clone(&config), 0, 0);
        let partition = Arc::new(partition);
        self.logs.insert(id, Box::new(Log::new(Arc::clone(&partition), config, description, 0)));
        self.unsaved.insert(id);
        partition
    }

    /// None where the log is gone.
    fn publish_append(&mut self, id: LocalId, batch: &PlacedBatch, staged: &Staged) -> Option<Offsets> {
        let log = self.logs.get_mut(&id)?;
        log.staged -= 1;
        log.staged_bytes -= u64::from(staged.length);
        let entry = TailEntry {
            base_offset: batch.base_offset,
            frame: self.published,
            offset_in_frame: staged.offset,
            length: staged.length,
            last_offset_delta: batch.last_offset_delta,
            max_timestamp: batch.max_timestamp,
        };
        if log.first_unflushed.is_none() {
            log.first_unflushed = Some(self.published);
            self.flushing.add(self.published, id);
        }
        self.flushing.grow(u64::from(entry.length));
        // It follows: the writer gave it its offsets.
        let (offsets, due) = log.publish_batch(batch, |view| {
            let pushed = view.tail.push(entry);
            debug_assert!(pushed.is_ok(), "{pushed:?}");
        });
        due.into_iter().for_each(Waker::wake);
        Some(offsets)
    }

    fn remove_log(&mut self, id: LocalId) {
        let Some(log) = self.logs.remove(&id) else { return };
        let (due, bytes, segments) = {
            let mut view = log.partition.view();
            view.is_deleted = true;
            (view.due(), view.tail.bytes(), view.segments.clone())
        };
        self.removals.keep_segments(id, segments);
        self.flushing.shrink(bytes);
        self.flushing.logs -= u64::from(log.needs_room);
        self.unsaved.remove(&id);
        self.checkpoints.remove_partition(id);
        if self.compactions.is_about(id) {
            self.compactions.stop();
        }
        due.into_iter().for_each(Waker::wake);
    }

    /// The changes to a partition that goes on.
    fn publish_change(&mut self, id: LocalId, change: Change) {
        let Some(log) = self.logs.get_mut(&id) else { return };
        log.staged = log.staged.saturating_sub(1);
        self.unsaved.insert(id);
        let before = log.partition.view().tail.bytes();
        match change {
            Change::Truncate(cut) => {
                self.compactions.cut(id, cut.end_offset);
                log.truncate(*cut);
                log.show_open_transactions();
            }
            Change::SetLogStart { start_offset } => {
                log.staged_starts = log.staged_starts.saturating_sub(1);
                log.set_start(start_offset);
            }
            Change::Configure { config } => {
                log.set_config(config);
                log.is_changing = false;
            }
            Change::Create { .. } | Change::Delete => {}
        }
        let (after, first, due) = {
            let mut view = log.partition.view();
            // What an open transaction held back is decided if that was given up, or cut off with all of its batch.
            (view.tail.bytes(), view.tail.first_frame(), view.due())
        };
        due.into_iter().for_each(Waker::wake);
        if self.compactions.waits_for_checkpoint(id) {
            // The last one left it out, for what was on its way.
            self.checkpoints.want(Reason::Compaction);
        }
        self.flushing.shrink(before - after);
        if log.first_unflushed != first {
            log.first_unflushed = first;
            if let Some(first) = first {
                self.flushing.add(first, id);
            }
        }
        self.give_room_back(id);
    }
}

impl Log {
    pub(in super::super) fn new(
        partition: Arc<Partition>,
        config: Arc<LogConfig>,
        description: Bytes,
        start_offset: i64,
    ) -> Self {
        Self {
            partition,
            config,
            description,
            producers: Default::default(),
            next_offset: start_offset,
            latest_epoch: strandline_protocol::batch::NO_LEADER_EPOCH,
            staged: 0,
            staged_bytes: 0,
            staged_starts: 0,
            is_changing: false,
            is_ending: false,
            first_unflushed: None,
            needs_room: false,
            flushed_to: start_offset,
            is_ahead: false,
            appended_ms: None,
            cleaned_to: None,
            snapshots: Vec::new(),
            is_removing: false,
            unsaved: None,
        }
    }

    /// Moves the log's end behind a batch, in its producers' state and its view. Gives where it is then, and who need not
    /// wait any longer.
    pub(in super::super) fn publish_batch(
        &mut self,
        batch: &PlacedBatch,
        place: impl FnOnce(&mut View),
    ) -> (Offsets, Vec<Waker>) {
        let completed = if batch.has_producer { self.producers.publish() } else { None };
        let mut view = self.partition.view();
        view.end = batch.last_offset + 1;
        if view.high_watermark.is_none() {
            self.producers.high_watermark_moved(view.end);
        }
        view.first_unstable = self.first_unstable(view.high_watermark);
        // That it does not go back was checked; batches without an epoch leave no trace here.
        let _ = view.epochs.assign(batch.leader_epoch, batch.base_offset);
        place(&mut view);
        view.aborted.extend(completed.filter(|completed| completed.is_aborted));
        (view.offsets(), view.due())
    }

    pub(in super::super) fn truncate(&mut self, cut: Cut) {
        let Cut { end_offset, prefix, producers } = cut;
        self.is_changing = false;
        self.is_ahead = false;
        self.producers = producers;
        let mut gone = Vec::new();
        {
            let mut view = self.partition.view();
            view.end = end_offset;
            view.high_watermark = view.high_watermark.map(|offset| offset.min(end_offset));
            // They were worked out from the log alone.
            self.producers.high_watermark_moved(view.high_watermark.unwrap_or(view.start));
            view.first_unstable = self.first_unstable(view.high_watermark);
            view.epochs.truncate_from_end(end_offset);
            view.tail.truncate(end_offset);
            view.aborted.retain(|aborted| aborted.last_offset < end_offset);
            while view.segments.last().is_some_and(|segment| segment.end_offset() > end_offset) {
                gone.extend(view.segments.pop());
            }
            view.segments.extend(prefix.clone());
            self.latest_epoch = view.epochs.latest().map_or(-1, |entry| entry.epoch);
            // Where the cut went through a batch that was in no segment, none holds what is before it.
            let is_flushed = view.tail.first_frame().is_none();
            self.flushed_to = if is_flushed { end_offset } else { self.flushed_to.min(end_offset) };
        }
        self.cleaned_to = self.cleaned_to.map(|cleaned_to| cleaned_to.min(end_offset));
        // Another cut may come before the manifest has heard of the last one, and of segments it never heard of.
        let unsaved = self.unsaved();
        for noted in [&mut unsaved.changed, &mut unsaved.cut] {
            noted.retain(|segment| !gone.iter().any(|gone| Arc::ptr_eq(gone, segment)));
        }
        let cut_at = prefix.as_ref().map(|prefix| prefix.base_offset());
        gone.retain(|segment| Some(segment.base_offset()) != cut_at);
        gone.iter().for_each(|segment| segment.let_go());
        let stale: Vec<_> = self.snapshots.extract_if(.., |offset| *offset > end_offset).collect();
        let snapshot = (self.flushed_to == end_offset).then(|| (end_offset, self.producers.snapshot()));
        let unsaved = self.unsaved();
        unsaved.snapshot = snapshot.or(unsaved.snapshot.take());
        unsaved.stale_snapshots.extend(stale);
        unsaved.is_truncated = true;
        unsaved.cut.extend(prefix);
        unsaved.gone.extend(gone);
    }

    /// Gives up the beginning. What is in no segment yet stays until it is: the producers' state in the
    /// manifest is that of what was flushed.
    pub(in super::super) fn set_start(&mut self, start_offset: i64) {
        let mut gone = Vec::new();
        {
            let mut view = self.partition.view();
            view.start = view.start.max(start_offset);
            let start = view.start;
            view.epochs.truncate_from_start(start);
            // The last one may be about to get what is in no segment yet, or have more than the manifest knows of.
            let is_needed = self.first_unflushed.is_some() || self.is_async();
            let is_below = |segment: &mut Arc<Segment>| {
                segment.end_offset() <= start && (segment.is_sealed() || !is_needed)
            };
            gone.extend(view.segments.extract_if(.., is_below));
            view.aborted.retain(|aborted| aborted.last_offset >= start);
        }
        self.producers.log_start_moved(start_offset);
        self.note_gone(gone);
    }
}
