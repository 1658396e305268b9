//! Consumers that share the work.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use strandline_client::{
    Assignor, Client, Consumer, Error, GroupFilter, GroupProtocol, OffsetReset, RebalanceListener,
};
use strandline_protocol::ErrorCode;

use super::common::{client, in_time, send, topic};

/// What the members of a group have read, each number with who read it.
pub(crate) type Read = Arc<Mutex<Vec<(i32, usize)>>>;

/// By what rule a group's partitions are given out.
#[derive(Clone, Copy)]
pub(crate) enum Rule {
    Classic(Assignor),
    Consumer(&'static str),
}

impl Rule {
    fn name(self) -> &'static str {
        match self {
            Self::Classic(assignor) => assignor.name(),
            Self::Consumer(name) => name,
        }
    }
}

/// A member that reads until it is told to stop, and then leaves.
pub(crate) fn member(
    client: &Client,
    group: &str,
    topic: &'static str,
    rule: Rule,
    number: usize,
    read: &Read,
) -> (tokio::sync::oneshot::Sender<()>, tokio::task::JoinHandle<()>) {
    let builder = client.consumer().group(group).offset_reset(OffsetReset::Earliest);
    let builder = match rule {
        Rule::Classic(assignor) => builder.assignors(&[assignor]),
        Rule::Consumer(name) => builder.group_protocol(GroupProtocol::Consumer).server_assignor(name),
    };
    let builder =
        builder.auto_commit(Some(Duration::from_millis(50))).session_timeout(Duration::from_secs(15));
    let mut consumer = builder.start().unwrap();
    consumer.subscribe(&[topic]).unwrap();
    let (stop, mut stopped) = tokio::sync::oneshot::channel();
    let read = read.clone();
    let task = tokio::spawn(async move {
        loop {
            tokio::select! {
                record = consumer.next() => {
                    let value = record.unwrap().value.unwrap();
                    let value = std::str::from_utf8(&value).unwrap().parse().unwrap();
                    read.lock().unwrap().push((value, number));
                }
                _ = &mut stopped => break,
            }
        }
        consumer.close().await.unwrap();
    });
    (stop, task)
}

pub(crate) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..1_200 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it never came to be that {what}");
}

pub(crate) async fn share(rule: Rule, group: &str, topic_name: &'static str) {
    let client = client().await;
    topic(&client, topic_name, 6).await;
    send(&client, topic_name, 6, 0..600).await;
    let read: Read = Arc::default();
    let first = member(&client, group, topic_name, rule, 1, &read);
    until("the first one reads all", || read.lock().unwrap().len() >= 600).await;
    let second = member(&client, group, topic_name, rule, 2, &read);
    let mut next = 600;
    let both = |read: &Read| read.lock().unwrap().iter().any(|(_, by)| *by == 2);
    in_time("the second one reads something", async {
        while !both(&read) {
            send(&client, topic_name, 6, next..next + 60).await;
            next += 60;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
    .await;
    let described = client.admin().describe_groups(&[group]).await.pop().unwrap().1.unwrap();
    assert_eq!((described.members.len(), described.assignor.as_str()), (2, rule.name()));
    first.0.send(()).unwrap();
    in_time("the first one leaves", first.1).await.unwrap();
    send(&client, topic_name, 6, next..next + 60).await;
    let all = next + 60;
    until("the second one reads on", || {
        let read = read.lock().unwrap();
        (0..all).all(|number| read.iter().any(|(value, _)| *value == number))
    })
    .await;
    second.0.send(()).unwrap();
    in_time("the second one leaves", second.1).await.unwrap();
    let mut counts: BTreeMap<i32, usize> = BTreeMap::new();
    for (value, _) in read.lock().unwrap().iter() {
        *counts.entry(*value).or_default() += 1;
    }
    let twice = counts.values().filter(|count| **count > 1).count();
    assert_eq!(twice, 0, "everyone left in order, and committed before");
    let committed = client.admin().group_offsets(group).await.unwrap();
    let sum: i64 = committed.into_iter().map(|(_, offset)| offset.unwrap().offset).sum();
    assert_eq!(sum, i64::from(all));
}

#[tokio::test]
#[ignore = "needs a broker: tests/conformance/client-library runs it"]
async fn members_share_by_ranges() {
    share(Rule::Classic(Assignor::Range), "by ranges", "shared-by-ranges").await;
}

#[tokio::test]
#[ignore = "needs a broker: tests/conformance/client-library runs it"]
async fn members_share_in_turn() {
    share(Rule::Classic(Assignor::RoundRobin), "in turn", "shared-in-turn").await;
}

#[tokio::test]
#[ignore = "needs a broker: tests/conformance/client-library runs it"]
async fn members_cooperate() {
    share(Rule::Classic(Assignor::CooperativeSticky), "cooperating", "shared-cooperating").await;
}

#[tokio::test]
#[ignore = "needs a broker: tests/conformance/client-library runs it"]
async fn members_stick() {
    share(Rule::Classic(Assignor::Sticky), "sticking", "shared-sticking").await;
}

#[derive(Clone, Default)]
struct Diary(Arc<Mutex<Vec<String>>>);

impl RebalanceListener for Diary {
    fn assigned<'a>(
        &'a mut self,
        partitions: &'a [(String, i32)],
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(10)).await;
            self.0.lock().unwrap().push(format!("got {}", partitions.len()));
        })
    }

    fn revoked<'a>(
        &'a mut self,
        partitions: &'a [(String, i32)],
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(async move {
            self.0.lock().unwrap().push(format!("lost {}", partitions.len()));
        })
    }
}

