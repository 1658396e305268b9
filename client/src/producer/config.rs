//! What a producer is told before it starts.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use strandline_protocol::{Compression, Text};

use super::partitioner::Partitioner;
use super::transaction::TransactionalProducer;
use super::{Producer, sender};
use crate::cluster::Client;
use crate::error::{Error, Result};

/// Whose acknowledgement a record waits for.
///
/// ```
/// assert_eq!(strandline_client::Acks::default(), strandline_client::Acks::All);
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Acks {
    /// Nobody's: what is lost on the way is lost, and nothing says so.
    None,
    /// The leader's.
    Leader,
    /// That of all replicas that are in sync.
    #[default]
    All,
}

impl Acks {
    pub(super) const fn code(self) -> i16 {
        match self {
            Self::None => 0,
            Self::Leader => 1,
            Self::All => -1,
        }
    }
}

#[derive(Clone)]
pub(super) struct Settings {
    pub(super) acks: Acks,
    pub(super) is_idempotent: bool,
    pub(super) linger: Duration,
    pub(super) batch_bytes: usize,
    pub(super) request_bytes_max: usize,
    pub(super) memory_bytes_max: usize,
    pub(super) in_flight_max: usize,
    pub(super) delivery_timeout: Duration,
    pub(super) topic_timeout: Duration,
    pub(super) compression: Compression,
    pub(super) compression_level: Option<i32>,
    pub(super) partitioner: Option<Arc<dyn Partitioner>>,
    pub(super) transactional_id: Option<Text>,
    pub(super) transaction_timeout: Duration,
    pub(super) backoff_least: Duration,
    pub(super) backoff_greatest: Duration,
}

impl fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Settings")
            .field("acks", &self.acks)
            .field("is_idempotent", &self.is_idempotent)
            .field("linger", &self.linger)
            .field("compression", &self.compression)
            .finish_non_exhaustive()
    }
}

/// How a producer shall be. The defaults lose nothing, write nothing twice and keep the order.
///
/// ```
/// # async fn example(client: &strandline_client::Client) -> Result<(), strandline_client::Error> {
/// use std::time::Duration;
/// use strandline_client::Compression;
///
/// let producer = client.producer().compression(Compression::Zstd).linger(Duration::from_millis(20)).start()?;
/// # Ok(())
/// # }
/// # strandline_client_stage::play(async |stage| example(&stage.client).await);
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before it is started"]
pub struct ProducerBuilder {
    client: Client,
    settings: Settings,
}

impl ProducerBuilder {
    pub(crate) fn new(client: Client) -> Self {
        let config = client.config();
        let settings = Settings {
            acks: Acks::All,
            is_idempotent: true,
            linger: Duration::from_millis(5),
            batch_bytes: 128 << 10,
            request_bytes_max: 1 << 20,
            memory_bytes_max: 64 << 20,
            in_flight_max: 5,
            delivery_timeout: Duration::from_secs(120),
            topic_timeout: Duration::from_secs(60),
            compression: Compression::None,
            compression_level: None,
            partitioner: None,
            transactional_id: None,
            transaction_timeout: Duration::from_secs(60),
            backoff_least: config.backoff_least,
            backoff_greatest: config.backoff_greatest,
        };
        Self { client, settings }
    }

    /// Whose acknowledgement a record waits for. An idempotent producer needs [`Acks::All`].
    ///
    /// ```
    /// # fn example(client: &strandline_client::Client) {
    /// let builder = client.producer().idempotent(false).acks(strandline_client::Acks::Leader);
    /// # }
    /// # strandline_client_stage::play(async |stage| { example(&stage.client); Ok(()) });
    /// ```
    pub const fn acks(mut self, acks: Acks) -> Self {
        self.settings.acks = acks;
        self
    }

    /// Whether brokers recognise what is sent a second time, and what comes out of order. Without it a retry may
    /// write twice, and records may change places.
    ///
    /// ```
    /// # fn example(client: &strandline_client::Client) {
    /// let builder = client.producer().idempotent(false);
    /// # }
    /// # strandline_client_stage::play(async |stage| { example(&stage.client); Ok(()) });
    /// ```
    pub const fn idempotent(mut self, is_idempotent: bool) -> Self {
        self.settings.is_idempotent = is_idempotent;
        self
    }

