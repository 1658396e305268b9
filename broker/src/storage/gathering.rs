//! Commands of one connection on their way to the writer. Those that one turn of it begins go together: the writer is
//! woken once for all of them, and says in one place what became of each.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use strandline_log::clock::Clock;
use strandline_log::engine::{Command, Outcome, Request};

use super::Storage;
use super::answers::Answers;
use crate::few::Few;

/// What is gathered goes when it has so many bytes: the writer need not wait for the rest.
const GATHERED_BYTES_MAX: usize = 32 << 10;

/// Room for the commands that follow the first one of a turn.
const FOLLOWING_REQUESTS: usize = 63;

#[derive(Debug, Default)]
struct State {
    /// Those that the writer does not have yet, in their order.
    requests: VecDeque<Request>,
    bytes: usize,
    /// The next one.
    tickets: usize,
    /// Where the answers to these arrive. None while there are none: connections that ask nothing take up no more memory.
    answers: Option<Arc<Answers>>,
}

/// What one connection has begun and the writer does not have yet. Nobody else is in its way.
#[derive(Debug, Default)]
pub struct Gathering {
    state: Mutex<State>,
    waits_for_turn: bool,
}

impl Gathering {
    /// For whoever says when a turn ends, by [`Gathering::poll_in`]. By default each command goes at once.
    pub fn by_turns() -> Self {
        Self { waits_for_turn: true, ..Self::default() }
    }

    /// Whether somebody says when a turn ends.
    pub const fn is_by_turns(&self) -> bool {
        self.waits_for_turn
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes commands in, behind those that are here. The second says whether others may be begun: otherwise the
    /// writer has no room for these, and [`Gathering::poll_in`] comes first.
    pub fn add<C>(&self, storage: &Storage, commands: C) -> (Gathered, bool)
    where
        C: IntoIterator<Item = Command, IntoIter: ExactSizeIterator>,
    {
        let state = &mut *self.state();
        let answers = Arc::clone(state.answers.get_or_insert_default());
        let commands = commands.into_iter();
        let tickets = state.tickets..state.tickets + commands.len();
        state.tickets = tickets.end;
        let requests = answers.requests(tickets.start, commands);
        if state.requests.len() == 1 {
            // Where there are two there are many.
            state.requests.reserve(FOLLOWING_REQUESTS);
        }
        for request in requests {
            state.bytes += request.command.bytes();
            state.requests.push_back(request);
        }
        let gathered = Gathered { answers, tickets };
        let may_wait = self.waits_for_turn && state.bytes < GATHERED_BYTES_MAX;
        (gathered, may_wait || state.go_in(storage, None))
    }

    /// Gives the writer what it has room for now; whether that was all.
    pub fn try_in(&self, storage: &Storage) -> bool {
        self.state().go_in(storage, None)
    }

    /// Gives the writer what it has room for; done when it has all of them.
    pub fn poll_in(&self, storage: &Storage, context: &mut Context<'_>) -> Poll<()> {
        if self.state().go_in(storage, Some(context.waker())) { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl State {
    /// Gives the writer what it has room for; whether that was all. Otherwise this one is woken when it is worth trying again.
    fn go_in(&mut self, storage: &Storage, waker: Option<&Waker>) -> bool {
        if self.requests.is_empty() {
            return true;
        }
        match storage.mailbox.send_or_wake(&mut self.requests, waker) {
            Ok(true) => {}
            Ok(false) => return false,
            Err(_) => self.refuse(),
        }
        self.begin_anew();
        true
    }

    /// Nothing is taken any more.
    fn refuse(&mut self) {
        if let Some(answers) = &self.answers {
            answers.refuse(self.requests.drain(..));
        }
    }

    /// All of these have gone. What comes next is answered elsewhere.
    fn begin_anew(&mut self) {
        let Self { answers, .. } = std::mem::take(self);
        if let Some(answers) = answers {
            answers.set_in();
        }
    }
}

/// What the writer will say about commands that were gathered. Dropping it takes none of them back.
#[derive(Debug)]
pub struct Gathered {
    answers: Arc<Answers>,
    tickets: Range<usize>,
}

impl Gathered {
    /// One outcome for each command, in their order. If they have not gone yet, they do now: who waits here relies on
    /// nobody else for that.
    pub fn poll_answered(
        &self,
        gathering: &Gathering,
        storage: &Storage,
        context: &mut Context<'_>,
    ) -> Poll<Few<Outcome>> {
        if !self.answers.is_in() && gathering.poll_in(storage, context).is_pending() {
            return Poll::Pending;
        }
        self.answers.poll(&self.tickets, context)
    }

    /// When the answers that came together with these were looked at first.
    pub fn answered_at(&self, clock: &dyn Clock) -> Duration {
        self.answers.answered_at(clock)
    }

    /// When the writer took the last of those that went with these, by the engine's monotonic clock.
    pub fn taken_at(&self) -> Duration {
        self.answers.taken_at()
    }
}

#[cfg(test)]
mod tests {
    use strandline_log::engine::{Mailbox, MailboxOptions, Refusal};
    use strandline_log::local_id::LocalId;

    use super::*;

    fn storage(requests_max: usize) -> Storage {
        let options = MailboxOptions { requests_max, ..MailboxOptions::default() };
        Storage::new(Arc::new(Mailbox::new(options)), Default::default())
    }

    fn question(partition: u64) -> [Command; 1] {
        [Command::ListProducers { partition: LocalId(partition) }]
    }

    #[test]
    fn what_the_writer_has_no_room_for_stays_and_nothing_is_left_unanswered() {
        let (storage, gathering) = (storage(2), Gathering::default());
        let mut context = Context::from_waker(Waker::noop());
        let added: Vec<_> = (0..4).map(|number| gathering.add(&storage, question(number))).collect();
        assert!(added.iter().map(|(_, may_go_on)| *may_go_on).eq([true, true, false, false]));
        assert_eq!(storage.mailbox.waiting().0, 2);
        assert!(!gathering.try_in(&storage) && gathering.poll_in(&storage, &mut context).is_pending());
        storage.mailbox.close();
        for (gathered, _) in added.iter().skip(2) {
            let Poll::Ready(outcomes) = gathered.poll_answered(&gathering, &storage, &mut context) else {
                panic!("{gathered:?}");
            };
            assert!(matches!(outcomes.last(), Some(Err(Refusal::Closed))), "{outcomes:?}");
        }
        let (late, may_go_on) = gathering.add(&storage, question(4));
        assert!(may_go_on && late.poll_answered(&gathering, &storage, &mut context).is_ready());
    }

    #[test]
    fn a_turn_is_waited_for_but_by_what_is_large() {
        let (storage, gathering) = (storage(10_000), Gathering::by_turns());
        let mut context = Context::from_waker(Waker::noop());
        assert!(gathering.add(&storage, question(0)).1 && storage.mailbox.is_empty());
        assert!(gathering.poll_in(&storage, &mut context).is_ready());
        assert_eq!(storage.mailbox.waiting().0, 1);
        let large =
            Command::Create { description: vec![0; GATHERED_BYTES_MAX].into(), config: Arc::default() };
        assert!(gathering.add(&storage, [large]).1);
        assert_eq!(storage.mailbox.waiting().0, 2);
    }
}