async fn numbers(consumer: &mut Consumer, count: usize) -> Vec<String> {
    let mut read = Vec::new();
    while read.len() < count {
        let record = in_time("a consumer reads the next record", consumer.next()).await;
        let value = record.unwrap().value.unwrap();
        read.push(String::from_utf8(value.to_vec()).unwrap());
    }
    read
}

#[tokio::test]
#[ignore = "needs a broker: tests/conformance/client-library runs it"]
async fn only_what_was_processed_is_committed() {
    let client = client().await;
    topic(&client, "processed", 1).await;
    send(&client, "processed", 1, 0..10).await;
    let diary = Diary::default();
    let builder = client.consumer().group("processing").group_instance("the only one");
    let builder = builder.offset_reset(OffsetReset::Earliest).auto_commit(Some(Duration::ZERO));
    let mut consumer = builder.clone().start().unwrap();
    consumer.subscribe_with(&["processed"], Some(Box::new(diary.clone()))).unwrap();
    assert_eq!(numbers(&mut consumer, 4).await, ["0", "1", "2", "3"]);
    // The fourth is being worked on when all ends.
    drop(consumer);
    let admin = client.admin();
    let committed = admin.group_offsets("processing").await.unwrap().pop().unwrap().1.unwrap();
    assert_eq!(committed.offset, 3);
    let mut again = builder.auto_commit(None).start().unwrap();
    again.subscribe(&["processed"]).unwrap();
    assert_eq!(numbers(&mut again, 3).await, ["3", "4", "5"]);
    again.commit().await.unwrap();
    let committed = admin.group_offsets("processing").await.unwrap().pop().unwrap().1.unwrap();
    assert_eq!(committed.offset, 6);
    assert_eq!(diary.0.lock().unwrap().first().unwrap(), "got 1");
    again.close().await.unwrap();
}

#[tokio::test]
#[ignore = "needs a broker: tests/conformance/client-library runs it"]
async fn the_administration_removes_members_by_their_names() {
    let client = client().await;
    topic(&client, "removed", 1).await;
    send(&client, "removed", 1, 0..1).await;
    let builder = client.consumer().group("removing").group_instance("to go").auto_commit(None);
    let mut consumer = builder.offset_reset(OffsetReset::Earliest).start().unwrap();
    consumer.subscribe(&["removed"]).unwrap();
    numbers(&mut consumer, 1).await;
    // Who has a name keeps its place when it goes.
    consumer.close().await.unwrap();
    let admin = client.admin();
    let members = async || {
        let described = admin.describe_groups(&["removing"]).await.pop().unwrap().1.unwrap();
        described.members.into_iter().map(|member| member.instance.unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(members().await, ["to go"]);
    let removed = admin.remove_instances("removing", &["nobody", "to go"]).await.unwrap();
    let codes: Vec<_> = removed
        .iter()
        .map(|(name, result)| (name.as_str(), result.as_ref().err().and_then(Error::code)))
        .collect();
    assert_eq!(codes, [("nobody", Some(ErrorCode::UNKNOWN_MEMBER_ID)), ("to go", None)]);
    assert!(members().await.is_empty());
}

#[tokio::test]
#[ignore = "needs a broker: tests/conformance/client-library runs it"]
async fn the_administration_moves_and_deletes_groups() {
    let client = client().await;
    topic(&client, "moved", 2).await;
    send(&client, "moved", 2, 0..10).await;
    let admin = client.admin();
    for (_, result) in admin.set_group_offsets("moving", &[("moved", 0, 4), ("moved", 1, 2)]).await.unwrap() {
        result.unwrap();
    }
    assert!(admin.list_groups().await.unwrap().iter().any(|group| group.name == "moving"));
    let listed = async |filter: GroupFilter| {
        let groups = admin.list_groups_of(&filter).await.unwrap();
        groups.iter().any(|group| group.name == "moving")
    };
    assert!(listed(GroupFilter::new().state("Empty")).await);
    assert!(!listed(GroupFilter::new().state("Stable").state("Dead")).await);
    assert!(listed(GroupFilter::new().kind("classic")).await);
    assert!(!listed(GroupFilter::new().kind("consumer")).await);
    let builder = client.consumer().group("moving").auto_commit(None);
    let mut consumer = builder.start().unwrap();
    consumer.subscribe(&["moved"]).unwrap();
    let mut read = numbers(&mut consumer, 4).await;
    read.sort();
    assert_eq!(read, ["5", "7", "8", "9"]);
    let refused = admin.delete_groups(&["moving"]).await.pop().unwrap().1.unwrap_err();
    assert_eq!(refused.code(), Some(ErrorCode::NON_EMPTY_GROUP));
    consumer.close().await.unwrap();
    for (_, result) in admin.delete_group_offsets("moving", &[("moved", 0)]).await.unwrap() {
        result.unwrap();
    }
    let left: Vec<_> =
        admin.group_offsets("moving").await.unwrap().into_iter().map(|(key, _)| key.1).collect();
    assert_eq!(left, [1]);
    admin.delete_groups(&["moving"]).await.pop().unwrap().1.unwrap();
    assert!(admin.list_groups().await.unwrap().iter().all(|group| group.name != "moving"));
    let error = client.consumer().start().unwrap().subscribe(&["moved"]).unwrap_err();
    assert!(matches!(error, Error::Settings(_)));
}
