//! What has been acknowledged, and what is on its way: a plain account of it.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use super::awaited::Awaiting;
use super::batch::Batch;
use super::compacted::Allowed;
use super::producers::{Producers, Verdict};
use crate::config::{Durability, LogConfig};
use crate::engine;
use crate::local_id::LocalId;
use crate::producers::Sender;

/// What happens to a partition.
#[derive(Clone, Debug)]
pub(super) enum Op {
    Create,
    Configure(Arc<LogConfig>),
    Append(Rc<Batch>),
    Truncate(i64),
    SetStart(i64),
    Delete,
}

/// What is asked, in the model's words.
#[derive(Clone, Debug)]
pub(super) enum Ask {
    Create(Arc<LogConfig>),
    Configure(Arc<LogConfig>),
    Append(Batch),
    Truncate(i64),
    SetStart(i64),
    SetHighWatermark(i64),
    Delete,
}

/// Why something has to be refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Reason {
    UnknownPartition,
    OffsetOutOfRange,
    OffsetGoesBack,
    EpochGoesBack,
    TooLarge,
    Producer(Verdict),
}

/// What has to become of a request.
#[derive(Debug)]
pub(super) enum Expected {
    Refused(Reason),
    /// It is so already.
    Done,
    Duplicate(i64, i64),
    /// It waits for its group.
    Staged(Op),
    /// It is done at once.
    Unjournaled(Rc<Batch>),
}

/// A log at some moment.
#[derive(Clone, Debug)]
pub(super) struct Log {
    pub(super) exists: bool,
    pub(super) is_deleted: bool,
    pub(super) config: Arc<LogConfig>,
    pub(super) start: i64,
    pub(super) end: i64,
    /// Everything that was not cut off, whether or not it has been deleted since.
    pub(super) batches: Vec<Rc<Batch>>,
    /// Compaction has never been allowed to touch anything from here on.
    pub(super) bound: i64,
    /// What compaction was allowed to take before the end was cut off.
    pub(super) allowed: Allowed,
    pub(super) epochs: Vec<(i32, i64)>,
    pub(super) producers: Producers,
    /// Whether it was ever to be compacted.
    pub(super) compacted: bool,
    /// Whether the engine may know less of the producers than there was.
    pub(super) is_fuzzy: bool,
}

impl Log {
    fn new(config: Arc<LogConfig>) -> Self {
        Self {
            exists: false,
            is_deleted: false,
            config,
            start: 0,
            end: 0,
            batches: Vec::new(),
            bound: 0,
            allowed: Allowed::default(),
            epochs: Vec::new(),
            producers: Producers::default(),
            compacted: false,
            is_fuzzy: false,
        }
    }

    pub(super) fn is_there(&self) -> bool {
        self.exists && !self.is_deleted
    }

    pub(super) fn is_async(&self) -> bool {
        self.config.durability == Durability::Async
    }

    pub(super) fn apply(&mut self, op: &Op) {
        match op {
            Op::Create => self.exists = true,
            Op::Configure(config) => self.config = Arc::clone(config),
            Op::Append(batch) => self.append(batch),
            Op::Truncate(end) => {
                // Batches are gone that a scan would have to see.
                self.is_fuzzy |= self.start > 0 || self.compacted;
                self.truncate(*end);
            }
            Op::SetStart(start) => {
                self.start = self.start.max(*start);
                self.forget_epochs();
            }
            Op::Delete => self.is_deleted = true,
        }
    }

    fn append(&mut self, batch: &Rc<Batch>) {
        self.end = batch.last_offset + 1;
        let latest = self.epochs.last().map_or(-1, |(epoch, _)| *epoch);
        if batch.leader_epoch > latest {
            self.epochs.push((batch.leader_epoch, batch.base_offset));
        }
        self.producers.apply(batch);
        self.batches.push(Rc::clone(batch));
    }

    /// Cuts the end off, with the rest of the batch that holds the offset.
    pub(super) fn truncate(&mut self, end: i64) {
        if self.compacted {
            (self.allowed, self.bound) = (Allowed::before_cut(self, end), self.bound.min(end));
        }
        self.end = end;
        while self.batches.pop_if(|last| last.last_offset >= end).is_some() {}
        while self.epochs.pop_if(|(_, start)| *start >= end).is_some() {}
        self.find_producers_again();
    }

    /// Who was forgotten may be known again.
    pub(super) fn find_producers_again(&mut self) {
        self.producers = self.producers.found_again(&self.batches);
    }

    /// Epochs that end before the log begins go, and the one that it begins in begins with it.
    fn forget_epochs(&mut self) {
        let before = self.epochs.iter().filter(|(_, start)| *start <= self.start).count();
        self.epochs.drain(..before.saturating_sub(1));
        if let Some((_, first)) = self.epochs.first_mut() {
            *first = self.start.max(*first);
        }
    }

