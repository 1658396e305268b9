//! What drives the machines that keep their records in an internal topic ([`strandline_state::coordinator`]).
//!
//! Each partition of the topic that this broker leads is a *shard*: a task that owns one machine, and the only one that
//! appends to that partition. It loads the machine by reading the log, off the workers; then it takes what is asked in
//! order, has the machine decide, puts the records of many decisions into one batch, evolves the machine at once, and
//! holds every answer back until all that was decided before it is durable, answers that change nothing included. It
//! never knows what its machine is about. While there is nothing to do, the machine lies where those who ask find it, and a
//! sign of life that changes nothing is heeded there. A decision that may come in parts goes into batches of one mebibyte, one behind
//! the other, and is answered when the last is durable: so a group goes however many offsets it has.
//!
//! # What is answered when a shard cannot serve
//!
//! API by API it stands in `api/unavailable.md`, and is tested.
//!
//! | what is so | answer |
//! | --- | --- |
//! | the topic is not there, or another broker leads the partition | NOT_COORDINATOR |
//! | the shard is reading its log | COORDINATOR_LOAD_IN_PROGRESS |
//! | an append takes longer than `offsets.commit.timeout.ms` | COORDINATOR_NOT_AVAILABLE, to all who wait for it; what was decided stands, and what was not decided yet is not done |
//! | an append lacks replicas | nothing: it waits for as many as this broker leads alone, one |
//! | its log is gone while a request is under way | COORDINATOR_NOT_AVAILABLE |
//! | an append fails: the disk is full, or there is a newer leader | NOT_COORDINATOR, to all who wait; then it loads anew |
//! | the data directory is offline, or the log cannot be read | NOT_COORDINATOR, to everybody from then on, those that only read included |
//! | a decision is larger than [`APPEND_BYTES_MAX`], and may not come in parts | UNKNOWN_SERVER_ERROR, to those it was about |
//! | the log refuses the producer of a transaction | the log's code for it |

mod answers;
mod appends;
mod codes;
mod decided;
mod groups;
mod load;
mod overdue;
mod parts;
mod pieces;
mod rest;
mod serving;
mod shard;
mod task;
mod timers;
mod topic;

use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use strandline_log::engine::{NewBatch, Partition};
use strandline_log::producers::Guard;
use strandline_protocol::{ErrorCode, Uuid};
use strandline_state::coordinator::{Machine, Ticket, TransactionEnd};

pub use self::answers::Answer;
pub use self::appends::APPEND_BYTES_MAX;
pub use self::decided::log_transaction;
pub use self::groups::{start_groups, watch_groups};
pub use self::parts::CoordinatorParts;
pub use self::topic::{InternalTopic, OFFSETS_TOPIC, TRANSACTIONS_TOPIC, internal_topic, partition_of};

use self::shard::Shard;

/// Makes a machine without records: with what is so of the cluster at the moment.
pub type Fresh<M> = Arc<dyn Fn() -> M + Send + Sync>;

/// Is told what happens in machines.
pub type Watch<M> = Arc<dyn Fn(&<M as Machine>::Event) + Send + Sync>;

/// All shards of one internal topic on this broker.
pub struct Coordinator<M: Machine> {
    topic: &'static InternalTopic,
    parts: Arc<CoordinatorParts>,
    fresh: Fresh<M>,
    watch: Watch<M>,
    shards: RwLock<Arc<Shards<M>>>,
    /// Shared by all shards that there ever are: no ticket is given twice.
    tickets: Arc<AtomicU64>,
    /// Held while it is worked out which shards there are to be.
    refreshing: Mutex<()>,
    /// Held while the topic is being made.
    creating: tokio::sync::Mutex<()>,
}

/// The shards of one incarnation of the topic, by partition; none where another broker leads.
struct Shards<M: Machine> {
    topic_id: Uuid,
    by_partition: Vec<Option<Shard<M>>>,
}

impl<M: Machine> Shards<M> {
    fn shard(&self, partition: i32) -> Result<&Shard<M>, ErrorCode> {
        let index = usize::try_from(partition).ok();
        let shard = index.and_then(|index| self.by_partition.get(index)).and_then(Option::as_ref);
        shard.ok_or(ErrorCode::NOT_COORDINATOR)
    }

    /// The one that a group or a transaction belongs to.
    fn of(&self, key: &str) -> Result<&Shard<M>, ErrorCode> {
        let partition = partition_of(key, self.by_partition.len());
        partition.ok_or(ErrorCode::NOT_COORDINATOR).and_then(|partition| self.shard(partition))
    }
}

impl<M: Machine> fmt::Debug for Coordinator<M> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shards = self.shards();
        write!(formatter, "coordinator of {} partitions of {}", shards.by_partition.len(), self.topic.name)
    }
}

impl<M: Machine> Coordinator<M> {
    /// The coordinator of this topic, with the shards that there are to be by now.
    pub fn new(
        topic: &'static InternalTopic,
        parts: Arc<CoordinatorParts>,
        fresh: Fresh<M>,
        watch: Watch<M>,
    ) -> Self {
        let none = Shards { topic_id: Uuid::ZERO, by_partition: Vec::new() };
        let coordinator = Self {
            topic,
            parts,
            fresh,
            watch,
            shards: RwLock::new(Arc::new(none)),
            tickets: Arc::default(),
            refreshing: Mutex::new(()),
            creating: tokio::sync::Mutex::new(()),
        };
        coordinator.refresh();
        coordinator
    }

