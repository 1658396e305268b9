//! How far long work is, on the standard error, where a person can see it; nobody else is told.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::results::bytes;

/// How often a person wants to read another number.
const INTERVAL: Duration = Duration::from_millis(200);

/// How many signs a bar has.
const BAR_SIGNS: u64 = 20;

/// Where the terminal does not say how wide it is.
const COLUMNS: u16 = 80;

/// How far something is: in words, and as a part of a whole where that is known.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Far {
    text: String,
    part: Option<(u64, u64)>,
}

impl Far {
    /// So much of so much.
    pub(crate) const fn of(part: Option<(u64, u64)>, text: String) -> Self {
        Self { text, part }
    }

    /// So many rounds of so many are behind.
    pub(crate) fn rounds(done: usize, total: usize, text: String) -> Self {
        let count = |rounds: usize| u64::try_from(rounds).unwrap_or(u64::MAX);
        Self::of(Some((count(done), count(total))), text)
    }
}

impl From<String> for Far {
    fn from(text: String) -> Self {
        Self { text, part: None }
    }
}

/// A line that is written over and over, and gone when the work is done.
pub(crate) struct Progress {
    is_shown: bool,
    begun: Instant,
    next: Instant,
    has_written: bool,
}

impl Progress {
    /// Tells a person, where the standard error is a terminal and `wanted`.
    pub(crate) fn new(wanted: bool) -> Self {
        let is_shown = wanted && io::stderr().is_terminal();
        let begun = Instant::now();
        // What is done at once needs no line.
        Self { is_shown, begun, next: begun + INTERVAL, has_written: false }
    }

    /// Writes the line anew, if it is time for that.
    pub(crate) fn tell<F: Into<Far>>(&mut self, far: impl FnOnce() -> F) {
        if !self.is_shown || Instant::now() < self.next {
            return;
        }
        self.next = Instant::now() + INTERVAL;
        self.has_written = true;
        let columns = rustix::termios::tcgetwinsize(io::stderr()).map_or(0, |size| size.ws_col);
        let columns = if columns == 0 { COLUMNS } else { columns };
        let line = line(&far().into(), self.begun.elapsed(), usize::from(columns));
        // Whoever cannot be told of it has lost nothing.
        let _ = write!(io::stderr(), "\r\x1b[K{line}");
    }

    /// Takes the line away: what is written next stands in its place.
    pub(crate) fn clear(&mut self) {
        if std::mem::take(&mut self.has_written) {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

/// What a person reads after so long: a bar, where the whole is known, the words, and how long it may still take. One that
/// is longer than the terminal is wide could not be taken away again.
fn line(far: &Far, elapsed: Duration, columns: usize) -> String {
    let text = match far.part {
        Some((done, total)) if total > 0 => {
            // Something may have been added since the whole was looked at.
            let done = done.min(total);
            let filled = part_of(BAR_SIGNS, done, total);
            let bar = "#".repeat(usize::try_from(filled).unwrap_or(0));
            let rest = ".".repeat(usize::try_from(BAR_SIGNS - filled).unwrap_or(0));
            let left = left(done, total, elapsed).map(|left| format!(", {left} left")).unwrap_or_default();
            format!("[{bar}{rest}] {:3} % {}{left}", part_of(100, done, total), far.text)
        }
        _ => far.text.clone(),
    };
    text.chars().take(columns.saturating_sub(1)).collect()
}

fn part_of(whole: u64, done: u64, total: u64) -> u64 {
    u64::try_from(u128::from(whole) * u128::from(done) / u128::from(total.max(1))).unwrap_or(whole)
}

/// How long the rest takes if it goes on like that; nothing before there is something to judge by.
fn left(done: u64, total: u64, elapsed: Duration) -> Option<String> {
    if done == 0 || elapsed < Duration::from_secs(1) {
        return None;
    }
    let seconds = elapsed.as_millis() * u128::from(total - done) / u128::from(done) / 1_000;
    Some(match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3_600),
    })
}

/// Does work that reads much, and tells a person how much it has read by then, of how much: `total` is only asked for
/// somebody who reads it.
pub(crate) fn beside_reading<T>(total: impl FnOnce() -> u64, work: impl FnOnce() -> T) -> T {
    if !io::stderr().is_terminal() {
        return work();
    }
    let total = total();
    let before = read_bytes().unwrap_or(0);
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        let teller = scope.spawn(|| {
            let mut progress = Progress::new(true);
            while !is_done.load(Ordering::Acquire) {
                thread::park_timeout(INTERVAL);
                progress.tell(|| {
                    let read = read_bytes().unwrap_or(0).saturating_sub(before);
                    Far::of(Some((read, total)), format!("{} of {} read", bytes(read), bytes(total)))
                });
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
fn read_bytes() -> Option<u64> {
    let counters = std::fs::read_to_string("/proc/self/io").ok()?;
    counters.lines().find_map(|line| line.strip_prefix("rchar: "))?.parse().ok()
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(part: Option<(u64, u64)>, seconds: u64, columns: usize) -> String {
        line(&Far::of(part, "7 records".to_owned()), Duration::from_secs(seconds), columns)
    }

    #[test]
    fn what_has_a_whole_has_a_bar() {
        assert_eq!(said(None, 9, 80), "7 records");
        assert_eq!(said(Some((0, 4)), 9, 80), "[....................]   0 % 7 records");
        assert_eq!(said(Some((1, 4)), 0, 80), "[#####...............]  25 % 7 records");
        assert_eq!(said(Some((1, 4)), 9, 80), "[#####...............]  25 % 7 records, 27 s left");
        assert_eq!(said(Some((1, 4)), 99, 80), "[#####...............]  25 % 7 records, 4 min left");
        assert_eq!(said(Some((1, 4)), 9_999, 80), "[#####...............]  25 % 7 records, 8 h left");
        assert_eq!(said(Some((5, 4)), 9, 80), "[####################] 100 % 7 records, 0 s left");
    }

    #[test]
    fn what_is_of_no_use_is_left_out() {
        assert_eq!(said(Some((0, 0)), 9, 80), "7 records", "nothing is no whole");
        assert_eq!(said(Some((1, 4)), 9, 10), "[#####...", "a line has the terminal's width");
        let most = u64::MAX;
        assert!(said(Some((most - 1, most)), 9, 80).contains(" 99 %"));
    }
}
