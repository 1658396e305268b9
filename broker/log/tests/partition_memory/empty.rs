//! An empty partition costs no file and under 1 KiB of memory: when it was made, when the manifest has it, and when
//! another process has opened the directory.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use strandline_log::clock::SimulatedClock;
use strandline_log::config::LogConfig;
use strandline_log::disk::real::RealDisk;
use strandline_log::engine::{Command, Done, Job, Options, Outcome, Replies, Request, Writer};
use strandline_log::journal;
use strandline_log::random::Random;

use crate::counting::held_bytes;

const PARTITIONS: usize = 30_000;

/// Of which each has a share, and which does not grow with them.
const BYTES_EACH_MAX: usize = 1 << 10;

#[derive(Debug, Default)]
struct Count(Mutex<usize>);

impl Replies for Count {
    fn reply(&self, _: u64, outcome: Outcome) {
        assert!(matches!(outcome, Ok(Done::Created(_))));
        *self.0.lock().unwrap() += 1;
    }
}

struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("partition_memory");
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn open(folder: &Folder, clock: &Arc<SimulatedClock>) -> Writer {
    let journal = journal::Options { file_bytes: 8 << 20, bytes_max: 32 << 20, ..Default::default() };
    let options = Options { journal, reserve_bytes: 1 << 20, ..Options::default() };
    let disk = Arc::new(RealDisk::new(&folder.0).unwrap());
    let random = Random::from_seed(1);
    Writer::recover(disk, folder.0.clone(), options, Arc::<SimulatedClock>::clone(clock), random).unwrap()
}

/// Does everything that there is to do.
fn settle(writer: &mut Writer) {
    loop {
        writer.take();
        let write = writer.begin();
        let is_idle = write.is_none() && !writer.has_waiting();
        if let Some(write) = write {
            writer.finish(write.run());
        }
        let mut has_job = false;
        while let Some(job) = writer.next_job() {
            has_job |= !matches!(job, Job::Spare(_));
            writer.job_done(job.run());
        }
        if is_idle && !has_job {
            return;
        }
    }
}

fn create(writer: &mut Writer) {
    let count = Arc::new(Count::default());
    let config = Arc::new(LogConfig::default());
    for ticket in 0..PARTITIONS as u64 {
        // As long as a topic's number and a partition's.
        let command = Command::Create { description: vec![7; 20].into(), config: Arc::clone(&config) };
        let request = Request { command, ticket, replies: Arc::<Count>::clone(&count) };
        writer.mailbox().try_send(request).unwrap();
        if ticket % 1_000 == 0 {
            settle(writer);
        }
    }
    settle(writer);
    assert_eq!(*count.0.lock().unwrap(), PARTITIONS);
}

fn files(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

#[test]
fn an_empty_partition_costs_no_file_and_under_a_kibibyte() {
    let folder = Folder::new();
    let clock = Arc::new(SimulatedClock::new(1_000_000));
    let mut writer = open(&folder, &clock);
    settle(&mut writer);
    let before = held_bytes();
    let check = |what: &str| {
        let each = held_bytes().saturating_sub(before) / PARTITIONS;
        println!("{what}: {each} bytes for each partition");
        assert!((100..BYTES_EACH_MAX).contains(&each), "{what}: {each} bytes for each partition");
        assert_eq!(files(&folder.0.join("logs")), 0, "{what}");
    };
    create(&mut writer);
    check("made");
    clock.advance(60_000);
    settle(&mut writer);
    check("in the manifest");
    writer.close().unwrap();
    let mut writer = open(&folder, &clock);
    settle(&mut writer);
    assert_eq!(writer.partitions().len(), PARTITIONS);
    check("found again");
}
