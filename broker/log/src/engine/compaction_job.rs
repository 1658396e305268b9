//! Compacting a log, one step at a time, on a thread that nobody waits for.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
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

/// How fast a round goes, and whether it goes on.
#[derive(Clone, Debug)]
pub(super) struct Brake {
    throttle: Throttle,
    /// What may change at any time.
    bytes_per_second: Arc<AtomicU64>,
    clock: Arc<dyn Clock>,
    is_pulled: Arc<AtomicBool>,
}

impl Brake {
    pub(super) fn new(bytes_per_second: Arc<AtomicU64>, clock: Arc<dyn Clock>) -> Self {
        let throttle = Throttle::new(bytes_per_second.load(Ordering::Relaxed));
        Self { throttle, bytes_per_second, clock, is_pulled: Arc::default() }
    }

    /// Ends the round that goes by it, soon.
    pub(super) fn pull(&self) {
        self.is_pulled.store(true, Ordering::Relaxed);
    }
}

impl Pace for Brake {
    fn goes_on(&mut self, bytes: u64) -> bool {
        let rate = self.bytes_per_second.load(Ordering::Relaxed);
        self.throttle.set_rate(rate);
        let mut delay = self.throttle.delay(bytes, self.clock.monotonic());
        while !delay.is_zero() && !self.is_pulled.load(Ordering::Relaxed) {
            if self.bytes_per_second.load(Ordering::Relaxed) != rate {
                self.throttle.forgive();
                break;
            }
            let nap = delay.min(NAP);
            thread::sleep(nap);
            delay -= nap;
        }
        !self.is_pulled.load(Ordering::Relaxed)
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
