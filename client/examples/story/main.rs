//! The library does what the story of `tests/conformance/clients` asks: one line of JSON in, one out.

mod consuming;
mod producing;
mod text;

use std::collections::HashMap;
use std::io::{BufRead, Write, stdin, stdout};

use serde_json::{Value, json};
use strandline_client::{
    Client, ClientConfig, DeleteRecords, EachPartition, Error, ListOffsets, NewTopic, OffsetAt,
    PartitionOffset, Producer,
};
use strandline_protocol::ErrorCode;

/// What went wrong, as the story has it: Kafka's number, and words.
pub(crate) struct Wrong(i32, String);

impl From<Error> for Wrong {
    fn from(error: Error) -> Self {
        Self(number(&error), error.to_string())
    }
}

pub(crate) type Answer = Result<Value, Wrong>;

pub(crate) fn wrong(text: &str) -> Wrong {
    Wrong(-1, text.to_owned())
}

/// Kafka's number of an error. What the library itself refuses has the number that Kafka's own client has for it.
fn number(error: &Error) -> i32 {
    match error {
        Error::Broker { code, .. } => i32::from(code.0),
        Error::NoPartition { .. } => i32::from(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION.0),
        Error::DeliveryTimeout { last: Some(last), .. } => number(last),
        _ => -1,
    }
}

struct Driver {
    client: Client,
    /// They are kept: they have to live through the broker's restarts.
    producers: HashMap<String, Producer>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let broker = std::env::args().nth(1).ok_or("the broker's address is missing")?;
    let client = Client::connect(ClientConfig::new(&broker)?).await?;
    let mut driver = Driver { client, producers: HashMap::new() };
    let hello = json!({
        "commands": ["create", "grow", "describe", "list", "delete", "delete_records", "offsets", "produce", "consume"],
        "compressions": ["none", "gzip", "snappy", "lz4", "zstd"], "acks": ["0", "1", "all"], "idempotent": true,
    });
    writeln!(stdout(), "{hello}")?;
    for line in stdin().lock().lines() {
        let answer = driver.answer(&serde_json::from_str(&line?)?).await;
        let answer = answer.unwrap_or_else(|Wrong(number, text)| json!({"error": number, "text": text}));
        writeln!(stdout(), "{answer}")?;
    }
    for (_, producer) in driver.producers {
        producer.close().await;
    }
    Ok(())
}

/// The result for the one thing that was asked for.
fn only<K, T>(results: Vec<(K, Result<T, Error>)>) -> Result<T, Wrong> {
    Ok(results.into_iter().next().ok_or_else(|| wrong("nothing in the answer"))?.1?)
}

impl Driver {
    async fn answer(&mut self, request: &Value) -> Answer {
        let topic = text::of(request, "topic");
        let admin = self.client.admin();
        let small = |name: &str, default: i64| request[name].as_i64().unwrap_or(default);
        let partition = i32::try_from(small("partition", 0)).map_err(|_| wrong("no partition"))?;
        let partitions = i32::try_from(small("partitions", -1)).map_err(|_| wrong("no number"))?;
        match text::of(request, "do") {
            "create" => {
                let replicas = i16::try_from(small("replicas", 1)).map_err(|_| wrong("no number"))?;
                let mut new = NewTopic::new(topic).partitions(partitions).replication_factor(replicas);
                for (name, value) in request["settings"].as_object().into_iter().flatten() {
                    new = new.setting(name, value.as_str().unwrap_or_default());
                }
                only(admin.create_topics(&[new]).await?).map(|_| json!({}))
            }
            "grow" => {
                admin.create_partitions(topic, partitions).await.map(|()| json!({})).map_err(Wrong::from)
            }
            "describe" => self.describe(topic).await,
            "list" => {
                let topics = admin.list_topics().await?;
                Ok(json!({"topics": topics.iter().map(|topic| &topic.name).collect::<Vec<_>>()}))
            }
            "delete" => only(admin.delete_topics(&[topic]).await?).map(|()| json!({})),
            "delete_records" => {
                let before = DeleteRecords::new().before(topic, partition, small("offset", 0));
                only(admin.delete_records(&before).await).map(|_| json!({}))
            }
            "offsets" => {
                let earliest = self.offset(topic, partition, OffsetAt::Earliest).await?.offset;
                let latest = self.offset(topic, partition, OffsetAt::Latest).await?.offset;
                Ok(json!({"earliest": earliest, "latest": latest}))
            }
            "produce" => producing::produce(self.producer(request)?, request).await,
            "consume" => self.consume(request, topic, partition).await,
            word => Err(wrong(&format!("no such word: {word}"))),
        }
    }

    async fn offset(&self, topic: &str, partition: i32, at: OffsetAt) -> Result<PartitionOffset, Wrong> {
        let question = ListOffsets::new().of(topic, partition, at);
        let found: EachPartition<PartitionOffset> = self.client.admin().list_offsets(&question).await;
        only(found)
    }

    async fn describe(&self, topic: &str) -> Answer {
        let found = only(self.client.admin().describe_topics(&[topic]).await?)?;
        let partitions = found.partitions.iter().map(|each| {
            json!({"partition": each.partition, "leader": each.leader, "replicas": each.replicas, "isr": each.in_sync})
        });
        Ok(json!({"partitions": partitions.collect::<Vec<_>>()}))
    }

    pub(crate) fn producer(&mut self, request: &Value) -> Result<&Producer, Wrong> {
        let key = format!("{} {} {}", request["compression"], request["acks"], request["idempotent"]);
        let new = producing::new(&self.client, request)?;
        Ok(self.producers.entry(key).or_insert(new))
    }
}
