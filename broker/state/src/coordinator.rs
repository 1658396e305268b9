//! What a coordinator's machine promises to whoever drives it: groups, transactions, and what comes after them.
//!
//! A machine is the state of one partition of an internal topic: replayed records, and beside them what is in memory
//! alone and may be lost with the process, such as a member that waits for the others. It never waits: an answer that
//! has to wait keeps its [`Ticket`], and a later decision answers it.
//!
//! Whoever drives a machine appends the records of a decision as one batch, then evolves the machine by them, then
//! applies what is passing, all before the next decision; answers leave when the records, and all that were appended
//! before them, are durable. Where an append fails, the machine is thrown away and replayed.

use std::fmt;

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

/// One coordinator's state, as a pure machine.
pub trait Machine: Default {
    /// What is asked of it: requests with their tickets, timers that went off, what changed in the cluster's metadata.
    type Command;
    /// What is kept in the internal topic, with the batch's [`Origin`] where that matters; the end of a transaction is
    /// a record too.
    type Record;
    /// What changes memory alone.
    type Passing;
    /// What a request is answered.
    type Reply;
    /// What a timer is about. One that is set again replaces the one before.
    type Timer: Clone + fmt::Debug + Ord;

    /// What a command comes to. Nothing has changed when it returns.
    fn decide(&self, now_ms: i64, command: Self::Command) -> Decision<Self>;

    /// Takes in a record that was appended, or is replayed, at this offset.
    fn evolve(&mut self, offset: i64, record: Self::Record);

    /// Takes in what is in memory alone.
    fn pass(&mut self, passing: Self::Passing);

    /// What is to be done when replay has ended: timers start afresh from here.
    fn loaded(&self, now_ms: i64) -> Decision<Self>;
}

/// What a command came to.
pub struct Decision<M: Machine + ?Sized> {
    /// Who the batch of the records comes from.
    pub origin: Origin,
    /// To be appended in this order as one batch, all of them or none. Empty where nothing durable changes.
    pub records: Vec<M::Record>,
    /// To be taken in after the records.
    pub passing: Vec<M::Passing>,
    /// Answers, to the one who asked and to others who waited.
    pub replies: Vec<(Ticket, M::Reply)>,
    /// Timers, each with the moment when it goes off, or none to take it back.
    pub timers: Vec<(M::Timer, Option<i64>)>,
}

impl<M: Machine + ?Sized> Default for Decision<M> {
    fn default() -> Self {
        Self {
            origin: Origin::Plain,
            records: Vec::new(),
            passing: Vec::new(),
            replies: Vec::new(),
            timers: Vec::new(),
        }
    }
}

impl<M: Machine + ?Sized> Decision<M> {
    /// One answer, and nothing else.
    pub fn reply(ticket: Ticket, reply: M::Reply) -> Self {
        Self { replies: vec![(ticket, reply)], ..Self::default() }
    }
}