    /// Whether the engine may know less of a batch's producer than there was.
    pub(super) fn may_know_less(&self, batch: &Batch) -> bool {
        batch.producer().is_some() && (self.is_fuzzy || self.producers.is_doubtful(batch))
    }

    /// Whether a batch was appended there before, whatever became of it since.
    pub(super) fn has_sent(&self, batch: &Batch, place: (i64, i64)) -> bool {
        self.batches.iter().any(|sent| (sent.base_offset, sent.last_offset) == place && sent.is_same(batch))
    }

    pub(super) fn latest_epoch(&self) -> i32 {
        self.epochs.last().map_or(-1, |(epoch, _)| *epoch)
    }

    /// The batches that have something from an offset on.
    pub(super) fn from(&self, offset: i64) -> &[Rc<Batch>] {
        &self.batches[self.batches.partition_point(|batch| batch.last_offset < offset)..]
    }

    fn place(&self, batch: &Batch, config: &LogConfig) -> Result<(), Reason> {
        if batch.sender == Sender::Leader && batch.base_offset < self.end {
            return Err(Reason::OffsetGoesBack);
        }
        if batch.leader_epoch != -1 && batch.leader_epoch < self.latest_epoch() {
            return Err(Reason::EpochGoesBack);
        }
        if batch.bytes.len() as u64 > u64::from(config.segment_bytes) {
            return Err(Reason::TooLarge);
        }
        Ok(())
    }
}

/// A partition, from its creation to its end.
#[derive(Debug)]
pub(super) struct Partition {
    pub(super) id: Option<LocalId>,
    /// As readers get it.
    pub(super) handle: Option<Arc<engine::Partition>>,
    /// What is durable, and visible.
    pub(super) durable: Log,
    /// The same with all that is staged.
    pub(super) latest: Log,
    pub(super) high_watermark: Option<i64>,
    /// What was once known to be replicated.
    pub(super) settled: i64,
    /// Where it ended when the writer began to look at requests.
    pub(super) end_before: i64,
    /// What an `async` log keeps after a power cut.
    pub(super) synced_to: i64,
    /// What an `async` log may have been about to write when the disk failed, without the places that it got.
    pub(super) in_flight: Vec<Batch>,
    /// Whether something was given up then that may have been on its way, and need not.
    pub(super) is_in_doubt: bool,
    /// Where batches begin that may leave a gap, and were not taken.
    pub(super) gaps: Vec<i64>,
    /// The shortest time that tombstones had to stay.
    pub(super) delete_retention_ms: i64,
    /// First batches that found no room.
    pub(super) awaiting: Awaiting,
}

impl Partition {
    pub(super) fn new(config: &Arc<LogConfig>) -> Self {
        let mut partition = Self {
            id: None,
            handle: None,
            durable: Log::new(Arc::clone(config)),
            latest: Log::new(Arc::clone(config)),
            high_watermark: None,
            settled: 0,
            end_before: 0,
            synced_to: 0,
            in_flight: Vec::new(),
            is_in_doubt: false,
            gaps: Vec::new(),
            delete_retention_ms: i64::MAX,
            awaiting: Awaiting::default(),
        };
        partition.note_config(config);
        partition
    }

    pub(super) fn note_config(&mut self, config: &LogConfig) {
        if config.cleanup.compacts {
            self.durable.compacted = true;
            self.latest.compacted = true;
            self.delete_retention_ms = self.delete_retention_ms.min(config.delete_retention_ms);
        }
    }

    pub(super) fn high_watermark(&self) -> i64 {
        self.high_watermark.map_or(self.durable.end, |offset| offset.min(self.durable.end))
    }

    /// Between what the last stable offset has to be. A transaction that ended below what was once replicated holds
    /// nothing back any more, but nobody need know so after a restart.
    pub(super) fn last_stable(&self) -> (i64, i64) {
        let high_watermark = self.high_watermark();
        let lowest = high_watermark.max(self.durable.start);
        (self.last_stable_at(lowest), self.last_stable_at(lowest.max(self.settled)))
    }

    fn last_stable_at(&self, settled: i64) -> i64 {
        let high_watermark = self.high_watermark();
        let unstable = self.durable.producers.first_unstable(settled);
        unstable.map_or(high_watermark, |offset| offset.max(self.durable.start)).min(high_watermark)
    }

    pub(super) fn set_high_watermark(&mut self, offset: i64) {
        let offset = offset.min(self.end_before).max(self.high_watermark.unwrap_or(i64::MIN));
        self.high_watermark = Some(offset);
        self.settled = self.settled.max(offset);
    }

