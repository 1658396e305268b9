//! The end of a transaction: by its producer, or for it.
//!
//! Under version 2 of transactions a producer may end what it does not know to be open, since it may have lost an
//! answer; and each end raises its epoch, so that the epoch of a request says whether it is the last one repeated.

use strandline_protocol::{ErrorCode, Text};

use super::command::{EndedBy, Event, Passing, Reply};
use super::state::{Producer, Status, TransactionState, is_exhausted};
use super::work::give_out_one;
use super::{Decision, NO_PRODUCER_ID, Transactions, step};
use crate::coordinator::Ticket;

/// What the producer wants.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    pub(super) is_commit: bool,
    pub(super) version: i16,
    pub(super) fresh_producer_id: Option<i64>,
}

/// What is to become of a request that is no mistake.
enum Step {
    /// The transaction ends.
    End,
    /// It has ended so before.
    Repeated,
}

/// The version by which the coordinator itself ends transactions.
const OWN_VERSION: i16 = 2;

impl Transactions {
    pub(super) fn end(&self, now_ms: i64, ticket: Ticket, producer: &Producer, wanted: Wanted) -> Decision {
        let refused = |code| Decision::reply(ticket, Reply::Refused(code));
        if producer.transactional_id.is_empty() {
            return refused(ErrorCode::INVALID_REQUEST);
        }
        let Some((id, entry)) = self.ids.get_key_value(&producer.transactional_id) else {
            return refused(ErrorCode::INVALID_PRODUCER_ID_MAPPING);
        };
        let (state, raises) = (&entry.state, wanted.version >= OWN_VERSION);
        let step = if raises { raising(state, producer, wanted) } else { plain(state, producer, wanted) };
        match step {
            Err(code) => refused(code),
            Ok(Step::Repeated) => Decision::reply(ticket, answer(state, raises)),
            Ok(Step::End)
                if raises && is_exhausted(state.producer_epoch) && wanted.fresh_producer_id.is_none() =>
            {
                Decision::reply(ticket, Reply::NeedsProducerId)
            }
            Ok(Step::End) => {
                let mut decision = self.prepare(now_ms, id, state, wanted, EndedBy::Producer);
                let Some(next) = decision.records.last().and_then(|record| record.state.as_ref()) else {
                    return decision;
                };
                // What it is when the markers are there: the producer goes on with that.
                let reply = answer(
                    &if next.status.is_prepared() { next.completed(now_ms) } else { next.clone() },
                    raises,
                );
                decision.replies.insert(0, (ticket, reply));
                decision
            }
        }
    }

    /// Ends a transaction for its producer, or as far as it takes one for an id that nobody has; none if it does.
    pub(super) fn abort(
        &self,
        now_ms: i64,
        id: &Text,
        state: &TransactionState,
        fresh_producer_id: Option<i64>,
        by: EndedBy,
    ) -> Option<Decision> {
        let wanted = Wanted { is_commit: false, version: OWN_VERSION, fresh_producer_id };
        let is_possible = !is_exhausted(state.producer_epoch) || fresh_producer_id.is_some();
        is_possible.then(|| self.prepare(now_ms, id, state, wanted, by))
    }

    /// Decides that a transaction ends, and gives its markers out if somebody waits for work.
    fn prepare(
        &self,
        now_ms: i64,
        id: &Text,
        state: &TransactionState,
        wanted: Wanted,
        by: EndedBy,
    ) -> Decision {
        let mut decision = Decision::default();
        if state.status == Status::Ongoing {
            decision.events.push(Event::Ended {
                is_commit: wanted.is_commit,
                by,
                transactional_id: id.clone(),
                timeout_ms: state.timeout_ms,
            });
        }
        let raises = wanted.version >= OWN_VERSION;
        let fresh = wanted.fresh_producer_id.filter(|_| raises && is_exhausted(state.producer_epoch));
        let next = state.prepared(wanted.is_commit, wanted.version, fresh.unwrap_or(NO_PRODUCER_ID), now_ms);
        step(&mut decision, now_ms, id, state, next.clone());
        if raises {
            decision.passing.push(Passing::LastEpoch(id.clone(), state.producer_epoch));
        }
        if next.partitions.is_empty() {
            // Nobody has to be told.
            step(&mut decision, now_ms, id, &next, next.completed(now_ms));
        } else if let Some(worker) = self.outbox.waiting {
            give_out_one(&mut decision, worker, id, &next);
        }
        decision
    }
}

/// What a producer is told that goes on from here. Before version 2 it keeps what it has.
fn answer(state: &TransactionState, raises: bool) -> Reply {
    if raises {
        Reply::Producer { producer_id: state.producer_id, producer_epoch: state.producer_epoch }
    } else {
        Reply::Done
    }
}

/// Whether the state is the end that is wanted.
fn is_ended_so(status: Status, is_commit: bool) -> bool {
    status == if is_commit { Status::CompleteCommit } else { Status::CompleteAbort }
}

/// Before version 2.
fn plain(state: &TransactionState, producer: &Producer, wanted: Wanted) -> Result<Step, ErrorCode> {
    if state.producer_id != producer.producer_id {
        Err(ErrorCode::INVALID_PRODUCER_ID_MAPPING)
    } else if state.producer_epoch != producer.producer_epoch {
        Err(ErrorCode::PRODUCER_FENCED)
    } else if state.status.is_prepared() {
        Err(ErrorCode::CONCURRENT_TRANSACTIONS)
    } else if state.status == Status::Ongoing {
        Ok(Step::End)
    } else if is_ended_so(state.status, wanted.is_commit) {
        Ok(Step::Repeated)
    } else {
        Err(ErrorCode::INVALID_TXN_STATE)
    }
}

/// From version 2 on.
fn raising(state: &TransactionState, producer: &Producer, wanted: Wanted) -> Result<Step, ErrorCode> {
    // Before anything else: the producer may know already what it is once the markers are there.
    if state.status.is_prepared() {
        return Err(ErrorCode::CONCURRENT_TRANSACTIONS);
    }
    let epoch = producer.producer_epoch;
    let is_current = state.producer_epoch == epoch;
    let was_raised = epoch.checked_add(1) == Some(state.producer_epoch);
    let was_replaced = state.previous_producer_id == producer.producer_id
        && epoch == i16::MAX - 1
        && state.producer_epoch == 0;
    if state.producer_id != producer.producer_id && !was_replaced {
        return Err(ErrorCode::INVALID_PRODUCER_ID_MAPPING);
    }
    let is_repeated = was_raised || was_replaced;
    match state.status {
        Status::Ongoing | Status::Empty if !is_current => Err(ErrorCode::PRODUCER_FENCED),
        _ if !is_current && !is_repeated => Err(ErrorCode::PRODUCER_FENCED),
        Status::Ongoing => Ok(Step::End),
        status if is_repeated && is_ended_so(status, wanted.is_commit) => Ok(Step::Repeated),
        // What is not open can be aborted all the same.
        _ if !is_repeated && !wanted.is_commit => Ok(Step::End),
        _ => Err(ErrorCode::INVALID_TXN_STATE),
    }
}
