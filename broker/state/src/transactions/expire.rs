//! What happens because nothing happened: transactions that were left open, and ids that nobody uses.

use super::command::{EndedBy, Event, Overdue, Passing, Timer, Work};
use super::state::Status;
use super::work::give;
use super::{Decision, RETRY_MS, TransactionRecord, Transactions};

/// So many ids are forgotten at once.
const SWEPT_MAX: usize = 1_000;

impl Transactions {
    /// Aborts a transaction that is still the one that the timer was set for.
    pub(super) fn abort_overdue(
        &self,
        now_ms: i64,
        overdue: &Overdue,
        fresh_producer_id: Option<i64>,
    ) -> Decision {
        let Some((id, entry)) = self.ids.get_key_value(&overdue.transactional_id) else {
            return Decision::default();
        };
        let state = &entry.state;
        let is_same =
            (state.producer_epoch, state.started_ms) == (overdue.producer_epoch, overdue.started_ms);
        if state.status != Status::Ongoing || !is_same {
            return Decision::default();
        }
        if let Some(decision) = self.abort(now_ms, id, state, fresh_producer_id, EndedBy::Timeout) {
            return decision;
        }
        let mut decision = Decision::default();
        // If whoever finds the id does not come back.
        let again = Timer::Overdue(overdue.clone());
        decision.timers.push((again, Some(now_ms.saturating_add(RETRY_MS.saturating_mul(10)))));
        match self.outbox.waiting {
            Some(worker) => give(&mut decision, worker, vec![Work::ProducerId(overdue.clone())]),
            None => decision.passing.push(Passing::WantsId(overdue.clone())),
        }
        decision
    }

    /// Forgets ids that nothing happened with for long.
    pub(super) fn sweep(&self, now_ms: i64) -> Decision {
        let mut decision = Decision::default();
        let oldest_ms = now_ms.saturating_sub(self.settings.id_expiration_ms);
        let expired = self
            .ids
            .iter()
            .filter(|(_, entry)| entry.state.status.is_at_rest() && entry.state.updated_ms <= oldest_ms);
        for (id, _) in expired.take(SWEPT_MAX) {
            decision.records.push(TransactionRecord { transactional_id: id.clone(), state: None });
            decision.events.push(Event::Forgotten(id.clone()));
        }
        let is_full = decision.records.len() == SWEPT_MAX;
        let wait_ms = if is_full { 0 } else { self.settings.sweep_interval_ms };
        decision.timers.push((Timer::Sweep, Some(now_ms.saturating_add(wait_ms))));
        decision
    }
}
