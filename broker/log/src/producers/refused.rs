//! First batches that there was no room for.
//!
//! Of a producer that nothing is known of, a batch with any sequence number may be the first: its state may be gone
//! with its records. But a client has several batches on the way, and if the first of them finds no room and the
//! second does, the second must not take the first one's place. So it is remembered, in memory alone, which one is
//! awaited: after a restart a client has nothing on the way, and begins with what was not acknowledged.

use std::collections::BTreeMap;

use super::batch::{Change, ChangeKind, ProducerBatch, ProducerError, Sender};

/// So many producers are remembered.
pub(super) const PRODUCERS_MAX: usize = 1_024;

/// What is awaited of producers that nothing else is known of.
#[derive(Debug, Default)]
pub(super) struct Refused(BTreeMap<i64, Awaited>);

#[derive(Clone, Copy, Debug)]
struct Awaited {
    epoch: i16,
    sequence: i32,
    timestamp: i64,
}

impl Refused {
    /// There was no room for a batch of a producer that nothing is known of.
    pub(super) fn note(&mut self, batch: &ProducerBatch<'_>) {
        if batch.sender == Sender::Client
            && let Some(change) = Change::of(batch.header, batch.marker)
        {
            self.note_change(batch.header.producer_id, &change);
        }
    }

    /// The same for one that was on its way into the log already.
    pub(super) fn note_change(&mut self, producer_id: i64, change: &Change) {
        let Change { epoch, kind: ChangeKind::Append { trace, .. } } = *change else { return };
        if self.0.get(&producer_id).is_some_and(|awaited| awaited.epoch >= epoch) {
            return;
        }
        if self.0.len() >= PRODUCERS_MAX {
            self.0.pop_first();
        }
        let (sequence, timestamp) = (trace.first_sequence(), trace.timestamp);
        self.0.insert(producer_id, Awaited { epoch, sequence, timestamp });
    }

    /// Whether the first batch of a producer is the one that is awaited, if one is.
    pub(super) fn check(&self, batch: &ProducerBatch<'_>) -> Result<(), ProducerError> {
        let (header, awaited) = (batch.header, self.0.get(&batch.header.producer_id));
        match awaited {
            Some(awaited)
                if batch.sender == Sender::Client
                    && awaited.epoch == header.producer_epoch
                    && awaited.sequence != header.base_sequence =>
            {
                Err(ProducerError::SequenceOutOfOrder {
                    producer_id: header.producer_id,
                    found: header.base_sequence,
                    expected: awaited.sequence,
                })
            }
            _ => Ok(()),
        }
    }

    /// Something is known of a producer now.
    pub(super) fn forget(&mut self, producer_id: i64) {
        self.0.remove(&producer_id);
    }

    pub(super) fn remove_expired(&mut self, now_ms: i64, expiration_ms: i64) {
        self.0.retain(|_, awaited| now_ms.saturating_sub(awaited.timestamp) < expiration_ms);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
