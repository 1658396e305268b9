//! How fast a log is compacted, on one core.
//!
//! `cargo bench -p strandline-log --bench compaction -- [folder [case]]`, the folder on the disk that is meant
//! (default: the current one), and a part of the names of the cases (default: all). Each case writes a log of 256 MB there, compacts it once, and takes the space back. Rates are
//! of the log's bytes, which are read twice, by processor time; the disk's part shows in the time that passed.

#![expect(clippy::print_stdout, reason = "it prints a table")]
#![expect(clippy::cast_precision_loss, reason = "for figures that are read by people")]

use std::collections::BTreeMap;
use std::io::IoSlice;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use strandline_log::compaction::{Cleaned, Compaction, CompactionInput, Settings, Unlimited};
use strandline_log::config::LogConfig;
use strandline_log::disk::real::RealDisk;
use strandline_log::disk::{Access, Disk};
use strandline_log::layout::Layout;
use strandline_log::local_id::LocalId;
use strandline_log::random::Random;
use strandline_log::segment::{BatchFacts, Files, FilesOptions, Segment, Way};
use strandline_protocol::Compression;
use strandline_protocol::batch::{BatchBuilder, BatchHeader, NewRecord};

const LOG_BYTES: u64 = 256 << 20;
const SEGMENT_BYTES: u64 = 64 << 20;
const RECORDS_PER_BATCH: u32 = 150;

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// A kind of log.
struct Case {
    name: &'static str,
    keys: u64,
    value_bytes: usize,
    compression: Compression,
    map_bytes_max: usize,
}

const CASES: [Case; 7] = [
    Case {
        name: "few keys",
        keys: 10_000,
        value_bytes: 75,
        compression: Compression::None,
        map_bytes_max: 128 << 20,
    },
    Case {
        name: "each key 3 times",
        keys: 800_000,
        value_bytes: 75,
        compression: Compression::None,
        map_bytes_max: 128 << 20,
    },
    Case {
        name: "keys all differ",
        keys: u64::MAX,
        value_bytes: 75,
        compression: Compression::None,
        map_bytes_max: 128 << 20,
    },
    Case {
        name: "map for a third",
        keys: u64::MAX,
        value_bytes: 75,
        compression: Compression::None,
        map_bytes_max: 26 << 20,
    },
    Case {
        name: "1 KiB values",
        keys: 80_000,
        value_bytes: 1_024,
        compression: Compression::None,
        map_bytes_max: 128 << 20,
    },
    Case {
        name: "lz4",
        keys: 800_000,
        value_bytes: 75,
        compression: Compression::Lz4,
        map_bytes_max: 128 << 20,
    },
    Case {
        name: "zstd",
        keys: 800_000,
        value_bytes: 75,
        compression: Compression::Zstd,
        map_bytes_max: 128 << 20,
    },
];

impl Case {
    fn batch(&self, base_offset: i64, random: &mut Random, value: &mut [u8]) -> Outcome<Vec<u8>> {
        let mut builder = BatchBuilder::new();
        for _ in 0..RECORDS_PER_BATCH {
            let key = format!("{:016x}", random.below(self.keys));
            // Half of it random, so that there is something to compress.
            let half = value.len() / 2;
            random.fill(value.get_mut(..half).unwrap_or_default());
            builder.append(&NewRecord {
                key: Some(key.as_bytes()),
                value: Some(value),
                ..NewRecord::at(base_offset)
            })?;
        }
        let mut bytes = builder.compression(self.compression, None).build()?.to_vec();
        let mut header = BatchHeader::parse(&bytes)?;
        header.assign(base_offset, 0);
        header.write_over(&mut bytes)?;
        Ok(bytes)
    }

