//! Appends to `async` logs: straight into the segment's page cache, with no copy in the journal.
//!
//! They are written when everything that waited has been staged, so that what came together goes together, and
//! published and answered at once. What no sync has covered yet is bounded: beyond that, appends wait for a
//! checkpoint.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::Waker;

use strandline_protocol::batch::NO_LEADER_EPOCH;

use super::super::error::Refusal;
use super::super::flush_job::{Manner, Part, WRITEBACK_BYTES_MIN, write_piece};
use super::super::group::PlacedBatch;
use super::super::observer::Reason;
use super::super::read_back::ReadBack;
use super::super::request::{NewBatch, Outcome, ReplyTo};
use super::Writer;
use super::control::Readiness;
use crate::local_id::LocalId;
use crate::segment::{BatchFacts, SegmentError};

/// A batch that has its offsets and is written next.
#[derive(Debug)]
struct Waiting {
    placed: PlacedBatch,
    batch: NewBatch,
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

    /// With what the sync covers that is on its way.
    pub(super) fn unsynced_bytes(&self) -> u64 {
        self.bytes + self.syncing_bytes
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
    pub(super) fn admit_unjournaled(
        &mut self,
        partition: LocalId,
        facts: &BatchFacts,
    ) -> Result<bool, Refusal> {
        let bytes = facts.bytes;
        if bytes > self.options.unsynced_bytes_max {
            return Err(Refusal::TooLarge { bytes });
        }
        let Unjournaled { bytes: written, syncing_bytes, .. } = &self.unjournaled;
        if written + syncing_bytes + bytes > self.options.unsynced_bytes_max {
            self.checkpoints.want(Reason::Unsynced);
            return Ok(false);
        }
        if self.checkpoints.is_crowded() || !self.is_end_saved(partition, facts) {
            return Ok(false);
        }
        let Some(log) = self.logs.get(&partition) else { return Ok(true) };
        // A scan after a crash must not find what was cut off: it goes before anything takes its offsets. And
        // while the journal says that something was cut off, there is no scan.
        let is_cut =
            log.unsaved.as_ref().is_some_and(|unsaved| unsaved.is_truncated || !unsaved.gone.is_empty());
        if is_cut {
            self.checkpoints.want_all(Reason::Asked);
        }
        Ok(!is_cut && !log.is_removing)
    }

    /// Whether a batch leaves offsets out and is the first of a segment. A scan after a crash could not tell whether
    /// anything was lost before it.
    fn begins_behind_gap(&self, partition: LocalId, facts: &BatchFacts) -> bool {
        let Some(log) = self.logs.get(&partition).filter(|log| facts.base_offset > log.next_offset) else {
            return false;
        };
        let Some(mut room) = log.active().map(|active| active.room()) else { return true };
        let now_ms = self.clock.wall_ms();
        let waiting = self.unjournaled.waiting.get(&partition);
        let mut batches = waiting.into_iter().flatten().map(Waiting::facts).chain([*facts]);
        batches.any(|facts| {
            let rolls = room.must_roll(&facts, &log.config, now_ms);
            room.add(&facts);
            rolls
        })
    }

    /// Whether the manifest has the log end where a batch goes, if it has to, and sees to it: a scan after a crash goes
    /// on there.
    fn is_end_saved(&mut self, partition: LocalId, facts: &BatchFacts) -> bool {
        let is_behind_gap = self.begins_behind_gap(partition, facts);
        let Some(log) = self.logs.get(&partition) else { return true };
        if is_behind_gap {
            self.move_end(partition, facts.base_offset);
        } else if log.is_ahead {
            // It was saved for a batch that was refused in the end.
            self.move_end(partition, log.next_offset);
        } else {
            return true;
        }
        matches!(self.readiness_when_saved(partition), Ok(Readiness::Ready))
    }

    /// Lets the manifest have an `async` log end at an offset behind its last batch.
    pub(super) fn move_end(&mut self, partition: LocalId, end_offset: i64) {
        let Some(log) = self.logs.get_mut(&partition).filter(|log| log.staged == 0) else { return };
        if log.flushed_to != end_offset {
            log.flushed_to = end_offset;
            self.unsaved.insert(partition);
        }
        log.is_ahead =
            end_offset > log.next_offset || self.unsaved.contains(&partition) || self.checkpoints.is_saving();
    }

    /// Lets a batch be written with the others that came with it.
    pub(super) fn add_unjournaled(
        &mut self,
        partition: LocalId,
        placed: PlacedBatch,
        batch: NewBatch,
        reply: ReplyTo,
    ) {
        self.unjournaled.bytes += batch.bytes.len() as u64;
        self.unjournaled.waiting.entry(partition).or_default().push(Waiting { placed, batch, reply });
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
                Err(error) if error.is_disk_full() || error.lacks_descriptors() => {
                    self.discard(partition, waiting.len());
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
        // All of it is in memory.
        let mut unused = ReadBack::default();
        // Whoever appends waits for it, and the page cache is faster than the disk.
        let manner = Manner { writeback_bytes_min: WRITEBACK_BYTES_MIN, past_cache_bytes_min: u64::MAX };
        let mut written = Vec::with_capacity(pieces.len());
        for piece in &pieces {
            match write_piece(&self.sources, piece, &mut unused, manner) {
                Ok(now) => written.push(now),
                Err(error) if error.is_disk_full() || error.lacks_descriptors() => {
                    // A scan after a crash would find what was written before there was no room, and it is refused.
                    // Into a file that could not be opened nothing was.
                    let begun = written.len() + usize::from(error.is_disk_full());
                    for piece in pieces.iter().take(begun) {
                        piece.segment.take_back(&self.sources.files)?;
                    }
                    return Err(error);
                }
                Err(error) => return Err(error),
            }
        }
        self.checkpoints.note_written(written, self.options.syncs_max);
        log.take_pieces(pieces, now_ms);
        self.unsaved.insert(partition);
        Ok(())
    }

    fn publish_unjournaled(&mut self, partition: LocalId, waiting: Vec<Waiting>) {
        let mut due: Vec<Waker> = Vec::new();
        let mut offsets = None;
        if let Some(log) = self.logs.get_mut(&partition) {
            for Waiting { placed, .. } in &waiting {
                log.staged -= 1;
                let (now, woken) = log.publish_batch(placed, |_| {});
                offsets = Some(now);
                due.extend(woken);
            }
            log.flushed_to = log.next_offset;
            log.is_ahead = false;
            log.move_aborted();
        }
        for Waiting { placed, reply, .. } in waiting {
            self.reply(reply, Ok(placed.appended(offsets)));
        }
        due.into_iter().for_each(Waker::wake);
    }

    /// Makes a log what it was before these batches were staged. What the journal is about to say of it stays on its
    /// way, and a truncation goes on waiting for that.
    fn discard(&mut self, partition: LocalId, batches: usize) {
        let Some(log) = self.logs.get_mut(&partition) else { return };
        log.producers.discard_staged();
        log.staged = log.staged.saturating_sub(u32::try_from(batches).unwrap_or(u32::MAX));
        log.show_open_transactions();
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
        self.placed.facts(self.batch.bytes.len())
    }

    fn part(&self) -> Part {
        let header = self.placed.header(&self.batch).encode();
        Part::Patched { header, bytes: self.batch.bytes.clone() }
    }
}
