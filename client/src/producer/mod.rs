//! The producer: records in, acknowledgements out.
//!
//! Owns what is on its way: batches by partition, their numbers, and what is tried again. What of it is decided is
//! decided in [`accumulator`] and [`queue`], which know no sockets; [`sender`] and [`shipping`] carry it out.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::time::Instant;

use crate::error::{Error, Result};

mod accumulator;
mod batch;
mod buffers;
mod config;
mod delivery;
mod partitioner;
mod queue;
mod record;
mod sender;
mod shipping;
mod transaction;

use batch::Charge;
pub use config::{Acks, ProducerBuilder};
pub use delivery::{Delivered, Delivery};
pub use partitioner::{Partitioner, partition_of_key};
pub use record::ProducerRecord;
use sender::Shared;
pub use transaction::{Transaction, TransactionalProducer};

/// Writes records to topics. Clones are handles to the same producer.
///
/// It is idempotent unless told otherwise: what is sent again after an error is not written twice, and the records
/// of a partition keep the order in which they were sent.
///
/// # When it is dropped
///
/// What [`Producer::send`] has taken is sent, by tasks of the runtime, even after the last handle is gone. A program
/// that ends must wait for it: by [`Producer::flush`], by [`Producer::close`], or by awaiting the deliveries.
///
/// Futures may be dropped at any time. A `send` that is dropped before it has resolved has taken nothing; a
/// [`Delivery`] that is dropped changes nothing; a `flush` that is dropped still hurries what was there.
///
/// ```
/// # async fn example(brokers: &str) -> Result<(), strandline_client::Error> {
/// use strandline_client::{Client, ClientConfig, ProducerRecord};
///
/// let client = Client::connect(ClientConfig::new(brokers)?).await?;
/// let producer = client.producer().start()?;
/// let delivery = producer.send(ProducerRecord::to("orders").key("customer-7").value("4 anchors")).await?;
/// println!("at offset {:?}", delivery.await?.offset);
/// producer.close().await;
/// # Ok(())
/// # }
/// # strandline_client_stage::play(async |stage| example(stage.brokers()).await);
/// ```
#[derive(Clone)]
pub struct Producer {
    handle: Arc<Handle>,
}

struct Handle {
    shared: Arc<Shared>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.is_abandoned.store(true, Ordering::Release);
        self.shared.wake.notify_one();
    }
}

impl fmt::Debug for Producer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Producer").field(&self.handle.shared.settings).finish()
    }
}

impl Producer {
    fn new(shared: Arc<Shared>) -> Self {
        Self { handle: Arc::new(Handle { shared }) }
    }

    /// Takes a record: waits until its topic is known and there is room for it, and returns what its delivery can be
    /// awaited by. Records are written to their partition in the order in which they were taken.
    ///
    /// ```
    /// # async fn example(producer: &strandline_client::Producer) -> Result<(), strandline_client::Error> {
    /// use strandline_client::ProducerRecord;
    /// // Taken, and on its way; the delivery may be awaited later, or not at all.
    /// let delivery = producer.send(ProducerRecord::to("orders").value("4 anchors")).await?;
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.producer()?).await);
    /// ```
    pub async fn send(&self, record: ProducerRecord<'_>) -> Result<Delivery> {
        let shared = &self.handle.shared;
        let bytes = record.bytes_max();
        let bytes_max = shared.settings.request_bytes_max.min(shared.settings.memory_bytes_max);
        if bytes > bytes_max {
            return Err(Error::RecordTooLarge { bytes, bytes_max });
        }
        let known = shared.accumulator().partitions(record.topic());
        let partitions = match known {
            Some(partitions) => partitions,
            None => self.learn(record.topic()).await?,
        };
        let custom = match (&shared.settings.partitioner, record.partition) {
            (Some(partitioner), None) => {
                let (topic, key, value) = (record.topic(), record.key_bytes(), record.value_bytes());
                partitioner.partition(topic, key, value, partitions)
            }
            _ => None,
        };
        let charge = self.room(bytes).await?;
        let (delivery, has_news) = shared.accumulator().append(&record, custom, charge, Instant::now())?;
        if has_news {
            shared.wake.notify_one();
        }
        Ok(delivery)
    }

    /// Hurries what has been taken, and waits until each record has been delivered or given up. Which it was, the
    /// deliveries say.
    ///
    /// ```
    /// # async fn example(producer: &strandline_client::Producer) {
    /// producer.flush().await;
    /// # }
    /// # strandline_client_stage::play(async |stage| { example(&stage.producer()?).await; Ok(()) });
    /// ```
    pub async fn flush(&self) {
        let shared = &self.handle.shared;
        let promises = shared.accumulator().hurry();
        shared.wake.notify_one();
        for promise in promises {
            promise.settled().await;
        }
    }

    /// Takes nothing more, by any handle, and waits as [`Producer::flush`] does.
    ///
    /// ```
    /// # async fn example(producer: strandline_client::Producer) {
    /// producer.close().await;
    /// # }
    /// # strandline_client_stage::play(async |stage| { example(stage.producer()?).await; Ok(()) });
    /// ```
    pub async fn close(self) {
        self.handle.shared.accumulator().end();
        self.flush().await;
    }

    /// How many bytes of records are on their way, at the most.
    ///
    /// ```
    /// # fn example(producer: &strandline_client::Producer) {
    /// println!("{} bytes", producer.bytes_on_their_way());
    /// # }
    /// # strandline_client_stage::play(async |stage| { example(&stage.producer()?); Ok(()) });
    /// ```
    pub fn bytes_on_their_way(&self) -> usize {
        let shared = &self.handle.shared;
        shared.settings.memory_bytes_max.saturating_sub(shared.room.available_permits())
    }

    async fn room(&self, bytes: usize) -> Result<Charge> {
        let shared = &self.handle.shared;
        let permits = u32::try_from(bytes).unwrap_or(u32::MAX);
        let permit = match shared.room.try_acquire_many(permits) {
            Ok(permit) => permit,
            Err(_) => {
                // Nothing makes room while it waits to get full.
                shared.accumulator().hurry();
                shared.wake.notify_one();
                shared.room.acquire_many(permits).await.map_err(|_| Error::Ended)?
            }
        };
        permit.forget();
        Ok(Charge::new(shared.room.clone(), bytes))
    }

    /// Waits until the topic exists, and asks for it to be made where brokers make what they are asked for.
    async fn learn(&self, topic: &str) -> Result<i32> {
        let shared = &self.handle.shared;
        let deadline = Instant::now() + shared.settings.topic_timeout;
        let mut backoff = shared.client.config().new_backoff();
        let mut last = None;
        loop {
            let found = tokio::time::timeout_at(deadline, shared.client.find_topic(topic, true)).await;
            let error = match found {
                Ok(Ok(info)) => {
                    let metadata = shared.client.metadata();
                    let mut accumulator = shared.accumulator();
                    accumulator.learn(&info, &metadata);
                    return Ok(accumulator.partitions(topic).unwrap_or(0));
                }
                Ok(Err(error)) => error,
                // What was the matter before says more than that the last question had no time.
                Err(_) => {
                    let broker = format!("topic {topic}").into();
                    let late = Error::Timeout { broker, after: shared.settings.topic_timeout };
                    return Err(last.unwrap_or(late));
                }
            };
            let wait = backoff.next_wait();
            if !error.is_retriable() || Instant::now() + wait >= deadline {
                return Err(error);
            }
            last = Some(error);
            tokio::time::sleep(wait).await;
        }
    }
}
