//! The stage for the examples in the documentation of `strandline-client`: each is played against a broker of its own,
//! in hidden lines behind what a reader sees, so that none of them only compiles.
//!
//! Owns the broker, what is on it, and the time that an example has. It expects nothing: the examples do.

use std::time::Duration;

use strandline_broker::embedded::EmbeddedBroker;
use strandline_client::{
    Client, ClientConfig, Connection, Consumer, GroupProtocol, OffsetReset, Producer, ProducerRecord, Result,
    TransactionalProducer,
};

/// Nothing in an example takes a tenth of it.
const TIME_MAX: Duration = Duration::from_secs(60);
/// How many records each partition of `orders` has.
const ORDERS: usize = 5;
const PARTITIONS: i32 = 2;

/// A broker with the topics of the examples, and a client of it.
#[derive(Debug)]
pub struct Stage {
    broker: EmbeddedBroker,
    /// Of the same broker.
    pub client: Client,
}

/// Plays an example. It fails where the example does, and where it does not end.
///
/// ```
/// strandline_client_stage::play(async |stage| {
///     assert!(!stage.client.admin().list_topics().await?.is_empty());
///     Ok(())
/// });
/// ```
pub fn play(example: impl AsyncFnOnce(Stage) -> Result<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let played = runtime.map_err(|error| error.to_string()).and_then(|runtime| {
        runtime.block_on(async {
            let stage = Stage::set().await?;
            let played = tokio::time::timeout(TIME_MAX, example(stage)).await;
            played
                .map_err(|_| format!("it has not ended after {TIME_MAX:?}"))?
                .map_err(|error| error.to_string())
        })
    });
    assert_eq!(played, Ok(()), "the example fails");
}

impl Stage {
    async fn set() -> std::result::Result<Self, String> {
        let broker = strandline_broker::embedded()
            .topic("orders", PARTITIONS)
            .topic("customers", 1)
            .topic("invoices", 1)
            .topic("debits", 1)
            .topic("credits", 1);
        let broker = broker.start().map_err(|error| error.to_string())?;
        let client = ClientConfig::new(broker.bootstrap()).map(Client::connect);
        let client = client.map_err(|error| error.to_string())?.await.map_err(|error| error.to_string())?;
        Ok(Self { broker, client })
    }

    /// What a client is told to find the broker.
    pub fn brokers(&self) -> &str {
        self.broker.bootstrap()
    }

    /// Puts some records into `orders`.
    pub async fn orders(&self) -> Result<()> {
        let producer = self.client.producer().start()?;
        for number in 0..ORDERS {
            for partition in 0..PARTITIONS {
                let value = format!("{number} anchors");
                let record =
                    ProducerRecord::to("orders").partition(partition).key("customer-7").value(&value);
                producer.send(record.header("trace", "7")).await?.await?;
            }
        }
        producer.close().await;
        Ok(())
    }

    /// A consumer that reads `orders` from the start.
    pub async fn consumer(&self) -> Result<Consumer> {
        self.orders().await?;
        let mut consumer = self.client.consumer().offset_reset(OffsetReset::Earliest).start()?;
        consumer.assign_topics(&["orders"]).await?;
        Ok(consumer)
    }

    /// A consumer of the group `billing`, which commits only when it is told to, and reads nothing yet.
    pub fn idle_member(&self) -> Result<Consumer> {
        let builder = self.client.consumer().group("billing").group_protocol(GroupProtocol::Consumer);
        builder.auto_commit(None).offset_reset(OffsetReset::Earliest).start()
    }

    /// The group `billing`, without members, which has read some of `orders`.
    pub async fn group(&self) -> Result<()> {
        let mut member = self.member().await?;
        member.commit().await?;
        member.close().await
    }

    /// A member of the group `billing` that has a name of its own, and speaks the classic protocol.
    pub async fn member_of_name(&self, name: &str) -> Result<Consumer> {
        self.orders().await?;
        let builder = self.client.consumer().group("billing").group_instance(name).auto_commit(None);
        let mut member = builder.offset_reset(OffsetReset::Earliest).start()?;
        member.subscribe(&["orders"])?;
        member.next().await?;
        Ok(member)
    }

    /// A member of the group `billing` that has read one of `orders`.
    pub async fn member(&self) -> Result<Consumer> {
        self.orders().await?;
        let mut member = self.idle_member()?;
        member.subscribe(&["orders"])?;
        member.next().await?;
        Ok(member)
    }

    /// A producer.
    pub fn producer(&self) -> Result<Producer> {
        self.client.producer().start()
    }

    /// A producer of transactions, of the id `payments-7`.
    pub async fn transactions(&self) -> Result<TransactionalProducer> {
        self.client.producer().transactional_id("payments-7").start_transactional().await
    }

    /// A connection to the broker.
    pub async fn connection(&self) -> Result<Connection> {
        self.client.any_broker().await
    }
}
