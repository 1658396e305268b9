//! The coordinator of transactions on this broker: what handlers ask of it, and what it has done in the background.
//!
//! The deciding is `strandline_state::transactions`, one machine for each partition of `__transaction_state`, driven by
//! [`crate::coordinator`]. Here are the three ways in: requests ([`TransactionCoordinator`]), batches that may begin a
//! transaction ([`Verified`]), and the workers that write markers. Each partition has one worker, and no more: what it
//! writes is answered before it takes anything else, so that no marker is ever late.

mod markers;
mod verified;
mod worker;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use strandline_log::clock::Clock;
use strandline_protocol::{ErrorCode, Text};
use strandline_state::groups::Groups;
use strandline_state::transactions::{
    Command, Event, Filter, Initialise, Partitions, Producer, Reply, Request, Status, Tally,
    TransactionSettings, TransactionState, Transactions,
};

pub use self::markers::{Marked, MarkerWriter, Wanted};
pub use self::verified::Verified;
pub(crate) use self::verified::as_committed;

use crate::coordinator::{Answer, Coordinator, CoordinatorParts, TRANSACTIONS_TOPIC, log_transaction};
use crate::metrics::Metrics;
use crate::producer_ids::ProducerIds;

/// So long a batch waits for the end of the transaction before it, until its producer is told to try again.
const WAIT_MAX: Duration = Duration::from_secs(1);

/// An id that a producer chose, where it stands, and who has it.
pub type Listed = (Text, i64, Status);

/// What of this broker has to do with transactions.
pub struct TransactionCoordinator {
    coordinator: Arc<Coordinator<Transactions>>,
    producer_ids: Arc<ProducerIds>,
    markers: MarkerWriter,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
}

impl fmt::Debug for TransactionCoordinator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "transactions: {:?}", self.coordinator)
    }
}

impl TransactionCoordinator {
    /// Starts it, with a worker for each partition that there is, and that there ever will be.
    pub fn start(
        parts: Arc<CoordinatorParts>,
        groups: Arc<Coordinator<Groups>>,
        producer_ids: Arc<ProducerIds>,
    ) -> Arc<Self> {
        let mut changes = parts.metadata.changes();
        let started = Arc::new(Self::new(parts, groups, producer_ids));
        let told = Arc::downgrade(&started);
        let mut workers = worker::Workers::default();
        workers.start(&started);
        tokio::spawn(async move {
            while changes.recv().await.is_some() {
                let Some(transactions) = told.upgrade() else { return };
                transactions.coordinator.refresh();
                workers.start(&transactions);
            }
        });
        started
    }

    /// One that nobody works for yet.
    pub fn new(
        parts: Arc<CoordinatorParts>,
        groups: Arc<Coordinator<Groups>>,
        producer_ids: Arc<ProducerIds>,
    ) -> Self {
        let metadata = Arc::clone(&parts.metadata);
        let fresh =
            Arc::new(move || Transactions::new(Arc::new(TransactionSettings::of(&metadata.settings()))));
        let markers = MarkerWriter::new(Arc::clone(&parts.metadata), groups, Arc::clone(&parts.clock));
        let (clock, metrics) = (Arc::clone(&parts.clock), Arc::clone(&parts.metrics));
        let watching = Arc::clone(&metrics);
        let watch = Arc::new(move |event: &Event| {
            watching.transaction_event(event);
            log_transaction(event);
        });
        let coordinator = Arc::new(Coordinator::new(&TRANSACTIONS_TOPIC, parts, fresh, watch));
        Self { coordinator, producer_ids, markers, clock, metrics }
    }

    /// Where transactions are kept.
    pub fn coordinator(&self) -> &Coordinator<Transactions> {
        &self.coordinator
    }

    /// What writes markers into the logs of this broker.
    pub fn markers(&self) -> &MarkerWriter {
        &self.markers
    }

    async fn ask(&self, key: &str, request: Request) -> Answer<Reply> {
        // That there is no name is said before it is looked who would keep it.
        let takes_a_name =
            matches!(request, Request::Add { .. } | Request::Verify { .. } | Request::End { .. });
        if takes_a_name && key.is_empty() {
            return Answer::refused(ErrorCode::INVALID_REQUEST);
        }
        self.coordinator.ask(key, |ticket| Command::Ask(ticket, request)).await
    }

    /// Gives a producer an id and an epoch.
    pub async fn initialise(&self, mut request: Initialise) -> Result<(i64, i16), ErrorCode> {
        let key = request.transactional_id.clone();
        loop {
            match self.ask(&key, Request::Initialise(request.clone())).await.get().await? {
                Reply::NeedsProducerId => request.fresh_producer_id = Some(self.producer_ids.next().await?),
                Reply::Producer { producer_id, producer_epoch } => return Ok((producer_id, producer_epoch)),
                other => return Err(refusal(&other)),
            }
        }
    }

