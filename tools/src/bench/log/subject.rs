//! An engine that is measured, and somebody who keeps it busy.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use bytes::Bytes;
use strandline_log::clock::RealClock;
use strandline_log::config::{Durability, LogConfig};
use strandline_log::disk::real::RealDisk;
use strandline_log::engine::{
    self, Command, Done, Engine, NewBatch, Options, Partition, Replies, Request, Writer,
};
use strandline_log::local_id::LocalId;
use strandline_log::producers::Sender;
use strandline_log::random::Random;
use strandline_protocol::batch::{BatchBuilder, NO_LEADER_EPOCH, NewRecord};

use super::Outcome;

/// Any time will do, but it has to be one.
const TIMESTAMP: i64 = 1_700_000_000_000;

/// The longest that a record of ours is; longer batches have several.
const RECORD_BYTES_MAX: usize = 1 << 10;

/// Opens a directory, or makes it, with the defaults that everybody has.
pub(super) fn open(root: PathBuf) -> Outcome<Writer> {
    open_with(root, Options::default())
}

pub(super) fn open_with(root: PathBuf, options: Options) -> Outcome<Writer> {
    std::fs::create_dir_all(&root)?;
    let disk = Arc::new(RealDisk::new(&root)?);
    let (clock, random) = (Arc::new(RealClock::new()), Random::from_system()?);
    Ok(Writer::recover(disk, root, options, clock, random)?)
}

/// An engine with its threads, and who waits for its answers.
pub(super) struct Subject {
    pub(super) engine: Engine,
    answers: Arc<Answers>,
    sent: usize,
}

impl Subject {
    /// Opens a directory and lets threads drive it.
    pub(super) fn open(root: PathBuf) -> Outcome<Self> {
        Ok(Self { engine: Engine::start(open(root)?)?, answers: Arc::new(Answers::default()), sent: 0 })
    }

    pub(super) fn create(&mut self, count: usize, durability: Durability) -> Outcome<Vec<Arc<Partition>>> {
        let config = Arc::new(LogConfig { durability, ..LogConfig::default() });
        let commands = (0..count).map(|_| Command::Create {
            description: Bytes::from_static(b"bench"),
            config: Arc::clone(&config),
        });
        self.send(commands);
        self.wait_for_all()?;
        let mut created = self.answers.take_created();
        created.sort_by_key(|partition| partition.id());
        Ok(created)
    }

    /// Leaves requests in the engine's queue, waiting for room there.
    pub(super) fn send(&mut self, commands: impl IntoIterator<Item = Command>) {
        let sent = &mut self.sent;
        let requests = commands.into_iter().map(|command| {
            *sent += 1;
            self.answers.request(command)
        });
        // What comes back was not taken, and is missed among the answers.
        self.engine.mailbox().send(requests);
    }

    /// Sends a batch to partition after partition, never with more than so many answers missing.
    pub(super) fn append(
        &mut self,
        batch: &NewBatch,
        partitions: impl IntoIterator<Item = LocalId>,
        outstanding_max: usize,
    ) -> Outcome {
        let mut partitions = partitions.into_iter().peekable();
        while partitions.peek().is_some() {
            let room = self.wait_for_room(outstanding_max)?;
            self.send(partitions.by_ref().take(room).map(|partition| append(partition, batch)));
        }
        self.wait_for_all()
    }

    /// Waits until fewer answers are missing, and says how many fewer.
    fn wait_for_room(&self, outstanding_max: usize) -> Outcome<usize> {
        self.answers.wait_for(self.sent.saturating_sub(outstanding_max) + 1)?;
        Ok(outstanding_max.saturating_sub(self.sent - self.answers.count()))
    }

    pub(super) fn wait_for_all(&self) -> Outcome {
        self.answers.wait_for(self.sent)
    }

    pub(super) fn close(self) -> Outcome {
        Ok(self.engine.close()?)
    }
}

pub(super) fn append(partition: LocalId, batch: &NewBatch) -> Command {
    Command::Append { partition, leader_epoch: NO_LEADER_EPOCH, sender: Sender::Client, batch: batch.clone() }
}

/// A batch of about this length, checked as a connection checks it.
pub(super) fn batch(bytes: usize) -> Outcome<NewBatch> {
    let mut builder = BatchBuilder::with_capacity(bytes);
    let empty = builder.bytes_with(&NewRecord { value: Some(&[]), ..NewRecord::at(TIMESTAMP) });
    let value = vec![b'x'; RECORD_BYTES_MAX.min(bytes.saturating_sub(empty)).max(1)];
    loop {
        let record = NewRecord { value: Some(&value), ..NewRecord::at(TIMESTAMP) };
        if !builder.is_empty() && builder.bytes_with(&record) > bytes {
            break;
        }
        builder.append(&record)?;
    }
    Ok(NewBatch::validated(builder.build()?)?)
}

/// Counts answers, and keeps what is asked for of them.
#[derive(Debug, Default)]
pub(super) struct Answers {
    count: AtomicUsize,
    kept: Mutex<Kept>,
    arrived: Condvar,
}

#[derive(Debug, Default)]
struct Kept {
    created: Vec<Arc<Partition>>,
    refusal: Option<String>,
    /// How many answers there must be before anybody is woken.
    wanted: Option<usize>,
}

impl Answers {
    /// Something to be asked whose answer is counted here.
    pub(super) fn request(self: &Arc<Self>, command: Command) -> Request {
        Request { command, ticket: 0, replies: Arc::<Self>::clone(self) }
    }

    pub(super) fn count(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_created(&self) -> Vec<Arc<Partition>> {
        std::mem::take(&mut self.kept().created)
    }

    fn wait_for(&self, count: usize) -> Outcome {
        let mut kept = self.kept();
        while self.count() < count && kept.refusal.is_none() {
            kept.wanted = Some(count);
            kept = self.arrived.wait(kept).unwrap_or_else(PoisonError::into_inner);
        }
        kept.refusal.take().map_or(Ok(()), |refusal| Err(refusal.into()))
    }
}

impl Replies for Answers {
    fn reply(&self, _ticket: u64, outcome: engine::Outcome) {
        match outcome {
            Ok(Done::Created(partition)) => self.kept().created.push(partition),
            Ok(Done::Appended { .. } | Done::Producers(_) | Done::Changed) => {}
            Err(refusal) => self.kept().refusal = Some(refusal.to_string()),
        }
        self.count.fetch_add(1, Ordering::Release);
    }

    fn flush(&self) {
        let mut kept = self.kept();
        let count = self.count();
        if kept.refusal.is_some() || kept.wanted.is_some_and(|wanted| wanted <= count) {
            kept.wanted = None;
            self.arrived.notify_one();
        }
    }
}
