//! Staging of batches: offsets are given here, and nowhere else.

use strandline_protocol::batch::{BatchHeader, NO_LEADER_EPOCH};

use super::super::error::Refusal;
use super::super::group::{Operation, PlacedBatch, Said};
use super::super::log::Log;
use super::super::observer::Reason;
use super::super::partition::Offsets;
use super::super::request::{Chain, Command, Done, NewBatch, ReplyTo, Request};
use super::{Taken, Writer};
use crate::journal::{Class, StageError, Staged};
use crate::local_id::LocalId;
use crate::producers::{ProducerBatch, Sender, Verdict, Verifications};
use crate::segment::BatchFacts;

/// What becomes of a batch that may be appended.
enum Appended {
    /// It goes into the group that is forming.
    Staged(PlacedBatch, Staged),
    /// It is written to its segment next.
    Unjournaled(PlacedBatch),
    /// It is there already, or on its way.
    Duplicate { original: Done, last_offset: i64 },
    /// It has to wait.
    NotYet,
}

impl Writer {
    pub(super) fn take_append(&mut self, request: Request) -> Taken {
        let Command::Append { partition, leader_epoch, sender, batch } = &request.command else {
            return Taken::Yes;
        };
        let partition = *partition;
        match self.append(partition, *leader_epoch, *sender, batch) {
            Ok(Appended::NotYet) => return Taken::NotYet(request),
            Ok(Appended::Staged(placed, staged)) => {
                let said = Said::Append { batch: placed, staged };
                let reply = Some(request.into_reply_to());
                self.forming.operations.push(Operation { partition, said, reply });
            }
            Ok(Appended::Unjournaled(placed)) => {
                let batch = batch.clone();
                self.add_unjournaled(partition, placed, batch, request.into_reply_to());
            }
            Ok(Appended::Duplicate { original, last_offset }) => {
                self.answer_duplicate(partition, request.into_reply_to(), original, last_offset);
            }
            Err(refusal) => {
                batch.chain.iter().for_each(Chain::cut);
                self.refuse(request, refusal);
            }
        }
        Taken::Yes
    }

    /// Decides about a batch, and notes what follows if it is to be there.
    fn append(
        &mut self,
        partition: LocalId,
        leader_epoch: i32,
        sender: Sender,
        batch: &NewBatch,
    ) -> Result<Appended, Refusal> {
        if batch.chain.as_ref().is_some_and(Chain::is_broken) {
            return Err(Refusal::Unchained);
        }
        let log = self.log(partition)?;
        if log.is_changing {
            return Ok(Appended::NotYet);
        }
        let (placed, header) = place(log, leader_epoch, sender, batch)?;
        let described = ProducerBatch { header: &header, marker: batch.marker, sender };
        if placed.has_producer
            && let Verdict::Duplicate { base_offset, last_offset, timestamp } =
                log.producers.check(&described)?
        {
            let Offsets { start: log_start, high_watermark, .. } = log.partition.offsets();
            let (is_duplicate, timestamp) = (true, Some(timestamp));
            let original = Done::Appended {
                base_offset,
                last_offset,
                is_duplicate,
                timestamp,
                log_start,
                high_watermark,
            };
            return Ok(Appended::Duplicate { original, last_offset });
        }
        log.verify(&header, sender, batch)?;
        let admitted = self.admit(partition, placed, sender, batch);
        let Some(log) = self.logs.get_mut(&partition) else { return admitted };
        match &admitted {
            Ok(Appended::Staged(..) | Appended::Unjournaled(_)) => {
                log.note_append(&placed);
                // What goes past the journal has found its room before it is answered.
                if let Ok(Appended::Staged(_, staged)) = &admitted {
                    log.staged_bytes += u64::from(staged.length);
                    self.flushing.logs += u64::from(!std::mem::replace(&mut log.needs_room, true));
                }
                if placed.has_producer {
                    log.producers.stage(&described);
                    log.follow_transaction(&header, batch);
                }
            }
            Err(Refusal::DiskFull) if placed.has_producer => log.producers.refuse(&described),
            _ => {}
        }
        admitted
    }

