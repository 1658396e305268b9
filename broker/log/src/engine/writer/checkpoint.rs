//! When the manifest is brought up to date, with what, and what follows.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::super::checkpoint_job::{CheckpointDone, CheckpointError, CheckpointJob, Sync};
use super::super::log::{Log, Unsaved};
use super::super::observer::{Event, Reason};
use super::Writer;
use crate::local_id::LocalId;
use crate::manifest::{Changes, PartitionRow};
use crate::segment::{Segment, Written};

/// So many files are held open for their syncs, where one sync for all would not tell of what was lost.
const FILES_MAX: usize = 1_024;

/// How much is wanted of the next checkpoint.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
enum Want {
    #[default]
    Nothing,
    /// That what was written is synced.
    Sync,
    /// That files of the journal can be used again.
    Room,
    /// That the manifest has everything that is published.
    All,
}

/// What is known about checkpoints.
#[derive(Debug, Default)]
pub(in super::super) struct Checkpoints {
    want: Want,
    /// Why so much is wanted.
    want_reason: Reason,
    is_saving: bool,
    /// One that found no room, to be done again.
    again: Option<Box<CheckpointJob>>,
    last: Duration,
    /// What was published then.
    published_then: u64,
    /// When the one that is on its way was first handed out, and why.
    began: Duration,
    reason: Reason,
    /// What need not be replayed, as far as the manifest says.
    reached: u64,
    removed: Vec<LocalId>,
    /// Partitions that the manifest has no more, and whose files somebody still works on.
    lingering: Vec<LocalId>,
    sync: Sync,
}

impl Checkpoints {
    pub(super) fn new(reached: u64, removed: Vec<LocalId>, sync: Sync, now: Duration) -> Self {
        Self { reached, removed, sync, last: now, ..Self::default() }
    }

    pub(super) fn want(&mut self, reason: Reason) {
        self.want_so_much(Want::Room, reason);
    }

    /// Who wants the most, and wanted it first, is the reason.
    fn want_so_much(&mut self, want: Want, reason: Reason) {
        if want > self.want {
            (self.want, self.want_reason) = (want, reason);
        }
    }

    /// Whether so many files are held open to be synced one by one that no more may be. Then they are synced first.
    pub(super) fn is_crowded(&mut self) -> bool {
        let is_crowded = self.sync.files() >= FILES_MAX;
        if is_crowded {
            self.want_synced();
        }
        is_crowded
    }

    /// Has the files closed that are held open to be synced.
    pub(super) fn want_synced(&mut self) {
        self.want_so_much(Want::Sync, Reason::OpenFiles);
    }

    /// Up to which frame nothing need be replayed.
    pub(super) fn reached(&self) -> u64 {
        self.reached
    }

    pub(super) fn want_all(&mut self, reason: Reason) {
        self.want_so_much(Want::All, reason);
    }

    /// Whether there is something that the manifest is about to be told, also where that has to wait for room.
    pub(super) fn is_saving(&self) -> bool {
        self.is_saving || self.again.is_some()
    }

    /// Whether none is on its way or wanted.
    pub(super) fn is_idle(&self) -> bool {
        !self.is_saving && self.want == Want::Nothing
    }

    pub(super) fn remove_partition(&mut self, partition: LocalId) {
        self.removed.push(partition);
    }

    /// Notes what the next checkpoint has to sync.
    pub(super) fn note_written(&mut self, written: Vec<Written>, syncs_max: usize) {
        written.into_iter().for_each(|written| self.sync.add(written, syncs_max));
    }
}

