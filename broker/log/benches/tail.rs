//! How fast batches are found in tails, and what it takes to keep frames in memory.
//!
//! `cargo bench -p strandline-log --bench tail -- [folder]`, the folder on the disk that is meant (default: the
//! current one). It needs about 400 MB there, and takes them back.

#![expect(clippy::print_stdout, reason = "it prints a table")]
#![expect(clippy::cast_precision_loss, reason = "for figures that are read by people")]

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use strandline_log::disk::real::RealDisk;
use strandline_log::journal::{BufferPool, Class, Journal, Options, Staged};
use strandline_log::random::Random;
use strandline_log::tail::{BUDGET_BYTES_MAX, Budget, Frames, Tail, TailEntry};
use strandline_protocol::batch::{BatchBuilder, BatchHeader, NewRecord};

const BATCH_BYTES: usize = 16 << 10;
const GROUP_BATCHES: usize = 250;
const FETCHED_BATCHES: usize = 64;
const RUNS: usize = 5;

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// What this process has taken of the processor, in the kernel and outside.
fn processor_time() -> Outcome<Duration> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Ok(Duration::new(time.tv_sec.try_into()?, time.tv_nsec.try_into()?))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn entry(base_offset: i64, frame: u64, staged: Staged) -> TailEntry {
    let Staged { offset, length } = staged;
    TailEntry { base_offset, frame, offset_in_frame: offset, length, last_offset_delta: 0, max_timestamp: -1 }
}

/// Full memory, its batches spread over partitions.
fn filled(partitions: usize) -> Outcome<(Frames, Vec<Tail>)> {
    let (frames, pool) = (Frames::new(Budget::new(BUDGET_BYTES_MAX)), BufferPool::default());
    let mut tails = vec![Tail::new(); partitions];
    let bytes = vec![7; GROUP_BATCHES * BATCH_BYTES];
    // What is as large as its buffer may be a little more than the budget has room for.
    let groups = usize::try_from(BUDGET_BYTES_MAX)? / (bytes.len() + (512 << 10));
    for (group, sequence) in (0..groups).zip(1..) {
        frames.keep(sequence, 1, sequence << 22, pool.copy_of(&bytes));
        for index in 0..GROUP_BATCHES {
            let number = group * GROUP_BATCHES + index;
            let place = u32::try_from(index * BATCH_BYTES)?;
            let staged = Staged { offset: place, length: u32::try_from(BATCH_BYTES)? };
            let tail = tails.get_mut(number % partitions).ok_or("no such tail")?;
            tail.push(entry(i64::try_from(number / partitions)?, sequence, staged))?;
        }
    }
    Ok((frames, tails))
}

/// Batches located per second by one thread, from random offsets on.
fn locate(frames: &Frames, tails: &[Tail], seed: u64) -> Outcome<f64> {
    let mut random = Random::from_seed(seed);
    let (mut located, start) = (0, Instant::now());
    let mut fetched = Vec::with_capacity(FETCHED_BATCHES);
    while start.elapsed() < Duration::from_millis(300) {
        for _ in 0..100 {
            let tail = tails.get(random.index(tails.len())).ok_or("no such tail")?;
            let offset = i64::try_from(random.index(tail.len()))?;
            let batches = tail.iter_from(offset).take(FETCHED_BATCHES);
            let slice = |batch: &TailEntry| frames.slice(batch.frame, batch.offset_in_frame, batch.length);
            fetched.extend(batches.map(slice));
            if fetched.iter().any(Option::is_none) {
                return Err("a batch is not in memory".into());
            }
            located += fetched.len();
            black_box(&fetched);
            fetched.clear();
        }
    }
    Ok(located as f64 / start.elapsed().as_secs_f64())
}

fn measure_locating() -> Outcome {
    for partitions in [1, 16, 1_000] {
        let (frames, tails) = filled(partitions)?;
        let rates = (0..RUNS as u64).map(|seed| locate(&frames, &tails, seed)).collect::<Outcome<_>>()?;
        println!("located, {partitions:>5} partitions: {:>6.1} M batches/s", median(rates) / 1e6);
    }
    let (frames, tails) = filled(16)?;
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let other = scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                if locate(&frames, &tails, 99).is_err() {
                    return false;
                }
            }
            true
        });
        let rates = (0..RUNS as u64).map(|seed| locate(&frames, &tails, seed)).collect::<Outcome<_>>();
        is_over.store(true, Ordering::Relaxed);
        println!("located beside another reader: {:>6.1} M batches/s", median(rates?) / 1e6);
        if other.join().unwrap_or(false) { Ok(()) } else { Err("the other reader failed".into()) }
    })
}

