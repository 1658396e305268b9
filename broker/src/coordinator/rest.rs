//! Where a shard's machine lies while there is nothing to do. Whoever comes with a sign of life has it heeded there, and
//! wakes nobody up: a heartbeat that changes nothing costs no turn of the shard's task.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use strandline_log::clock::Clock;
use strandline_state::coordinator::{Heeded, Machine};

use super::serving::Serving;

/// The place, which the shard's task and all who ask share.
pub(super) struct Rest<M: Machine>(Arc<Mutex<Resting<M>>>);

struct Resting<M: Machine> {
    /// The machine, if it is here: then all that was taken from the inbox is done, and durable.
    serving: Option<Box<Serving<M>>>,
    /// The shard's task, which waits for the machine's timers.
    waker: Option<Waker>,
}

impl<M: Machine> Clone for Rest<M> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<M: Machine> Default for Rest<M> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Resting { serving: None, waker: None })))
    }
}

impl<M: Machine> Rest<M> {
    fn lock(&self) -> MutexGuard<'_, Resting<M>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lays the machine down. Its task is woken when a timer is to go off earlier than it was to.
    pub(super) fn put(&self, serving: Box<Serving<M>>, waker: &Waker) {
        let mut resting = self.lock();
        resting.serving = Some(serving);
        match &mut resting.waker {
            Some(known) => known.clone_from(waker),
            None => resting.waker = Some(waker.clone()),
        }
    }

    /// Takes it up again.
    pub(super) fn take(&self) -> Option<Box<Serving<M>>> {
        self.lock().serving.take()
    }

    /// What a sign of life comes to, if the machine is here, and it changes nothing but a timer.
    pub(super) fn heed(&self, clock: &dyn Clock, now: Duration, sign: M::Sign<'_>) -> Option<M::Reply> {
        let mut resting = self.lock();
        let Resting { serving, waker } = &mut *resting;
        let serving = serving.as_mut()?;
        let now_ms = clock.wall_ms();
        let Heeded { reply, timer } = serving.machine.heed(now, now_ms, sign)?;
        if let Some((timer, due_ms)) = timer {
            let before = serving.timers.next();
            serving.set_timer(timer, now, due_ms.saturating_sub(now_ms));
            let is_earlier = before.is_none_or(|before| serving.timers.next() < Some(before));
            if is_earlier && let Some(waker) = waker {
                waker.wake_by_ref();
            }
        }
        Some(reply)
    }
}
