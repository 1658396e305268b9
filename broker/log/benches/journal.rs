//! What the journal reaches on this machine's disk, beside what the disk itself reaches in the same run.
//!
//! `cargo bench -p strandline-log --bench journal -- [folder]`, the folder on the disk that is meant (default:
//! the current one). The ways are taken in turns, so that whatever else the machine does hits all of them. It
//! needs about 600 MB there, and takes them back.

#![expect(clippy::print_stdout, reason = "it prints a table")]
#![expect(clippy::cast_precision_loss, reason = "for figures that are read by people")]

use std::io::IoSlice;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use strandline_log::disk::real::RealDisk;
use strandline_log::disk::{Access, BLOCK_BYTES, Disk, File};
use strandline_log::journal::{Class, Committed, Entry, Journal, Options, Write};
use strandline_log::random::Random;

const SIZES: [usize; 8] = [1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 2 << 20, 4_000_000];

/// The raw ways write over a file of this length.
const RAW_BYTES: u64 = 128 << 20;

/// What is not recycled yet.
const BYTES_BEHIND: u64 = 128 << 20;

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;
type Run<'a> = Box<dyn FnMut(&[u8]) -> Outcome + 'a>;

/// A way to make so many bytes durable.
struct Way<'a> {
    name: &'static str,
    run: Run<'a>,
    times: Vec<Duration>,
    processor: Duration,
}

impl<'a> Way<'a> {
    fn new(name: &'static str, run: impl FnMut(&[u8]) -> Outcome + 'a) -> Self {
        Self { name, run: Box::new(run), times: Vec::new(), processor: Duration::ZERO }
    }

    fn take(&mut self, bytes: &[u8]) -> Outcome {
        let processor = processor_time()?;
        let start = Instant::now();
        (self.run)(bytes)?;
        self.times.push(start.elapsed());
        self.processor += processor_time()? - processor;
        Ok(())
    }

    fn quantile(&self, part: f64) -> Duration {
        let mut times = self.times.clone();
        times.sort_unstable();
        let index = (0..times.len()).rfind(|index| *index as f64 <= part * (times.len() - 1) as f64);
        index.and_then(|index| times.get(index)).copied().unwrap_or_default()
    }
}

/// What this process has taken of the processor, in the kernel and outside.
fn processor_time() -> Outcome<Duration> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Ok(Duration::new(time.tv_sec.try_into()?, time.tv_nsec.try_into()?))
}

/// Files that are written from end to end, and a place in them that moves on. One is for writes through the
/// page cache alone: the others would take its pages out of there.
struct Raw {
    cached: Arc<dyn File>,
    direct: Arc<dyn File>,
    unsynced: OwnedFd,
    offset: u64,
}

fn filled_file(disk: &RealDisk, path: &Path) -> Outcome<Arc<dyn File>> {
    let file = disk.create(path, Access::Write)?;
    file.allocate(0, RAW_BYTES)?;
    let ones = vec![1; 1 << 20];
    for offset in (0..RAW_BYTES).step_by(ones.len()) {
        file.write_at(&[IoSlice::new(&ones)], offset)?;
    }
    file.sync()?;
    Ok(file)
}

impl Raw {
    fn new(disk: &RealDisk, path: &Path) -> Outcome<Self> {
        let direct = path.with_extension("direct");
        filled_file(disk, &direct)?;
        let flags = OFlags::WRONLY | OFlags::DIRECT;
        Ok(Self {
            cached: filled_file(disk, path)?,
            direct: disk.open(&direct, Access::DirectSynced)?,
            unsynced: rustix::fs::open(&direct, flags, Mode::empty())?,
            offset: 0,
        })
    }

    fn advance(&mut self, length: usize) -> u64 {
        let length = length.next_multiple_of(BLOCK_BYTES) as u64;
        let offset = if self.offset + length > RAW_BYTES { 0 } else { self.offset };
        self.offset = offset + length;
        offset
    }

    fn buffered(&mut self, bytes: &[u8]) -> Outcome {
        let offset = self.advance(bytes.len());
        self.cached.write_at(&[IoSlice::new(bytes)], offset)?;
        self.cached.sync()?;
        Ok(())
    }

