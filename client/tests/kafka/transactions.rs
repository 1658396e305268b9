//! Transactions: all of it or nothing, whoever reads.

use std::collections::BTreeMap;
use std::time::Duration;

use strandline_client::{
    Client, Error, GroupOffsets, Isolation, ListOffsets, NewTopic, OffsetAt, OffsetReset, ProducerRecord,
    TransactionFilter, TransactionalProducer,
};
use strandline_protocol::ErrorCode;

use super::common::{client, create, in_time, send, topic};

async fn writer(client: &Client, id: &str) -> TransactionalProducer {
    client.producer().transactional_id(id).start_transactional().await.unwrap()
}

/// Where those who read what is committed stand still.
async fn stable_end(client: &Client, topic: &str) -> Option<i64> {
    let question = ListOffsets::new().of(topic, 0, OffsetAt::Latest).isolation(Isolation::ReadCommitted);
    client.admin().list_offsets(&question).await.pop().unwrap().1.unwrap().offset
}

#[tokio::test]
#[ignore = "needs a broker: tests/conformance/client-library runs it"]
async fn what_hangs_in_a_partition_is_aborted_there() {
    let client = client().await;
    topic(&client, "hanging", 1).await;
    let mut producer = writer(&client, "hanging").await;
    let transaction = producer.begin().await.unwrap();
    transaction.deliver(ProducerRecord::to("hanging").value("held up")).await.unwrap().await.unwrap();
    send(&client, "hanging", 1, 1..2).await;
    // Whether a coordinator still knows of it, the partition cannot tell.
    let admin = client.admin();
    let producers = async || {
        let producers = admin.describe_producers(&[("hanging", 0)]).await.pop().unwrap().1.unwrap();
        producers.into_iter().find(|producer| producer.transaction_start.is_some())
    };
    let hanging = producers().await.expect("it is open");
    assert_eq!((hanging.transaction_start, stable_end(&client, "hanging").await), (Some(0), Some(0)));
    admin.abort_hanging("hanging", 0, &hanging).await.unwrap();
    assert_eq!((producers().await, stable_end(&client, "hanging").await), (None, Some(3)));
    assert_eq!(values(&client, "hanging", Isolation::ReadCommitted).await, ["1"]);
}

/// The values of a topic that count for this isolation, sorted. What has ended may lack its markers yet: they are waited
/// for, since it is read to where the log ends for everybody.
async fn values(client: &Client, topic: &str, isolation: Isolation) -> Vec<String> {
    let reader = async |isolation: Isolation| {
        let builder = client.consumer().offset_reset(OffsetReset::Earliest).isolation(isolation);
        let mut consumer = builder.start().unwrap();
        consumer.assign_topics(&[topic]).await.unwrap();
        consumer
    };
    let ends = reader(Isolation::ReadUncommitted).await.end_offsets().await.unwrap();
    let mut consumer = reader(isolation).await;
    let mut read = Vec::new();
    let is_at_end = |consumer: &strandline_client::Consumer| {
        ends.iter().all(|((topic, partition), end)| consumer.position(topic, *partition) >= Some(*end))
    };
    in_time("a topic is read to its end", async {
        while !is_at_end(&consumer) {
            if let Ok(record) = tokio::time::timeout(Duration::from_millis(20), consumer.next()).await {
                read.push(String::from_utf8(record.unwrap().value.unwrap().to_vec()).unwrap());
            }
        }
    })
    .await;
    read.sort();
    read
}

