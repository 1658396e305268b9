//! One connection: the task that owns its socket, reads requests, has them dispatched in order, and writes their
//! answers in the same order.
//!
//! One state machine and no task beside it. Each turn goes through the same stages: dispatch what is here, take
//! what answers are there, write all of them together, read. It goes round again only where a later stage made
//! room for an earlier one; so a request that comes alone costs one read and one write. Where more answers are due, the
//! other tasks have a round before it writes.
//!
//! What it never does: hold a request or an answer that it has no bound for, or wait for one thing without being
//! ready for the others.

mod ending;
mod moving;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Sleep, sleep};

use self::moving::Movement;
use super::closed::Closed;
use super::counters::Tally;
use super::inbound::{Found, Inbound};
use super::outbound::{Outbound, Written};
use super::pipeline::Pipeline;
use super::registry::{Admitted, Order};
use super::service::{Service, Together};
use super::shared::Shared;
use super::timing::{Arrival, Departure};
use super::transport::Transport;
use crate::api::Reply;
use crate::context::Connection;
use crate::metrics::IS_MEASURED;

/// So many bytes of answers of one connection may wait in memory before nothing more is begun for it, and so many in
/// memory and in files before the next answer is looked for. A single answer may be longer.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// Of the memory for requests one connection may have this part.
const CONNECTION_PART: usize = 16;

/// Answers of so many bytes and more are not held back.
const HELD_BACK_BYTES_MAX: usize = 16 << 10;

/// How a connection stands.
#[derive(Debug)]
enum Phase {
    /// Requests are read.
    Open,
    /// Nothing more is read; what is in flight is answered first.
    Ending(Closed),
    /// Everything is written; what the other end still sends is discarded. To close a socket that holds bytes nobody
    /// has read would take from the other end what it has not read yet.
    Lingering(Closed, usize),
}

/// Why no more requests are begun at the moment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Stop {
    /// There is no whole one.
    Incomplete,
    /// Too much of this connection is in flight.
    Full,
    /// Something else has to come first, and wakes this up.
    Waiting,
}

/// What a connection is made of.
pub(super) struct Parts<T> {
    pub(super) transport: T,
    pub(super) connection: Connection,
    pub(super) admitted: Admitted,
    pub(super) service: Arc<dyn Service>,
    pub(super) shared: Arc<Shared>,
}

/// A connection, and everything that is known of it.
pub(super) struct ConnectionTask<T> {
    transport: T,
    service: Arc<dyn Service>,
    shared: Arc<Shared>,
    admitted: Admitted,
    connection: Arc<Connection>,
    inbound: Inbound,
    pipeline: Pipeline,
    outbound: Outbound,
    throttle: Option<Pin<Box<Sleep>>>,
    phase: Phase,
    movement: Movement,
    /// When the first bytes came of a request that is not whole.
    began: Option<Duration>,
    answers_round: u64,
    /// Whether answers are held back for others that may be there in a moment.
    is_holding_back: bool,
    tally: Tally,
}

impl<T> Drop for ConnectionTask<T> {
    fn drop(&mut self) {
        // However it ended, and be it by a panic in a handler.
        self.shared.counters.closed.fetch_add(1, Ordering::Relaxed);
    }
}

impl<T: Transport> Future for ConnectionTask<T> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        this.tally.wakeups += 1;
        this.admitted.entry.set_waker(context.waker());
        let result = this.turn(context);
        let change_bytes = this.pipeline.take_change();
        this.inbound.settle(change_bytes);
        this.tally.flush(&this.shared.counters);
        let Err(closed) = result else { return Poll::Pending };
        this.shared.count_reason(&closed);
        tracing::debug!(peer = %this.connection.peer, id = this.connection.id, reason = %closed, "closed");
        Poll::Ready(())
    }
}

impl<T: Transport> ConnectionTask<T> {
    pub(super) fn new(parts: Parts<T>) -> Self {
        let Parts { transport, connection, admitted, service, shared } = parts;
        let inbound = Inbound::new(shared.options.request_bytes_max);
        let pipeline = Pipeline::new(Arc::clone(&shared.answers));
        let mut task = Self {
            transport,
            service,
            shared,
            admitted,
            connection: Arc::new(connection),
            inbound,
            pipeline,
            outbound: Outbound::default(),
            throttle: None,
            phase: Phase::Open,
            movement: Movement::default(),
            began: None,
            answers_round: 0,
            is_holding_back: false,
            tally: Tally::default(),
        };
        task.move_on();
        task
    }

