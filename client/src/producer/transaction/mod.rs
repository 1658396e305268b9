//! Transactions: records to several partitions, and how far their sources have been read, all of it or nothing.
//!
//! [`Coordination`] speaks with the coordinator; here is what users hold, and in which order things happen at an end:
//! first everything that was sent has its fate, then the coordinator is told.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use tokio::sync::{Mutex, OwnedMutexGuard};

use super::config::Settings;
use super::delivery::Delivery;
use super::record::ProducerRecord;
use super::{Producer, sender};
use crate::cluster::Client;
use crate::consumer::GroupOffsets;
use crate::error::{Error, Result};
use crate::telemetry;

mod coordination;
mod offsets;

pub(super) use coordination::Coordination;

/// Writes transactions, one at a time. It comes from
/// [`ProducerBuilder::start_transactional`](crate::ProducerBuilder::start_transactional).
///
/// ```
/// # async fn example(brokers: &str) -> Result<(), strandline_client::Error> {
/// use strandline_client::{Client, ClientConfig, ProducerRecord};
///
/// let client = Client::connect(ClientConfig::new(brokers)?).await?;
/// let mut producer = client.producer().transactional_id("payments-7").start_transactional().await?;
/// let transaction = producer.begin().await?;
/// transaction.send(ProducerRecord::to("debits").key("customer-7").value("100")).await?;
/// transaction.send(ProducerRecord::to("credits").key("customer-8").value("100")).await?;
/// transaction.commit().await?;
/// # Ok(())
/// # }
/// # strandline_client_stage::play(async |stage| example(stage.brokers()).await);
/// ```
///
/// Where another producer begins with the same transactional id, every call from then on is [`Error::Fenced`].
pub struct TransactionalProducer {
    inner: Arc<Inner>,
}

struct Inner {
    producer: Producer,
    coordination: Arc<Coordination>,
    // Held by the transaction that is open, and by its end.
    phase: Arc<Mutex<Phase>>,
}

enum Phase {
    Idle,
    Open,
    /// It has been decided how it ends, and the coordinator may not know yet.
    Ending {
        commits: bool,
    },
    Broken(Error),
}

impl fmt::Debug for TransactionalProducer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("TransactionalProducer").field(&self.inner.producer).finish()
    }
}

impl TransactionalProducer {
    pub(super) async fn start(client: Client, settings: Settings) -> Result<Self> {
        let (id, timeout) =
            (settings.transactional_id.clone().unwrap_or_default(), settings.transaction_timeout);
        let coordination = Arc::new(Coordination::new(client.clone(), id, timeout));
        coordination.identify().await?;
        let producer = sender::start_with(client, settings, Some(coordination.clone()));
        let phase = Arc::new(Mutex::new(Phase::Idle));
        Ok(Self { inner: Arc::new(Inner { producer, coordination, phase }) })
    }

    /// Begins a transaction. What is still to be said of the last one is said first: one whose end nobody learned of
    /// gets the same end, one that was forgotten is aborted.
    ///
    /// ```
    /// # async fn example(
    /// #     producer: &mut strandline_client::TransactionalProducer,
    /// # ) -> Result<(), strandline_client::Error> {
    /// let transaction = producer.begin().await?;
    /// transaction.abort().await?;
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&mut stage.transactions().await?).await);
    /// ```
    pub async fn begin(&mut self) -> Result<Transaction<'_>> {
        let inner = self.inner.clone();
        let mut phase = inner.phase.clone().lock_owned().await;
        match &*phase {
            Phase::Idle => {}
            Phase::Open => inner.end(&mut phase, false).await?,
            Phase::Ending { commits } => {
                let commits = *commits;
                inner.end(&mut phase, commits).await?;
            }
            Phase::Broken(error) => return Err(error.clone()),
        }
        let identity = inner.coordination.begin().await?;
        inner.producer.handle.shared.accumulator().begin(identity);
        *phase = Phase::Open;
        Ok(Transaction { inner, phase: Some(phase), producer: PhantomData })
    }

    /// Ends it, and with it what is open: a transaction that was not committed is aborted.
    ///
    /// ```
    /// # async fn example(
    /// #     producer: strandline_client::TransactionalProducer,
    /// # ) -> Result<(), strandline_client::Error> {
    /// producer.close().await?;
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(stage.transactions().await?).await);
    /// ```
    pub async fn close(self) -> Result<()> {
        let mut phase = self.inner.phase.clone().lock_owned().await;
        let ended = match *phase {
            Phase::Open => self.inner.end(&mut phase, false).await,
            Phase::Ending { commits } => self.inner.end(&mut phase, commits).await,
            Phase::Idle | Phase::Broken(_) => Ok(()),
        };
        self.inner.producer.clone().close().await;
        ended
    }
}

impl Inner {
    /// Waits for what has been sent, and tells the coordinator. What cannot be committed is aborted.
    async fn end(&self, phase: &mut Phase, wanted: bool) -> Result<()> {
        let shared = &self.producer.handle.shared;
        if !wanted {
            shared.accumulator().spoil(&Error::Aborted(None));
        }
        self.producer.flush().await;
        let spoiled = shared.accumulator().spoiled().cloned();
        let commits = wanted && spoiled.is_none();
        *phase = Phase::Ending { commits };
        let ended = self.tell(commits).await;
        match ended {
            Ok(()) => {
                *phase = Phase::Idle;
                telemetry::transaction_ended(commits);
            }
            // It is said again before the next one begins.
            Err(error) if error.is_retriable() => return Err(error),
            Err(error) => {
                *phase = Phase::Broken(error.clone());
                return Err(error);
            }
        }
        match spoiled {
            Some(reason) if wanted => Err(Error::Aborted(Some(Box::new(reason)))),
            _ => Ok(()),
        }
    }

