//! Tests of the engine on a simulated disk, with one thread that drives everything.

mod aborted;
mod aging;
mod closing;
mod crashes;
mod descriptors;
mod found;
mod limits;
mod meanwhile;
mod order;
mod placed;
mod pressure;
mod removals;
mod room;
mod rules;
mod seen;
mod sharing;
mod simulation;
mod times;
mod verified;
mod watching;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Wake;

use bytes::Bytes;
use strandline_protocol::batch::{BatchBuilder, NewRecord};

use super::{
    Command, Done, EngineError, NewBatch, Options, Outcome, Partition, ReadError, ReadOut, Refusal, Replies,
    Request, Slice, Tuning, UpTo, Writer,
};
use crate::check::{Finding, Severity, check};
use crate::clock::SimulatedClock;
use crate::config::LogConfig;
use crate::disk::Disk;
use crate::disk::simulated::{self, SimulatedDisk};
use crate::disk::watched::Watched;
use crate::journal;
use crate::layout::Layout;
use crate::local_id::LocalId;
use crate::manifest::ManifestOptions;
use crate::producers::Sender;
use crate::random::Random;
use crate::tail::Budget;

/// Answers that have come.
#[derive(Debug, Default)]
struct Answers {
    outcomes: Mutex<BTreeMap<u64, Outcome>>,
    is_waking_due: AtomicBool,
}

impl Answers {
    /// The answer to a request, if it has come.
    fn take(&self, ticket: u64) -> Option<Outcome> {
        self.outcomes.lock().unwrap().remove(&ticket)
    }

    /// Whether there are answers of which nobody was told yet who sleeps until he is.
    fn is_waking_due(&self) -> bool {
        self.is_waking_due.load(Ordering::Relaxed)
    }
}

impl Replies for Answers {
    fn reply(&self, ticket: u64, outcome: Outcome) {
        let before = self.outcomes.lock().unwrap().insert(ticket, outcome);
        assert!(before.is_none(), "request {ticket} is answered twice");
        self.is_waking_due.store(true, Ordering::Relaxed);
    }

    fn flush(&self) {
        self.is_waking_due.store(false, Ordering::Relaxed);
    }
}

/// Somebody who sleeps until something has happened.
#[derive(Debug, Default)]
struct Sleeper(AtomicBool);

