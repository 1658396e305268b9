//! The memory that requests and answers of all connections may hold together.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What a request costs beside its bytes.
pub(super) const REQUEST_OVERHEAD_BYTES: usize = 2 << 10;

/// A part of the budget, given back when it is dropped.
pub(super) type Permit = OwnedSemaphorePermit;

/// What memory is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Purpose {
    /// A part of a request that may take long to come whole: as much as has come, and a few times that.
    Arriving,
    /// All of a request that is here, or on its way from somebody who has shown to mean it.
    Whole,
}

/// The memory of requests in flight. First come, first served, for each of two purposes: who has memory for all of
/// a request needs no more to complete it, and so those who only begin cannot take everything.
#[derive(Debug)]
pub(super) struct RequestBudget {
    arriving: Pool,
    whole: Pool,
    waiting: Arc<AtomicUsize>,
}

#[derive(Debug)]
struct Pool {
    bytes: Arc<Semaphore>,
    bytes_max: u32,
}

impl Pool {
    fn new(bytes_max: usize) -> Self {
        let bytes_max = u32::try_from(bytes_max).unwrap_or(u32::MAX);
        let bytes = usize::try_from(bytes_max).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        Self { bytes: Arc::new(Semaphore::new(bytes)), bytes_max }
    }

    /// Who wants more than there is altogether takes all of it.
    fn cost(&self, bytes: usize) -> u32 {
        u32::try_from(bytes).unwrap_or(u32::MAX).min(self.bytes_max)
    }
}

/// Waits for a part of the budget.
pub(super) struct PermitWait {
    permit: Pin<Box<dyn Future<Output = Option<Permit>> + Send>>,
    waiting: Arc<AtomicUsize>,
}

impl PermitWait {
    /// None if the budget is closed, which it never is.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Permit>> {
        self.permit.as_mut().poll(context)
    }
}

impl Drop for PermitWait {
    fn drop(&mut self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl RequestBudget {
    pub(super) fn new(bytes_max: usize) -> Self {
        let arriving = bytes_max / 4;
        Self {
            arriving: Pool::new(arriving),
            whole: Pool::new(bytes_max - arriving),
            waiting: Arc::default(),
        }
    }

    fn pool(&self, purpose: Purpose) -> &Pool {
        match purpose {
            Purpose::Arriving => &self.arriving,
            Purpose::Whole => &self.whole,
        }
    }

    /// Memory, if there is some and nobody waits for it.
    pub(super) fn try_take(&self, purpose: Purpose, bytes: usize) -> Option<Permit> {
        let pool = self.pool(purpose);
        Arc::clone(&pool.bytes).try_acquire_many_owned(pool.cost(bytes)).ok()
    }

    /// Waits for memory.
    pub(super) fn take(&self, purpose: Purpose, bytes: usize) -> PermitWait {
        let pool = self.pool(purpose);
        let permit = Arc::clone(&pool.bytes).acquire_many_owned(pool.cost(bytes));
        self.waiting.fetch_add(1, Ordering::Relaxed);
        PermitWait { permit: Box::pin(async { permit.await.ok() }), waiting: Arc::clone(&self.waiting) }
    }

    /// Whether somebody waits.
    pub(super) fn is_short(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }

    #[cfg(test)]
    pub(super) fn free_bytes(&self) -> usize {
        self.arriving.bytes.available_permits() + self.whole.bytes.available_permits()
    }
}

/// The memory of answers that are not sent. It can be overdrawn by one answer for each thread: how long an answer
/// is, is known when it is there.
#[derive(Debug)]
pub(super) struct AnswerBudget {
    used_bytes: AtomicUsize,
    bytes_max: usize,
    waiting: Mutex<Waiting>,
}

/// Who is to be woken when there is room again, and how often that has happened.
#[derive(Debug)]
struct Waiting {
    wakers: Vec<Waker>,
    round: u64,
}

impl AnswerBudget {
    pub(super) fn new(bytes_max: usize) -> Self {
        let waiting = Mutex::new(Waiting { wakers: Vec::new(), round: 1 });
        Self { used_bytes: AtomicUsize::new(0), bytes_max, waiting }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_room(&self) -> bool {
        self.used_bytes.load(Ordering::SeqCst) < self.bytes_max
    }

    /// Whether another request may be begun; who may not is woken when that changes. `round` is the caller's, from
    /// call to call, and zero at first: nobody waits twice.
    pub(super) fn poll_room(&self, context: &Context<'_>, round: &mut u64) -> bool {
        if self.has_room() {
            return true;
        }
        let mut waiting = self.waiting();
        // Looked at again under the lock that is taken after giving back: no wake-up is lost.
        if self.has_room() {
            return true;
        }
        if *round != waiting.round {
            *round = waiting.round;
            waiting.wakers.push(context.waker().clone());
        }
        false
    }

    pub(super) fn take(&self, bytes: usize) {
        self.used_bytes.fetch_add(bytes, Ordering::SeqCst);
    }

    pub(super) fn give_back(&self, bytes: usize) {
        let before = self.used_bytes.fetch_sub(bytes, Ordering::SeqCst);
        if before >= self.bytes_max && before - bytes < self.bytes_max {
            let wakers = {
                let mut waiting = self.waiting();
                waiting.round += 1;
                std::mem::take(&mut waiting.wakers)
            };
            wakers.into_iter().for_each(Waker::wake);
        }
    }

    /// Whether somebody waits.
    pub(super) fn is_short(&self) -> bool {
        !self.has_room()
    }

    #[cfg(test)]
    pub(super) fn used_bytes(&self) -> usize {
        self.used_bytes.load(Ordering::SeqCst)
    }
}
