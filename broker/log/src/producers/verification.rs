//! Who may begin a transaction on a partition.
//!
//! A transaction that its coordinator knows nothing of would never end. So the first batch of one is let in only if
//! the coordinator was asked, and if nothing has ended the producer's transaction since before it was asked: whoever
//! asks takes a [`Guard`] first, and every marker of that producer makes it worthless. No two guards are the same, so
//! one of a transaction that is over says nothing about the next.
//!
//! All of it is in memory alone. Those who asked are gone with the process.

use std::collections::BTreeMap;

use strandline_protocol::batch::BatchHeader;

use super::batch::ProducerError;

/// So many producers of one partition are asked about at once; those that were first have to ask again.
const PENDING_MAX: usize = 1_024;

/// What an append shows: that its producer was asked about, and when.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Guard(u64);

/// A batch that may be the first of a transaction.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FirstBatch {
    /// The producer.
    pub producer_id: i64,
    /// Its epoch.
    pub producer_epoch: i16,
    /// The sequence number of its first record, or -1 where there is none.
    pub base_sequence: i32,
}

impl From<&BatchHeader> for FirstBatch {
    fn from(header: &BatchHeader) -> Self {
        let BatchHeader { producer_id, producer_epoch, base_sequence, .. } = *header;
        Self { producer_id, producer_epoch, base_sequence }
    }
}

/// The producers of a partition that have a transaction open, or are being asked about.
#[derive(Debug, Default)]
pub(crate) struct Verifications {
    /// By id, with the epoch that it is open under. What is staged counts.
    open: BTreeMap<i64, i16>,
    pending: BTreeMap<i64, Pending>,
    guards: u64,
}

#[derive(Clone, Copy, Debug)]
struct Pending {
    guard: Guard,
    epoch: i16,
    /// The first of the batches that wait: one behind it must not be let in before it.
    lowest_sequence: i32,
    /// Whether the producer gets a new epoch with each transaction, whose first sequence number is 0.
    raises_epoch: bool,
    since_ms: i64,
}

impl Verifications {
    /// Notes that a coordinator is about to be asked whether this batch may begin a transaction. None if it need not
    /// be: the transaction is open.
    pub(crate) fn begin(&mut self, first: FirstBatch, raises_epoch: bool, now_ms: i64) -> Option<Guard> {
        let FirstBatch { producer_id, producer_epoch: epoch, base_sequence: sequence } = first;
        if self.open.get(&producer_id) == Some(&epoch) {
            return None;
        }
        if let Some(pending) = self.pending.get_mut(&producer_id) {
            if epoch > pending.epoch {
                (pending.epoch, pending.lowest_sequence) = (epoch, sequence);
            } else if epoch == pending.epoch {
                pending.lowest_sequence = pending.lowest_sequence.min(sequence);
            }
            return Some(pending.guard);
        }
        if self.pending.len() >= PENDING_MAX {
            let oldest = self.pending.iter().min_by_key(|(_, pending)| pending.guard.0).map(|(id, _)| *id);
            oldest.and_then(|id| self.pending.remove(&id));
        }
        self.guards += 1;
        let guard = Guard(self.guards);
        let pending = Pending { guard, epoch, lowest_sequence: sequence, raises_epoch, since_ms: now_ms };
        self.pending.insert(producer_id, pending);
        Some(guard)
    }

    /// Notes that a coordinator said no, for good.
    pub(crate) fn refused(&mut self, producer_id: i64, guard: Guard) {
        if self.pending.get(&producer_id).is_some_and(|pending| pending.guard == guard) {
            self.pending.remove(&producer_id);
        }
    }

    /// Whether a batch may go on with the producer's transaction, or begin it with what it shows.
    pub(crate) fn check(
        &self,
        header: &BatchHeader,
        shown: Option<Guard>,
        has_batches: bool,
    ) -> Result<(), ProducerError> {
        let (producer_id, found) = (header.producer_id, header.base_sequence);
        if self.open.get(&producer_id) == Some(&header.producer_epoch) {
            return Ok(());
        }
        let pending = self.pending.get(&producer_id).filter(|pending| Some(pending.guard) == shown);
        let Some(pending) = pending else { return Err(ProducerError::Unverified { producer_id }) };
        let expected = if pending.raises_epoch && !has_batches { 0 } else { pending.lowest_sequence };
        if found > expected {
            return Err(ProducerError::SequenceOutOfOrder { producer_id, found, expected });
        }
        Ok(())
    }

    /// A batch of this producer's transaction is on its way into the log.
    pub(crate) fn staged(&mut self, producer_id: i64, epoch: i16) {
        self.open.insert(producer_id, epoch);
        self.pending.remove(&producer_id);
    }

    /// A marker of this producer is on its way into the log.
    pub(crate) fn ended(&mut self, producer_id: i64) {
        self.open.remove(&producer_id);
        self.pending.remove(&producer_id);
    }

    /// Begins anew with what is open, where the log is not what it was.
    pub(crate) fn reset(&mut self, open: impl Iterator<Item = (i64, i16)>) {
        self.open = open.collect();
        self.pending.clear();
    }

    /// Forgets those who asked long ago, and whose batch never came.
    pub(crate) fn remove_expired(&mut self, now_ms: i64, expiration_ms: i64) {
        self.pending.retain(|_, pending| now_ms.saturating_sub(pending.since_ms) < expiration_ms);
    }
}
