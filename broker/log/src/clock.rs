//! Time as something that is handed in: a simulation moves it itself.

use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

/// What the time is.
pub trait Clock: fmt::Debug + Send + Sync {
    /// Milliseconds since 1970 as people count them. Somebody may set this clock, forwards and backwards.
    fn wall_ms(&self) -> i64;

    /// Time since some moment before the process began. It never goes back, whatever happens to the other.
    fn monotonic(&self) -> Duration;
}

/// The clocks of the machine.
#[derive(Clone, Copy, Debug)]
pub struct RealClock {
    start: Instant,
}

impl RealClock {
    /// The clocks of the machine, the monotonic one at zero.
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for RealClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for RealClock {
    fn wall_ms(&self) -> i64 {
        let elapsed = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => elapsed(since),
            Err(before) => -elapsed(before.duration()),
        }
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }
}

/// Clocks that stand still until they are moved.
#[derive(Debug)]
pub struct SimulatedClock {
    wall_ms: AtomicI64,
    monotonic_ns: AtomicU64,
}

impl SimulatedClock {
    /// Clocks of which the wall's shows `wall_ms`.
    pub fn new(wall_ms: i64) -> Self {
        Self { wall_ms: AtomicI64::new(wall_ms), monotonic_ns: AtomicU64::new(0) }
    }

    /// Lets time pass on both.
    pub fn advance(&self, duration_ms: u32) {
        self.wall_ms.fetch_add(i64::from(duration_ms), Ordering::Relaxed);
        self.monotonic_ns.fetch_add(u64::from(duration_ms) * 1_000_000, Ordering::Relaxed);
    }

    /// Sets the wall's clock alone, as an administrator or a faulty time server does.
    pub fn set_wall_ms(&self, wall_ms: i64) {
        self.wall_ms.store(wall_ms, Ordering::Relaxed);
    }
}

impl Clock for SimulatedClock {
    fn wall_ms(&self) -> i64 {
        self.wall_ms.load(Ordering::Relaxed)
    }

    fn monotonic(&self) -> Duration {
        Duration::from_nanos(self.monotonic_ns.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::{Clock, RealClock, SimulatedClock};

    #[test]
    fn a_simulated_clock_moves_when_told() {
        let clock = SimulatedClock::new(1_000);
        clock.advance(5);
        assert_eq!((clock.wall_ms(), clock.monotonic().as_millis()), (1_005, 5));
        clock.set_wall_ms(-1);
        assert_eq!((clock.wall_ms(), clock.monotonic().as_millis()), (-1, 5));
    }

    #[test]
    fn the_real_clocks_run() {
        let clock = RealClock::new();
        let before = clock.monotonic();
        assert!(clock.wall_ms() > 1_600_000_000_000);
        assert!(clock.monotonic() >= before);
    }
}
