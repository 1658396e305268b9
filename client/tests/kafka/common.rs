//! What the tests begin with.

use std::future::Future;
use std::time::Duration;

use strandline_client::{Client, ClientConfig, NewTopic, ProducerRecord};

/// Nothing that a test waits for takes so long, however loaded the machine is.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for what `what` says, and fails where it does not come.
pub(crate) async fn in_time<T>(what: &str, awaited: impl Future<Output = T>) -> T {
    let waited = tokio::time::timeout(PATIENCE, awaited).await;
    waited.unwrap_or_else(|_| panic!("waited {PATIENCE:?} in vain: {what}"))
}

pub(crate) async fn client() -> Client {
    let brokers = std::env::var("STRANDLINE_BROKERS").expect("STRANDLINE_BROKERS names the broker");
    let config = ClientConfig::new(&brokers).unwrap().client_id("a test");
    in_time("a client connects", Client::connect(config)).await.unwrap()
}

pub(crate) async fn topic(client: &Client, name: &str, partitions: i32) {
    create(client, NewTopic::new(name).partitions(partitions)).await;
}

pub(crate) async fn create(client: &Client, topic: NewTopic) {
    for (name, created) in client.admin().create_topics(&[topic]).await.unwrap() {
        created.unwrap();
        settle(client, &name).await;
    }
}

/// Waits until the topic can be used: with Kafka, brokers hear of it a moment after the answer.
pub(crate) async fn settle(client: &Client, name: &str) {
    in_time("each partition of a new topic has a leader", async {
        loop {
            let known = client.refresh(&[name]).await.unwrap();
            let topic = known.topics.get(name);
            if topic.is_some_and(|topic| topic.partitions.iter().all(|partition| partition.leader.is_some()))
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

/// Sends these numbers, each to the partition that it leaves as a remainder.
pub(crate) async fn send(client: &Client, topic: &str, partitions: i32, numbers: std::ops::Range<i32>) {
    let producer = client.producer().start().unwrap();
    for number in numbers {
        let value = number.to_string();
        let record = ProducerRecord::to(topic).partition(number % partitions).value(&value);
        drop(in_time("a producer takes a record", producer.send(record)).await.unwrap());
    }
    in_time("a producer has sent what it took", producer.close()).await;
}
