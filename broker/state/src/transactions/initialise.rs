//! A producer comes, or comes back, and gets an id and an epoch that fence those before it.

use strandline_protocol::{ErrorCode, Text};

use super::command::{EndedBy, Initialise, Passing, Reply};
use super::state::{Status, TransactionState, is_exhausted};
use super::{Decision, NO_EPOCH, TransactionRecord, Transactions, step};
use crate::coordinator::Ticket;

/// What a producer gets.
enum Granted {
    /// The next epoch, or with the epochs used up another id; and the epoch that it had, if it said so.
    Raised { last_epoch: i16 },
    /// What it has been given before: the answer did not reach it.
    Same,
}

impl Transactions {
    pub(super) fn initialise(&self, now_ms: i64, ticket: Ticket, request: Initialise) -> Decision {
        let refused = |code| Decision::reply(ticket, Reply::Refused(code));
        let timeout_ms = request.timeout_ms;
        if request.transactional_id.is_empty() {
            return refused(ErrorCode::INVALID_REQUEST);
        }
        if timeout_ms <= 0 || timeout_ms > self.settings.timeout_max_ms {
            return refused(ErrorCode::INVALID_TRANSACTION_TIMEOUT);
        }
        let Some((id, entry)) = self.ids.get_key_value(&request.transactional_id) else {
            return welcome(now_ms, ticket, &request);
        };
        let state = &entry.state;
        if state.status.is_prepared() {
            return refused(ErrorCode::CONCURRENT_TRANSACTIONS);
        }
        if state.status == Status::Ongoing {
            return self.take_over(now_ms, ticket, id, &request);
        }
        let granted = match granted(state, entry.last_epoch, request.expected) {
            Ok(granted) => granted,
            Err(code) => return refused(code),
        };
        let (producer_id, producer_epoch, last_epoch) = match (granted, request.fresh_producer_id) {
            (Granted::Same, _) => (state.producer_id, state.producer_epoch, entry.last_epoch),
            (Granted::Raised { last_epoch }, _) if !is_exhausted(state.producer_epoch) => {
                (state.producer_id, state.producer_epoch.saturating_add(1), last_epoch)
            }
            (Granted::Raised { last_epoch }, Some(fresh)) => (fresh, 0, last_epoch),
            (Granted::Raised { .. }, None) => return Decision::reply(ticket, Reply::NeedsProducerId),
        };
        let mut decision = Decision::reply(ticket, Reply::Producer { producer_id, producer_epoch });
        let next = state.initialised(producer_id, producer_epoch, timeout_ms, now_ms);
        step(&mut decision, now_ms, id, state, next);
        decision.passing.push(Passing::LastEpoch(id.clone(), last_epoch));
        decision
    }

    /// Ends the transaction of the producer before. The new one comes again, and then gets its epoch.
    fn take_over(&self, now_ms: i64, ticket: Ticket, id: &Text, request: &Initialise) -> Decision {
        let Some(state) = self.state(id) else { return Decision::default() };
        let own = (state.producer_id, state.producer_epoch);
        if request.expected.is_some_and(|expected| expected != own) {
            return Decision::reply(ticket, Reply::Refused(ErrorCode::PRODUCER_FENCED));
        }
        match self.abort(now_ms, id, state, request.fresh_producer_id, EndedBy::Successor) {
            Some(mut decision) => {
                let reply = Reply::Refused(ErrorCode::CONCURRENT_TRANSACTIONS);
                decision.replies.push((ticket, reply));
                decision
            }
            None => Decision::reply(ticket, Reply::NeedsProducerId),
        }
    }
}

/// An id that nothing is known of.
fn welcome(now_ms: i64, ticket: Ticket, request: &Initialise) -> Decision {
    let Some(producer_id) = request.fresh_producer_id else {
        return Decision::reply(ticket, Reply::NeedsProducerId);
    };
    let state = TransactionState::new(producer_id, request.timeout_ms, now_ms);
    let mut decision = Decision::reply(ticket, Reply::Producer { producer_id, producer_epoch: 0 });
    let transactional_id = request.transactional_id.detached();
    decision.records.push(TransactionRecord { transactional_id, state: Some(state) });
    decision
}

/// Whether the one who has this may go on, where no transaction is open.
fn granted(
    state: &TransactionState,
    last_epoch: i16,
    expected: Option<(i64, i16)>,
) -> Result<Granted, ErrorCode> {
    let Some((producer_id, epoch)) = expected else {
        return Ok(Granted::Raised { last_epoch: NO_EPOCH });
    };
    let is_same = producer_id == state.producer_id;
    let was_replaced = producer_id == state.previous_producer_id && is_exhausted(epoch);
    if is_same && epoch == state.producer_epoch {
        return Ok(Granted::Raised { last_epoch: epoch });
    }
    // Another producer in between would have had the last epoch forgotten.
    if (is_same || was_replaced) && epoch == last_epoch && epoch != NO_EPOCH {
        return Ok(Granted::Same);
    }
    Err(ErrorCode::PRODUCER_FENCED)
}
