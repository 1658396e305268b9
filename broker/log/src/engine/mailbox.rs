//! The queue before the writer: where those who ask wait, and are turned away.
//!
//! Bounded in bytes and in number, for everything that has been accepted and is not staged yet. A part of both
//! is kept for control operations, so that what makes room is never behind what waits for it. Nothing that was
//! accepted is dropped.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use super::request::Request;

/// How much waits at most.
#[derive(Clone, Copy, Debug)]
pub struct MailboxOptions {
    /// In bytes, batches and all. One request is taken whatever its size if nothing else waits.
    pub bytes_max: usize,
    /// In number.
    pub requests_max: usize,
}

impl Default for MailboxOptions {
    fn default() -> Self {
        Self { bytes_max: 32 << 20, requests_max: 64 << 10 }
    }
}

impl MailboxOptions {
    /// What appends may take of it: the rest is for control operations.
    fn for_appends(self) -> Self {
        Self {
            bytes_max: self.bytes_max - self.bytes_max / 8,
            requests_max: self.requests_max - self.requests_max / 8,
        }
    }
}

/// Why a request did not get in; it comes back with this.
#[derive(Debug)]
pub enum Rejected {
    /// There is no room now.
    Full(Box<Request>),
    /// Nothing is taken any more.
    Closed(Box<Request>),
}

/// Nothing is taken any more.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the engine is closed")]
pub struct Closed;

#[derive(Debug, Default)]
struct State {
    requests: VecDeque<Request>,
    /// What was accepted and is not staged yet, wherever it is.
    bytes: usize,
    count: usize,
    is_closed: bool,
    /// Why nothing is written any more, if so.
    offline: Option<Arc<str>>,
    /// Whether something happened that the writer has to look at.
    is_rung: bool,
    writer_waits: bool,
    /// The task that drives the writer, where it is no thread, if it waits.
    writer_waker: Option<Waker>,
    senders_waiting: usize,
    /// Tasks that wait for room; all are woken when there is some, or none will ever be.
    wakers: Vec<Waker>,
}

/// The queue.
#[derive(Debug)]
pub struct Mailbox {
    options: MailboxOptions,
    state: Mutex<State>,
    arrived: Condvar,
    room: Condvar,
}

