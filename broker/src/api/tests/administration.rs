//! Topics that are made, changed and described: what is refused, and to whom.

use std::time::Duration;

use strandline_log::disk::simulated::Operation as DiskOperation;
use strandline_protocol::apis::create_partitions::{CreatePartitionsRequest, CreatePartitionsTopic};
use strandline_protocol::apis::create_topics::{CreatableTopic, CreateTopicsRequest};
use strandline_protocol::apis::delete_topics::{DeleteTopicState, DeleteTopicsRequest};
use strandline_protocol::apis::describe_topic_partitions::{
    DescribeTopicPartitionsRequest, RequestCursor, TopicRequest,
};
use strandline_protocol::apis::init_producer_id::InitProducerIdRequest;
use strandline_protocol::apis::metadata::{MetadataRequest, MetadataRequestTopic};
use strandline_protocol::{ErrorCode, Text, Uuid};
use tokio::time::timeout;

use super::Rig;
use super::denying::{Deny, Only};
use crate::authorize::{Authorizer, Operation, Resource};

const TOPIC: &str = "t";

async fn rig() -> Rig {
    let rig = Rig::new();
    rig.found_cluster(TOPIC).await;
    rig
}

async fn rig_for(authorizer: impl Authorizer + 'static) -> Rig {
    let mut rig = rig().await;
    rig.broker().authorizer = std::sync::Arc::new(authorizer);
    rig
}

fn create(names: &[&str], num_partitions: i32) -> CreateTopicsRequest {
    let topics = names.iter().map(|name| CreatableTopic {
        name: (*name).into(),
        num_partitions,
        replication_factor: 1,
        ..Default::default()
    });
    CreateTopicsRequest { topics: topics.collect(), timeout_ms: 60_000, ..Default::default() }
}

fn grow(count: i32) -> CreatePartitionsRequest {
    let topic = CreatePartitionsTopic { name: TOPIC.into(), count, assignments: None, ..Default::default() };
    CreatePartitionsRequest { topics: vec![topic], timeout_ms: 60_000, ..Default::default() }
}

fn delete() -> DeleteTopicsRequest {
    let topic = DeleteTopicState { name: Some(TOPIC.into()), ..Default::default() };
    DeleteTopicsRequest { topics: vec![topic], timeout_ms: 60_000, ..Default::default() }
}

#[tokio::test]
async fn a_request_for_too_many_partitions_makes_none() {
    let rig = rig().await;
    for validate_only in [false, true] {
        let request = CreateTopicsRequest { validate_only, ..create(&["a", "b"], 1_000_000) };
        let topics = rig.call(7, &request).await.topics;
        let codes: Vec<_> = topics.iter().map(|topic| (topic.name.as_str(), topic.error_code)).collect();
        let expected = ["a", "b"].map(|name| (name, ErrorCode::POLICY_VIOLATION));
        assert_eq!(codes, expected);
        let request = CreatePartitionsRequest { validate_only, ..grow(1_000_000) };
        assert_eq!(rig.call(3, &request).await.results[0].error_code, ErrorCode::POLICY_VIOLATION);
    }
    let image = rig.broker.metadata.image();
    assert_eq!((image.topic_count(), image.partition_count()), (1, 1));
}

#[tokio::test]
async fn nobody_waits_longer_for_a_change_than_was_said() {
    const TIMEOUT_MS: i32 = 30;
    let rig = rig().await;
    let stalls: Vec<_> = (1..=8).map(|nth| rig.disk.stall(DiskOperation::Write, nth)).collect();
    let asked = async {
        let request = CreateTopicsRequest { timeout_ms: TIMEOUT_MS, ..create(&["late"], 1) };
        let created = rig.call(7, &request).await.topics[0].error_code;
        let request = CreatePartitionsRequest { timeout_ms: TIMEOUT_MS, ..grow(3) };
        let grown = rig.call(3, &request).await.results[0].error_code;
        let request = DeleteTopicsRequest { timeout_ms: TIMEOUT_MS, ..delete() };
        let deleted = rig.call(6, &request).await.responses[0].error_code;
        [created, grown, deleted]
    };
    let codes = timeout(Duration::from_secs(20), asked).await.expect("it waits for the disk");
    assert_eq!(codes, [ErrorCode::REQUEST_TIMED_OUT; 3]);
    drop(stalls);
    // What was decided stands, and what was not is not done.
    let next = timeout(Duration::from_secs(20), rig.call(7, &create(&["next"], 1))).await.unwrap();
    assert_eq!(next.topics[0].error_code, ErrorCode::NONE);
    let image = rig.broker.metadata.image();
    let names: Vec<_> =
        image.topics().map(|topic| (topic.name().as_str(), topic.partition_count())).collect();
    assert_eq!(names, [("late", 1), ("next", 1), (TOPIC, 1)]);
}

