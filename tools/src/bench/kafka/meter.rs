//! One measurement: when it begins to count, when it is over, and what came of it.

use std::time::{Duration, Instant};

use super::histogram::Histogram;
use super::options::Length;
use super::report::{GIGABYTE, MEGABYTE, Report, float};
use super::usage::{self, Usage};
use crate::progress::{Far, Progress};

/// How long it is measured where nobody said.
const SECONDS_DEFAULT: f64 = 10.0;

pub(super) struct Meter {
    broker_pid: Option<u32>,
    warm_until: Instant,
    seconds_max: Option<Duration>,
    records_max: Option<u64>,
    warm: bool,
    started: Instant,
    ended: Instant,
    before: Usage,
    after: Usage,
    pub(super) records: u64,
    pub(super) bytes: u64,
    pub(super) latency: Histogram,
    progress: Progress,
}

impl Meter {
    pub(super) fn start(length: &Length, broker_pid: Option<u32>) -> Self {
        let now = Instant::now();
        let seconds = match (length.seconds, length.records) {
            (None, None) => Some(SECONDS_DEFAULT),
            (seconds, _) => seconds,
        };
        let warm_up = Duration::try_from_secs_f64(length.warm_up_seconds).unwrap_or(Duration::ZERO);
        let usage = Usage::now(broker_pid);
        Self {
            broker_pid,
            warm_until: now + warm_up,
            seconds_max: seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
            records_max: length.records,
            warm: warm_up.is_zero(),
            started: now,
            ended: now,
            before: usage,
            after: usage,
            records: 0,
            bytes: 0,
            latency: Histogram::new(),
            progress: Progress::new(true),
        }
    }

    pub(super) fn add(&mut self, records: u64, bytes: u64) {
        self.records += records;
        self.bytes += bytes;
    }

    /// Begins to count once it is warm.
    pub(super) fn tick(&mut self, now: Instant) {
        if !self.warm && now >= self.warm_until {
            self.warm = true;
            self.started = now;
            self.before = Usage::now(self.broker_pid);
            (self.records, self.bytes) = (0, 0);
            self.latency.clear();
        }
        let (warm, records) = (self.warm, self.records);
        let (seconds, seconds_max) = (now.duration_since(self.started), self.seconds_max);
        let records_max = self.records_max;
        self.progress.tell(|| how_far(warm, (seconds, seconds_max), (records, records_max)));
    }

    /// Whether what was due then counts.
    pub(super) fn counts(&self, due: Instant) -> bool {
        self.warm && due >= self.started
    }