    fn shards(&self) -> Arc<Shards<M>> {
        Arc::clone(&self.shards.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes the topic if it is not there yet, and is done when its shards are.
    ///
    /// # Errors
    /// COORDINATOR_NOT_AVAILABLE, if it cannot be made.
    pub async fn ensure_topic(&self) -> Result<(), ErrorCode> {
        if !self.shards().by_partition.is_empty() {
            return Ok(());
        }
        let _creating = self.creating.lock().await;
        self.refresh();
        if self.shards().by_partition.is_empty() {
            topic::create(&self.parts.metadata, self.topic).await?;
            self.refresh();
        }
        Ok(())
    }

    /// Has as many shards as this broker leads partitions of the topic. To be called after each change of the
    /// metadata.
    pub fn refresh(&self) {
        let _refreshing = self.refreshing.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.shards();
        let topic = self.parts.topics().by_name(self.topic.name);
        let (topic_id, count) =
            topic.as_ref().map_or((Uuid::ZERO, 0), |topic| (topic.id, topic.partitions.len()));
        // One that is not there is looked for again: its log may have been made since.
        let is_complete = before.by_partition.iter().all(Option::is_some);
        if topic_id == before.topic_id && count == before.by_partition.len() && is_complete {
            return;
        }
        let shard = |index: usize| {
            let kept = before.by_partition.get(index).filter(|_| topic_id == before.topic_id);
            if let Some(Some(shard)) = kept {
                return Some(shard.clone());
            }
            let index = i32::try_from(index).ok()?;
            let led =
                topic.as_ref()?.led_by(self.parts.metadata.node_id(), self.parts.storage(), index).ok()?;
            let machine = (Arc::clone(&self.fresh), Arc::clone(&self.watch));
            Some(Shard::start(led, Arc::clone(&self.parts), machine, self.topic.name))
        };
        let shards = Arc::new(Shards { topic_id, by_partition: (0..count).map(shard).collect() });
        *self.shards.write().unwrap_or_else(PoisonError::into_inner) = shards;
    }

    /// The partition that a group or a transaction belongs to.
    ///
    /// # Errors
    /// NOT_COORDINATOR, as long as the topic is not there.
    pub fn partition_of(&self, key: &str) -> Result<i32, ErrorCode> {
        partition_of(key, self.shards().by_partition.len()).ok_or(ErrorCode::NOT_COORDINATOR)
    }

    /// How many partitions there are; none as long as the topic is not there.
    pub fn partition_count(&self) -> usize {
        self.shards().by_partition.len()
    }

    /// The topic's id; zero as long as it is not there.
    pub fn topic_id(&self) -> Uuid {
        self.shards().topic_id
    }

    /// The log of a partition, for those who have to ask it something before they ask its machine.
    ///
    /// # Errors
    /// NOT_COORDINATOR, where another broker leads it.
    pub fn log(&self, partition: i32) -> Result<Arc<Partition>, ErrorCode> {
        self.shards().shard(partition).map(|shard| Arc::clone(shard.log()))
    }

    /// Asks the machine that a key belongs to about something that is part of a transaction. The guard is shown to the
    /// log, if the transaction is to begin there.
    pub async fn ask_verified(
        &self,
        key: &str,
        guard: Option<Guard>,
        command: impl FnOnce(Ticket) -> M::Command,
    ) -> Answer<M::Reply> {
        match self.shards().of(key) {
            Ok(shard) => shard.ask((&self.tickets, &*self.parts.clock), guard, command).await,
            Err(code) => Answer::refused(code),
        }
    }

    /// Asks the machine that a key belongs to. When this returns, the request has its place in the order of that
    /// machine; the answer comes later.
    pub async fn ask(&self, key: &str, command: impl FnOnce(Ticket) -> M::Command) -> Answer<M::Reply> {
        self.ask_verified(key, None, command).await
    }

    /// The answer to a sign of life, if all that comes of it is that its sender is missed later, and nothing stands before
    /// it: nothing that was asked and is not done, and nothing that was decided and is not durable. None otherwise; then
    /// it is to be asked as anything else is. It came at this time by the clock that nobody sets.
    pub fn heed(&self, key: &str, came_at: Duration, sign: M::Sign<'_>) -> Option<M::Reply> {
        self.shards().of(key).ok()?.heed(&*self.parts.clock, came_at, sign)
    }

    /// The same by the number of the partition.
    pub async fn ask_partition(
        &self,
        partition: i32,
        command: impl FnOnce(Ticket) -> M::Command,
    ) -> Answer<M::Reply> {
        match self.shards().shard(partition) {
            Ok(shard) => shard.ask((&self.tickets, &*self.parts.clock), None, command).await,
            Err(code) => Answer::refused(code),
        }
    }

    /// Tells every machine something.
    pub async fn tell_all(&self, command: impl Fn() -> M::Command) {
        for shard in self.shards().by_partition.iter().flatten() {
            shard.tell(command()).await;
        }
    }

    /// Appends the end of a transaction to a partition of the topic, and has its machine take it in. The answer comes
    /// when both have happened, and it is durable.
    pub async fn end_transaction(&self, partition: i32, batch: NewBatch, end: TransactionEnd) -> Answer<()> {
        match self.shards().shard(partition) {
            Ok(shard) => shard.end_transaction(batch, end).await,
            Err(code) => Answer::refused(code),
        }
    }
}

#[cfg(test)]
mod tests;
