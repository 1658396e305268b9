//! Groups against a cluster in which things go wrong.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::troubled::{Cluster, TOPIC};
use crate::{Assignor, Client, ClientConfig, Consumer, OffsetReset, ProducerRecord};

const PARTITIONS: usize = 4;
const NUMBERS: u32 = 600;

async fn client(cluster: &Cluster) -> Client {
    let config = ClientConfig::new(&cluster.bootstrap()).unwrap();
    let config = config.backoff(Duration::from_millis(1), Duration::from_millis(20));
    loop {
        if let Ok(client) = Client::connect(config.clone()).await {
            return client;
        }
    }
}

async fn produce(client: &Client, numbers: std::ops::Range<u32>) {
    let producer = client.producer().batch_bytes(300).linger(Duration::ZERO).start().unwrap();
    for number in numbers {
        let partition = i32::try_from(number % 4).unwrap();
        let value = number.to_be_bytes();
        let record = ProducerRecord::to(TOPIC).partition(partition).value(&value);
        while producer.send(record.clone()).await.is_err() {}
    }
    producer.close().await;
}

type Read = Arc<Mutex<BTreeSet<u32>>>;

/// Reads and commits what it has read, for ever.
async fn read(mut consumer: Consumer, read: Read) {
    loop {
        let Ok(records) = consumer.poll(20).await else { continue };
        let value = |value: &[u8]| u32::from_be_bytes(value.try_into().unwrap());
        read.lock().unwrap().extend(records.iter().map(|record| value(record.value.as_deref().unwrap())));
        // What is refused is read again by whoever has the partition next.
        let _ = consumer.commit().await;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn member(cluster: &Cluster, assignor: Assignor, done: &Read) -> tokio::task::JoinHandle<()> {
    let client = client(cluster).await;
    let builder = client.consumer().group("readers").assignors(&[assignor]).auto_commit(None);
    let builder = builder.session_timeout(Duration::from_millis(150)).offset_reset(OffsetReset::Earliest);
    let mut consumer = builder.start().unwrap();
    consumer.subscribe(&[TOPIC]).unwrap();
    tokio::spawn(read(consumer, done.clone()))
}

async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..6_000 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it never came to be that {what}");
}

/// Members come, and go at any moment; everything is read all the same, and nothing is committed that was not.
async fn play(assignor: Assignor, seed: u64) {
    let cluster = Cluster::start(3, PARTITIONS, 60, seed).await;
    let done = Read::default();
    let sender = client(&cluster).await;
    let first = member(&cluster, assignor, &done).await;
    produce(&sender, 0..NUMBERS / 3).await;
    let second = member(&cluster, assignor, &done).await;
    produce(&sender, NUMBERS / 3..NUMBERS / 2).await;
    first.abort();
    let third = member(&cluster, assignor, &done).await;
    produce(&sender, NUMBERS / 2..NUMBERS).await;
    until("all is read", || done.lock().unwrap().len() == usize::try_from(NUMBERS).unwrap()).await;
    let ends: Vec<i64> =
        (0..PARTITIONS).map(|partition| i64::try_from(cluster.values(partition).len()).unwrap()).collect();
    until("all is committed", || {
        let committed = &cluster.inner().group.committed;
        committed.values().copied().collect::<Vec<_>>() == ends
    })
    .await;
    assert_eq!(*done.lock().unwrap(), (0..NUMBERS).collect());
    second.abort();
    third.abort();
}

#[tokio::test]
async fn eager_groups_pass_over_nothing() {
    for (seed, assignor) in [Assignor::Range, Assignor::RoundRobin, Assignor::Sticky].into_iter().enumerate()
    {
        play(assignor, seed as u64).await;
    }
}

#[tokio::test]
async fn cooperating_groups_pass_over_nothing() {
    for seed in 20..22 {
        play(Assignor::CooperativeSticky, seed).await;
    }
}
