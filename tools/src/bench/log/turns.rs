//! Ways to do the same work that take turns, and what each of them took.

use std::time::{Duration, Instant};

use super::Outcome;
use super::machine::processor_time;
use super::report::Spread;
use crate::progress::{Far, Progress};

/// One turn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    bytes: u64,
    time: Duration,
    /// What the process took of the processors, in the kernel and outside.
    processor: Duration,
}

impl Sample {
    /// Measures what moves so many bytes as it returns.
    pub(super) fn take(work: impl FnOnce() -> Outcome<u64>) -> Outcome<Self> {
        let processor = processor_time()?;
        let start = Instant::now();
        let bytes = work()?;
        let time = start.elapsed();
        Ok(Self { bytes, time, processor: processor_time()?.saturating_sub(processor) })
    }

    pub(super) fn megabytes_per_second(&self) -> f64 {
        float(self.bytes) / 1e6 / self.time.as_secs_f64()
    }

    pub(super) fn processor_seconds_per_gigabyte(&self) -> f64 {
        self.processor.as_secs_f64() / (float(self.bytes) / 1e9)
    }
}

/// The rates of some turns.
pub(super) fn rates(samples: &[Sample]) -> Vec<f64> {
    samples.iter().map(Sample::megabytes_per_second).collect()
}

/// What some turns took of the processors.
pub(super) fn processor_spread(samples: &[Sample]) -> Spread {
    let seconds: Vec<f64> = samples.iter().map(Sample::processor_seconds_per_gigabyte).collect();
    Spread::of(&seconds)
}

/// One of several ways to do the same work; it says how many bytes it moved.
pub(super) type Way<'a> = &'a mut dyn FnMut() -> Outcome<u64>;

/// Lets ways take turns, there and back, so that none always follows the same one.
pub(super) fn take_turns<const N: usize>(rounds: usize, mut ways: [Way<'_>; N]) -> Outcome<[Vec<Sample>; N]> {
    let mut samples = [const { Vec::new() }; N];
    let mut progress = Progress::new(true);
    for round in 0..rounds {
        progress.tell(|| Far::rounds(round, rounds, format!("round {} of {rounds}", round + 1)));
        let mut turns: Vec<_> = ways.iter_mut().zip(&mut samples).collect();
        if round % 2 == 1 {
            turns.reverse();
        }
        for (way, samples) in turns {
            samples.push(Sample::take(way)?);
        }
    }
    Ok(samples)
}

/// How long single operations took.
#[derive(Debug)]
pub(super) struct Latencies {
    times: Vec<Duration>,
}

impl Latencies {
    pub(super) const fn new() -> Self {
        Self { times: Vec::new() }
    }

    pub(super) fn add(&mut self, time: Duration) {
        self.times.push(time);
    }

    pub(super) fn time<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = work();
        self.add(start.elapsed());
        result
    }

    /// In microseconds, what `per_mille` of a thousand stay below.
    pub(super) fn quantile_us(&self, per_mille: usize) -> f64 {
        let mut times = self.times.clone();
        times.sort_unstable();
        let index = times.len().saturating_sub(1) * per_mille / 1_000;
        times.get(index).map_or(f64::NAN, |time| time.as_secs_f64() * 1e6)
    }
}

#[expect(clippy::cast_precision_loss, reason = "for figures that are read by people")]
pub(super) fn float(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::{Latencies, take_turns};

    #[test]
    fn ways_take_turns_there_and_back() {
        let order = RefCell::new(String::new());
        let way = |name: char| {
            order.borrow_mut().push(name);
            Ok(1)
        };
        let samples = take_turns(3, [&mut || way('a'), &mut || way('b')]).unwrap();
        assert_eq!(order.borrow().as_str(), "abbaab");
        assert!(samples.iter().all(|samples| samples.len() == 3));
    }

    #[test]
    fn a_quantile_is_one_of_the_times() {
        let mut latencies = Latencies::new();
        for _ in 0..3 {
            latencies.time(|| ());
        }
        assert!(latencies.quantile_us(0) <= latencies.quantile_us(500));
        assert!(latencies.quantile_us(999) <= latencies.quantile_us(1_000));
    }
}