impl Writer {
    pub(super) fn plan_checkpoint(&mut self) -> Option<CheckpointJob> {
        if self.checkpoints.is_saving || self.flushing.is_busy() {
            return None;
        }
        if let Some(job) = self.plan_removal() {
            self.checkpoints.is_saving = true;
            return Some(job);
        }
        if let Some(job) = self.checkpoints.again.take() {
            self.checkpoints.is_saving = true;
            return Some(*job);
        }
        self.look_for_reasons();
        let target = match self.checkpoints.want {
            Want::Nothing => return None,
            Want::Sync => 0,
            // What is to go has to be able to, whether or not there is room for what is to be flushed.
            Want::Room | Want::All if self.is_out_of_room() => 0,
            Want::Room => self.journal.half_way().unwrap_or(self.published),
            Want::All => self.published,
        };
        if self.first_unflushed().is_some_and(|first| first <= target) {
            self.flushing.want_up_to(target, self.checkpoints.want_reason);
            return None;
        }
        let checkpoint = self.flushed_to();
        self.checkpoints.want = Want::Nothing;
        self.begin_interval();
        self.checkpoints.began = self.clock.monotonic();
        self.checkpoints.reason = self.checkpoints.want_reason;
        self.checkpoints.is_saving = true;
        self.unjournaled.begin_sync();
        Some(self.checkpoint_job(checkpoint))
    }

    /// Where a checkpoint found no room, partitions that are no more go ahead of it: that makes some, and the manifest has
    /// room for so little.
    fn plan_removal(&mut self) -> Option<CheckpointJob> {
        let Checkpoints { again, removed, .. } = &mut self.checkpoints;
        let again = again.as_mut()?;
        // Where somebody still works on the files, it would make none.
        let gone: BTreeSet<LocalId> =
            removed.extract_if(.., |partition| !self.compactions.is_about(*partition)).collect();
        if gone.is_empty() {
            return None;
        }
        again.forget(&gone);
        self.checkpoints.sync.forget(&gone, &self.sources.layout);
        let gone: Vec<_> = gone.into_iter().collect();
        let (checkpoint, next_local_id) = (self.checkpoints.reached, self.next_local_id);
        let changes = Changes { checkpoint, next_local_id, removed: gone.clone(), ..Changes::default() };
        let job = CheckpointJob { is_removal: true, removed: gone, ..self.empty_job(changes) };
        Some(job)
    }

    fn removal_done(&mut self, done: CheckpointDone) {
        let CheckpointDone { job, result } = done;
        match result {
            // Their files come next.
            Ok(()) => self.removals.add_partitions(job.removed),
            Err(CheckpointError::DiskFull) => {
                self.checkpoints.removed.extend(job.removed);
                self.make_room(0);
            }
            Err(CheckpointError::NoDescriptors) => {
                self.checkpoints.removed.extend(job.removed);
                self.wait_for_descriptors();
            }
            Err(CheckpointError::Failed(error)) => self.go_offline(&error),
        }
    }

    fn look_for_reasons(&mut self) {
        let is_due = self.clock.monotonic() - self.checkpoints.last >= self.options.checkpoint_interval;
        let Checkpoints { removed, lingering, .. } = &self.checkpoints;
        let has_something = !(self.unsaved.is_empty() && removed.is_empty() && lingering.is_empty());
        let is_journal_filling = self.journal.half_way().is_some_and(|half| half > self.checkpoints.reached);
        self.checkpoints.is_crowded();
        let is_unsynced = self.unjournaled.bytes() >= self.options.unsynced_bytes_max / 2;
        if is_journal_filling {
            self.checkpoints.want(Reason::JournalHalfFull);
        } else if is_unsynced {
            self.checkpoints.want(Reason::Unsynced);
        } else if is_due && has_something {
            self.checkpoints.want(Reason::Interval);
        } else if is_due {
            self.look_for_old_tails();
        }
    }

    /// What has been in the journal alone since the last time goes into segments, though nothing presses: there it is
    /// found by retention and compaction, and the next start has less to replay.
    fn look_for_old_tails(&mut self) {
        let published_then = self.checkpoints.published_then;
        if self.first_unflushed().is_some_and(|first| first <= published_then) {
            self.flushing.want_up_to(published_then, Reason::Interval);
            self.checkpoints.want(Reason::Interval);
        } else {
            // What has come since is old the next time.
            self.begin_interval();
        }
    }

