//! How far long work is, on the standard error, where a person can see it; nobody else is told.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::results::bytes;

/// How often a person wants to read another number.
const INTERVAL: Duration = Duration::from_millis(200);

/// A line that is written over and over, and gone when the work is done.
pub(crate) struct Progress {
    is_shown: bool,
    next: Instant,
    has_written: bool,
}

impl Progress {
    /// Tells a person, where the standard error is a terminal and `wanted`.
    pub(crate) fn new(wanted: bool) -> Self {
        let is_shown = wanted && io::stderr().is_terminal();
        // What is done at once needs no line.
        Self { is_shown, next: Instant::now() + INTERVAL, has_written: false }
    }

    /// Writes the line anew, if it is time for that.
    pub(crate) fn tell(&mut self, line: impl FnOnce() -> String) {
        if !self.is_shown || Instant::now() < self.next {
            return;
        }
        self.next = Instant::now() + INTERVAL;
        self.has_written = true;
        // Whoever cannot be told of it has lost nothing.
        let _ = write!(io::stderr(), "\r\x1b[K{}", line());
    }

    /// Takes the line away: what is written next stands in its place.
    pub(crate) fn clear(&mut self) {
        if std::mem::take(&mut self.has_written) {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

/// Does work that reads much, and tells a person how much it has read by then.
pub(crate) fn beside_reading<T>(work: impl FnOnce() -> T) -> T {
    if !io::stderr().is_terminal() {
        return work();
    }
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        let teller = scope.spawn(|| {
            let mut progress = Progress::new(true);
            while !is_done.load(Ordering::Acquire) {
                thread::park_timeout(INTERVAL);
                progress.tell(|| format!("{} read", bytes(read_bytes().unwrap_or(0))));
            }
        });
        // However the work ends, the teller does.
        let _done = Done { is_done: &is_done, teller: teller.thread() };
        work()
    })
}

struct Done<'a> {
    is_done: &'a AtomicBool,
    teller: &'a thread::Thread,
}

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.is_done.store(true, Ordering::Release);
        self.teller.unpark();
    }
}

/// How many bytes this process has read, as the kernel counts them.
fn read_bytes() -> Option<i64> {
    let counters = std::fs::read_to_string("/proc/self/io").ok()?;
    counters.lines().find_map(|line| line.strip_prefix("rchar: "))?.parse().ok()
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}
