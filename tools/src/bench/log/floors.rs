//! What the machine reaches without an engine. Everything else is held against these.

use std::cell::RefCell;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use strandline_log::disk::BLOCK_BYTES;

use super::raw::Raw;
use super::report::{Limit, Report, Spread};
use super::turns::{Latencies, Sample, processor_spread, rates, take_turns};
use super::{Bench, Outcome};

const GROUP_BYTES: usize = 1 << 20;
const GROUPS_PER_TURN: usize = 64;
const SYNCS_PER_ROUND: usize = 300;

pub(super) fn run(bench: &mut Bench<'_>) -> Outcome {
    let folder = bench.new_folder("floors")?;
    let raw = Raw::new(&*bench.disk()?, &folder, GROUP_BYTES)?;
    write_groups(bench, RefCell::new(raw))?;
    let raw = Raw::new(&*bench.disk()?, &bench.new_folder("floors/blocks")?, BLOCK_BYTES)?;
    sync_blocks(bench, raw)
}

fn write_groups(bench: &mut Bench<'_>, raw: RefCell<Raw>) -> Outcome {
    let turn = |write: fn(&mut Raw, usize) -> Outcome| {
        let mut raw = raw.borrow_mut();
        (0..GROUPS_PER_TURN).try_for_each(|_| write(&mut raw, GROUP_BYTES))?;
        Ok((GROUPS_PER_TURN * GROUP_BYTES) as u64)
    };
    let [direct, synced, cached] = take_turns(
        bench.rounds,
        [&mut || turn(Raw::write_direct), &mut || turn(Raw::write_direct_synced), &mut || {
            turn(Raw::write_cached_synced)
        }],
    )?;
    let report = &mut bench.report;
    floor(report, "`O_DIRECT` over 1 MiB", &direct)?;
    floor(report, "`O_DIRECT\\|O_DSYNC` over 1 MiB", &synced)?;
    floor(report, "1 MiB through the page cache, then `fdatasync`", &cached)
}

fn floor(report: &mut Report<'_>, what: &str, samples: &[Sample]) -> Outcome {
    let processor = format!("{} CPU s/GB", processor_spread(samples));
    Ok(report.row(what, "MB/s", Limit::Floor, Spread::of(&rates(samples)), &processor)?)
}

fn sync_blocks(bench: &mut Bench<'_>, mut raw: Raw) -> Outcome {
    let mut medians = [const { Vec::new() }; 2];
    let mut tails = [const { Vec::new() }; 2];
    for _ in 0..bench.rounds {
        let mut ways = [const { Latencies::new() }; 2];
        let [cached, direct] = &mut ways;
        for _ in 0..SYNCS_PER_ROUND {
            cached.time(|| raw.write_cached_synced(BLOCK_BYTES))?;
            direct.time(|| raw.write_direct_synced(BLOCK_BYTES))?;
        }
        for (way, (medians, tails)) in ways.iter().zip(medians.iter_mut().zip(&mut tails)) {
            medians.push(way.quantile_us(500));
            tails.push(way.quantile_us(990));
        }
    }
    let names = ["a block over an old one and `fdatasync`", "the same with `O_DIRECT\\|O_DSYNC`"];
    for (name, (medians, tails)) in names.iter().zip(medians.iter().zip(&tails)) {
        let tails = format!("p99 {} us", Spread::of(tails));
        bench.report.row(name, "us, p50", Limit::Floor, Spread::of(medians), &tails)?;
    }
    Ok(())
}

/// Reads a file from end to end, as anybody would, and says how long it was.
pub(super) fn read_sequentially(path: &Path) -> Outcome<u64> {
    let mut file = File::open(path)?;
    let mut buffer = vec![0; GROUP_BYTES];
    let mut total = 0;
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(total),
            bytes => total += bytes as u64,
        }
    }
}
