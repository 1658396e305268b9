//! Compaction of a log of small records, on one thread.

use std::collections::BTreeMap;
use std::io::IoSlice;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use strandline_log::compaction::{Compaction, CompactionInput, Settings, Unlimited};
use strandline_log::config::LogConfig;
use strandline_log::disk::Access;
use strandline_log::disk::real::RealDisk;
use strandline_log::layout::Layout;
use strandline_log::local_id::LocalId;
use strandline_log::random::Random;
use strandline_log::segment::{BatchFacts, Files, FilesOptions, Segment, Way};
use strandline_protocol::batch::{BatchBuilder, BatchHeader, NewRecord};

use super::child::{self, Part};
use super::machine::{processor_time, resident_mib, resident_mib_max};
use super::report::{Limit, Spread};
use super::turns::float;
use super::{Bench, Outcome};

const SEGMENTS: usize = 4;
const SEGMENT_BYTES: u64 = 64 << 20;
const RECORDS_PER_BATCH: u32 = 150;
const VALUE_BYTES: usize = 75;
const PARTITION: LocalId = LocalId(1);
const ROUNDS: usize = 3;

/// A log in which each key comes some three times, with room for all keys; and one in which they all differ,
/// with room for a part of them.
const CASES: [(&str, u64, usize); 2] =
    [("each key 3 times", 800_000, 128), ("keys that all differ", u64::MAX, 32)];

/// What a round may take beside the keys: pieces of files, and batches.
const BUFFERS_MIB_MAX: f64 = 8.0;

/// What a child sees.
const FIGURES: usize = 3;

pub(super) fn run(bench: &mut Bench<'_>) -> Outcome {
    for (name, keys, map_mib) in CASES {
        let [mut rates, mut processor_rates, mut memory] = [const { Vec::new() }; 3];
        for _ in 0..bench.rounds.min(ROUNDS) {
            let root = bench.new_folder("compaction/child")?;
            let part = Part::Compact { root: root.clone(), keys, map_mib };
            let [rate, processor_rate, mib] = child::start::<FIGURES>(&part)?.wait()?;
            rates.push(rate);
            processor_rates.push(processor_rate);
            memory.push(mib);
            bench.leave_folder(root)?;
        }
        let beside = format!("by processor time {} MB/s", Spread::of(&processor_rates));
        let what = format!("compaction of 100 B records, {name}");
        bench.report.row(&what, "MB/s", Limit::AtLeast(150.0), Spread::of(&rates), &beside)?;
        let limit = Limit::AtMost(float(map_mib as u64) + BUFFERS_MIB_MAX);
        let beside = format!("{map_mib} MiB for the keys, and buffers");
        bench.report.row("its memory", "MiB", limit, Spread::of(&memory), &beside)?;
    }
    Ok(())
}

/// What a child does: it writes a log, compacts it once, and says how fast that went, by the time that passed and
/// by the processor's, and how much more memory there was than before.
pub(super) fn compact(root: &Path, keys: u64, map_mib: usize) -> Outcome<[f64; FIGURES]> {
    let layout = Layout::new(root.to_owned());
    std::fs::create_dir_all(layout.logs())?;
    let files = Arc::new(Files::new(Arc::new(RealDisk::new(root)?), layout, &FilesOptions::default()));
    let mut random = Random::from_seed(1);
    let mut segments: Vec<Arc<Segment>> = Vec::new();
    for _ in 0..SEGMENTS {
        let base_offset = segments.last().map_or(0, |segment| segment.end_offset());
        segments.push(write_segment(&files, base_offset, keys, &mut random)?);
    }
    let settings = Settings {
        first_dirty_offset: 0,
        end_offset: segments.last().map_or(0, |segment| segment.end_offset()),
        now_ms: 0,
        delete_retention_ms: 0,
        map_bytes_max: map_mib << 20,
        decompressed_bytes_max: 1 << 20,
        last_records: BTreeMap::new(),
    };
    let megabytes = float(segments.iter().map(|segment| segment.length()).sum()) / 1e6;
    let (later, unindexed, config) = (Vec::new(), Vec::new(), LogConfig::default());
    let input = CompactionInput { segments, later, unindexed, settings, config };
    let memory = resident_mib().ok_or("the kernel does not say how much memory is taken")?;
    let (start, processor) = (Instant::now(), processor_time()?);
    let mut compaction = Compaction::begin(Arc::clone(&files), input, &mut Unlimited, &mut random)?;
    while let Some(replacement) = compaction.step(&mut Unlimited)? {
        replacement.swap(&files)?;
    }
    let (passed, processor) = (start.elapsed(), processor_time()?.saturating_sub(processor));
    let memory = resident_mib_max().unwrap_or(u64::MAX).saturating_sub(memory);
    Ok([megabytes / passed.as_secs_f64(), megabytes / processor.as_secs_f64(), float(memory)])
}

fn write_segment(files: &Files, base_offset: i64, keys: u64, random: &mut Random) -> Outcome<Arc<Segment>> {
    let segment = Segment::begin(PARTITION, base_offset, 0, 0);
    let mut value = [b'v'; VALUE_BYTES];
    while segment.length() < SEGMENT_BYTES {
        let mut builder = BatchBuilder::new();
        for _ in 0..RECORDS_PER_BATCH {
            let key = format!("{:016x}", random.below(keys));
            random.fill(&mut value);
            let record = NewRecord { key: Some(key.as_bytes()), value: Some(&value), ..NewRecord::at(0) };
            builder.append(&record)?;
        }
        let mut batch = builder.build()?.to_vec();
        let mut header = BatchHeader::parse(&batch)?;
        header.assign(segment.end_offset(), 0);
        header.write_over(&mut batch)?;
        segment.write(files, segment.length(), &[IoSlice::new(&batch)], Way::ThroughCache)?;
        segment.extend(&[BatchFacts::from(&header)], LogConfig::default().index_interval_bytes);
    }
    files.log(&segment, Access::Write)?.sync()?;
    segment.seal();
    Ok(Arc::new(segment))
}
