//! Those who have waited too long for what is to become durable. They are told so, and what was decided for them goes on:
//! whoever asks again finds it. What was asked and could not even be decided meanwhile is not done at all.

use std::time::Duration;

use strandline_protocol::ErrorCode;
use strandline_state::coordinator::{Machine, Ticket};
use tokio::sync::mpsc;

use super::serving::Serving;
use super::shard::{INBOX_MAX, Work};

/// How long those wait who ask one shard.
#[derive(Debug, Default)]
pub(super) struct Patience {
    /// The longest that one waits for an append.
    wait_max: Duration,
    /// Since when nothing is taken from the inbox, for nothing can be decided.
    held_since: Option<Duration>,
    /// Those whose decision is made, and not on its way yet, or not the last part of it; and since when.
    of_parts: Option<(Duration, Vec<Ticket>)>,
    /// Whether somebody has waited too long since the last append.
    is_exhausted: bool,
}

impl Patience {
    pub(super) fn of(wait_max: Duration) -> Self {
        Self { wait_max, ..Self::default() }
    }

    /// From now on nothing is taken from the inbox.
    pub(super) fn hold(&mut self, now: Duration) {
        self.held_since.get_or_insert(now);
    }

    /// From now on it is again.
    pub(super) fn go_on(&mut self) {
        self.held_since = None;
    }

    /// These wait for what is not on its way yet.
    pub(super) fn begin_parts(&mut self, now: Duration, tickets: Vec<Ticket>) {
        if !tickets.is_empty() {
            let since = self.of_parts.take().map_or(now, |(since, _)| since);
            self.of_parts = Some((since, tickets));
        }
    }

    /// The last one is on its way, or never will be.
    pub(super) fn end_parts(&mut self) {
        self.of_parts = None;
    }

    /// Something was appended.
    pub(super) fn moves_on(&mut self) {
        self.is_exhausted = false;
    }
}

impl<M: Machine> Work<M> {
    /// When it was asked, if somebody waits for the answer for so long only.
    fn asked_at(&self) -> Option<Duration> {
        match self {
            Self::Ask { at, .. } => Some(*at),
            Self::Tell(_) | Self::End { .. } => None,
        }
    }
}

impl<M: Machine> Serving<M> {
    /// When the next one will have waited too long.
    pub(super) fn overdue_at(&self) -> Option<Duration> {
        let patience = &self.patience;
        let of_parts = patience.of_parts.as_ref().map(|(since, _)| *since);
        let asked = self.taken.iter().find_map(Work::asked_at);
        let since = [self.appends.waiting_since(), patience.held_since, of_parts, asked];
        since.into_iter().flatten().min().map(|since| since.saturating_add(patience.wait_max))
    }

    /// Tells those who have waited too long by now, those in the inbox included.
    pub(super) fn refuse_overdue(&mut self, now: Duration, inbox: &mut mpsc::Receiver<Work<M>>) {
        let Some(since) = now.checked_sub(self.patience.wait_max) else { return };
        let mut overdue = self.appends.take_waiting(since);
        if let Some((_, tickets)) = self.patience.of_parts.take_if(|(waiting, _)| *waiting <= since) {
            overdue.extend(tickets);
        }
        let mut refused = overdue.len();
        for ticket in overdue {
            self.waiting.answer(ticket, Err(ErrorCode::COORDINATOR_NOT_AVAILABLE));
        }
        if self.patience.held_since.is_some_and(|held| held <= since) {
            self.patience.held_since = Some(now);
            let arrived = std::iter::from_fn(|| inbox.try_recv().ok());
            self.taken.extend(arrived.take(INBOX_MAX));
        }
        for work in std::mem::take(&mut self.taken) {
            match work {
                Work::Ask { to, at, .. } if at <= since => {
                    let _ = to.send(Err(ErrorCode::COORDINATOR_NOT_AVAILABLE));
                    refused += 1;
                }
                work => self.taken.push_back(work),
            }
        }
        if refused > 0 && !std::mem::replace(&mut self.patience.is_exhausted, true) {
            tracing::warn!(refused, "a coordinator's log takes too long, and who waits for it is refused");
        }
    }
}
