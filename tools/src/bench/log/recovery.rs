//! How long it takes until a directory can be used again whose process was killed with a full journal.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use strandline_log::config::Durability;
use strandline_log::engine::{Options, Writer};
use strandline_log::journal::BYTES_MAX;

use super::child::{self, Part};
use super::machine::drop_caches;
use super::report::{Limit, Spread};
use super::subject::{Answers, Subject, append, batch, open, open_with};
use super::{Bench, Outcome};

/// Batches that fill the journal's bytes, and batches that fill its bytes and its entries alike.
const BATCH_BYTES: [usize; 2] = [LARGE_BATCH_BYTES, 220];

const LARGE_BATCH_BYTES: usize = 16 << 10;

const BATCHES_OUTSTANDING: usize = 512;

/// What is in segments before the journal is filled.
const BYTES_BEFORE: u64 = 2 * BYTES_MAX;

/// How many partitions, and within what they are back: warm, and cold.
const CASES: [(usize, f64, f64); 2] = [(1, 1_000.0, 2_000.0), (100_000, 3_000.0, 6_000.0)];

const ROUNDS: usize = 3;

pub(super) fn run(bench: &mut Bench<'_>) -> Outcome {
    for (partitions, warm_ms_max, cold_ms_max) in CASES {
        for batch_bytes in BATCH_BYTES {
            let [mut warm, mut cold, mut entries] = [const { Vec::new() }; 3];
            for _ in 0..bench.rounds.min(ROUNDS) {
                for (is_cold, times) in [(false, &mut warm), (true, &mut cold)] {
                    let (time_ms, count) = kill_and_recover(bench, partitions, batch_bytes, is_cold)?;
                    times.push(time_ms);
                    entries.push(count);
                }
            }
            for (state, limit, times) in [("warm", warm_ms_max, &warm), ("cold", cold_ms_max, &cold)] {
                let what = format!(
                    "back after SIGKILL, {partitions} partitions, batches of {batch_bytes} B, {state}"
                );
                let beside = format!("{} batches in the journal", Spread::of(&entries));
                bench.report.row(&what, "ms", Limit::AtMost(limit), Spread::of(times), &beside)?;
            }
        }
    }
    Ok(())
}

/// How long it took, in milliseconds, and how many batches were in the journal.
fn kill_and_recover(
    bench: &mut Bench<'_>,
    partitions: usize,
    batch_bytes: usize,
    is_cold: bool,
) -> Outcome<(f64, f64)> {
    let root = bench.new_folder("recovery/child")?;
    let bytes_before = BYTES_BEFORE;
    let part = Part::Fill { root: root.clone(), partitions, batch_bytes, bytes_before };
    let filled = child::start::<1>(&part)?;
    let [entries] = filled.numbers;
    filled.kill()?;
    if is_cold {
        let files: Vec<_> = std::fs::read_dir(root.join("data/journal"))?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()?;
        let files: Vec<&Path> = files.iter().map(AsRef::as_ref).collect();
        drop_caches(&files)?;
    }
    let [time_ms] = child::start::<1>(&Part::Recover { root: root.clone() })?.wait()?;
    bench.leave_folder(root)?;
    Ok((time_ms, entries))
}

/// What a child does before it is killed: it fills the journal until it takes no append any more. Gives the
/// engine, and with how many batches that was.
pub(super) fn fill(
    root: &Path,
    partitions: usize,
    batch_bytes: usize,
    bytes_before: u64,
) -> Outcome<(Writer, u64)> {
    let mut subject = Subject::open(root.join("data"))?;
    let created = subject.create(partitions, Durability::Fsync)?;
    let mut ids = created.iter().map(|partition| partition.id()).cycle();
    let count = usize::try_from(bytes_before)? / LARGE_BATCH_BYTES;
    subject.append(&batch(LARGE_BATCH_BYTES)?, ids.by_ref().take(count), BATCHES_OUTSTANDING)?;
    subject.close()?;
    // Driven by hand, and its jobs left alone: nothing goes to the segments, nor to the manifest.
    let mut writer = open_with(root.join("data"), eager())?;
    // What is in the journal so far goes there, so that all that fills it has to be replayed.
    while let Some(job) = writer.next_job() {
        writer.job_done(job.run());
    }
    let (batch, answers) = (batch(batch_bytes)?, Arc::new(Answers::default()));
    while !writer.has_waiting() {
        writer
            .mailbox()
            .send(ids.by_ref().take(BATCHES_OUTSTANDING).map(|id| answers.request(append(id, &batch))));
        writer.take();
        while let Some(write) = writer.begin() {
            writer.finish(write.run());
            writer.take();
        }
    }
    Ok((writer, answers.count() as u64))
}

/// The defaults, but for a checkpoint as soon as there is anything for one.
fn eager() -> Options {
    Options { checkpoint_interval: Duration::ZERO, ..Options::default() }
}

/// What a child does after that: it opens the directory, and says how many milliseconds that took.
pub(super) fn recover(root: &Path) -> Outcome<[f64; 1]> {
    let start = Instant::now();
    let writer = open(root.join("data"))?;
    let time_ms = start.elapsed().as_secs_f64() * 1e3;
    writer.close()?;
    Ok([time_ms])
}
