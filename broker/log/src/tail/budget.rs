//! How much memory tails take.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The default bound, for all tails of a process.
pub const BUDGET_BYTES_MAX: u64 = 64 << 20;

/// A bound on memory, counted in whole allocations. Clones are the same budget.
///
/// An allocation counts from when it is kept until nobody refers to it any more: one that was evicted and is
/// still being sent to a slow consumer is memory as well.
#[derive(Clone, Debug)]
pub struct Budget {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    bytes_max: u64,
    used_bytes: AtomicU64,
}

impl Default for Budget {
    fn default() -> Self {
        Self::new(BUDGET_BYTES_MAX)
    }
}

impl Budget {
    /// A budget of so many bytes.
    pub fn new(bytes_max: u64) -> Self {
        Self { shared: Arc::new(Shared { bytes_max, used_bytes: AtomicU64::new(0) }) }
    }

    /// What may be used.
    pub fn bytes_max(&self) -> u64 {
        self.shared.bytes_max
    }

    /// What is used.
    pub fn used_bytes(&self) -> u64 {
        self.shared.used_bytes.load(Ordering::Relaxed)
    }

    /// Takes so many bytes, if they are left.
    pub(super) fn charge(&self, bytes: usize) -> Option<Charge> {
        let bytes = bytes as u64;
        let after = |used: u64| used.checked_add(bytes).filter(|after| *after <= self.shared.bytes_max);
        // The number alone is shared: it guards no other memory, so its order against other memory is free.
        let taken = self.shared.used_bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, after);
        taken.ok().map(|_| Charge { budget: self.clone(), bytes })
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
    use super::Budget;

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
}