    fn write_segment(&self, files: &Files, base_offset: i64, random: &mut Random) -> Outcome<Arc<Segment>> {
        let segment = Segment::begin(LocalId(1), base_offset, 0, 0);
        let mut value = vec![b'v'; self.value_bytes];
        // Decompressed, it is about as long as the others.
        let ratio = if self.compression == Compression::None { 1 } else { 2 };
        while segment.length() < SEGMENT_BYTES / ratio {
            let batch = self.batch(segment.end_offset(), random, &mut value)?;
            segment.write(files, segment.length(), &[IoSlice::new(&batch)], Way::ThroughCache)?;
            segment.extend(&[BatchFacts::from(&BatchHeader::parse(&batch)?)], 4_096);
        }
        files.log(&segment, Access::Write)?.sync()?;
        segment.seal();
        Ok(Arc::new(segment))
    }

    fn run(&self, disk: &Arc<dyn Disk>, folder: &Path) -> Outcome {
        let layout = Layout::new(folder.join(self.name));
        std::fs::create_dir_all(layout.logs())?;
        let files = Arc::new(Files::new(Arc::clone(disk), layout, &FilesOptions::default()));
        let mut random = Random::from_seed(1);
        let mut segments: Vec<Arc<Segment>> = Vec::new();
        for _ in 0..LOG_BYTES / SEGMENT_BYTES {
            let base_offset = segments.last().map_or(0, |segment| segment.end_offset());
            segments.push(self.write_segment(&files, base_offset, &mut random)?);
        }
        let settings = Settings {
            first_dirty_offset: 0,
            end_offset: segments.last().map_or(0, |segment| segment.end_offset()),
            now_ms: 1_700_000_000_000,
            delete_retention_ms: 86_400_000,
            map_bytes_max: self.map_bytes_max,
            decompressed_bytes_max: 16 << 20,
            last_records: BTreeMap::new(),
        };
        let bytes = segments.iter().map(|segment| segment.length()).sum::<u64>() as f64 / 1e6;
        let config = LogConfig { segment_bytes: 1 << 30, ..LogConfig::default() };
        let (later, unindexed) = (Vec::new(), Vec::new());
        let input = CompactionInput { segments, later, unindexed, settings, config };
        let (start, processor) = (Instant::now(), processor_time()?);
        let mut compaction = Compaction::begin(Arc::clone(&files), input, &mut Unlimited, &mut random)?;
        let mapped = processor_time()? - processor;
        while let Some(replacement) = compaction.step(&mut Unlimited)? {
            replacement.swap(&files)?;
        }
        let cleaned = compaction.finish();
        self.print(bytes, mapped, processor_time()? - processor, start.elapsed(), &cleaned);
        std::fs::remove_dir_all(folder.join(self.name))?;
        Ok(())
    }

    fn print(&self, bytes: f64, mapped: Duration, processor: Duration, passed: Duration, cleaned: &Cleaned) {
        let rate = |duration: Duration| bytes / duration.as_secs_f64();
        println!(
            "{:18} {:>9.0} {:>9.0} {:>9.0} {:>9} {:>8.0}% {:>8.0}%",
            self.name,
            rate(processor),
            rate(passed),
            rate(mapped),
            cleaned.statistics.keys,
            100.0 * cleaned.statistics.bytes_kept as f64 / cleaned.statistics.bytes_read as f64,
            100.0 * cleaned.cleaned_to as f64
                / (cleaned.statistics.batches_read * u64::from(RECORDS_PER_BATCH)) as f64,
        );
    }
}

/// What this process has taken of the processor, in the kernel and outside.
fn processor_time() -> Outcome<Duration> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Ok(Duration::new(time.tv_sec.try_into()?, time.tv_nsec.try_into()?))
}

fn main() -> Outcome {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with('-'));
    let folder = arguments.next().unwrap_or_else(|| ".".into());
    let wanted = arguments.next().unwrap_or_default();
    let folder = Path::new(&folder).join(format!("compaction-{}", std::process::id()));
    std::fs::create_dir(&folder)?;
    let disk: Arc<dyn Disk> = Arc::new(RealDisk::new(&folder)?);
    println!("                    MB/s of    MB/s of   MB/s of                       bytes   offsets");
    println!("records of          processor  time      the map        keys            kept    cleaned");
    let mut cases = CASES.iter().filter(|case| case.name.contains(&wanted));
    let result = cases.try_for_each(|case| case.run(&disk, &folder));
    std::fs::remove_dir_all(&folder)?;
    result
}