    /// How long a batch waits for more records before it is sent though it is not full.
    ///
    /// ```
    /// # fn example(client: &strandline_client::Client) {
    /// let builder = client.producer().linger(std::time::Duration::ZERO);
    /// # }
    /// # strandline_client_stage::play(async |stage| { example(&stage.client); Ok(()) });
    /// ```
    pub const fn linger(mut self, linger: Duration) -> Self {
        self.settings.linger = linger;
        self
    }

    /// How large a batch gets, before compression. A single record may be larger.
    ///
    /// ```
    /// # fn example(client: &strandline_client::Client) {
    /// let builder = client.producer().batch_bytes(1 << 20);
    /// # }
    /// # strandline_client_stage::play(async |stage| { example(&stage.client); Ok(()) });
    /// ```
    pub const fn batch_bytes(mut self, bytes: usize) -> Self {
        self.settings.batch_bytes = bytes;
        self
    }

    /// How large a request gets, before compression, and with that a record. Brokers have a limit of their own.
    ///
    /// ```
    /// # fn example(client: &strandline_client::Client) {
    /// let builder = client.producer().request_bytes_max(4 << 20);
    /// # }
    /// # strandline_client_stage::play(async |stage| { example(&stage.client); Ok(()) });
    /// ```
    pub const fn request_bytes_max(mut self, bytes: usize) -> Self {
        self.settings.request_bytes_max = bytes;
        self
    }

    /// How many bytes of records may be on their way. Whoever sends more waits until there is room.
    /// Up to a quarter of that is kept beside them, for batches that come.
    ///
    /// ```
    /// # fn example(client: &strandline_client::Client) {
    /// let builder = client.producer().memory_bytes_max(256 << 20);
    /// # }
    /// # strandline_client_stage::play(async |stage| { example(&stage.client); Ok(()) });
    /// ```
    pub const fn memory_bytes_max(mut self, bytes: usize) -> Self {
        self.settings.memory_bytes_max = bytes;
        self
    }

    /// How many requests may be under way to one broker; an idempotent producer may have up to 5.
    ///
    /// ```
    /// # fn example(client: &strandline_client::Client) {
    /// let builder = client.producer().in_flight_max(1);
    /// # }
    /// # strandline_client_stage::play(async |stage| { example(&stage.client); Ok(()) });
    /// ```
    pub const fn in_flight_max(mut self, requests: usize) -> Self {
        self.settings.in_flight_max = requests;
        self
    }

    /// How long it is tried to deliver a record. A request that is under way then is waited for.
    ///
    /// ```
    /// # fn example(client: &strandline_client::Client) {
    /// let builder = client.producer().delivery_timeout(std::time::Duration::from_secs(30));
    /// # }
    /// # strandline_client_stage::play(async |stage| { example(&stage.client); Ok(()) });
    /// ```
    pub const fn delivery_timeout(mut self, timeout: Duration) -> Self {
        self.settings.delivery_timeout = timeout;
        self
    }

    /// How long a send waits for its topic to exist.
    ///
    /// ```
    /// # fn example(client: &strandline_client::Client) {
    /// let builder = client.producer().topic_timeout(std::time::Duration::from_secs(5));
    /// # }
    /// # strandline_client_stage::play(async |stage| { example(&stage.client); Ok(()) });
    /// ```
    pub const fn topic_timeout(mut self, timeout: Duration) -> Self {
        self.settings.topic_timeout = timeout;
        self
    }

    /// How batches are compressed.
    ///
    /// ```
    /// # fn example(client: &strandline_client::Client) {
    /// let builder = client.producer().compression(strandline_client::Compression::Lz4);
    /// # }
    /// # strandline_client_stage::play(async |stage| { example(&stage.client); Ok(()) });
    /// ```
    pub const fn compression(mut self, compression: Compression) -> Self {
        self.settings.compression = compression;
        self
    }

    /// How hard they are compressed, in the codec's own measure.
    ///
    /// ```
    /// # fn example(client: &strandline_client::Client) {
    /// let builder = client.producer().compression(strandline_client::Compression::Zstd).compression_level(9);
    /// # }
    /// # strandline_client_stage::play(async |stage| { example(&stage.client); Ok(()) });
    /// ```
    pub const fn compression_level(mut self, level: i32) -> Self {
        self.settings.compression_level = Some(level);
        self
    }

