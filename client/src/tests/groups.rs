//! Groups against a cluster in which things go wrong.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::troubled::{Cluster, TOPIC};
use super::{in_time, until};
use crate::{Assignor, Client, Consumer, GroupProtocol, OffsetReset, ProducerRecord};

const PARTITIONS: usize = 4;
const NUMBERS: u32 = 600;

async fn produce(client: &Client, numbers: std::ops::Range<u32>) {
    let producer = client.producer().batch_bytes(300).linger(Duration::ZERO).start().unwrap();
    for number in numbers {
        let partition = i32::try_from(number % 4).unwrap();
        let value = number.to_be_bytes();
        let record = ProducerRecord::to(TOPIC).partition(partition).value(&value);
        in_time("a producer takes a record", async { while producer.send(record.clone()).await.is_err() {} })
            .await;
    }
    in_time("all is delivered or given up", producer.close()).await;
}

type Read = Arc<Mutex<BTreeSet<u32>>>;

/// By which rule members share.
#[derive(Clone, Copy)]
enum Rule {
    Members(Assignor),
    Coordinator,
}

/// Reads and commits what it has read, for ever, and often loses patience: what it drops then is not lost.
async fn read(mut consumer: Consumer, read: Read) {
    for patience in (0..40u64).cycle() {
        let polled = tokio::time::timeout(Duration::from_micros(patience * 100), consumer.poll(20)).await;
        let records = polled.ok().and_then(Result::ok).unwrap_or_default();
        let value = |value: &[u8]| u32::from_be_bytes(value.try_into().unwrap());
        read.lock().unwrap().extend(records.iter().map(|record| value(record.value.as_deref().unwrap())));
        // What is refused, or dropped before its answer came, is committed with the next, which may find nothing more to
        // read, or read again by whoever has the partition next.
        let _ = tokio::time::timeout(Duration::from_millis(1 + patience), consumer.commit()).await;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn member(cluster: &Cluster, rule: Rule, done: &Read) -> tokio::task::JoinHandle<()> {
    let client = cluster.client().await;
    let builder = client.consumer().group("readers").auto_commit(None);
    let builder = match rule {
        Rule::Members(assignor) => builder.assignors(&[assignor]),
        Rule::Coordinator => builder.group_protocol(GroupProtocol::Consumer),
    };
    let builder = builder.session_timeout(Duration::from_millis(150)).offset_reset(OffsetReset::Earliest);
    let mut consumer = builder.start().unwrap();
    consumer.subscribe(&[TOPIC]).unwrap();
    tokio::spawn(read(consumer, done.clone()))
}

/// Members come, and go at any moment; everything is read all the same, and nothing is committed that was not.
async fn play(rule: Rule, seed: u64) {
    let cluster = Cluster::start(3, PARTITIONS, 60, seed).await;
    let done = Read::default();
    let sender = cluster.client().await;
    let first = member(&cluster, rule, &done).await;
    produce(&sender, 0..NUMBERS / 3).await;
    let second = member(&cluster, rule, &done).await;
    produce(&sender, NUMBERS / 3..NUMBERS / 2).await;
    first.abort();
    let third = member(&cluster, rule, &done).await;
    produce(&sender, NUMBERS / 2..NUMBERS).await;
    until("all is read", || done.lock().unwrap().len() == usize::try_from(NUMBERS).unwrap()).await;
    let ends: Vec<i64> =
        (0..PARTITIONS).map(|partition| i64::try_from(cluster.values(partition).len()).unwrap()).collect();
    until("all is committed", || {
        let committed = &cluster.inner().group.committed;
        committed.values().copied().collect::<Vec<_>>() == ends
    })
    .await;
    cluster.was_troubled();
    assert_eq!(*done.lock().unwrap(), (0..NUMBERS).collect());
    second.abort();
    third.abort();
}

#[tokio::test]
async fn eager_groups_pass_over_nothing() {
    for (seed, assignor) in [Assignor::Range, Assignor::RoundRobin, Assignor::Sticky].into_iter().enumerate()
    {
        play(Rule::Members(assignor), seed as u64).await;
    }
}

#[tokio::test]
async fn cooperating_groups_pass_over_nothing() {
    for seed in 20..22 {
        play(Rule::Members(Assignor::CooperativeSticky), seed).await;
    }
}

#[tokio::test]
async fn groups_of_the_consumer_protocol_pass_over_nothing() {
    for seed in 30..33 {
        play(Rule::Coordinator, seed).await;
    }
}
