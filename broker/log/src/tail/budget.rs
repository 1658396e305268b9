//! How much memory tails take.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};

use crate::journal::BufferPool;

/// The default bound, for all tails of a process.
pub const BUDGET_BYTES_MAX: u64 = 64 << 20;

/// Beside what tails keep there is a group that forms and one that is being written.
const GROUPS_BYTES_MAX: u64 = 8 << 20;

/// What whoever was given no other takes memory from.
static OF_PROCESS: LazyLock<Budget> = LazyLock::new(|| Budget::new(BUDGET_BYTES_MAX));

/// A bound on memory, counted in whole allocations. Clones are the same budget.
///
/// An allocation counts from when it is kept until nobody refers to it any more: one that was evicted and is
/// still being sent to a slow consumer is memory as well.
///
/// All that share a budget are one when it comes to what has to go: what was kept first, whoever keeps it. They share the
/// pool as well that their frames come from, so that there is one bound on the memory that nobody uses at the moment.
#[derive(Clone, Debug)]
pub struct Budget {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    bytes_max: u64,
    used_bytes: AtomicU64,
    /// How much was ever kept. What has the smaller number was kept earlier, by whomever.
    kept: AtomicU64,
    keepers: Mutex<Vec<Weak<dyn Keeper>>>,
    buffers: BufferPool,
}

/// Who keeps memory of a budget, and gives it up for others. All of it may be asked by any thread.
pub(super) trait Keeper: fmt::Debug + Send + Sync {
    /// When that was kept which would go next: the number that [`Budget::next_age`] gave.
    fn oldest_age(&self) -> Option<u64>;

    /// Gives up what was kept first, if anything is.
    fn evict_oldest(&self);

    /// Gives up what it has taken ahead for what is to come.
    fn give_up_spare(&self);
}

impl Default for Budget {
    /// The one that the whole process has.
    fn default() -> Self {
        OF_PROCESS.clone()
    }
}

impl Budget {
    /// A budget of so many bytes.
    pub fn new(bytes_max: u64) -> Self {
        let (used_bytes, kept, keepers) = (AtomicU64::new(0), AtomicU64::new(0), Mutex::default());
        let pool_bytes = usize::try_from(bytes_max.saturating_add(GROUPS_BYTES_MAX)).unwrap_or(usize::MAX);
        let buffers = BufferPool::new(pool_bytes);
        Self { shared: Arc::new(Shared { bytes_max, used_bytes, kept, keepers, buffers }) }
    }

    /// Where frames that are to be kept take their memory from, and bring it back to.
    pub fn buffers(&self) -> &BufferPool {
        &self.shared.buffers
    }

    /// What may be used.
    pub fn bytes_max(&self) -> u64 {
        self.shared.bytes_max
    }

    /// What is used.
    pub fn used_bytes(&self) -> u64 {
        self.shared.used_bytes.load(Ordering::Relaxed)
    }

    /// Makes somebody known who keeps memory of it. He is forgotten when he is gone.
    pub(super) fn add_keeper(&self, keeper: Weak<dyn Keeper>) {
        let mut keepers = self.keepers();
        keepers.retain(|keeper| keeper.strong_count() > 0);
        keepers.push(keeper);
    }

    /// What tells when something was kept from when anything else was.
    pub(super) fn next_age(&self) -> u64 {
        // The number alone is shared: it guards no other memory, so its order against other memory is free.
        self.shared.kept.fetch_add(1, Ordering::Relaxed)
    }

    /// Takes so many bytes, and evicts for them what was kept first, by whomever, as far as needed. None where
    /// even that is not enough, since readers hold the rest; nothing is evicted for what can never fit.
    pub(super) fn charge_evicting(&self, bytes: usize) -> Option<Charge> {
        if bytes as u64 > self.bytes_max() {
            return None;
        }
        loop {
            if let Some(charge) = self.charge(bytes) {
                return Some(charge);
            }
            if !self.evict_oldest() {
                break;
            }
        }
        for keeper in self.keepers().iter().filter_map(Weak::upgrade) {
            keeper.give_up_spare();
        }
        self.charge(bytes)
    }

    /// Takes so many bytes, if they are left.
    fn charge(&self, bytes: usize) -> Option<Charge> {
        let bytes = bytes as u64;
        let after = |used: u64| used.checked_add(bytes).filter(|after| *after <= self.shared.bytes_max);
        let taken = self.shared.used_bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, after);
        taken.ok().map(|_| Charge { budget: self.clone(), bytes })
    }

    /// Lets what was kept first go, whoever keeps it; false if nobody keeps anything.
    fn evict_oldest(&self) -> bool {
        let oldest = {
            let keepers = self.keepers();
            let keepers = keepers.iter().filter_map(Weak::upgrade);
            keepers.filter_map(|keeper| Some((keeper.oldest_age()?, keeper))).min_by_key(|(age, _)| *age)
        };
        // Where he has forgotten it meanwhile, something else of his goes, or it is looked again.
        oldest.is_some_and(|(_, keeper)| {
            keeper.evict_oldest();
            true
        })
    }

    fn keepers(&self) -> MutexGuard<'_, Vec<Weak<dyn Keeper>>> {
        self.shared.keepers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes that were taken from a budget. They go back when this is dropped.
#[derive(Debug)]
pub(super) struct Charge {
    budget: Budget,
    bytes: u64,
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.budget.shared.used_bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::{BUDGET_BYTES_MAX, Budget};

    #[test]
    fn what_is_taken_comes_back_and_no_more_is_taken_than_there_is() {
        let budget = Budget::new(10);
        let first = budget.charge(7).unwrap();
        assert!(budget.charge(4).is_none() && budget.charge(usize::MAX).is_none());
        let second = budget.charge(3).unwrap();
        assert_eq!(budget.used_bytes(), 10);
        drop(first);
        assert_eq!(budget.used_bytes(), 3);
        drop(second);
        assert_eq!(budget.used_bytes(), 0);
    }

    #[test]
    fn who_is_given_none_has_that_of_the_process() {
        let (one, other) = (Budget::default(), Budget::default());
        assert!(std::sync::Arc::ptr_eq(&one.shared, &other.shared));
        assert_eq!(one.bytes_max(), BUDGET_BYTES_MAX);
    }
}
