//! The way to one partition's machine: what is asked of it, and whether it can be asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use strandline_log::clock::Clock;
use strandline_log::engine::{NewBatch, Partition};
use strandline_log::producers::Guard;
use strandline_protocol::ErrorCode;
use strandline_state::coordinator::{Machine, Ticket, TransactionEnd};
use tokio::sync::mpsc;

use super::answers::{Answer, AnswerTo};
use super::parts::CoordinatorParts;
use super::rest::Rest;
use super::task::{Task, is_empty};
use super::{Fresh, Watch};
use crate::api::topics::Led;

/// So much is asked of a shard and not begun with at most; who asks more waits, and its connection with it.
pub(super) const INBOX_MAX: usize = 1_024;

/// What is asked of a shard.
pub(super) enum Work<M: Machine> {
    Ask {
        ticket: Ticket,
        guard: Option<Guard>,
        command: M::Command,
        to: AnswerTo<M::Reply>,
        /// When, by the clock that nobody sets.
        at: Duration,
    },
    Tell(M::Command),
    End {
        batch: NewBatch,
        end: TransactionEnd,
        to: AnswerTo<()>,
    },
}

/// How a shard is.
pub(super) const LOADING: u8 = 0;
pub(super) const SERVING: u8 = 1;
pub(super) const FAILED: u8 = 2;

/// The way to a shard. When all are gone, it ends.
pub(super) struct Shard<M: Machine> {
    inbox: mpsc::Sender<Work<M>>,
    rest: Rest<M>,
    status: Arc<AtomicU8>,
    log: Arc<Partition>,
}

impl<M: Machine> Clone for Shard<M> {
    fn clone(&self) -> Self {
        let Self { inbox, rest, status, log } = self;
        Self { inbox: inbox.clone(), rest: rest.clone(), status: Arc::clone(status), log: Arc::clone(log) }
    }
}

impl<M: Machine> Shard<M> {
    /// Starts one over a partition that this broker leads.
    pub(super) fn start(
        led: Led,
        parts: Arc<CoordinatorParts>,
        (fresh, watch): (Fresh<M>, Watch<M>),
        topic: &'static str,
    ) -> Self {
        let (inbox, work) = mpsc::channel(INBOX_MAX);
        // Nothing is to be read where nothing is: what is asked has its place in the queue at once.
        let status = if is_empty(&led) { SERVING } else { LOADING };
        let status = Arc::new(AtomicU8::new(status));
        let log = Arc::clone(&led.log);
        let rest = Rest::default();
        let task = Task {
            led,
            parts,
            fresh,
            watch,
            topic,
            work,
            rest: rest.clone(),
            status: Arc::clone(&status),
            is_careful: false,
        };
        tokio::spawn(task.run());
        Self { inbox, rest, status, log }
    }

    pub(super) fn log(&self) -> &Arc<Partition> {
        &self.log
    }

    fn check(&self) -> Result<(), ErrorCode> {
        match self.status.load(Ordering::Acquire) {
            LOADING => Err(ErrorCode::COORDINATOR_LOAD_IN_PROGRESS),
            SERVING => Ok(()),
            _ => Err(ErrorCode::NOT_COORDINATOR),
        }
    }

    pub(super) async fn ask(
        &self,
        (tickets, clock): (&AtomicU64, &dyn Clock),
        guard: Option<Guard>,
        command: impl FnOnce(Ticket) -> M::Command,
    ) -> Answer<M::Reply> {
        if let Err(code) = self.check() {
            return Answer::refused(code);
        }
        let ticket = Ticket(tickets.fetch_add(1, Ordering::Relaxed));
        let (to, answer) = Answer::coming();
        let work = Work::Ask { ticket, guard, command: command(ticket), to, at: clock.monotonic() };
        // Where the shard has ended, the answer says so.
        let _ = self.inbox.send(work).await;
        answer
    }

    /// What a sign of life comes to, if nothing stands before it. What is asked after this is decided after it.
    pub(super) fn heed(&self, clock: &dyn Clock, now: Duration, sign: M::Sign<'_>) -> Option<M::Reply> {
        let has_all_been_taken = self.inbox.capacity() == self.inbox.max_capacity();
        if has_all_been_taken { self.rest.heed(clock, now, sign) } else { None }
    }

    pub(super) async fn tell(&self, command: M::Command) {
        let _ = self.inbox.send(Work::Tell(command)).await;
    }

    pub(super) async fn end_transaction(&self, batch: NewBatch, end: TransactionEnd) -> Answer<()> {
        if let Err(code) = self.check() {
            return Answer::refused(code);
        }
        let (to, answer) = Answer::coming();
        let _ = self.inbox.send(Work::End { batch, end, to }).await;
        answer
    }
}
