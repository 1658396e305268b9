//! What a partition remembers of its producers: enough to know a batch again that is sent twice, to notice one
//! that is missing, and to tell which transactions are open.
//!
//! Owns the decision about each batch with a producer id, the last stable offset, and the aborted transactions
//! that no segment's index has yet. Never reads a log, a clock or a record: headers and the markers in control
//! batches come in, in the order of their offsets. The rules are Apache Kafka's.
//!
//! # Staged and durable
//!
//! A batch is checked before it is durable, and others are checked against it meanwhile. So each producer has
//! two states. [`Producers::stage`] moves the latest one; [`Producers::publish`] moves the durable one, batch for
//! batch in the same order. Everything that others see (the snapshot, the list of producers, the last stable
//! offset) comes from the durable one alone.
//!
//! What a batch changes does not depend on whether it was checked. [`Producers::replay`] therefore finds the same
//! state in a log again, and refuses and recognises nothing: what is in the log has happened.

use std::collections::{BTreeMap, VecDeque};

use strandline_protocol::batch::{BatchHeader, NO_SEQUENCE};

mod batch;
mod refused;
mod snapshot;
mod state;
mod transactions;
mod verification;

pub use batch::{Marker, MarkerError, ProducerBatch, ProducerError, Sender, Verdict};
pub use snapshot::SnapshotError;
pub use transactions::CompletedTransaction;
pub(crate) use verification::Verifications;
pub use verification::{FirstBatch, Guard};

use batch::Change;
use refused::Refused;
use state::{Effect, State};
use transactions::Transactions;

/// So many producers of a partition are remembered. Anybody can make ids up, each of which would be kept for a day and
/// written with each snapshot; Kafka bounds them by their age alone (KAFKA-15063).
const PRODUCERS_MAX: usize = 100_000;

/// A queue of staged batches that has grown beyond this is given back when it is empty.
const STAGED_KEPT_MAX: usize = 64;

/// The producers of one partition. Without any it is a null pointer.
#[derive(Debug, Default)]
pub struct Producers(Option<Box<Table>>);

#[derive(Debug, Default)]
struct Table {
    /// By id: a hash map would need randomness to be safe from ids that clients make up, and order for the rest.
    producers: BTreeMap<i64, Box<Producer>>,
    /// Checked and not durable yet, the oldest first. Control batches that change nothing are among them, so
    /// that each staged batch is published once.
    staged: VecDeque<Staged>,
    transactions: Transactions,
    refused: Refused,
}

#[derive(Debug)]
struct Producer {
    /// None while no batch of it is durable.
    durable: Option<State>,
    /// The durable state with all that is staged.
    latest: State,
    staged_count: u32,
}

impl Producer {
    /// Whether it has no transaction open, and nothing staged.
    fn is_idle(&self) -> bool {
        self.staged_count == 0 && self.latest.transaction_start.is_none()
    }
}

#[derive(Debug)]
struct Staged {
    producer_id: i64,
    change: Option<Change>,
    is_client: bool,
}

/// What is known of one producer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ActiveProducer {
    /// Its id.
    pub producer_id: i64,
    /// Its epoch: of its last batch, or of the last marker if that is higher.
    pub epoch: i16,
    /// The sequence number of its last record, or [`NO_SEQUENCE`] if it wrote none in this epoch.
    pub last_sequence: i32,
    /// The offset of its last record, if it wrote one in this epoch.
    pub last_offset: Option<i64>,
    /// The timestamp of its last batch or marker.
    pub last_timestamp: i64,
    /// The epoch of the coordinator that ended its last transaction, or -1.
    pub coordinator_epoch: i32,
    /// The first offset of its open transaction.
    pub transaction_start: Option<i64>,
}

impl Producers {
    /// No producers.
    pub const fn new() -> Self {
        Self(None)
    }

    /// Holds a batch against what is durable and staged of its producer, and changes nothing.
    ///
    /// # Errors
    /// The batch must not be appended.
    pub fn check(&self, batch: &ProducerBatch<'_>) -> Result<Verdict, ProducerError> {
        let latest = self.latest(batch.header.producer_id);
        if *latest == State::UNKNOWN
            && let Some(table) = &self.0
        {
            table.refused.check(batch)?;
        }
        latest.check(batch)
    }

    /// Notes that there was no room for a batch that might have been appended: what its producer has sent behind it
    /// does not take its place.
    pub fn refuse(&mut self, batch: &ProducerBatch<'_>) {
        if *self.latest(batch.header.producer_id) == State::UNKNOWN {
            self.0.get_or_insert_default().refused.note(batch);
        }
    }

