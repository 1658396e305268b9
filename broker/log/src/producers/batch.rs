//! What the state of producers is told about a batch, and what it answers.

use strandline_protocol::batch::{BatchError, BatchHeader, BatchView, ControlError, ControlRecord};
use strandline_protocol::{ErrorCode, batch};

/// Who hands in a batch, which decides what is held against the producer's state.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sender {
    /// A producer: epoch, sequence and transaction are checked, and a batch that is there already is recognised.
    Client,
    /// A coordinator on this broker: markers, and offsets that are committed in a transaction. These have no
    /// sequence, so that the epochs and the transaction are checked alone.
    Coordinator,
    /// This broker, which notes what it has to know to go on: checked as what a coordinator hands in. It may have of the
    /// journal what is kept for what makes room there, and waits for no flush: a partition that is to go is noted
    /// first, and a broker that starts on a full journal notes that it is there.
    Node,
    /// The partition's leader, which has checked all of it: what it appended is followed, never refused.
    Leader,
}

/// The end of a transaction on this partition.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Marker {
    /// The epoch of the coordinator that decided it.
    pub coordinator_epoch: i32,
    /// Whether the transaction's records do not count.
    pub is_abort: bool,
    /// Whether the coordinator raised the producer's epoch before it wrote the marker, as it does from version 2
    /// of transactions on. A marker with the epoch that the producer still writes under is then a late one.
    /// The log does not keep this: a marker that is read from it has `false`.
    pub raises_epoch: bool,
}

/// Why it cannot be said whether a control batch ends a transaction.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum MarkerError {
    /// The batch is malformed.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// The record in it is.
    #[error(transparent)]
    Control(#[from] ControlError),
}

impl Marker {
    /// The marker in a batch of the log, if there is one: a control batch that compaction has emptied has none.
    pub fn read(batch: &BatchView<'_>) -> Result<Option<Self>, MarkerError> {
        // Nobody compresses a marker, and a larger one would be none.
        const DECOMPRESSED_BYTES_MAX: usize = 4_096;
        if !batch.header().attributes.is_control() {
            return Ok(None);
        }
        let records = batch.records(DECOMPRESSED_BYTES_MAX)?;
        let Some(record) = records.iter().next().transpose()? else { return Ok(None) };
        let (coordinator_epoch, is_abort) = match ControlRecord::read(record.key, record.value)? {
            ControlRecord::Abort { coordinator_epoch } => (coordinator_epoch, true),
            ControlRecord::Commit { coordinator_epoch } => (coordinator_epoch, false),
            _ => return Ok(None),
        };
        Ok(Some(Self { coordinator_epoch, is_abort, raises_epoch: false }))
    }
}

/// A batch with a producer id, as far as the producer's state is concerned.
#[derive(Clone, Copy, Debug)]
pub struct ProducerBatch<'a> {
    /// The header, with the base offset that the batch gets if it is appended.
    pub header: &'a BatchHeader,
    /// The marker in it, if it is a control batch that has one.
    pub marker: Option<Marker>,
    /// Who hands it in.
    pub sender: Sender,
}

/// What is to be done with a batch.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// It is the producer's next.
    Fresh,
    /// It is one of the producer's last batches once more: nothing is appended.
    Duplicate {
        /// The offset of the first record of the batch that is there.
        base_offset: i64,
        /// The offset of its last. The batch may be staged still: whoever answers waits until it is durable.
        last_offset: i64,
        /// Its highest timestamp.
        timestamp: i64,
    },
}

