//! What the manifest takes with 100,000 partitions of one segment each, beside a transactional B-tree (redb) that
//! is given the same rows through the same disk.
//!
//! `cargo bench -p strandline-log --bench manifest -- [folder]`, the folder on the disk that is meant (default:
//! the current one). It needs about 200 MB there, and takes them back. Each contender runs in processes of its
//! own: one that fills it and dies without a word or closes it, and one that opens what is there.

#![expect(clippy::print_stdout, reason = "it prints a table")]

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use redb::{Database, ReadableDatabase, ReadableTable, StorageBackend, TableDefinition};
use strandline_log::config::LogConfig;
use strandline_log::disk::real::RealDisk;
use strandline_log::disk::{self, Access, Disk, File};
use strandline_log::local_id::LocalId;
use strandline_log::manifest::{Changes, Manifest, ManifestOptions, PartitionRow};
use strandline_log::random::Random;
use strandline_log::segment::SegmentFacts;

const PARTITIONS: u64 = 100_000;

/// About what the manifest makes of the rows below.
const PARTITION_BYTES: usize = 166;
const SEGMENT_BYTES: usize = 46;

const CACHE_BYTES: usize = 16 << 20;

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// What is measured.
trait Store {
    /// Makes rows durable that say something about `version`.
    fn commit(&self, partitions: &[u64], version: u8) -> Outcome;
    /// Reads all rows, and says how many there are.
    fn load(&self) -> Outcome<usize>;
    fn close(self: Box<Self>) -> Outcome;
}

impl Store for Manifest {
    fn commit(&self, partitions: &[u64], version: u8) -> Outcome {
        let row = PartitionRow {
            description: vec![version; 40],
            config: LogConfig::default(),
            includes_sequence: u64::from(version),
            log_start: 0,
            local_start: None,
            flushed_to: 1 << 20,
            cleaned_to: None,
            is_swapping: false,
            epochs: vec![(0, 0)],
        };
        let segment = SegmentFacts {
            generation: 0,
            length: 1 << 20,
            end_offset: 1 << 20,
            max_timestamp: i64::from(version),
            first_timestamp: 0,
            created_ms: 0,
            is_sealed: false,
        };
        let ids = || partitions.iter().map(|id| LocalId(*id));
        let changes = Changes {
            partitions: ids().map(|id| (id, row.clone())).collect(),
            segments: ids().map(|id| (id, 0, Some(segment))).collect(),
            ..Changes::default()
        };
        Ok(Manifest::commit(self, &changes)?)
    }

    fn load(&self) -> Outcome<usize> {
        let mut rows = 0;
        Manifest::load(self, |_, _, segments| rows += 1 + segments.len())?;
        Ok(rows)
    }

    fn close(self: Box<Self>) -> Outcome {
        Ok(Manifest::close(*self)?)
    }
}

/// Our disk as redb wants it.
#[derive(Debug)]
struct Backend(Arc<dyn File>);

impl StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        self.0.length()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        disk::read_exact_at(&*self.0, out, offset)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let before = self.0.length()?;
        if length > before { self.0.allocate(before, length - before) } else { self.0.set_length(length) }
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write_at(&[io::IoSlice::new(data)], offset)
    }
}

const ROWS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("partitions");
const SEGMENTS: TableDefinition<'_, (u64, i64), &[u8]> = TableDefinition::new("segments");

struct Tree {
    database: Database,
    has_quick_repair: bool,
}

impl Store for Tree {
    fn commit(&self, partitions: &[u64], version: u8) -> Outcome {
        let mut transaction = self.database.begin_write()?;
        transaction.set_two_phase_commit(true);
        transaction.set_quick_repair(self.has_quick_repair);
        {
            let mut rows = transaction.open_table(ROWS)?;
            for id in partitions {
                rows.insert(id, &[version; PARTITION_BYTES][..])?;
            }
            let mut segments = transaction.open_table(SEGMENTS)?;
            for id in partitions {
                segments.insert((*id, 0), &[version; SEGMENT_BYTES][..])?;
            }
        }
        Ok(transaction.commit()?)
    }

    fn load(&self) -> Outcome<usize> {
        let transaction = self.database.begin_read()?;
        let (rows, segments) = (transaction.open_table(ROWS)?, transaction.open_table(SEGMENTS)?);
        Ok(rows.iter()?.count() + segments.iter()?.count())
    }

    fn close(self: Box<Self>) -> Outcome {
        Ok(self.database.close()?)
    }
}