#[tokio::test]
#[ignore = "needs a broker: tests/conformance/client-library runs it"]
async fn only_what_is_committed_counts() {
    let client = client().await;
    topic(&client, "ledger", 3).await;
    let mut producer = writer(&client, "the ledger").await;
    for (round, end) in (0..6).zip(["commit", "abort", "drop"].iter().cycle()) {
        let transaction = producer.begin().await.unwrap();
        for partition in 0..3 {
            let value = format!("{end} {round} {partition}");
            let record = ProducerRecord::to("ledger").partition(partition).value(&value);
            // Otherwise what is aborted need never be sent.
            transaction.deliver(record).await.unwrap().await.unwrap();
        }
        match *end {
            "commit" => transaction.commit().await.unwrap(),
            "abort" => transaction.abort().await.unwrap(),
            _ => drop(transaction),
        }
    }
    // One with nothing in it, and one whose end nobody waits for.
    producer.begin().await.unwrap().commit().await.unwrap();
    let transaction = producer.begin().await.unwrap();
    transaction.send(ProducerRecord::to("ledger").value("commit 6 0")).await.unwrap();
    let unawaited = tokio::time::timeout(Duration::ZERO, transaction.commit()).await;
    assert!(unawaited.is_err());
    producer.close().await.unwrap();
    let committed = values(&client, "ledger", Isolation::ReadCommitted).await;
    let expected = ["0 0", "0 1", "0 2", "3 0", "3 1", "3 2", "6 0"].map(|text| format!("commit {text}"));
    assert_eq!(committed, expected);
    let all = values(&client, "ledger", Isolation::ReadUncommitted).await;
    assert!(all.len() >= expected.len() && all.iter().any(|value| value.starts_with("abort")), "{all:?}");
}

#[tokio::test]
#[ignore = "needs a broker: tests/conformance/client-library runs it"]
async fn what_was_read_and_what_came_of_it_go_together() {
    let client = client().await;
    topic(&client, "ores", 4).await;
    topic(&client, "ingots", 2).await;
    send(&client, "ores", 4, 0..200).await;
    let mut producer = writer(&client, "the smelter").await;
    let builder = client.consumer().group("smelters").auto_commit(None).offset_reset(OffsetReset::Earliest);
    let mut consumer = builder.isolation(Isolation::ReadCommitted).start().unwrap();
    consumer.subscribe(&["ores"]).unwrap();
    let (mut made, mut round) = (0, 0);
    while made < 200 {
        round += 1;
        let ores = in_time("there are more ores", consumer.poll(30)).await.unwrap();
        let transaction = producer.begin().await.unwrap();
        for ore in &ores {
            transaction.send(ProducerRecord::to("ingots").value(ore.value.as_ref().unwrap())).await.unwrap();
        }
        transaction.send_offsets(&consumer.take_offsets().unwrap()).await.unwrap();
        if round % 3 == 0 {
            transaction.abort().await.unwrap();
            consumer.seek_to_committed().await.unwrap();
        } else {
            transaction.commit().await.unwrap();
            made += ores.len();
        }
    }
    consumer.close().await.unwrap();
    let mut counts: BTreeMap<i32, usize> = BTreeMap::new();
    for value in values(&client, "ingots", Isolation::ReadCommitted).await {
        *counts.entry(value.parse().unwrap()).or_default() += 1;
    }
    assert_eq!(counts.keys().copied().collect::<Vec<_>>(), (0..200).collect::<Vec<_>>());
    assert!(counts.values().all(|count| *count == 1), "{counts:?}");
    // Nobody gets this name before the last one's markers are everywhere, so in the offsets as well.
    writer(&client, "the smelter").await;
    let offsets = client.admin().group_offsets("smelters").await.unwrap();
    assert_eq!(offsets.into_iter().map(|(_, offset)| offset.unwrap().offset).sum::<i64>(), 200);
}

#[tokio::test]
#[ignore = "needs a broker: tests/conformance/client-library runs it"]
async fn the_last_one_with_an_id_fences_the_others() {
    let client = client().await;
    topic(&client, "fenced", 1).await;
    let mut first = writer(&client, "fencing").await;
    let transaction = first.begin().await.unwrap();
    transaction.deliver(ProducerRecord::to("fenced").value("of the first")).await.unwrap().await.unwrap();
    transaction.send_offsets(&GroupOffsets::of("fenced").and("fenced", 0, 7)).await.unwrap();
    let mut second = writer(&client, "fencing").await;
    let error = transaction.commit().await.unwrap_err();
    assert!(matches!(&error, Error::Fenced(id) if **id == *"fencing"), "{error:?}");
    let error = first.begin().await.unwrap_err();
    assert!(matches!(error, Error::Fenced(_)) && !error.is_retriable(), "{error:?}");
    let transaction = second.begin().await.unwrap();
    transaction.send(ProducerRecord::to("fenced").value("of the second")).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(values(&client, "fenced", Isolation::ReadCommitted).await, ["of the second"]);
    assert_eq!(client.admin().group_offsets("fenced").await.unwrap().len(), 0);
    client.admin().fence_producer("fencing").await.unwrap();
    let transaction = second.begin().await.unwrap();
    // Whichever way it hears of it.
    let sent = transaction.deliver(ProducerRecord::to("fenced").value("too late")).await.unwrap().await;
    assert!(sent.is_err());
    assert!(matches!(transaction.commit().await, Err(Error::Fenced(_))));
}

