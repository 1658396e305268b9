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
        match storage.mailbox.send_or_wake(&mut self.requests, Some(context.waker())) {
            Ok(true) => Poll::Ready(()),
            Ok(false) => Poll::Pending,
            Err(_) => {
                self.answers.refuse(self.requests.drain(..));
                Poll::Ready(())
            }
        }
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

/// Commands as the writer gets them, where its answers to them arrive, and by which tickets.
fn asked<C>(commands: C) -> (Arc<Answers>, Range<usize>, impl Iterator<Item = Request>)
where
    C: IntoIterator<Item = Command, IntoIter: ExactSizeIterator>,
{
    let answers = Arc::<Answers>::default();
    let commands = commands.into_iter();
    let tickets = 0..commands.len();
    let requests = answers.requests(tickets.start, commands);
    (answers, tickets, requests)
}

impl Storage {
    /// Commands that are to go to the writer, of which it has none yet.
    pub fn submission<C>(&self, commands: C) -> Submission
    where
        C: IntoIterator<Item = Command, IntoIter: ExactSizeIterator>,
    {
        let (answers, tickets, requests) = asked(commands);
        Submission { requests: requests.collect(), answers, tickets }
    }

    /// Hands commands to the writer, in their order, and waits until it has room for them. What is returned waits
    /// for its answers.
    ///
    /// Dropped before it returns, it leaves those commands with the writer that it has given already.
    pub async fn submit<C>(&self, commands: C) -> Submitted
    where
        C: IntoIterator<Item = Command, IntoIter: ExactSizeIterator>,
    {
        let mut submission = self.begin(commands);
        if !submission.is_in() {
            poll_fn(|context| submission.poll_in(self, context)).await;
        }
        let Submission { answers, tickets, .. } = submission;
        Submitted { answers, tickets }
    }

    /// Hands commands to the writer, in their order, as far as it has room for them now.
    fn begin<C>(&self, commands: C) -> Submission
    where
        C: IntoIterator<Item = Command, IntoIter: ExactSizeIterator>,
    {
        let (answers, tickets, mut requests) = asked(commands);
        let mut left = VecDeque::new();
        match self.mailbox.try_send_all(&mut requests) {
            Ok(()) => {}
            Err(Rejected::Full(first)) => left.extend([*first].into_iter().chain(requests)),
            Err(Rejected::Closed(first)) => answers.refuse([*first].into_iter().chain(requests)),
        }
        Submission { requests: left, answers, tickets }
    }
}