fn open(contender: &str, folder: &Path) -> Outcome<Box<dyn Store>> {
    let disk = Arc::new(RealDisk::new(folder)?);
    let path = folder.join(contender);
    if contender == "manifest" {
        let random = Random::from_system()?;
        return Ok(Box::new(Manifest::open(disk, &path, ManifestOptions::default(), random)?));
    }
    let file = disk.open(&path, Access::Write).or_else(|_| disk.create(&path, Access::Write))?;
    let has_quick_repair = contender == "redb-quick";
    let mut builder = Database::builder();
    // Or it trusts what it reads.
    builder.set_cache_size(CACHE_BYTES).set_check_integrity_on_open(!has_quick_repair);
    let database = builder.create_with_backend(Backend(file))?;
    Ok(Box::new(Tree { database, has_quick_repair }))
}

fn timed(mut run: impl FnMut() -> Outcome, times: usize) -> Outcome<String> {
    let mut taken = Vec::new();
    for _ in 0..times {
        let start = Instant::now();
        run()?;
        taken.push(start.elapsed());
    }
    taken.sort_unstable();
    let ms = |time: Option<&Duration>| time.map_or(0.0, |time| time.as_secs_f64() * 1e3);
    let [least, median, most] = [taken.first(), taken.get(times / 2), taken.last()].map(ms);
    Ok(format!("{least:.1} / {median:.1} / {most:.1} ms"))
}

/// A figure of this process, in MiB.
fn memory_mib(field: &str) -> Outcome<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with(field)).ok_or("no such figure")?;
    let kib: u64 = line.split_whitespace().nth(1).ok_or("no number")?.parse()?;
    Ok(kib >> 10)
}

fn fill(contender: &str, folder: &Path, closes: bool) -> Outcome {
    let before = memory_mib("VmRSS")?;
    let store = open(contender, folder)?;
    let mut random = Random::from_seed(1);
    let mut next = 0;
    let step = PARTITIONS / 5;
    let new = timed(
        || {
            next += step;
            store.commit(&(next - step..next).collect::<Vec<_>>(), 1)
        },
        5,
    )?;
    let mut change = |count: u64, times: usize| {
        timed(
            || {
                let mut ids: Vec<u64> = (0..count).map(|_| random.below(PARTITIONS)).collect();
                ids.sort_unstable();
                store.commit(&ids, 2)
            },
            times,
        )
    };
    let (many, one) = (change(10_000, 41)?, change(1, 101)?);
    let (now, most) = (memory_mib("VmRSS")?, memory_mib("VmHWM")?);
    println!("{contender:<11} commit of {step} new partitions: {new}");
    println!("{contender:<11} commit of 10000 changed ones: {many}; of one: {one}");
    println!("{contender:<11} memory: {} MiB, at most {} MiB", now - before, most - before);
    if closes { store.close() } else { std::process::abort() }
}

fn load(contender: &str, folder: &Path, what: &str) -> Outcome {
    let start = Instant::now();
    let store = open(contender, folder)?;
    let opened = start.elapsed();
    let rows = store.load()?;
    let loaded = start.elapsed();
    assert_eq!(rows as u64, 2 * PARTITIONS);
    println!(
        "{contender:<11} open after it {what}: {:.0} ms, loaded: {:.0} ms; {} MiB on the disk",
        opened.as_secs_f64() * 1e3,
        loaded.as_secs_f64() * 1e3,
        disk_bytes(&folder.join(contender))? >> 20
    );
    store.close()
}

fn disk_bytes(path: &Path) -> Outcome<u64> {
    let state = std::fs::metadata(path)?;
    if !state.is_dir() {
        return Ok(state.len());
    }
    std::fs::read_dir(path)?.map(|entry| Ok(entry?.metadata()?.len())).sum()
}

fn main() -> Outcome {
    // Cargo passes an option of its own.
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    if let [folder, phase, contender] = arguments.as_slice() {
        let folder = Path::new(folder);
        return match phase.as_str() {
            "fill-and-close" => fill(contender, folder, true),
            "fill-and-die" => fill(contender, folder, false),
            phase => load(contender, folder, phase),
        };
    }
    let folder = PathBuf::from(arguments.first().map_or(".", |folder| folder)).join("manifest-benchmark");
    for contender in ["manifest", "redb", "redb-quick"] {
        for (phase, what) in [("fill-and-close", "was closed"), ("fill-and-die", "died")] {
            std::fs::create_dir(&folder)?;
            for phase in [phase, what] {
                Command::new(std::env::current_exe()?).arg(&folder).args([phase, contender]).status()?;
            }
            std::fs::remove_dir_all(&folder)?;
        }
    }
    Ok(())
}
