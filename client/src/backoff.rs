//! How long to wait before the next attempt: longer each time, and never the same for all clients.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// Waits that double from a least to a greatest, each cut by a random fifth, so that clients that lost the same
/// broker at the same moment do not come back at the same moment.
///
/// ```
/// use std::time::Duration;
/// use strandline_client::Backoff;
///
/// let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(1));
/// let first = backoff.next_wait();
/// assert!(first >= Duration::from_millis(40) && first <= Duration::from_millis(50));
/// for _ in 0..20 {
///     assert!(backoff.next_wait() <= Duration::from_secs(1));
/// }
/// backoff.reset();
/// assert!(backoff.next_wait() <= Duration::from_millis(50));
/// ```
#[derive(Clone, Debug)]
pub struct Backoff {
    least: Duration,
    greatest: Duration,
    attempts: u32,
    // A xorshift: the jitter has to differ between clients, not to be secret.
    state: u64,
}

impl Backoff {
    /// Waits from `least` to `greatest`.
    ///
    /// ```
    /// # use std::time::Duration;
    /// assert!(strandline_client::Backoff::new(Duration::ZERO, Duration::ZERO).next_wait().is_zero());
    /// ```
    pub fn new(least: Duration, greatest: Duration) -> Self {
        // The standard library's hashers are keyed at random: enough for a seed, and no dependency.
        let seed = RandomState::new().hash_one(0u8) | 1;
        Self { least, greatest: greatest.max(least), attempts: 0, state: seed }
    }

    /// The wait before the next attempt.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let mut backoff = strandline_client::Backoff::new(Duration::from_secs(1), Duration::from_secs(8));
    /// backoff.next_wait();
    /// assert!(backoff.next_wait() > Duration::from_secs(1), "the second one is longer");
    /// ```
    pub fn next_wait(&mut self) -> Duration {
        let factor = 1u32.checked_shl(self.attempts.min(20)).unwrap_or(u32::MAX);
        self.attempts = self.attempts.saturating_add(1);
        let whole = self.least.saturating_mul(factor).min(self.greatest);
        whole.saturating_sub(whole / 5 / 1_024 * self.random_below_1024())
    }

    /// Starts again from the least wait: something succeeded.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # let mut backoff = strandline_client::Backoff::new(Duration::from_secs(1), Duration::from_secs(8));
    /// backoff.next_wait();
    /// backoff.reset();
    /// assert!(backoff.next_wait() <= Duration::from_secs(1));
    /// ```
    pub const fn reset(&mut self) {
        self.attempts = 0;
    }

    fn random_below_1024(&mut self) -> u32 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        u32::try_from(self.state >> 54).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_greatest_and_differ() {
        let (least, greatest) = (Duration::from_millis(100), Duration::from_secs(5));
        let mut backoff = Backoff::new(least, greatest);
        let waits: Vec<_> = (0..40).map(|_| backoff.next_wait()).collect();
        for (attempt, wait) in (0u32..).zip(&waits) {
            let whole = (least * (1 << attempt.min(10))).min(greatest);
            assert!(*wait <= whole && *wait >= whole * 4 / 5, "{attempt}: {wait:?} of {whole:?}");
        }
        let mut late = waits[10..].to_vec();
        late.dedup();
        assert!(late.len() > 20, "the waits are not random");
    }
}