    /// Has a transaction end. When this returns, the request has its place in the order of what is asked; gives the id
    /// and the epoch that the producer goes on with, if that is told.
    pub async fn end(
        self: &Arc<Self>,
        producer: Producer,
        is_commit: bool,
        version: i16,
    ) -> impl Future<Output = Result<Option<(i64, i16)>, ErrorCode>> + Send + 'static {
        let key = producer.transactional_id.clone();
        let request = move |fresh_producer_id| {
            let producer = producer.clone();
            Request::End { producer, is_commit, version, fresh_producer_id }
        };
        let first = self.ask(&key, request(None)).await;
        let transactions = Arc::clone(self);
        async move {
            let mut reply = first.get().await?;
            if reply == Reply::NeedsProducerId {
                let fresh = transactions.producer_ids.next().await?;
                reply = transactions.ask(&key, request(Some(fresh))).await.get().await?;
            }
            match reply {
                Reply::Done => Ok(None),
                Reply::Producer { producer_id, producer_epoch } => Ok(Some((producer_id, producer_epoch))),
                other => Err(refusal(&other)),
            }
        }
    }

    /// Has partitions become part of a transaction. When this returns, the request has its place.
    pub async fn add(
        &self,
        producer: Producer,
        partitions: Partitions,
        version: i16,
    ) -> impl Future<Output = Result<(), ErrorCode>> + Send + 'static {
        let key = producer.transactional_id.clone();
        let answer = self.ask(&key, Request::Add { producer, partitions, version, waits: false }).await;
        async move { done(answer.get().await?) }
    }

    /// The same for a batch that is there already: it waits a while for the end of the transaction before.
    pub async fn add_or_wait(&self, producer: Producer, partitions: Partitions) -> Result<(), ErrorCode> {
        let key = producer.transactional_id.clone();
        let answer = self.ask(&key, Request::Add { producer, partitions, version: 2, waits: true }).await;
        match tokio::time::timeout(WAIT_MAX, answer.get()).await {
            Ok(reply) => done(reply?),
            Err(_) => Err(ErrorCode::CONCURRENT_TRANSACTIONS),
        }
    }

    /// Those of the partitions that are not part of the transaction.
    pub async fn missing(&self, producer: Producer, partitions: Partitions) -> Result<Partitions, ErrorCode> {
        let key = producer.transactional_id.clone();
        match self.ask(&key, Request::Verify { producer, partitions }).await.get().await? {
            Reply::Missing(missing) => Ok(missing),
            other => Err(refusal(&other)),
        }
    }

    /// Where an id stands.
    pub async fn describe(&self, transactional_id: Text) -> Result<TransactionState, ErrorCode> {
        let key = transactional_id.clone();
        match self.ask(&key, Request::Describe(transactional_id)).await.get().await? {
            Reply::Described(state) => Ok(*state),
            other => Err(refusal(&other)),
        }
    }

    /// How many ids this broker coordinates, as far as their machines are there.
    pub async fn tally(&self) -> Tally {
        let mut all = Tally::default();
        for partition in 0..i32::try_from(self.coordinator.partition_count()).unwrap_or(i32::MAX) {
            let ask = |ticket| Command::Ask(ticket, Request::Tally);
            let answer = self.coordinator.ask_partition(partition, ask).await;
            let Ok(Reply::Tallied(tally)) = answer.get().await else { continue };
            for (status, count) in tally.by_status {
                *all.by_status.entry(status).or_default() += count;
            }
            let oldest = [all.oldest_started_ms, tally.oldest_started_ms];
            all.oldest_started_ms = oldest.into_iter().flatten().min();
        }
        all
    }

    /// The ids that this broker coordinates.
    pub async fn list(&self, filter: &Filter) -> Result<Vec<Listed>, ErrorCode> {
        let mut answers = Vec::new();
        for partition in 0..i32::try_from(self.coordinator.partition_count()).unwrap_or(i32::MAX) {
            let request = Request::List(filter.clone());
            answers.push(
                self.coordinator.ask_partition(partition, |ticket| Command::Ask(ticket, request)).await,
            );
        }
        let mut listed = Vec::new();
        for answer in answers {
            match answer.get().await {
                Ok(Reply::Listed(of_one)) => listed.extend(of_one),
                Ok(other) => return Err(refusal(&other)),
                // Another broker leads that one, and is asked for it.
                Err(ErrorCode::NOT_COORDINATOR) => {}
                Err(code) => return Err(code),
            }
        }
        Ok(listed)
    }
}

/// The states of these names, and the names that are none's. Kafka has two more, in which no id is ever found.
pub fn statuses(names: &[Text]) -> (BTreeSet<Status>, Vec<Text>) {
    const NEVER: [&str; 2] = ["Dead", "PrepareEpochFence"];
    let unknown =
        names.iter().filter(|name| Status::from_name(name).is_none() && !NEVER.contains(&name.as_str()));
    (names.iter().filter_map(|name| Status::from_name(name)).collect(), unknown.cloned().collect())
}

fn done(reply: Reply) -> Result<(), ErrorCode> {
    match reply {
        Reply::Done => Ok(()),
        other => Err(refusal(&other)),
    }
}

/// The code of a reply that is none of those that were hoped for.
fn refusal(reply: &Reply) -> ErrorCode {
    match reply {
        Reply::Refused(code) => *code,
        other => {
            tracing::error!(?other, "a coordinator answers what was not asked");
            ErrorCode::UNKNOWN_SERVER_ERROR
        }
    }
}