    async fn tell(&self, commits: bool) -> Result<()> {
        self.coordination.end(commits).await?;
        if !commits && self.coordination.must_identify_after_abort() {
            self.coordination.identify().await?;
        }
        Ok(())
    }
}

/// A transaction that is open. It is aborted where it is dropped before it was committed.
///
/// What fails of it, a record that cannot be delivered or offsets that the group does not take, spoils all of it: what
/// is sent afterwards fails for the same reason, and so does the commit, which aborts it then
/// ([`Error::Aborted`]).
///
/// The futures of [`Transaction::commit`] and [`Transaction::abort`] may be dropped: what was asked for is carried out
/// all the same, and the next transaction waits for it.
///
/// ```
/// # async fn example(
/// #     producer: &mut strandline_client::TransactionalProducer,
/// # ) -> Result<(), strandline_client::Error> {
/// use strandline_client::{ProducerRecord, Transaction};
///
/// let transaction: Transaction<'_> = producer.begin().await?;
/// transaction.send(ProducerRecord::to("debits").key("customer-7").value("100")).await?;
/// transaction.send(ProducerRecord::to("credits").key("customer-9").value("100")).await?;
/// transaction.commit().await?;
/// # Ok(())
/// # }
/// # strandline_client_stage::play(async |stage| example(&mut stage.transactions().await?).await);
/// ```
#[must_use = "a transaction that is not committed is aborted"]
pub struct Transaction<'a> {
    inner: Arc<Inner>,
    phase: Option<OwnedMutexGuard<Phase>>,
    producer: PhantomData<&'a mut TransactionalProducer>,
}

impl fmt::Debug for Transaction<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Transaction").field(&self.inner.producer).finish()
    }
}

impl Transaction<'_> {
    /// Takes a record into the transaction, as [`Producer::send`] does. Nothing need be waited for: the commit does.
    ///
    /// ```
    /// # async fn example(
    /// #     transaction: &strandline_client::Transaction<'_>,
    /// # ) -> Result<(), strandline_client::Error> {
    /// use strandline_client::ProducerRecord;
    /// transaction.send(ProducerRecord::to("debits").value("100")).await?;
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.transactions().await?.begin().await?).await);
    /// ```
    pub async fn send(&self, record: ProducerRecord<'_>) -> Result<()> {
        self.deliver(record).await.map(drop)
    }

    /// The same, for who wants to know where it is written before the transaction ends.
    ///
    /// ```
    /// # async fn example(
    /// #     transaction: &strandline_client::Transaction<'_>,
    /// # ) -> Result<(), strandline_client::Error> {
    /// use strandline_client::ProducerRecord;
    /// let delivered = transaction.deliver(ProducerRecord::to("debits").value("100")).await?.await?;
    /// println!("at offset {:?}", delivered.offset);
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.transactions().await?.begin().await?).await);
    /// ```
    pub async fn deliver(&self, record: ProducerRecord<'_>) -> Result<Delivery> {
        self.inner.producer.send(record).await
    }

    /// Takes into the transaction how far a consumer has read: the group goes on from there if it is committed.
    ///
    /// ```
    /// # async fn example(
    /// #     transaction: &strandline_client::Transaction<'_>,
    /// #     consumer: &mut strandline_client::Consumer,
    /// # ) -> Result<(), strandline_client::Error> {
    /// transaction.send_offsets(&consumer.take_offsets()?).await?;
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.transactions().await?.begin().await?, &mut stage.member().await?).await);
    /// ```
    pub async fn send_offsets(&self, offsets: &GroupOffsets) -> Result<()> {
        if offsets.is_empty() {
            return Ok(());
        }
        let shared = &self.inner.producer.handle.shared;
        if let Some(error) = shared.accumulator().spoiled() {
            return Err(error.clone());
        }
        let sent = self.inner.coordination.send_offsets(offsets).await;
        if let Err(error) = &sent {
            shared.accumulator().spoil(error);
        }
        sent
    }

    /// Waits until everything has been delivered, and makes it count. Where that cannot be, it is aborted, and
    /// [`Error::Aborted`] says why.
    ///
    /// After an error that [is in doubt](Error::is_in_doubt) nobody knows yet: the next [`TransactionalProducer::begin`]
    /// sees to it that it is committed.
    ///
    /// ```
    /// # async fn example(
    /// #     transaction: strandline_client::Transaction<'_>,
    /// # ) -> Result<(), strandline_client::Error> {
    /// transaction.commit().await?;
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(stage.transactions().await?.begin().await?).await);
    /// ```
    pub async fn commit(mut self) -> Result<()> {
        self.end(true).await
    }

    /// Has all of it be as if it had not been sent.
    ///
    /// ```
    /// # async fn example(
    /// #     transaction: strandline_client::Transaction<'_>,
    /// # ) -> Result<(), strandline_client::Error> {
    /// transaction.abort().await?;
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(stage.transactions().await?.begin().await?).await);
    /// ```
    pub async fn abort(mut self) -> Result<()> {
        self.end(false).await
    }

    async fn end(&mut self, commits: bool) -> Result<()> {
        let Some(mut phase) = self.phase.take() else { return Err(Error::Ended) };
        let inner = self.inner.clone();
        // In a task of its own: it must not stop half way when nobody waits any longer.
        let ended = tokio::spawn(async move { inner.end(&mut phase, commits).await });
        ended.await.unwrap_or(Err(Error::Ended))
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        let Some(mut phase) = self.phase.take() else { return };
        let inner = self.inner.clone();
        // Without a runtime, the next one to begin aborts it.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { inner.end(&mut phase, false).await });
        }
    }
}
