//! Compacting a log, one step at a time, on a thread that nobody waits for.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::read::Sources;
use crate::clock::Clock;
use crate::compaction::{
    Cleaned, Compaction, CompactionError, CompactionInput, Pace, Replacement, Throttle, remove_orphans,
};
use crate::local_id::LocalId;
use crate::random::Random;

/// Whoever waits for its turn looks this often whether it still has to: a low rate is minutes for a piece, and neither
/// the end of the engine nor a higher rate waits for that.
const NAP: Duration = Duration::from_millis(50);

/// What a job does.
pub(super) enum Work {
    /// Begins a round.
    Begin(Box<CompactionInput>, Random),
    /// Goes on with one.
    GoOn(Box<Compaction>),
    /// Removes new segments that are not to be used after all.
    Discard(Replacement),
}

impl fmt::Debug for Work {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Begin(..) => "begin",
            Self::GoOn(_) => "go on",
            Self::Discard(_) => "discard",
        })
    }
}

/// How fast a round goes, and whether it goes on. All rounds go by one throttle: what one of them owes the next one
/// waits for, or many small logs would go by at any rate.
#[derive(Clone, Debug)]
pub(super) struct Brake {
    /// Held for as long as it takes to count.
    throttle: Arc<Mutex<Throttle>>,
    /// What may change at any time.
    bytes_per_second: Arc<AtomicU64>,
    clock: Arc<dyn Clock>,
    is_pulled: Arc<AtomicBool>,
}

impl Brake {
    pub(super) fn new(bytes_per_second: Arc<AtomicU64>, clock: Arc<dyn Clock>) -> Self {
        let throttle = Throttle::new(bytes_per_second.load(Ordering::Relaxed));
        Self { throttle: Arc::new(Mutex::new(throttle)), bytes_per_second, clock, is_pulled: Arc::default() }
    }

    /// The same for the next round, which nobody has ended yet.
    pub(super) fn released(&self) -> Self {
        Self { is_pulled: Arc::default(), ..self.clone() }
    }

    /// Ends the round that goes by it, soon.
    pub(super) fn pull(&self) {
        self.is_pulled.store(true, Ordering::Relaxed);
    }
}

impl Pace for Brake {
    fn goes_on(&mut self, bytes: u64) -> bool {
        self.goes_on_after(bytes, thread::sleep)
    }
}

impl Brake {
    fn goes_on_after(&mut self, bytes: u64, mut sleep: impl FnMut(Duration)) -> bool {
        let rate = self.bytes_per_second.load(Ordering::Relaxed);
        let mut delay = self.delay(rate, bytes);
        while !delay.is_zero() && !self.is_pulled.load(Ordering::Relaxed) {
            if self.bytes_per_second.load(Ordering::Relaxed) != rate {
                break;
            }
            let nap = delay.min(NAP);
            sleep(nap);
            delay -= nap;
        }
        !self.is_pulled.load(Ordering::Relaxed)
    }

    fn delay(&self, rate: u64, bytes: u64) -> Duration {
        let mut throttle = self.throttle.lock().unwrap_or_else(PoisonError::into_inner);
        throttle.set_rate(rate);
        throttle.delay(bytes, self.clock.monotonic())
    }
}

/// The next step of a round.
#[derive(Debug)]
pub struct CompactionJob {
    pub(super) sources: Arc<Sources>,
    pub(super) partition: LocalId,
    pub(super) work: Work,
    pub(super) brake: Brake,
}

/// What came of a step.
#[derive(Debug)]
pub struct CompactionDone {
    pub(super) partition: LocalId,
    pub(super) result: Result<Step, CompactionError>,
}

/// What is to be done next.
pub(super) enum Step {
    /// To use these segments, and to go on with the round then.
    Replacement(Replacement, Box<Compaction>),
    /// Nothing: the log is compacted.
    Finished(Cleaned),
    /// Nothing: the round was given up.
    Discarded,
}

impl fmt::Debug for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Replacement(replacement, _) => replacement.fmt(formatter),
            Self::Finished(cleaned) => cleaned.fmt(formatter),
            Self::Discarded => formatter.write_str("discarded"),
        }
    }
}

impl CompactionJob {
    pub(super) fn run(self) -> CompactionDone {
        let partition = self.partition;
        CompactionDone { partition, result: self.step() }
    }

