//! What is measured, the same of every client: wall clock, processor time and memory of this process, and latencies from
//! when a record was due.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::Failure;

pub(crate) const LINGER_MS: u64 = 5;
pub(crate) const BATCH_BYTES: usize = 128 << 10;
pub(crate) const MEMORY_BYTES: usize = 64 << 20;
pub(crate) const RATE: u64 = 1_000;
/// How long a reader waits before it looks whether it is done.
pub(crate) const GLANCE: Duration = Duration::from_millis(100);
/// How long a reader waits for one more record before it takes the rest for lost: far more than any client needs.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long it may take until a reader sees the first record.
const BEGIN_MAX: Duration = Duration::from_secs(30);
/// What only says that the reader stands where it should is no longer than this.
const WARM_BYTES: usize = 8;

pub(crate) struct Work {
    pub(crate) brokers: String,
    pub(crate) topic: String,
    pub(crate) partitions: i32,
    pub(crate) records: u64,
    pub(crate) record_bytes: usize,
}

/// Bytes that no codec and no branch predictor makes anything of; each record is another part of them.
pub(crate) struct Pool(Vec<u8>);

impl Pool {
    pub(crate) fn new(record_bytes: usize) -> Self {
        let mut state = 88_172_645_463_325_252u64;
        let bytes = (0..POOL_BYTES + record_bytes).map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[0]
        });
        Self(bytes.collect())
    }

    pub(crate) fn value(&self, number: u64, bytes: usize) -> &[u8] {
        let start = (number.wrapping_mul(7_919) % POOL_BYTES as u64) as usize;
        &self.0[start..start + bytes]
    }
}

const POOL_BYTES: usize = 1 << 20;

/// Runs from here on.
pub(crate) struct Clock {
    began: Instant,
    processor: f64,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { began: Instant::now(), processor: processor_seconds() }
    }

    pub(crate) fn stop(&self, records: u64, bytes: u64) -> Value {
        let seconds = self.began.elapsed().as_secs_f64();
        let processor = processor_seconds() - self.processor;
        json!({
            "records": records, "bytes": bytes, "seconds": seconds, "cpu_seconds": processor,
            "records_per_cpu_second": records as f64 / processor, "megabytes_per_second": bytes as f64 / seconds / 1e6,
            "memory_peak_bytes": memory_peak_bytes(),
        })
    }

    pub(crate) fn stop_with(&self, reading: Reading) -> Result<Value, Failure> {
        let Reading { mut latencies, records, record_bytes, .. } = reading;
        let count = latencies.len() as u64;
        if count == 0 {
            return Err(format!("none of {records} records was read").into());
        }
        let mut figures = self.stop(count, count * record_bytes as u64);
        latencies.sort_unstable();
        let at = |part: f64| latencies[((latencies.len() - 1) as f64 * part) as usize] as f64 / 1e6;
        figures["p50_ms"] = json!(at(0.5));
        figures["p99_ms"] = json!(at(0.99));
        figures["p999_ms"] = json!(at(0.999));
        figures["missing"] = json!(records - count);
        Ok(figures)
    }
}

/// What a reader has seen of the records that are paced out to it.
pub(crate) struct Reading {
    latencies: Vec<u64>,
    records: u64,
    record_bytes: usize,
    heard_at: Instant,
    /// A bit for each partition of which something was seen.
    begun: Arc<AtomicU64>,
}

impl Reading {
    pub(crate) fn of(work: &Work) -> Self {
        Self {
            latencies: Vec::new(),
            records: work.records,
            record_bytes: work.record_bytes,
            heard_at: Instant::now(),
            begun: Arc::default(),
        }
    }

    pub(crate) fn begun(&self) -> Arc<AtomicU64> {
        self.begun.clone()
    }

    pub(crate) fn take(&mut self, value: &[u8]) {
        self.heard_at = Instant::now();
        if value.len() == self.record_bytes {
            self.latencies.push(late_by(value));
        } else if let Some(partition) = value.first() {
            self.begun.fetch_or(1 << partition, Ordering::Release);
        }
    }

    /// All have come, or no more will.
    pub(crate) fn is_over(&self) -> bool {
        let patience = if self.latencies.is_empty() { BEGIN_MAX } else { PATIENCE };
        self.latencies.len() as u64 >= self.records || self.heard_at.elapsed() > patience
    }
}

/// Sends until the reader has seen something of every partition: everybody is connected then, and it misses nothing of what
/// follows.
pub(crate) fn warm_up(
    work: &Work,
    begun: &AtomicU64,
    mut send: impl FnMut(i32, Vec<u8>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let started = Instant::now();
    while begun.load(Ordering::Acquire).count_ones() < work.partitions as u32 {
        if started.elapsed() > BEGIN_MAX {
            return Err("the reader has not seen all partitions".into());
        }
        for partition in 0..work.partitions {
            send(partition, vec![partition as u8; WARM_BYTES])?;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// Of all threads, in the program and in the kernel; finer than the hundredths of `/proc/self/stat`.
fn processor_seconds() -> f64 {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    spent.tv_sec as f64 + spent.tv_nsec as f64 / 1e9
}

fn memory_peak_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) << 10
}

fn now_ns() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64)
}

/// Calls `send` for each record when it is due, with its partition and a value that says when that is.
pub(crate) fn pace(work: &Work, mut send: impl FnMut(i32, Vec<u8>)) {
    let began = now_ns();
    for number in 0..work.records {
        let due = began + number * 1_000_000_000 / RATE;
        let wait = due.saturating_sub(now_ns());
        if wait > 0 {
            std::thread::sleep(Duration::from_nanos(wait));
        }
        let mut value = vec![0; work.record_bytes];
        value[..8].copy_from_slice(&due.to_le_bytes());
        send((number % work.partitions as u64) as i32, value);
    }
}

fn late_by(value: &[u8]) -> u64 {
    let due = value.first_chunk().copied().map_or(0, u64::from_le_bytes);
    now_ns().saturating_sub(due)
}
