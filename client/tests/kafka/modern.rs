//! Groups of the consumer protocol, which Kafka serves since 4.0.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use strandline_client::{Assignor, Consumer, GroupProtocol, OffsetReset};
use strandline_protocol::ErrorCode;

use super::common::{client, in_time, send, topic};
use super::groups::{Read, Rule, member, share, until};

#[tokio::test]
#[ignore = "needs a broker: tests/conformance/client-library runs it"]
async fn the_coordinator_shares_evenly() {
    share(Rule::Consumer("uniform"), "uniformly", "shared-uniformly").await;
}

#[tokio::test]
#[ignore = "needs a broker: tests/conformance/client-library runs it"]
async fn the_coordinator_shares_by_ranges() {
    share(Rule::Consumer("range"), "in ranges", "shared-in-ranges").await;
}

async fn values(consumer: &mut Consumer, count: usize) -> BTreeSet<String> {
    let mut read = BTreeSet::new();
    while read.len() < count {
        let record = in_time("a consumer reads the next record", consumer.next()).await.unwrap();
        read.insert(format!("{} {}", record.topic, String::from_utf8_lossy(&record.value.unwrap())));
    }
    read
}

#[tokio::test]
#[ignore = "needs a broker: tests/conformance/client-library runs it"]
async fn a_pattern_takes_in_topics_that_come_later() {
    let client = client().await;
    topic(&client, "pattern-a", 2).await;
    topic(&client, "no-pattern", 1).await;
    send(&client, "pattern-a", 2, 0..4).await;
    send(&client, "no-pattern", 1, 0..4).await;
    let builder = client.consumer().group("of a pattern").group_protocol(GroupProtocol::Consumer);
    let mut consumer = builder.offset_reset(OffsetReset::Earliest).start().unwrap();
    consumer.subscribe_pattern("pattern-.*", None).unwrap();
    let of = |topic: &str| (0..4).map(|number| format!("{topic} {number}")).collect::<BTreeSet<_>>();
    assert_eq!(values(&mut consumer, 4).await, of("pattern-a"));
    topic(&client, "pattern-b", 1).await;
    send(&client, "pattern-b", 1, 0..4).await;
    assert_eq!(values(&mut consumer, 4).await, of("pattern-b"));
    let described =
        client.admin().describe_consumer_groups(&["of a pattern"]).await.pop().unwrap().1.unwrap();
    assert_eq!(described.members[0].pattern.as_deref(), Some("pattern-.*"));
    assert_eq!(described.members[0].partitions.len(), 3);
    consumer.close().await.unwrap();
    let error = client.consumer().group("x").start().unwrap().subscribe_pattern("a", None).unwrap_err();
    assert!(error.to_string().contains("classic"), "{error}");
    let builder = client.consumer().group("of no pattern").group_protocol(GroupProtocol::Consumer);
    let mut consumer = builder.start().unwrap();
    consumer.subscribe_pattern("(", None).unwrap();
    let error = in_time("the pattern is refused", consumer.next()).await.unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::INVALID_REGULAR_EXPRESSION));
}

#[tokio::test]
#[ignore = "needs a broker: tests/conformance/client-library runs it"]
async fn a_member_with_a_name_comes_back_to_what_it_had() {
    let client = client().await;
    topic(&client, "named-member", 4).await;
    send(&client, "named-member", 4, 0..8).await;
    let builder = client.consumer().group("of a name").group_protocol(GroupProtocol::Consumer);
    let builder = builder.group_instance("the only one").auto_commit(Some(Duration::ZERO));
    let builder = builder.offset_reset(OffsetReset::Earliest);
    let mut consumer = builder.clone().start().unwrap();
    consumer.subscribe(&["named-member"]).unwrap();
    assert_eq!(values(&mut consumer, 8).await.len(), 8);
    consumer.close().await.unwrap();
    let described = client.admin().describe_consumer_groups(&["of a name"]).await.pop().unwrap().1.unwrap();
    let member = &described.members[0];
    assert_eq!((member.instance.as_deref(), member.partitions.len()), (Some("the only one"), 4));
    let mut again = builder.start().unwrap();
    again.subscribe(&["named-member"]).unwrap();
    send(&client, "named-member", 4, 8..12).await;
    let read = values(&mut again, 4).await;
    assert_eq!(read, (8..12).map(|number| format!("named-member {number}")).collect());
    again.close().await.unwrap();
}

#[tokio::test]
#[ignore = "needs a broker: tests/conformance/client-library runs it"]
async fn a_classic_member_and_a_modern_one_share() {
    let client = client().await;
    topic(&client, "moving-over", 4).await;
    send(&client, "moving-over", 4, 0..40).await;
    let read: Read = Arc::default();
    let old =
        member(&client, "moving over", "moving-over", Rule::Classic(Assignor::CooperativeSticky), 1, &read);
    until("the old one reads all", || read.lock().unwrap().len() >= 40).await;
    let new = member(&client, "moving over", "moving-over", Rule::Consumer("uniform"), 2, &read);
    let mut next = 40;
    let both = |read: &Read| read.lock().unwrap().iter().any(|(_, by)| *by == 2);
    in_time("the new one reads something", async {
        while !both(&read) {
            send(&client, "moving-over", 4, next..next + 20).await;
            next += 20;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
    .await;
    old.0.send(()).unwrap();
    in_time("the old one leaves", old.1).await.unwrap();
    send(&client, "moving-over", 4, next..next + 20).await;
    let all = next + 20;
    until("the new one reads on", || {
        let read = read.lock().unwrap();
        (0..all).all(|number| read.iter().any(|(value, _)| *value == number))
    })
    .await;
    new.0.send(()).unwrap();
    in_time("the new one leaves", new.1).await.unwrap();
}
