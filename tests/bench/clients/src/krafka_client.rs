//! krafka, a client in pure Rust.

use std::collections::VecDeque;
use std::time::Duration;

use krafka::consumer::AutoOffsetReset;
use krafka::{Kafka, Record};
use serde_json::Value;

use crate::Failure;
use crate::measure::{self, BATCH_BYTES, Clock, GLANCE, LINGER_MS, MEMORY_BYTES, Pool, Reading, Work};
use crate::ours::runtime;

const UNACKNOWLEDGED_MAX: usize = 100_000;

async fn connect(work: &Work) -> Result<Kafka, Failure> {
    Ok(Kafka::builder(work.brokers.as_str()).connect().await?)
}

pub(crate) async fn produce(work: &Work) -> Result<Value, Failure> {
    let kafka = connect(work).await?;
    let builder = kafka.producer().linger(Duration::from_millis(LINGER_MS)).batch_size(BATCH_BYTES);
    let producer = builder.buffer_memory(MEMORY_BYTES).idempotent(true).build().await?;
    let pool = Pool::new(work.record_bytes);
    let mut deliveries = VecDeque::new();
    let clock = Clock::start();
    for number in 0..work.records {
        let partition = (number % work.partitions as u64) as i32;
        let value = pool.value(number, work.record_bytes).to_vec();
        let record = Record::new(work.topic.as_str(), value).partition(partition);
        deliveries.push_back(producer.enqueue(record).await?);
        if deliveries.len() > UNACKNOWLEDGED_MAX {
            let _ = deliveries.pop_front().ok_or("none")?.await?;
        }
    }
    producer.flush().await?;
    for delivery in deliveries {
        let _ = delivery.await?;
    }
    Ok(clock.stop(work.records, work.records * work.record_bytes as u64))
}

pub(crate) async fn consume(work: &Work) -> Result<Value, Failure> {
    let kafka = connect(work).await?;
    let builder = kafka
        .consumer(work.topic.as_str())
        .auto_offset_reset(AutoOffsetReset::Earliest)
        .max_poll_records(10_000);
    let consumer = builder.enable_auto_commit(false).max_partition_fetch_bytes(1 << 20).build().await?;
    let clock = Clock::start();
    consumer.subscribe([work.topic.as_str()]).await?;
    let (mut records, mut bytes) = (0, 0);
    while records < work.records {
        for record in consumer.poll(Duration::from_millis(100)).await? {
            records += 1;
            bytes += record.value.map_or(0, |value| value.len() as u64);
        }
    }
    Ok(clock.stop(records, bytes))
}

pub(crate) fn latency(work: &Work) -> Result<Value, Failure> {
    let runtime = runtime(1)?;
    let kafka = runtime.block_on(connect(work))?;
    let producer = runtime.block_on(kafka.producer().linger(Duration::ZERO).idempotent(true).build())?;
    let builder = kafka.consumer(work.topic.as_str()).enable_auto_commit(false);
    let consumer = runtime.block_on(builder.auto_offset_reset(AutoOffsetReset::Latest).build())?;
    runtime.block_on(consumer.subscribe([work.topic.as_str()]))?;
    let mut reading = Reading::of(work);
    let begun = reading.begun();
    let reader = runtime.spawn(async move {
        while !reading.is_over() {
            for record in consumer.poll(GLANCE).await? {
                reading.take(&record.value.unwrap_or_default());
            }
        }
        Ok::<_, krafka::KrafkaError>(reading)
    });
    let send = |partition, value| {
        let record = Record::new(work.topic.as_str(), value).partition(partition);
        runtime.block_on(producer.enqueue(record)).map(drop)
    };
    measure::warm_up(work, &begun, |partition, value| Ok(send(partition, value)?))?;
    let clock = Clock::start();
    measure::pace(work, |partition, value| drop(send(partition, value)));
    clock.stop_with(runtime.block_on(reader)??)
}
