//! Requests that go to the writer together, and one wake-up when all of them are answered.

use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use strandline_log::engine::{Command, Outcome, Refusal, Rejected, Replies, Request};

use super::Storage;
use crate::few::Few;

#[derive(Debug, Default)]
struct State {
    /// By ticket.
    outcomes: Few<Option<Outcome>>,
    missing: usize,
    waker: Option<Waker>,
}

/// Where the answers to one submission arrive.
#[derive(Debug, Default)]
struct Answers {
    state: Mutex<State>,
    /// When the last of the requests was taken, in nanoseconds.
    taken_ns: AtomicU64,
}

impl Answers {
    /// To so many requests.
    fn to(count: usize) -> Arc<Self> {
        let outcomes = std::iter::repeat_with(|| None).take(count).collect();
        let state = Mutex::new(State { outcomes, missing: count, waker: None });
        Arc::new(Self { state, taken_ns: AtomicU64::new(0) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says of requests that nothing is taken any more.
    fn refuse(&self, requests: impl Iterator<Item = Request>) {
        requests.for_each(|request| self.reply(request.ticket, Err(Refusal::Closed)));
    }

    fn poll(&self, context: &mut Context<'_>) -> Poll<Few<Outcome>> {
        let mut state = self.state();
        if state.missing > 0 {
            state.waker = Some(context.waker().clone());
            return Poll::Pending;
        }
        let outcomes = std::mem::take(&mut state.outcomes);
        Poll::Ready(outcomes.into_iter().map(|outcome| outcome.unwrap_or(Err(Refusal::Closed))).collect())
    }
}

impl Replies for Answers {
    fn reply(&self, ticket: u64, outcome: Outcome) {
        let mut state = self.state();
        let place = usize::try_from(ticket).ok().and_then(|place| state.outcomes.get_mut(place));
        if let Some(place) = place
            && place.replace(outcome).is_none()
        {
            state.missing -= 1;
        }
    }

    fn taken(&self, at: Duration) {
        self.taken_ns.store(u64::try_from(at.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn flush(&self) {
        let mut state = self.state();
        let waker = if state.missing == 0 { state.waker.take() } else { None };
        drop(state);
        waker.into_iter().for_each(Waker::wake);
    }
}

/// Requests on their way to the writer, in their order, and what it says about them.
///
/// Dropped before all are in, it leaves those with the writer that it has given already.
pub struct Submission {
    /// Those that it had no room for yet.
    requests: VecDeque<Request>,
    answers: Arc<Answers>,
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
        Submitted(self.answers)
    }

    /// What the writer will say, if it has all of them.
    ///
    /// # Errors
    /// It has not.
    pub fn try_all_in(self) -> Result<Submitted, Self> {
        if self.is_in() { Ok(Submitted(self.answers)) } else { Err(self) }
    }

    /// One outcome for each command, in their order.
    pub fn poll_answered(&mut self, context: &mut Context<'_>) -> Poll<Few<Outcome>> {
        self.answers.poll(context)
    }
}

/// What the writer will say about requests that it has. Dropping it takes none of them back.
pub struct Submitted(Arc<Answers>);

impl fmt::Debug for Submitted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Submitted({} are not answered)", self.0.state().missing)
    }
}

impl Submitted {
    /// When the writer took the last of them, by the engine's monotonic clock; zero if it has not.
    pub fn taken_at(&self) -> Duration {
        Duration::from_nanos(self.0.taken_ns.load(Ordering::Relaxed))
    }
}

impl Future for Submitted {
    type Output = Few<Outcome>;

    /// One outcome for each command, in their order.
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll(context)
    }
}

/// Commands as the writer gets them, and where its answers arrive.
fn requests<C>(commands: C) -> (Arc<Answers>, impl Iterator<Item = Request>)
where
    C: IntoIterator<Item = Command, IntoIter: ExactSizeIterator>,
{
    let commands = commands.into_iter();
    let answers = Answers::to(commands.len());
    let replies: Arc<dyn Replies> = Arc::<Answers>::clone(&answers);
    let requests = (0..).zip(commands);
    let requests =
        requests.map(move |(ticket, command)| Request { command, ticket, replies: Arc::clone(&replies) });
    (answers, requests)
}

impl Storage {
    /// Commands that are to go to the writer, of which it has none yet.
    pub fn submission<C>(&self, commands: C) -> Submission
    where
        C: IntoIterator<Item = Command, IntoIter: ExactSizeIterator>,
    {
        let (answers, requests) = requests(commands);
        Submission { requests: requests.collect(), answers }
    }

    /// Hands commands to the writer, in their order, as far as it has room for them now.
    pub fn begin<C>(&self, commands: C) -> Submission
    where
        C: IntoIterator<Item = Command, IntoIter: ExactSizeIterator>,
    {
        let (answers, mut requests) = requests(commands);
        let mut left = VecDeque::new();
        match self.mailbox.try_send_all(&mut requests) {
            Ok(()) => {}
            Err(Rejected::Full(first)) => left.extend([*first].into_iter().chain(requests)),
            Err(Rejected::Closed(first)) => answers.refuse([*first].into_iter().chain(requests)),
        }
        Submission { requests: left, answers }
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
