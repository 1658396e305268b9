//! librdkafka by its binding for Rust, in its cheapest way: callbacks, no futures.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rdkafka::config::{ClientConfig, FromClientConfigAndContext};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext};
use rdkafka::{ClientContext, Message, Offset, TopicPartitionList};
use serde_json::Value;

use crate::Failure;
use crate::measure::{self, BATCH_BYTES, Clock, GLANCE, LINGER_MS, MEMORY_BYTES, Pool, Reading, Work};

#[derive(Clone, Default)]
struct Counts {
    delivered: Arc<AtomicU64>,
    failed: Arc<AtomicU64>,
}

impl ClientContext for Counts {}

impl ProducerContext for Counts {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): Self::DeliveryOpaque) {
        let count = if result.is_ok() { &self.delivered } else { &self.failed };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

fn producer(work: &Work, linger_ms: u64, counts: Counts) -> Result<BaseProducer<Counts>, Failure> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &work.brokers).set("enable.idempotence", "true");
    config.set("linger.ms", linger_ms.to_string()).set("batch.size", BATCH_BYTES.to_string());
    config.set("queue.buffering.max.kbytes", (MEMORY_BYTES >> 10).to_string());
    config.set("queue.buffering.max.messages", "1000000");
    Ok(BaseProducer::from_config_and_context(&config, counts)?)
}

fn send(producer: &BaseProducer<Counts>, topic: &str, partition: i32, value: &[u8]) -> Result<(), Failure> {
    let mut record = BaseRecord::<(), [u8]>::to(topic).partition(partition).payload(value);
    loop {
        match producer.send(record) {
            Ok(()) => return Ok(()),
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), again)) => {
                producer.poll(Duration::from_millis(10));
                record = again;
            }
            Err((error, _)) => return Err(error.into()),
        }
    }
}

pub(crate) fn produce(work: &Work) -> Result<Value, Failure> {
    let counts = Counts::default();
    let producer = producer(work, LINGER_MS, counts.clone())?;
    let pool = Pool::new(work.record_bytes);
    // It connects and learns where everything is, as the others do when they are made.
    producer.client().fetch_metadata(Some(&work.topic), Duration::from_secs(10))?;
    let clock = Clock::start();
    for number in 0..work.records {
        let partition = (number % work.partitions as u64) as i32;
        send(&producer, &work.topic, partition, pool.value(number, work.record_bytes))?;
        if number % 256 == 0 {
            producer.poll(Duration::ZERO);
        }
    }
    producer.flush(Duration::from_secs(120))?;
    if counts.delivered.load(Ordering::Relaxed) != work.records {
        return Err(format!("{} were not delivered", counts.failed.load(Ordering::Relaxed)).into());
    }
    Ok(clock.stop(work.records, work.records * work.record_bytes as u64))
}

fn consumer(work: &Work, from: Offset, checks: bool) -> Result<(BaseConsumer, TopicPartitionList), Failure> {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", &work.brokers)
        .set("group.id", "librdkafka")
        .set("enable.auto.commit", "false");
    config.set("queued.max.messages.kbytes", (MEMORY_BYTES >> 10).to_string());
    config.set("max.partition.fetch.bytes", (1 << 20).to_string());
    config.set("check.crcs", checks.to_string());
    let consumer: BaseConsumer = config.create()?;
    consumer.client().fetch_metadata(Some(&work.topic), Duration::from_secs(10))?;
    let mut list = TopicPartitionList::new();
    for partition in 0..work.partitions {
        list.add_partition_offset(&work.topic, partition, from)?;
    }
    Ok((consumer, list))
}

pub(crate) fn consume(work: &Work, checks: bool) -> Result<Value, Failure> {
    let (consumer, list) = consumer(work, Offset::Beginning, checks)?;
    let clock = Clock::start();
    consumer.assign(&list)?;
    let (mut records, mut bytes) = (0, 0);
    while records < work.records {
        if let Some(message) = consumer.poll(Duration::from_millis(100)) {
            records += 1;
            bytes += message?.payload().map_or(0, |value| value.len() as u64);
        }
    }
    Ok(clock.stop(records, bytes))
}

pub(crate) fn latency(work: &Work) -> Result<Value, Failure> {
    let producer = producer(work, 0, Counts::default())?;
    let (consumer, list) = consumer(work, Offset::End, false)?;
    consumer.assign(&list)?;
    let mut reading = Reading::of(work);
    let begun = reading.begun();
    let reader = std::thread::spawn(move || {
        while !reading.is_over() {
            if let Some(Ok(message)) = consumer.poll(GLANCE) {
                reading.take(message.payload().unwrap_or_default());
            }
        }
        reading
    });
    let send = |partition, value: &[u8]| {
        let sent = send(&producer, &work.topic, partition, value);
        producer.poll(Duration::ZERO);
        sent
    };
    measure::warm_up(work, &begun, |partition, value| send(partition, &value))?;
    let clock = Clock::start();
    measure::pace(work, |partition, value| drop(send(partition, &value)));
    producer.flush(Duration::from_secs(30))?;
    clock.stop_with(reader.join().map_err(|_| "the reader failed")?)
}
