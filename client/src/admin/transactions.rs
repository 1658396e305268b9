//! Transactions and producers: which there are, where they stand, and ending what hangs.

use std::collections::BTreeMap;

use strandline_protocol::apis::ApiKey;
use strandline_protocol::apis::describe_producers::{
    DescribeProducersRequest, DescribeProducersResponse, ProducerState, TopicRequest,
};
use strandline_protocol::apis::describe_transactions::{
    DescribeTransactionsRequest, DescribeTransactionsResponse, TransactionState,
};
use strandline_protocol::apis::init_producer_id::{InitProducerIdRequest, InitProducerIdResponse};
use strandline_protocol::apis::write_txn_markers::{
    WritableTxnMarker, WritableTxnMarkerTopic, WriteTxnMarkersRequest, WriteTxnMarkersResponse,
};

use super::leaders::{ByTopic, Wanted};
use super::{Admin, Each, EachPartition, TransactionFilter};
use crate::cluster::Coordinated;
use crate::error::{Error, Result};

/// A transactional id, as its coordinator lists it.
///
/// ```
/// assert_eq!(strandline_client::TransactionListing::default().producer_id, 0);
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct TransactionListing {
    /// The transactional id.
    pub id: String,
    /// Who writes under it.
    pub producer_id: i64,
    /// Where it stands, in Kafka's words: `Empty`, `Ongoing`, `PrepareCommit` and so on.
    pub state: String,
    /// The broker that coordinates it.
    pub coordinator: i32,
}

/// A transactional id, as its coordinator describes it.
///
/// ```
/// assert!(strandline_client::TransactionDescription::default().partitions.is_empty());
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct TransactionDescription {
    /// Where it stands, in Kafka's words.
    pub state: String,
    /// Who writes under it, and in which epoch.
    pub producer_id: i64,
    /// The epoch.
    pub producer_epoch: i16,
    /// How long a transaction may stay open, in milliseconds.
    pub timeout_ms: i32,
    /// When the one that is open began, in milliseconds since 1970.
    pub started: Option<i64>,
    /// What belongs to it.
    pub partitions: Vec<(String, i32)>,
}

/// A producer that a partition remembers.
///
/// ```
/// assert_eq!(strandline_client::ActiveProducer::default().transaction_start, None);
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct ActiveProducer {
    /// Who it is.
    pub producer_id: i64,
    /// Its epoch.
    pub producer_epoch: i32,
    /// The number of its last record.
    pub last_sequence: i32,
    /// When that was written, in milliseconds since 1970.
    pub last_timestamp: i64,
    /// The epoch of the coordinator that last ended a transaction of it.
    pub coordinator_epoch: i32,
    /// Where its open transaction begins in this partition.
    pub transaction_start: Option<i64>,
}