impl Mailbox {
    /// An empty queue.
    pub fn new(options: MailboxOptions) -> Self {
        let (state, arrived, room) = (Mutex::default(), Condvar::new(), Condvar::new());
        Self { options, state, arrived, room }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_room(&self, state: &State, request: &Request) -> bool {
        let limits = if request.command.is_append() { self.options.for_appends() } else { self.options };
        let fits = state.bytes + request.command.bytes() <= limits.bytes_max;
        state.count == 0 || (fits && state.count < limits.requests_max)
    }

    fn accept(&self, state: &mut State, request: Request) {
        state.bytes += request.command.bytes();
        state.count += 1;
        state.requests.push_back(request);
        self.wake_writer(state);
    }

    /// Takes all of these in, if there is room for each of them whatever it is; otherwise none.
    fn accept_all(&self, state: &mut State, requests: &mut VecDeque<Request>) -> bool {
        let limits = self.options.for_appends();
        let bytes: usize = requests.iter().map(|request| request.command.bytes()).sum();
        let count = requests.len();
        let is_room = state.bytes + bytes <= limits.bytes_max && state.count + count <= limits.requests_max;
        if is_room && !state.is_closed {
            state.bytes += bytes;
            state.count += count;
            state.requests.append(requests);
            self.wake_writer(state);
            return true;
        }
        false
    }

    fn wake_writer(&self, state: &mut State) {
        // One call to the kernel for all that comes before the writer looks.
        if std::mem::take(&mut state.writer_waits) {
            self.arrived.notify_one();
        }
        state.writer_waker.take().into_iter().for_each(Waker::wake);
    }

    /// Puts a request into the queue, or gives it back.
    pub fn try_send(&self, request: Request) -> Result<(), Rejected> {
        self.try_send_all(&mut std::iter::once(request))
    }

    /// Puts requests into the queue as long as there is room. Gives back the first that does not get in; those behind
    /// it stay where they are.
    pub fn try_send_all(&self, requests: &mut impl Iterator<Item = Request>) -> Result<(), Rejected> {
        // The first is made before others have to wait for it.
        let mut next = requests.next();
        let mut state = self.state();
        while let Some(request) = next {
            if state.is_closed {
                return Err(Rejected::Closed(Box::new(request)));
            }
            if !self.has_room(&state, &request) {
                return Err(Rejected::Full(Box::new(request)));
            }
            self.accept(&mut state, request);
            next = requests.next();
        }
        Ok(())
    }

    /// Puts requests into the queue, waiting for room as long as it takes; gives those back that come after it
    /// was closed.
    pub fn send(&self, requests: impl IntoIterator<Item = Request>) -> Vec<Request> {
        let mut requests = requests.into_iter();
        let mut state = self.state();
        while let Some(request) = requests.next() {
            while !state.is_closed && !self.has_room(&state, &request) {
                state.senders_waiting += 1;
                state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
                state.senders_waiting -= 1;
            }
            if state.is_closed {
                return [request].into_iter().chain(requests).collect();
            }
            self.accept(&mut state, request);
        }
        Vec::new()
    }

    /// Moves requests into the queue, from the front, as long as there is room. True if all are in. Otherwise
    /// `waker`, if there is one, is woken when it is worth trying again; once the queue is closed, that is at once.
    pub fn send_or_wake(
        &self,
        requests: &mut VecDeque<Request>,
        waker: Option<&Waker>,
    ) -> Result<bool, Closed> {
        let mut state = self.state();
        if requests.is_empty() || self.accept_all(&mut state, requests) {
            return Ok(true);
        }
        while let Some(next) = requests.front() {
            if state.is_closed {
                return Err(Closed);
            }
            if !self.has_room(&state, next) {
                if let Some(waker) = waker
                    && !state.wakers.iter().any(|waiting| waiting.will_wake(waker))
                {
                    state.wakers.push(waker.clone());
                }
                return Ok(false);
            }
            requests.pop_front().into_iter().for_each(|request| self.accept(&mut state, request));
        }
        Ok(true)
    }

    /// Hands over all that waits. It counts until [`Mailbox::release`].
    pub(super) fn take(&self, into: &mut VecDeque<Request>) {
        let mut state = self.state();
        if into.is_empty() {
            std::mem::swap(&mut state.requests, into);
        } else {
            into.append(&mut state.requests);
        }
    }

    /// Makes room for others: so many requests have been dealt with.
    pub(super) fn release(&self, count: usize, bytes: usize) {
        if count == 0 {
            return;
        }
        let mut state = self.state();
        state.count = state.count.saturating_sub(count);
        state.bytes = state.bytes.saturating_sub(bytes);
        if state.senders_waiting > 0 {
            self.room.notify_all();
        }
        let wakers = std::mem::take(&mut state.wakers);
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Takes nothing any more.
    pub fn close(&self) {
        let mut state = self.state();
        state.is_closed = true;
        self.room.notify_all();
        self.wake_writer(&mut state);
        let wakers = std::mem::take(&mut state.wakers);
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Why the data directory takes no writes any more; none as long as it does.
    pub fn offline(&self) -> Option<Arc<str>> {
        self.state().offline.clone()
    }

    /// Says so. The first reason stays.
    pub fn set_offline(&self, reason: Arc<str>) {
        self.state().offline.get_or_insert(reason);
    }

    /// How many requests are accepted and not staged yet, and the bytes that they take.
    pub fn waiting(&self) -> (u64, u64) {
        let state = self.state();
        (state.count as u64, state.bytes as u64)
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.state().requests.is_empty()
    }

    /// Whether nothing is taken any more.
    pub fn is_closed(&self) -> bool {
        self.state().is_closed
    }

    /// Lets the writer look around, whether or not something is in the queue.
    pub(super) fn ring(&self) {
        let mut state = self.state();
        state.is_rung = true;
        self.wake_writer(&mut state);
    }

    /// For a driver that is a task and no thread: whether something is in the queue, or it is closed. Otherwise
    /// `waker` is woken when that is so.
    pub fn arrived_or_wake(&self, waker: &Waker) -> bool {
        let mut state = self.state();
        let has_arrived = state.is_closed || !state.requests.is_empty();
        state.writer_waker = if has_arrived { None } else { Some(waker.clone()) };
        has_arrived
    }

    /// Waits until something arrives, the bell rings, the queue is closed, or so much time has passed.
    ///
    /// With `takes_requests` not set, what is in the queue is no reason to come back.
    pub(super) fn wait(&self, takes_requests: bool, timeout: Duration) {
        let state = self.state();
        let is_idle = |state: &mut State| {
            let is_idle =
                !state.is_rung && !state.is_closed && (!takes_requests || state.requests.is_empty());
            state.writer_waits = is_idle;
            is_idle
        };
        let result = self.arrived.wait_timeout_while(state, timeout, is_idle);
        let (mut state, _) = result.unwrap_or_else(PoisonError::into_inner);
        state.writer_waits = false;
        state.is_rung = false;
    }
}
