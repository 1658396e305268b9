//! Transactions against a cluster in which things go wrong.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use strandline_protocol::batch::ControlRecord;

use super::in_time;
use super::troubled::{Cluster, TOPIC};
use crate::{Client, Error, GroupOffsets, ProducerRecord, TransactionalProducer};

const PARTITIONS: usize = 3;

async fn started(client: &Client) -> TransactionalProducer {
    in_time("a producer of transactions starts", async {
        loop {
            let builder = client.producer().linger(Duration::ZERO).batch_bytes(120);
            if let Ok(producer) = builder.transactional_id("payments").start_transactional().await {
                return producer;
            }
        }
    })
    .await
}

/// The values of what was committed, in order: what stands before a commit's marker and behind the last one of its
/// producer.
fn committed(cluster: &Cluster, partition: usize) -> Vec<Bytes> {
    let (mut open, mut read): (Vec<Bytes>, Vec<Bytes>) = (Vec::new(), Vec::new());
    for batch in cluster.batches(partition) {
        let section = batch.records(1 << 20).unwrap();
        for record in section.iter().map(Result::unwrap) {
            if !batch.header().attributes.is_control() {
                open.push(Bytes::copy_from_slice(record.value.unwrap()));
                continue;
            }
            match ControlRecord::read(record.key, record.value).unwrap() {
                ControlRecord::Commit { .. } => read.append(&mut open),
                _ => open.clear(),
            }
        }
    }
    assert!(open.is_empty(), "nothing is left open");
    read
}

/// What ought to be there.
#[derive(Default)]
struct Books {
    values: BTreeMap<usize, Vec<Bytes>>,
    offset: Option<i64>,
}

impl Books {
    fn keep(&mut self, sent: Vec<(usize, Bytes)>, offset: i64) {
        for (partition, value) in sent {
            self.values.entry(partition).or_default().push(value);
        }
        self.offset = Some(offset);
    }
}

async fn play(level: i16, seed: u64) {
    let cluster = Cluster::start(3, PARTITIONS, 25, seed).await;
    cluster.inner().coordinator.level = level;
    let client = cluster.client().await;
    let mut producer = started(&client).await;
    let mut books = Books::default();
    for round in 0..60i64 {
        let transaction = match producer.begin().await {
            Ok(transaction) => transaction,
            Err(error) => panic!("{error}"),
        };
        let mut sent = Vec::new();
        for number in 0..=round % 7 {
            let partition = usize::try_from((round + number) % 3).unwrap();
            let value = Bytes::from(format!("{round} {number}"));
            let record = ProducerRecord::to(TOPIC).partition(i32::try_from(partition).unwrap());
            transaction.send(record.value(&value)).await.unwrap();
            sent.push((partition, value));
        }
        let offsets = GroupOffsets::of("readers").and(TOPIC, 0, round);
        transaction.send_offsets(&offsets).await.unwrap();
        match round % 4 {
            1 => transaction.abort().await.unwrap(),
            // Whoever forgets it, and whoever does not wait.
            2 => drop(transaction),
            3 => {
                let commit = transaction.commit();
                if tokio::time::timeout(Duration::from_micros(300), commit).await.is_err() {
                    books.keep(sent, round);
                    continue;
                }
                books.keep(sent, round);
            }
            _ => {
                transaction.commit().await.unwrap();
                books.keep(sent, round);
            }
        }
    }
    producer.close().await.unwrap();
    cluster.was_troubled();
    for partition in 0..PARTITIONS {
        let expected = books.values.remove(&partition).unwrap_or_default();
        assert_eq!(
            committed(&cluster, partition),
            expected,
            "partition {partition}, level {level}, seed {seed}"
        );
    }
    assert_eq!(cluster.inner().coordinator.committed.get(&0).copied(), books.offset);
}

#[tokio::test]
async fn all_of_it_or_nothing_in_the_first_way() {
    for seed in 0..3 {
        play(1, seed).await;
    }
}

#[tokio::test]
async fn all_of_it_or_nothing_in_the_second_way() {
    for seed in 10..13 {
        play(2, seed).await;
    }
}

#[tokio::test]
async fn who_is_fenced_off_hears_of_it_and_writes_no_more() {
    for level in [1, 2] {
        let cluster = Cluster::start(1, PARTITIONS, 0, 1).await;
        cluster.inner().coordinator.level = level;
        let client = cluster.client().await;
        let mut old = started(&client).await;
        let transaction = old.begin().await.unwrap();
        transaction.deliver(ProducerRecord::to(TOPIC).value("old")).await.unwrap().await.unwrap();
        let mut new = started(&client).await;
        let late = transaction.deliver(ProducerRecord::to(TOPIC).value("late")).await.unwrap().await;
        assert!(late.is_err());
        assert!(matches!(transaction.commit().await, Err(Error::Fenced(_))));
        assert!(matches!(old.begin().await, Err(Error::Fenced(_))));
        let transaction = new.begin().await.unwrap();
        transaction.send(ProducerRecord::to(TOPIC).value("new")).await.unwrap();
        transaction.commit().await.unwrap();
        let all: Vec<Bytes> = (0..PARTITIONS).flat_map(|partition| committed(&cluster, partition)).collect();
        assert_eq!(all, ["new"]);
    }
}
