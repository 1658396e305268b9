//! A client of Kafka brokers: ours, and any other since Kafka 2.4.
//!
//! Owns connections, what is known of the cluster, producing, consuming and administration. It never uses a crate of
//! the broker's, keeps no thread of its own, and starts tasks only on the Tokio runtime that it is called from.
//!
//! # From the outside in
//!
//! A [`Client`] knows a cluster: it finds a broker among the addresses that it was given, learns of the others,
//! and keeps one [`Connection`] to each that is asked something. From it come a [`Producer`] or a [`TransactionalProducer`],
//! a [`Consumer`], and [`Admin`], which is what one can ask for by name.
//!
//! A [`Connection`] carries any request of [`strandline_protocol`]: in the highest version that both sides know,
//! many at a time, each with a deadline.
//!
//! Every failure is an [`Error`], which says whether the same may succeed later ([`Error::is_retriable`]), and
//! whether it may have been carried out ([`Error::is_in_doubt`]).
//!
//! # Producing
//!
//! ```
//! use strandline_client::{Client, ClientConfig, ProducerRecord};
//!
//! # async fn example(brokers: &str) -> Result<(), strandline_client::Error> {
//! let client = Client::connect(ClientConfig::new(brokers)?).await?;
//! let producer = client.producer().start()?;
//! let delivery = producer.send(ProducerRecord::to("orders").key("customer-7").value("4 anchors")).await?;
//! println!("at offset {:?}", delivery.await?.offset);
//! producer.close().await;
//! # Ok(())
//! # }
//! # strandline_client_stage::play(async |stage| example(stage.brokers()).await);
//! ```
//!
//! # Consuming
//!
//! ```
//! use strandline_client::{Client, ClientConfig, OffsetReset};
//!
//! # async fn example(brokers: &str) -> Result<(), strandline_client::Error> {
//! let client = Client::connect(ClientConfig::new(brokers)?).await?;
//! let mut consumer = client.consumer().offset_reset(OffsetReset::Earliest).start()?;
//! consumer.assign_topics(&["orders"]).await?;
//! loop {
//!     let record = consumer.next().await?;
//!     println!("{} at {}: {:?}", record.partition, record.offset, record.value);
//! #   if record.offset == 4 { break }
//! }
//! # Ok(())
//! # }
//! # strandline_client_stage::play(async |stage| { stage.orders().await?; example(stage.brokers()).await });
//! ```
//!
//! As a member of a group, with `consumer().group("billing")` and [`Consumer::subscribe`]: the group gives each member
//! some of the partitions, and what has been processed is committed.
//!
//! # Transactions
//!
//! ```
//! use strandline_client::{Client, ClientConfig, Isolation, OffsetReset, ProducerRecord};
//!
//! # async fn example(brokers: &str) -> Result<(), strandline_client::Error> {
//! let client = Client::connect(ClientConfig::new(brokers)?).await?;
//! let mut producer = client.producer().transactional_id("invoices-1").start_transactional().await?;
//! let builder = client.consumer().group("invoices").auto_commit(None).isolation(Isolation::ReadCommitted);
//! let mut orders = builder.offset_reset(OffsetReset::Earliest).start()?;
//! orders.subscribe(&["orders"])?;
//! loop {
//!     let read = orders.poll(500).await?;
//!     let transaction = producer.begin().await?;
//!     for order in &read {
//!         let value = order.value.as_deref().unwrap_or_default();
//!         transaction.send(ProducerRecord::to("invoices").value(value)).await?;
//!     }
//!     transaction.send_offsets(&orders.take_offsets()?).await?;
//!     transaction.commit().await?;
//! #   if read.len() > 1 { break }
//! }
//! # Ok(())
//! # }
//! # strandline_client_stage::play(async |stage| { stage.orders().await?; example(stage.brokers()).await });
//! ```
//!
//! A [`Transaction`] that is dropped is aborted, so that none stays open by mistake; [`Consumer::seek_to_committed`] goes
//! back to what was read before it.
//!
//! # Administration
//!
//! ```
//! use strandline_client::{Client, ClientConfig, NewTopic};
//!
//! # async fn example(brokers: &str) -> Result<(), strandline_client::Error> {
//! let client = Client::connect(ClientConfig::new(brokers)?).await?;
//! for (name, result) in client.admin().create_topics(&[NewTopic::new("payments").partitions(12)]).await? {
//!     println!("{name}: {:?}", result?);
//! }
//! # Ok(())
//! # }
//! # strandline_client_stage::play(async |stage| example(stage.brokers()).await);
//! ```
//!
//! # What it is built of
//!
//! Rust alone: nothing compiles or links C. zstd is written about as densely as libzstd's lowest level does it, whatever level is
//! asked for; the feature `zstd-c` takes libzstd, which is faster and has all levels. A program that has a broker embedded for its
//! tests has the feature in them.
//!
//! # Watching
//!
//! Connections, batches, groups and transactions tell of themselves through [`tracing`], and count what they do through
//! [`metrics`]; a program that installs neither a subscriber nor a recorder pays next to nothing for it.
//!
//! | number | what |
//! | --- | --- |
//! | `strandline_client_connections_total` | connections that were opened or could not be, by `outcome` |
//! | `strandline_client_request_seconds` | from a request to its answer, by `api` |
//! | `strandline_client_throttle_seconds` | how long brokers wanted to be left alone |
//! | `strandline_client_batches_sent_total` | batches that left producers |
//! | `strandline_client_records_sent_total` | the records in them |
//! | `strandline_client_bytes_sent_total` | and their bytes, before compression |
//! | `strandline_client_batches_retried_total` | batches that were sent again |
//! | `strandline_client_batches_failed_total` | batches that were given up |
//! | `strandline_client_bytes_fetched_total` | what consumers got, as it was stored |
//! | `strandline_client_consumer_held_bytes` | what a consumer has fetched and not handed out, or has asked for |
//! | `strandline_client_kept_buffer_bytes` | memory of answers that a client keeps for the next ones |
//! | `strandline_client_rebalances_total` | changes of what a member of a group has |
//! | `strandline_client_transactions_total` | transactions that ended, by `outcome` |
//!
//! # What may be dropped
//!
//! Every future here may be dropped at any time. A request that had been handed to its connection is sent all the
//! same, and its answer is taken off the wire and thrown away: whatever else is in flight is not disturbed. What that
//! means for records, [`Producer`] and [`Consumer`] say.

