//! The requests of one connection that are being worked on, in their order, and so their answers.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::budget::{AnswerBudget, Memory};
use super::service::Dispatching;
use super::timing::Arrival;
use crate::api::{Dispatched, LaterReply, Reply};

/// Answers of so many bytes together are charged by themselves, and shorter ones with those that follow.
const UNCHARGED_BYTES_MAX: usize = 4 << 10;

/// An answer that is there or comes.
enum Slot {
    Ready(Reply, Arrival),
    /// Its request's memory is given back when it is there.
    Later(LaterReply, Memory, Arrival),
}

/// The requests that are being worked on.
pub(super) struct Pipeline {
    dispatching: Option<(Dispatching, Memory, Arrival)>,
    slots: VecDeque<Slot>,
    /// Of requests that are not answered.
    request_bytes: usize,
    /// Change of requests that were answered since it was taken.
    change_bytes: usize,
    answers: Arc<AnswerBudget>,
    /// Of answers that have not been charged yet.
    uncharged_bytes: usize,
    /// Of answers that are not written, here and with the one who writes them: what is in memory.
    answer_bytes: usize,
    /// The same, as far as it is theirs and no log's.
    own_bytes: usize,
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        self.charge();
        self.answers.give_back(self.own_bytes);
    }
}

impl Pipeline {
    pub(super) fn new(answers: Arc<AnswerBudget>) -> Self {
        Self {
            dispatching: None,
            slots: VecDeque::new(),
            request_bytes: 0,
            change_bytes: 0,
            answers,
            uncharged_bytes: 0,
            answer_bytes: 0,
            own_bytes: 0,
        }
    }

    /// How many requests are not answered.
    pub(super) fn len(&self) -> usize {
        self.slots.len() + usize::from(self.dispatching.is_some())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn request_bytes(&self) -> usize {
        self.request_bytes
    }

    pub(super) fn answer_bytes(&self) -> usize {
        self.answer_bytes
    }

    /// Takes a request in. Nothing else is being dispatched.
    pub(super) fn begin(&mut self, dispatching: Dispatching, memory: Memory, arrival: Arrival) {
        self.request_bytes += memory.bytes();
        match dispatching.into_dispatched() {
            Ok(dispatched) => self.push(dispatched, memory, arrival),
            Err(dispatching) => self.dispatching = Some((dispatching, memory, arrival)),
        }
    }

    fn push(&mut self, dispatched: Dispatched, memory: Memory, arrival: Arrival) {
        match dispatched {
            Dispatched::Now(reply) => {
                self.free(memory);
                self.take_answer(&reply);
                self.slots.push_back(Slot::Ready(reply, arrival));
            }
            Dispatched::Later(reply) => self.slots.push_back(Slot::Later(reply, memory, arrival)),
        }
    }

    /// A request's memory is free.
    fn free(&mut self, memory: Memory) {
        self.request_bytes -= memory.bytes();
        if let Memory::Change(bytes) = memory {
            self.change_bytes += bytes;
        }
    }

    /// How much of its connection's change is free since this was asked before.
    pub(super) fn take_change(&mut self) -> usize {
        std::mem::take(&mut self.change_bytes)
    }

    /// Goes on with dispatching; whether nothing is being dispatched now.
    pub(super) fn poll_dispatch(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some((dispatching, ..)) = &mut self.dispatching else { return Poll::Ready(()) };
        let dispatched = ready!(Pin::new(dispatching).poll(context));
        if let Some((_, memory, arrival)) = self.dispatching.take() {
            self.push(dispatched, memory, arrival);
        }
        Poll::Ready(())
    }

    /// The next answer, if it is there, and when its request came.
    ///
    /// Those behind it are not looked at until it is: they are worked on without that, and wake nobody up.
    pub(super) fn poll_answer(&mut self, context: &mut Context<'_>) -> Poll<Option<(Reply, Arrival)>> {
        let later = match self.slots.front_mut() {
            Some(Slot::Later(later, ..)) => Some(ready!(Pin::new(later).poll(context))),
            Some(Slot::Ready(..)) | None => None,
        };
        Poll::Ready(match (self.slots.pop_front(), later) {
            (Some(Slot::Ready(reply, arrival)), _) => Some((reply, arrival)),
            (Some(Slot::Later(_, memory, arrival)), Some(reply)) => {
                self.free(memory);
                self.take_answer(&reply);
                Some((reply, arrival))
            }
            (Some(Slot::Later(..)) | None, _) => None,
        })
    }

    fn take_answer(&mut self, reply: &Reply) {
        if let Reply::Send { frame, .. } = reply {
            self.answer_bytes += frame.memory_bytes();
            self.own_bytes += frame.own_bytes();
            self.uncharged_bytes += frame.own_bytes();
            if self.uncharged_bytes >= UNCHARGED_BYTES_MAX {
                self.charge();
            }
        }
    }

    /// Charges all answers that are here.
    pub(super) fn charge(&mut self) {
        if self.uncharged_bytes > 0 {
            self.answers.take(std::mem::take(&mut self.uncharged_bytes));
        }
    }

    /// Bytes of answers are written, and some of their memory is free.
    pub(super) fn give_back(&mut self, bytes: usize, own_bytes: usize) {
        self.answer_bytes = self.answer_bytes.saturating_sub(bytes);
        let own_bytes = own_bytes.min(self.own_bytes);
        self.own_bytes -= own_bytes;
        self.charge();
        self.answers.give_back(own_bytes);
    }

    /// Forgets everything that is being worked on. So much of the answers is with the one who writes them.
    pub(super) fn abandon(&mut self, writing_bytes: usize, writing_own_bytes: usize) {
        if let Some((_, memory, _)) = self.dispatching.take() {
            self.free(memory);
        }
        while let Some(slot) = self.slots.pop_front() {
            if let Slot::Later(_, memory, _) = slot {
                self.free(memory);
            }
        }
        let bytes = self.answer_bytes.saturating_sub(writing_bytes);
        self.give_back(bytes, self.own_bytes.saturating_sub(writing_own_bytes));
    }
}
