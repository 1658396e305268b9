//! Mistakes that are made on purpose, in how the writer is driven or in what it hands out. None of them needs
//! anything in the engine itself.

use std::sync::Arc;

use super::super::super::checkpoint_job::Sync;
use super::super::super::compaction_job::{Step, Work};
use super::super::super::flush_job::FlushDone;
use super::super::super::group::{Change, Said};
use super::super::super::removal_job::{Removed, remove_partition};
use super::super::super::sweep_job::Extent;
use super::super::super::{Job, JobDone};
use super::Simulation;
use super::model::Ask;
use crate::config::LogConfig;

/// A mistake.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Plant {
    /// A duplicate is answered at once.
    DuplicateAnsweredEarly,
    /// The journal is recycled when a checkpoint begins.
    RecycledEarly,
    /// What a checkpoint is to sync is forgotten.
    CheckpointWithoutSync,
    /// The snapshot of a flush is taken when it is over.
    SnapshotTooNew,
    /// A batch more is cut off in memory than the journal says.
    TruncatedTooFar,
    /// Segments go before it is durable that the log begins behind them.
    DroppedBeforeStart,
    /// Files go before it is durable that their partition does.
    UnlinkedBeforeDeletion,
    /// Files go before the manifest stops naming them.
    UnlinkedBeforeManifest,
    /// A flush says that it was done, and was not.
    FlushSkipped,
    /// Compaction leaves a segment out of those that it wrote.
    LiveKeyDropped,
    /// Compaction takes what is not stable yet.
    CompactedTooFar,
    /// Tombstones go as soon as they are seen again.
    TombstonesEarly,
    /// A log becomes an `async` one while some of it is in the journal alone.
    SwitchedWithoutFlush,
    /// The sweep was not told of one of the partitions.
    SweptTooMuch,
    /// Nobody remembers which transactions were aborted.
    AbortedForgotten,
    /// Who waits for a log to go on is forgotten.
    ReadersForgotten,
    /// Producers are forgotten before their time.
    ProducersForgottenEarly,
}

impl Simulation {
    fn is_planted(&self, plant: Plant) -> bool {
        self.subject.plant == Some(plant)
    }

    pub(super) fn plant_before_take(&mut self) {
        if !self.is_planted(Plant::SwitchedWithoutFlush) {
            return;
        }
        let Self { sent, model, writer, .. } = self;
        for sent in sent {
            let id = model.partitions.get(&sent.number).and_then(|partition| partition.id);
            let log = id.and_then(|id| writer.as_mut()?.logs.get_mut(&id));
            if let (Ask::Configure(config), Some(log)) = (&sent.ask, log) {
                let durability = config.durability;
                log.config = Arc::new(LogConfig { durability, ..(*log.config).clone() });
            }
        }
    }

    pub(super) fn plant_after_take(&mut self) {
        let Some(plant) = self.subject.plant else { return };
        let Some(writer) = &mut self.writer else { return };
        let sources = Arc::clone(&writer.sources);
        if plant == Plant::DuplicateAnsweredEarly {
            let groups = [Some(&mut writer.forming), writer.writing.as_mut()];
            for (reply, outcome) in groups.into_iter().flatten().flat_map(|group| group.answers.drain(..)) {
                reply.replies.reply(reply.ticket, outcome);
                reply.replies.flush();
            }
        }
        for operation in &mut writer.forming.operations {
            let log = writer.logs.get_mut(&operation.partition);
            match (&mut operation.said, log, plant) {
                (Said::Change(Change::Truncate(cut)), Some(log), Plant::TruncatedTooFar) => {
                    let number = self.model.number_of(operation.partition);
                    let batches = number.map(|number| &self.model.partitions[&number].durable.batches);
                    let before = batches.and_then(|batches| {
                        batches.iter().rev().find(|batch| batch.last_offset < cut.end_offset)
                    });
                    if let Some(before) = before
                        && let Ok(prefix) = log.prefix(before.base_offset, &sources)
                    {
                        cut.prefix = prefix;
                        cut.end_offset = before.base_offset;
                    }
                }
                (
                    Said::Change(Change::SetLogStart { start_offset }),
                    Some(log),
                    Plant::DroppedBeforeStart,
                ) => {
                    for segment in &log.partition.view().segments {
                        if segment.end_offset() <= *start_offset && segment.is_sealed() {
                            let _ = segment.remove(&sources.files);
                        }
                    }
                }
                (Said::Change(Change::Delete), Some(_), Plant::UnlinkedBeforeDeletion) => {
                    let _ =
                        remove_partition(&sources, operation.partition, u64::MAX, &mut Removed::default());
                }
                _ => {}
            }
        }
    }