#[tokio::test]
#[ignore = "needs a broker: tests/conformance/client-library runs it"]
async fn what_fails_spoils_all_of_it_and_nothing_after_it() {
    let client = client().await;
    create(&client, NewTopic::new("narrow").partitions(2).setting("max.message.bytes", "1000")).await;
    let mut producer = writer(&client, "narrowly").await;
    for round in 0..3 {
        let transaction = producer.begin().await.unwrap();
        let value = format!("{round}");
        let fits = ProducerRecord::to("narrow").partition(0).value(&value);
        transaction.deliver(fits).await.unwrap().await.unwrap();
        if round == 1 {
            let large = vec![7; 2_000];
            let record = ProducerRecord::to("narrow").partition(1).value(&large);
            let error = transaction.deliver(record).await.unwrap().await.unwrap_err();
            assert_eq!(error.code(), Some(ErrorCode::MESSAGE_TOO_LARGE));
            let refused = transaction.send(ProducerRecord::to("narrow").value("more")).await.unwrap_err();
            assert_eq!(refused.code(), Some(ErrorCode::MESSAGE_TOO_LARGE));
            let error = transaction.commit().await.unwrap_err();
            assert!(matches!(error, Error::Aborted(Some(_))), "{error:?}");
        } else {
            transaction.commit().await.unwrap();
        }
    }
    assert_eq!(values(&client, "narrow", Isolation::ReadCommitted).await, ["0", "2"]);
}

#[tokio::test]
#[ignore = "needs a broker: tests/conformance/client-library runs it"]
async fn the_administration_sees_transactions() {
    let client = client().await;
    topic(&client, "watched", 1).await;
    let mut producer = writer(&client, "watched").await;
    let transaction = producer.begin().await.unwrap();
    transaction.deliver(ProducerRecord::to("watched").value("a")).await.unwrap().await.unwrap();
    let admin = client.admin();
    let listed = admin.list_transactions().await.unwrap();
    let listed = listed.into_iter().find(|listing| listing.id == "watched").unwrap();
    assert_eq!(listed.state, "Ongoing");
    let described = admin.describe_transactions(&["watched"]).await.pop().unwrap().1.unwrap();
    assert_eq!(described.partitions, [("watched".to_owned(), 0)]);
    assert_eq!((described.producer_id, described.timeout_ms), (listed.producer_id, 60_000));
    let producers = admin.describe_producers(&[("watched", 0)]).await.pop().unwrap().1.unwrap();
    assert_eq!((producers[0].producer_id, producers[0].transaction_start), (listed.producer_id, Some(0)));
    let producer_id = listed.producer_id;
    let open = TransactionFilter::new().state("Ongoing").producer(producer_id);
    let found = admin.list_transactions_of(&open).await.unwrap();
    assert_eq!(found.iter().map(|listing| listing.id.as_str()).collect::<Vec<_>>(), ["watched"]);
    let other = TransactionFilter::new().state("PrepareCommit").producer(producer_id);
    assert_eq!(admin.list_transactions_of(&other).await.unwrap(), []);
    let old = TransactionFilter::new().open_for(Duration::from_secs(86_400));
    // Kafka takes one that has not begun anything for one that has been open for ever: other tests have some.
    let old = admin.list_transactions_of(&old).await.unwrap();
    assert!(old.iter().all(|listing| listing.id != "watched"), "{old:?}");
    let no_state = admin.list_transactions_of(&TransactionFilter::new().state("Asleep")).await;
    assert!(matches!(no_state, Err(Error::Settings(_))), "{no_state:?}");
    transaction.commit().await.unwrap();
    let unknown = admin.describe_transactions(&["nobody"]).await.pop().unwrap().1.unwrap_err();
    assert_eq!(unknown.code(), Some(ErrorCode::TRANSACTIONAL_ID_NOT_FOUND));
}
