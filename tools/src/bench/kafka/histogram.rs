//! Durations counted by size, in room that does not grow: to within one part in 128 of each.

use std::time::Duration;

/// Bits that tell the buckets of one power of two apart.
const FINE_BITS: u32 = 7;
const FINE: u64 = 1 << FINE_BITS;

/// Counts of durations, in nanoseconds.
#[derive(Clone, Debug)]
pub(super) struct Histogram {
    counts: Vec<u64>,
    count: u64,
    sum: u128,
    greatest: u64,
}

impl Histogram {
    pub(super) fn new() -> Self {
        let buckets = usize::try_from(bucket(u64::MAX)).unwrap_or(0) + 1;
        Self { counts: vec![0; buckets], count: 0, sum: 0, greatest: 0 }
    }

    pub(super) fn add(&mut self, duration: Duration, times: u64) {
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let place = usize::try_from(bucket(nanoseconds)).ok();
        if let Some(count) = place.and_then(|place| self.counts.get_mut(place)) {
            *count += times;
        }
        self.count += times;
        self.sum += u128::from(nanoseconds) * u128::from(times);
        self.greatest = self.greatest.max(nanoseconds);
    }

    pub(super) fn clear(&mut self) {
        self.counts.fill(0);
        (self.count, self.sum, self.greatest) = (0, 0, 0);
    }

    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn mean(&self) -> Duration {
        let mean = self.sum.checked_div(u128::from(self.count)).unwrap_or(0);
        Duration::from_nanos(u64::try_from(mean).unwrap_or(u64::MAX))
    }

    pub(super) const fn max(&self) -> Duration {
        Duration::from_nanos(self.greatest)
    }

    /// What `thousandths` of all durations do not exceed.
    pub(super) fn quantile(&self, thousandths: u64) -> Duration {
        let rank = u128::from(self.count) * u128::from(thousandths);
        let rank = u64::try_from(rank.div_ceil(1_000)).unwrap_or(u64::MAX).max(1);
        let mut seen = 0;
        for (bucket, count) in (0u64..).zip(&self.counts) {
            seen += count;
            if seen >= rank {
                return Duration::from_nanos(top(bucket).min(self.greatest));
            }
        }
        self.max()
    }
}

/// Below 128 each number has its bucket; above, each power of two has 128.
const fn bucket(value: u64) -> u64 {
    let bits = u64::BITS - value.leading_zeros();
    if bits <= FINE_BITS + 1 {
        return value;
    }
    let shift = bits - FINE_BITS - 1;
    FINE * shift as u64 + (value >> shift)
}

/// The greatest value that falls into a bucket.
const fn top(bucket: u64) -> u64 {
    if bucket < 2 * FINE {
        return bucket;
    }
    let shift = bucket / FINE - 1;
    let fine = bucket % FINE + FINE;
    ((fine + 1) << shift).wrapping_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_follow_one_another_and_hold_what_falls_into_them() {
        let mut last = 0;
        for value in (0..100_000).chain([u64::MAX / 3, u64::MAX - 1, u64::MAX]) {
            let place = bucket(value);
            assert!(place >= last, "{value}");
            assert!(place - last <= 1 || value > 100_000, "{value} skips a bucket");
            assert!(value <= top(place) && top(place) - value <= value / 128, "{value}: {}", top(place));
            assert!(place == 0 || top(place - 1) < value, "{value} belongs to the bucket before");
            last = place;
        }
    }

    #[test]
    fn quantiles_are_those_of_the_values() {
        let mut histogram = Histogram::new();
        for micros in 1..=1_000 {
            histogram.add(Duration::from_micros(micros), 1);
        }
        for (thousandths, micros) in
            [(500, 500.0), (900, 900.0), (990, 990.0), (999, 999.0), (1_000, 1_000.0)]
        {
            let found = histogram.quantile(thousandths).as_secs_f64() * 1e6;
            assert!((found - micros).abs() <= micros / 128.0 + 0.001, "{thousandths}: {found}");
        }
        assert_eq!(histogram.max(), Duration::from_millis(1));
        assert_eq!(histogram.mean(), Duration::from_nanos(500_500));
        histogram.clear();
        assert_eq!((histogram.count(), histogram.quantile(500)), (0, Duration::ZERO));
    }

    #[test]
    fn many_at_once_count_as_many() {
        let mut histogram = Histogram::new();
        histogram.add(Duration::from_millis(1), 99);
        histogram.add(Duration::from_secs(1), 1);
        assert_eq!(histogram.count(), 100);
        assert!(histogram.quantile(990) < Duration::from_millis(2));
        assert!(histogram.quantile(999) > Duration::from_millis(990));
    }
}
