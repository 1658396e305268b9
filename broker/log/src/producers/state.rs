//! What is known about one producer: how a batch is held against it, and how a batch changes it.

use strandline_protocol::batch::{NO_PRODUCER_EPOCH, NO_SEQUENCE, NO_TIMESTAMP};

use super::batch::{Change, ChangeKind, Marker, ProducerBatch, ProducerError, Sender, Trace, Verdict};

/// So many of a producer's last batches are known again; a client has no more of them on the way at once.
pub(super) const TRACES_MAX: usize = 5;

/// The coordinator epoch of producers whose transactions no coordinator has ended yet.
const NO_COORDINATOR_EPOCH: i32 = -1;

/// One producer on one partition.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct State {
    pub(super) epoch: i16,
    traces_count: u8,
    pub(super) coordinator_epoch: i32,
    /// Of the last batch or marker. The producer is forgotten so long after it.
    pub(super) last_timestamp: i64,
    /// Of the transaction that is open.
    pub(super) transaction_start: Option<i64>,
    /// Of the present epoch, the oldest first; those beyond the count are [`Trace::NONE`].
    traces: [Trace; TRACES_MAX],
}

/// What a change does to the transactions of the partition.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Effect {
    Nothing,
    Begins { first_offset: i64 },
    Ends { first_offset: i64, last_offset: i64, is_abort: bool },
}

impl State {
    /// A producer that was never heard of.
    pub(super) const UNKNOWN: Self = Self {
        epoch: NO_PRODUCER_EPOCH,
        traces_count: 0,
        coordinator_epoch: NO_COORDINATOR_EPOCH,
        last_timestamp: NO_TIMESTAMP,
        transaction_start: None,
        traces: [Trace::NONE; TRACES_MAX],
    };

    pub(super) fn traces(&self) -> &[Trace] {
        self.traces.get(..usize::from(self.traces_count)).unwrap_or_default()
    }

    pub(super) fn last_trace(&self) -> Option<&Trace> {
        self.traces().last()
    }

    fn last_sequence(&self) -> i32 {
        self.last_trace().map_or(NO_SEQUENCE, |trace| trace.last_sequence)
    }

    /// Whether the batch may follow, as the broker's own rules are.
    pub(super) fn check(&self, batch: &ProducerBatch<'_>) -> Result<Verdict, ProducerError> {
        match (batch.sender, batch.marker) {
            (Sender::Leader, _) => {}
            (_, Some(marker)) => self.check_marker(batch, marker)?,
            // First of all: an old batch stays a duplicate when its transaction is long over.
            (Sender::Client, None) => match self.find_duplicate(batch) {
                Some(duplicate) => return Ok(duplicate),
                None => {
                    self.check_epoch(batch)?;
                    self.check_sequence(batch)?;
                    self.check_transaction(batch)?;
                }
            },
            (Sender::Coordinator | Sender::Node, None) => {
                self.check_epoch(batch)?;
                self.check_transaction(batch)?;
            }
        }
        Ok(Verdict::Fresh)
    }

    fn find_duplicate(&self, batch: &ProducerBatch<'_>) -> Option<Verdict> {
        if batch.header.producer_epoch != self.epoch {
            return None;
        }
        let trace = self.traces().iter().find(|trace| trace.is_same(batch.header))?;
        let Trace { last_offset, timestamp, .. } = *trace;
        Some(Verdict::Duplicate { base_offset: trace.first_offset(), last_offset, timestamp })
    }

    fn check_epoch(&self, batch: &ProducerBatch<'_>) -> Result<(), ProducerError> {
        if batch.header.producer_epoch < self.epoch { Err(self.epoch_stale(batch)) } else { Ok(()) }
    }

    fn epoch_stale(&self, batch: &ProducerBatch<'_>) -> ProducerError {
        let (producer_id, epoch) = (batch.header.producer_id, batch.header.producer_epoch);
        ProducerError::EpochStale { producer_id, epoch, current: self.epoch }
    }

    fn check_sequence(&self, batch: &ProducerBatch<'_>) -> Result<(), ProducerError> {
        let found = batch.header.base_sequence;
        // Whose state is gone, with its records or by its age, goes on where it was.
        if self.epoch == NO_PRODUCER_EPOCH {
            return Ok(());
        }
        let is_new_epoch = batch.header.producer_epoch != self.epoch;
        let expected = if is_new_epoch { 0 } else { self.last_sequence().wrapping_add(1) & i32::MAX };
        if found == expected {
            return Ok(());
        }
        Err(ProducerError::SequenceOutOfOrder { producer_id: batch.header.producer_id, found, expected })
    }

    fn check_transaction(&self, batch: &ProducerBatch<'_>) -> Result<(), ProducerError> {
        if self.transaction_start.is_some() && !batch.header.attributes.is_transactional() {
            return Err(ProducerError::TransactionOpen { producer_id: batch.header.producer_id });
        }
        Ok(())
    }

    fn check_marker(&self, batch: &ProducerBatch<'_>, marker: Marker) -> Result<(), ProducerError> {
        let epoch = batch.header.producer_epoch;
        self.check_epoch(batch)?;
        // Without an open transaction it is the marker before, sent again: harmless, and answered as written.
        if marker.raises_epoch && epoch == self.epoch && self.transaction_start.is_some() {
            return Err(self.epoch_stale(batch));
        }
        if marker.coordinator_epoch < self.coordinator_epoch {
            return Err(ProducerError::CoordinatorStale {
                producer_id: batch.header.producer_id,
                epoch: marker.coordinator_epoch,
                current: self.coordinator_epoch,
            });
        }
        Ok(())
    }

    /// Lets the batch happen, whatever it is: all that is to be checked has been.
    pub(super) fn apply(&mut self, change: &Change) -> Effect {
        if self.epoch != change.epoch {
            self.epoch = change.epoch;
            self.traces_count = 0;
            self.traces = [Trace::NONE; TRACES_MAX];
        }
        match change.kind {
            ChangeKind::Append { trace, is_transactional } => self.append(trace, is_transactional),
            ChangeKind::End { coordinator_epoch, is_abort, offset, timestamp } => {
                self.coordinator_epoch = coordinator_epoch;
                self.last_timestamp = timestamp;
                match self.transaction_start.take() {
                    Some(first_offset) => Effect::Ends { first_offset, last_offset: offset, is_abort },
                    None => Effect::Nothing,
                }
            }
        }
    }

    fn append(&mut self, trace: Trace, is_transactional: bool) -> Effect {
        self.remember(trace);
        self.last_timestamp = trace.timestamp;
        if !is_transactional || self.transaction_start.is_some() {
            return Effect::Nothing;
        }
        let first_offset = trace.first_offset();
        self.transaction_start = Some(first_offset);
        Effect::Begins { first_offset }
    }

    /// Puts it behind the others; the oldest goes where there is no room.
    pub(super) fn remember(&mut self, trace: Trace) {
        if let Some(free) = self.traces.get_mut(usize::from(self.traces_count)) {
            *free = trace;
            self.traces_count += 1;
        } else {
            self.traces.rotate_left(1);
            if let Some(last) = self.traces.last_mut() {
                *last = trace;
            }
        }
    }
}
