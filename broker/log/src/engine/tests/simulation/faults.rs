//! What goes wrong: calls that fail, machines that halt, disks that are full, bits that turn around. And what runs
//! came by.

use super::super::super::checkpoint_job::{CheckpointDone, CheckpointError};
use super::super::super::compaction_job::Step;
use super::super::super::{EngineError, Job, JobDone};
use super::{Simulation, Violation};
use crate::config::Durability;
use crate::disk::Disk;
use crate::disk::simulated::Operation;
use crate::local_id::LocalId;
use crate::segment::SegmentError;

const OPERATIONS: [Operation; 16] = [
    Operation::Write,
    Operation::Write,
    Operation::Sync,
    Operation::Sync,
    Operation::Read,
    Operation::Allocate,
    Operation::Rename,
    Operation::SyncDirectory,
    Operation::SyncFileSystem,
    Operation::Open,
    Operation::Create,
    Operation::CreateDirectory,
    Operation::Remove,
    Operation::List,
    Operation::Length,
    Operation::SetLength,
];

impl Simulation {
    pub(super) fn plan_fault(&mut self) {
        match self.random.below(8) {
            0..=3 => {
                let far = if self.random.one_in(2) { 8 } else { 80 };
                let operations = 1 + self.random.below(far);
                self.disk.halt_in(operations);
                self.has_fault = true;
            }
            4 => {
                let nth = 1 + self.random.below(3);
                self.disk.delay(Operation::Sync, nth, self.clock.clone(), 40_000);
                self.reach("slow sync");
            }
            _ => {
                let operation = OPERATIONS[self.random.index(OPERATIONS.len())];
                let nth = 1 + self.random.below(5);
                self.disk.fail(operation, nth);
                self.has_fault = true;
            }
        }
    }

    /// Leaves the disk little room, or gives it plenty again.
    pub(super) fn fill_up(&mut self) -> Result<(), Violation> {
        if self.is_full {
            return self.make_room();
        }
        // Faults that are planned would hit this call.
        if self.has_fault {
            return Ok(());
        }
        let Ok(free) = self.disk.free_bytes() else { return Ok(()) };
        let room = if self.random.one_in(2) { 0 } else { self.random.below(64 << 10) };
        self.disk.set_capacity((1 << 40) - free + room);
        self.is_full = true;
        self.was_full = true;
        self.reach("disk filled");
        Ok(())
    }

    pub(super) fn give_room(&mut self) {
        self.disk.set_capacity(1 << 40);
        self.is_full = false;
    }

    /// There is room again: everything goes on.
    pub(super) fn make_room(&mut self) -> Result<(), Violation> {
        self.give_room();
        for _ in 0..3 {
            self.clock.advance(2_000);
            self.settle()?;
        }
        if self.has_failed() || self.has_fault {
            return Ok(());
        }
        if !self.writer().reserve.is_whole() || !self.sent.is_empty() {
            return Err(format!("there is room, and {:?} still wait", self.sent));
        }
        self.was_full = false;
        self.reach("went on when there was room");
        Ok(())
    }

    /// Notes where the machine halted.
    pub(super) fn died_in(&mut self, place: &'static str) {
        if !self.has_died && self.disk.is_halted() {
            self.has_died = true;
            self.reach(place);
        }
    }

    pub(super) fn note_job(&mut self, job: &Job) {
        let place = match job {
            Job::Spare(_) => "spare",
            Job::Flush(job) if job.logs.len() > 1 => "flush of several logs",
            Job::Flush(_) => "flush",
            Job::Checkpoint(job) if !job.replacements.is_empty() => "checkpoint with compacted segments",
            Job::Checkpoint(job) if !job.cut.is_empty() => "checkpoint after a truncation",
            Job::Checkpoint(job) if !job.gone.is_empty() || !job.passed.is_empty() => {
                "checkpoint with segments that go"
            }
            Job::Checkpoint(job) if !job.gone_unjournaled.is_empty() => {
                "checkpoint with async segments that go"
            }
            Job::Checkpoint(job) if !job.removed.is_empty() => "checkpoint with partitions that go",
            Job::Checkpoint(_) => "checkpoint",
            Job::Compaction(_) => "compaction",
            Job::Removal(_) => "removal",
            Job::Sweep(_) => "sweep",
        };
        self.reach(place);
    }