#[tokio::test]
async fn who_gives_no_time_for_a_change_gets_it_and_is_told_so() {
    let rig = rig().await;
    for (timeout_ms, count) in [(0, 2), (-1, 3)] {
        let request = CreateTopicsRequest { timeout_ms, ..create(&["new"], 1) };
        let created = rig.call(7, &request).await.topics[0].error_code;
        let request = CreatePartitionsRequest { timeout_ms, ..grow(count) };
        let grown = rig.call(3, &request).await.results[0].error_code;
        let topic = DeleteTopicState { name: Some("new".into()), ..Default::default() };
        let request = DeleteTopicsRequest { topics: vec![topic], timeout_ms, ..Default::default() };
        let deleted = rig.call(6, &request).await.responses[0].error_code;
        assert_eq!([created, grown, deleted], [ErrorCode::NONE; 3], "timeout {timeout_ms}");
    }
}

#[tokio::test]
async fn nobody_waits_for_ever_for_a_topic_that_asking_makes() {
    let rig = rig().await;
    let ask = async |name: &str| {
        let topics = [name, TOPIC];
        let topics =
            topics.map(|name| MetadataRequestTopic { name: Some(name.into()), ..Default::default() });
        let allow_auto_topic_creation = true;
        let request =
            MetadataRequest { topics: Some(topics.into()), allow_auto_topic_creation, ..Default::default() };
        let found = timeout(Duration::from_secs(60), rig.call(12, &request)).await;
        let found = found.expect("it waits for the disk").topics.into_iter();
        found.map(|topic| topic.error_code).collect::<Vec<_>>()
    };
    let stalls: Vec<_> = (1..=8).map(|nth| rig.disk.stall(DiskOperation::Write, nth)).collect();
    tokio::time::pause();
    // The one is begun, and waits for the disk; the other waits for that.
    for name in ["begun", "behind"] {
        assert_eq!(ask(name).await, [ErrorCode::LEADER_NOT_AVAILABLE, ErrorCode::NONE], "{name}");
    }
    tokio::time::resume();
    drop(stalls);
    for name in ["begun", "behind"] {
        assert_eq!(ask(name).await, [ErrorCode::NONE; 2], "{name}");
    }
    // Who cannot have it at all is told so as before.
    assert_eq!(ask("no name").await, [ErrorCode::INVALID_TOPIC_EXCEPTION, ErrorCode::NONE]);
}

#[tokio::test]
async fn who_may_not_make_a_topic_is_told_so_where_asking_would_make_it() {
    let rig = rig_for(Deny(|operation, _| operation == Operation::Create)).await;
    for (version, allow_auto_topic_creation, missing) in [
        (1, true, ErrorCode::TOPIC_AUTHORIZATION_FAILED),
        (12, true, ErrorCode::TOPIC_AUTHORIZATION_FAILED),
        (12, false, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION),
    ] {
        let topics = [TOPIC, "missing"];
        let topics =
            topics.map(|name| MetadataRequestTopic { name: Some(name.into()), ..Default::default() });
        let request =
            MetadataRequest { topics: Some(topics.into()), allow_auto_topic_creation, ..Default::default() };
        let found = rig.call(version, &request).await.topics;
        let codes: Vec<_> = found.iter().map(|topic| topic.error_code).collect();
        assert_eq!(codes, [ErrorCode::NONE, missing], "version {version}");
    }
    assert_eq!(rig.broker.metadata.image().topic_count(), 1);
    // The right to that topic alone is enough.
    let rig = rig_for(Deny(|operation, resource| {
        operation == Operation::Create && resource != Resource::Topic("missing")
    }));
    let topic = MetadataRequestTopic { name: Some("missing".into()), ..Default::default() };
    let request =
        MetadataRequest { topics: Some(vec![topic]), allow_auto_topic_creation: true, ..Default::default() };
    assert_eq!(rig.await.call(12, &request).await.topics[0].error_code, ErrorCode::NONE);
}