    fn unsynced(&mut self, bytes: &[u8]) -> Outcome {
        let offset = self.advance(bytes.len());
        assert_eq!(rustix::io::pwrite(&self.unsynced, bytes, offset)?, bytes.len());
        Ok(())
    }

    fn direct(&mut self, bytes: &[u8]) -> Outcome {
        let offset = self.advance(bytes.len());
        self.direct.write_at(&[IoSlice::new(bytes)], offset)?;
        Ok(())
    }
}

fn open_journal(folder: &Path) -> Outcome<Journal> {
    let disk = Arc::new(RealDisk::new(folder)?);
    let random = Random::from_system()?;
    Ok(Journal::recover(disk, folder.join("journal"), Options::default(), random, 0, |_| {})?)
}

fn append(journal: &mut Journal, bytes: &[u8]) -> Outcome {
    stage(journal, bytes)?;
    let (committed, _) = journal.commit()?.ok_or("nothing was staged")?;
    recycle(journal, committed, bytes.len())
}

fn stage(journal: &mut Journal, bytes: &[u8]) -> Outcome {
    journal.stage(&Entry::Append { partition: 1, base_offset: 0, batch: bytes }, Class::Append)?;
    Ok(())
}

fn recycle(journal: &mut Journal, committed: Committed, length: usize) -> Outcome {
    // So far behind as a checkpoint may be: a good part of the journal's bound.
    let groups_behind = BYTES_BEHIND / length.next_multiple_of(BLOCK_BYTES) as u64;
    journal.recycle(committed.sequence.saturating_sub(groups_behind))?;
    Ok(())
}

fn aligned(memory: &[u8], length: usize) -> &[u8] {
    let start = memory.as_ptr().align_offset(BLOCK_BYTES);
    memory.get(start..start + length.next_multiple_of(BLOCK_BYTES)).unwrap_or_default()
}

fn measure(journal: &mut Journal, raw: &mut Raw, size: usize) -> Outcome {
    journal.recycle(journal.next_sequence() - 1)?;
    let memory = vec![7; 8 << 20];
    let raw = std::cell::RefCell::new(raw);
    let bytes = memory.get(1..=size).unwrap_or_default();
    let mut ways = [
        Way::new("O_DIRECT, no sync", |bytes| raw.borrow_mut().unsynced(aligned(&memory, bytes.len()))),
        Way::new("O_DIRECT|O_DSYNC", |bytes| raw.borrow_mut().direct(aligned(&memory, bytes.len()))),
        Way::new("buffered + fdatasync", |bytes| raw.borrow_mut().buffered(bytes)),
        Way::new("journal", |bytes| append(journal, bytes)),
    ];
    let rounds = ((128 << 20) / size).clamp(96, 1_000);
    for _ in 0..rounds {
        ways.iter_mut().try_for_each(|way| way.take(bytes))?;
    }
    let total = |way: &Way<'_>| way.times.iter().sum::<Duration>().as_secs_f64();
    let base = ways.first().map(total).unwrap_or_default();
    for way in &ways {
        let [p50, p90, p99] = [0.5, 0.9, 0.99].map(|part| way.quantile(part));
        println!(
            "{size:>9}  {:<20} {:>8.0} {:>8.0} {:>8.0}  {:>7.0}  {:>5.0} %  {:>6.2}",
            way.name,
            p50.as_secs_f64() * 1e6,
            p90.as_secs_f64() * 1e6,
            p99.as_secs_f64() * 1e6,
            (size * rounds) as f64 / total(way) / 1e6,
            100.0 * base / total(way),
            way.processor.as_secs_f64() / (size * rounds) as f64 * 1e9,
        );
    }
    Ok(())
}