    fn begin_interval(&mut self) {
        self.checkpoints.last = self.clock.monotonic();
        self.checkpoints.published_then = self.published;
    }

    fn checkpoint_job(&mut self, checkpoint: u64) -> CheckpointJob {
        let removed = std::mem::take(&mut self.checkpoints.removed);
        let without_files = removed.iter().copied().chain(std::mem::take(&mut self.checkpoints.lingering));
        let (lingering, without_files) =
            without_files.partition(|partition| self.compactions.is_about(*partition));
        self.checkpoints.lingering = lingering;
        let next_local_id = self.next_local_id;
        let mut job = self.empty_job(Changes { checkpoint, next_local_id, removed, ..Changes::default() });
        job.sync = std::mem::take(&mut self.checkpoints.sync);
        job.removed = without_files;
        // Its row has to say so.
        self.unsaved.extend(self.compactions.replacing());
        for partition in std::mem::take(&mut self.unsaved) {
            let Some(log) = self.logs.get_mut(&partition) else { continue };
            let mut row = log.row(self.published);
            row.is_swapping = self.compactions.is_replacing(partition);
            job.changes.partitions.push((partition, row));
            if log.is_async() {
                // Whatever is published is in segments.
                let snapshot = (log.flushed_to, log.producers.snapshot());
                log.unsaved().snapshot = Some(snapshot);
            }
            if let Some(unsaved) = log.unsaved.take() {
                log.save(partition, *unsaved, &mut job);
            }
        }
        self.add_replacement(&mut job);
        job
    }

    /// One that has nothing to do but to commit changes.
    fn empty_job(&self, changes: Changes) -> CheckpointJob {
        CheckpointJob {
            sources: Arc::clone(&self.sources),
            manifest: Arc::clone(&self.manifest),
            sync: Sync::default(),
            syncs_max: self.options.syncs_max,
            sealed: Vec::new(),
            changes,
            committed_logs: 0,
            replacements: Vec::new(),
            cut: Vec::new(),
            gone: Vec::new(),
            gone_unjournaled: Vec::new(),
            passed: Vec::new(),
            awaited: Vec::new(),
            removed: Vec::new(),
            is_removal: false,
        }
    }

    pub(super) fn checkpoint_done(&mut self, done: CheckpointDone) {
        self.checkpoints.is_saving = false;
        if done.job.is_removal {
            return self.removal_done(done);
        }
        let CheckpointDone { mut job, result } = done;
        match result {
            Ok(()) => self.found_room(),
            Err(CheckpointError::DiskFull) => {
                self.make_room(0);
                self.checkpoints.again = Some(Box::new(job));
                return;
            }
            Err(CheckpointError::NoDescriptors) => {
                self.wait_for_descriptors();
                self.checkpoints.again = Some(Box::new(job));
                return;
            }
            Err(CheckpointError::Failed(error)) => return self.go_offline(&error),
        }
        for partition in &job.awaited {
            if let Some(log) = self.logs.get_mut(partition) {
                log.is_removing = false;
            }
        }
        self.checkpoints.reached = job.changes.checkpoint;
        self.tell_checkpoint(&job);
        self.removals.add_segments(job.passed.drain(..));
        self.removals.add_partitions(job.removed.drain(..));
        job.replacements.iter().for_each(|replacement| self.install(replacement));
        for segment in &job.sealed {
            segment.indexes_written(&self.sources.files);
            if let Some(log) = self.logs.get_mut(&segment.partition()) {
                log.producers.aborted_indexed(segment.end_offset());
            }
        }
        self.unjournaled.end_sync();
        self.sources.frames.forget_up_to(job.changes.checkpoint);
        self.note_busy(self.clock.monotonic());
        if let Err(error) = self.journal.recycle(job.changes.checkpoint) {
            self.go_offline(&error);
        }
    }
}

