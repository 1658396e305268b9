//! What becomes of requests, held against what the model says has to.

use std::collections::BTreeMap;

use super::super::super::{Done, Outcome, ReadError, Refusal, UpTo};
use super::batch::Batch;
use super::model::{Ask, Awaited, Expected, Log, Op, Partition, Pending, Reason, Sent};
use super::producers::Verdict;
use super::{Simulation, Violation};
use crate::producers::{ProducerError, Sender};

/// Whether a refusal is the one that has to be.
fn is_reason(refusal: &Refusal, reason: Reason) -> bool {
    match (refusal, reason) {
        (Refusal::UnknownPartition, Reason::UnknownPartition)
        | (Refusal::OffsetOutOfRange { .. }, Reason::OffsetOutOfRange)
        | (Refusal::OffsetGoesBack { .. }, Reason::OffsetGoesBack)
        | (Refusal::EpochGoesBack { .. }, Reason::EpochGoesBack)
        | (Refusal::TooLarge { .. }, Reason::TooLarge) => true,
        (Refusal::Producer(error), Reason::Producer(verdict)) => matches!(
            (error, verdict),
            (ProducerError::EpochStale { .. }, Verdict::EpochStale)
                | (ProducerError::SequenceOutOfOrder { .. }, Verdict::OutOfOrder)
                | (ProducerError::TransactionOpen { .. }, Verdict::TransactionOpen)
                | (ProducerError::CoordinatorStale { .. }, Verdict::CoordinatorStale)
        ),
        _ => false,
    }
}

impl Simulation {
    /// The writer has looked at so many requests: each is refused, done, or staged.
    pub(super) fn look_at_answers(&mut self, count: usize, was_offline: bool) -> Result<(), Violation> {
        // Logs as they are again once what there was no room for is given up.
        let mut discarded = BTreeMap::new();
        // What the writer sees until it has written what goes to `async` logs.
        self.model.partitions.values_mut().for_each(|one| one.end_before = one.durable.end);
        let looked_at: Vec<_> = self.sent.drain(..count).collect();
        for sent in looked_at {
            let answer = self.answers.take(sent.ticket);
            self.say(|| format!("{}: {} -> {answer:?}", sent.number, sent.ask));
            self.look_at(&sent, answer, was_offline, &mut discarded)
                .map_err(|violation| format!("{} of {}: {violation}", sent.ask, sent.number))?;
        }
        for (number, mut log) in discarded {
            let latest = &mut self.partition(number).latest;
            // What else was staged meanwhile stays.
            log.is_deleted = latest.is_deleted;
            log.config = latest.config.clone();
            log.apply(&Op::SetStart(latest.start));
            *latest = log;
        }
        Ok(())
    }

    pub(super) fn partition(&mut self, number: u64) -> &mut Partition {
        self.model.partitions.get_mut(&number).expect("a partition")
    }

    fn is_staged(&mut self, ticket: u64) -> bool {
        let operations = &self.writer().forming.operations;
        operations.iter().any(|one| one.reply.as_ref().is_some_and(|to| to.ticket == ticket))
    }

    fn look_at(
        &mut self,
        sent: &Sent,
        answer: Option<Outcome>,
        was_offline: bool,
        discarded: &mut BTreeMap<u64, Log>,
    ) -> Result<(), Violation> {
        let is_staged = self.is_staged(sent.ticket);
        let has_room_kept = self.writer().reserve.is_whole();
        let (has_fault, was_full) = (self.has_fault, self.was_full);
        if self.heed_first_batches(sent, answer.as_ref()) {
            return Ok(());
        }
        let partition = self.partition(sent.number);
        if let (Ask::Append(batch), Some(Err(_))) = (&sent.ask, &answer)
            && batch.sender == Sender::Leader
        {
            partition.gaps.push(batch.base_offset);
        }
        match &answer {
            Some(Err(Refusal::DiskFull)) if !was_full => return Err("there is room".to_owned()),
            Some(Err(Refusal::DiskFull)) => {
                // It was staged before there turned out to be no room for its bytes.
                let is_staged = partition.latest.is_async() && has_room_kept;
                note_without_room(partition, sent, discarded, is_staged);
                self.reach("refused on a full disk");
                return Ok(());
            }
            Some(Err(Refusal::Offline(reason))) if !has_fault => return Err(format!("offline: {reason}")),
            Some(Err(Refusal::Offline(_))) => {
                if !was_offline {
                    give_up(partition, &sent.ask);
                }
                self.reach("refused by a failed disk");
                return Ok(());
            }
            Some(Err(Refusal::Unreadable(_))) if has_fault => return Ok(()),
            _ => {}
        }
        if partition.is_in_doubt && matches!(answer, Some(Err(_))) {
            // It was held against what nobody knows any more.
            return Ok(());
        }
        let expected = match (&sent.ask, &answer) {
            (Ask::Append(batch), answer) if partition.latest.may_know_less(batch) => {
                let expected = partition.expect(&sent.ask);
                match expected_of_less(partition, batch, expected, answer.as_ref(), is_staged) {
                    Some(expected) => expected,
                    None => return Ok(()),
                }
            }
            _ => partition.expect(&sent.ask),
        };
        self.hold_against(sent, expected, answer)
    }

