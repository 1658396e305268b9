//! Requests that go to the writer together, and one wake-up when all of them are answered.

use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use strandline_log::engine::{Command, Outcome, Rejected, Request};

use super::Storage;
use super::answers::Answers;
use crate::few::Few;

/// Requests on their way to the writer, in their order, and what it says about them.
///
/// Dropped before all are in, it leaves those with the writer that it has given already.
pub struct Submission {
    /// Those that it had no room for yet.
    requests: VecDeque<Request>,
    answers: Arc<Answers>,
    tickets: Range<usize>,
}

impl fmt::Debug for Submission {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Submission({} are to be taken)", self.requests.len())
    }
}

impl Submission {
    /// Whether the writer has all of them.
    pub fn is_in(&self) -> bool {
        self.requests.is_empty()
    }

    /// Gives the writer what it has room for; done when it has all of them.
    pub fn poll_in(&mut self, storage: &Storage, context: &mut Context<'_>) -> Poll<()> {
        match storage.mailbox.send_or_wake(&mut self.requests, context.waker()) {
            Ok(true) => Poll::Ready(()),
            Ok(false) => Poll::Pending,
            Err(_) => {
                self.answers.refuse(self.requests.drain(..));
                Poll::Ready(())
            }
        }
    }

    /// Waits until the writer has room for all of them. What is returned waits for its answers.
    ///
    /// Dropped before it returns, it leaves those with the writer that it has given already.
    pub async fn all_in(mut self, storage: &Storage) -> Submitted {
        if !self.is_in() {
            poll_fn(|context| self.poll_in(storage, context)).await;
        }
        self.into_submitted()
    }

    fn into_submitted(self) -> Submitted {
        Submitted { answers: self.answers, tickets: self.tickets }
    }

    /// One outcome for each command, in their order.
    pub fn poll_answered(&mut self, context: &mut Context<'_>) -> Poll<Few<Outcome>> {
        self.answers.poll(&self.tickets, context)
    }
}

/// What the writer will say about requests that it has. Dropping it takes none of them back.
#[derive(Debug)]
pub struct Submitted {
    answers: Arc<Answers>,
    tickets: Range<usize>,
}

impl Future for Submitted {
    type Output = Few<Outcome>;

    /// One outcome for each command, in their order.
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.answers.poll(&self.tickets, context)
    }
}

impl Storage {
    /// Commands that are to go to the writer, of which it has none yet.
    pub fn submission<C>(&self, commands: C) -> Submission
    where
        C: IntoIterator<Item = Command, IntoIter: ExactSizeIterator>,
    {
        let answers = Arc::<Answers>::default();
        let commands = commands.into_iter();
        let tickets = 0..commands.len();
        let requests = answers.requests(0, commands);
        let requests = requests.collect();
        Submission { requests, answers, tickets }
    }

    /// Hands commands to the writer, in their order, as far as it has room for them now.
    pub fn begin<C>(&self, commands: C) -> Submission
    where
        C: IntoIterator<Item = Command, IntoIter: ExactSizeIterator>,
    {
        let answers = Arc::<Answers>::default();
        let commands = commands.into_iter();
        let tickets = 0..commands.len();
        let mut requests = answers.requests(0, commands);
        let mut left = VecDeque::new();
        match self.mailbox.try_send_all(&mut requests) {
            Ok(()) => {}
            Err(Rejected::Full(first)) => left.extend([*first].into_iter().chain(requests)),
            Err(Rejected::Closed(first)) => answers.refuse([*first].into_iter().chain(requests)),
        }
        Submission { requests: left, answers, tickets }
    }

    /// Hands commands to the writer, in their order, and waits until it has room for them. What is returned waits
    /// for its answers.
    ///
    /// Dropped before it returns, it leaves those commands with the writer that it has given already.
    pub async fn submit<C>(&self, commands: C) -> Submitted
    where
        C: IntoIterator<Item = Command, IntoIter: ExactSizeIterator>,
    {
        self.begin(commands).all_in(self).await
    }
}