    /// Goes as far as it can without waiting.
    fn turn(&mut self, context: &mut Context<'_>) -> Result<(), Closed> {
        self.heed()?;
        loop {
            if matches!(self.phase, Phase::Lingering(..)) {
                return self.linger(context);
            }
            let stop = self.begin_requests(context);
            self.set_awaited(stop);
            let has_left_answers = self.take_answers(context);
            if self.holds_back(context) {
                break;
            }
            let is_written = self.write(context)?;
            if self.is_finished(stop) {
                self.finish(context)?;
                continue;
            }
            let has_read = stop == Stop::Incomplete && self.read(context)?;
            let has_room_now = stop == Stop::Full && self.has_room();
            let can_take_answers = has_left_answers && is_written;
            if !has_read && !has_room_now && !can_take_answers {
                break;
            }
        }
        let is_holding = self.movement.is_awaited || !self.outbound.is_empty();
        self.admitted.entry.set_holding(is_holding);
        Ok(())
    }

    /// Does what it was told from outside.
    fn heed(&mut self) -> Result<(), Closed> {
        match self.admitted.entry.order() {
            Order::Run => {}
            Order::Drain if matches!(self.phase, Phase::Open) => self.end(Closed::ShutDown),
            Order::Drain => {}
            Order::Stalled => return Err(Closed::Stalled),
            Order::Close => return Err(Closed::ShutDown),
        }
        if !self.admitted.entry.take_question() {
            return Ok(());
        }
        match &mut self.phase {
            // It waits for an answer that takes long, and could be written at once.
            Phase::Open if !self.pipeline.is_empty() && self.outbound.is_empty() => {
                self.move_on();
                Ok(())
            }
            Phase::Open => Err(Closed::Idle),
            Phase::Ending(closed) | Phase::Lingering(closed, _) => {
                Err(std::mem::replace(closed, Closed::Idle))
            }
        }
    }

    /// Begins the requests that are here. What they have for others goes when no more can be begun.
    fn begin_requests(&mut self, context: &mut Context<'_>) -> Stop {
        if self.service.poll_sent(&self.connection, context).is_pending() {
            return Stop::Waiting;
        }
        let stop = self.begin_each(context);
        let sent = self.service.poll_sent(&self.connection, context);
        if sent.is_pending() { Stop::Waiting } else { stop }
    }

    /// Begins requests, one after the other.
    fn begin_each(&mut self, context: &mut Context<'_>) -> Stop {
        // Those that are here are so since the same moment.
        let mut now = None;
        loop {
            if self.pipeline.poll_dispatch(context).is_pending() {
                return Stop::Waiting;
            }
            if !matches!(self.phase, Phase::Open | Phase::Ending(Closed::Left | Closed::ShutDown)) {
                return Stop::Waiting;
            }
            if self.is_throttled(context) {
                return Stop::Waiting;
            }
            if !self.has_room() {
                return Stop::Full;
            }
            if !self.shared.answers.poll_room(context, &mut self.answers_round) {
                return Stop::Waiting;
            }
            let is_brief = |frame: &[u8]| self.service.is_brief(frame);
            match self.inbound.poll_request(context, &self.shared.requests, is_brief) {
                Ok(Found::Incomplete) => {
                    if IS_MEASURED && self.began.is_none() && self.inbound.has_begun() {
                        self.began = Some(self.service.now());
                    }
                    return Stop::Incomplete;
                }
                Ok(Found::NoMemory) => return Stop::Waiting,
                Ok(Found::Request(frame, memory)) => {
                    self.tally.requests += 1;
                    self.move_on();
                    let now = *now.get_or_insert_with(|| self.service.now());
                    let arrival = Arrival::new(&frame, self.began.take(), now);
                    let dispatching = self.service.dispatch(&self.connection, frame, now);
                    self.pipeline.begin(dispatching, memory, arrival);
                }
                Err(error) => {
                    tracing::info!(peer = %self.connection.peer, %error, "closing");
                    self.end(Closed::Invalid(error));
                }
            }
        }
    }