/// Groups of 1 MB one behind the other, the next one staged while one is written.
fn measure_sustained(mut journal: Journal, raw: &mut Raw) -> Outcome<Journal> {
    const GROUPS: u32 = 100;
    journal.recycle(journal.next_sequence() - 1)?;
    let memory = vec![7; 2 << 20];
    let bytes = memory.get(..1 << 20).unwrap_or_default();
    let (to_writer, writes) = mpsc::sync_channel::<Write>(1);
    let (to_journal, written) = mpsc::sync_channel(1);
    let writer = thread::spawn(move || writes.iter().all(|write| to_journal.send(write.run()).is_ok()));
    let mut times: [Duration; 4] = Default::default();
    for _ in 0..5 {
        let start = Instant::now();
        (0..GROUPS).try_for_each(|_| raw.unsynced(aligned(&memory, bytes.len())))?;
        let after_unsynced = Instant::now();
        (0..GROUPS).try_for_each(|_| raw.direct(aligned(&memory, bytes.len())))?;
        let after_raw = Instant::now();
        (0..GROUPS).try_for_each(|_| append(&mut journal, bytes))?;
        let after_commits = Instant::now();
        stage(&mut journal, bytes)?;
        for _ in 1..GROUPS {
            to_writer.send(journal.begin_commit()?.ok_or("nothing was staged")?)?;
            stage(&mut journal, bytes)?;
            let (committed, _) = journal.end_commit(written.recv()?)?;
            recycle(&mut journal, committed, bytes.len())?;
        }
        journal.commit()?;
        let moments = [
            after_unsynced - start,
            after_raw - after_unsynced,
            after_commits - after_raw,
            after_commits.elapsed(),
        ];
        times.iter_mut().zip(moments).for_each(|(time, moment)| *time += moment);
    }
    drop(to_writer);
    writer.join().map_err(|_| "the writing thread died")?;
    let names = ["O_DIRECT, no sync", "O_DIRECT|O_DSYNC", "journal", "journal, staging meanwhile"];
    for (name, time) in names.iter().zip(times) {
        let rate = ((5 * u64::from(GROUPS)) << 20) as f64 / time.as_secs_f64() / 1e6;
        let part = times.first().map_or(0.0, |raw| raw.as_secs_f64() / time.as_secs_f64());
        println!("sustained, 1 MiB groups: {name:<28} {rate:>6.0} MB/s {:>5.0} %", 100.0 * part);
    }
    Ok(journal)
}

fn measure_recovery(folder: &Path, size: usize) -> Outcome {
    let mut journal = open_journal(folder)?;
    let bytes = vec![7; size];
    let mut entries = 0;
    loop {
        let entry = Entry::Append { partition: 1, base_offset: 0, batch: &bytes };
        match journal.stage(&entry, Class::Append) {
            Ok(_) => entries += 1,
            Err(strandline_log::journal::StageError::GroupFull) => drop(journal.commit()?),
            Err(_) => break,
        }
    }
    journal.commit()?;
    drop(journal);
    let start = Instant::now();
    let mut found = 0;
    let disk = Arc::new(RealDisk::new(folder)?);
    let random = Random::from_system()?;
    Journal::recover(disk, folder.join("journal"), Options::default(), random, 0, |_| found += 1)?;
    let took = start.elapsed();
    assert_eq!(found, entries);
    println!("recovery of {entries} entries of {size} bytes: {:.0} ms", took.as_secs_f64() * 1e3);
    Ok(())
}

fn main() -> Outcome {
    // Cargo passes an option of its own.
    let argument = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let folder = PathBuf::from(argument.unwrap_or_else(|| ".".to_owned())).join("journal-benchmark");
    std::fs::create_dir(&folder)?;
    let disk = RealDisk::new(&folder)?;
    let mut raw = Raw::new(&disk, &folder.join("raw"))?;
    let mut journal = open_journal(&folder)?;
    // Once through all its files, so that they are there.
    let warm = vec![1; 1 << 20];
    (0..320).try_for_each(|_| append(&mut journal, &warm))?;
    println!("    bytes  way                   p50 µs   p90 µs   p99 µs     MB/s   of 1st  CPU s/GB");
    for size in SIZES {
        measure(&mut journal, &mut raw, size)?;
    }
    drop((measure_sustained(journal, &mut raw)?, raw));
    for size in [220, 16 << 10, 1 << 20] {
        std::fs::remove_dir_all(folder.join("journal"))?;
        measure_recovery(&folder, size)?;
    }
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}