    fn hold_against(
        &mut self,
        sent: &Sent,
        expected: Expected,
        answer: Option<Outcome>,
    ) -> Result<(), Violation> {
        let number = sent.number;
        let partition = self.partition(number);
        match (expected, answer) {
            (Expected::Refused(reason), Some(Err(refusal))) if is_reason(&refusal, reason) => {
                self.reach(match reason {
                    Reason::Producer(_) => "refused for its producer",
                    _ => "refused",
                });
            }
            (Expected::Done, Some(Ok(Done::Changed))) => {
                if let Ask::SetHighWatermark(offset) = sent.ask {
                    partition.set_high_watermark(offset);
                }
            }
            (Expected::Duplicate(base_offset, last_offset), answer) => {
                let is_pending = !partition.latest.is_async() && last_offset >= partition.durable.end;
                let ticket = sent.ticket;
                let awaited = Awaited { ticket, number, base_offset, last_offset, is_due: false };
                match answer {
                    None if is_pending => {
                        self.model.duplicates.push(awaited);
                        self.reach("duplicate of what is staged");
                    }
                    Some(_) if is_pending => {
                        return Err("a duplicate is answered before its original".to_owned());
                    }
                    None => return Err("a duplicate is not answered".to_owned()),
                    Some(outcome) => {
                        check_duplicate(&awaited, &outcome)?;
                        self.reach("duplicate");
                    }
                }
            }
            (Expected::Staged(op), None) => {
                partition.awaiting.forget(&sent.ask);
                self.stage(sent, op);
            }
            (
                Expected::Unjournaled(batch),
                Some(Ok(Done::Appended { base_offset, last_offset, is_duplicate, .. })),
            ) => {
                if (base_offset, last_offset, is_duplicate) != (batch.base_offset, batch.last_offset, false) {
                    return Err(format!("appended at {base_offset}, not {}", batch.base_offset));
                }
                let op = Op::Append(batch);
                partition.awaiting.forget(&sent.ask);
                partition.publish(&op);
                partition.latest.apply(&op);
            }
            (expected, answer) => return Err(format!("{answer:?} in place of {expected:?}")),
        }
        Ok(())
    }

    fn stage(&mut self, sent: &Sent, op: Op) {
        let partition = self.partition(sent.number);
        partition.latest.apply(&op);
        if let Op::Configure(config) = &op {
            partition.note_config(config);
        }
        let place = match &op {
            Op::Truncate(end) => {
                let base = partition.latest.batches.last().map_or(0, |batch| batch.last_offset + 1);
                Some(if base == *end { "truncation" } else { "truncation through a batch" })
            }
            Op::Configure(config) if config.durability != partition.durable.config.durability => {
                Some("durability switched")
            }
            Op::Delete => Some("deletion"),
            _ => None,
        };
        place.into_iter().for_each(|place| self.reach(place));
        self.model.forming.push(Pending { number: sent.number, op, ticket: Some(sent.ticket) });
    }

    /// What can be seen at any moment.
    pub(super) fn observe(&mut self) -> Result<(), Violation> {
        self.look_at_duplicates()?;
        self.check_sleepers()?;
        if let Some(writer) = &self.writer {
            let budget = writer.sources.frames.budget();
            if budget.used_bytes() > budget.bytes_max() {
                return Err(format!("the tails take {} bytes", budget.used_bytes()));
            }
            writer.check_room().map_err(|what| format!("what needs room is not counted: {what}"))?;
        }
        let mut seen = 0;
        for (number, partition) in &mut self.model.partitions {
            let Some(handle) = &partition.handle else { continue };
            if partition.durable.is_deleted {
                if !matches!(handle.read(0, 1, UpTo::End), Err(ReadError::UnknownPartition)) {
                    return Err(format!("{number} is deleted, and can be read"));
                }
                partition.handle = None;
                continue;
            }
            let found = handle.offsets();
            let log = &partition.durable;
            let (high_watermark, (lowest, highest)) = (partition.high_watermark(), partition.last_stable());
            let is_stable = (lowest..=highest).contains(&found.last_stable);
            let is_right = (found.start, found.end, found.high_watermark)
                == (log.start, log.end, high_watermark)
                && (is_stable || (log.is_fuzzy && found.last_stable <= high_watermark))
                && handle.latest_epoch().unwrap_or(-1) == log.latest_epoch();
            if !is_right {
                let expected = (log.start, (lowest, highest), high_watermark, log.end, log.latest_epoch());
                return Err(format!("{number}: {found:?}, {:?}; not {expected:?}", handle.latest_epoch()));
            }
            if log.config.cleanup.compacts {
                let bound = log.bound.max(found.last_stable);
                (partition.durable.bound, partition.latest.bound) = (bound, bound);
            }
            seen = crate::random::mix(seen ^ u64::try_from(found.end).unwrap_or(0));
        }
        self.note(seen);
        Ok(())
    }