/// Groups of 16 KiB batches through the journal; says the rate and the processor time per GB.
fn journal_groups(folder: &Path, frames: Option<&Frames>) -> Outcome<(f64, f64)> {
    const GROUPS: usize = 256;
    let disk = Arc::new(RealDisk::new(folder)?);
    let random = Random::from_system()?;
    let mut journal = Journal::recover(disk, folder.join("journal"), Options::default(), random, 0, |_| {})?;
    let mut batch = vec![0; BATCH_BYTES - 32];
    let header = {
        let mut builder = BatchBuilder::new().base_offset(1).partition_leader_epoch(1);
        builder.append(&NewRecord::at(1))?;
        BatchHeader::parse(&builder.build()?)?
    };
    let mut measured = (0.0, 0.0);
    // The first round makes the files and touches the memory.
    for _ in 0..2 {
        let (start, processor) = (Instant::now(), processor_time()?);
        for group in 0..GROUPS {
            batch.fill(group.to_le_bytes().first().copied().unwrap_or_default());
            for partition in 0..GROUP_BATCHES as u64 {
                journal.stage_append(partition, &header, &batch, || 0, Class::Append)?;
            }
            let (committed, buffer) = journal.commit()?.ok_or("nothing was staged")?;
            let done = committed.sequence.saturating_sub(24);
            if let Some(frames) = frames {
                frames.keep(committed.sequence, committed.file, committed.offset, buffer);
                frames.forget_up_to(done);
            }
            journal.recycle(done)?;
        }
        let bytes = (GROUPS * GROUP_BATCHES * batch.len()) as f64;
        let took = (processor_time()? - processor).as_secs_f64();
        measured = (bytes / start.elapsed().as_secs_f64() / 1e6, took / bytes * 1e9);
    }
    journal.recycle(journal.next_sequence() - 1)?;
    journal.close()?;
    std::fs::remove_dir_all(folder.join("journal"))?;
    Ok(measured)
}

fn measure_journal(folder: &Path) -> Outcome {
    let kept = Frames::new(Budget::new(BUDGET_BYTES_MAX));
    let mut measured = [const { (Vec::new(), Vec::new()) }; 2];
    for _ in 0..RUNS {
        for (frames, (rates, processor)) in [None, Some(&kept)].into_iter().zip(&mut measured) {
            let (rate, took) = journal_groups(folder, frames)?;
            rates.push(rate);
            processor.push(took);
        }
    }
    for (name, (rates, processor)) in ["not kept", "kept"].iter().zip(measured) {
        println!(
            "journal, groups of 4 MB, {name:<9} {:>6.0} MB/s {:>6.3} CPU s/GB",
            median(rates),
            median(processor)
        );
    }
    Ok(())
}

/// What one small group costs beside its write: its frame goes from its buffer into a chunk.
fn measure_small_frames() -> Outcome {
    let (frames, pool) = (Frames::new(Budget::new(BUDGET_BYTES_MAX)), BufferPool::default());
    let frame = vec![7; 2_000];
    let mut sequence = 0;
    let mut rates = Vec::new();
    for _ in 0..RUNS {
        let start = Instant::now();
        for _ in 0..100_000 {
            sequence += 1;
            frames.keep(sequence, 1, sequence << 12, pool.copy_of(&frame));
        }
        rates.push(start.elapsed().as_secs_f64() / 100_000.0);
        frames.forget_up_to(sequence - 50_000);
    }
    println!("kept, frames of 2 kB: {:>6.0} ns each", median(rates) * 1e9);
    Ok(())
}

fn main() -> Outcome {
    // Cargo passes an option of its own.
    let argument = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let folder = PathBuf::from(argument.unwrap_or_else(|| ".".to_owned())).join("tail-benchmark");
    std::fs::create_dir(&folder)?;
    measure_locating()?;
    measure_small_frames()?;
    measure_journal(&folder)?;
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}
