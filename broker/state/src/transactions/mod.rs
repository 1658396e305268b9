//! Transactions: one partition of `__transaction_state` as a machine, which decides for each transactional id who its
//! producer is, which partitions its transaction has touched, and how it ends.
//!
//! A transaction ends in three steps. Its end is decided by one record ([`Status::PrepareCommit`] or
//! [`Status::PrepareAbort`]) that nothing takes back: whoever is killed afterwards goes on from there. Then each
//! partition gets a marker. That is work done elsewhere ([`Work`]), given out to one worker that asks for it
//! ([`Request::Work`]), never before the decision is durable. When every partition has its marker, a last record says so.
//! Markers that were written and not noted are written again, which changes nothing.
//!
//! Who ends a transaction for its producer, by its timeout or for another producer of the same id, raises the epoch as
//! version 2 of transactions does, whatever version the producer speaks: what it sends later is refused.
//!
//! The rules and the records are Apache Kafka's. It differs where Kafka's own would let one producer disturb another:
//! a request for an id and an epoch aborts an open transaction only if it comes from that transaction's producer, or
//! from one that says nothing of what it has. Nothing here knows of connections and rights, nor whether a partition
//! exists.

mod add;
mod command;
mod describe;
mod end;
mod expire;
mod initialise;
mod partitions;
mod record;
mod state;
mod work;

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use strandline_protocol::{ErrorCode, Text};

pub use self::command::{
    Command, EndedBy, Event, Filter, Initialise, Markers, Overdue, Parked, Passing, Reply, Request, Tally,
    Timer, Work, Written,
};
pub use self::partitions::Partitions;
pub use self::record::TransactionRecord;
pub use self::state::{Producer, Status, TransactionState};

use crate::coordinator::{self, Heeded, Machine, Origin, Ticket};
use crate::settings::BrokerSettings;

/// What a command comes to.
pub type Decision = coordinator::Decision<Transactions>;

/// No producer.
pub(super) const NO_PRODUCER_ID: i64 = -1;

/// No epoch.
const NO_EPOCH: i16 = -1;

/// No moment.
pub(super) const NO_TIME: i64 = -1;

/// What could not be done is tried again after so long, then after twice as long, and so on.
const RETRY_MS: i64 = 100;

/// The longest that it waits.
const RETRY_MAX_MS: i64 = 5_000;

/// What is in force for transactions.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TransactionSettings {
    /// The longest timeout that a producer may want.
    pub timeout_max_ms: i32,
    /// An id that nothing happens with for so long is forgotten.
    pub id_expiration_ms: i64,
    /// How often it is looked for those.
    pub sweep_interval_ms: i64,
}

impl TransactionSettings {
    /// What a broker's settings say about transactions.
    pub fn of(broker: &BrokerSettings) -> Self {
        Self {
            timeout_max_ms: broker.transaction_max_timeout_ms,
            id_expiration_ms: broker.transactional_id_expiration_ms.into(),
            sweep_interval_ms: broker.transaction_remove_expired_interval_ms.into(),
        }
    }
}

/// The transactional ids of one partition of the internal topic.
#[derive(Debug)]
pub struct Transactions {
    ids: BTreeMap<Text, Entry>,
    outbox: Outbox,
    settings: Arc<TransactionSettings>,
}

/// What is known of one id.
#[derive(Debug)]
struct Entry {
    state: TransactionState,
    /// In memory alone, as in Kafka: the epoch before this one, or -1 where another producer may have had it.
    last_epoch: i16,
    /// In memory alone: the partitions of a prepared transaction without a marker.
    unmarked: Partitions,
    /// In memory alone: how often markers of this transaction could not be written.
    failures: u32,
    /// In memory alone: who waits until the markers are written.
    parked: Vec<Parked>,
}

/// What is to be done elsewhere. In memory alone: it follows from what the ids are.
#[derive(Debug, Default)]
struct Outbox {
    /// Prepared transactions that nobody works on.
    due: BTreeSet<Text>,
    /// Those that the worker has. What it does not speak of when it comes again is due again.
    given: BTreeSet<Text>,
    /// Those that did not work out, until the timer.
    failed: BTreeSet<Text>,
    /// Transactions to be aborted as soon as there is an id for what comes after.
    wants_id: BTreeSet<Overdue>,
    /// The worker, if it waits.
    waiting: Option<Ticket>,
}

impl Transactions {
    /// No ids yet.
    pub fn new(settings: Arc<TransactionSettings>) -> Self {
        Self { ids: BTreeMap::new(), outbox: Outbox::default(), settings }
    }

    /// Where an id stands, by the records.
    pub fn state(&self, transactional_id: &str) -> Option<&TransactionState> {
        self.ids.get(transactional_id).map(|entry| &entry.state)
    }

    /// All ids, with where they stand by the records.
    pub fn states(&self) -> impl Iterator<Item = (&Text, &TransactionState)> {
        self.ids.iter().map(|(id, entry)| (id, &entry.state))
    }

    fn ask(&self, now_ms: i64, ticket: Ticket, request: Request) -> Decision {
        match request {
            Request::Initialise(request) => self.initialise(now_ms, ticket, request),
            Request::Add { producer, partitions, version, waits } => {
                self.add(now_ms, Parked { ticket, producer, partitions, version }, waits)
            }
            Request::Verify { producer, partitions } => self.verify(ticket, &producer, &partitions),
            Request::End { producer, is_commit, version, fresh_producer_id } => {
                self.end(now_ms, ticket, &producer, end::Wanted { is_commit, version, fresh_producer_id })
            }
            Request::Describe(transactional_id) => self.describe(ticket, &transactional_id),
            Request::List(filter) => self.list(now_ms, ticket, &filter),
            Request::Tally => self.tally(ticket),
            Request::Work(written) => self.work(now_ms, ticket, written),
            Request::Abort { overdue, fresh_producer_id } => {
                let mut decision = self.abort_overdue(now_ms, &overdue, Some(fresh_producer_id));
                decision.replies.push((ticket, Reply::Done));
                decision
            }
        }
    }
}

