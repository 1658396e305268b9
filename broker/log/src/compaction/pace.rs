//! How fast a round may go.

use std::time::Duration;

/// What a round asks between two pieces of work.
pub trait Pace {
    /// Called after so many bytes were read or written. It may take its time, and says whether to go on.
    fn goes_on(&mut self, bytes: u64) -> bool;
}

/// As fast as it goes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unlimited;

impl Pace for Unlimited {
    fn goes_on(&mut self, _bytes: u64) -> bool {
        true
    }
}

/// Works out how long to wait so that no more than so many bytes go by in a second. Whoever uses it does the waiting,
/// by whatever clock there is.
#[derive(Clone, Copy, Debug)]
pub struct Throttle {
    bytes_per_second: u64,
    /// When the bytes that have gone by would have been allowed to.
    due: Duration,
}

impl Throttle {
    /// Time that was not used is made up for as far as this, and no further: who did nothing for an hour does not
    /// take the whole disk afterwards.
    const SAVED_MAX: Duration = Duration::from_millis(100);

    /// No more than this in a second; of zero, one byte.
    pub fn new(bytes_per_second: u64) -> Self {
        Self { bytes_per_second: bytes_per_second.max(1), due: Duration::ZERO }
    }

    /// From now on no more than this. What went by before counts no more if it was held against another rate.
    pub fn set_rate(&mut self, bytes_per_second: u64) {
        let bytes_per_second = bytes_per_second.max(1);
        if bytes_per_second != self.bytes_per_second {
            *self = Self { bytes_per_second, due: Duration::ZERO };
        }
    }

    /// Counts bytes that went by at a time, and says how long to wait before the next.
    pub fn delay(&mut self, bytes: u64, now: Duration) -> Duration {
        let nanoseconds = u128::from(bytes) * 1_000_000_000 / u128::from(self.bytes_per_second);
        let taken = Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX));
        self.due = self.due.max(now.saturating_sub(Self::SAVED_MAX)).saturating_add(taken);
        self.due.saturating_sub(now)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Throttle;
    use crate::random::Random;

    #[test]
    fn no_more_goes_by_than_allowed_and_hardly_less() {
        for seed in 0..100 {
            let mut random = Random::from_seed(seed);
            let rate = 1 + random.below(1 << 30);
            let mut throttle = Throttle::new(rate);
            let start = Duration::from_secs(random.below(1_000));
            let (mut now, mut total) = (start, 0);
            for _ in 0..1_000 {
                let bytes = random.below(1 << 22);
                now += throttle.delay(bytes, now);
                total += bytes;
                // Work takes time as well, but less than it may.
                now += Duration::from_nanos(random.below(1_000));
            }
            let expected = Duration::from_secs_f64(total as f64 / rate as f64);
            let passed = now - start + Throttle::SAVED_MAX;
            assert!(passed + Duration::from_millis(1) >= expected, "{passed:?} of {expected:?}");
            assert!(now - start <= expected + Duration::from_millis(1), "{passed:?} of {expected:?}");
        }
    }

    #[test]
    fn time_that_was_not_used_does_not_add_up() {
        let mut throttle = Throttle::new(1_000);
        assert_eq!(throttle.delay(1_000, Duration::from_secs(3_600)), Duration::from_millis(900));
        assert_eq!(throttle.delay(0, Duration::from_secs(7_200)), Duration::ZERO);
        assert_eq!(throttle.delay(1_000, Duration::from_secs(7_200)), Duration::from_millis(900));
    }

    #[test]
    fn another_rate_owes_nothing_for_the_last_and_the_same_one_does() {
        let mut throttle = Throttle::new(1_000);
        assert_eq!(throttle.delay(1_100, Duration::from_secs(1)), Duration::from_secs(1));
        throttle.set_rate(1_000);
        assert_eq!(throttle.delay(1_000, Duration::from_secs(1)), Duration::from_secs(2));
        throttle.set_rate(500);
        assert_eq!(throttle.delay(550, Duration::from_secs(1)), Duration::from_secs(1));
    }

    #[test]
    fn no_rate_is_no_reason_to_panic() {
        assert!(Throttle::new(0).delay(u64::MAX, Duration::MAX) <= Duration::MAX);
        assert_eq!(Throttle::new(u64::MAX).delay(1 << 40, Duration::from_secs(1)), Duration::ZERO);
    }
}
