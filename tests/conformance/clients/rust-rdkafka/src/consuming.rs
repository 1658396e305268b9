//! Consuming from a place that was said.

use std::time::{Duration, Instant};

use rdkafka::Timestamp;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use serde_json::{Value, json};

use crate::{Answer, Driver, TIMEOUT, config, text};

impl Driver {
    pub(crate) fn consume(&mut self, request: &Value, topic: &str, partition: i32) -> Answer {
        let mut config = config(&self.broker);
        config
            .set("group.id", "never joined")
            .set("enable.auto.commit", "false")
            .set("auto.offset.reset", "error")
            .set("check.crcs", "true")
            .set("enable.partition.eof", request["then"].is_object().to_string())
            .set("isolation.level", request["isolation"].as_str().unwrap_or("read_uncommitted"));
        if request["narrow"] == true {
            config.set("fetch.message.max.bytes", "1");
        }
        let consumer: BaseConsumer = config.create()?;
        let from = &request["from"];
        let start = match (from.as_str(), from["offset"].as_i64(), from["time"].as_i64()) {
            (_, Some(offset), _) => Offset::Offset(offset),
            (_, _, Some(time_ms)) => Offset::Offset(time_ms),
            (Some("latest"), ..) => Offset::End,
            _ => Offset::Beginning,
        };
        let mut places = TopicPartitionList::new();
        places.add_partition_offset(topic, partition, start)?;
        if from["time"].is_i64() {
            places = consumer.offsets_for_times(places, TIMEOUT)?;
        }
        consumer.assign(&places)?;
        self.read(&consumer, request)
    }

    fn read(&mut self, consumer: &BaseConsumer, request: &Value) -> Answer {
        let count = request["count"].as_u64().unwrap_or(0);
        let (mut records, mut then, deadline) = (Vec::new(), request.get("then"), Instant::now() + TIMEOUT);
        while (records.len() as u64) < count && Instant::now() < deadline {
            match consumer.poll(Duration::from_millis(500)) {
                None => {}
                // It has come to the end, so that what comes now is new.
                Some(Err(KafkaError::PartitionEOF(_))) => {
                    if let Some(then) = then.take() {
                        self.producer(then)?.produce(then)?;
                    }
                }
                Some(message) => records.push(written(&message?)),
            }
        }
        Ok(json!({"records": records}))
    }
}

fn written(message: &BorrowedMessage<'_>) -> Value {
    let headers: Vec<Value> = message
        .headers()
        .into_iter()
        .flat_map(Headers::iter)
        .map(|each| json!([each.key, text::value(each.value)]))
        .collect();
    json!({
        "offset": message.offset(), "timestamp": Timestamp::to_millis(message.timestamp()), "headers": headers,
        "key": text::value(message.key()), "value": text::value(message.payload()),
    })
}
