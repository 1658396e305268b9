//! Topics that somebody may not see who may do all else: named to the APIs of groups and transactions, and by their ids
//! to all that take these.

use std::sync::Arc;

use strandline_protocol::apis::add_partitions_to_txn::{AddPartitionsToTxnRequest, AddPartitionsToTxnTopic};
use strandline_protocol::apis::consumer_group_heartbeat::ConsumerGroupHeartbeatRequest;
use strandline_protocol::apis::delete_topics::{DeleteTopicState, DeleteTopicsRequest};
use strandline_protocol::apis::fetch::FetchRequest;
use strandline_protocol::apis::metadata::{MetadataRequest, MetadataRequestTopic};
use strandline_protocol::apis::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use strandline_protocol::apis::offset_delete::{
    OffsetDeleteRequest, OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use strandline_protocol::apis::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use strandline_protocol::apis::produce::ProduceRequest;
use strandline_protocol::apis::txn_offset_commit::{
    TxnOffsetCommitRequest, TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use strandline_protocol::{ErrorCode, Request, Uuid};
use strandline_state::groups::Command;
use strandline_state::metadata::decide::{CreateTopics, NewTopic};

use super::asking::{GROUP, Own, TOPIC, TRANSACTIONAL_ID};
use super::denying::{Deny, NOT_THERE, THERE, assert_silent};
use super::unavailable::World;
use super::{Rig, batch, fetch_request, produce_request, whole};
use crate::api::Reply;
use crate::authorize::{Operation, Resource};

/// A partition that is there, and one that is not.
const PARTITIONS: [i32; 2] = [0, 7];

/// A group that got somewhere in a topic that is there, and a transaction that is open, for one who may not see it.
async fn world() -> (World, Uuid) {
    let mut world = World::new().await;
    let metadata = Arc::clone(&world.rig.broker.metadata);
    let topic_id = metadata.new_id();
    let topic = NewTopic {
        name: THERE.into(),
        topic_id,
        partition_count: 1,
        replication_factor: 1,
        ..NewTopic::default()
    };
    let command = CreateTopics { topics: vec![topic], validate_only: false, settings: metadata.settings() };
    assert!(metadata.run(command).await.unwrap()[0].result.is_ok());
    let committed = world.rig.call(9, &offset_commit(THERE)).await;
    let mut codes = committed.topics.iter().flat_map(|topic| &topic.partitions).map(|found| found.error_code);
    assert!(codes.any(|code| code == ErrorCode::NONE), "the group got there");
    drop(metadata);
    world.rig.broker().authorizer = Arc::new(Deny(|_, resource| matches!(resource, Resource::Topic(_))));
    (world, topic_id)
}

#[tokio::test]
async fn groups_and_transactions_tell_nothing_of_topics_that_one_may_not_see() {
    let (world, _) = world().await;
    let (rig, own) = (&world.rig, world.own);
    assert_silent(rig, 2..=9, offset_commit).await;
    assert_silent(rig, 1..=7, offset_fetch).await;
    assert_silent(rig, 8..=9, offset_fetch_of_groups).await;
    assert_silent(rig, 0..=0, offset_delete).await;
    assert_silent(rig, 0..=5, |name| txn_offset_commit(name, own)).await;
    assert_silent(rig, 0..=3, |name| add_partitions_to_txn(name, own)).await;
    for version in 0..=1 {
        let there = rig.call(version, &consumer_group_heartbeat(THERE)).await;
        let not_there = rig.call(version, &consumer_group_heartbeat(NOT_THERE)).await;
        assert_eq!(there.error_code, ErrorCode::TOPIC_AUTHORIZATION_FAILED);
        assert_eq!(there, not_there);
    }
}

/// What a pattern finds is assigned to whoever has it, so that it finds nothing that one may not see.
#[tokio::test]
async fn a_pattern_finds_only_what_one_may_see() {
    let (mut world, hidden) = world().await;
    let image = world.rig.broker.metadata.image();
    let seen = image.topic(TOPIC).unwrap().id();
    let told =
        || Command::MetadataChanged { image: Arc::clone(&image), changed: Vec::new(), deleted: Vec::new() };
    world.rig.broker.groups.tell_all(told).await;
    world.rig.broker().authorizer = Arc::new(Deny(|operation, resource| {
        operation == Operation::Describe && resource == Resource::Topic(THERE)
    }));
    for (group, pattern, expected) in [("all", ".*", vec![seen]), ("one", THERE, vec![])] {
        let mut request = consumer_group_heartbeat("");
        request.group_id = group.into();
        request.subscribed_topic_names = None;
        request.subscribed_topic_regex = Some(pattern.into());
        let response = world.rig.call(1, &request).await;
        assert_eq!(response.error_code, ErrorCode::NONE);
        let assigned = response.assignment.unwrap().topic_partitions.into_iter();
        let assigned: Vec<_> =
            assigned.map(|topic| topic.topic_id).filter(|id| [seen, hidden].contains(id)).collect();
        assert_eq!(assigned, expected, "{pattern}");
    }
}

/// The answer about an id, in which the name of the topic does not stand.
async fn nameless<R: Request>(rig: &Rig, version: i16, request: R) -> R::Response {
    let Reply::Send { frame, .. } = rig.reply(version, &request).await else { panic!("no answer") };
    let bytes = whole(frame.into_pieces());
    let named = bytes.windows(THERE.len()).any(|window| window == THERE.as_bytes());
    assert!(!named, "{:?} v{version} tells the name of an id", R::KEY);
    rig.call(version, &request).await
}

/// Who knows an id learns that it is some topic's, which is no secret in Kafka, and not which.
#[tokio::test]
async fn no_answer_tells_the_name_of_an_id() {
    let (world, id) = world().await;
    let (rig, denied) = (&world.rig, ErrorCode::TOPIC_AUTHORIZATION_FAILED);
    for version in 12..=13 {
        let topic = &nameless(rig, version, metadata(id)).await.topics[0];
        assert_eq!((topic.error_code, topic.topic_id, &topic.name), (denied, id, &None));
    }
    let topic = &nameless(rig, 6, delete_topics(id)).await.responses[0];
    assert_eq!((topic.error_code, topic.topic_id, &topic.name), (denied, id, &None));
    let produced = nameless(rig, 13, produce(id)).await;
    assert!(produced.responses[0].partition_responses.iter().all(|found| found.error_code == denied));
    for version in 13..=18 {
        let fetched = nameless(rig, version, fetch(id)).await;
        assert!(fetched.responses[0].partitions.iter().all(|found| found.error_code == denied));
    }
    let mut commit = offset_commit("");
    commit.topics[0].topic_id = id;
    let committed = nameless(rig, 10, commit).await;
    assert!(committed.topics[0].partitions.iter().all(|found| found.error_code == denied));
    let mut ask = offset_fetch_of_groups("");
    ask.groups[0].topics.as_mut().unwrap()[0].topic_id = id;
    let found = nameless(rig, 10, ask).await;
    assert!(found.groups[0].topics[0].partitions.iter().all(|found| found.error_code == denied));
}

fn metadata(topic_id: Uuid) -> MetadataRequest {
    let topic = MetadataRequestTopic { topic_id, name: None, ..Default::default() };
    MetadataRequest { topics: Some(vec![topic]), ..Default::default() }
}

fn delete_topics(topic_id: Uuid) -> DeleteTopicsRequest {
    let topic = DeleteTopicState { topic_id, name: None, ..Default::default() };
    DeleteTopicsRequest { topics: vec![topic], ..Default::default() }
}

fn produce(topic_id: Uuid) -> ProduceRequest {
    let mut request = produce_request("", 1, PARTITIONS.map(|index| (index, batch(&[b"a"]))));
    request.topic_data[0].topic_id = topic_id;
    request
}

fn fetch(topic_id: Uuid) -> FetchRequest {
    let mut request = fetch_request("", &PARTITIONS.map(|index| (index, 0)));
    request.topics[0].topic_id = topic_id;
    request
}

fn offset_commit(name: &str) -> OffsetCommitRequest {
    let partitions = PARTITIONS.map(|partition_index| OffsetCommitRequestPartition {
        partition_index,
        committed_offset: 1,
        ..Default::default()
    });
    let topic =
        OffsetCommitRequestTopic { name: name.into(), partitions: partitions.into(), ..Default::default() };
    let generation_id_or_member_epoch = -1;
    let group_id = GROUP.into();
    OffsetCommitRequest { group_id, generation_id_or_member_epoch, topics: vec![topic], ..Default::default() }
}

fn offset_fetch(name: &str) -> OffsetFetchRequest {
    let topic = OffsetFetchRequestTopic {
        name: name.into(),
        partition_indexes: PARTITIONS.into(),
        ..Default::default()
    };
    OffsetFetchRequest { group_id: GROUP.into(), topics: Some(vec![topic]), ..Default::default() }
}

fn offset_fetch_of_groups(name: &str) -> OffsetFetchRequest {
    let topic = OffsetFetchRequestTopics {
        name: name.into(),
        partition_indexes: PARTITIONS.into(),
        ..Default::default()
    };
    let topics = Some(vec![topic]);
    let group = OffsetFetchRequestGroup { group_id: GROUP.into(), topics, ..Default::default() };
    OffsetFetchRequest { groups: vec![group], ..Default::default() }
}

fn offset_delete(name: &str) -> OffsetDeleteRequest {
    let partitions = PARTITIONS.map(|partition_index| OffsetDeleteRequestPartition { partition_index });
    let topic = OffsetDeleteRequestTopic { name: name.into(), partitions: partitions.into() };
    OffsetDeleteRequest { group_id: GROUP.into(), topics: vec![topic] }
}

fn txn_offset_commit(name: &str, own: Own) -> TxnOffsetCommitRequest {
    let partitions = PARTITIONS.map(|partition_index| TxnOffsetCommitRequestPartition {
        partition_index,
        committed_offset: 1,
        ..Default::default()
    });
    let topic = TxnOffsetCommitRequestTopic {
        name: name.into(),
        partitions: partitions.into(),
        ..Default::default()
    };
    TxnOffsetCommitRequest {
        transactional_id: TRANSACTIONAL_ID.into(),
        group_id: GROUP.into(),
        producer_id: own.id,
        producer_epoch: own.epoch,
        generation_id: -1,
        topics: vec![topic],
        ..Default::default()
    }
}

fn add_partitions_to_txn(name: &str, own: Own) -> AddPartitionsToTxnRequest {
    let topic =
        AddPartitionsToTxnTopic { name: name.into(), partitions: PARTITIONS.into(), ..Default::default() };
    AddPartitionsToTxnRequest {
        v3_and_below_transactional_id: TRANSACTIONAL_ID.into(),
        v3_and_below_producer_id: own.id,
        v3_and_below_producer_epoch: own.epoch,
        v3_and_below_topics: vec![topic],
        ..Default::default()
    }
}

fn consumer_group_heartbeat(name: &str) -> ConsumerGroupHeartbeatRequest {
    ConsumerGroupHeartbeatRequest {
        group_id: "another".into(),
        member_id: "member".into(),
        rebalance_timeout_ms: 1_000,
        subscribed_topic_names: Some(vec![name.into()]),
        topic_partitions: Some(Vec::new()),
        ..Default::default()
    }
}
