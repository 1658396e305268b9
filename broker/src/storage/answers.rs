//! What the writer says about requests that came to it together, and who waits for it.

use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use strandline_log::clock::Clock;
use strandline_log::engine::{Command, Outcome, Refusal, Replies, Request};

use crate::few::Few;

#[derive(Debug, Default)]
struct State {
    /// By ticket, up to the last that there is one for.
    outcomes: Few<Option<Outcome>>,
    /// Those who wait, each for all of some tickets.
    waiting: Few<(Range<usize>, Waker)>,
}

impl State {
    fn has_all(&mut self, tickets: &Range<usize>) -> bool {
        tickets.clone().all(|ticket| self.outcomes.get_mut(ticket).is_some_and(|outcome| outcome.is_some()))
    }
}

/// Where the answers to requests arrive that go to the writer together.
#[derive(Default)]
pub(super) struct Answers {
    state: Mutex<State>,
    /// When the last of the requests was taken, in nanoseconds.
    taken_ns: AtomicU64,
    /// When somebody first looked at the answers that came last, in the same; zero before that.
    answered_ns: AtomicU64,
    has_all_requests_in: AtomicBool,
}

impl fmt::Debug for Answers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} wait for answers", self.state().waiting.len())
    }
}

impl Answers {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Commands as the writer gets them, with tickets from this one on.
    pub(super) fn requests<C: ExactSizeIterator<Item = Command>>(
        self: &Arc<Self>,
        first_ticket: usize,
        commands: C,
    ) -> impl Iterator<Item = Request> + use<C> {
        let replies: Arc<dyn Replies> = Arc::<Self>::clone(self);
        let replies = std::iter::repeat_n(replies, commands.len());
        let tickets = u64::try_from(first_ticket).unwrap_or(u64::MAX)..;
        let request = |((ticket, replies), command)| Request { command, ticket, replies };
        tickets.zip(replies).zip(commands).map(request)
    }

    /// The writer has all of the requests.
    pub(super) fn set_in(&self) {
        self.has_all_requests_in.store(true, Ordering::Relaxed);
    }

    /// Whether the writer has all of the requests.
    pub(super) fn is_in(&self) -> bool {
        self.has_all_requests_in.load(Ordering::Relaxed)
    }

    /// Says of requests that nothing is taken any more.
    pub(super) fn refuse(&self, requests: impl Iterator<Item = Request>) {
        requests.for_each(|request| self.reply(request.ticket, Err(Refusal::Closed)));
        self.flush();
    }

    /// The answers to these requests, once all of them are there.
    pub(super) fn poll(&self, tickets: &Range<usize>, context: &mut Context<'_>) -> Poll<Few<Outcome>> {
        let mut state = self.state();
        if state.has_all(tickets) {
            let mut take = |ticket| state.outcomes.get_mut(ticket).and_then(Option::take);
            return Poll::Ready(tickets.clone().map(|at| take(at).unwrap_or(Err(Refusal::Closed))).collect());
        }
        let others = std::mem::take(&mut state.waiting).into_iter().filter(|(other, _)| other != tickets);
        state.waiting = others.chain([(tickets.clone(), context.waker().clone())]).collect();
        Poll::Pending
    }

    /// When this was asked first since the writer last said that no more come for now: by this clock, and the same for all
    /// who ask until more come.
    pub(super) fn answered_at(&self, clock: &dyn Clock) -> Duration {
        match self.answered_ns.load(Ordering::Relaxed) {
            0 => {
                let now = clock.monotonic();
                self.answered_ns.store(nanoseconds(now), Ordering::Relaxed);
                now
            }
            before => Duration::from_nanos(before),
        }
    }

    /// When the last of the requests was taken, by the engine's monotonic clock; zero if none was.
    pub(super) fn taken_at(&self) -> Duration {
        Duration::from_nanos(self.taken_ns.load(Ordering::Relaxed))
    }
}

impl Replies for Answers {
    fn reply(&self, ticket: u64, outcome: Outcome) {
        let Ok(ticket) = usize::try_from(ticket) else { return };
        let outcomes = &mut self.state().outcomes;
        // Mostly it is the next one.
        while outcomes.len() <= ticket {
            outcomes.push(None);
        }
        if let Some(place) = outcomes.get_mut(ticket) {
            *place = Some(outcome);
        }
    }

    fn taken(&self, at: Duration) {
        self.taken_ns.store(nanoseconds(at), Ordering::Relaxed);
    }

    fn flush(&self) {
        self.answered_ns.store(0, Ordering::Relaxed);
        let mut due = Few::default();
        {
            let mut state = self.state();
            for (tickets, waker) in std::mem::take(&mut state.waiting) {
                if state.has_all(&tickets) {
                    due.push(waker);
                } else {
                    state.waiting.push((tickets, waker));
                }
            }
        }
        due.into_iter().for_each(Waker::wake);
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::task::Wake;

    use strandline_log::clock::SimulatedClock;
    use strandline_log::engine::Done;
    use strandline_log::local_id::LocalId;

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn the_time_is_looked_at_once_for_answers_that_came_together() {
        let (answers, clock) = (Answers::default(), SimulatedClock::new(0));
        let at = |seconds: u32| {
            clock.advance(seconds * 1_000);
            answers.answered_at(&clock).as_secs()
        };
        assert_eq!([at(5), at(2), at(2)], [5, 5, 5]);
        // Of what was taken together, some takes longer.
        answers.flush();
        assert_eq!([at(1), at(2)], [10, 10]);
    }

    #[test]
    fn each_is_woken_when_its_own_are_there() {
        let answers = Arc::<Answers>::default();
        let commands = |count: u32| {
            (0..count).map(|number| Command::ListProducers { partition: LocalId(number.into()) })
        };
        let tickets = [0..1, 1..3];
        assert!(answers.requests(1, commands(2)).map(|request| request.ticket).eq([1, 2]));
        let woken = [(); 2].map(|()| Arc::<Woken>::default());
        let wakers = woken.each_ref().map(|woken| Waker::from(Arc::clone(woken)));
        let poll = |at: usize| answers.poll(&tickets[at], &mut Context::from_waker(&wakers[at]));
        let times = || woken.each_ref().map(|woken| woken.0.load(Ordering::Relaxed));
        // Whoever asks twice is woken once.
        assert!(poll(0).is_pending() && poll(1).is_pending() && poll(1).is_pending());
        answers.reply(2, Ok(Done::Changed));
        answers.flush();
        assert_eq!(times(), [0, 0]);
        answers.reply(0, Ok(Done::Changed));
        answers.flush();
        assert_eq!(times(), [1, 0]);
        assert!(matches!(poll(0), Poll::Ready(outcomes) if outcomes.len() == 1));
        assert!(poll(1).is_pending());
        answers.reply(1, Err(Refusal::Closed));
        answers.flush();
        assert_eq!(times(), [1, 1]);
        let Poll::Ready(outcomes) = poll(1) else { panic!("all are there") };
        let mut outcomes = outcomes.into_iter();
        assert!(matches!(outcomes.next(), Some(Err(Refusal::Closed))), "by ticket");
        assert!(matches!(outcomes.next(), Some(Ok(Done::Changed))));
    }
}