    fn step(self) -> Result<Step, CompactionError> {
        let Self { sources, partition, work, mut brake } = self;
        let mut compaction = match work {
            Work::GoOn(compaction) => compaction,
            Work::Begin(input, mut random) => {
                remove_leftovers(&sources, partition, &input)?;
                Box::new(Compaction::begin(Arc::clone(&sources.files), *input, &mut brake, &mut random)?)
            }
            Work::Discard(replacement) => {
                replacement.discard(&sources.files)?;
                return Ok(Step::Discarded);
            }
        };
        Ok(match compaction.step(&mut brake)? {
            Some(replacement) => Step::Replacement(replacement, compaction),
            None => Step::Finished(compaction.finish()),
        })
    }
}

/// Removes what a round left behind that a crash ended.
fn remove_leftovers(
    sources: &Sources,
    partition: LocalId,
    input: &CompactionInput,
) -> Result<(), CompactionError> {
    let segments = || input.segments.iter().chain(&input.later);
    let current = |base_offset| {
        let segment = segments().find(|segment| segment.base_offset() == base_offset);
        segment.map(|segment| segment.generation())
    };
    remove_orphans(&*sources.disk, &sources.layout, partition, current)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SimulatedClock;

    /// A brake, its clock, and its rate.
    fn brake(bytes_per_second: u64) -> (Brake, Arc<SimulatedClock>, Arc<AtomicU64>) {
        let (clock, rate) = (Arc::new(SimulatedClock::new(0)), Arc::new(AtomicU64::new(bytes_per_second)));
        clock.advance(60_000);
        let shared = Arc::<SimulatedClock>::clone(&clock);
        (Brake::new(Arc::clone(&rate), shared), clock, rate)
    }

    /// Lets bytes go by. Time passes where it is slept, after which something else happens.
    fn pass(
        brake: &mut Brake,
        clock: &SimulatedClock,
        bytes: u64,
        mut then: impl FnMut(Duration),
    ) -> (bool, Duration) {
        let began = clock.monotonic();
        let goes_on = brake.goes_on_after(bytes, |nap| {
            assert!(nap <= NAP, "nobody is heard for {nap:?}");
            clock.advance(u32::try_from(nap.as_micros().div_ceil(1_000)).unwrap());
            then(clock.monotonic() - began);
        });
        (goes_on, clock.monotonic() - began)
    }

    #[test]
    fn a_piece_takes_as_long_as_its_rate_says() {
        let (mut brake, clock, _) = brake(100);
        let (goes_on, took) = pass(&mut brake, &clock, 4_000, |_| {});
        assert!(goes_on && took.abs_diff(Duration::from_secs(40)) <= Duration::from_millis(200), "{took:?}");
    }

    #[test]
    fn whoever_waits_hears_of_another_rate_and_owes_nothing_for_the_last() {
        let (mut brake, clock, rate) = brake(100);
        let (goes_on, took) = pass(&mut brake, &clock, 4_000, |passed| {
            if passed >= Duration::from_secs(1) {
                rate.store(1_000_000, Ordering::Relaxed);
            }
        });
        assert!(goes_on && took <= Duration::from_secs(1) + NAP, "{took:?}");
        let (goes_on, took) = pass(&mut brake, &clock, 4_000, |_| {});
        assert!(goes_on && took <= NAP, "{took:?}");
        // And one that is lower again counts for what comes then.
        rate.store(1_000, Ordering::Relaxed);
        let (_, took) = pass(&mut brake, &clock, 4_000, |_| {});
        assert!(took >= Duration::from_secs(3), "{took:?}");
    }

    #[test]
    fn rounds_that_are_less_than_a_piece_go_no_faster_than_one_that_is_more() {
        let (first, clock, _) = brake(1_000);
        let began = clock.monotonic();
        for _ in 0..100 {
            // A round of two steps, each of which has a brake of its own.
            let round = first.released();
            for mut step in [round.clone(), round] {
                assert!(pass(&mut step, &clock, 50, |_| {}).0);
            }
        }
        let took = clock.monotonic() - began;
        assert!(took.abs_diff(Duration::from_secs(10)) <= Duration::from_millis(500), "{took:?}");
    }

    #[test]
    fn a_round_that_was_ended_does_not_end_the_next() {
        let (brake, clock, _) = brake(1_000_000);
        brake.pull();
        assert!(pass(&mut brake.released(), &clock, 1, |_| {}).0);
        assert!(!pass(&mut brake.clone(), &clock, 1, |_| {}).0);
    }

    #[test]
    fn whoever_waits_hears_that_it_is_over() {
        let (mut brake, clock, _) = brake(1);
        let other = brake.clone();
        let (goes_on, took) = pass(&mut brake, &clock, 1 << 30, |passed| {
            if passed >= Duration::from_secs(2) {
                other.pull();
            }
        });
        assert!(!goes_on && took <= Duration::from_secs(2) + NAP, "{took:?}");
    }
}
