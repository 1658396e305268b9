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

/// Requests up to this wait behind nobody who wants a lot: it is the first step of a buffer that grows.
pub(super) const SMALL_BYTES_MAX: usize = 64 << 10;

/// What memory is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Purpose {
    /// A request that is here, in the little memory that every connection may have.
    Here,
    /// All of a small request that is on its way.
    Small,
    /// The first part of a large request, which may take long to come whole.
    Beginning,
    /// All of a large request that is on its way from somebody who has shown to mean it.
    Whole,
}

/// The memory of requests in flight, in three pools, each first come, first served. Who has memory for all of a request
/// needs no more to complete it; who has some for the beginning of one waits for all of it, and never for more of the
/// same. So nobody waits for somebody who waits for them.
#[derive(Debug)]
pub(super) struct RequestBudget {
    /// For beginnings. As nobody waits here for more than a little, those who want little get it soon.
    arriving: Pool,
    whole: Pool,
    /// For what is here and could be answered, if everything else is taken.
    reserve: Pool,
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

    fn try_take(&self, bytes: usize) -> Option<Permit> {
        Arc::clone(&self.bytes).try_acquire_many_owned(self.cost(bytes)).ok()
    }

    fn take(&self, bytes: usize) -> Taking {
        let permit = Arc::clone(&self.bytes).acquire_many_owned(self.cost(bytes));
        Box::pin(async { permit.await.ok() })
    }
}

/// None if the budget is closed, which it never is.
type Taking = Pin<Box<dyn Future<Output = Option<Permit>> + Send>>;

/// Waits for a part of the budget.
pub(super) struct PermitWait {
    permit: Taking,
    /// Where there may be some as well.
    other: Option<Taking>,
    waiting: Arc<AtomicUsize>,
}

impl PermitWait {
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Permit>> {
        match (self.permit.as_mut().poll(context), &mut self.other) {
            (Poll::Pending, Some(other)) => other.as_mut().poll(context),
            (permit, _) => permit,
        }
    }
}

impl Drop for PermitWait {
    fn drop(&mut self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl RequestBudget {
    pub(super) fn new(bytes_max: usize) -> Self {
        let (arriving, reserve) = (bytes_max / 16 * 3, bytes_max / 16);
        Self {
            arriving: Pool::new(arriving),
            whole: Pool::new(bytes_max - arriving - reserve),
            reserve: Pool::new(reserve),
            waiting: Arc::default(),
        }
    }

    /// Where there may be memory for it.
    fn pools(&self, purpose: Purpose) -> (&Pool, Option<&Pool>) {
        match purpose {
            Purpose::Here => (&self.whole, Some(&self.reserve)),
            Purpose::Small => (&self.whole, Some(&self.arriving)),
            Purpose::Beginning => (&self.arriving, None),
            Purpose::Whole => (&self.whole, None),
        }
    }

    /// Memory, if there is some and nobody waits for it.
    pub(super) fn try_take(&self, purpose: Purpose, bytes: usize) -> Option<Permit> {
        let (pool, other) = self.pools(purpose);
        pool.try_take(bytes).or_else(|| other?.try_take(bytes))
    }

    /// Waits for memory, wherever there is some first.
    pub(super) fn take(&self, purpose: Purpose, bytes: usize) -> PermitWait {
        let (pool, other) = self.pools(purpose);
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let other = other.map(|pool| pool.take(bytes));
        PermitWait { permit: pool.take(bytes), other, waiting: Arc::clone(&self.waiting) }
    }

    /// More memory for what has begun, if there is so much that a part of it stays for other beginnings.
    pub(super) fn try_grow(&self, bytes: usize) -> Option<Permit> {
        let Pool { bytes: free, bytes_max } = &self.arriving;
        let left = free.available_permits().checked_sub(bytes)?;
        let is_enough = left >= usize::try_from(*bytes_max).unwrap_or(usize::MAX) / 4;
        is_enough.then(|| self.arriving.try_take(bytes)).flatten()
    }

    /// Whether somebody waits.
    pub(super) fn is_short(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }

    #[cfg(test)]
    pub(super) fn free_bytes(&self) -> usize {
        [&self.arriving, &self.whole, &self.reserve].map(|pool| pool.bytes.available_permits()).iter().sum()
    }
}

/// The memory of one request.
#[derive(Debug)]
pub(super) enum Memory {
    Own(Permit),
    /// So many bytes of its connection's change.
    Change(usize),
}

impl Memory {
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Own(permit) => permit.num_permits(),
            Self::Change(bytes) => *bytes,
        }
    }
}

/// Memory that small requests of one connection share: taken once for those that came together. What they have given
/// back goes to others when the connection's turn ends.
#[derive(Debug, Default)]
pub(super) struct Change {
    held: Option<Permit>,
    used_bytes: usize,
}

impl Change {
    fn held_bytes(&self) -> usize {
        self.held.as_ref().map_or(0, Permit::num_permits)
    }

    /// Memory for a request that is here, as one of those that take so much together. None if there is none, or
    /// somebody waits for some: nobody is passed.
    pub(super) fn try_take(
        &mut self,
        budget: &RequestBudget,
        bytes: usize,
        bytes_together: usize,
    ) -> Option<Memory> {
        if budget.is_short() {
            return None;
        }
        if self.held_bytes() < self.used_bytes + bytes {
            let more = budget
                .whole
                .try_take(bytes_together.max(bytes))
                .filter(|more| more.num_permits() >= bytes)?;
            match &mut self.held {
                Some(held) => held.merge(more),
                None => self.held = Some(more),
            }
        }
        self.used_bytes += bytes;
        Some(Memory::Change(bytes))
    }

    /// Requests that had so much of it are answered. Others get what is not used.
    pub(super) fn settle(&mut self, given_back_bytes: usize) {
        self.used_bytes = self.used_bytes.saturating_sub(given_back_bytes);
        let spare_bytes = self.held_bytes().saturating_sub(self.used_bytes);
        if spare_bytes > 0 {
            drop(self.held.as_mut().and_then(|held| held.split(spare_bytes)));
        }
    }
}

/// The memory of answers that are not sent. It can be overdrawn by one answer for each thread, and a few
/// that are short: how long an answer is, is known when it is there.
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
