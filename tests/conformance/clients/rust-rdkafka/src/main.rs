//! rust-rdkafka does what the story asks.

mod consuming;
mod producing;
mod text;

use std::collections::HashMap;
use std::error::Error;
use std::io::{BufRead, stdin};
use std::time::Duration;

use futures_executor::block_on;
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication, TopicResult};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use serde_json::{Value, json};

const TIMEOUT: Duration = Duration::from_secs(60);

type Answer = Result<Value, Box<dyn Error>>;

struct Driver {
    broker: String,
    admin: AdminClient<DefaultClientContext>,
    /// They are kept: they have to live through the broker's restarts.
    producers: HashMap<String, producing::Producer>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let broker = std::env::args().nth(1).ok_or("the broker's address is missing")?;
    let admin = config(&broker).create()?;
    let mut driver = Driver { broker, admin, producers: HashMap::new() };
    let hello = json!({
        "commands": ["create", "grow", "describe", "list", "delete", "offsets", "produce", "consume"],
        "compressions": ["none", "gzip", "snappy", "lz4", "zstd"], "acks": ["0", "1", "all"], "idempotent": true,
    });
    println!("{hello}");
    for line in stdin().lock().lines() {
        let answer = driver.answer(&serde_json::from_str(&line?)?);
        println!(
            "{}",
            answer
                .unwrap_or_else(|error| json!({"error": number(error.as_ref()), "text": error.to_string()}))
        );
    }
    Ok(())
}

fn config(broker: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", broker);
    config
}

/// Kafka's number of an error.
fn number(error: &(dyn Error + 'static)) -> i32 {
    let code = match error.downcast_ref::<KafkaError>() {
        Some(error) => error.rdkafka_error_code(),
        None => error.downcast_ref::<RDKafkaErrorCode>().copied(),
    };
    match code {
        // Told not to move a consumer whose offset is gone, librdkafka has a number of its own for that.
        Some(RDKafkaErrorCode::AutoOffsetReset) => RDKafkaErrorCode::OffsetOutOfRange as i32,
        Some(code) => code as i32,
        None => -1,
    }
}

fn done(results: Vec<TopicResult>) -> Answer {
    for result in results {
        result.map_err(|(_, code)| code)?;
    }
    Ok(json!({}))
}

impl Driver {
    fn answer(&mut self, request: &Value) -> Answer {
        let topic = text::of(request, "topic");
        let partition = i32::try_from(request["partition"].as_i64().unwrap_or(0))?;
        let partitions = request["partitions"].as_u64().unwrap_or(0);
        let options = AdminOptions::new();
        match text::of(request, "do") {
            "create" => self.create(request, topic, i32::try_from(partitions)?),
            "grow" => done(block_on(
                self.admin
                    .create_partitions(&[NewPartitions::new(topic, usize::try_from(partitions)?)], &options),
            )?),
            "describe" => self.describe(topic),
            "list" => {
                let metadata = self.admin.inner().fetch_metadata(None, TIMEOUT)?;
                Ok(json!({"topics": metadata.topics().iter().map(|each| each.name()).collect::<Vec<_>>()}))
            }
            "delete" => done(block_on(self.admin.delete_topics(&[topic], &options))?),
            "offsets" => {
                let consumer: BaseConsumer = config(&self.broker).create()?;
                let (earliest, latest) = consumer.fetch_watermarks(topic, partition, TIMEOUT)?;
                Ok(json!({"earliest": earliest, "latest": latest}))
            }
            "produce" => self.producer(request)?.produce(request),
            "consume" => self.consume(request, topic, partition),
            word => Err(format!("no such word: {word}").into()),
        }
    }

    fn create(&self, request: &Value, topic: &str, partitions: i32) -> Answer {
        let replicas = i32::try_from(request["replicas"].as_i64().unwrap_or(1))?;
        let mut created = NewTopic::new(topic, partitions, TopicReplication::Fixed(replicas));
        for (name, value) in request["settings"].as_object().into_iter().flatten() {
            created = created.set(name, value.as_str().unwrap_or_default());
        }
        done(block_on(self.admin.create_topics(&[created], &AdminOptions::new()))?)
    }

    fn describe(&self, topic: &str) -> Answer {
        let metadata = self.admin.inner().fetch_metadata(Some(topic), TIMEOUT)?;
        let found = metadata.topics().first().ok_or("no topic in the answer")?;
        if let Some(error) = found.error() {
            return Err(KafkaError::MetadataFetch(error.into()).into());
        }
        let partitions = found.partitions().iter().map(|each| {
            json!({"partition": each.id(), "leader": each.leader(), "replicas": each.replicas(), "isr": each.isr()})
        });
        Ok(json!({"partitions": partitions.collect::<Vec<_>>()}))
    }

    fn producer(&mut self, request: &Value) -> Result<&producing::Producer, Box<dyn Error>> {
        let key = format!("{} {} {}", request["compression"], request["acks"], request["idempotent"]);
        if !self.producers.contains_key(&key) {
            self.producers.insert(key.clone(), producing::Producer::new(&self.broker, request)?);
        }
        self.producers.get(&key).ok_or_else(|| "a producer that was just made".into())
    }
}
