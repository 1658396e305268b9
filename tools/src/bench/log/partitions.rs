//! The same bytes over one partition, ten thousand, and a hundred thousand.

use std::path::Path;
use std::time::Instant;

use strandline_log::config::Durability;
use strandline_log::journal::BYTES_MAX;
use strandline_log::local_id::LocalId;

use super::child::{self, Part};
use super::machine::{processor_time, resident_mib, resident_mib_max};
use super::report::{Limit, Spread};
use super::subject::{Subject, batch};
use super::turns::float;
use super::{Bench, Outcome};

pub(super) const BATCH_BYTES: usize = 16 << 10;

/// Of a journal that has room for all of it.
const BURST_BYTES: u64 = BYTES_MAX / 4 * 3;

pub(super) const SUSTAINED_BYTES: u64 = 10 * BYTES_MAX;

/// As many producers with a full pipeline have.
const BYTES_OUTSTANDING: usize = 8 << 20;

const COUNTS: [usize; 3] = [1, 10_000, 100_000];
const ROUNDS: usize = 3;

/// How many files the floor of many partitions has.
const SCATTERED_FILES: usize = 10_000;

/// What a child sees.
const FIGURES: usize = 6;

pub(super) fn run(bench: &mut Bench<'_>) -> Outcome {
    let mut seen = [const { Vec::new() }; COUNTS.len()];
    let mut scattered = Vec::new();
    for round in 0..bench.rounds.min(ROUNDS) {
        let mut turns: Vec<_> = COUNTS.iter().zip(&mut seen).collect();
        if round % 2 == 1 {
            turns.reverse();
        }
        for (partitions, seen) in turns {
            let root = bench.new_folder("partitions/child")?;
            let part = Part::Spread { root: root.clone(), partitions: *partitions };
            seen.push(child::start::<FIGURES>(&part)?.wait()?);
            bench.leave_folder(root)?;
        }
        let root = bench.new_folder("partitions/scattered")?;
        let [rate] = child::start(&Part::Scatter { root: root.clone(), files: SCATTERED_FILES })?.wait()?;
        scattered.push(rate);
        bench.leave_folder(root)?;
    }
    let [one, ten_thousand, hundred_thousand] = seen;
    let column = |rows: &[[f64; FIGURES]], index: usize| -> Vec<f64> {
        rows.iter().filter_map(|row| row.get(index)).copied().collect()
    };
    let report = &mut bench.report;
    let what = "10,000 files without an engine, 16 KiB to each in turn, and 1 MiB to a journal beside it";
    let seen = Spread::of_ratios(&scattered, &column(&one, SUSTAINED));
    let beside = format!("{} MB/s", Spread::of(&scattered));
    report.row(what, "% of one partition", Limit::Floor, seen, &beside)?;
    let rows = [
        ("10,000 partitions, a burst", &ten_thousand, BURST, 70.0),
        ("10,000 partitions, ten journals' worth", &ten_thousand, SUSTAINED, 70.0),
        ("100,000 partitions, a burst", &hundred_thousand, BURST, 40.0),
        ("100,000 partitions, ten journals' worth", &hundred_thousand, SUSTAINED, 20.0),
    ];
    for (what, rows, index, limit) in rows {
        let (of_one, of_many) = (column(&one, index), column(rows, index));
        let beside = format!("{} MB/s; one partition {} MB/s", Spread::of(&of_many), Spread::of(&of_one));
        let seen = Spread::of_ratios(&of_many, &of_one);
        report.row(what, "% of one partition", Limit::AtLeast(limit), seen, &beside)?;
    }
    for (what, rows) in [("one partition", &one), ("100,000 partitions", &hundred_thousand)] {
        let seen = Spread::of(&column(rows, PROCESSOR));
        report.row(&format!("processor, {what}"), "s/GB", Limit::Floor, seen, "")?;
    }
    let seen = Spread::of(&column(&hundred_thousand, MEMORY));
    let beside = format!("one partition {} MiB", Spread::of(&column(&one, MEMORY)));
    report.row("memory with 100,000 partitions, at most", "MiB", Limit::AtMost(300.0), seen, &beside)?;
    let seen = Spread::of(&column(&hundred_thousand, CREATED));
    report.row("creating 100,000 partitions, durably", "/s", Limit::AtLeast(20_000.0), seen, "")?;
    let seen = Spread::of(&column(&hundred_thousand, EMPTY));
    let beside = "of 100,000, and what their creation left of the journal in memory";
    report.row("memory of an empty partition", "KiB", Limit::AtMost(1.0), seen, beside)?;
    Ok(())
}

const CREATED: usize = 0;
const BURST: usize = 1;
const SUSTAINED: usize = 2;
const PROCESSOR: usize = 3;
const MEMORY: usize = 4;
const EMPTY: usize = 5;

/// What a child does: it creates partitions, appends, and says how all that went.
pub(super) fn spread(root: &Path, partitions: usize) -> Outcome<[f64; FIGURES]> {
    let batch = batch(BATCH_BYTES)?;
    let mut subject = Subject::open(root.join("data"))?;
    let unknown = "the kernel does not say how much memory is taken";
    let (start, before) = (Instant::now(), resident_mib().ok_or(unknown)?);
    let partitions: Vec<LocalId> =
        subject.create(partitions, Durability::Fsync)?.iter().map(|partition| partition.id()).collect();
    let created = float(partitions.len() as u64) / start.elapsed().as_secs_f64();
    let taken = resident_mib().ok_or(unknown)?.saturating_sub(before);
    let empty = float(taken << 10) / float(partitions.len() as u64);
    let mut ids = partitions.iter().copied().cycle();
    let mut append = |bytes: u64| -> Outcome<f64> {
        let count = usize::try_from(bytes)? / BATCH_BYTES;
        let start = Instant::now();
        subject.append(&batch, ids.by_ref().take(count), BYTES_OUTSTANDING / BATCH_BYTES)?;
        Ok(float(bytes) / 1e6 / start.elapsed().as_secs_f64())
    };
    let burst = append(BURST_BYTES)?;
    let processor = processor_time()?;
    let sustained = append(SUSTAINED_BYTES)?;
    let processor =
        processor_time()?.saturating_sub(processor).as_secs_f64() / (float(SUSTAINED_BYTES) / 1e9);
    let memory = float(resident_mib_max().ok_or(unknown)?);
    subject.close()?;
    Ok([created, burst, sustained, processor, memory, empty])
}