    pub(super) fn plant_before_finish(&mut self) {
        if self.is_planted(Plant::ReadersForgotten) {
            for reader in &self.readers_waiting {
                reader.handle().stop_waking(&reader.waker());
            }
        }
    }

    pub(super) fn plant_after_finish(&mut self) {
        if self.is_planted(Plant::AbortedForgotten) {
            for log in self.writer().logs.values() {
                log.partition.view().aborted.clear();
            }
        }
    }

    pub(super) fn plant_after_recovery(&mut self) {
        if self.is_planted(Plant::ProducersForgottenEarly) {
            self.writer().options.producer_expiration_ms /= 2;
        }
    }

    pub(super) fn plant_in_job(&mut self, job: &mut Job) {
        let Some(plant) = self.subject.plant else { return };
        match (job, plant) {
            (Job::Checkpoint(job), Plant::RecycledEarly) => {
                let _ = self.writer().journal.recycle(job.changes.checkpoint);
            }
            (Job::Checkpoint(job), Plant::CheckpointWithoutSync) => job.sync = Sync::default(),
            (Job::Checkpoint(job), Plant::UnlinkedBeforeManifest) => {
                for segment in job.gone.iter().chain(&job.passed) {
                    let _ = segment.remove(&job.sources.files);
                }
            }
            (Job::Compaction(job), plant) => {
                let Work::Begin(input, _) = &mut job.work else { return };
                match plant {
                    Plant::TombstonesEarly => input.settings.delete_retention_ms = 0,
                    Plant::CompactedTooFar => {
                        let more: Vec<_> =
                            input.later.iter().filter(|one| one.is_sealed()).cloned().collect();
                        input.later.retain(|one| !one.is_sealed());
                        input.segments.extend(more);
                        let end = input.segments.last().map(|segment| segment.end_offset());
                        input.settings.end_offset = end.unwrap_or(input.settings.end_offset);
                    }
                    _ => {}
                }
            }
            (Job::Sweep(job), Plant::SweptTooMuch) => {
                if let Extent::Folders { known, .. } = &mut job.extent {
                    known.pop_first();
                }
            }
            _ => {}
        }
    }

    /// What comes of a job that is not done as it should be.
    pub(super) fn plant_instead(&mut self, job: Job) -> Result<JobDone, Job> {
        match job {
            Job::Flush(job) if self.is_planted(Plant::FlushSkipped) && self.random.one_in(3) => {
                Ok(JobDone::Flush(FlushDone { job, result: Ok(Vec::new()) }))
            }
            job => Err(job),
        }
    }

    /// Whether a mistake shows only if a group is published before a job is taken back.
    pub(super) fn plant_needs_group(&self, done: &JobDone) -> bool {
        self.is_planted(Plant::SnapshotTooNew) && matches!(done, JobDone::Flush(_)) && !self.has_failed()
    }

    pub(super) fn plant_in_done(&mut self, done: &mut JobDone) {
        let Some(plant) = self.subject.plant else { return };
        match (done, plant) {
            (JobDone::Flush(done), Plant::SnapshotTooNew) => {
                for flush in &mut done.job.logs {
                    if let Some(log) = self.writer().logs.get(&flush.partition) {
                        flush.snapshot = log.producers.snapshot();
                    }
                }
            }
            (JobDone::Compaction(done), Plant::LiveKeyDropped) => {
                if let Ok(Step::Replacement(replacement, _)) = &mut done.result {
                    replacement.segments.pop();
                }
            }
            _ => {}
        }
    }
}
