//! What the cluster is: its topics, brokers and settings.
//!
//! Whoever reads has an image that does not change under it. Whoever changes something decides against the newest
//! image, has the records appended, and only then makes a new image of the old one: in a task of its own, one after
//! the other, so that nobody who goes away leaves a change half done.

mod apply;
mod changes;
mod listeners;
pub mod log;
mod owed;
mod producer_ids;
mod told;
mod topics;

use std::fmt;
use std::sync::{Arc, Mutex as StdMutex, PoisonError, RwLock};
use std::time::Duration;

use strandline_log::clock::Clock;
use strandline_log::random::Random;
use strandline_protocol::{ErrorCode, Uuid};
use strandline_state::metadata::{Command, MetadataImage, MetadataRecord, Refusal, decide, evolve};
use strandline_state::settings::BrokerSettings;
use tokio::sync::{Mutex, MutexGuard};
use tokio::task::JoinError;
use tokio::time::{Instant, timeout_at};

pub(crate) use self::apply::sort_found;
pub use self::changes::MetadataChange;
pub use self::listeners::Listener;
pub use self::producer_ids::MetadataBlocks;

use self::listeners::Listeners;
use self::log::{KeyedRecord, MetadataLog, MetadataLogError};
use self::topics::TopicTable;
use crate::metrics::TopicTallies;
use crate::storage::Storage;

/// The metadata, as this broker has it.
pub struct Metadata {
    node_id: i32,
    started_with: Arc<BrokerSettings>,
    in_force: RwLock<Arc<BrokerSettings>>,
    storage: Arc<Storage>,
    clock: Arc<dyn Clock>,
    log: Box<dyn MetadataLog>,
    image: RwLock<Arc<MetadataImage>>,
    topics: TopicTable,
    random: StdMutex<Random>,
    /// Who wants to know of changes.
    listeners: changes::Listeners,
    /// Who acts on the settings in force.
    settings_listeners: Listeners,
    /// What there was no room for.
    owed: StdMutex<owed::Owed>,
    /// Held by who changes something.
    changing: Mutex<Standing>,
}

/// Whether the log and the image still go together.
#[derive(Debug)]
enum Standing {
    Together,
    /// An append failed, and nobody knows whether it is there: the next start will.
    Unknown(String),
}

impl fmt::Debug for Metadata {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let image = self.image();
        write!(formatter, "metadata at {}: {} topics", image.offset(), image.topic_count())
    }
}

