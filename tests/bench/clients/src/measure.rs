//! What is measured, the same of every client: wall clock, processor time and memory of this process, and latencies from
//! when a record was due.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

pub(crate) const LINGER_MS: u64 = 5;
pub(crate) const BATCH_BYTES: usize = 128 << 10;
pub(crate) const MEMORY_BYTES: usize = 64 << 20;
pub(crate) const RATE: u64 = 1_000;
/// Until a consumer stands at the end, and everybody is connected.
pub(crate) const WARM: Duration = Duration::from_secs(2);

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

    pub(crate) fn stop_with(&self, mut latencies: Vec<u64>, bytes: u64) -> Value {
        let mut figures = self.stop(latencies.len() as u64, bytes);
        latencies.sort_unstable();
        let at = |part: f64| latencies[((latencies.len() - 1) as f64 * part) as usize] as f64 / 1e6;
        figures["p50_ms"] = json!(at(0.5));
        figures["p99_ms"] = json!(at(0.99));
        figures["p999_ms"] = json!(at(0.999));
        figures
    }
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

pub(crate) fn now_ns() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64)
}

/// Calls `send` for each record when it is due, with a value that says when that is.
pub(crate) fn pace(records: u64, record_bytes: usize, mut send: impl FnMut(Vec<u8>)) {
    let began = now_ns();
    for number in 0..records {
        let due = began + number * 1_000_000_000 / RATE;
        let wait = due.saturating_sub(now_ns());
        if wait > 0 {
            std::thread::sleep(Duration::from_nanos(wait));
        }
        let mut value = vec![0; record_bytes];
        value[..8].copy_from_slice(&due.to_le_bytes());
        send(value);
    }
}

pub(crate) fn late_by(value: &[u8]) -> u64 {
    let due = value.first_chunk().copied().map_or(0, u64::from_le_bytes);
    now_ns().saturating_sub(due)
}
