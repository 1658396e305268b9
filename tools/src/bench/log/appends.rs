//! Appends to one partition: large ones one behind the other, small ones one at a time, small ones side by side.

use std::cell::RefCell;
use std::thread;
use std::time::{Duration, Instant};

use strandline_log::config::Durability;
use strandline_log::disk::BLOCK_BYTES;
use strandline_log::journal::BYTES_MAX;
use strandline_log::local_id::LocalId;

use super::machine::{processor_time, waits};
use super::raw::Raw;
use super::report::{Limit, Spread};
use super::subject::{Subject, append, batch};
use super::turns::{Latencies, float, processor_spread, rates, take_turns};
use super::{Bench, Outcome};

const GROUP_BYTES: usize = 1 << 20;

/// One group is written while the next one is staged.
const GROUPS_OUTSTANDING: usize = 2;

/// Ten journals' worth.
const SUSTAINED_BYTES: u64 = 10 * BYTES_MAX;

const SUSTAINED_ROUNDS: usize = 3;
const DIRECT_GROUPS: usize = 256;
const APPENDS_PER_ROUND: usize = 500;

/// How long an idle engine is looked at.
const REST: Duration = Duration::from_secs(5);

/// So many appends at once, how many of them, and how many a second there have to be.
const TOGETHER: [(usize, usize, Limit); 2] =
    [(8, 50_000, Limit::Floor), (64, 400_000, Limit::AtLeast(200_000.0))];

pub(super) fn run_sustained(bench: &mut Bench<'_>) -> Outcome {
    let folder = bench.new_folder("sustained")?;
    let raw = RefCell::new(Raw::new(&*bench.disk()?, &folder, GROUP_BYTES)?);
    let batch = batch(GROUP_BYTES)?;
    let subject = RefCell::new(Subject::open(folder.join("data"))?);
    let sustained = |durability| {
        let mut subject = subject.borrow_mut();
        let partition = subject.create(1, durability)?.first().ok_or("no partition")?.id();
        let count = usize::try_from(SUSTAINED_BYTES)? / GROUP_BYTES;
        subject.append(&batch, (0..count).map(|_| partition), GROUPS_OUTSTANDING)?;
        Ok(SUSTAINED_BYTES)
    };
    // The journal's files are made, and taken out of the measurement.
    sustained(Durability::Fsync)?;
    let [durable, unsynced, direct] = take_turns(
        bench.rounds.min(SUSTAINED_ROUNDS),
        [&mut || sustained(Durability::Fsync), &mut || sustained(Durability::Async), &mut || {
            (0..DIRECT_GROUPS).try_for_each(|_| raw.borrow_mut().write_direct(GROUP_BYTES))?;
            Ok((DIRECT_GROUPS * GROUP_BYTES) as u64)
        }],
    )?;
    let (durable_rates, direct_rates) = (rates(&durable), rates(&direct));
    let report = &mut bench.report;
    let what = "durable groups of 1 MiB with segments, ten journals' worth";
    let beside =
        format!("{} MB/s; `O_DIRECT` {} MB/s", Spread::of(&durable_rates), Spread::of(&direct_rates));
    let seen = Spread::of_ratios(&durable_rates, &direct_rates);
    report.row(what, "% of `O_DIRECT`", Limit::AtLeast(35.0), seen, &beside)?;
    let what = "processor, journal, tail and segment together";
    report.row(what, "s/GB", Limit::AtMost(0.7), processor_spread(&durable), "")?;
    let beside = format!("{} MB/s", Spread::of(&rates(&unsynced)));
    report.row("processor, `async`", "s/GB", Limit::AtMost(0.5), processor_spread(&unsynced), &beside)?;
    subject.into_inner().close()
}

pub(super) fn run_small(bench: &mut Bench<'_>) -> Outcome {
    let folder = bench.new_folder("small")?;
    let mut raw = Raw::new(&*bench.disk()?, &folder, BLOCK_BYTES)?;
    let mut subject = Subject::open(folder.join("data"))?;
    let partition = subject.create(1, Durability::Fsync)?.first().ok_or("no partition")?.id();
    append_singly(bench, &mut subject, partition, &mut raw)?;
    for (outstanding, count, limit) in TOGETHER {
        append_together(bench, &mut subject, partition, (outstanding, count, limit))?;
    }
    rest(bench)?;
    subject.close()
}

fn append_singly(bench: &mut Bench<'_>, subject: &mut Subject, partition: LocalId, raw: &mut Raw) -> Outcome {
    let batch = batch(1 << 10)?;
    let [mut seen, mut bare, mut differences, mut waited] = [const { Vec::new() }; 4];
    for _ in 0..bench.rounds {
        let [mut seen_times, mut bare_times] = [const { Latencies::new() }; 2];
        for _ in 0..APPENDS_PER_ROUND {
            bare_times.time(|| raw.write_cached_synced(BLOCK_BYTES))?;
        }
        let waits_before = waits()?;
        for _ in 0..APPENDS_PER_ROUND {
            seen_times.time(|| subject.engine.call(append(partition, &batch)))?;
        }
        waited.push(float(waits()? - waits_before) / float(APPENDS_PER_ROUND as u64));
        let (seen_us, bare_us) = (seen_times.quantile_us(500), bare_times.quantile_us(500));
        seen.push(seen_us);
        bare.push(bare_us);
        differences.push(seen_us - bare_us);
    }
    let beside = format!(
        "{} us beside {} us; {} waits of a thread for each",
        Spread::of(&seen),
        Spread::of(&bare),
        Spread::of(&waited)
    );
    let what = "durable append of 1 KiB, one at a time, p50 above the bare sync's";
    Ok(bench.report.row(what, "us", Limit::AtMost(80.0), Spread::of(&differences), &beside)?)
}

fn append_together(
    bench: &mut Bench<'_>,
    subject: &mut Subject,
    partition: LocalId,
    (outstanding, count, limit): (usize, usize, Limit),
) -> Outcome {
    let batch = batch(1 << 10)?;
    let [mut seen, mut waited, mut processor] = [const { Vec::new() }; 3];
    for _ in 0..bench.rounds {
        let (start, waits_before, processor_before) = (Instant::now(), waits()?, processor_time()?);
        subject.append(&batch, (0..count).map(|_| partition), outstanding)?;
        seen.push(float(count as u64) / start.elapsed().as_secs_f64());
        waited.push(float(waits()? - waits_before) / float(count as u64));
        let processor_us = processor_time()?.saturating_sub(processor_before).as_secs_f64() * 1e6;
        processor.push(processor_us / float(count as u64));
    }
    let (waited, processor) = (Spread::of(&waited), Spread::of(&processor));
    let beside = format!("{waited} waits of a thread and {processor} us of processor for each");
    let what = format!("durable appends of 1 KiB, {outstanding} outstanding");
    Ok(bench.report.row(&what, "/s", limit, Spread::of(&seen), &beside)?)
}

/// What an engine takes that has nothing to do.
fn rest(bench: &mut Bench<'_>) -> Outcome {
    // What was begun comes to its end first.
    thread::sleep(REST);
    let (before, waits_before) = (processor_time()?, waits()?);
    thread::sleep(REST);
    let taken = processor_time()?.saturating_sub(before).as_secs_f64() / REST.as_secs_f64();
    let beside =
        format!("{:.1} waits of a thread a second", float(waits()? - waits_before) / REST.as_secs_f64());
    let seen = Spread::of(&[taken * 100.0]);
    Ok(bench.report.row("processor of an idle engine", "% of one", Limit::AtMost(0.1), seen, &beside)?)
}