/// Why the metadata cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum MetadataError {
    /// Its log.
    #[error(transparent)]
    Log(#[from] MetadataLogError),
    /// Its log refused a change, and is as it was before.
    #[error(transparent)]
    NotAppended(MetadataLogError),
    /// What the log says makes no sense.
    #[error("the metadata log cannot be followed at offset {offset}: {what}")]
    Replay {
        /// Where.
        offset: i64,
        /// What is wrong.
        what: String,
    },
    /// Something that has to be so at each start is refused.
    #[error("{0}")]
    Refused(#[from] Refusal),
}

/// What a broker's metadata is made of.
#[derive(Debug)]
pub struct MetadataParts {
    /// The number of this broker.
    pub node_id: i32,
    /// What it was told at its start.
    pub settings: Arc<BrokerSettings>,
    /// Its logs.
    pub storage: Arc<Storage>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The log of the metadata.
    pub log: Box<dyn MetadataLog>,
    /// Where ids come from.
    pub random: Random,
    /// Where topics are counted.
    pub tallies: Arc<TopicTallies>,
}

impl Metadata {
    /// What the log says by now.
    pub fn replay(parts: MetadataParts) -> Result<Self, MetadataError> {
        let MetadataParts { node_id, settings, storage, clock, log, random, tallies } = parts;
        let mut image = MetadataImage::default();
        let mut failure = None;
        let next_offset = log.replay(&mut |offset, KeyedRecord { key, value }| {
            let record = MetadataRecord::from_bytes(key, value).map_err(|error| error.to_string());
            let result = record
                .and_then(|record| evolve(&mut image, offset, &record).map_err(|error| error.to_string()));
            if let Err(what) = result {
                failure.get_or_insert(MetadataError::Replay { offset, what });
            }
        })?;
        if let Some(failure) = failure {
            return Err(failure);
        }
        // Clients saw how far it was: that never falls, whatever compaction removed.
        image.advance_to(next_offset - 1);
        let in_force = in_force(&image, &settings, node_id);
        let topics = TopicTable::new(&image, &in_force, tallies);
        let (random, settings_listeners) = (StdMutex::new(random), Listeners::default());
        let (image, changing) = (RwLock::new(Arc::new(image)), Mutex::new(Standing::Together));
        let (started_with, in_force) = (settings, RwLock::new(in_force));
        let listeners = changes::Listeners::default();
        Ok(Self {
            node_id,
            started_with,
            in_force,
            storage,
            clock,
            log,
            image,
            topics,
            random,
            listeners,
            settings_listeners,
            owed: StdMutex::default(),
            changing,
        })
    }

    /// The number of this broker.
    pub fn node_id(&self) -> i32 {
        self.node_id
    }

    /// What this broker was told at its start.
    pub fn started_with(&self) -> &Arc<BrokerSettings> {
        &self.started_with
    }

    /// What is in force for this broker: what it was told at its start, and since.
    pub fn settings(&self) -> Arc<BrokerSettings> {
        Arc::clone(&self.in_force.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// An id that nothing else has.
    pub fn new_id(&self) -> Uuid {
        let mut bytes = [0; 16];
        self.random.lock().unwrap_or_else(PoisonError::into_inner).fill(&mut bytes);
        Uuid(bytes)
    }

    /// Randomness of its own for somebody.
    pub fn new_random(&self) -> Random {
        self.random.lock().unwrap_or_else(PoisonError::into_inner).split()
    }

    /// The logs of this broker.
    pub fn storage(&self) -> &Arc<Storage> {
        &self.storage
    }

    /// What is so now.
    pub fn image(&self) -> Arc<MetadataImage> {
        Arc::clone(&self.image.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Does what is asked, if it may be done, and answers when it is durable and in force here.
    ///
    /// Goes on to its end even if nobody waits any more.
    pub async fn run<C>(self: &Arc<Self>, command: C) -> Result<C::Reply, Refusal>
    where
        C: Command + Send + Sync + 'static,
        C::Reply: Send,
    {
        let metadata = Arc::clone(self);
        let running = tokio::spawn(async move {
            let standing = metadata.changing.lock().await;
            metadata.decide_and_commit(standing, &command).await
        });
        came_to(running.await)
    }

    /// The same for somebody who waits only so long, and is then told that it took too long. What was decided until then
    /// goes on to its end; what was not is not done at all.
    pub async fn run_within<C>(self: &Arc<Self>, patience: Duration, command: C) -> Result<C::Reply, Refusal>
    where
        C: Command + Send + Sync + 'static,
        C::Reply: Send,
    {
        let deadline = Instant::now() + patience;
        let metadata = Arc::clone(self);
        let running = tokio::spawn(async move {
            let standing = timeout_at(deadline, metadata.changing.lock()).await.map_err(|_| timed_out())?;
            metadata.decide_and_commit(standing, &command).await
        });
        timeout_at(deadline, running).await.map_or_else(|_| Err(timed_out()), came_to)
    }

    async fn decide_and_commit<C: Command>(
        self: &Arc<Self>,
        mut standing: MutexGuard<'_, Standing>,
        command: &C,
    ) -> Result<C::Reply, Refusal> {
        if let Standing::Unknown(why) = &*standing {
            tracing::warn!(%why, "a change of the metadata is refused");
            return Err(unavailable());
        }
        let before = self.image();
        let decision = decide(&before, self.clock.wall_ms(), command)?;
        if decision.records.is_empty() {
            return Ok(decision.reply);
        }
        let committed = self.commit(&before, &decision.records).await;
        self.settle();
        match committed {
            Ok(true) => Ok(decision.reply),
            Ok(false) => Err(not_carried_out()),
            Err(MetadataError::NotAppended(error)) => {
                tracing::warn!(%error, "a change of the metadata is refused");
                Err(unavailable())
            }
            Err(error) => {
                tracing::error!(%error, "the metadata takes no changes any more");
                *standing = Standing::Unknown(error.to_string());
                Err(unavailable())
            }
        }
    }

    /// Makes records durable, and then so; says whether all of it could be carried out.
    async fn commit(
        &self,
        before: &MetadataImage,
        records: &[MetadataRecord],
    ) -> Result<bool, MetadataError> {
        let encoded = records.iter().map(|record| record.to_bytes());
        let encoded = encoded.map(|result| result.map(|(key, value)| KeyedRecord { key, value }));
        let encoded: Vec<_> = encoded.collect::<Result<_, _>>().map_err(|error| replay_error(-1, &error))?;
        let first_back = i64::try_from(encoded.len()).unwrap_or(i64::MAX) - 1;
        let first = self.log.append(encoded).await.map_err(append_error)? - first_back;
        let mut after = before.clone();
        for (offset, record) in (first..).zip(records) {
            evolve(&mut after, offset, record).map_err(|error| replay_error(offset, &error))?;
        }
        let after = Arc::new(after);
        let is_carried_out = self.apply(&after, records).await?;
        told::tell(before, &after, records);
        Ok(is_carried_out)
    }

    /// Lets everybody see a new image.
    fn publish(&self, image: &Arc<MetadataImage>) {
        *self.image.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(image);
    }
}

/// What is in force for a broker. What it was told while it ran was checked before it was written, but it may have been
/// started with something else since that does not go with it: then that counts alone.
fn in_force(image: &MetadataImage, started_with: &Arc<BrokerSettings>, node_id: i32) -> Arc<BrokerSettings> {
    match image.settings_in_force(started_with, node_id) {
        Ok(settings) => Arc::new(settings),
        Err(error) => {
            tracing::error!(%error, "the broker's dynamic settings do not go with those at its start, and are left out");
            Arc::clone(started_with)
        }
    }
}

/// What a change came to that ran in a task of its own.
fn came_to<R>(result: Result<Result<R, Refusal>, JoinError>) -> Result<R, Refusal> {
    result.unwrap_or_else(|error| {
        tracing::error!(%error, "a change of the metadata did not come to its end");
        Err(unavailable())
    })
}

fn append_error(error: MetadataLogError) -> MetadataError {
    if error.left_nothing() { MetadataError::NotAppended(error) } else { MetadataError::Log(error) }
}

fn replay_error(offset: i64, what: &dyn fmt::Display) -> MetadataError {
    MetadataError::Replay { offset, what: what.to_string() }
}

/// What a client is told when the metadata cannot be changed. Why, with the names of our files, is in the log.
fn unavailable() -> Refusal {
    let message = "The metadata cannot be changed: the log that it is in takes nothing.".to_owned();
    Refusal { code: ErrorCode::KAFKA_STORAGE_ERROR, message }
}

/// What a client is told that waited as long as it wanted to.
fn timed_out() -> Refusal {
    Refusal { code: ErrorCode::REQUEST_TIMED_OUT, message: "The request timed out.".to_owned() }
}

/// What a client is told whose change is durable, while the disk has no room for what follows from it.
fn not_carried_out() -> Refusal {
    let message =
        "The change is written, and the disk has no room to carry it out: it is done once there is some.";
    Refusal { code: ErrorCode::KAFKA_STORAGE_ERROR, message: message.to_owned() }
}

#[cfg(test)]
mod tests;