    /// Notes that the batch is on its way into the log. It was checked before, and is fresh.
    pub fn stage(&mut self, batch: &ProducerBatch<'_>) {
        let producer_id = batch.header.producer_id;
        let change = Change::of(batch.header, batch.marker);
        let table = self.0.get_or_insert_default();
        table.refused.forget(producer_id);
        if let Some(change) = &change {
            let producer = table.producer(producer_id);
            producer.latest.apply(change);
            producer.staged_count += 1;
        }
        table.staged.push_back(Staged { producer_id, change, is_client: batch.sender == Sender::Client });
    }

    /// Checks a batch, and stages it if it is fresh.
    ///
    /// # Errors
    /// The batch must not be appended; nothing was staged.
    pub fn check_and_stage(&mut self, batch: &ProducerBatch<'_>) -> Result<Verdict, ProducerError> {
        let verdict = self.check(batch)?;
        if verdict == Verdict::Fresh {
            self.stage(batch);
        }
        Ok(verdict)
    }

    /// How many batches are staged.
    pub fn staged_count(&self) -> usize {
        self.0.as_ref().map_or(0, |table| table.staged.len())
    }

    /// Gives up what is staged: there was no room for any of it. What was sent behind it does not take its place.
    pub fn discard_staged(&mut self) {
        let Some(table) = &mut self.0 else { return };
        for Staged { producer_id, change, is_client } in std::mem::take(&mut table.staged) {
            let durable = table.producers.get(&producer_id).and_then(|producer| producer.durable.clone());
            match (table.producers.get_mut(&producer_id), durable) {
                (Some(producer), Some(durable)) => {
                    producer.latest = durable;
                    producer.staged_count = 0;
                }
                _ => {
                    table.producers.remove(&producer_id);
                    let change = change.as_ref().filter(|_| is_client);
                    change.into_iter().for_each(|change| table.refused.note_change(producer_id, change));
                }
            }
        }
    }

    /// Notes that the batch that was staged first is durable. Gives the transaction that it ended, if it did.
    pub fn publish(&mut self) -> Option<CompletedTransaction> {
        let table = self.0.as_mut()?;
        let Staged { producer_id, change, .. } = table.staged.pop_front()?;
        if table.staged.is_empty() && table.staged.capacity() > STAGED_KEPT_MAX {
            table.staged = VecDeque::new();
        }
        let change = change?;
        let producer = table.producers.entry(producer_id).or_default();
        producer.staged_count = producer.staged_count.saturating_sub(1);
        let effect = producer.durable.get_or_insert(State::UNKNOWN).apply(&change);
        table.follow(producer_id, effect)
    }

    /// Notes a batch that stands in the log, unchecked. Gives the transaction that it ended, if it did.
    ///
    /// Nothing is staged meanwhile: what is in the log comes before what is to be appended to it.
    pub fn replay(&mut self, header: &BatchHeader, marker: Option<Marker>) -> Option<CompletedTransaction> {
        if !header.has_producer_id() {
            return None;
        }
        let change = Change::of(header, marker)?;
        let table = self.0.get_or_insert_default();
        let producer = table.producer(header.producer_id);
        producer.latest.apply(&change);
        let effect = producer.durable.get_or_insert(State::UNKNOWN).apply(&change);
        table.follow(header.producer_id, effect)
    }

    /// Whether the producer has a transaction open under this epoch, counting what is staged. Where it has not,
    /// its coordinator is asked before a transactional batch is let in.
    pub fn has_open_transaction(&self, producer_id: i64, epoch: i16) -> bool {
        let latest = self.latest(producer_id);
        latest.epoch == epoch && latest.transaction_start.is_some()
    }

    /// Whether a batch of the producer's present epoch is known, counting what is staged.
    pub fn has_batches(&self, producer_id: i64) -> bool {
        self.latest(producer_id).last_trace().is_some()
    }

    /// The producers that have a transaction open, with their epochs, counting what is staged.
    pub fn open_transactions(&self) -> impl Iterator<Item = (i64, i16)> {
        let producers = self.0.iter().flat_map(|table| &table.producers);
        let open = producers.filter(|(_, producer)| producer.latest.transaction_start.is_some());
        open.map(|(id, producer)| (*id, producer.latest.epoch))
    }

    /// The first offset of a transaction that is open.
    pub fn first_open_offset(&self) -> Option<i64> {
        self.0.as_ref()?.transactions.first_open_offset()
    }

    /// The first offset of a transaction that is open, or over with its marker not below the high watermark.
    pub fn first_unstable_offset(&self) -> Option<i64> {
        self.0.as_ref()?.transactions.first_unstable_offset()
    }

    /// Up to where a reader may go that wants decided records only.
    ///
    /// A transaction stays open whose first records are deleted; it holds nothing back below the log's start.
    pub fn last_stable_offset(&self, log_start: i64, high_watermark: i64) -> i64 {
        let unstable = self.first_unstable_offset().map_or(high_watermark, |offset| offset.max(log_start));
        unstable.min(high_watermark)
    }