impl Admin {
    /// All transactional ids that brokers coordinate.
    ///
    /// ```
    /// # async fn example(admin: &strandline_client::Admin) -> Result<(), strandline_client::Error> {
    /// for transaction in admin.list_transactions().await? {
    ///     println!("{}: {}", transaction.id, transaction.state);
    /// }
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.client.admin()).await);
    /// ```
    pub async fn list_transactions(&self) -> Result<Vec<TransactionListing>> {
        self.list_transactions_of(&TransactionFilter::new()).await
    }

    /// The transactional ids of every broker that pass a filter. Brokers that are too old for it are an error.
    ///
    /// ```
    /// # async fn example(admin: &strandline_client::Admin) -> Result<(), strandline_client::Error> {
    /// use strandline_client::TransactionFilter;
    /// let open = admin.list_transactions_of(&TransactionFilter::new().state("Ongoing")).await?;
    /// println!("{} transactions are open", open.len());
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.client.admin()).await);
    /// ```
    pub async fn list_transactions_of(&self, filter: &TransactionFilter) -> Result<Vec<TransactionListing>> {
        let (request, versions) = filter.question();
        let metadata = self.client.refresh(&[]).await?;
        let mut found = BTreeMap::new();
        for broker in &metadata.brokers {
            let connection = self.client.broker(broker.id).await?;
            let response = connection.submit(&request, versions).await?.await?;
            let subject = || format!("the transactions of broker {}", broker.id);
            Error::check(response.error_code, subject, None)?;
            if let Some(unknown) = response.unknown_state_filters.first() {
                return Err(Error::Settings(format!("no transaction has the state {unknown}")));
            }
            for state in response.transaction_states {
                let id = String::from(state.transactional_id);
                let (producer_id, state) = (state.producer_id, state.transaction_state.into());
                let listing =
                    TransactionListing { id: id.clone(), producer_id, state, coordinator: broker.id };
                found.insert(id, listing);
            }
        }
        Ok(found.into_values().collect())
    }

    /// Where these transactional ids stand.
    ///
    /// ```
    /// # async fn example(admin: &strandline_client::Admin) -> Result<(), strandline_client::Error> {
    /// for (id, described) in admin.describe_transactions(&["payments-7"]).await {
    ///     println!("{id}: {}", described?.state);
    /// }
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| {
    /// #     stage.transactions().await?;
    /// #     example(&stage.client.admin()).await
    /// # });
    /// ```
    pub async fn describe_transactions(&self, ids: &[&str]) -> Each<TransactionDescription> {
        let mut results = Vec::new();
        for id in ids {
            results.push(((*id).to_owned(), self.describe_transaction(id).await));
        }
        results
    }

    async fn describe_transaction(&self, id: &str) -> Result<TransactionDescription> {
        let request =
            DescribeTransactionsRequest { transactional_ids: vec![id.into()], ..Default::default() };
        let question = (&request, ApiKey::DescribeTransactions.api().stable_versions());
        let code = |response: &DescribeTransactionsResponse| {
            response.transaction_states.first().map(|state| state.error_code)
        };
        let response = self.client.ask_coordinator(Coordinated::Transaction, id, question, code).await?;
        let subject = || format!("transactional id {id}");
        let state = response.transaction_states.into_iter().next();
        let state = state.ok_or_else(|| Error::Missing(subject()))?;
        Error::check(state.error_code, subject, None)?;
        Ok(described(state))
    }

    /// The producers that these partitions remember.
    ///
    /// ```
    /// # async fn example(admin: &strandline_client::Admin) -> Result<(), strandline_client::Error> {
    /// for (partition, producers) in admin.describe_producers(&[("orders", 0)]).await {
    ///     println!("{partition:?}: {:?}", producers?);
    /// }
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.client.admin()).await);
    /// ```
    pub async fn describe_producers(&self, partitions: &[(&str, i32)]) -> EachPartition<Vec<ActiveProducer>> {
        let wanted = |(topic, partition): &(&str, i32)| Wanted {
            topic: (*topic).to_owned(),
            partition: *partition,
            what: (),
        };
        let wanted: Vec<_> = partitions.iter().map(wanted).collect();
        let question = |topics: &ByTopic<'_, ()>| {
            let topic = |(name, wanted): (&&str, &Vec<&Wanted<()>>)| TopicRequest {
                name: (*name).into(),
                partition_indexes: wanted.iter().map(|wanted| wanted.partition).collect(),
                ..Default::default()
            };
            let topics = topics.iter().map(topic).collect();
            let versions = ApiKey::DescribeProducers.api().stable_versions();
            (DescribeProducersRequest { topics, ..Default::default() }, versions)
        };
        self.ask_leaders(&wanted, question, producers).await
    }

    /// Aborts what a producer left open in one partition, which nobody coordinates any more: it says so in the log
    /// itself. `producer` is one of [`Admin::describe_producers`].
    ///
    /// ```
    /// # async fn example(admin: &strandline_client::Admin) -> Result<(), strandline_client::Error> {
    /// for (_, producers) in admin.describe_producers(&[("orders", 0)]).await {
    ///     for hanging in producers?.iter().filter(|producer| producer.transaction_start.is_some()) {
    ///         admin.abort_hanging("orders", 0, hanging).await?;
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.client.admin()).await);
    /// ```
    pub async fn abort_hanging(&self, topic: &str, partition: i32, producer: &ActiveProducer) -> Result<()> {
        let wanted = Wanted { topic: topic.to_owned(), partition, what: () };
        let epoch = i16::try_from(producer.producer_epoch);
        let epoch = epoch.map_err(|_| Error::Settings("no producer has such an epoch".to_owned()))?;
        let question = |_: &ByTopic<'_, ()>| {
            let partition_indexes = vec![partition];
            let topic =
                WritableTxnMarkerTopic { name: topic.into(), partition_indexes, ..Default::default() };
            let marker = WritableTxnMarker {
                producer_id: producer.producer_id,
                producer_epoch: epoch,
                transaction_result: false,
                topics: vec![topic],
                coordinator_epoch: producer.coordinator_epoch.max(0),
                ..Default::default()
            };
            let request = WriteTxnMarkersRequest { markers: vec![marker], ..Default::default() };
            (request, ApiKey::WriteTxnMarkers.api().stable_versions())
        };
        let mut results = self.ask_leaders(&[wanted], question, marked).await;
        results
            .pop()
            .map_or_else(|| Err(Error::Missing(format!("{topic}-{partition}"))), |(_, result)| result)
    }

    /// Fences off whoever writes under this transactional id, and aborts what it left open.
    ///
    /// ```
    /// # async fn example(admin: &strandline_client::Admin) -> Result<(), strandline_client::Error> {
    /// admin.fence_producer("payments-7").await?;
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.client.admin()).await);
    /// ```
    pub async fn fence_producer(&self, id: &str) -> Result<()> {
        let request = InitProducerIdRequest {
            transactional_id: Some(id.into()),
            transaction_timeout_ms: self.timeout_ms(),
            ..Default::default()
        };
        let versions = ApiKey::InitProducerId.api().stable_versions();
        let code = |response: &InitProducerIdResponse| Some(response.error_code);
        let mut attempts = self.client.attempts();
        loop {
            let question = (&request, versions);
            let response = self.client.ask_coordinator(Coordinated::Transaction, id, question, code).await?;
            // What was open is being aborted, which takes a moment.
            match Error::check(response.error_code, || format!("transactional id {id}"), None) {
                Err(error) => attempts.after(error, &[]).await?,
                fenced => return fenced,
            }
        }
    }
}

