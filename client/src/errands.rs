//! What the tasks of producers and consumers have in common: they wait for what their errands bring, for a word of their
//! user, or for a time; and they keep the metadata fresh, without asking for it over and over.

use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use crate::backoff::Backoff;
use crate::cluster::Client;

/// Metadata older than this are asked for again.
const AGE_MAX: Duration = Duration::from_secs(300);
/// Whoever has not asked for so long asks for another reason.
const QUIET: Duration = Duration::from_secs(10);

/// What errands bring back. As many are under way as their owner sends out, each with one word.
pub(crate) struct Errands<E> {
    events: mpsc::UnboundedSender<E>,
    inbox: mpsc::UnboundedReceiver<E>,
}

impl<E> Errands<E> {
    pub(crate) fn new() -> Self {
        let (events, inbox) = mpsc::unbounded_channel();
        Self { events, inbox }
    }

    /// For an errand, to say what came of it.
    pub(crate) fn reply(&self) -> mpsc::UnboundedSender<E> {
        self.events.clone()
    }

    /// Waits until an errand is back, until it is woken, or until it is time. All that has come until then.
    pub(crate) async fn wait(&mut self, wake: &Notify, until: Instant) -> Vec<E> {
        let mut events = Vec::new();
        tokio::select! {
            event = self.inbox.recv() => events.extend(event),
            () = wake.notified() => {}
            () = tokio::time::sleep_until(until) => {}
        }
        while let Ok(event) = self.inbox.try_recv() {
            events.push(event);
        }
        events
    }
}

/// When to ask for the metadata.
pub(crate) struct Refreshing {
    backoff: Backoff,
    is_under_way: bool,
    refreshed_at: Instant,
}

impl Refreshing {
    pub(crate) fn new(client: &Client) -> Self {
        let backoff = client.config().new_backoff();
        Self { backoff, is_under_way: false, refreshed_at: Instant::now() }
    }

    /// When they will be too old.
    pub(crate) fn due_at(&self) -> Instant {
        self.refreshed_at + AGE_MAX
    }

    /// How long to wait before asking for them; none if somebody is asking already.
    pub(crate) fn begin(&mut self) -> Option<Duration> {
        if std::mem::replace(&mut self.is_under_way, true) {
            return None;
        }
        if self.refreshed_at.elapsed() > QUIET {
            self.backoff.reset();
        }
        Some(self.backoff.next_wait())
    }

    /// Whoever asked has an answer, or none.
    pub(crate) fn ended(&mut self) {
        self.is_under_way = false;
        self.refreshed_at = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn whatever_comes_first_ends_the_wait() {
        let mut errands = Errands::new();
        let wake = Notify::new();
        let (start, hour) = (Instant::now(), Duration::from_secs(3_600));
        assert!(errands.wait(&wake, start + hour).await.is_empty());
        assert!(start.elapsed() >= hour);
        wake.notify_one();
        assert!(errands.wait(&wake, Instant::now() + hour).await.is_empty());
        for number in 0..3 {
            errands.reply().send(number).unwrap();
        }
        assert_eq!(errands.wait(&wake, Instant::now() + hour).await, [0, 1, 2]);
        assert!(start.elapsed() < hour * 2);
    }
}
