//! Appends to `async` logs: straight into the segment's page cache, with no copy in the journal.
//!
//! They are written when everything that waited has been staged, so that what came together goes together, and
//! published and answered at once. What no sync has covered yet is bounded: beyond that, appends wait for a
//! checkpoint.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::Waker;

use bytes::Bytes;
use strandline_protocol::batch::NO_LEADER_EPOCH;

use super::super::error::Refusal;
use super::super::flush_job::{Part, WRITEBACK_BYTES_MIN, write_piece};
use super::super::group::PlacedBatch;
use super::super::request::{Done, Outcome, ReplyTo};
use super::Writer;
use crate::local_id::LocalId;
use crate::segment::{BatchFacts, SegmentError};

/// A batch that has its offsets and is written next.
#[derive(Debug)]
struct Waiting {
    placed: PlacedBatch,
    bytes: Bytes,
    reply: ReplyTo,
}

/// What is on its way into `async` logs, and what no sync has covered.
#[derive(Debug, Default)]
pub(in super::super) struct Unjournaled {
    waiting: BTreeMap<LocalId, Vec<Waiting>>,
    /// Answers about batches that wait.
    pub(super) answers: Vec<(LocalId, ReplyTo, Outcome)>,
    /// Bytes that were written since the last sync began.
    bytes: u64,
    /// Bytes that the sync covers which is on its way.
    syncing_bytes: u64,
}

impl Unjournaled {
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn begin_sync(&mut self) {
        self.syncing_bytes = std::mem::take(&mut self.bytes);
    }

    pub(super) fn end_sync(&mut self) {
        self.syncing_bytes = 0;
    }
}

impl Writer {
    /// Whether so many bytes can be written now.
    pub(super) fn admit_unjournaled(&mut self, partition: LocalId, bytes: u64) -> Result<bool, Refusal> {
        if bytes > self.options.unsynced_bytes_max {
            return Err(Refusal::TooLarge { bytes });
        }
        let Unjournaled { bytes: written, syncing_bytes, .. } = &self.unjournaled;
        if written + syncing_bytes + bytes > self.options.unsynced_bytes_max {
            self.checkpoints.want();
            return Ok(false);
        }
        let Some(log) = self.logs.get(&partition) else { return Ok(true) };
        // A scan after a crash must not find what was cut off: it goes before anything takes its offsets. And
        // while the journal says that something was cut off, there is no scan.
        let is_cut =
            log.unsaved.as_ref().is_some_and(|unsaved| unsaved.is_truncated || !unsaved.gone.is_empty());
        if is_cut {
            self.checkpoints.want_all();
        }
        Ok(!is_cut && !log.is_removing)
    }

    /// Lets a batch be written with the others that came with it.
    pub(super) fn add_unjournaled(
        &mut self,
        partition: LocalId,
        placed: PlacedBatch,
        bytes: Bytes,
        reply: ReplyTo,
    ) {
        self.unjournaled.bytes += bytes.len() as u64;
        self.unjournaled.waiting.entry(partition).or_default().push(Waiting { placed, bytes, reply });
    }

    /// Writes, publishes and answers what waits.
    pub(super) fn write_unjournaled(&mut self) {
        for (partition, waiting) in std::mem::take(&mut self.unjournaled.waiting) {
            if self.offline.is_some() {
                let refusal = self.offline_refusal();
                self.refuse_unjournaled(partition, waiting, &refusal);
                continue;
            }
            match self.write_log(partition, &waiting) {
                Ok(()) => self.publish_unjournaled(partition, waiting),
                Err(error) if error.is_disk_full() => {
                    // What was written of it lies behind the segment's end, where it does not count.
                    self.discard(partition);
                    self.refuse_unjournaled(partition, waiting, &Refusal::DiskFull);
                }
                Err(error) => {
                    self.go_offline(&error);
                    let refusal = self.offline_refusal();
                    self.refuse_unjournaled(partition, waiting, &refusal);
                }
            }
        }
        for (_, reply, outcome) in std::mem::take(&mut self.unjournaled.answers) {
            self.reply(reply, outcome);
        }
    }

    /// Refuses batches, and what was to be said about them otherwise.
    fn refuse_unjournaled(&mut self, partition: LocalId, waiting: Vec<Waiting>, refusal: &Refusal) {
        let answers = self.unjournaled.answers.extract_if(.., |(other, ..)| *other == partition);
        let answers: Vec<_> = answers.map(|(_, reply, _)| reply).collect();
        for reply in waiting.into_iter().map(|waiting| waiting.reply).chain(answers) {
            self.reply(reply, Err(refusal.clone()));
        }
    }

    fn write_log(&mut self, partition: LocalId, waiting: &[Waiting]) -> Result<(), SegmentError> {
        let now_ms = self.clock.wall_ms();
        let Some(log) = self.logs.get_mut(&partition) else { return Ok(()) };
        let batches = waiting.iter().map(|waiting| (waiting.facts(), waiting.part()));
        let pieces = log.plan_pieces(batches, now_ms);
        let written = pieces.iter().map(|piece| write_piece(&self.sources, piece, WRITEBACK_BYTES_MIN));
        let written = written.collect::<Result<Vec<_>, _>>()?;
        self.checkpoints.note_written(written, self.options.syncs_max);
        log.take_pieces(pieces);
        self.unsaved.insert(partition);
        Ok(())
    }

    fn publish_unjournaled(&mut self, partition: LocalId, waiting: Vec<Waiting>) {
        let mut due: Vec<Waker> = Vec::new();
        if let Some(log) = self.logs.get_mut(&partition) {
            for Waiting { placed, .. } in &waiting {
                log.staged -= 1;
                due.extend(log.publish_batch(placed, |_| {}));
            }
            log.flushed_to = log.next_offset;
            log.move_aborted();
        }
        for Waiting { placed, reply, .. } in waiting {
            let PlacedBatch { base_offset, last_offset, .. } = placed;
            self.reply(reply, Ok(Done::Appended { base_offset, last_offset, is_duplicate: false }));
        }
        due.into_iter().for_each(Waker::wake);
    }

    /// Makes a log what it was before anything of it was staged.
    fn discard(&mut self, partition: LocalId) {
        let Some(log) = self.logs.get_mut(&partition) else { return };
        log.producers.discard_staged();
        log.staged = 0;
        let view = log.partition.view();
        log.next_offset = view.end;
        log.latest_epoch = view.epochs.latest().map_or(NO_LEADER_EPOCH, |entry| entry.epoch);
    }

    pub(super) fn abandon_unjournaled(&mut self, reason: &Arc<str>) {
        let waiting = std::mem::take(&mut self.unjournaled.waiting).into_values().flatten();
        let answers = std::mem::take(&mut self.unjournaled.answers).into_iter().map(|(_, reply, _)| reply);
        for reply in waiting.map(|waiting| waiting.reply).chain(answers) {
            self.reply(reply, Err(Refusal::Offline(Arc::clone(reason))));
        }
    }
}

impl Waiting {
    fn facts(&self) -> BatchFacts {
        BatchFacts {
            base_offset: self.placed.base_offset,
            last_offset: self.placed.last_offset,
            max_timestamp: self.placed.max_timestamp,
            bytes: self.bytes.len() as u64,
        }
    }

    fn part(&self) -> Part {
        Part::patched(self.placed.base_offset, self.placed.leader_epoch, self.bytes.clone())
    }
}