impl Machine for Transactions {
    type Command = Command;
    type Record = TransactionRecord;
    type Passing = Passing;
    type Reply = Reply;
    type Timer = Timer;
    type Event = Event;
    /// Nobody is missed here.
    type Sign<'a> = Infallible;

    fn heed(&mut self, _: Duration, _: i64, sign: Infallible) -> Option<Heeded<Self>> {
        match sign {}
    }

    fn decide(&self, now_ms: i64, command: Command) -> Decision {
        let mut decision = match command {
            Command::Ask(ticket, request) => self.ask(now_ms, ticket, request),
            Command::Due(Timer::Overdue(overdue)) => self.abort_overdue(now_ms, &overdue, None),
            Command::Due(Timer::Sweep) => self.sweep(now_ms),
            Command::Due(Timer::Again(id)) => self.again(&id),
        };
        let is_fenced = |reply: &Reply| *reply == Reply::Refused(ErrorCode::PRODUCER_FENCED);
        let fenced = decision.replies.iter().filter(|(_, reply)| is_fenced(reply)).count();
        decision.events.extend(std::iter::repeat_n(Event::Fenced, fenced));
        decision
    }

    fn due(timer: Timer) -> Command {
        Command::Due(timer)
    }

    fn evolve(&mut self, _: i64, _: Origin, record: TransactionRecord) {
        let TransactionRecord { transactional_id, state } = record;
        self.outbox.forget(&transactional_id);
        let Some(state) = state else {
            self.ids.remove(&transactional_id);
            return;
        };
        let unmarked = if state.status.is_prepared() { state.partitions.clone() } else { Partitions::new() };
        if state.status.is_prepared() {
            self.outbox.due.insert(transactional_id.clone());
        }
        match self.ids.get_mut(&transactional_id) {
            Some(entry) => {
                entry.state = state;
                entry.unmarked = unmarked;
                entry.failures = 0;
                if !entry.state.status.is_prepared() {
                    entry.parked.clear();
                }
            }
            None => {
                let entry = Entry { state, last_epoch: NO_EPOCH, unmarked, failures: 0, parked: Vec::new() };
                self.ids.insert(transactional_id, entry);
            }
        }
    }

    fn pass(&mut self, passing: Passing) {
        let outbox = &mut self.outbox;
        match passing {
            Passing::LastEpoch(id, epoch) => {
                self.ids.entry(id).and_modify(|entry| entry.last_epoch = epoch);
            }
            Passing::Written(id, partitions) => {
                self.ids.entry(id).and_modify(|entry| entry.unmarked = entry.unmarked.without(&partitions));
            }
            Passing::Parked(id, parked) => {
                self.ids.entry(id).and_modify(|entry| entry.parked.push(parked));
            }
            Passing::Failed(id) => {
                outbox.forget(&id);
                if let Some(entry) = self.ids.get_mut(&id) {
                    entry.failures = entry.failures.saturating_add(1);
                    outbox.failed.insert(id);
                }
            }
            Passing::Fenced(id) => outbox.forget(&id),
            Passing::WantsId(overdue) => drop(outbox.wants_id.insert(overdue)),
            Passing::Again(id) => outbox.due.extend(outbox.failed.take(&id)),
            Passing::GivenOut(given) => outbox.give_out(&given),
            Passing::Waits(ticket) => {
                outbox.given.clear();
                outbox.waiting = Some(ticket);
            }
        }
    }

    fn loaded(&self, now_ms: i64) -> Decision {
        let mut decision = Decision::default();
        decision.timers.push((Timer::Sweep, Some(now_ms.saturating_add(self.settings.sweep_interval_ms))));
        for (id, entry) in &self.ids {
            if entry.state.status == Status::Ongoing {
                // Whatever the clock was and is: no transaction gets more time than its timeout once more.
                let timeout_ms = i64::from(entry.state.timeout_ms.max(0));
                let over_ms = entry.state.started_ms.saturating_add(timeout_ms).saturating_sub(now_ms);
                let moment = now_ms.saturating_add(over_ms.clamp(0, timeout_ms));
                decision.timers.push((overdue_timer(id, &entry.state), Some(moment)));
            }
        }
        decision
    }
}

/// The timer of an open transaction.
fn overdue_timer(transactional_id: &Text, state: &TransactionState) -> Timer {
    Timer::Overdue(Overdue {
        transactional_id: transactional_id.clone(),
        producer_epoch: state.producer_epoch,
        started_ms: state.started_ms,
    })
}

/// Notes in a decision what an id is next, and what that means for the timer of its transaction.
fn step(
    decision: &mut Decision,
    now_ms: i64,
    transactional_id: &Text,
    before: &TransactionState,
    next: TransactionState,
) {
    let (was_open, is_open) = (before.status == Status::Ongoing, next.status == Status::Ongoing);
    if was_open && !is_open {
        decision.timers.push((overdue_timer(transactional_id, before), None));
    }
    if is_open && !was_open {
        let moment = now_ms.saturating_add(next.timeout_ms.into());
        decision.timers.push((overdue_timer(transactional_id, &next), Some(moment)));
        decision.events.push(Event::Begun);
    }
    decision
        .records
        .push(TransactionRecord { transactional_id: transactional_id.clone(), state: Some(next) });
}

#[cfg(test)]
mod tests;
