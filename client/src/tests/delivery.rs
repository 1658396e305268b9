//! Producers and consumers against a cluster in which things go wrong.

use std::collections::HashMap;
use std::pin::Pin;
use std::time::Duration;

use futures_core::Stream;

use super::in_time;
use super::troubled::{Cluster, TOPIC};
use crate::{Client, Compression, Error, OffsetReset, ProducerRecord, SeekTo};

fn value(number: u32) -> Vec<u8> {
    let mut value = number.to_be_bytes().to_vec();
    value.resize(4 + usize::try_from(number % 50).unwrap(), 7);
    value
}

fn number(value: &[u8]) -> u32 {
    u32::from_be_bytes(value[..4].try_into().unwrap())
}

/// Sends `records` records by several tasks, each with keys of its own, and waits for all of them.
async fn produce(client: &Client, compression: Compression, records: u32) {
    let builder = client.producer().compression(compression).batch_bytes(600).memory_bytes_max(20_000);
    let producer = builder.linger(Duration::from_millis(1)).start().unwrap();
    let mut tasks = Vec::new();
    for sender in 0..3u32 {
        let producer = producer.clone();
        tasks.push(tokio::spawn(async move {
            let (mut deliveries, key) = (Vec::new(), sender.to_string());
            for number in 0..records / 3 {
                let value = value(number);
                let record = ProducerRecord::to(TOPIC).key(&key).value(&value);
                deliveries.push(producer.send(record).await.unwrap());
                assert!(producer.bytes_on_their_way() <= 20_000);
            }
            for delivery in deliveries {
                delivery.await.unwrap();
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    producer.close().await;
}

/// What was read of each key, in order.
async fn consume(client: &Client, records: u32) -> HashMap<Vec<u8>, Vec<u32>> {
    let builder = client.consumer().offset_reset(OffsetReset::Earliest);
    let mut consumer =
        builder.partition_bytes(2_000).fetch_bytes(5_000).memory_bytes(20_000).start().unwrap();
    in_time("a topic is assigned", async { while consumer.assign_topics(&[TOPIC]).await.is_err() {} }).await;
    let mut read: HashMap<Vec<u8>, Vec<u32>> = HashMap::new();
    for _ in 0..records {
        let record = in_time("a consumer reads the next record", consumer.next()).await.unwrap();
        assert!(consumer.bytes_held() <= 20_000);
        read.entry(record.key.unwrap().to_vec()).or_default().push(number(&record.value.unwrap()));
    }
    assert!(tokio::time::timeout(Duration::from_millis(30), consumer.next()).await.is_err(), "nothing twice");
    read
}

#[tokio::test]
async fn what_goes_in_comes_out_once_and_in_order_whatever_fails() {
    for (seed, compression) in (0..).zip(Compression::ALL) {
        let cluster = Cluster::start(3, 4, 25, seed).await;
        let client = cluster.client().await;
        let records = 900;
        let ((), read) = tokio::join!(produce(&client, compression, records), consume(&client, records));
        cluster.was_troubled();
        assert_eq!(read.len(), 3);
        for (key, numbers) in read {
            assert_eq!(numbers, (0..records / 3).collect::<Vec<_>>(), "key {key:?}, {compression:?}");
        }
    }
}

#[tokio::test]
async fn a_cancelled_send_has_taken_nothing() {
    let cluster = Cluster::start(1, 1, 0, 1).await;
    let client = cluster.client().await;
    // Nothing leaves for a while, so that there is no room.
    let builder = client.producer().memory_bytes_max(300).request_bytes_max(300);
    let producer = builder.linger(Duration::from_secs(60)).start().unwrap();
    let mut taken = 0;
    for round in 0u32..50 {
        let value = round.to_be_bytes();
        let send = producer.send(ProducerRecord::to(TOPIC).value(&value));
        if let Ok(sent) = tokio::time::timeout(Duration::from_micros(u64::from(round) * 20), send).await {
            let _dropped_and_sent_all_the_same = sent.unwrap();
            taken += 1;
        }
    }
    producer.flush().await;
    assert_eq!(producer.bytes_on_their_way(), 0);
    assert_eq!(cluster.values(0).len(), taken);
    let too_large = producer.send(ProducerRecord::to(TOPIC).value(&[0; 400])).await;
    assert!(matches!(too_large, Err(Error::RecordTooLarge { bytes_max: 300, .. })));
}

#[tokio::test]
async fn a_cluster_that_is_gone_is_an_error_after_the_time_that_was_given() {
    let cluster = Cluster::start(1, 1, 0, 1).await;
    let client = cluster.client().await;
    let producer = client.producer().delivery_timeout(Duration::from_secs(5)).start().unwrap();
    producer.send(ProducerRecord::to(TOPIC).value("first")).await.unwrap().await.unwrap();
    // From now on it hangs up on everyone.
    cluster.inner().trouble = 1;
    let lost = producer.send(ProducerRecord::to(TOPIC).value("second")).await.unwrap().await;
    assert!(matches!(lost, Err(Error::DeliveryTimeout { .. })), "{lost:?}");
    producer.close().await;
}

#[tokio::test]
async fn a_closed_producer_takes_nothing_and_a_dropped_one_sends_what_it_has() {
    let cluster = Cluster::start(1, 1, 0, 1).await;
    let client = cluster.client().await;
    let producer = client.producer().start().unwrap();
    let other = producer.clone();
    producer.close().await;
    let refused = other.send(ProducerRecord::to(TOPIC).value("late")).await;
    assert!(matches!(refused, Err(Error::Ended)), "{refused:?}");
    let producer = client.producer().linger(Duration::from_millis(5)).start().unwrap();
    let delivery = producer.send(ProducerRecord::to(TOPIC).value("early")).await.unwrap();
    drop(producer);
    assert_eq!(delivery.await.unwrap().offset, Some(0));
}

/// Whoever waits for the next record gives up over and over, before there is one and while it comes.
#[tokio::test]
async fn a_wait_for_a_stream_that_is_dropped_loses_nothing() {
    let cluster = Cluster::start(1, 1, 0, 1).await;
    let client = cluster.client().await;
    let mut consumer = client.consumer().offset_reset(OffsetReset::Earliest).start().unwrap();
    consumer.assign(&[(TOPIC, 0)]).await.unwrap();
    let mut stream = consumer.into_stream();
    let producer = client.producer().linger(Duration::ZERO).start().unwrap();
    let mut read = Vec::new();
    for number in 0..100u32 {
        let patience = Duration::from_micros(u64::from(number) * 20);
        let mut wait = async || {
            let next = std::future::poll_fn(|context| Pin::new(&mut stream).poll_next(context));
            tokio::time::timeout(patience, next).await
        };
        assert!(wait().await.is_err(), "there is nothing to come yet");
        let value = value(number);
        producer.send(ProducerRecord::to(TOPIC).value(&value)).await.unwrap().await.unwrap();
        let record = in_time("the record that was sent", async {
            loop {
                if let Ok(next) = wait().await {
                    break next.unwrap().unwrap();
                }
            }
        });
        let record = record.await;
        read.push((record.offset, self::number(&record.value.unwrap())));
    }
    assert_eq!(read, (0..).zip(0..100).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_consumer_goes_where_it_is_told_and_says_where_it_is() {
    let cluster = Cluster::start(2, 2, 0, 1).await;
    let client = cluster.client().await;
    let producer = client.producer().batch_bytes(100).start().unwrap();
    for number in 0..40 {
        let partition = i32::try_from(number % 2).unwrap();
        let value = value(number);
        drop(producer.send(ProducerRecord::to(TOPIC).partition(partition).value(&value)).await.unwrap());
    }
    producer.close().await;
    let mut consumer = client.consumer().offset_reset(OffsetReset::Fail).start().unwrap();
    assert!(consumer.next().await.is_err(), "nothing is assigned");
    consumer.assign(&[(TOPIC, 0), (TOPIC, 1)]).await.unwrap();
    consumer.seek(TOPIC, 0, 15).unwrap();
    consumer.seek(TOPIC, 1, SeekTo::Earliest).unwrap();
    consumer.pause(TOPIC, 1).unwrap();
    for offset in 15..20 {
        let record = consumer.next().await.unwrap();
        assert_eq!((record.partition, record.offset), (0, offset));
        assert_eq!(consumer.position(TOPIC, 0), Some(offset + 1));
        assert_eq!(consumer.lag(TOPIC, 0), Some(19 - offset));
    }
    assert_eq!(consumer.end_offsets().await.unwrap()[1].1, 20);
    cluster.move_leader(1);
    consumer.resume(TOPIC, 1).unwrap();
    let first = consumer.poll(3).await.unwrap();
    assert_eq!((first[0].partition, first[0].offset), (1, 0));
    // In the middle of what has been fetched: forward, back, and away and back again.
    let last = first.last().unwrap().offset;
    consumer.pause(TOPIC, 1).unwrap();
    assert!(consumer.try_next().unwrap().is_none());
    consumer.resume(TOPIC, 1).unwrap();
    assert_eq!(consumer.next().await.unwrap().offset, last + 1);
    consumer.seek(TOPIC, 1, 2).unwrap();
    assert_eq!(consumer.next().await.unwrap().offset, 2);
    let error = consumer.seek("elsewhere", 0, 0).unwrap_err();
    assert!(matches!(error, Error::NoPartition { .. }));
    let error = consumer.assign(&[(TOPIC, 9)]).await.unwrap_err();
    assert!(matches!(error, Error::NoPartition { partition: 9, .. }), "{error:?}");
}