    /// Whether nothing more shall be begun.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        let by_time = self.seconds_max.is_some_and(|seconds| now.duration_since(self.started) >= seconds);
        self.warm && (by_time || self.records_max.is_some_and(|records| self.records >= records))
    }

    /// When time ends it, where it does.
    pub(super) fn end(&self) -> Option<Instant> {
        if self.warm { self.seconds_max.map(|seconds| self.started + seconds) } else { Some(self.warm_until) }
    }

    /// How many records may still be begun where `begun` are under way.
    pub(super) fn records_left(&self, begun: u64) -> u64 {
        match self.records_max {
            Some(records) if self.warm => records.saturating_sub(self.records.saturating_add(begun)),
            _ => u64::MAX,
        }
    }

    pub(super) fn stop(&mut self) {
        self.progress.clear();
        self.ended = Instant::now();
        self.after = Usage::now(self.broker_pid);
    }

    pub(super) fn seconds(&self) -> f64 {
        self.ended.duration_since(self.started).as_secs_f64()
    }

    /// Records and bytes, the rates of both, and what they took.
    pub(super) fn tell(&self, report: &mut Report) {
        let seconds = self.seconds().max(f64::MIN_POSITIVE);
        report.count("records", "records", self.records);
        report.count("bytes", "bytes", self.bytes);
        report.number("seconds", "seconds", self.seconds(), 3);
        report.number("recordsPerSecond", "records/s", float(self.records) / seconds, 0);
        report.number("megabytesPerSecond", "MB/s", float(self.bytes) / MEGABYTE / seconds, 1);
        self.tell_usage(report);
    }

    /// What was counted, one by one, each called `name`; the rate, and what each of them took.
    pub(super) fn tell_times(&self, report: &mut Report, name: &str) {
        let seconds = self.seconds().max(f64::MIN_POSITIVE);
        report.count(&format!("{name}s"), &format!("{name}s"), self.records);
        report.number("seconds", "seconds", self.seconds(), 3);
        let rate = float(self.records) / seconds;
        report.number(&format!("{name}sPerSecond"), &format!("{name}s/s"), rate, 0);
        self.tell_usage(report);
        if let Some(broker) = self.after.since(self.before).broker
            && self.records > 0
        {
            let each = broker.as_secs_f64() * 1e6 / float(self.records);
            report.number("brokerCpuMicrosecondsEach", "broker CPU us each", each, 2);
        }
    }

    /// The broker's processor time as a part of one core.
    pub(super) fn tell_broker_share(&self, report: &mut Report) {
        if let Some(broker) = self.after.since(self.before).broker {
            let share = broker.as_secs_f64() / self.seconds().max(f64::MIN_POSITIVE);
            report.number("brokerCpuPercentOfCore", "broker CPU % of a core", share * 100.0, 2);
        }
    }

    /// Processor time and memory.
    pub(super) fn tell_usage(&self, report: &mut Report) {
        let taken = self.after.since(self.before);
        let gigabytes = float(self.bytes) / GIGABYTE;
        let driver = taken.driver.as_secs_f64();
        report.number("driverCpuSeconds", "driver CPU s", driver, 3);
        if gigabytes > 0.0 {
            report.number("driverCpuSecondsPerGigabyte", "driver CPU s/GB", driver / gigabytes, 3);
        }
        if let Some(broker) = taken.broker.map(|broker| broker.as_secs_f64()) {
            report.number("brokerCpuSeconds", "broker CPU s", broker, 2);
            if gigabytes > 0.0 {
                report.number("brokerCpuSecondsPerGigabyte", "broker CPU s/GB", broker / gigabytes, 3);
            }
        }
        if let Some(Ok(memory)) = self.broker_pid.map(usage::memory) {
            let megabytes = |bytes: u64| float(bytes) / MEGABYTE;
            report.number("brokerRssMegabytes", "broker RSS MB", megabytes(memory.resident_bytes), 1);
            let peak = megabytes(memory.resident_peak_bytes);
            report.number("brokerRssPeakMegabytes", "broker RSS peak MB", peak, 1);
        }
    }
}

/// What a person reads who waits: how long it has been measured, and how much was done by then.
fn how_far(warm: bool, time: (Duration, Option<Duration>), done: (u64, Option<u64>)) -> Far {
    if !warm {
        return "warming up".to_owned().into();
    }
    let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let by_time = time.1.map(|limit| (milliseconds(time.0), milliseconds(limit)));
    let part = done.1.map(|limit| (done.0, limit)).or(by_time);
    let of = |limit: Option<String>| limit.map(|limit| format!(" of {limit}")).unwrap_or_default();
    let time_limit = of(time.1.map(|limit| format!("{:.0}", limit.as_secs_f64())));
    let done_limit = of(done.1.map(|limit| limit.to_string()));
    Far::of(part, format!("{:.0}{time_limit} s, {}{done_limit} done", time.0.as_secs_f64(), done.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_reads_how_far_it_is() {
        let seconds = Duration::from_secs;
        assert_eq!(how_far(false, (seconds(1), None), (7, None)), Far::from("warming up".to_owned()));
        let by_time = how_far(true, (seconds(3), Some(seconds(10))), (7, None));
        assert_eq!(by_time, Far::of(Some((3_000, 10_000)), "3 of 10 s, 7 done".to_owned()));
        let by_number = how_far(true, (seconds(3), None), (7, Some(20)));
        assert_eq!(by_number, Far::of(Some((7, 20)), "3 s, 7 of 20 done".to_owned()));
    }
}
