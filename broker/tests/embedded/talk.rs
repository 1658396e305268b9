//! What a client does with an embedded broker, in code that waits and in code that does not.

use strandline_broker::embedded::EmbeddedBroker;
use strandline_client::{Client, ClientConfig, OffsetReset, ProducerRecord};
use tokio::runtime::Builder;

/// Runs what a test of a program without async code would not have.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

pub(crate) async fn connect(broker: &EmbeddedBroker) -> Client {
    Client::connect(ClientConfig::new(broker.bootstrap()).unwrap()).await.unwrap()
}

/// Writes a record, and says where it lies.
pub(crate) async fn write(client: &Client, topic: &str, value: &str) -> i64 {
    let producer = client.producer().start().unwrap();
    let delivery = producer.send(ProducerRecord::to(topic).value(value)).await.unwrap();
    let offset = delivery.await.unwrap().offset.unwrap();
    producer.close().await;
    offset
}

/// The first record of a topic with one partition.
pub(crate) async fn read(client: &Client, topic: &str) -> String {
    let mut consumer = client.consumer().offset_reset(OffsetReset::Earliest).start().unwrap();
    consumer.assign_topics(&[topic]).await.unwrap();
    let record = consumer.next().await.unwrap();
    String::from_utf8(record.value.unwrap().to_vec()).unwrap()
}
