//! What groups commit, over a socket and over restarts.

use strandline_protocol::apis::delete_topics::{DeleteTopicState, DeleteTopicsRequest};
use strandline_protocol::apis::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use strandline_protocol::apis::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
    OffsetFetchResponseGroup,
};
use strandline_protocol::{ErrorCode, Uuid};

use crate::requests::{
    AT_ONCE, commit, commit_simply, create_topic, fetch, find, join_alone, join_modern, sync,
};
use crate::support::{Folder, Running};

#[tokio::test]
async fn offsets_are_there_after_a_restart_with_all_that_was_said() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    create_topic(&running, "orders", 3).await;
    find(&running, "readers").await;
    for partition in 0..3 {
        let offset = 10 + i64::from(partition);
        assert_eq!(commit_simply(&running, "readers", ("orders", partition), offset).await, ErrorCode::NONE);
    }
    assert_eq!(commit_simply(&running, "readers", ("orders", 1), 20).await, ErrorCode::NONE);
    running.stop().await;

    let running = folder.start(&[]).await;
    let loaded = running.node.broker().groups.partition_count();
    assert_eq!(loaded, 50);
    // The old versions ask for one group, and for everything by null.
    let request = OffsetFetchRequest { group_id: "readers".into(), topics: None, ..Default::default() };
    let response = loop {
        let response = running.ask_in(7, &request).await;
        if response.error_code != ErrorCode::COORDINATOR_LOAD_IN_PROGRESS {
            break response;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!((response.error_code, response.topics.len()), (ErrorCode::NONE, 1));
    let partitions = &response.topics[0].partitions;
    let offsets: Vec<_> =
        partitions.iter().map(|partition| (partition.partition_index, partition.committed_offset)).collect();
    assert_eq!(offsets, [(0, 10), (1, 20), (2, 12)]);
    assert_eq!(partitions[0].metadata.as_deref(), Some("note"));
    let none = fetch(&running, "readers", ("orders", 7)).await;
    assert_eq!((none.committed_offset, none.error_code), (-1, ErrorCode::NONE));
    running.stop().await;
}

#[tokio::test]
async fn only_members_commit_while_there_are_any() {
    let folder = Folder::new();
    let running = folder.start(AT_ONCE).await;
    create_topic(&running, "orders", 1).await;
    find(&running, "readers").await;
    let member = join_alone(&running, "readers").await;
    let (id, place) = (&member.member_id, ("orders", 0));
    // It does not know yet what it is to read.
    let early = commit(&running, "readers", (id, 1), place, 1).await;
    assert_eq!(early, ErrorCode::REBALANCE_IN_PROGRESS);
    sync(&running, "readers", &member, &[(id, b"all")]).await;
    assert_eq!(commit(&running, "readers", (id, 1), place, 1).await, ErrorCode::NONE);
    assert_eq!(commit(&running, "readers", (id, 0), place, 2).await, ErrorCode::ILLEGAL_GENERATION);
    assert_eq!(commit(&running, "readers", (&"x".into(), 1), place, 2).await, ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(commit_simply(&running, "readers", place, 2).await, ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(commit(&running, "others", (id, 1), place, 2).await, ErrorCode::GROUP_ID_NOT_FOUND);
    assert_eq!(fetch(&running, "readers", place).await.committed_offset, 1);
    running.stop().await;
}

#[tokio::test]
async fn one_topic_that_is_wrong_spares_the_others() {
    let folder = Folder::new();
    let running = folder.start(&[("offset.metadata.max.bytes", "3")]).await;
    create_topic(&running, "orders", 1).await;
    find(&running, "readers").await;
    // The note is longer than it may be.
    let refused = commit_simply(&running, "readers", ("orders", 0), 5).await;
    assert_eq!(refused, ErrorCode::OFFSET_METADATA_TOO_LARGE);
    let partition = OffsetCommitRequestPartition { committed_offset: 5, ..Default::default() };
    let topic = |name: &str| OffsetCommitRequestTopic {
        name: name.into(),
        partitions: vec![partition.clone()],
        ..Default::default()
    };
    let request = OffsetCommitRequest {
        group_id: "readers".into(),
        topics: vec![topic("nowhere"), topic("orders")],
        ..Default::default()
    };
    let response = running.ask_in(8, &request).await;
    let codes: Vec<_> =
        response.topics.iter().map(|topic| (topic.name.as_str(), topic.partitions[0].error_code)).collect();
    assert_eq!(codes, [("orders", ErrorCode::NONE), ("nowhere", ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)]);
    // And one partition that is not there spares the other.
    let missing = OffsetCommitRequestPartition { partition_index: 1, ..partition.clone() };
    let mut both = topic("orders");
    both.partitions.insert(0, missing);
    let request =
        OffsetCommitRequest { group_id: "readers".into(), topics: vec![both], ..Default::default() };
    let response = running.ask_in(8, &request).await;
    let partitions = response.topics.iter().flat_map(|topic| &topic.partitions);
    let codes: Vec<_> =
        partitions.map(|partition| (partition.partition_index, partition.error_code)).collect();
    assert_eq!(codes, [(0, ErrorCode::NONE), (1, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)]);
    // From version 10 on by id.
    let id = running.node.broker().topics.by_name("orders").unwrap().id;
    let topic = |topic_id| OffsetCommitRequestTopic {
        topic_id,
        partitions: vec![partition.clone()],
        ..Default::default()
    };
    let topics = vec![topic(Uuid([9; 16])), topic(id)];
    let request = OffsetCommitRequest { group_id: "readers".into(), topics, ..Default::default() };
    let response = running.ask_in(10, &request).await;
    let codes: Vec<_> =
        response.topics.iter().map(|topic| (topic.topic_id, topic.partitions[0].error_code)).collect();
    assert_eq!(codes, [(id, ErrorCode::NONE), (Uuid([9; 16]), ErrorCode::UNKNOWN_TOPIC_ID)]);
    running.stop().await;
}

#[tokio::test]
async fn the_oldest_version_tells_errors_on_each_partition() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    let topic = OffsetFetchRequestTopic {
        name: "orders".into(),
        partition_indexes: vec![0, 1],
        ..Default::default()
    };
    let request =
        OffsetFetchRequest { group_id: "readers".into(), topics: Some(vec![topic]), ..Default::default() };
    let response = running.ask_in(1, &request).await;
    let codes: Vec<_> = response.topics[0].partitions.iter().map(|partition| partition.error_code).collect();
    assert_eq!(codes, [ErrorCode::NOT_COORDINATOR; 2]);
    let response = running.ask_in(2, &request).await;
    assert_eq!((response.error_code, response.topics.len()), (ErrorCode::NOT_COORDINATOR, 0));
    running.stop().await;
}

#[tokio::test]
async fn offsets_go_with_their_topic_and_a_new_one_of_the_name_has_none() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    create_topic(&running, "orders", 1).await;
    find(&running, "readers").await;
    assert_eq!(commit_simply(&running, "readers", ("orders", 0), 5).await, ErrorCode::NONE);
    let gone = DeleteTopicState { name: Some("orders".into()), ..Default::default() };
    let request = DeleteTopicsRequest { topics: vec![gone], timeout_ms: 1_000, ..Default::default() };
    assert_eq!(running.ask(&request).await.responses[0].error_code, ErrorCode::NONE);
    create_topic(&running, "orders", 1).await;
    assert_eq!(fetch(&running, "readers", ("orders", 0)).await.committed_offset, -1);
    running.stop().await;
    let running = folder.start(&[]).await;
    let request = OffsetFetchRequest { group_id: "readers".into(), topics: None, ..Default::default() };
    let response = loop {
        let response = running.ask_in(7, &request).await;
        if response.error_code != ErrorCode::COORDINATOR_LOAD_IN_PROGRESS {
            break response;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!((response.error_code, response.topics), (ErrorCode::NONE, Vec::new()));
    running.stop().await;
}

/// A group in a request for several, with the topics it is asked about; all that it has, if there are none.
fn asked(group_id: &str, topics: Option<Vec<OffsetFetchRequestTopics>>) -> OffsetFetchRequestGroup {
    OffsetFetchRequestGroup { group_id: group_id.into(), topics, ..Default::default() }
}

/// A partition as it is answered: its topic by name and id, and its offset and code.
type Found = (String, Uuid, i32, i64, ErrorCode);

fn found(group: &OffsetFetchResponseGroup) -> (&str, ErrorCode, Vec<Found>) {
    let partitions = group.topics.iter().flat_map(|topic| {
        topic.partitions.iter().map(|partition| {
            let name = topic.name.to_string();
            let (index, offset) = (partition.partition_index, partition.committed_offset);
            (name, topic.topic_id, index, offset, partition.error_code)
        })
    });
    (group.group_id.as_str(), group.error_code, partitions.collect())
}

/// Two groups that have committed, one of them with a member of the new protocol.
async fn with_two_groups(folder: &Folder) -> Running {
    let running = folder.start(&[]).await;
    create_topic(&running, "orders", 2).await;
    create_topic(&running, "bills", 1).await;
    find(&running, "readers").await;
    for (group, place, offset) in
        [("readers", ("orders", 1), 11), ("readers", ("bills", 0), 12), ("modern", ("orders", 0), 13)]
    {
        assert_eq!(commit_simply(&running, group, place, offset).await, ErrorCode::NONE);
    }
    join_modern(&running).await;
    running
}

#[tokio::test]
async fn of_several_groups_each_has_its_own_answer_and_its_own_error() {
    let folder = Folder::new();
    let running = with_two_groups(&folder).await;
    let orders = |partition_indexes: Vec<i32>| {
        let topic =
            OffsetFetchRequestTopics { name: "orders".into(), partition_indexes, ..Default::default() };
        Some(vec![topic])
    };
    let stranger = OffsetFetchRequestGroup {
        member_id: Some("two".into()),
        member_epoch: 1,
        ..asked("modern", orders(vec![0]))
    };
    let groups = vec![
        asked("readers", orders(vec![0, 1])),
        stranger,
        asked("nobody", orders(vec![0])),
        asked("nobody", None),
        asked("readers", None),
        asked("modern", orders(vec![0])),
    ];
    let request = OffsetFetchRequest { groups, ..Default::default() };
    let of = |name: &str, index, offset| (name.to_owned(), Uuid::ZERO, index, offset, ErrorCode::NONE);
    let response = running.ask_in(9, &request).await;
    let mut groups: Vec<_> = response.groups.iter().map(found).collect();
    groups[4].2.sort_by_key(|found| std::cmp::Reverse(found.3));
    let expected = [
        ("readers", ErrorCode::NONE, vec![of("orders", 0, -1), of("orders", 1, 11)]),
        ("modern", ErrorCode::UNKNOWN_MEMBER_ID, Vec::new()),
        ("nobody", ErrorCode::NONE, vec![of("orders", 0, -1)]),
        ("nobody", ErrorCode::NONE, Vec::new()),
        ("readers", ErrorCode::NONE, vec![of("bills", 0, 12), of("orders", 1, 11)]),
        ("modern", ErrorCode::NONE, vec![of("orders", 0, 13)]),
    ];
    assert_eq!(groups, expected);
    running.stop().await;
}

#[tokio::test]
async fn from_version_10_on_topics_go_by_id_and_one_that_is_unknown_spares_the_others() {
    let folder = Folder::new();
    let running = with_two_groups(&folder).await;
    let id = |name: &str| running.node.broker().topics.by_name(name).unwrap().id;
    let topic = |topic_id, partition_indexes| OffsetFetchRequestTopics {
        topic_id,
        partition_indexes,
        ..Default::default()
    };
    let (orders, bills, unknown) = (id("orders"), id("bills"), Uuid([9; 16]));
    let stranger = OffsetFetchRequestGroup {
        member_id: Some("one".into()),
        member_epoch: 99,
        ..asked("modern", Some(vec![topic(orders, vec![0]), topic(unknown, vec![0])]))
    };
    let groups = vec![
        asked("readers", Some(vec![topic(unknown, vec![0, 3]), topic(orders, vec![1])])),
        asked("readers", None),
        stranger,
        asked("modern", None),
    ];
    let response = running.ask_in(10, &OffsetFetchRequest { groups, ..Default::default() }).await;
    let mut groups: Vec<_> = response.groups.iter().map(found).collect();
    groups[1].2.sort_by_key(|found| found.3);
    let of = |id, index, offset| (String::new(), id, index, offset, ErrorCode::NONE);
    let missing = |index| (String::new(), unknown, index, -1, ErrorCode::UNKNOWN_TOPIC_ID);
    let expected = [
        ("readers", ErrorCode::NONE, vec![of(orders, 1, 11), missing(0), missing(3)]),
        ("readers", ErrorCode::NONE, vec![of(orders, 1, 11), of(bills, 0, 12)]),
        ("modern", ErrorCode::STALE_MEMBER_EPOCH, Vec::new()),
        ("modern", ErrorCode::NONE, vec![of(orders, 0, 13)]),
    ];
    assert_eq!(groups, expected);
    // What is gone is not told of, though it was committed.
    let gone = DeleteTopicState { name: Some("bills".into()), ..Default::default() };
    let request = DeleteTopicsRequest { topics: vec![gone], timeout_ms: 1_000, ..Default::default() };
    assert_eq!(running.ask(&request).await.responses[0].error_code, ErrorCode::NONE);
    let groups = vec![asked("readers", None), asked("readers", Some(vec![topic(bills, vec![0])]))];
    let response = running.ask_in(10, &OffsetFetchRequest { groups, ..Default::default() }).await;
    let unknown = (String::new(), bills, 0, -1, ErrorCode::UNKNOWN_TOPIC_ID);
    let expected =
        [("readers", ErrorCode::NONE, vec![of(orders, 1, 11)]), ("readers", ErrorCode::NONE, vec![unknown])];
    assert_eq!(response.groups.iter().map(found).collect::<Vec<_>>(), expected);
    running.stop().await;
}