impl Sleeper {
    fn is_awake(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Wake for Sleeper {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A small journal and small everything, so that a test meets every bound.
fn small_options() -> Options {
    Options {
        journal: journal::Options {
            file_bytes: 64 << 10,
            bytes_max: 512 << 10,
            entries_max: 1_000,
            group_bytes_max: 16 << 10,
            placed_bytes_min: 64 << 10,
        },
        manifest: ManifestOptions { file_bytes: 64 << 10 },
        tail_budget: Budget::new(64 << 10),
        flush_bytes: 32 << 10,
        flush_job_bytes: 16 << 10,
        unsynced_bytes_max: 64 << 10,
        reserve_bytes: 64 << 10,
        ..Options::default()
    }
}

/// A directory with its writer, and who drives it.
struct Rig {
    disk: SimulatedDisk,
    /// What is asked of the disk, where somebody wants to know.
    watched: Option<Watched>,
    clock: Arc<SimulatedClock>,
    options: Options,
    writer: Option<Writer>,
    answers: Arc<Answers>,
    next_ticket: u64,
}

impl Rig {
    fn new(seed: u64) -> Self {
        let disk = SimulatedDisk::new(simulated::Options { seed, ..simulated::Options::default() });
        disk.create_directory(Path::new("/data")).unwrap();
        disk.sync_directory(Path::new("/")).unwrap();
        let mut rig = Self {
            disk,
            watched: None,
            clock: Arc::new(SimulatedClock::new(1_000_000)),
            options: small_options(),
            writer: None,
            answers: Arc::default(),
            next_ticket: 0,
        };
        rig.recover().unwrap();
        rig
    }

    fn recover(&mut self) -> Result<(), EngineError> {
        self.writer = None;
        let disk: Arc<dyn Disk> = match &self.watched {
            Some(watched) => Arc::new(watched.clone()),
            None => Arc::new(self.disk.clone()),
        };
        let clock = Arc::<SimulatedClock>::clone(&self.clock);
        let random = Random::from_seed(self.disk.operations());
        let writer = Writer::recover(disk, PathBuf::from("/data"), self.options.clone(), clock, random)?;
        self.writer = Some(writer);
        Ok(())
    }

    fn writer(&mut self) -> &mut Writer {
        self.writer.as_mut().unwrap()
    }

    /// Leaves a request, and does nothing else.
    fn send(&mut self, command: Command) -> u64 {
        self.next_ticket += 1;
        let replies: Arc<dyn Replies> = Arc::<Answers>::clone(&self.answers);
        let request = Request { command, ticket: self.next_ticket, replies };
        self.writer().mailbox().try_send(request).unwrap();
        self.next_ticket
    }

    /// Does everything that there is to do.
    fn settle(&mut self) {
        let writer = self.writer();
        for _ in 0..10_000 {
            writer.take();
            let mut is_idle = true;
            if let Some(write) = writer.begin() {
                writer.finish(write.run());
                is_idle = false;
            }
            // One at a time: what is staged meanwhile may be what the next one waits for.
            if let Some(job) = writer.next_job() {
                writer.job_done(job.run());
                is_idle = false;
            }
            if is_idle && !writer.is_ready() {
                return;
            }
        }
        panic!("the writer does not come to rest");
    }

    fn answer(&self, ticket: u64) -> Option<Outcome> {
        self.answers.take(ticket)
    }

    /// Asks, and does everything until the answer is there.
    fn call(&mut self, command: Command) -> Outcome {
        let ticket = self.send(command);
        self.settle();
        self.answer(ticket).expect("an answer")
    }

    fn create(&mut self, config: LogConfig) -> Arc<Partition> {
        let command =
            Command::Create { description: Bytes::from_static(b"a topic"), config: Arc::new(config) };
        match self.call(command) {
            Ok(Done::Created(partition)) => partition,
            other => panic!("{other:?}"),
        }
    }

    fn append(&mut self, partition: LocalId, batch: Bytes) -> Result<i64, Refusal> {
        match self.call(append(partition, batch)) {
            Ok(Done::Appended { base_offset, .. }) => Ok(base_offset),
            Ok(other) => panic!("{other:?}"),
            Err(refusal) => Err(refusal),
        }
    }

    /// The partition as the writer that is there now knows it.
    fn partition(&mut self, id: LocalId) -> Arc<Partition> {
        let partitions = self.writer().partitions();
        partitions.into_iter().map(|(partition, _)| partition).find(|partition| partition.id() == id).unwrap()
    }

    /// What the offline checker says of it, if anything is damaged.
    fn expect_no_damage(&self) {
        let disk: Arc<dyn Disk> = Arc::new(self.disk.clone());
        let visit = |finding: Finding| assert!(finding.problem.severity() < Severity::Damage, "{finding}");
        check(&disk, &Layout::new(PathBuf::from("/data")), visit).unwrap();
    }
}

fn append(partition: LocalId, batch: Bytes) -> Command {
    let batch = NewBatch::validated(batch).unwrap();
    Command::Append { partition, leader_epoch: 1, sender: Sender::Client, batch }
}

/// A batch of records with these values.
fn batch(values: &[&[u8]]) -> Bytes {
    let mut builder = BatchBuilder::new();
    for value in values {
        builder.append(&NewRecord { value: Some(value), ..NewRecord::at(1_000) }).unwrap();
    }
    builder.build().unwrap()
}

/// A batch of one record with a key.
fn keyed(key: u32, value: &[u8]) -> Bytes {
    let mut builder = BatchBuilder::new();
    let key = key.to_le_bytes();
    builder.append(&NewRecord { key: Some(&key), value: Some(value), ..NewRecord::at(1_000) }).unwrap();
    builder.build().unwrap()
}

/// Holds what was read against what should be, and prints no more of it than helps.
fn assert_records(found: &[(i64, Vec<u8>)], expected: &[(i64, Vec<u8>)], what: &str) {
    let place = found.iter().zip(expected).position(|(one, other)| one != other);
    let place = place.unwrap_or(found.len().min(expected.len()));
    if place < found.len().max(expected.len()) {
        let show = |records: &[(i64, Vec<u8>)]| {
            let record = records.get(place).map(|(offset, value)| (*offset, value.first().copied()));
            format!("{} records, at {place} {record:?}", records.len())
        };
        panic!("{what}: found {}; expected {}", show(found), show(expected));
    }
}

/// Everything from an offset on: each record's offset and value.
fn read_all(partition: &Partition, from: i64) -> Vec<(i64, Vec<u8>)> {
    let mut records = Vec::new();
    let mut offset = from;
    loop {
        let ReadOut { slices, .. } = partition.read(offset, 10_000, UpTo::End).unwrap();
        let before = records.len();
        for bytes in slices.iter().map(|slice| slice.read().unwrap()) {
            for batch in strandline_protocol::batch::batches(&bytes) {
                // The last one may be cut where it comes from a file.
                let Ok(batch) = batch else { break };
                batch.check_crc().unwrap();
                for record in &batch.records(1 << 20).unwrap() {
                    let record = record.unwrap();
                    if record.offset >= offset {
                        records.push((record.offset, record.value.unwrap_or_default().to_vec()));
                    }
                }
                offset = batch.header().last_offset() + 1;
            }
        }
        if records.len() == before {
            return records;
        }
    }
}