    /// Says that every replica has what is below this offset: transactions that ended there hold nothing back.
    pub fn high_watermark_moved(&mut self, high_watermark: i64) {
        if let Some(table) = &mut self.0 {
            table.transactions.settle(high_watermark);
        }
    }

    /// Says that the log begins at this offset. Producers stay, and so do open transactions: they may go on.
    pub fn log_start_moved(&mut self, log_start: i64) {
        if let Some(table) = &mut self.0 {
            table.transactions.settle(log_start);
            table.transactions.forget_aborted(log_start);
        }
    }

    /// The aborted transactions that were not [handed over](Self::aborted_indexed) yet, by the offsets of their
    /// markers.
    pub fn aborted(&self) -> impl Iterator<Item = &CompletedTransaction> {
        self.0.iter().flat_map(|table| table.transactions.aborted())
    }

    /// Says that the segments' transaction indexes have, durably, every aborted transaction whose marker lies
    /// below this offset. They are not kept here any longer.
    pub fn aborted_indexed(&mut self, end_offset: i64) {
        if let Some(table) = &mut self.0 {
            table.transactions.forget_aborted(end_offset);
        }
    }

    /// Forgets producers whose last timestamp is so old, unless they have a transaction open or a batch staged.
    ///
    /// To be called now and then: it also gives memory back that is not in use.
    pub fn remove_expired(&mut self, now_ms: i64, expiration_ms: i64) -> usize {
        let Some(table) = &mut self.0 else { return 0 };
        let before = table.producers.len();
        let is_expired = |state: &State| {
            state.transaction_start.is_none() && now_ms.saturating_sub(state.last_timestamp) >= expiration_ms
        };
        table.producers.retain(|_, producer| producer.staged_count > 0 || !is_expired(&producer.latest));
        table.refused.remove_expired(now_ms, expiration_ms);
        let forgotten = before - table.producers.len();
        table.staged.shrink_to_fit();
        let is_empty = table.producers.is_empty() && table.refused.is_empty();
        if is_empty && table.staged.is_empty() && table.transactions.is_empty() {
            self.0 = None;
        }
        forgotten
    }

    /// The producers of which something is durable, by id.
    pub fn active(&self) -> impl Iterator<Item = ActiveProducer> {
        self.durable().map(|(producer_id, state)| {
            let last = state.last_trace();
            ActiveProducer {
                producer_id,
                epoch: state.epoch,
                last_sequence: last.map_or(NO_SEQUENCE, |trace| trace.last_sequence),
                last_offset: last.map(|trace| trace.last_offset),
                last_timestamp: state.last_timestamp,
                coordinator_epoch: state.coordinator_epoch,
                transaction_start: state.transaction_start,
            }
        })
    }

    fn durable(&self) -> impl Iterator<Item = (i64, &State)> {
        let producers = self.0.iter().flat_map(|table| &table.producers);
        producers.filter_map(|(id, producer)| Some((*id, producer.durable.as_ref()?)))
    }

    fn latest(&self, producer_id: i64) -> &State {
        let producer = self.0.as_ref().and_then(|table| table.producers.get(&producer_id));
        producer.map_or(&State::UNKNOWN, |producer| &producer.latest)
    }
}

impl Table {
    /// What is known of a producer, which may be new. Where there are as many as there may be, an eighth of them makes
    /// room: those that were idle for the longest time, and of which nothing is open or on its way.
    fn producer(&mut self, producer_id: i64) -> &mut Producer {
        if self.producers.len() >= PRODUCERS_MAX && !self.producers.contains_key(&producer_id) {
            let idle = self.producers.iter().filter(|(_, producer)| producer.is_idle());
            let mut idle: Vec<_> = idle.map(|(id, producer)| (producer.latest.last_timestamp, *id)).collect();
            let count = idle.len().min(PRODUCERS_MAX / 8);
            if count < idle.len() {
                idle.select_nth_unstable(count);
            }
            idle.iter().take(count).for_each(|(_, id)| drop(self.producers.remove(id)));
        }
        self.producers.entry(producer_id).or_default()
    }

    /// Lets the partition's transactions follow what a durable batch did.
    fn follow(&mut self, producer_id: i64, effect: Effect) -> Option<CompletedTransaction> {
        match effect {
            Effect::Nothing => None,
            Effect::Begins { first_offset } => {
                self.transactions.begin(producer_id, first_offset);
                None
            }
            Effect::Ends { first_offset, last_offset, is_abort } => {
                Some(self.transactions.end(producer_id, first_offset, last_offset, is_abort))
            }
        }
    }
}

impl Default for Producer {
    fn default() -> Self {
        Self { durable: None, latest: State::UNKNOWN, staged_count: 0 }
    }
}

#[cfg(test)]
mod tests;
