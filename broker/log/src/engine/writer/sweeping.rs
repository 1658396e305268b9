//! Looking for orphans in the background, once, after the directory was opened.

use std::sync::Arc;

use super::super::log::Log;
use super::super::sweep_job::{Extent, SweepDone, SweepJob, Swept};
use super::{Logs, Writer};
use crate::local_id::LocalId;

/// So many partitions' folders are looked through by one job.
const LOGS_AT_ONCE: usize = 256;

/// What is left to be looked through.
#[derive(Debug)]
pub(in super::super) struct Sweeping {
    folders: Option<Extent>,
    /// Logs that have segments, or may have had some.
    logs: Vec<LocalId>,
    is_busy: bool,
}

impl Sweeping {
    /// What the manifest may still name, of the logs that are there and of those `removed` since, is no orphan.
    pub(super) fn new(logs: &Logs, removed: &[LocalId], next_local_id: u64) -> Self {
        let known = logs.keys().chain(removed).copied().collect();
        let mut with_segments: Vec<_> =
            logs.iter().filter(|(_, log)| log.flushed_to > 0).map(|(id, _)| *id).collect();
        with_segments.sort_unstable();
        let folders = Some(Extent::Folders { known, next_local_id });
        Self { folders, logs: with_segments, is_busy: false }
    }

    /// Whether a look is under way. Meanwhile no log's end may be cut off: a segment that begins at the cut could
    /// have the name of one that a sweep takes for an orphan.
    pub(super) fn is_busy(&self) -> bool {
        self.is_busy
    }
}

impl Writer {
    pub(super) fn plan_sweep(&mut self) -> Option<SweepJob> {
        // What a checkpoint is about to remove goes when the manifest does not name it any more.
        if self.sweeping.is_busy
            || self.checkpoints.is_saving()
            || self.removals.is_resting(self.clock.monotonic())
        {
            return None;
        }
        let extent = match self.sweeping.folders.take() {
            Some(folders) => folders,
            None => Extent::Segments(self.next_swept()?),
        };
        self.sweeping.is_busy = true;
        Some(SweepJob { sources: Arc::clone(&self.sources), extent })
    }

    fn next_swept(&mut self) -> Option<Vec<Swept>> {
        let kept = self.sweeping.logs.len().saturating_sub(LOGS_AT_ONCE);
        let next = self.sweeping.logs.split_off(kept);
        let swept = next.iter().filter_map(|partition| {
            // One whose segments are about to change keeps its orphans for this time.
            let is_steady = |log: &&Log| !log.is_removing && !self.compactions.is_replacing(*partition);
            let log = self.logs.get(partition).map(|log| &**log).filter(is_steady)?;
            let view = log.partition.view();
            let gone = log.unsaved.iter().flat_map(|unsaved| &unsaved.gone);
            let named = view.segments.iter().chain(gone).map(|segment| segment.base_offset());
            Some(Swept {
                partition: *partition,
                // A flush may be about to make the segment behind this.
                end_offset: view.segments.last().map_or(0, |last| last.base_offset()),
                base_offsets: named.collect(),
            })
        });
        let swept: Vec<_> = swept.collect();
        (!next.is_empty()).then_some(swept)
    }

    pub(super) fn sweep_done(&mut self, done: SweepDone) {
        let SweepDone { orphans, removed, result } = done;
        self.sweeping.is_busy = false;
        self.removals.add_partitions(orphans);
        if removed.files > 0 {
            self.removals.charge(removed, self.clock.monotonic());
        }
        self.tell_removed(removed);
        if let Err(error) = result {
            self.go_offline(&error);
        }
    }
}
