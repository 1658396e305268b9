//! The consumer: what is assigned to it, record by record.
//!
//! Owns what has been fetched and not been read, and how far each partition has been read. What of it is decided is
//! decided in [`state`], which knows no sockets; [`fetcher`] carries it out.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use strandline_protocol::{Decompressor, Text};

use crate::admin::Isolation;
use crate::error::{Error, Result};

mod answer;
mod chunk;
mod config;
mod fetcher;
mod group;
mod grouped;
mod lookup;
mod partition;
mod places;
mod record;
mod session;
mod state;
mod stream;

use chunk::{Chunk, Reading};
use config::Settings;
pub use config::{ConsumerBuilder, OffsetReset};
use fetcher::Shared;
pub use group::{Assignor, GroupOffsets, GroupProtocol, RebalanceListener};
use group::{GroupSettings, GroupSide, Polling};
pub use record::{ConsumerHeader, ConsumerRecord};
pub use stream::ConsumerStream;

/// Where to go on from.
///
/// ```
/// use strandline_client::SeekTo;
/// assert_eq!(SeekTo::from(7), SeekTo::Offset(7));
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SeekTo {
    /// This offset.
    Offset(i64),
    /// The first record that is there.
    Earliest,
    /// The end.
    Latest,
    /// The first record whose timestamp, in milliseconds since 1970, is this or later; the end if there is none.
    Timestamp(i64),
}

impl From<i64> for SeekTo {
    fn from(offset: i64) -> Self {
        Self::Offset(offset)
    }
}

/// Reads records. It fetches ahead, in a task of its own, as much as it has memory for.
///
/// # What may be dropped
///
/// The futures of [`Consumer::next`] and [`Consumer::poll`] may be dropped at any time: a record that has not been
/// returned comes with the next call. When the consumer itself is dropped, its task ends.
///
/// ```
/// # async fn example(brokers: &str) -> Result<(), strandline_client::Error> {
/// use strandline_client::{Client, ClientConfig, OffsetReset};
///
/// let client = Client::connect(ClientConfig::new(brokers)?).await?;
/// let mut consumer = client.consumer().offset_reset(OffsetReset::Earliest).start()?;
/// consumer.assign_topics(&["orders"]).await?;
/// loop {
///     let record = consumer.next().await?;
///     println!("{}-{} at {}: {:?}", record.topic, record.partition, record.offset, record.value);
/// #   if record.offset == 4 { break }
/// }
/// # Ok(())
/// # }
/// # strandline_client_stage::play(async |stage| { stage.orders().await?; example(stage.brokers()).await });
/// ```
pub struct Consumer {
    shared: Arc<Shared>,
    reading: Reading,
    isolation: Isolation,
    decompressor: Decompressor,
    // What is being read, and the generation of its partition.
    current: Option<(Chunk, u64)>,
    group_settings: Option<GroupSettings>,
    group: Option<GroupSide>,
}

impl fmt::Debug for Consumer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Consumer").field("current", &self.current).finish_non_exhaustive()
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.shared.is_abandoned.store(true, Ordering::Release);
        self.shared.wake.notify_one();
    }
}

impl Consumer {
    fn new(shared: Arc<Shared>, settings: &Settings) -> Self {
        let reading = Reading {
            is_committed_only: settings.isolation == Isolation::ReadCommitted,
            checks_crc: settings.checks_crc,
            batch_bytes_max: settings.batch_bytes_max,
        };
        Self {
            shared,
            reading,
            isolation: settings.isolation,
            decompressor: Decompressor::new(),
            current: None,
            group_settings: settings.group.clone(),
            group: None,
        }
    }

