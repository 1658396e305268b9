//! What everything in a run shares: chance, time, what has happened, and what was found to be wrong.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use strandline_broker::offload::Pauses;
use strandline_log::clock::Clock;
use strandline_log::random::Random;
use tokio::time::{Instant, sleep};

use crate::ledger::Ledger;

/// What the clock on the wall shows when a run begins.
const WALL_MS: i64 = 1_700_000_000_000;

/// The clock is put forward by so much and some hours in all: producers are forgotten after a day.
const FORWARD_MAX_MS: i64 = 16 * 60 * 60 * 1_000;

/// The clock goes wrong by so much at most: records may be an hour ahead of it.
const WRONG_MAX_MS: i64 = 20 * 60 * 1_000;

/// Some time after the last fault nothing of it is to be seen any more.
const CALM_AFTER: Duration = Duration::from_secs(8);

/// How often a run came by a place that matters.
pub(crate) type Reached = BTreeMap<&'static str, u64>;

/// What everything in a run shares.
#[derive(Debug)]
pub(crate) struct World {
    random: Mutex<Random>,
    begin: Instant,
    is_verbose: bool,
    found: Mutex<Found>,
    ledger: Mutex<Ledger>,
    clock: Mutex<WallClock>,
}

/// How far the clock on the wall is from where it should be.
#[derive(Debug, Default)]
struct WallClock {
    /// By so much it was put forward, for good.
    forward_ms: i64,
    /// By so much it goes wrong, for now.
    wrong_ms: i64,
}

#[derive(Debug, Default)]
struct Found {
    /// A number that follows from everything that has happened.
    trace: u64,
    events: u64,
    reached: Reached,
    violation: Option<String>,
    /// When faults were over.
    calm_since: Option<Instant>,
}

/// What a run was.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Report {
    pub(crate) trace: u64,
    pub(crate) events: u64,
    pub(crate) reached: Reached,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    /// To be made where tokio runs.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            random: Mutex::new(Random::from_seed(seed)),
            begin: Instant::now(),
            is_verbose: std::env::var_os("SIMULATION_VERBOSE").is_some(),
            found: Mutex::default(),
            ledger: Mutex::default(),
            clock: Mutex::default(),
        }
    }

    /// Somebody sets the clock on the wall: forward by hours, or to and fro by minutes. Nothing that is promised hangs
    /// on it as long as nothing gets as old as records and producers may.
    pub(crate) fn set_clock(&self) {
        let mut clock = locked(&self.clock);
        if clock.forward_ms < FORWARD_MAX_MS && self.one_in(2) {
            clock.forward_ms += i64::try_from(self.below(4 * 60 * 60 * 1_000)).unwrap();
        } else {
            clock.wrong_ms = self.any(&[-WRONG_MAX_MS, -61_000, -1, 0, 5_000, WRONG_MAX_MS]);
        }
        self.note(format_args!("the clock is set: {clock:?}"));
    }

    /// What clients have been told and have seen.
    pub(crate) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        locked(&self.ledger)
    }

    pub(crate) fn split_random(&self) -> Random {
        locked(&self.random).split()
    }

    pub(crate) fn below(&self, bound: u64) -> u64 {
        locked(&self.random).below(bound)
    }

    pub(crate) fn one_in(&self, count: u64) -> bool {
        locked(&self.random).one_in(count)
    }

    /// One of these.
    pub(crate) fn any<T: Copy>(&self, of: &[T]) -> T {
        of[locked(&self.random).index(of.len())]
    }

    /// Some time between these.
    pub(crate) fn between_ms(&self, from: u64, to: u64) -> Duration {
        Duration::from_millis(from + self.below(to - from))
    }

    /// Waits for some time.
    pub(crate) async fn pause_ms(&self, from: u64, to: u64) {
        sleep(self.between_ms(from, to)).await;
    }

    pub(crate) fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.begin.elapsed().as_millis()).unwrap()
    }

    /// Notes that something happened: the trace follows from it.
    pub(crate) fn note(&self, what: impl fmt::Display) {
        let text = format!("{:>6} {what}", self.elapsed_ms());
        if self.is_verbose {
            println!("{text}");
        }
        let mut found = locked(&self.found);
        found.events += 1;
        for byte in text.bytes() {
            found.trace = (found.trace.rotate_left(5) ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// Counts a place that matters.
    pub(crate) fn reach(&self, what: &'static str) {
        *locked(&self.found).reached.entry(what).or_default() += 1;
    }

    /// Says what is wrong. The first time counts.
    pub(crate) fn blame(&self, what: impl fmt::Display) {
        self.note(format_args!("VIOLATION: {what}"));
        locked(&self.found).violation.get_or_insert(what.to_string());
    }

    /// Takes what the ledger says to something.
    pub(crate) fn judge(&self, verdict: Result<(), String>) {
        if let Err(violation) = verdict {
            self.blame(violation);
        }
    }

    /// Whether something was found to be wrong, so that nothing more has to be done.
    pub(crate) fn is_broken(&self) -> bool {
        locked(&self.found).violation.is_some()
    }

    /// From now on nothing is made to go wrong.
    pub(crate) fn calm(&self) {
        self.note("calm");
        locked(&self.found).calm_since = Some(Instant::now());
    }

    pub(crate) fn is_calm(&self) -> bool {
        locked(&self.found).calm_since.is_some()
    }

    /// Whether faults have been over for so long that nothing is left of them.
    pub(crate) fn has_been_calm(&self) -> bool {
        locked(&self.found).calm_since.is_some_and(|since| since.elapsed() > CALM_AFTER)
    }

    /// How the run went.
    pub(crate) fn report(&self) -> Result<Report, String> {
        let found = locked(&self.found);
        match &found.violation {
            Some(violation) => Err(violation.clone()),
            None => {
                let (trace, events, reached) = (found.trace, found.events, found.reached.clone());
                Ok(Report { trace, events, reached })
            }
        }
    }
}

impl Clock for World {
    fn wall_ms(&self) -> i64 {
        let WallClock { forward_ms, wrong_ms } = *locked(&self.clock);
        WALL_MS + forward_ms + wrong_ms + i64::try_from(self.elapsed_ms()).unwrap()
    }

    fn monotonic(&self) -> Duration {
        self.begin.elapsed()
    }
}

impl Pauses for World {
    fn next(&self) -> Duration {
        match self.below(8) {
            0..=3 => Duration::ZERO,
            4..=6 => self.between_ms(1, 4),
            _ => self.between_ms(5, 60),
        }
    }
}
