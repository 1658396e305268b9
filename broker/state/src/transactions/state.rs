//! Where one transactional id stands, and how it gets from there to where it stands next.
//!
//! Pure steps: each gives the whole new state, and none looks whether it may be taken. Kafka's fields and rules.

use strandline_protocol::Text;

use super::partitions::Partitions;
use super::{NO_PRODUCER_ID, NO_TIME};

/// The step of its life that a transactional id is in.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Status {
    /// A producer has it, and has begun nothing.
    Empty,
    /// A transaction is open.
    Ongoing,
    /// It is decided that the transaction counts, and markers are on their way.
    PrepareCommit,
    /// It is decided that the transaction does not count, and markers are on their way.
    PrepareAbort,
    /// Every partition knows that the last transaction counts.
    CompleteCommit,
    /// Every partition knows that the last transaction does not count.
    CompleteAbort,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Empty,
        Self::Ongoing,
        Self::PrepareCommit,
        Self::PrepareAbort,
        Self::CompleteCommit,
        Self::CompleteAbort,
    ];

    /// Kafka's name for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Empty => "Empty",
            Self::Ongoing => "Ongoing",
            Self::PrepareCommit => "PrepareCommit",
            Self::PrepareAbort => "PrepareAbort",
            Self::CompleteCommit => "CompleteCommit",
            Self::CompleteAbort => "CompleteAbort",
        }
    }

    /// The one of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// Kafka's number for it.
    pub const fn code(self) -> i8 {
        match self {
            Self::Empty => 0,
            Self::Ongoing => 1,
            Self::PrepareCommit => 2,
            Self::PrepareAbort => 3,
            Self::CompleteCommit => 4,
            Self::CompleteAbort => 5,
        }
    }

    /// The one of this number.
    pub fn from_code(code: i8) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.code() == code)
    }

    /// Whether markers are on their way.
    pub const fn is_prepared(self) -> bool {
        matches!(self, Self::PrepareCommit | Self::PrepareAbort)
    }

    /// Whether no transaction is open or on its way to its end.
    pub const fn is_at_rest(self) -> bool {
        matches!(self, Self::Empty | Self::CompleteCommit | Self::CompleteAbort)
    }
}

/// Where a transactional id stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TransactionState {
    /// The producer's id.
    pub producer_id: i64,
    /// The one that it had one step before.
    pub previous_producer_id: i64,
    /// The one that it gets with the end of this transaction, or -1 for the same.
    pub next_producer_id: i64,
    /// The producer's epoch. In a prepared transaction it is that of the markers.
    pub producer_epoch: i16,
    /// How long its transactions may stay open.
    pub timeout_ms: i32,
    /// Where it stands.
    pub status: Status,
    /// What the transaction has touched, until every marker is written.
    pub partitions: Partitions,
    /// When this step was taken.
    pub updated_ms: i64,
    /// When the transaction began, or -1.
    pub started_ms: i64,
    /// The version of the protocol that the last step of the transaction was taken by: 2 with a new epoch for each one.
    pub version: i16,
}

/// Whether a producer with this epoch gets another id next. The one epoch above is kept for fencing.
pub(super) const fn is_exhausted(epoch: i16) -> bool {
    epoch >= i16::MAX - 1
}

impl TransactionState {
    /// A producer that has just come.
    pub fn new(producer_id: i64, timeout_ms: i32, now_ms: i64) -> Self {
        Self {
            producer_id,
            previous_producer_id: producer_id,
            next_producer_id: NO_PRODUCER_ID,
            producer_epoch: 0,
            timeout_ms,
            status: Status::Empty,
            partitions: Partitions::new(),
            updated_ms: now_ms,
            started_ms: NO_TIME,
            version: 0,
        }
    }

    fn next(&self, status: Status, now_ms: i64) -> Self {
        Self { status, previous_producer_id: self.producer_id, updated_ms: now_ms, ..self.clone() }
    }

    /// Another producer, or the same one anew.
    pub(super) fn initialised(&self, producer_id: i64, epoch: i16, timeout_ms: i32, now_ms: i64) -> Self {
        Self {
            producer_id,
            producer_epoch: epoch,
            timeout_ms,
            partitions: Partitions::new(),
            started_ms: NO_TIME,
            ..self.next(Status::Empty, now_ms)
        }
    }

    /// With partitions added, by which the transaction begins if it has not.
    pub(super) fn with(&self, partitions: &Partitions, version: i16, now_ms: i64) -> Self {
        let mut next = self.next(Status::Ongoing, now_ms);
        next.partitions.add(partitions);
        next.version = version;
        if self.status.is_at_rest() {
            next.started_ms = now_ms;
        }
        next
    }

    /// With its end decided. Under version 2 that raises the epoch, so that what comes late is told apart.
    pub(super) fn prepared(&self, is_commit: bool, version: i16, next_producer_id: i64, now_ms: i64) -> Self {
        let status = if is_commit { Status::PrepareCommit } else { Status::PrepareAbort };
        let mut next = Self { version, next_producer_id, ..self.next(status, now_ms) };
        if version >= 2 {
            next.producer_epoch = self.producer_epoch.saturating_add(1);
        }
        if self.status.is_at_rest() {
            next.started_ms = now_ms;
        }
        next
    }

    /// With every marker written.
    pub(super) fn completed(&self, now_ms: i64) -> Self {
        let is_commit = self.status == Status::PrepareCommit;
        let status = if is_commit { Status::CompleteCommit } else { Status::CompleteAbort };
        let mut next = Self { partitions: Partitions::new(), ..self.next(status, now_ms) };
        next.next_producer_id = NO_PRODUCER_ID;
        if self.version >= 2 && self.next_producer_id != NO_PRODUCER_ID {
            (next.producer_id, next.producer_epoch) = (self.next_producer_id, 0);
        }
        next
    }
}

/// Who says that a transaction is its own.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Producer {
    /// Its transactional id.
    pub transactional_id: Text,
    /// Its id.
    pub producer_id: i64,
    /// Its epoch.
    pub producer_epoch: i16,
}