    /// Chooses partitions in its own way.
    ///
    /// ```
    /// # async fn example(client: &strandline_client::Client) -> Result<(), strandline_client::Error> {
    /// use strandline_client::{Partitioner, ProducerRecord, partition_of_key};
    ///
    /// struct First;
    ///
    /// impl Partitioner for First {
    ///     fn partition(&self, _topic: &str, _key: Option<&[u8]>, _value: Option<&[u8]>, _partitions: i32) -> Option<i32> {
    ///         Some(0)
    ///     }
    /// }
    ///
    /// let producer = client.producer().partitioner(First).start()?;
    /// let delivery = producer.send(ProducerRecord::to("orders").key("customer-7")).await?;
    /// assert_eq!(delivery.partition(), 0);
    /// assert_eq!(partition_of_key(b"customer-7", 2), 1, "where it goes without");
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.client).await);
    /// ```
    pub fn partitioner(mut self, partitioner: impl Partitioner + 'static) -> Self {
        self.settings.partitioner = Some(Arc::new(partitioner));
        self
    }

    /// Under which name it writes transactions. Of the producers of one name only the last one can: whoever was before
    /// is fenced off, and its open transaction aborted.
    ///
    /// ```
    /// # fn example(client: &strandline_client::Client) {
    /// let builder = client.producer().transactional_id("payments-7");
    /// # }
    /// # strandline_client_stage::play(async |stage| { example(&stage.client); Ok(()) });
    /// ```
    pub fn transactional_id(mut self, id: &str) -> Self {
        self.settings.transactional_id = Some(id.into());
        self
    }

    /// How long a transaction may stay open before its coordinator aborts it.
    ///
    /// ```
    /// # fn example(client: &strandline_client::Client) {
    /// let builder = client.producer().transaction_timeout(std::time::Duration::from_secs(10));
    /// # }
    /// # strandline_client_stage::play(async |stage| { example(&stage.client); Ok(()) });
    /// ```
    pub const fn transaction_timeout(mut self, timeout: Duration) -> Self {
        self.settings.transaction_timeout = timeout;
        self
    }

    /// Starts it as a writer of transactions: asks the coordinator for the right to, which ends what was left open.
    ///
    /// ```
    /// # async fn example(client: &strandline_client::Client) -> Result<(), strandline_client::Error> {
    /// let mut producer = client.producer().transactional_id("payments-7").start_transactional().await?;
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.client).await);
    /// ```
    pub async fn start_transactional(self) -> Result<TransactionalProducer> {
        if self.settings.transactional_id.is_none() || !self.settings.is_idempotent {
            return Err(Error::Settings("transactions need a transactional id, and numbers".to_owned()));
        }
        self.check()?;
        TransactionalProducer::start(self.client, self.settings).await
    }

    /// Starts it, on the Tokio runtime that it is called from. Nobody is asked anything yet.
    ///
    /// ```
    /// # async fn example(client: &strandline_client::Client) -> Result<(), strandline_client::Error> {
    /// let producer = client.producer().start()?;
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.client).await);
    /// ```
    pub fn start(self) -> Result<Producer> {
        if self.settings.transactional_id.is_some() {
            let text = "a producer with a transactional id is started by start_transactional";
            return Err(Error::Settings(text.to_owned()));
        }
        self.check()?;
        Ok(sender::start(self.client, self.settings))
    }

    fn check(&self) -> Result<()> {
        let Settings { acks, is_idempotent, in_flight_max, .. } = self.settings;
        let refused = |text: &str| Err(Error::Settings(text.to_owned()));
        if is_idempotent && acks != Acks::All {
            return refused("an idempotent producer needs the acknowledgement of all replicas");
        }
        if is_idempotent && in_flight_max > 5 {
            return refused("an idempotent producer has at most 5 requests in flight");
        }
        if in_flight_max == 0 || self.settings.batch_bytes == 0 || self.settings.request_bytes_max == 0 {
            return refused("a limit of 0 lets nothing through");
        }
        let compressor =
            strandline_protocol::Compressor::new(self.settings.compression, self.settings.compression_level);
        if let Err(error) = compressor {
            return refused(&error.to_string());
        }
        Ok(())
    }
}
