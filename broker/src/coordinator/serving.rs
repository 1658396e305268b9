//! A shard's machine while it serves: what it decides is taken in here, and its timers are waited for.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use strandline_log::engine::Refusal;
use strandline_protocol::ErrorCode;
use strandline_state::coordinator::{Decision, Machine, Ticket};
use tokio::time::{Instant, Sleep};

use super::Watch;
use super::answers::Waiting;
use super::appends::{Appended, Appends, Content};
use super::codes::{Fault, code_of, is_final};
use super::overdue::Patience;
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
    /// What was asked and is not begun with.
    pub(super) taken: VecDeque<Work<M>>,
    pub(super) patience: Patience,
    pub(super) sleep: Pin<Box<Sleep>>,
    pub(super) sleeps_until: Option<Duration>,
}

impl<M: Machine> Serving<M> {
    /// Whether this is to be decided when all is in that is on its way: nothing is decided on what does not know of a
    /// transaction that is there, but for others of those.
    pub(super) fn is_to_settle(&self, command: &M::Command) -> bool {
        self.appends.is_to_come() && !M::is_of_transaction(command)
    }

    /// What is to be begun with next, if anything can be; nothing in its place, if all is to be settled before.
    pub(super) fn next_taken(&mut self) -> Option<Option<Work<M>>> {
        if self.appends.is_held_up() {
            return None;
        }
        match self.taken.front()? {
            Work::Ask { command, .. } | Work::Tell(command) if self.is_to_settle(command) => Some(None),
            _ => self.taken.pop_front().map(Some),
        }
    }

    /// Has the machine take a decision in whose records are behind everything that was appended. Its answers wait until
    /// they are durable.
    pub(super) fn take_in(&mut self, now: Duration, now_ms: i64, decision: Decision<M>) {
        let replies = self.evolve(now, now_ms, decision);
        for (ticket, reply) in self.appends.park(now, replies) {
            self.waiting.answer(ticket, Ok(reply));
        }
    }

    /// The same without the answers, which come back.
    fn evolve(&mut self, now: Duration, now_ms: i64, decision: Decision<M>) -> Vec<(Ticket, M::Reply)> {
        let Decision { origin, records, passing, replies, timers, events, .. } = decision;
        for record in records {
            self.machine.evolve(self.next_offset, origin, record);
            self.next_offset += 1;
        }
        passing.into_iter().for_each(|passing| self.machine.pass(passing));
        events.iter().for_each(|event| (self.watch)(event));
        for (timer, due_ms) in timers {
            match due_ms {
                Some(due_ms) => self.set_timer(timer, now, due_ms.saturating_sub(now_ms)),
                None => self.timers.cancel(&timer),
            }
        }
        replies
    }

    /// Has a timer go off so long after now.
    pub(super) fn set_timer(&mut self, timer: M::Timer, now: Duration, after_ms: i64) {
        let after = Duration::from_millis(u64::try_from(after_ms).unwrap_or(0));
        self.timers.set(timer, now.saturating_add(after));
    }

    /// A timer that is due, if there is one. Those that signs of life have put off are set again.
    pub(super) fn pop_timer(&mut self, now: Duration) -> Option<M::Timer> {
        loop {
            let timer = self.timers.pop(now)?;
            match self.machine.put_off(&timer).filter(|until| *until > now) {
                Some(until) => self.timers.set(timer, until),
                None => return Some(timer),
            }
        }
    }

    /// A batch is there, or was refused, and with which code that was answered. What it brings is durable then, and so is
    /// all before it.
    ///
    /// # Errors
    /// The machine has taken in what is not there, or nothing will ever be appended here again.
    pub(super) fn appended(
        &mut self,
        now: Duration,
        appended: Appended<M>,
    ) -> Result<Result<(), ErrorCode>, Fault> {
        let Appended { offsets, content, replies } = appended;
        self.patience.moves_on();
        let outcome = match offsets {
            Ok((first, last)) => {
                // Somebody else may append here too: Kafka's tools may.
                self.next_offset = self.next_offset.max(first);
                self.bring(now, first, content);
                self.next_offset = self.next_offset.max(last + 1);
                Ok(())
            }
            Err(refusal) => Err(self.refused(refusal, content)?),
        };
        // They rest on nothing that was refused: only on what was decided before.
        replies.into_iter().for_each(|parked| self.waiting.answer(parked.ticket, Ok(parked.reply)));
        match outcome {
            Err(refusal) if is_final(&refusal) => Err(refusal.into()),
            outcome => Ok(outcome.map_err(|refusal| code_of(&refusal))),
        }
    }

    /// Has the machine take in what a batch at this offset brings.
    fn bring(&mut self, now: Duration, first_offset: i64, content: Content<M>) {
        match content {
            Content::TakenIn => {}
            Content::Decision(decision, decided_ms) => {
                let replies = self.evolve(now, decided_ms, decision);
                replies.into_iter().for_each(|(ticket, reply)| self.waiting.answer(ticket, Ok(reply)));
            }
            Content::End(end, to) => {
                self.machine.end_transaction(first_offset, end);
                let _ = to.send(Ok(()));
            }
        }
    }

    /// Tells those who wait for what a batch would have brought.
    fn refused(&mut self, refusal: Refusal, content: Content<M>) -> Result<Refusal, Fault> {
        match content {
            Content::TakenIn => return Err(refusal.into()),
            Content::Decision(decision, _) => self.refuse(&decision, code_of(&refusal)),
            Content::End(_, to) => drop(to.send(Err(code_of(&refusal)))),
        }
        Ok(refusal)
    }

    /// A decision does not happen: those whom it would have answered are told.
    pub(super) fn refuse(&mut self, decision: &Decision<M>, code: ErrorCode) {
        for (ticket, _) in &decision.replies {
            self.waiting.answer(*ticket, Err(code));
        }
    }

    /// Whether a timer is due, or somebody has waited too long.
    pub(super) fn poll_due(&mut self, context: &mut Context<'_>, now: Duration) -> Poll<()> {
        let next = [self.timers.next(), self.overdue_at()].into_iter().flatten().min();
        self.poll_until(context, now, next)
    }

    /// Waits until then. It may be ready earlier: then there is another look.
    pub(super) fn poll_until(
        &mut self,
        context: &mut Context<'_>,
        now: Duration,
        next: Option<Duration>,
    ) -> Poll<()> {
        let Some(next) = next else { return Poll::Pending };
        if next <= now {
            return Poll::Ready(());
        }
        // One that wakes up too early is cheaper than one that is set at each batch.
        if self.sleeps_until.is_none_or(|until| until > next) {
            self.sleeps_until = Some(next);
            self.sleep.as_mut().reset(Instant::now() + next.saturating_sub(now));
        }
        let poll = self.sleep.as_mut().poll(context);
        if poll.is_ready() {
            // The two clocks may differ a little too.
            self.sleeps_until = None;
        }
        poll
    }
}
