//! A shard's machine while it serves: what it decides is taken in here, and its timers are waited for.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use strandline_protocol::ErrorCode;
use strandline_state::coordinator::{Decision, Machine, Ticket};
use tokio::time::{Instant, Sleep};

use super::Watch;
use super::answers::Waiting;
use super::appends::Appends;
use super::shard::Work;
use super::timers::Timers;

/// A machine that serves, and all that goes with it when it is thrown away.
pub(super) struct Serving<M: Machine> {
    pub(super) machine: M,
    pub(super) watch: Watch<M>,
    /// The offset that the next record gets, if nobody else appends.
    pub(super) next_offset: i64,
    pub(super) timers: Timers<M::Timer>,
    pub(super) waiting: Waiting<M::Reply>,
    pub(super) appends: Appends<M>,
    pub(super) taken: Vec<Work<M>>,
    pub(super) sleep: Pin<Box<Sleep>>,
    pub(super) sleeps_until: Option<Duration>,
}

impl<M: Machine> Serving<M> {
    /// Has the machine take a decision in whose records begin at this offset.
    pub(super) fn take_in(&mut self, offset: i64, now: Duration, now_ms: i64, decision: Decision<M>) {
        let Decision { origin, records, passing, replies, timers, events, .. } = decision;
        self.next_offset = self.next_offset.max(offset);
        for record in records {
            self.machine.evolve(self.next_offset, origin, record);
            self.next_offset += 1;
        }
        passing.into_iter().for_each(|passing| self.machine.pass(passing));
        events.iter().for_each(|event| (self.watch)(event));
        for (timer, due_ms) in timers {
            match due_ms {
                Some(due_ms) => {
                    let after_ms = u64::try_from(due_ms.saturating_sub(now_ms)).unwrap_or(0);
                    self.timers.set(timer, now.saturating_add(Duration::from_millis(after_ms)));
                }
                None => self.timers.cancel(&timer),
            }
        }
        for (ticket, reply) in self.appends.park(replies) {
            self.waiting.answer(ticket, Ok(reply));
        }
    }

    pub(super) fn appended(&mut self, next_offset: i64, replies: Vec<(Ticket, M::Reply)>) {
        // Somebody else may append here too: Kafka's tools may.
        self.next_offset = self.next_offset.max(next_offset);
        for (ticket, reply) in replies {
            self.waiting.answer(ticket, Ok(reply));
        }
    }

    /// A decision does not happen: those whom it would have answered are told.
    pub(super) fn refuse(&mut self, decision: &Decision<M>, code: ErrorCode) {
        for (ticket, _) in &decision.replies {
            self.waiting.answer(*ticket, Err(code));
        }
    }

    pub(super) fn poll_due(&mut self, context: &mut Context<'_>, now: Duration) -> Poll<()> {
        let Some(next) = self.timers.next() else { return Poll::Pending };
        if next <= now {
            return Poll::Ready(());
        }
        if self.sleeps_until != Some(next) {
            self.sleeps_until = Some(next);
            self.sleep.as_mut().reset(Instant::now() + next.saturating_sub(now));
        }
        let poll = self.sleep.as_mut().poll(context);
        if poll.is_ready() {
            // The two clocks may differ a little: then there is another look.
            self.sleeps_until = None;
        }
        poll
    }
}