    /// Lets the machine halt now and then where it seldom would: between the manifest's word and the last of the deeds
    /// that follow from it.
    fn plan_death_in(&mut self, job: &Job) {
        let (count, far) = match job {
            Job::Removal(_) => (3, 12),
            Job::Checkpoint(job) if !job.removed.is_empty() => (4, 25),
            Job::Checkpoint(job) if !job.replacements.is_empty() => (6, 40),
            _ => return,
        };
        if !self.has_fault && self.random.one_in(count) {
            let operations = 1 + self.random.below(far);
            self.disk.halt_in(operations);
            self.has_fault = true;
        }
    }

    pub(super) fn run_job(&mut self, job: Job) -> Result<JobDone, Violation> {
        self.plan_death_in(&job);
        let saved = saved_unjournaled(&job);
        let done = match self.plant_instead(job) {
            Ok(done) => done,
            Err(job) => job.run(),
        };
        let place = match &done {
            JobDone::Spare(_) => "death in making a spare",
            JobDone::Flush(_) => "death in a flush",
            JobDone::Checkpoint(done) => place_in_checkpoint(done),
            JobDone::Compaction(_) => "death in a compaction",
            JobDone::Removal(_) => "death in the removal of files",
            JobDone::Sweep(_) => "death in a sweep",
        };
        self.died_in(place);
        if let JobDone::Checkpoint(done) = &done
            && done.result.is_ok()
        {
            for (id, flushed_to) in saved {
                let Some(number) = self.model.number_of(id) else { continue };
                let Some(partition) = self.model.partitions.get_mut(&number) else { continue };
                partition.synced_to = partition.synced_to.max(flushed_to).min(partition.durable.end);
            }
        }
        Ok(done)
    }

    pub(super) fn note_done(&mut self, done: &JobDone) {
        let place = match done {
            JobDone::Flush(done) if done.result.as_ref().is_err_and(SegmentError::is_disk_full) => {
                "no room for a flush"
            }
            JobDone::Checkpoint(done) if matches!(done.result, Err(CheckpointError::DiskFull)) => {
                "no room for a checkpoint"
            }
            JobDone::Compaction(done) => match &done.result {
                Ok(Step::Replacement(..)) => "compacted segments",
                Ok(Step::Finished(cleaned)) if cleaned.is_partial => "compacted in part",
                Ok(Step::Finished(_)) => "compacted",
                Ok(Step::Discarded) => "compacted in vain",
                Err(_) => "compaction that failed",
            },
            JobDone::Removal(done) if !done.left.is_empty() && done.result.is_ok() => "removal in part",
            _ => return,
        };
        self.reach(place);
    }
}

/// Up to where a checkpoint makes `async` logs durable.
fn saved_unjournaled(job: &Job) -> Vec<(LocalId, i64)> {
    let Job::Checkpoint(job) = job else { return Vec::new() };
    let rows = job.changes.partitions.iter();
    let rows = rows.filter(|(_, row)| row.config.durability == Durability::Async);
    rows.map(|(id, row)| (*id, row.flushed_to)).collect()
}

fn place_in_checkpoint(done: &CheckpointDone) -> &'static str {
    match &done.result {
        Ok(()) | Err(CheckpointError::DiskFull | CheckpointError::NoDescriptors) => "death in a checkpoint",
        Err(CheckpointError::Failed(error)) => match error {
            EngineError::Manifest(_) => "death in a manifest's commit",
            EngineError::Compaction(_) => "death in the swap of compacted segments",
            EngineError::Io { doing, .. } if doing.starts_with("sync") => "death in a checkpoint's syncs",
            EngineError::Segment(SegmentError::Io { doing: "remove", .. }) => {
                "death in the removal of a segment"
            }
            EngineError::Segment(_) if !done.job.cut.is_empty() => "death in the cutting of a segment",
            _ => "death in the writing of indexes",
        },
    }
}
