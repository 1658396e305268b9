//! What processes take: processor time and memory, as the kernel counts them.

use std::fs;
use std::io;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::cluster::Failure;

/// The kernel's unit of processor time in `/proc`, on every Linux of today.
const TICKS_PER_SECOND: u64 = 100;

/// Processor time so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Usage {
    /// Of this process.
    pub(super) driver: Duration,
    /// Of the broker's, if its id is known; to within ten milliseconds.
    pub(super) broker: Option<Duration>,
}

/// Memory of a process.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Memory {
    pub(super) resident_bytes: u64,
    pub(super) resident_peak_bytes: u64,
}

impl Usage {
    pub(super) fn now(broker_pid: Option<u32>) -> Self {
        let clock = clock_gettime(ClockId::ProcessCPUTime);
        let seconds = u64::try_from(clock.tv_sec).unwrap_or(0);
        let driver = Duration::new(seconds, u32::try_from(clock.tv_nsec).unwrap_or(0));
        Self { driver, broker: broker_pid.and_then(|pid| processor_time(pid).ok()) }
    }

    pub(super) fn since(self, before: Self) -> Self {
        let broker = self.broker.zip(before.broker).map(|(now, before)| now.saturating_sub(before));
        Self { driver: self.driver.saturating_sub(before.driver), broker }
    }
}

/// Refuses a process that cannot be looked at, before anything is measured.
pub(super) fn check(broker_pid: Option<u32>) -> Result<(), Failure> {
    match broker_pid.map(|pid| (pid, processor_time(pid).and_then(|_| memory(pid)))) {
        Some((pid, Err(error))) => {
            Err(Failure::Usage(format!("--broker-pid {pid}: cannot look at the process: {error}")))
        }
        _ => Ok(()),
    }
}

fn processor_time(pid: u32) -> io::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    ticks(&stat).map(|ticks| Duration::from_millis(ticks * 1_000 / TICKS_PER_SECOND)).ok_or_else(unreadable)
}

/// User and system time, in ticks. The name in the second field may hold anything, so the fields are counted from
/// behind it.
fn ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    user.checked_add(system)
}

pub(super) fn memory(pid: u32) -> io::Result<Memory> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let resident_bytes = kilobytes(&status, "VmRSS:").ok_or_else(unreadable)?;
    let resident_peak_bytes = kilobytes(&status, "VmHWM:").ok_or_else(unreadable)?;
    Ok(Memory { resident_bytes, resident_peak_bytes })
}

fn kilobytes(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1 << 10)
}

fn unreadable() -> io::Error {
    io::Error::other("the kernel says it in another way than expected")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_counted_from_behind_the_name() {
        let stat = "7 (a) b (c)) S 1 7 7 0 -1 4194304 9 0 0 0 120 30 0 0 20 0 1 0 1 1 1";
        assert_eq!(ticks(stat), Some(150));
        assert_eq!(ticks("7 (a"), None);
        assert_eq!(kilobytes("Name:\ta\nVmRSS:\t  12 kB\n", "VmRSS:"), Some(12 << 10));
        assert_eq!(kilobytes("Name:\ta\n", "VmRSS:"), None);
    }

    #[test]
    fn this_process_can_be_looked_at() {
        let own = std::process::id();
        check(Some(own)).unwrap();
        let before = Usage::now(Some(own));
        let found = memory(own).unwrap();
        assert!(found.resident_bytes > 0 && found.resident_peak_bytes >= found.resident_bytes);
        let taken = Usage::now(Some(own)).since(before);
        assert!(taken.broker.is_some() && taken.driver > Duration::ZERO);
        assert!(check(Some(u32::MAX)).is_err());
    }
}