mod address;
mod admin;
mod backoff;
mod cluster;
mod config;
mod connection;
mod consumer;
mod errands;
mod error;
mod producer;
mod telemetry;

pub use address::BrokerAddress;
pub use admin::{
    ActiveProducer, Admin, ClusterDescription, CommittedOffset, ConfigChange, ConfigEntry, ConfigResource,
    ConfigSource, ConsumerGroupDescription, ConsumerGroupMember, CreatedTopic, DeleteRecords, Each,
    EachPartition, Election, Feature, FeatureChange, GroupDescription, GroupFilter, GroupListing,
    GroupMember, Isolation, ListOffsets, LogDir, LogDirReplica, NewTopic, OffsetAt, PartitionOffset,
    QuorumDescription, QuorumReplica, Reassignment, TopicSetting, TransactionDescription, TransactionFilter,
    TransactionListing,
};
pub use backoff::Backoff;
pub use cluster::{BrokerInfo, Client, ClusterMetadata, PartitionInfo, TopicInfo};
pub use config::ClientConfig;
pub use connection::{Answer, BrokerVersions, Connecting, Connection, Transport, TransportStream};
pub use consumer::{
    Assignor, Consumer, ConsumerBuilder, ConsumerHeader, ConsumerRecord, ConsumerStream, GroupOffsets,
    GroupProtocol, OffsetReset, RebalanceListener, SeekTo,
};
pub use error::{CloseReason, Error, Result};
pub use producer::{
    Acks, Delivered, Delivery, Partitioner, Producer, ProducerBuilder, ProducerRecord, Transaction,
    TransactionalProducer, partition_of_key,
};
pub use strandline_protocol::Compression;
pub use strandline_protocol::batch::TimestampType;

#[cfg(test)]
mod tests;
