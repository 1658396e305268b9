//! What can be asked of the machine, and what it answers.

use std::collections::{BTreeMap, BTreeSet};

use strandline_protocol::{ErrorCode, Text};

use super::partitions::Partitions;
use super::state::{Producer, Status, TransactionState};
use crate::coordinator::Ticket;

/// What is asked.
#[derive(Clone, Debug)]
pub enum Command {
    /// Somebody wants something.
    Ask(Ticket, Request),
    /// A timer went off.
    Due(Timer),
}

/// What somebody wants.
#[derive(Clone, Debug)]
pub enum Request {
    /// An id and an epoch for a producer.
    Initialise(Initialise),
    /// Partitions belong to the transaction from now on, which begins if it has not.
    Add {
        /// Whose it is.
        producer: Producer,
        /// Which ones.
        partitions: Partitions,
        /// The version of transactions that whoever asks goes by.
        version: i16,
        /// Whether to wait until the transaction before has its markers, rather than be refused.
        waits: bool,
    },
    /// Whether partitions belong to the transaction.
    Verify {
        /// Whose it is.
        producer: Producer,
        /// Which ones.
        partitions: Partitions,
    },
    /// The transaction ends.
    End {
        /// Whose it is.
        producer: Producer,
        /// Whether it counts.
        is_commit: bool,
        /// The version of transactions that whoever asks goes by.
        version: i16,
        /// An id that nobody has, once one was asked for.
        fresh_producer_id: Option<i64>,
    },
    /// Where an id stands.
    Describe(Text),
    /// Which ids there are.
    List(Filter),
    /// How many there are.
    Tally,
    /// The one who writes markers says what it has done, and asks for more. There is one at a time; where there is
    /// nothing to do it waits.
    Work(Vec<Written>),
    /// A transaction that its producer left open too long is to be aborted, and here is the id that it takes.
    Abort {
        /// Which one.
        overdue: Overdue,
        /// An id that nobody has.
        fresh_producer_id: i64,
    },
}

/// What a producer says to be given an id and an epoch.
#[derive(Clone, Debug)]
pub struct Initialise {
    /// Its transactional id.
    pub transactional_id: Text,
    /// How long its transactions may stay open.
    pub timeout_ms: i32,
    /// The id and the epoch that it has, if it has any.
    pub expected: Option<(i64, i16)>,
    /// An id that nobody has, once one was asked for.
    pub fresh_producer_id: Option<i64>,
}

/// Which ids are listed.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Those that stand here; any if none is said.
    pub statuses: Option<BTreeSet<Status>>,
    /// Those of these producers; any if none is said.
    pub producer_ids: BTreeSet<i64>,
    /// Those whose transaction began more than so long ago.
    pub longer_than_ms: Option<i64>,
}

/// A transaction that has been open for too long.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Overdue {
    /// Whose it is.
    pub transactional_id: Text,
    /// The epoch under which it is open.
    pub producer_epoch: i16,
    /// When it began.
    pub started_ms: i64,
}

/// What was done of a [`Markers`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Written {
    /// Whose transaction it is.
    pub transactional_id: Text,
    /// The producer of the markers.
    pub producer_id: i64,
    /// Their epoch.
    pub producer_epoch: i16,
    /// Where they are, durably, or need not be any more. The others are given out again after a while.
    pub partitions: Partitions,
    /// Whether a log knows of a newer coordinator of the producer, which writes what is missing. This one tries no more
    /// until it has read its records again.
    pub is_fenced: bool,
}

/// Something to be done outside of the machine. It is durable that it is to be done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Work {
    /// Markers are to be written.
    Markers(Markers),
    /// An id is to be found for a transaction that is to be aborted: [`Request::Abort`] brings it.
    ProducerId(Overdue),
}

/// Markers that are to be written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Markers {
    /// Whose transaction it is.
    pub transactional_id: Text,
    /// The producer of the markers.
    pub producer_id: i64,
    /// Their epoch.
    pub producer_epoch: i16,
    /// Whether the transaction counts.
    pub is_commit: bool,
    /// The version of transactions by which it ends. From 2 on the epoch is one that nothing was written under.
    pub version: i16,
    /// Where to.
    pub partitions: Partitions,
}

/// What is answered.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// It is not done.
    Refused(ErrorCode),
    /// It is done.
    Done,
    /// Ask again with an id that nobody has.
    NeedsProducerId,
    /// The id and the epoch that the producer has from now on.
    Producer {
        /// The id.
        producer_id: i64,
        /// The epoch.
        producer_epoch: i16,
    },
    /// The partitions that are not part of the transaction.
    Missing(Partitions),
    /// Where an id stands, with the partitions that have no marker yet.
    Described(Box<TransactionState>),
    /// The ids, with their producers.
    Listed(Vec<(Text, i64, Status)>),
    /// How many there are.
    Tallied(Tally),
    /// What is to be done.
    Work(Vec<Work>),
}

/// Something that happened, for whoever counts it or tells of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Event {
    /// A transaction was opened.
    Begun,
    /// It is decided how an open transaction ends.
    Ended {
        /// Whether it counts.
        is_commit: bool,
        /// Who decided so.
        by: EndedBy,
        /// Its id.
        transactional_id: Text,
        /// So long it may have been open.
        timeout_ms: i32,
    },
    /// Each partition of a transaction has its marker.
    Completed,
    /// A producer was told that another one has its id by now.
    Fenced,
    /// An id was forgotten, since nobody used it for long.
    Forgotten(Text),
}

/// Who ends a transaction.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum EndedBy {
    /// Its producer.
    Producer,
    /// The coordinator, since it was open for too long.
    Timeout,
    /// Another producer, who comes with the same id.
    Successor,
}

/// How the ids of a machine stand.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    /// How many there are in each state.
    pub by_status: BTreeMap<Status, usize>,
    /// When the oldest transaction began that is open, or on its way to its end.
    pub oldest_started_ms: Option<i64>,
}

/// What a timer is about.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Timer {
    /// A transaction has been open for as long as its producer wanted at most.
    Overdue(Overdue),
    /// Ids that nobody has used for long are forgotten.
    Sweep,
    /// The markers of an id could not be written, and are tried again.
    Again(Text),
}

/// What changes memory alone.
#[derive(Clone, Debug)]
pub enum Passing {
    /// The epoch that a producer had before this one, to know a request again that it repeats.
    LastEpoch(Text, i16),
    /// Markers are written.
    Written(Text, Partitions),
    /// Markers could not be written.
    Failed(Text),
    /// Markers are another coordinator's to write.
    Fenced(Text),
    /// An id is wanted to abort a transaction.
    WantsId(Overdue),
    /// What failed of an id is to be tried now.
    Again(Text),
    /// The worker has this to do.
    GivenOut(Vec<Work>),
    /// The worker has nothing to do, and waits.
    Waits(Ticket),
    /// Somebody waits until a transaction has its markers.
    Parked(Text, Parked),
}

/// Somebody who waits to add partitions.
#[derive(Clone, Debug)]
pub struct Parked {
    pub(super) ticket: Ticket,
    pub(super) producer: Producer,
    pub(super) partitions: Partitions,
    pub(super) version: i16,
}
