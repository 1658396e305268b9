//! The requests of one connection that are being worked on, in their order, and so their answers.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::budget::{AnswerBudget, Permit};
use super::service::Dispatching;
use super::timing::Arrival;
use crate::api::{Dispatched, LaterReply, Reply};

/// An answer that is there or comes.
enum Slot {
    Ready(Reply, Arrival),
    /// Its request's memory is given back when it is there.
    Later(LaterReply, Permit, Arrival),
}

/// The requests that are being worked on.
pub(super) struct Pipeline {
    dispatching: Option<(Dispatching, Permit, Arrival)>,
    slots: VecDeque<Slot>,
    /// Of requests that are not answered.
    request_bytes: usize,
    answers: Arc<AnswerBudget>,
    /// Of answers that are not written, here and with the one who writes them: what is in memory.
    answer_bytes: usize,
    /// The same, as far as it is theirs and no log's.
    own_bytes: usize,
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        self.answers.give_back(self.own_bytes);
    }
}

impl Pipeline {
    pub(super) fn new(answers: Arc<AnswerBudget>) -> Self {
        Self {
            dispatching: None,
            slots: VecDeque::new(),
            request_bytes: 0,
            answers,
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
    pub(super) fn begin(&mut self, dispatching: Dispatching, permit: Permit, arrival: Arrival) {
        self.request_bytes += permit.num_permits();
        self.dispatching = Some((dispatching, permit, arrival));
    }

    /// Goes on with dispatching; whether nothing is being dispatched now.
    pub(super) fn poll_dispatch(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some((mut dispatching, permit, arrival)) = self.dispatching.take() else {
            return Poll::Ready(());
        };
        match Pin::new(&mut dispatching).poll(context) {
            Poll::Pending => {
                self.dispatching = Some((dispatching, permit, arrival));
                return Poll::Pending;
            }
            Poll::Ready(Dispatched::Now(reply)) => {
                self.request_bytes -= permit.num_permits();
                self.take_answer(&reply);
                self.slots.push_back(Slot::Ready(reply, arrival));
            }
            Poll::Ready(Dispatched::Later(reply)) => {
                self.slots.push_back(Slot::Later(reply, permit, arrival));
            }
        }
        Poll::Ready(())
    }

    /// The next answer, if it is there, and when its request came.
    ///
    /// Those behind it are not looked at until it is: they are worked on without that, and wake nobody up.
    pub(super) fn poll_answer(&mut self, context: &mut Context<'_>) -> Poll<Option<(Reply, Arrival)>> {
        match self.slots.pop_front() {
            None => Poll::Ready(None),
            Some(Slot::Ready(reply, arrival)) => Poll::Ready(Some((reply, arrival))),
            Some(Slot::Later(mut later, permit, arrival)) => match later.as_mut().poll(context) {
                Poll::Pending => {
                    self.slots.push_front(Slot::Later(later, permit, arrival));
                    Poll::Pending
                }
                Poll::Ready(reply) => {
                    self.request_bytes -= permit.num_permits();
                    self.take_answer(&reply);
                    Poll::Ready(Some((reply, arrival)))
                }
            },
        }
    }

    fn take_answer(&mut self, reply: &Reply) {
        if let Reply::Send { frame, .. } = reply {
            self.answer_bytes += frame.memory_bytes();
            self.own_bytes += frame.own_bytes();
            self.answers.take(frame.own_bytes());
        }
    }

    /// Bytes of answers are written, and some of their memory is free.
    pub(super) fn give_back(&mut self, bytes: usize, own_bytes: usize) {
        self.answer_bytes = self.answer_bytes.saturating_sub(bytes);
        let own_bytes = own_bytes.min(self.own_bytes);
        self.own_bytes -= own_bytes;
        self.answers.give_back(own_bytes);
    }

    /// Forgets everything that is being worked on. So much of the answers is with the one who writes them.
    pub(super) fn abandon(&mut self, writing_bytes: usize, writing_own_bytes: usize) {
        self.dispatching = None;
        self.slots.clear();
        self.request_bytes = 0;
        let bytes = self.answer_bytes.saturating_sub(writing_bytes);
        self.give_back(bytes, self.own_bytes.saturating_sub(writing_own_bytes));
    }
}
