//! First batches that found no room: what their producers have sent behind them does not take their place.
//!
//! Twice. What a partition certainly remembers has to be heeded; what it may remember may be.

use std::collections::{BTreeMap, BTreeSet};

use super::super::super::{Outcome, Refusal};
use super::Simulation;
use super::batch::Batch;
use super::model::{Ask, Log, Sent};
use super::producers::Producers;
use crate::producers::{ProducerError, Sender};

/// The first batch that a partition awaits of each producer that nothing else is known of.
#[derive(Clone, Debug, Default)]
pub(super) struct Awaiting(BTreeMap<i64, Awaited>);

#[derive(Clone, Copy, Debug)]
struct Awaited {
    epoch: i16,
    sequence: i32,
    timestamp: i64,
}

impl Awaiting {
    /// Notes a batch that found no room. Where it was staged before, `before` is the log as it is again afterwards.
    pub(super) fn note(&mut self, batch: &Batch, latest: &Log, before: Option<&Log>) {
        let Some(id) = batch.producer() else { return };
        let is_unknown = |log: &Log| log.producers.next(id).is_none();
        if before.is_some() && is_unknown(latest) {
            // Something was known of it then, until that was given up.
            self.0.remove(&id);
        }
        let is_first = is_unknown(before.unwrap_or(latest));
        let is_client = batch.sender == Sender::Client && batch.is_data();
        // An engine that knows less of others may hold them for unknown as well, and need not.
        if !is_first || !is_client || latest.may_know_less(batch) {
            return;
        }
        let epoch = batch.header.producer_epoch;
        if self.0.get(&id).is_none_or(|awaited| awaited.epoch < epoch) {
            let (sequence, timestamp) = (batch.header.base_sequence, batch.header.max_timestamp);
            self.0.insert(id, Awaited { epoch, sequence, timestamp });
        }
    }

    /// Whether another batch is awaited in place of this one.
    pub(super) fn is_overtaken_by(&self, batch: &Batch, producers: &Producers) -> bool {
        let Some(id) = batch.producer().filter(|id| producers.next(*id).is_none()) else { return false };
        let is_client = batch.sender == Sender::Client && batch.is_data();
        let header = &batch.header;
        self.0.get(&id).is_some_and(|awaited| {
            is_client && awaited.epoch == header.producer_epoch && awaited.sequence != header.base_sequence
        })
    }

    /// Something is known of a producer now.
    pub(super) fn forget(&mut self, ask: &Ask) {
        if let Ask::Append(batch) = ask {
            self.0.retain(|id, _| batch.producer() != Some(*id));
        }
    }

    pub(super) fn forget_old(&mut self, now_ms: i64, expiration_ms: i64) {
        self.0.retain(|_, awaited| now_ms.saturating_sub(awaited.timestamp) < expiration_ms);
    }
}

/// Partition, producer, epoch and sequence of batches that found no room when nothing may have been known of the producer.
pub(super) type WithoutRoom = BTreeSet<(u64, i64, i16, i32)>;

impl Simulation {
    /// What a request is about, if it is a client's batch and its producer may not be known.
    fn first_of_producer(&mut self, sent: &Sent) -> Option<(u64, i64, i16, i32)> {
        let Ask::Append(batch) = &sent.ask else { return None };
        let (id, header) = (batch.producer()?, batch.header);
        let latest = &self.partition(sent.number).latest;
        let may_be_unknown = latest.producers.next(id).is_none() || latest.may_know_less(batch);
        may_be_unknown.then_some((sent.number, id, header.producer_epoch, header.base_sequence))
    }

    /// Notes first batches that found no room. Whether it is refused since another one is awaited as the first: that
    /// may be, for all that the engine may have known.
    pub(super) fn heed_first_batches(&mut self, sent: &Sent, answer: Option<&Outcome>) -> bool {
        let Some(first) = self.first_of_producer(sent) else { return false };
        let (number, id, epoch, sequence) = first;
        match answer {
            Some(Err(Refusal::DiskFull)) => {
                self.without_room.insert(first);
                false
            }
            Some(Err(Refusal::Producer(ProducerError::SequenceOutOfOrder { .. }))) => {
                let same = (number, id, epoch, i32::MIN)..=(number, id, epoch, i32::MAX);
                let is_awaited = self.without_room.range(same).any(|(.., awaited)| *awaited != sequence);
                self.reach("refused for a first batch that found no room");
                is_awaited
            }
            _ => false,
        }
    }
}
