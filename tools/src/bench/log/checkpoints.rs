//! What a small append waits while others keep the checkpoints coming.

use std::time::{Duration, Instant};

use strandline_log::config::Durability;
use strandline_log::disk::BLOCK_BYTES;
use strandline_log::local_id::LocalId;

use super::raw::Raw;
use super::report::{Limit, Spread};
use super::subject::{Subject, append, batch};
use super::turns::Latencies;
use super::{Bench, Outcome};

const PARTITIONS: usize = 10_000;
const BATCH_BYTES: usize = 16 << 10;

/// What others append: enough that half a journal is full every two seconds or so.
const OTHERS_PER_TICK: usize = 4;

/// One small append is due each time, whatever became of those before.
const TICK: Duration = Duration::from_millis(1);

const TICKS_PER_ROUND: u32 = 6_000;

pub(super) fn run(bench: &mut Bench<'_>) -> Outcome {
    let folder = bench.new_folder("checkpoints")?;
    let mut raw = Raw::new(&*bench.disk()?, &folder, BLOCK_BYTES)?;
    let mut subject = Subject::open(folder.join("data"))?;
    let created = subject.create(PARTITIONS + 1, Durability::Fsync)?;
    let ids: Vec<LocalId> = created.iter().map(|partition| partition.id()).collect();
    let (small, others) = ids.split_first().ok_or("no partitions")?;
    let [mut medians, mut tails, mut bare_tails] = [const { Vec::new() }; 3];
    for _ in 0..bench.rounds {
        let mut bare = Latencies::new();
        at_each_tick(|due| {
            raw.write_cached_synced(BLOCK_BYTES)?;
            bare.add(due.elapsed());
            Ok(())
        })?;
        let times = append_beside_others(&mut subject, *small, others)?;
        medians.push(times.quantile_us(500) / 1e3);
        tails.push(times.quantile_us(999) / 1e3);
        bare_tails.push(bare.quantile_us(999) / 1e3);
    }
    let beside = format!(
        "p50 {} ms; a bare sync at the same rate, nothing beside it, p99.9 {} ms",
        Spread::of(&medians),
        Spread::of(&bare_tails)
    );
    let what = "append of 1 KiB each millisecond, 65 MB/s over 10,000 partitions beside it, p99.9";
    bench.report.row(what, "ms", Limit::AtMost(10.0), Spread::of(&tails), &beside)?;
    subject.close()
}

fn append_beside_others(subject: &mut Subject, small: LocalId, others: &[LocalId]) -> Outcome<Latencies> {
    let (small_batch, large_batch) = (batch(1 << 10)?, batch(BATCH_BYTES)?);
    let mut others = others.iter().copied().cycle();
    let mut times = Latencies::new();
    at_each_tick(|due| {
        subject.send(others.by_ref().take(OTHERS_PER_TICK).map(|partition| append(partition, &large_batch)));
        subject.engine.call(append(small, &small_batch))?;
        times.add(due.elapsed());
        Ok(())
    })?;
    subject.wait_for_all()?;
    Ok(times)
}

/// Does something at a fixed rate. Whoever is late makes up for it, and is told since when it was due.
fn at_each_tick(mut work: impl FnMut(Instant) -> Outcome) -> Outcome {
    let start = Instant::now();
    for tick in 0..TICKS_PER_ROUND {
        let due = start + TICK * tick;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        work(due)?;
    }
    Ok(())
}