/// Why a batch is refused. The state is as it was.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ProducerError {
    /// Another producer has taken over, or the transaction was ended under a higher epoch.
    #[error("producer {producer_id} has epoch {current}, and the batch has {epoch}")]
    EpochStale {
        /// The producer.
        producer_id: i64,
        /// The batch's epoch.
        epoch: i16,
        /// The producer's.
        current: i16,
    },
    /// A batch in front of this one is missing.
    #[error("producer {producer_id} goes on with sequence number {expected}, and the batch has {found}")]
    SequenceOutOfOrder {
        /// The producer.
        producer_id: i64,
        /// The sequence number of the batch's first record.
        found: i32,
        /// The one that follows the producer's last.
        expected: i32,
    },
    /// A batch outside of the transaction that its producer has open.
    #[error("producer {producer_id} has a transaction open, and the batch is not part of one")]
    TransactionOpen {
        /// The producer.
        producer_id: i64,
    },
    /// A batch that would begin a transaction, which its coordinator was not asked about, or not since the last one
    /// ended.
    #[error(
        "producer {producer_id} has no transaction open here, and its coordinator has not said that it has one"
    )]
    Unverified {
        /// The producer.
        producer_id: i64,
    },
    /// A marker of a coordinator that others have replaced.
    #[error(
        "a coordinator with epoch {current} ended a transaction of producer {producer_id} before, and the marker has {epoch}"
    )]
    CoordinatorStale {
        /// The producer.
        producer_id: i64,
        /// The marker's epoch of its coordinator.
        epoch: i32,
        /// The highest that was seen.
        current: i32,
    },
}

impl ProducerError {
    /// The error code that Kafka answers with.
    pub const fn code(&self) -> ErrorCode {
        match self {
            // Not PRODUCER_FENCED: upon this one a client aborts its transaction and goes on.
            Self::EpochStale { .. } => ErrorCode::INVALID_PRODUCER_EPOCH,
            Self::SequenceOutOfOrder { .. } => ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER,
            Self::TransactionOpen { .. } | Self::Unverified { .. } => ErrorCode::INVALID_TXN_STATE,
            Self::CoordinatorStale { .. } => ErrorCode::TRANSACTION_COORDINATOR_FENCED,
        }
    }
}

/// What a batch changes about its producer, once all is checked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Change {
    pub(super) epoch: i16,
    pub(super) kind: ChangeKind,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum ChangeKind {
    /// Records.
    Append { trace: Trace, is_transactional: bool },
    /// The end of a transaction.
    End { coordinator_epoch: i32, is_abort: bool, offset: i64, timestamp: i64 },
}

impl Change {
    /// None for a control batch without a marker: nothing follows from it any more.
    pub(super) fn of(header: &BatchHeader, marker: Option<Marker>) -> Option<Self> {
        let kind = if header.attributes.is_control() {
            let Marker { coordinator_epoch, is_abort, .. } = marker?;
            let (offset, timestamp) = (header.base_offset, header.max_timestamp);
            ChangeKind::End { coordinator_epoch, is_abort, offset, timestamp }
        } else {
            let is_transactional = header.attributes.is_transactional();
            ChangeKind::Append { trace: Trace::of(header), is_transactional }
        };
        Some(Self { epoch: header.producer_epoch, kind })
    }
}

/// What is remembered of a batch, to know it again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Trace {
    pub(super) last_sequence: i32,
    pub(super) offset_delta: i32,
    pub(super) last_offset: i64,
    pub(super) timestamp: i64,
}

impl Trace {
    pub(super) const NONE: Self = Self {
        last_sequence: batch::NO_SEQUENCE,
        offset_delta: 0,
        last_offset: -1,
        timestamp: batch::NO_TIMESTAMP,
    };

    fn of(header: &BatchHeader) -> Self {
        Self {
            last_sequence: header.last_sequence(),
            offset_delta: header.last_offset_delta,
            last_offset: header.last_offset(),
            timestamp: header.max_timestamp,
        }
    }

    pub(super) const fn first_offset(&self) -> i64 {
        self.last_offset.saturating_sub(self.offset_delta as i64)
    }

    /// Sequence numbers begin again at zero behind `i32::MAX`.
    pub(super) const fn first_sequence(&self) -> i32 {
        self.last_sequence.wrapping_sub(self.offset_delta) & i32::MAX
    }

    /// Whether these are the records that `header` announces.
    pub(super) fn is_same(&self, header: &BatchHeader) -> bool {
        self.first_sequence() == header.base_sequence && self.last_sequence == header.last_sequence()
    }
}