    /// Reads these partitions, and no others. What was read before and stays goes on where it was; the others begin
    /// where [`ConsumerBuilder::offset_reset`] says, or where they are told by [`Consumer::seek`].
    ///
    /// ```
    /// # async fn example(consumer: &mut strandline_client::Consumer) -> Result<(), strandline_client::Error> {
    /// consumer.assign(&[("orders", 0), ("orders", 1)]).await?;
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&mut stage.consumer().await?).await);
    /// ```
    pub async fn assign(&mut self, partitions: &[(&str, i32)]) -> Result<()> {
        let topics: BTreeSet<&str> = partitions.iter().map(|(topic, _)| *topic).collect();
        for topic in topics {
            let info = self.shared.client.find_topic(topic, false).await?;
            let unknown =
                partitions.iter().find(|(of, number)| *of == topic && info.partition(*number).is_none());
            if let Some((topic, partition)) = unknown {
                return Err(Error::NoPartition { topic: (*topic).to_owned(), partition: *partition });
            }
        }
        let keys: Vec<_> = partitions.iter().map(|(topic, partition)| key(topic, *partition)).collect();
        self.put_down();
        // By hand or by a group, and not both.
        self.group = None;
        self.shared.state().assign(&keys);
        self.shared.wake.notify_one();
        Ok(())
    }

    /// Reads all partitions that these topics have now, and no others.
    ///
    /// ```
    /// # async fn example(consumer: &mut strandline_client::Consumer) -> Result<(), strandline_client::Error> {
    /// consumer.assign_topics(&["orders", "customers"]).await?;
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&mut stage.consumer().await?).await);
    /// ```
    pub async fn assign_topics(&mut self, topics: &[&str]) -> Result<()> {
        let mut partitions = Vec::new();
        for topic in topics {
            let info = self.shared.client.find_topic(topic, false).await?;
            partitions.extend(info.partitions.iter().map(|info| (*topic, info.partition)));
        }
        self.assign(&partitions).await
    }

    /// What is assigned.
    ///
    /// ```
    /// # fn example(consumer: &strandline_client::Consumer) {
    /// println!("{:?}", consumer.assignment());
    /// # }
    /// # strandline_client_stage::play(async |stage| { example(&stage.consumer().await?); Ok(()) });
    /// ```
    pub fn assignment(&self) -> Vec<(String, i32)> {
        let state = self.shared.state();
        state.partitions.keys().map(|(topic, partition)| (topic.as_str().to_owned(), *partition)).collect()
    }

    /// The next record, as soon as there is one. The records of a partition come in order.
    ///
    /// An error is told once: of one partition, whose name it has, or of all. It may be gone on after it; a partition
    /// that cannot be read comes back once it is told where to go on.
    ///
    /// ```
    /// # async fn example(consumer: &mut strandline_client::Consumer) -> Result<(), strandline_client::Error> {
    /// let record = consumer.next().await?;
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&mut stage.consumer().await?).await);
    /// ```
    pub async fn next(&mut self) -> Result<ConsumerRecord> {
        let _polling = self.group.as_ref().map(|group| Polling::new(group.shared.clone()));
        loop {
            self.attend().await?;
            if let Some(record) = self.try_next()? {
                return Ok(record);
            }
            if self.group.is_none() && self.shared.state().partitions.is_empty() {
                return Err(Error::Settings("nothing is assigned to this consumer".to_owned()));
            }
            self.shared.arrived.notified().await;
        }
    }

    /// At least one record, as soon as there is one, and as many more as are there already, up to `records_max`.
    ///
    /// ```
    /// # async fn example(consumer: &mut strandline_client::Consumer) -> Result<(), strandline_client::Error> {
    /// for record in consumer.poll(500).await? {
    ///     println!("{:?}", record.value);
    /// }
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&mut stage.consumer().await?).await);
    /// ```
    pub async fn poll(&mut self, records_max: usize) -> Result<Vec<ConsumerRecord>> {
        let mut records = vec![self.next().await?];
        while records.len() < records_max {
            match self.try_next() {
                Ok(Some(record)) => records.push(record),
                Ok(None) => break,
                // What has been read is not lost for it.
                Err(error) => {
                    self.shared.state().errors.push_front(error);
                    break;
                }
            }
        }
        Ok(records)
    }

    /// The next record, if it is here already.
    ///
    /// ```
    /// # fn example(consumer: &mut strandline_client::Consumer) -> Result<(), strandline_client::Error> {
    /// while let Some(record) = consumer.try_next()? {
    ///     println!("{:?}", record.value);
    /// }
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&mut stage.consumer().await?));
    /// ```
    pub fn try_next(&mut self) -> Result<Option<ConsumerRecord>> {
        loop {
            if let Some((chunk, generation)) = &mut self.current {
                let next = chunk.next(self.reading, &mut self.decompressor);
                if let Ok(Some(record)) = next {
                    if let Some(group) = &mut self.group {
                        group.dirty.count(&record);
                    }
                    return Ok(Some(record));
                }
                let generation = *generation;
                let chunk = self.current.take();
                self.read_to_end(chunk, generation, next.err())?;
            }
            let mut state = self.shared.state();
            if let Some(error) = state.errors.pop_front() {
                return Err(error);
            }
            self.current = state.take_chunk();
            if self.current.is_none() {
                return Ok(None);
            }
        }
    }

    fn read_to_end(&self, chunk: Option<(Chunk, u64)>, generation: u64, error: Option<Error>) -> Result<()> {
        let Some((chunk, _)) = chunk else { return Ok(()) };
        let mut state = self.shared.state();
        let counts = state.read_up_to(&chunk, generation, true);
        self.shared.wake.notify_one();
        match error {
            Some(error) if counts => {
                // It may have been damaged on the way: it is fetched again, from where it cannot be read.
                let key = (chunk.topic.clone(), chunk.partition);
                state.seek(&key, SeekTo::Offset(chunk.position()));
                Err(error)
            }
            _ => Ok(()),
        }
    }

    /// Gives back what is being read, so that the state has all there is.
    fn put_down(&mut self) {
        if let Some((chunk, generation)) = self.current.take() {
            let mut state = self.shared.state();
            state.read_up_to(&chunk, generation, false);
            state.put_back(chunk, generation);
        }
    }

    /// Goes on from elsewhere.
    ///
    /// ```
    /// # fn example(consumer: &mut strandline_client::Consumer) -> Result<(), strandline_client::Error> {
    /// use strandline_client::SeekTo;
    /// consumer.seek("orders", 0, 4_711)?;
    /// consumer.seek("orders", 1, SeekTo::Timestamp(1_700_000_000_000))?;
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&mut stage.consumer().await?));
    /// ```
    pub fn seek(&mut self, topic: &str, partition: i32, to: impl Into<SeekTo>) -> Result<()> {
        self.put_down();
        let is_assigned = self.shared.state().seek(&key(topic, partition), to.into());
        self.shared.wake.notify_one();
        if is_assigned { Ok(()) } else { Err(not_assigned(topic, partition)) }
    }

    /// Hands out no more of a partition until it is resumed. What has been fetched of it is kept.
    ///
    /// ```
    /// # fn example(consumer: &mut strandline_client::Consumer) -> Result<(), strandline_client::Error> {
    /// consumer.pause("orders", 0)?;
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&mut stage.consumer().await?));
    /// ```
    pub fn pause(&mut self, topic: &str, partition: i32) -> Result<()> {
        self.set_paused(topic, partition, true)
    }

    /// Hands it out again.
    ///
    /// ```
    /// # fn example(consumer: &mut strandline_client::Consumer) -> Result<(), strandline_client::Error> {
    /// consumer.resume("orders", 0)?;
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&mut stage.consumer().await?));
    /// ```
    pub fn resume(&mut self, topic: &str, partition: i32) -> Result<()> {
        self.set_paused(topic, partition, false)
    }

    fn set_paused(&mut self, topic: &str, partition: i32, is_paused: bool) -> Result<()> {
        self.put_down();
        let is_assigned = self.shared.state().set_paused(&key(topic, partition), is_paused);
        self.shared.wake.notify_one();
        if is_assigned { Ok(()) } else { Err(not_assigned(topic, partition)) }
    }
}

fn key(topic: &str, partition: i32) -> (Text, i32) {
    (Text::from(topic), partition)
}

fn not_assigned(topic: &str, partition: i32) -> Error {
    Error::NoPartition { topic: topic.to_owned(), partition }
}