#[tokio::test]
async fn ids_are_invalid_where_they_do_not_count_yet() {
    let rig = rig().await;
    let id = rig.broker.metadata.image().topic(TOPIC).unwrap().id();
    let ask = |name: Option<&str>, topic_id| {
        let topic = MetadataRequestTopic { name: name.map(Text::from), topic_id, ..Default::default() };
        let good = MetadataRequestTopic { name: Some(TOPIC.into()), ..Default::default() };
        MetadataRequest { topics: Some(vec![topic, good]), ..Default::default() }
    };
    for version in 10..=11 {
        for request in [ask(None, Uuid::ZERO), ask(None, id), ask(Some(TOPIC), id)] {
            let response = rig.call(version, &request).await;
            let found: Vec<_> = response.topics.iter().map(|topic| topic.error_code).collect();
            assert_eq!(found, [ErrorCode::INVALID_REQUEST; 2], "version {version}: {request:?}");
        }
        assert_eq!(
            rig.call(version, &ask(Some(TOPIC), Uuid::ZERO)).await.topics[0].error_code,
            ErrorCode::NONE
        );
    }
    assert_eq!(rig.call(12, &ask(None, id)).await.topics[0].error_code, ErrorCode::NONE);
}

#[tokio::test]
async fn topics_are_described_by_names_that_could_be_and_from_a_cursor_among_them() {
    let rig = rig().await;
    let ask = async |names: &[&str], cursor: Option<(&str, i32)>| {
        let topics = names.iter().map(|name| TopicRequest { name: (*name).into(), ..Default::default() });
        let cursor = cursor.map(|(name, partition_index)| RequestCursor {
            topic_name: name.into(),
            partition_index,
            ..Default::default()
        });
        let request =
            DescribeTopicPartitionsRequest { topics: topics.collect(), cursor, ..Default::default() };
        let topics = rig.call(0, &request).await.topics.into_iter();
        topics.map(|topic| (topic.name.unwrap().to_string(), topic.error_code)).collect::<Vec<_>>()
    };
    let of = |name: &str, code| (name.to_owned(), code);
    let (none, invalid) = (ErrorCode::NONE, ErrorCode::INVALID_REQUEST);
    let bad = of("a bad name", ErrorCode::INVALID_TOPIC_EXCEPTION);
    let missing = of("missing", ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    assert_eq!(ask(&[TOPIC, "missing", "a bad name"], None).await, [bad, missing, of(TOPIC, none)]);
    assert_eq!(ask(&["a", TOPIC], Some((TOPIC, 0))).await, [of(TOPIC, none)]);
    for cursor in [("b", 0), ("z", 0), (TOPIC, -1)] {
        assert_eq!(ask(&["a", TOPIC], Some(cursor)).await, [of("a", invalid), of(TOPIC, invalid)]);
    }
    // Where all topics are asked for, there is none to say it of, and any name is a place to go on from.
    assert_eq!(ask(&[], Some((TOPIC, -1))).await, []);
    assert_eq!(ask(&[], Some(("b", 0))).await, [of(TOPIC, none)]);
}

#[tokio::test]
async fn whoever_may_write_anywhere_may_number_what_it_writes() {
    let ask = async |rig: Rig| {
        let request = InitProducerIdRequest {
            transactional_id: None,
            producer_id: -1,
            producer_epoch: -1,
            ..Default::default()
        };
        rig.call(5, &request).await.error_code
    };
    let to_topic = |operation, resource: Resource<'_>| {
        operation == Operation::Write && matches!(resource, Resource::Topic(_))
    };
    assert_eq!(ask(rig_for(Only(to_topic, "mine")).await).await, ErrorCode::NONE);
    let to_cluster = |operation, resource: Resource<'_>| {
        operation == Operation::IdempotentWrite && resource == Resource::Cluster
    };
    assert_eq!(ask(rig_for(Only(to_cluster, "mine")).await).await, ErrorCode::NONE);
    let refused = ErrorCode::CLUSTER_AUTHORIZATION_FAILED;
    assert_eq!(ask(rig_for(Only(|operation, _| operation == Operation::Read, "mine")).await).await, refused);
    // One who makes no difference between topics needs to say no more.
    let cluster = |_: Operation, resource: Resource<'_>| resource == Resource::Cluster;
    assert_eq!(ask(rig_for(Deny(cluster)).await).await, ErrorCode::NONE);
    assert_eq!(ask(rig_for(Deny(|_, _| true)).await).await, refused);
}
