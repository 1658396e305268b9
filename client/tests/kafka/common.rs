//! What the tests begin with.

use strandline_client::{Client, ClientConfig, NewTopic, ProducerRecord};

pub(crate) async fn client() -> Client {
    let brokers = std::env::var("STRANDLINE_BROKERS").expect("STRANDLINE_BROKERS names the broker");
    Client::connect(ClientConfig::new(&brokers).unwrap().client_id("a test")).await.unwrap()
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
    loop {
        let known = client.refresh(&[name]).await.unwrap();
        let topic = known.topics.get(name);
        if topic.is_some_and(|topic| topic.partitions.iter().all(|partition| partition.leader.is_some())) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// Sends these numbers, each to the partition that it leaves as a remainder.
pub(crate) async fn send(client: &Client, topic: &str, partitions: i32, numbers: std::ops::Range<i32>) {
    let producer = client.producer().start().unwrap();
    for number in numbers {
        let value = number.to_string();
        let record = ProducerRecord::to(topic).partition(number % partitions).value(&value);
        drop(producer.send(record).await.unwrap());
    }
    producer.close().await;
}