    /// Lets a batch in that may be there, if there is room for it.
    fn admit(
        &mut self,
        partition: LocalId,
        placed: PlacedBatch,
        sender: Sender,
        batch: &NewBatch,
    ) -> Result<Appended, Refusal> {
        if !self.reserve.is_whole() {
            return Err(Refusal::DiskFull);
        }
        if self.log(partition)?.is_async() {
            let is_admitted = self.admit_unjournaled(partition, &placed.facts(batch.bytes.len()))?;
            return Ok(if is_admitted { Appended::Unjournaled(placed) } else { Appended::NotYet });
        }
        let is_held_up = sender != Sender::Node && self.flushing.holds_appends_up(&self.options);
        if !self.has_room_for_more()? || is_held_up {
            return Ok(Appended::NotYet);
        }
        let staged = self.stage_append(partition, &placed, sender, batch)?;
        Ok(staged.map_or(Appended::NotYet, |staged| Appended::Staged(placed, staged)))
    }

    /// Puts a batch into the group that is forming; none if it has to wait for room.
    fn stage_append(
        &mut self,
        partition: LocalId,
        placed: &PlacedBatch,
        sender: Sender,
        batch: &NewBatch,
    ) -> Result<Option<Staged>, Refusal> {
        let header = placed.header(batch);
        let log = self.logs.get(&partition);
        let position = || log.map_or(0, |log| log.next_position());
        let mut stage =
            |class| self.journal.stage_append(partition.0, &header, &batch.bytes, position, class);
        let mut staged = stage(Class::Append);
        if sender == Sender::Node && matches!(staged, Err(StageError::JournalFull)) {
            staged = stage(Class::Control);
            // What was kept is to be kept again.
            self.checkpoints.want(Reason::JournalFull);
        }
        self.staged(staged)
    }

    /// What it means that an entry was staged, or was not: none is for waiting.
    pub(super) fn staged(&mut self, staged: Result<Staged, StageError>) -> Result<Option<Staged>, Refusal> {
        match staged {
            Ok(staged) => Ok(Some(staged)),
            Err(StageError::GroupFull) => Ok(None),
            // Where no checkpoint finds room, it would stay so.
            Err(StageError::JournalFull) if self.is_out_of_room() => Err(Refusal::DiskFull),
            Err(StageError::JournalFull) => {
                self.checkpoints.want(Reason::JournalFull);
                Ok(None)
            }
            Err(StageError::DiskFull) => Err(Refusal::DiskFull),
            Err(StageError::TooLarge { bytes }) => Err(Refusal::TooLarge { bytes }),
            Err(StageError::NoBatch { bytes }) => Err(Refusal::NoBatch { bytes }),
            Err(StageError::Failed(error)) => {
                self.go_offline(&error);
                Err(self.offline_refusal())
            }
        }
    }

    /// A duplicate promises what its original promises, and so not before that is durable.
    fn answer_duplicate(&mut self, partition: LocalId, reply: ReplyTo, original: Done, last_offset: i64) {
        let outcome = Ok(original);
        let (end, is_async) = match self.logs.get(&partition) {
            Some(log) => (log.partition.offsets().end, log.is_async()),
            None => return self.reply(reply, Err(Refusal::UnknownPartition)),
        };
        if last_offset < end {
            self.reply(reply, outcome);
        } else if is_async {
            self.unjournaled.answers.push((partition, reply, outcome));
        } else {
            // The original may be in either group; what is in the forming one is durable later.
            let group = match &mut self.writing {
                Some(writing) if self.forming.is_empty() => writing,
                _ => &mut self.forming,
            };
            group.answers.push((reply, outcome));
        }
    }
}

