//! Reading what was just appended, and what lies in segments on a disk whose cache is cold.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use strandline_log::config::Durability;
use strandline_log::engine::{Partition, Slice, UpTo};
use strandline_log::layout::{FileKind, Layout};
use strandline_protocol::batch::batches;

use super::floors::read_sequentially;
use super::machine::drop_caches;
use super::report::{Limit, Spread};
use super::subject::{Subject, batch};
use super::turns::{Sample, float, processor_spread, rates};
use super::{Bench, Outcome};

const TAIL_BATCHES: usize = 20_000;
const TAIL_BATCH_BYTES: usize = 1 << 10;
const READ_BYTES: u64 = 1 << 20;
const LOCATED_PER_ROUND: usize = 2_000_000;

const COLD_BYTES: usize = 1 << 30;
const COLD_BATCH_BYTES: usize = 16 << 10;
const COLD_ROUNDS: usize = 3;

pub(super) fn run(bench: &mut Bench<'_>) -> Outcome {
    let folder = bench.new_folder("reading")?.join("data");
    let mut subject = Subject::open(folder.clone())?;
    let created = subject.create(2, Durability::Fsync)?;
    let [tail, cold] = created.as_slice() else { return Err("no partitions".into()) };
    let count = COLD_BYTES / COLD_BATCH_BYTES;
    subject.append(&batch(COLD_BATCH_BYTES)?, (0..count).map(|_| cold.id()), 512)?;
    subject.append(&batch(TAIL_BATCH_BYTES)?, (0..TAIL_BATCHES).map(|_| tail.id()), 512)?;
    locate(bench, tail)?;
    let path = Layout::new(folder).segment(cold.id(), 0, FileKind::Log);
    read_cold(bench, cold, &path)?;
    subject.close()
}

fn locate(bench: &mut Bench<'_>, partition: &Arc<Partition>) -> Outcome {
    let mut seen = Vec::new();
    for _ in 0..bench.rounds {
        let (mut located, mut offset) = (0, 0);
        let start = Instant::now();
        while located < LOCATED_PER_ROUND {
            let read = partition.read(offset, READ_BYTES, UpTo::End)?;
            let count = read.slices.len();
            if !read.slices.iter().all(|slice| matches!(slice, Slice::Memory(_))) {
                return Err("what was just appended is not in memory".into());
            }
            // A batch has one record.
            offset += i64::try_from(count)?;
            offset = if offset >= read.offsets.end { 0 } else { offset };
            located += std::hint::black_box(count);
        }
        seen.push(float(located as u64) / 1e6 / start.elapsed().as_secs_f64());
    }
    let what = "batches of 1 KiB located in the tail, a thousand at a time";
    Ok(bench.report.row(what, "M/s", Limit::AtLeast(5.0), Spread::of(&seen), "")?)
}

fn read_cold(bench: &mut Bench<'_>, partition: &Arc<Partition>, path: &Path) -> Outcome {
    let [mut engine, mut plain] = [const { Vec::new() }; 2];
    let mut how = String::new();
    for round in 0..bench.rounds.min(COLD_ROUNDS) {
        for turn in 0..2 {
            how = drop_caches(&[path])?.to_string();
            if (round + turn) % 2 == 0 {
                plain.push(Sample::take(|| read_sequentially(path))?);
            } else {
                engine.push(Sample::take(|| read_segments(partition))?);
            }
        }
    }
    let (engine_rates, plain_rates) = (rates(&engine), rates(&plain));
    let beside = format!(
        "{} MB/s, {} CPU s/GB; plain {} MB/s, {} CPU s/GB; {how}",
        Spread::of(&engine_rates),
        processor_spread(&engine),
        Spread::of(&plain_rates),
        processor_spread(&plain),
    );
    let seen = Spread::of_ratios(&engine_rates, &plain_rates);
    let what = "cold segment, batch for batch";
    Ok(bench.report.row(what, "% of a plain read", Limit::AtLeast(90.0), seen, &beside)?)
}

/// Reads a log from its start on as far as it lies in segments, and says how many bytes of batches that were.
fn read_segments(partition: &Partition) -> Outcome<u64> {
    let (mut offset, mut total) = (0, 0);
    loop {
        let read = partition.read(offset, READ_BYTES, UpTo::End)?;
        let Some(slice @ Slice::Segment(_)) = read.slices.first() else { return Ok(total) };
        let bytes = slice.read()?;
        for batch in batches(&bytes) {
            // The last one may be cut off, and comes again with the next read.
            let Ok(batch) = batch else { break };
            offset = batch.header().last_offset() + 1;
            total += batch.header().total_bytes() as u64;
        }
    }
}
