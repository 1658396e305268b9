//! What is done elsewhere: markers, and ids to be found. It is given out once, and again if it did not work out.

use std::collections::BTreeSet;

use strandline_protocol::Text;

use super::add::add_to;
use super::command::{Event, Markers, Passing, Reply, Timer, Work, Written};
use super::partitions::Partitions;
use super::state::{Status, TransactionState};
use super::{Decision, Entry, Outbox, RETRY_MAX_MS, RETRY_MS, Transactions, step};
use crate::coordinator::Ticket;

/// So many pieces are given out at once.
const GIVEN_OUT_MAX: usize = 256;

impl Transactions {
    /// Takes in what was written, completes what has all of its markers, and gives out what there is.
    pub(super) fn work(&self, now_ms: i64, ticket: Ticket, written: Vec<Written>) -> Decision {
        let mut decision = Decision::default();
        let mut done = BTreeSet::new();
        for written in written {
            let Some((id, entry)) = self.ids.get_key_value(&written.transactional_id) else { continue };
            let Entry { state, unmarked, .. } = entry;
            let is_same =
                (state.producer_id, state.producer_epoch) == (written.producer_id, written.producer_epoch);
            if !state.status.is_prepared() || !is_same || !done.insert(id) {
                continue;
            }
            if unmarked.without(&written.partitions).is_empty() {
                complete(&mut decision, now_ms, id, entry);
            } else {
                decision.passing.push(Passing::Written(id.clone(), written.partitions));
                if written.is_fenced {
                    decision.passing.push(Passing::Fenced(id.clone()));
                    continue;
                }
                decision.passing.push(Passing::Failed(id.clone()));
                let again_ms = now_ms.saturating_add(wait_ms(entry.failures));
                decision.timers.push((Timer::Again(id.clone()), Some(again_ms)));
            }
        }
        if let Some(before) = self.outbox.waiting.filter(|before| *before != ticket) {
            decision.replies.push((before, Reply::Work(Vec::new())));
        }
        let due = self.outbox.given.iter().chain(&self.outbox.due).filter(|id| !done.contains(id));
        self.give_out(&mut decision, ticket, due);
        decision
    }

    /// Tries again what did not work out for an id.
    pub(super) fn again(&self, id: &Text) -> Decision {
        let mut decision = Decision::default();
        decision.passing.push(Passing::Again(id.clone()));
        if let Some(worker) = self.outbox.waiting {
            self.give_out(&mut decision, worker, self.outbox.failed.get(id).into_iter());
        }
        decision
    }

    /// Gives the worker something to do, or lets it wait.
    fn give_out<'a>(&self, decision: &mut Decision, worker: Ticket, due: impl Iterator<Item = &'a Text>) {
        let markers = due
            .filter_map(|id| self.ids.get_key_value(id))
            .map(|(id, entry)| Work::Markers(markers(id, &entry.state, entry.unmarked.clone())));
        let ids = self.outbox.wants_id.iter().map(|overdue| Work::ProducerId(overdue.clone()));
        let given: Vec<Work> = ids.chain(markers).take(GIVEN_OUT_MAX).collect();
        if given.is_empty() {
            return decision.passing.push(Passing::Waits(worker));
        }
        give(decision, worker, given);
    }
}

impl Outbox {
    pub(super) fn give_out(&mut self, given: &[Work]) {
        self.waiting = None;
        // What the limit left over of what was given out before is not to be lost.
        self.due.append(&mut self.given);
        for work in given {
            match work {
                Work::Markers(Markers { transactional_id, .. }) => {
                    self.forget(transactional_id);
                    self.given.insert(transactional_id.clone());
                }
                Work::ProducerId(overdue) => drop(self.wants_id.remove(overdue)),
            }
        }
    }

    /// Nothing is to be done for this id, as far as was known.
    pub(super) fn forget(&mut self, transactional_id: &Text) {
        for ids in [&mut self.due, &mut self.given, &mut self.failed] {
            ids.remove(transactional_id);
        }
    }
}

/// How long it waits after having failed so often before.
fn wait_ms(failures: u32) -> i64 {
    RETRY_MS.saturating_mul(1_i64.checked_shl(failures.min(16)).unwrap_or(i64::MAX)).min(RETRY_MAX_MS)
}

/// Every partition has its marker: the transaction is over, and whoever waited for that gets on.
fn complete(decision: &mut Decision, now_ms: i64, id: &Text, entry: &Entry) {
    let mut state = entry.state.completed(now_ms);
    decision.events.push(Event::Completed);
    step(decision, now_ms, id, &entry.state, state.clone());
    for parked in &entry.parked {
        state = add_to(decision, now_ms, id, state, parked);
    }
}

/// Gives the markers of a transaction out that was just prepared.
pub(super) fn give_out_one(decision: &mut Decision, worker: Ticket, id: &Text, state: &TransactionState) {
    give(decision, worker, vec![Work::Markers(markers(id, state, state.partitions.clone()))]);
}

/// Gives the worker something to do.
pub(super) fn give(decision: &mut Decision, worker: Ticket, given: Vec<Work>) {
    decision.passing.push(Passing::GivenOut(given.clone()));
    decision.replies.push((worker, Reply::Work(given)));
}

fn markers(id: &Text, state: &TransactionState, partitions: Partitions) -> Markers {
    Markers {
        transactional_id: id.clone(),
        producer_id: state.producer_id,
        producer_epoch: state.producer_epoch,
        is_commit: state.status == Status::PrepareCommit,
        version: state.version,
        partitions,
    }
}
