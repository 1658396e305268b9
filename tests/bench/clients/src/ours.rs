//! Our own library.

use std::collections::VecDeque;
use std::future::Future;
use std::time::Duration;

use serde_json::Value;
use strandline_client::{Client, ClientConfig, OffsetReset, ProducerRecord};
use tokio::runtime::Runtime;

use crate::Failure;
use crate::measure::{self, BATCH_BYTES, Clock, GLANCE, LINGER_MS, MEMORY_BYTES, Pool, Reading, Work};

const UNACKNOWLEDGED_MAX: usize = 100_000;

pub(crate) fn run(work: impl Future<Output = Result<Value, Failure>>) -> Result<Value, Failure> {
    runtime(2)?.block_on(work)
}

pub(crate) fn runtime(workers: usize) -> Result<Runtime, Failure> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build()?)
}

pub(crate) async fn produce(work: &Work) -> Result<Value, Failure> {
    let client = Client::connect(ClientConfig::new(&work.brokers)?).await?;
    let builder = client.producer().linger(Duration::from_millis(LINGER_MS)).batch_bytes(BATCH_BYTES);
    let producer = builder.memory_bytes_max(MEMORY_BYTES).start()?;
    let pool = Pool::new(work.record_bytes);
    let mut deliveries = VecDeque::new();
    let clock = Clock::start();
    for number in 0..work.records {
        let partition = (number % work.partitions as u64) as i32;
        let value = pool.value(number, work.record_bytes);
        let record = ProducerRecord::to(&work.topic).partition(partition).value(value);
        deliveries.push_back(producer.send(record).await?);
        if deliveries.len() > UNACKNOWLEDGED_MAX {
            deliveries.pop_front().ok_or("none")?.await?;
        }
    }
    producer.flush().await;
    for delivery in deliveries {
        delivery.await?;
    }
    Ok(clock.stop(work.records, work.records * work.record_bytes as u64))
}

pub(crate) async fn consume(work: &Work, checks: bool) -> Result<Value, Failure> {
    let client = Client::connect(ClientConfig::new(&work.brokers)?).await?;
    let builder = client.consumer().offset_reset(OffsetReset::Earliest).partition_bytes(1 << 20);
    let mut consumer = builder.memory_bytes(MEMORY_BYTES).check_crcs(checks).start()?;
    let clock = Clock::start();
    consumer.assign_topics(&[&work.topic]).await?;
    let (mut records, mut bytes) = (0, 0);
    while records < work.records {
        for record in consumer.poll(10_000).await? {
            records += 1;
            bytes += record.value.map_or(0, |value| value.len() as u64);
        }
    }
    Ok(clock.stop(records, bytes))
}

pub(crate) fn latency(work: &Work) -> Result<Value, Failure> {
    // Records that come one by one find one worker awake; with two, whoever has one wakes the other up.
    let runtime = runtime(1)?;
    let client = runtime.block_on(Client::connect(ClientConfig::new(&work.brokers)?))?;
    let _inside = runtime.enter();
    let producer = client.producer().linger(Duration::ZERO).start()?;
    let mut consumer = client.consumer().start()?;
    runtime.block_on(consumer.assign_topics(&[&work.topic]))?;
    let mut reading = Reading::of(work);
    let begun = reading.begun();
    let reader = runtime.spawn(async move {
        while !reading.is_over() {
            if let Ok(record) = tokio::time::timeout(GLANCE, consumer.next()).await {
                reading.take(&record?.value.unwrap_or_default());
            }
        }
        Ok::<_, strandline_client::Error>(reading)
    });
    let send = |partition, value: &[u8]| {
        let record = ProducerRecord::to(&work.topic).partition(partition).value(value);
        runtime.block_on(producer.send(record)).map(drop)
    };
    measure::warm_up(work, &begun, |partition, value| Ok(send(partition, &value)?))?;
    let clock = Clock::start();
    // What cannot be sent is missed by the reader, here as of the others.
    measure::pace(work, |partition, value| drop(send(partition, &value)));
    clock.stop_with(runtime.block_on(reader)??)
}
