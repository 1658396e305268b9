//! What operators ask.

use strandline_protocol::ErrorCode;

use super::command::{Filter, Reply, Tally};
use super::state::TransactionState;
use super::{Decision, Transactions};
use crate::coordinator::Ticket;

impl Transactions {
    pub(super) fn describe(&self, ticket: Ticket, transactional_id: &str) -> Decision {
        let reply = match self.ids.get(transactional_id) {
            _ if transactional_id.is_empty() => Reply::Refused(ErrorCode::INVALID_REQUEST),
            None => Reply::Refused(ErrorCode::TRANSACTIONAL_ID_NOT_FOUND),
            Some(entry) => {
                let mut state = entry.state.clone();
                if state.status.is_prepared() {
                    state.partitions = entry.unmarked.clone();
                }
                Reply::Described(Box::new(state))
            }
        };
        Decision::reply(ticket, reply)
    }

    pub(super) fn tally(&self, ticket: Ticket) -> Decision {
        let mut tally = Tally::default();
        for (_, state) in self.states() {
            *tally.by_status.entry(state.status).or_default() += 1;
            if !state.status.is_at_rest() {
                let oldest_ms = tally.oldest_started_ms.unwrap_or(i64::MAX).min(state.started_ms);
                tally.oldest_started_ms = Some(oldest_ms);
            }
        }
        Decision::reply(ticket, Reply::Tallied(tally))
    }

    pub(super) fn list(&self, now_ms: i64, ticket: Ticket, filter: &Filter) -> Decision {
        let listed = self.states().filter(|(_, state)| filter.lets_by(now_ms, state));
        let listed = listed.map(|(id, state)| (id.clone(), state.producer_id, state.status)).collect();
        Decision::reply(ticket, Reply::Listed(listed))
    }
}

impl Filter {
    fn lets_by(&self, now_ms: i64, state: &TransactionState) -> bool {
        let is_long = |than_ms| now_ms.saturating_sub(state.started_ms) > than_ms;
        self.statuses.as_ref().is_none_or(|statuses| statuses.contains(&state.status))
            && (self.producer_ids.is_empty() || self.producer_ids.contains(&state.producer_id))
            && self.longer_than_ms.is_none_or(is_long)
    }
}
