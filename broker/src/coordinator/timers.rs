//! What is to happen when, of one shard.
//!
//! A timer that is put off, as a session is by each sign of life, costs one look-up: its place in the queue stays where
//! it was, and is moved when it comes up.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::hash::Hash;
use std::time::Duration;

/// A queue with this many places that nobody needs any more, beside as many as are needed, is made anew.
const USELESS_MAX: usize = 256;

#[derive(Clone, Copy, Debug)]
struct Timer {
    due: Duration,
    /// Its place in the queue that counts.
    queued: Duration,
}

/// Timers by what they are about, on a clock that nobody sets.
#[derive(Debug)]
pub(super) struct Timers<T: Ord> {
    /// Of no order: they are looked up at each sign of life.
    timers: HashMap<T, Timer>,
    queue: BinaryHeap<Reverse<(Duration, T)>>,
}

impl<T: Ord> Default for Timers<T> {
    fn default() -> Self {
        Self { timers: HashMap::new(), queue: BinaryHeap::new() }
    }
}

impl<T: Clone + Hash + Ord> Timers<T> {
    /// Has a timer go off then, and not when it was to before.
    pub(super) fn set(&mut self, timer: T, due: Duration) {
        let known = self.timers.get_mut(&timer);
        if let Some(known) = known.filter(|known| known.queued <= due) {
            known.due = due;
            return;
        }
        self.queue.push(Reverse((due, timer.clone())));
        self.timers.insert(timer, Timer { due, queued: due });
        self.tidy();
    }

    /// Has a timer not go off.
    pub(super) fn cancel(&mut self, timer: &T) {
        self.timers.remove(timer);
    }

    /// When to look again, at the earliest.
    pub(super) fn next(&self) -> Option<Duration> {
        self.queue.peek().map(|Reverse((due, _))| *due)
    }

    /// A timer that is due, if there is one. It is taken off.
    pub(super) fn pop(&mut self, now: Duration) -> Option<T> {
        while self.next().is_some_and(|next| next <= now) {
            let Reverse((queued, timer)) = self.queue.pop()?;
            let Some(known) = self.timers.get_mut(&timer).filter(|known| known.queued == queued) else {
                continue;
            };
            if known.due <= now {
                self.timers.remove(&timer);
                return Some(timer);
            }
            known.queued = known.due;
            self.queue.push(Reverse((known.due, timer)));
        }
        None
    }

    fn tidy(&mut self) {
        if self.queue.len() <= 2 * self.timers.len() + USELESS_MAX {
            return;
        }
        let places = self.timers.iter_mut().map(|(timer, known)| {
            known.queued = known.due;
            Reverse((known.due, timer.clone()))
        });
        self.queue = places.collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn timers_go_off_in_order_and_once() {
        let mut timers = Timers::default();
        for (timer, due) in [("b", 2), ("a", 1), ("c", 3)] {
            timers.set(timer, at(due));
        }
        assert_eq!(timers.next(), Some(at(1)));
        assert_eq!([timers.pop(at(2)), timers.pop(at(2)), timers.pop(at(2))], [Some("a"), Some("b"), None]);
        assert_eq!([timers.pop(at(9)), timers.pop(at(9))], [Some("c"), None]);
        assert_eq!(timers.next(), None);
    }

    #[test]
    fn one_that_is_set_again_goes_off_when_it_was_set_last() {
        let mut timers = Timers::default();
        timers.set("a", at(1));
        timers.set("a", at(5));
        assert_eq!(timers.pop(at(4)), None);
        timers.set("a", at(4));
        assert_eq!([timers.pop(at(4)), timers.pop(at(9))], [Some("a"), None]);
    }

    #[test]
    fn one_that_is_taken_back_does_not_go_off_and_can_be_set_again() {
        let mut timers = Timers::default();
        timers.set("a", at(1));
        timers.cancel(&"a");
        timers.set("a", at(3));
        assert_eq!(timers.pop(at(2)), None);
        assert_eq!([timers.pop(at(3)), timers.pop(at(9))], [Some("a"), None]);
    }

    #[test]
    fn signs_of_life_take_no_room() {
        let mut timers = Timers::default();
        for second in 1..10_000 {
            timers.set("a", at(second));
            timers.set("b", at(1_000_000 - second));
            timers.cancel(&"b");
        }
        assert!(timers.queue.len() <= USELESS_MAX + 4, "{}", timers.queue.len());
    }
}
