//! What a coordinator's machine promises to whoever drives it: groups, transactions, and what comes after them.
//!
//! A machine is the state of one partition of an internal topic: replayed records, and beside them what is in memory
//! alone and may be lost with the process, such as a member that waits for the others. It never waits: an answer that
//! has to wait keeps its [`Ticket`], and a later decision answers it.
//!
//! Whoever drives a machine appends the records of a decision as one batch or as part of one, then evolves the machine
//! by them, then applies what is passing, all before the next decision ([`Machine::is_of_transaction`] says where not);
//! answers leave when the records, and all that
//! were appended before them, are durable. Where an append fails, the machine is thrown away and replayed, and whoever
//! still waits is told to come again. A decision that cannot be appended at all (it is too large, or its producer has
//! been fenced) does not happen: its tickets are answered with the reason, and the machine is as it was. Of one that says
//! that it may come in parts, the first parts may happen and the rest not.
//!
//! The time is the wall clock's, which somebody may set. What is to happen after a while is a timer, which counts from
//! the decision's own time by a clock that nobody sets; no moment that was kept is held against a later time but one
//! that stands in a record.

use std::fmt;
use std::hash::Hash;
use std::time::Duration;

use strandline_protocol::wire::DecodeResult;
use strandline_protocol::{Bytes, EncodeError};

/// A request that waits for its answer. Whoever drives the machine gives it out, and never twice.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Ticket(pub u64);

/// Who a batch comes from, where that decides what becomes of its records.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Origin {
    /// They count as soon as they are durable.
    #[default]
    Plain,
    /// They count once this producer's transaction is committed, and never if it is aborted.
    Transaction {
        /// The producer.
        producer_id: i64,
        /// Its epoch.
        producer_epoch: i16,
    },
}

/// The end of a producer's transaction on one partition: a marker in its log.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct TransactionEnd {
    /// The producer.
    pub producer_id: i64,
    /// The epoch that the marker carries.
    pub producer_epoch: i16,
    /// Whether what it wrote counts.
    pub is_commit: bool,
}

/// What a machine keeps: a key and what is so about it, as bytes in the internal topic.
pub trait Record: Sized + Send + 'static {
    /// The record that these bytes are. None if a newer program wrote it: it is passed over.
    ///
    /// # Errors
    /// The bytes are not what they say they are.
    fn from_bytes(key: Bytes, value: Option<Bytes>) -> DecodeResult<Option<Self>>;

    /// The bytes of its key, and of its value if it does not take the key back.
    ///
    /// # Errors
    /// Something in it is too long for its field.
    fn to_bytes(&self) -> Result<(Bytes, Option<Bytes>), Box<EncodeError>>;
}

/// One coordinator's state, as a pure machine.
pub trait Machine: Send + Sized + 'static {
    /// What is asked of it: requests with their tickets, timers that went off, what changed in the cluster's metadata.
    type Command: Send;
    /// What is kept in the internal topic.
    type Record: Record;
    /// What changes memory alone.
    type Passing: Send;
    /// What a request is answered.
    type Reply: Send;
    /// What a timer is about. One that is set again replaces the one before.
    type Timer: Clone + fmt::Debug + Hash + Ord + Send;
    /// What happens, for whoever watches.
    type Event: Send;
    /// What somebody says only to be known to live, as it came.
    type Sign<'a>;

    /// Whether a command comes to records of a transaction, and to the same ones with the same answer whichever other
    /// records and ends of transactions have been taken in before. Then whoever drives the machine may have it decide on
    /// many such commands before the records of the first are taken in; on no others.
    fn is_of_transaction(_command: &Self::Command) -> bool {
        false
    }

    /// What a command comes to. Nothing has changed when it returns.
    fn decide(&self, now_ms: i64, command: Self::Command) -> Decision<Self>;

    /// What a sign of life comes to, if it changes nothing but when its sender would be missed: exactly what the command
    /// would come to that asks the same. None where it may come to anything else; then that command has to be decided on.
    ///
    /// `now` is the time by the clock that nobody sets. The machine may keep when it heard of somebody, instead of having a
    /// timer set: then it says so when that timer goes off ([`Self::put_off`]).
    fn heed(&mut self, now: Duration, now_ms: i64, sign: Self::Sign<'_>) -> Option<Heeded<Self>>;

    /// Until when what was heeded puts a timer off that goes off now, by the clock that nobody sets. It is set again, and
    /// nothing is decided, unless that has passed.
    fn put_off(&self, _timer: &Self::Timer) -> Option<Duration> {
        None
    }

    /// The command that a timer becomes when it goes off. It may come although what it was set for is no more.
    fn due(timer: Self::Timer) -> Self::Command;

    /// Takes in a record that was appended, or is replayed, at this offset: of two, the later one has the higher.
    fn evolve(&mut self, offset: i64, origin: Origin, record: Self::Record);

    /// Takes in the end of a transaction, in its place among the records. A machine whose records are part of none
    /// has nothing to do.
    fn end_transaction(&mut self, _offset: i64, _end: TransactionEnd) {}

    /// Takes in what is in memory alone.
    fn pass(&mut self, passing: Self::Passing);

    /// What is to be done when replay has ended: timers start afresh from here.
    fn loaded(&self, now_ms: i64) -> Decision<Self>;
}

/// What a sign of life came to.
pub struct Heeded<M: Machine> {
    /// The answer.
    pub reply: M::Reply,
    /// The timer that is put off, and until when, if the machine does not keep that itself.
    pub timer: Option<(M::Timer, i64)>,
}

/// What a command came to.
pub struct Decision<M: Machine> {
    /// Who the batch of the records comes from.
    pub origin: Origin,
    /// To be appended in this order, all of them or none. Empty where nothing durable changes.
    pub records: Vec<M::Record>,
    /// So many of the first of them may be appended in batches of their own, before the others: it harms nobody where
    /// what comes after some of them never comes, and whoever is not answered asks again, and gets the rest then. For
    /// decisions that are as large as somebody's data.
    pub divisible: usize,
    /// To be taken in after the records.
    pub passing: Vec<M::Passing>,
    /// Answers, to the one who asked and to others who waited.
    pub replies: Vec<(Ticket, M::Reply)>,
    /// Timers, each with the moment when it goes off, or none to take it back.
    pub timers: Vec<(M::Timer, Option<i64>)>,
    /// What has happened once all of it is taken in. Nothing comes of it but numbers.
    pub events: Vec<M::Event>,
}

impl<M: Machine> Default for Decision<M> {
    fn default() -> Self {
        Self {
            origin: Origin::Plain,
            records: Vec::new(),
            divisible: 0,
            passing: Vec::new(),
            replies: Vec::new(),
            timers: Vec::new(),
            events: Vec::new(),
        }
    }
}

impl<M: Machine> Decision<M> {
    /// One answer, and nothing else.
    pub fn reply(ticket: Ticket, reply: M::Reply) -> Self {
        Self { replies: vec![(ticket, reply)], ..Self::default() }
    }
}
