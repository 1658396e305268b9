//! The machine that is measured on: what it is, what the process takes of it, and the state of its page cache.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use super::Outcome;
use crate::progress::{Far, Progress};

const CHUNK_BYTES: usize = 1 << 20;

/// The kernel keeps about so much free by itself.
const FREE_KIB_LEFT: u64 = 256 << 10;

/// How often it is looked whether anything is free.
const CHUNKS_PER_LOOK: u64 = 64;

/// The processor, the memory, the kernel, and when.
pub(super) fn describe() -> String {
    let value = |path: &str, key: &str| field(path, key).unwrap_or_else(|| "unknown".to_owned());
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let memory_mib = memory_kib("MemTotal").unwrap_or(0) >> 10;
    let processor = value("/proc/cpuinfo", "model name");
    format!("{cores} x {processor}, {memory_mib} MiB of memory, Linux {}", kernel.trim())
}

/// The value of the first line that begins with `key`, in a file of lines `key: value`.
fn field(path: &str, key: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    Some(line.trim_start_matches([' ', '\t', ':']).trim().to_owned())
}

fn kib(path: &str, key: &str) -> Option<u64> {
    field(path, key)?.strip_suffix(" kB")?.parse().ok()
}

fn memory_kib(key: &str) -> Option<u64> {
    kib("/proc/meminfo", key)
}

/// The memory that this process has.
pub(super) fn resident_mib() -> Option<u64> {
    kib("/proc/self/status", "VmRSS").map(|kib| kib >> 10)
}

/// The most memory that this process has had at once.
pub(super) fn resident_mib_max() -> Option<u64> {
    kib("/proc/self/status", "VmHWM").map(|kib| kib >> 10)
}

/// What this process has taken of the processors so far, in the kernel and outside. The kernel's own threads
/// that write pages back are not in it.
pub(super) fn processor_time() -> Outcome<Duration> {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Ok(Duration::new(time.tv_sec.try_into()?, time.tv_nsec.try_into()?))
}

/// How often threads of this process, those that are there, have let go of a processor to wait for something.
pub(super) fn waits() -> Outcome<u64> {
    let mut waits = 0;
    for thread in fs::read_dir("/proc/self/task")? {
        let status = thread?.path().join("status");
        let count = field(&status.to_string_lossy(), "voluntary_ctxt_switches");
        waits += count.and_then(|count| count.parse::<u64>().ok()).unwrap_or(0);
    }
    Ok(waits)
}

/// A page cache that has no free memory beside it: a host that shares its memory takes back what is free, and the
/// first touch of such a page costs several times what the work on it does. A cached page that is used again does
/// not.
pub(super) struct PageCache {
    // Kept while anything is measured: its pages are those that are taken for others.
    path: PathBuf,
    gib: u64,
    took: Duration,
    /// Where reading went on last.
    reader: File,
}

impl PageCache {
    /// Reads a file of so many GiB, or of what is free. It is a hole from end to end: its pages are in the cache
    /// as those of any other, and take nothing of the disk.
    pub(super) fn fill(folder: &Path, gib: Option<u64>) -> io::Result<Self> {
        let start = Instant::now();
        let gib = gib.unwrap_or_else(|| free_kib().div_ceil(1 << 20));
        let path = folder.join("page-cache");
        File::create_new(&path)?.set_len(gib << 30)?;
        let mut cache = Self { reader: File::open(&path)?, path, gib, took: Duration::ZERO };
        cache.top_up()?;
        cache.took = start.elapsed();
        Ok(cache)
    }

    /// Takes the place of files that were removed, so that nothing is free again.
    pub(super) fn top_up(&mut self) -> io::Result<()> {
        let mut chunk = vec![0; CHUNK_BYTES];
        let mut progress = Progress::new(true);
        for read in 0..self.gib << 10 {
            progress.tell(|| {
                Far::of(Some((read, self.gib << 10)), format!("the page cache is filled: {read} MiB"))
            });
            if read % CHUNKS_PER_LOOK == 0 && free_kib() < FREE_KIB_LEFT {
                break;
            }
            if self.reader.read(&mut chunk)? == 0 {
                self.reader.rewind()?;
            }
        }
        Ok(())
    }
}

fn free_kib() -> u64 {
    memory_kib("MemFree").unwrap_or(0)
}

impl fmt::Display for PageCache {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, gib, took, .. } = self;
        write!(formatter, "page cache filled with {gib} GiB of {} in {:.0?}", path.display(), took)
    }
}

/// How caches were dropped.
#[derive(Clone, Copy, Debug)]
pub(super) enum Dropped {
    /// All pages, names and inodes of the machine.
    Everything,
    /// The pages of the files in question alone, for want of the right to drop more.
    Files,
}

impl fmt::Display for Dropped {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Everything => "caches dropped by /proc/sys/vm/drop_caches",
            Self::Files => "caches dropped by posix_fadvise(DONTNEED)",
        })
    }
}

/// Lets the pages of these files be read from the disk again, and everything else with it where that is
/// allowed.
pub(super) fn drop_caches(files: &[&Path]) -> Outcome<Dropped> {
    for file in files {
        // Only clean pages go.
        File::open(file)?.sync_data()?;
    }
    if fs::write("/proc/sys/vm/drop_caches", "3").is_ok() {
        return Ok(Dropped::Everything);
    }
    for file in files {
        rustix::fs::fadvise(File::open(file)?, 0, None, rustix::fs::Advice::DontNeed)?;
    }
    Ok(Dropped::Files)
}

#[cfg(test)]
mod tests {
    use super::{describe, memory_kib, processor_time, resident_mib_max, waits};

    #[test]
    fn the_machine_says_what_it_is_and_what_it_does() {
        assert!(describe().contains("Linux"));
        assert!(memory_kib("MemTotal").unwrap() > 1 << 10);
        assert!(resident_mib_max().is_some());
        assert!(processor_time().unwrap().as_nanos() > 0);
        assert!(waits().is_ok());
    }
}
