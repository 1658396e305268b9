//! `strandline bench log`: the storage engine beside what the machine itself reaches in the same run.
//!
//! Each section prints its part of the table as soon as it has it. What is compared takes turns, round by
//! round, so that whatever else the machine does hits both sides alike.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use strandline_log::disk::Disk as _;
use strandline_log::disk::real::RealDisk;

mod appends;
mod checkpoints;
mod child;
mod compaction;
mod floors;
mod folder;
mod journal;
mod machine;
mod partitions;
mod raw;
mod reading;
mod recovery;
mod report;
mod scattered;
mod subject;
mod turns;

pub(crate) use self::child::Part;

use self::folder::Folder;
use self::machine::PageCache;
use self::report::Report;
use crate::cluster::{Failure, Output};

/// Whatever ends a measurement before its end; it is told and ends the program.
type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// What is measured, and where.
#[derive(Args)]
pub(crate) struct LogPlan {
    /// A folder on the disk that is meant. What is measured lies below it and is removed in the end.
    #[arg(long, default_value = ".")]
    folder: PathBuf,
    /// Measure only the sections that have this text in their names.
    #[arg(long, default_value = "")]
    only: String,
    /// How often those that are compared take turns.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// How many GiB are read first, so that memory that the host took back is touched once; by
    /// default what is free.
    #[arg(long)]
    fill_gib: Option<u64>,
    /// How it is printed: JSON is a line for each row.
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
}

/// What a section needs.
struct Bench<'a> {
    folder: PathBuf,
    rounds: usize,
    report: Report<'a>,
    page_cache: PageCache,
    /// How many folders were put aside.
    left: usize,
}

/// Folders are put aside as long as the disk has more room than this.
const FREE_BYTES_LEFT: u64 = 12 << 30;

impl Bench<'_> {
    fn disk(&self) -> io::Result<Arc<RealDisk>> {
        RealDisk::new(&self.folder).map(Arc::new)
    }

    /// Puts a folder aside until the end: file systems make new files slowly for some minutes after many were
    /// removed, and the memory of a removed file's pages goes back to the host. Only where room is short it goes
    /// at once, and something else takes its place in the page cache.
    fn leave_folder(&mut self, folder: PathBuf) -> io::Result<()> {
        if self.disk()?.free_bytes()? > FREE_BYTES_LEFT {
            self.left += 1;
            return std::fs::rename(folder, self.folder.join(format!("left-{}", self.left)));
        }
        std::fs::remove_dir_all(folder)?;
        self.page_cache.top_up()
    }

    /// A new folder below the one that was asked for.
    fn new_folder(&self, name: &str) -> io::Result<PathBuf> {
        let folder = self.folder.join(name);
        std::fs::create_dir_all(&folder)?;
        Ok(folder)
    }
}

type Section = fn(&mut Bench<'_>) -> Outcome;

/// Each has a folder of its name. In this order: the floors first, so that a table that was cut short can be read still; what drops the caches
/// of the machine last.
const SECTIONS: [(&str, Section); 9] = [
    ("floors", floors::run),
    ("journal", journal::run),
    ("sustained", appends::run_sustained),
    ("small", appends::run_small),
    ("checkpoints", checkpoints::run),
    ("partitions", partitions::run),
    ("compaction", compaction::run),
    ("reading", reading::run),
    ("recovery", recovery::run),
];

/// Does what a process of its own is needed for.
pub(super) fn run_part(part: &Part, out: &mut impl Write) -> io::Result<()> {
    part.run(out).map_err(|error| io::Error::other(error.to_string()))
}

pub(super) fn run(plan: &LogPlan, out: &mut impl Write) -> Result<(), Failure> {
    let folder = Folder::make(&plan.folder).map_err(|error| Failure::Usage(error.to_string()))?;
    let measured = measure(plan, folder.path().to_owned(), out);
    folder.remove()?;
    measured.map_err(|error| Failure::Refused(error.to_string()))
}

fn measure(plan: &LogPlan, folder: PathBuf, out: &mut dyn Write) -> Outcome {
    let mut report = Report::new(out, plan.output);
    report.head("machine", &machine::describe())?;
    let page_cache = PageCache::fill(&folder, plan.fill_gib)?;
    report.head("pageCache", &page_cache.to_string())?;
    let mut bench = Bench { folder, rounds: plan.rounds.max(1), report, page_cache, left: 0 };
    for (name, section) in SECTIONS.iter().filter(|(name, _)| name.contains(&plan.only)) {
        bench.report.begin_section(name)?;
        section(&mut bench)?;
        bench.leave_folder(bench.folder.join(name))?;
    }
    Ok(())
}