fn described(state: TransactionState) -> TransactionDescription {
    let topics = state.topics.into_iter();
    let partitions = topics.flat_map(|topic| {
        let name = String::from(topic.topic);
        topic.partitions.into_iter().map(move |partition| (name.clone(), partition))
    });
    TransactionDescription {
        state: state.transaction_state.into(),
        producer_id: state.producer_id,
        producer_epoch: state.producer_epoch,
        timeout_ms: state.transaction_timeout_ms,
        started: Some(state.transaction_start_time_ms).filter(|time| *time >= 0),
        partitions: partitions.collect(),
    }
}

fn producers(response: DescribeProducersResponse) -> EachPartition<Vec<ActiveProducer>> {
    let mut results = Vec::new();
    for topic in response.topics {
        for partition in topic.partitions {
            let name = String::from(topic.name.clone());
            let subject = || format!("{name}-{}", partition.partition_index);
            let checked =
                Error::check(partition.error_code, subject, partition.error_message.map(String::from));
            let producers = partition.active_producers.iter().map(active).collect();
            results.push(((name, partition.partition_index), checked.map(|()| producers)));
        }
    }
    results
}

fn active(state: &ProducerState) -> ActiveProducer {
    ActiveProducer {
        producer_id: state.producer_id,
        producer_epoch: state.producer_epoch,
        last_sequence: state.last_sequence,
        last_timestamp: state.last_timestamp,
        coordinator_epoch: state.coordinator_epoch,
        transaction_start: Some(state.current_txn_start_offset).filter(|offset| *offset >= 0),
    }
}

fn marked(response: WriteTxnMarkersResponse) -> EachPartition<()> {
    let mut results = Vec::new();
    for topic in response.markers.into_iter().flat_map(|marker| marker.topics) {
        for partition in topic.partitions {
            let name = String::from(topic.name.clone());
            let subject = || format!("{name}-{}", partition.partition_index);
            let checked = Error::check(partition.error_code, subject, None);
            results.push(((name, partition.partition_index), checked));
        }
    }
    results
}
