//! Who sleeps: readers until a log goes on, senders until there is room, those who asked until they are answered. Each
//! is woken.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Waker;

use super::super::super::{Closed, Partition as Handle, Request, UpTo};
use super::super::Sleeper;
use super::model::Sent;
use super::{Simulation, Violation};

const READERS_MAX: usize = 6;

/// Somebody who waits for a log to go on.
pub(super) struct Reader {
    number: u64,
    handle: Arc<Handle>,
    beyond: i64,
    up_to: UpTo,
    sleeper: Arc<Sleeper>,
}

/// Somebody who waits for room in the mailbox.
pub(super) struct Sender {
    requests: VecDeque<Request>,
    sent: Sent,
    sleeper: Arc<Sleeper>,
}

impl Reader {
    fn is_due(&self) -> bool {
        self.handle.is_deleted() || self.handle.offsets().limit(self.up_to) > self.beyond
    }

    pub(super) fn waker(&self) -> Waker {
        Arc::clone(&self.sleeper).into()
    }

    pub(super) fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Simulation {
    /// Lets somebody wait for a log to go on, or one of them give up.
    pub(super) fn wait(&mut self) -> Result<(), Violation> {
        if self.readers_waiting.len() == READERS_MAX {
            let reader = self.readers_waiting.remove(0);
            reader.handle.stop_waking(&reader.waker());
        }
        let known = self.model.known();
        if known.is_empty() {
            return Ok(());
        }
        let number = known[self.random.index(known.len())];
        let (beyond, up_to) = (self.offset_near(number), self.up_to());
        let Some(handle) = self.model.partitions[&number].handle.clone() else { return Ok(()) };
        let reader = Reader { number, handle, beyond, up_to, sleeper: Arc::default() };
        let waits = reader.handle.wake_when_beyond(beyond, up_to, reader.waker());
        if waits == reader.is_due() {
            return Err(format!("waits for more than {beyond} of {number}: {waits}"));
        }
        self.readers_waiting.extend(waits.then_some(reader));
        Ok(())
    }

    /// Whoever waited for something that has happened has been told.
    pub(super) fn check_sleepers(&mut self) -> Result<(), Violation> {
        if self.answers.is_waking_due() {
            return Err("answers were given, and nobody was woken".to_owned());
        }
        let overslept = self.readers_waiting.iter().find(|one| one.is_due() && !one.sleeper.is_awake());
        if let Some(Reader { number, beyond, up_to, .. }) = overslept {
            return Err(format!("nobody woke who waits for {beyond} of {number} ({up_to:?})"));
        }
        let before = self.readers_waiting.len();
        self.readers_waiting.retain(|reader| !reader.sleeper.is_awake());
        if self.readers_waiting.len() < before {
            self.reach("reader that was woken");
        }
        self.send_again()
    }

    /// Lets a request wait for room.
    pub(super) fn send_later(&mut self, request: Request, sent: Sent) {
        if self.sender_waiting.is_none() {
            let sender =
                Sender { requests: VecDeque::from([request]), sent, sleeper: Arc::<Sleeper>::default() };
            self.try_again(sender);
        }
    }

    fn send_again(&mut self) -> Result<(), Violation> {
        match self.sender_waiting.take_if(|sender| sender.sleeper.is_awake()) {
            Some(sender) => {
                self.reach("sender that was woken");
                self.try_again(sender);
            }
            None if self.sender_waiting.is_some() && self.sent.is_empty() && !self.has_failed() => {
                return Err("nobody woke who waits for room".to_owned());
            }
            None => {}
        }
        Ok(())
    }

    fn try_again(&mut self, mut sender: Sender) {
        sender.sleeper = Arc::default();
        let waker = Waker::from(Arc::clone(&sender.sleeper));
        match self.writer().mailbox().send_or_wake(&mut sender.requests, Some(&waker)) {
            Ok(true) => self.sent.push_back(sender.sent),
            Ok(false) => self.sender_waiting = Some(sender),
            Err(Closed) => {}
        }
    }
}