impl Log {
    /// Whether a batch may be part of a transaction here.
    fn verify(&self, header: &BatchHeader, sender: Sender, batch: &NewBatch) -> Result<(), Refusal> {
        let Some(shown) = batch.verification else { return Ok(()) };
        let attributes = header.attributes;
        if sender == Sender::Leader || attributes.is_control() || !attributes.is_transactional() {
            return Ok(());
        }
        let has_batches = self.producers.has_batches(header.producer_id);
        match &self.partition.view().verifications {
            Some(verifications) => verifications.check(header, shown, has_batches)?,
            None => Verifications::default().check(header, shown, has_batches)?,
        }
        Ok(())
    }

    /// Notes what a batch on its way does to its producer's transaction, for those who ask before they append.
    fn follow_transaction(&self, header: &BatchHeader, batch: &NewBatch) {
        let (producer_id, attributes) = (header.producer_id, header.attributes);
        if batch.marker.is_some() {
            if let Some(verifications) = &mut self.partition.view().verifications {
                verifications.ended(producer_id);
            }
        } else if attributes.is_transactional() && !attributes.is_control() {
            let mut view = self.partition.view();
            view.verifications.get_or_insert_default().staged(producer_id, header.producer_epoch);
        }
    }

    /// Lets those who ask begin anew with what is open: the log is not what it was.
    pub(in super::super) fn show_open_transactions(&self) {
        let mut view = self.partition.view();
        let mut open = self.producers.open_transactions().peekable();
        if view.verifications.is_some() || open.peek().is_some() {
            view.verifications.get_or_insert_default().reset(open);
        }
    }

    /// Notes a batch that is on its way.
    fn note_append(&mut self, placed: &PlacedBatch) {
        self.next_offset = placed.last_offset + 1;
        self.latest_epoch = self.latest_epoch.max(placed.leader_epoch);
        self.staged += 1;
    }
}

impl PlacedBatch {
    /// The header that a batch has where it is placed.
    pub(super) fn header(&self, batch: &NewBatch) -> BatchHeader {
        let mut header = batch.header;
        header.assign(self.base_offset, self.leader_epoch);
        header
    }

    pub(super) fn facts(&self, bytes: usize) -> BatchFacts {
        let Self { base_offset, last_offset, max_timestamp, .. } = *self;
        BatchFacts { base_offset, last_offset, max_timestamp, bytes: bytes as u64 }
    }
}

/// Where a batch goes in its log if it may go there, and the header that it has then.
fn place(
    log: &Log,
    leader_epoch: i32,
    sender: Sender,
    batch: &NewBatch,
) -> Result<(PlacedBatch, BatchHeader), Refusal> {
    let mut header = batch.header;
    match sender {
        Sender::Leader if header.base_offset < log.next_offset => {
            let (base_offset, end_offset) = (header.base_offset, log.next_offset);
            return Err(Refusal::OffsetGoesBack { base_offset, end_offset });
        }
        Sender::Leader => {}
        Sender::Client | Sender::Coordinator | Sender::Node => header.assign(log.next_offset, leader_epoch),
    }
    let leader_epoch = header.partition_leader_epoch;
    if leader_epoch < log.latest_epoch && leader_epoch != NO_LEADER_EPOCH {
        return Err(Refusal::EpochGoesBack { epoch: leader_epoch, latest: log.latest_epoch });
    }
    let bytes = batch.bytes.len() as u64;
    if bytes > u64::from(log.config.segment_bytes) {
        return Err(Refusal::TooLarge { bytes });
    }
    // The offset behind the last one has to be one, too.
    let last_offset = header.base_offset.checked_add(i64::from(header.last_offset_delta));
    let last_offset = last_offset.filter(|offset| *offset < i64::MAX).ok_or(Refusal::OffsetsUsedUp)?;
    let placed = PlacedBatch {
        base_offset: header.base_offset,
        last_offset,
        last_offset_delta: header.last_offset_delta,
        leader_epoch,
        max_timestamp: header.max_timestamp,
        has_producer: header.has_producer_id(),
    };
    Ok((placed, header))
}