    /// Lets something happen that is durable now.
    pub(super) fn publish(&mut self, op: &Op) {
        let was_async = self.durable.is_async();
        self.durable.apply(op);
        match op {
            // While nobody says what is replicated, all is.
            Op::Append(_) if self.high_watermark.is_none() => self.settled = self.durable.end,
            Op::Truncate(end) => {
                // Producers are found in the log again, and nothing else is known of them.
                self.awaiting = Awaiting::default();
                self.settled = self.settled.min(*end);
                self.high_watermark = self.high_watermark.map(|offset| offset.min(*end));
                self.synced_to = self.synced_to.min(*end);
            }
            Op::Configure(_) if self.durable.is_async() != was_async => self.synced_to = self.durable.end,
            _ => {}
        }
    }

    /// What has to become of a request, and of what is asked after it.
    pub(super) fn expect(&self, ask: &Ask) -> Expected {
        let latest = &self.latest;
        if !matches!(ask, Ask::Create(_)) && !latest.is_there() {
            return Expected::Refused(Reason::UnknownPartition);
        }
        let (start, end) = (self.durable.start, latest.end);
        let is_outside = |offset: i64| offset < start || offset > end;
        match ask {
            Ask::Create(_) => Expected::Staged(Op::Create),
            Ask::Configure(config) => Expected::Staged(Op::Configure(Arc::clone(config))),
            Ask::Delete => Expected::Staged(Op::Delete),
            Ask::SetHighWatermark(_) => Expected::Done,
            Ask::Truncate(offset) if is_outside(*offset) => Expected::Refused(Reason::OffsetOutOfRange),
            Ask::Truncate(offset) if *offset == end => Expected::Done,
            Ask::Truncate(offset) => Expected::Staged(Op::Truncate(*offset)),
            Ask::SetStart(offset) if *offset <= start => Expected::Done,
            Ask::SetStart(offset) if is_outside(*offset) => Expected::Refused(Reason::OffsetOutOfRange),
            Ask::SetStart(offset) => Expected::Staged(Op::SetStart(*offset)),
            Ask::Append(batch) => self.expect_append(batch),
        }
    }

    fn expect_append(&self, batch: &Batch) -> Expected {
        let latest = &self.latest;
        // Settings count once they are durable.
        if let Err(reason) = latest.place(batch, &self.durable.config) {
            return Expected::Refused(reason);
        }
        match latest.producers.check(batch) {
            Verdict::Fresh if self.awaiting.is_overtaken_by(batch, &latest.producers) => {
                return Expected::Refused(Reason::Producer(Verdict::OutOfOrder));
            }
            Verdict::Fresh => {}
            Verdict::Duplicate(base, last) => return Expected::Duplicate(base, last),
            verdict => return Expected::Refused(Reason::Producer(verdict)),
        }
        self.fresh(batch)
    }

    /// A batch that is appended.
    pub(super) fn fresh(&self, batch: &Batch) -> Expected {
        let placed = batch.placed(self.latest.end);
        match self.latest.is_async() {
            true => Expected::Unjournaled(placed),
            false => Expected::Staged(Op::Append(placed)),
        }
    }
}

/// Something that is staged.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub(super) number: u64,
    pub(super) op: Op,
    /// Whom to answer; nobody for what the engine itself does.
    pub(super) ticket: Option<u64>,
}

/// A request that the writer has not looked at yet.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) ticket: u64,
    pub(super) number: u64,
    pub(super) ask: Ask,
}

/// A duplicate that was asked for, and is to be answered once its original is durable.
#[derive(Debug)]
pub(super) struct Awaited {
    pub(super) ticket: u64,
    pub(super) number: u64,
    pub(super) base_offset: i64,
    pub(super) last_offset: i64,
    /// Whether the original has been durable. It may have been cut off since.
    pub(super) is_due: bool,
}

/// All of it.
#[derive(Debug, Default)]
pub(super) struct Model {
    /// By the number that their descriptions have.
    pub(super) partitions: BTreeMap<u64, Partition>,
    pub(super) forming: Vec<Pending>,
    pub(super) writing: Option<Vec<Pending>>,
    pub(super) duplicates: Vec<Awaited>,
    /// Which number an id was given to.
    pub(super) ids: BTreeMap<LocalId, u64>,
}

impl Model {
    /// Those that can be asked for something.
    pub(super) fn known(&self) -> Vec<u64> {
        let is_known = |one: &Partition| one.id.is_some() && one.durable.is_there();
        self.partitions.iter().filter(|(_, one)| is_known(one)).map(|(number, _)| *number).collect()
    }

    pub(super) fn number_of(&self, id: LocalId) -> Option<u64> {
        self.ids.get(&id).copied()
    }
}
