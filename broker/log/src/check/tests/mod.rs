//! A directory that an engine made, and what a check says of it when something is done to it.

mod damage;
mod rules;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use strandline_protocol::batch::{BatchBuilder, NewRecord};

use super::{CheckError, Finding, Problem, Severity, Summary, check};
use crate::clock::SimulatedClock;
use crate::config::LogConfig;
use crate::disk::Disk;
use crate::disk::simulated::{self, SimulatedDisk};
use crate::engine::{Command, Done, NewBatch, Options, Outcome, Replies, Request, Writer};
use crate::journal;
use crate::layout::{FileKind, Layout};
use crate::local_id::LocalId;
use crate::producers::Sender;
use crate::random::Random;

const ROOT: &str = "/data";

fn layout() -> Layout {
    Layout::new(ROOT.into())
}

/// Small enough that a few batches are a segment and a few segments are a checkpoint.
fn options() -> Options {
    Options {
        journal: journal::Options {
            file_bytes: 64 << 10,
            bytes_max: 512 << 10,
            entries_max: 1_000,
            group_bytes_max: 16 << 10,
            placed_bytes_min: 4 << 10,
        },
        flush_bytes: 16 << 10,
        flush_job_bytes: 16 << 10,
        reserve_bytes: 64 << 10,
        ..Options::default()
    }
}

fn config() -> LogConfig {
    LogConfig { segment_bytes: 4_000, index_interval_bytes: 500, ..LogConfig::default() }
}

#[derive(Debug, Default)]
struct Answer(Mutex<Option<Outcome>>);

impl Replies for Answer {
    fn reply(&self, _ticket: u64, outcome: Outcome) {
        *self.0.lock().unwrap() = Some(outcome);
    }
}

/// An engine on a disk of its own.
struct Engine {
    disk: SimulatedDisk,
    writer: Writer,
}

impl Engine {
    fn new(seed: u64) -> Self {
        let disk = SimulatedDisk::new(simulated::Options { seed, ..simulated::Options::default() });
        disk.create_directory(Path::new(ROOT)).unwrap();
        disk.sync_directory(Path::new("/")).unwrap();
        Self::on(disk)
    }

    fn on(disk: SimulatedDisk) -> Self {
        let clock = Arc::new(SimulatedClock::new(1_000_000));
        let random = Random::from_seed(disk.operations());
        let shared = Arc::new(disk.clone());
        let writer = Writer::recover(shared, PathBuf::from(ROOT), options(), clock, random).unwrap();
        Self { disk, writer }
    }

    fn call(&mut self, command: Command) -> Done {
        let answer = Arc::new(Answer::default());
        let replies: Arc<dyn Replies> = Arc::<Answer>::clone(&answer);
        self.writer.mailbox().try_send(Request { command, ticket: 0, replies }).unwrap();
        loop {
            self.writer.take();
            let write = self.writer.begin();
            let job = self.writer.next_job();
            if write.is_none() && job.is_none() {
                return answer.0.lock().unwrap().take().unwrap().unwrap();
            }
            write.into_iter().for_each(|write| self.writer.finish(write.run()));
            job.into_iter().for_each(|job| self.writer.job_done(job.run()));
        }
    }

    fn create(&mut self) -> LocalId {
        let command = Command::Create { description: Bytes::from_static(b"a"), config: Arc::new(config()) };
        match self.call(command) {
            Done::Created(partition) => partition.id(),
            other => panic!("{other:?}"),
        }
    }

    fn append(&mut self, partition: LocalId, number: u32) {
        let mut builder = BatchBuilder::new();
        for record in 0..2 {
            let value = vec![7; 100 + usize::try_from(number % 300).unwrap()];
            let at = 1_000 + i64::from((number * 37) % 100) + record;
            builder.append(&NewRecord { value: Some(&value), ..NewRecord::at(at) }).unwrap();
        }
        let batch = NewBatch::validated(builder.build().unwrap()).unwrap();
        self.call(Command::Append { partition, leader_epoch: 1, sender: Sender::Client, batch });
    }
}

/// A directory with two partitions, segments of which several are sealed, and a journal; closed.
fn closed_directory() -> (SimulatedDisk, LocalId) {
    let mut engine = Engine::new(1);
    let (partition, other) = (engine.create(), engine.create());
    for number in 0..200 {
        engine.append(partition, number);
    }
    engine.append(other, 1);
    let disk = engine.disk.clone();
    engine.writer.close().unwrap();
    disk.kill();
    (disk, partition)
}

fn run(disk: &SimulatedDisk) -> Result<(Summary, Vec<Finding>), CheckError> {
    let mut findings = Vec::new();
    let shared: Arc<dyn Disk> = Arc::new(disk.clone());
    let summary = check(&shared, &layout(), |finding| findings.push(finding))?;
    let count = |severity| {
        let of_it = findings.iter().filter(|finding| finding.problem.severity() == severity);
        u64::try_from(of_it.count()).unwrap()
    };
    let counts = [Severity::Damage, Severity::Doubt, Severity::Leftover].map(count);
    assert_eq!(counts, [summary.damages, summary.doubts, summary.leftovers]);
    Ok((summary, findings))
}

fn findings(disk: &SimulatedDisk) -> Vec<Finding> {
    run(disk).unwrap().1
}

/// The segments of a partition: their base offsets and how long their files are.
fn segments(disk: &SimulatedDisk, partition: LocalId) -> Vec<(i64, u64)> {
    let entries = disk.list(&layout().partition(partition)).unwrap();
    let names = entries.iter().filter_map(|entry| crate::layout::parse_segment_name(&entry.name));
    let logs = names.filter(|(_, kind)| *kind == FileKind::Log).map(|(base_offset, _)| base_offset);
    let length =
        |base_offset| disk.length_of(&layout().segment(partition, base_offset, FileKind::Log)).unwrap();
    logs.map(|base_offset| (base_offset, length(base_offset))).collect()
}

fn bytes_of(disk: &SimulatedDisk, path: &Path) -> Vec<u8> {
    let file = disk.open(path, crate::disk::Access::Read).unwrap();
    let mut bytes = vec![0; usize::try_from(file.length().unwrap()).unwrap()];
    crate::disk::read_exact_at(&*file, &mut bytes, 0).unwrap();
    bytes
}