impl Writer {
    fn tell_checkpoint(&self, job: &CheckpointJob) {
        let replaced = job.replacements.iter().flat_map(|replacement| &replacement.replaced);
        let removed = job.gone.iter().chain(&job.passed).chain(&job.gone_unjournaled).chain(replaced);
        let (segments_removed, bytes_removed) =
            removed.fold((0, 0), |(count, bytes), segment| (count + 1, bytes + segment.length()));
        self.tell(&Event::Checkpointed {
            logs: job.committed_logs,
            segments_removed,
            bytes_removed,
            logs_removed: job.removed.len(),
            took: self.clock.monotonic().saturating_sub(self.checkpoints.began),
            reason: self.checkpoints.reason,
        });
    }
}

impl Log {
    fn row(&self, published: u64) -> PartitionRow {
        let view = self.partition.view();
        PartitionRow {
            description: self.description.to_vec(),
            config: (*self.config).clone(),
            // What is in no segment has to be replayed.
            includes_sequence: self.first_unflushed.map_or(published, |first| first - 1),
            log_start: view.start,
            local_start: view.local_start.filter(|offset| *offset > view.start),
            cleaned_to: self.cleaned_to,
            is_swapping: false,
            flushed_to: self.flushed_to,
            epochs: view.epochs.as_slice().iter().map(|entry| (entry.epoch, entry.start_offset)).collect(),
        }
    }

    /// Moves what the manifest does not say yet into a checkpoint.
    fn save(&mut self, partition: LocalId, unsaved: Unsaved, job: &mut CheckpointJob) {
        let Unsaved { changed, cut, mut gone, snapshot, stale_snapshots, is_truncated } = unsaved;
        let segments = &mut job.changes.segments;
        segments.extend(gone.iter().map(|segment| (partition, segment.base_offset(), None)));
        // A segment that begins where one went is a row of its own: what is said last counts.
        let rows = cut.iter().chain(&changed);
        segments.extend(rows.map(|segment| (partition, segment.base_offset(), Some(segment.facts()))));
        let snapshots = &mut job.changes.snapshots;
        snapshots.extend(stale_snapshots.into_iter().map(|offset| (partition, offset, None)));
        match snapshot {
            None => {}
            Some((_, None)) => {
                let outdated = std::mem::take(&mut self.snapshots).into_iter();
                snapshots.extend(outdated.map(|offset| (partition, offset, None)));
            }
            Some((offset, Some(snapshot))) => {
                snapshots.extend(self.outdated_snapshot(offset).map(|offset| (partition, offset, None)));
                snapshots.push((partition, offset, Some(snapshot)));
                self.snapshots.push(offset);
            }
        }
        job.sealed.extend(cut.iter().chain(&changed).filter(|segment| segment.is_sealed()).cloned());
        job.cut.extend(cut);
        let start = self.partition.offsets().start;
        // No segment will have the name of one that has something and lies before the start, where nothing was cut off
        // meanwhile: nobody has to wait until it is gone.
        let is_passed = |segment: &mut Arc<Segment>| {
            !is_truncated && segment.end_offset() <= start && segment.base_offset() < segment.end_offset()
        };
        job.passed.extend(gone.extract_if(.., is_passed));
        self.is_removing = !gone.is_empty() || is_truncated;
        job.awaited.extend(self.is_removing.then_some(partition));
        // A scan does not look before the start.
        let (cut_off, others): (Vec<_>, Vec<_>) =
            gone.into_iter().partition(|segment| self.is_async() && segment.end_offset() > start);
        job.gone_unjournaled.extend(cut_off);
        job.gone.extend(others);
    }

    /// Of each segment the last snapshot is enough: a truncation into it reads on from the one before.
    fn outdated_snapshot(&mut self, offset: i64) -> Option<i64> {
        let base_offset = self.partition.view().segments.last().map_or(0, |segment| segment.base_offset());
        let is_outdated = |last: &mut i64| *last == offset || *last > base_offset;
        self.snapshots.pop_if(is_outdated).filter(|last| *last != offset)
    }
}