    /// Whether another request of this connection may be begun.
    fn has_room(&self) -> bool {
        let options = &self.shared.options;
        self.pipeline.is_empty()
            || (self.pipeline.len() < options.pipeline_requests_max
                && self.pipeline.request_bytes() < options.requests_bytes_max / CONNECTION_PART
                && self.pipeline.answer_bytes() < ANSWER_BYTES_MAX)
    }

    /// Reads nothing for so long.
    fn be_silent(&mut self, throttle: Duration) {
        if !throttle.is_zero() {
            self.throttle = Some(Box::pin(sleep(throttle)));
        }
    }

    fn is_throttled(&mut self, context: &mut Context<'_>) -> bool {
        if let Some(throttle) = &mut self.throttle {
            if throttle.as_mut().poll(context).is_pending() {
                return true;
            }
            self.throttle = None;
        }
        false
    }

    /// Takes the answers that are there to be written; whether it left some since there are enough.
    fn take_answers(&mut self, context: &mut Context<'_>) -> bool {
        let has_left_some = self.take_each(context);
        self.pipeline.charge();
        has_left_some
    }

    fn take_each(&mut self, context: &mut Context<'_>) -> bool {
        // What lies in files counts too: it is no memory, but it is read ahead when its answer is looked for.
        while self.outbound.bytes() < ANSWER_BYTES_MAX {
            match self.pipeline.poll_answer(context) {
                Poll::Pending | Poll::Ready(None) => return false,
                Poll::Ready(Some((Reply::Silence { throttle }, _))) => self.be_silent(throttle),
                Poll::Ready(Some((Reply::Send { frame, throttle, answering }, arrival))) => {
                    self.outbound.push(frame, Departure::new(arrival, answering));
                    self.be_silent(throttle);
                }
                Poll::Ready(Some((Reply::Close(reason), _))) => {
                    self.pipeline.abandon(self.outbound.memory_bytes(), self.outbound.own_bytes());
                    self.end(Closed::Answered(reason));
                    return false;
                }
            }
        }
        true
    }

    /// Whether the answers that are here wait for one round of the other tasks. What is answered at one moment, by several
    /// who have waited for one sync, comes here one by one: then all of it goes with one call.
    fn holds_back(&mut self, context: &Context<'_>) -> bool {
        let may_gain = !self.outbound.is_empty()
            && self.outbound.memory_bytes() < HELD_BACK_BYTES_MAX
            && !self.pipeline.is_empty();
        self.is_holding_back = may_gain && !self.is_holding_back;
        if self.is_holding_back {
            // To the end of the queue of those who can go on.
            context.waker().wake_by_ref();
        }
        self.is_holding_back
    }

    /// Writes; whether there is nothing left.
    fn write(&mut self, context: &mut Context<'_>) -> Result<bool, Closed> {
        if self.outbound.is_empty() {
            return Ok(true);
        }
        let (mut written, mut now, mut together) = (Written::default(), None, Together::default());
        let (transport, tally, service) = (&mut self.transport, &mut self.tally, &self.service);
        let result = self.outbound.poll_write(context, transport, tally, &mut written, |departure| {
            if IS_MEASURED {
                let (api, times) = departure.end(*now.get_or_insert_with(|| service.now()));
                service.answered(&mut together, api, times);
            }
        });
        if now.is_some() {
            self.service.answered_all(together);
        }
        self.tally.sent_bytes += written.bytes as u64;
        self.pipeline.give_back(written.memory_bytes, written.own_bytes);
        self.has_sent(written.bytes);
        match result {
            Poll::Pending => Ok(false),
            Poll::Ready(Ok(())) => {
                self.has_sent_all();
                Ok(true)
            }
            Poll::Ready(Err(error)) => Err(Closed::Lost(error)),
        }
    }

    /// Reads; whether something came, or the end.
    fn read(&mut self, context: &mut Context<'_>) -> Result<bool, Closed> {
        if !matches!(self.phase, Phase::Open) {
            return Ok(false);
        }
        match self.inbound.poll_read(context, &mut self.transport) {
            Poll::Pending => Ok(false),
            Poll::Ready(Ok(bytes)) => {
                self.tally.reads += 1;
                self.tally.received_bytes += bytes as u64;
                self.has_received(bytes);
                if bytes == 0 {
                    self.end(Closed::Left);
                }
                Ok(true)
            }
            Poll::Ready(Err(error)) => Err(Closed::Lost(error)),
        }
    }
}