    pub(super) fn look_at_duplicates(&mut self) -> Result<(), Violation> {
        for awaited in std::mem::take(&mut self.model.duplicates) {
            match self.answers.take(awaited.ticket) {
                None => self.model.duplicates.push(awaited),
                Some(Err(Refusal::Offline(_))) if self.has_fault => {}
                Some(Ok(_)) if !awaited.is_due => {
                    return Err("a duplicate was answered before its original was durable".to_owned());
                }
                Some(outcome) => check_duplicate(&awaited, &outcome)?,
            }
        }
        Ok(())
    }
}

fn check_duplicate(awaited: &Awaited, outcome: &Outcome) -> Result<(), Violation> {
    let expected = (awaited.base_offset, awaited.last_offset);
    match outcome {
        Ok(Done::Appended { base_offset, last_offset, is_duplicate: true, .. })
            if (*base_offset, *last_offset) == expected =>
        {
            Ok(())
        }
        outcome => Err(format!("{outcome:?} for a duplicate of {expected:?}")),
    }
}

/// What would have been staged was given up: others were held against it all the same.
fn stage_in_vain(partition: &mut Partition, ask: &Ask) {
    match partition.expect(ask) {
        Expected::Unjournaled(batch) => partition.latest.apply(&Op::Append(batch)),
        Expected::Staged(op) => partition.latest.apply(&op),
        _ => {}
    }
}

/// A batch found no room, before it was staged or after that.
fn note_without_room(
    partition: &mut Partition,
    sent: &Sent,
    discarded: &mut BTreeMap<u64, Log>,
    is_staged: bool,
) {
    let Ask::Append(batch) = &sent.ask else { return };
    let latest = &partition.latest;
    let before = is_staged.then(|| &*discarded.entry(sent.number).or_insert_with(|| latest.clone()));
    partition.awaiting.note(batch, latest, before);
    if is_staged {
        stage_in_vain(partition, &sent.ask);
    }
}

/// The same, in a process that does nothing any more. It is not known of all whether they were on their way.
fn give_up(partition: &mut Partition, ask: &Ask) {
    if let Ask::Append(batch) = ask
        && partition.latest.may_know_less(batch)
    {
        partition.is_in_doubt = true;
    }
    let is_async = partition.latest.is_async();
    stage_in_vain(partition, ask);
    if let Ask::Append(batch) = ask
        && is_async
    {
        partition.in_flight.push(batch.clone());
    }
}

/// What is expected of somebody who may know less of a batch's producer: he may see it in another way, as long as he says
/// so. None if he refused it.
fn expected_of_less(
    partition: &Partition,
    batch: &Batch,
    expected: Expected,
    answer: Option<&Outcome>,
    is_staged: bool,
) -> Option<Expected> {
    let duplicate = match answer {
        Some(Ok(Done::Appended { base_offset, last_offset, is_duplicate: true, .. })) => {
            Some((*base_offset, *last_offset))
        }
        _ => None,
    };
    Some(match (expected, answer) {
        (_, Some(Err(Refusal::Producer(_)))) => return None,
        // What it was before a truncation may be known again, and what has been forgotten is.
        (Expected::Refused(Reason::Producer(_)), _)
            if duplicate.is_some_and(|place| partition.latest.has_sent(batch, place)) =>
        {
            let (base, last) = duplicate.unwrap_or_default();
            Expected::Duplicate(base, last)
        }
        (expected @ Expected::Duplicate(..), _)
            if duplicate.is_some() || (answer.is_none() && !is_staged) =>
        {
            let place = partition.latest.producers.place_of_duplicate(batch, duplicate);
            place.map_or(expected, |(base, last)| Expected::Duplicate(base, last))
        }
        (Expected::Refused(Reason::Producer(_)) | Expected::Duplicate(..), _) => partition.fresh(batch),
        (expected, _) => expected,
    })
}
