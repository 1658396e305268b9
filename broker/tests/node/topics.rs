//! Topics from their making to their end.

use strandline_protocol::apis::create_partitions::{CreatePartitionsRequest, CreatePartitionsTopic};
use strandline_protocol::apis::create_topics::{
    CreatableTopic, CreatableTopicConfig, CreatableTopicResult, CreateTopicsRequest,
};
use strandline_protocol::apis::delete_topics::{DeleteTopicState, DeleteTopicsRequest};
use strandline_protocol::apis::describe_topic_partitions::{
    DescribeTopicPartitionsRequest, RequestCursor, TopicRequest,
};
use strandline_protocol::apis::fetch::{FetchPartition, FetchRequest, FetchTopic};
use strandline_protocol::apis::metadata::{MetadataRequest, MetadataRequestTopic, MetadataResponse};
use strandline_protocol::apis::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};
use strandline_protocol::batch::{BatchBuilder, NewRecord, batches};
use strandline_protocol::{ErrorCode, Text};

use crate::support::{Folder, Running};

fn topic(name: &str, num_partitions: i32) -> CreatableTopic {
    CreatableTopic { name: name.into(), num_partitions, replication_factor: 1, ..Default::default() }
}

async fn create(running: &Running, topic: CreatableTopic) -> CreatableTopicResult {
    let request = CreateTopicsRequest { topics: vec![topic], timeout_ms: 1_000, ..Default::default() };
    running.ask(&request).await.topics.remove(0)
}

/// Appends one record, and says at which offset.
async fn produce(running: &Running, name: &str, index: i32) -> Result<i64, ErrorCode> {
    let mut builder = BatchBuilder::new();
    let now_ms = running.node.broker().clock.wall_ms();
    builder.append(&NewRecord { value: Some(b"v"), ..NewRecord::at(now_ms) }).unwrap();
    let records = Some(builder.build().unwrap().into());
    let partition = PartitionProduceData { index, records, ..Default::default() };
    let topic = TopicProduceData { name: name.into(), partition_data: vec![partition], ..Default::default() };
    let request =
        ProduceRequest { acks: -1, timeout_ms: 1_000, topic_data: vec![topic], ..Default::default() };
    let mut response = running.ask_in(12, &request).await;
    let said = response.responses.remove(0).partition_responses.remove(0);
    if said.error_code == ErrorCode::NONE { Ok(said.base_offset) } else { Err(said.error_code) }
}

/// The values of all records from the start of a partition.
async fn fetch(running: &Running, name: &str, partition: i32) -> Vec<Vec<u8>> {
    let partition = FetchPartition { partition, partition_max_bytes: 1 << 20, ..Default::default() };
    let topic = FetchTopic { topic: name.into(), partitions: vec![partition], ..Default::default() };
    let request = FetchRequest { max_bytes: 1 << 20, topics: vec![topic], ..Default::default() };
    let mut response = running.ask_in(12, &request).await;
    let bytes = response.responses.remove(0).partitions.remove(0).records.unwrap();
    let mut values = Vec::new();
    for batch in batches(bytes.as_slice().unwrap()) {
        let batch = batch.unwrap();
        batch.check_crc().unwrap();
        values.extend(batch.records(0).unwrap().iter().map(|record| record.unwrap().value.unwrap().to_vec()));
    }
    values
}

fn names(response: &MetadataResponse) -> Vec<&str> {
    response.topics.iter().map(|topic| topic.name.as_deref().unwrap()).collect()
}

fn asked(name: &str) -> MetadataRequestTopic {
    MetadataRequestTopic { name: Some(name.into()), ..Default::default() }
}

#[tokio::test]
async fn a_topic_that_was_made_is_written_to_and_is_there_after_a_restart() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    let created = create(&running, topic("orders", 3)).await;
    assert_eq!(
        (created.error_code, created.num_partitions, created.replication_factor),
        (ErrorCode::NONE, 3, 1)
    );
    let configs = created.configs.unwrap();
    let retention = configs.iter().find(|config| config.name == "retention.ms").unwrap();
    assert_eq!((retention.value.as_deref(), retention.config_source), (Some("604800000"), 5));
    for index in 0..3 {
        assert_eq!(produce(&running, "orders", index).await, Ok(0));
    }
    running.stop().await;
    let running = folder.start(&[]).await;
    let all = running.ask(&MetadataRequest { topics: None, ..Default::default() }).await;
    assert_eq!(names(&all), ["orders"]);
    assert_eq!(all.topics[0].topic_id, created.topic_id);
    assert_eq!(all.topics[0].partitions.len(), 3);
    assert_eq!(fetch(&running, "orders", 2).await, [b"v"], "from a segment");
    assert_eq!(produce(&running, "orders", 2).await, Ok(1));
    assert_eq!(fetch(&running, "orders", 1).await, [b"v"]);
    running.stop().await;
}

#[tokio::test]
async fn what_cannot_be_made_is_refused_with_kafkas_codes() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    assert_eq!(create(&running, topic("a.b", 1)).await.error_code, ErrorCode::NONE);
    let replicated = CreatableTopic { replication_factor: 3, ..topic("r", 1) };
    let config =
        CreatableTopicConfig { name: "retention.m".into(), value: Some("1".into()), ..Default::default() };
    let configured = CreatableTopic { configs: vec![config], ..topic("c", 1) };
    for (wanted, expected) in [
        (topic("a.b", 1), ErrorCode::TOPIC_ALREADY_EXISTS),
        (topic("a_b", 1), ErrorCode::INVALID_TOPIC_EXCEPTION),
        (topic("../x", 1), ErrorCode::INVALID_TOPIC_EXCEPTION),
        (topic("", 1), ErrorCode::INVALID_TOPIC_EXCEPTION),
        (topic(&"x".repeat(250), 1), ErrorCode::INVALID_TOPIC_EXCEPTION),
        (topic("zero", 0), ErrorCode::INVALID_PARTITIONS),
        (replicated, ErrorCode::INVALID_REPLICATION_FACTOR),
        (configured, ErrorCode::INVALID_CONFIG),
    ] {
        let name = wanted.name.clone();
        let refused = create(&running, wanted).await;
        assert_eq!(refused.error_code, expected, "{name}: {:?}", refused.error_message);
    }
    let twice = CreateTopicsRequest { topics: vec![topic("t", 1), topic("t", 2)], ..Default::default() };
    assert_eq!(running.ask(&twice).await.topics[0].error_code, ErrorCode::INVALID_REQUEST);
    let validated =
        CreateTopicsRequest { topics: vec![topic("v", 1)], validate_only: true, ..Default::default() };
    assert_eq!(running.ask(&validated).await.topics[0].error_code, ErrorCode::NONE);
    let all = running.ask(&MetadataRequest { topics: None, ..Default::default() }).await;
    assert_eq!(names(&all), ["a.b"]);
    running.stop().await;
}

#[tokio::test]
async fn a_topic_that_went_is_gone_and_its_name_is_free() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    let first = create(&running, topic("orders", 2)).await.topic_id;
    assert_eq!(produce(&running, "orders", 0).await, Ok(0));
    let by_id = DeleteTopicState { topic_id: first, ..Default::default() };
    let request = DeleteTopicsRequest { topics: vec![by_id.clone()], ..Default::default() };
    let deleted = running.ask(&request).await.responses.remove(0);
    assert_eq!((deleted.error_code, deleted.name.as_deref()), (ErrorCode::NONE, Some("orders")));
    assert_eq!(running.ask(&request).await.responses[0].error_code, ErrorCode::UNKNOWN_TOPIC_ID);
    assert_eq!(produce(&running, "orders", 0).await, Err(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION));
    let second = create(&running, topic("orders", 1)).await.topic_id;
    assert_ne!(first, second);
    assert_eq!(produce(&running, "orders", 0).await, Ok(0), "nothing is left of the first one");
    running.stop().await;
    let running = folder.start(&[]).await;
    assert_eq!(running.node.broker().storage.places().len(), 1, "the first one's logs are gone for good");
    assert_eq!(produce(&running, "orders", 0).await, Ok(1));
    let by_name =
        DeleteTopicsRequest { topic_names: vec!["orders".into(), "none".into()], ..Default::default() };
    let codes: Vec<_> =
        running.ask_in(5, &by_name).await.responses.iter().map(|response| response.error_code).collect();
    assert_eq!(codes, [ErrorCode::NONE, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION]);
    running.stop().await;
}

#[tokio::test]
async fn topics_are_deleted_only_where_that_is_allowed() {
    let folder = Folder::new();
    let running = folder.start(&[("delete.topic.enable", "false")]).await;
    create(&running, topic("t", 1)).await;
    let request = DeleteTopicsRequest { topic_names: vec!["t".into()], ..Default::default() };
    for (version, expected) in [(2, ErrorCode::INVALID_REQUEST), (3, ErrorCode::TOPIC_DELETION_DISABLED)] {
        assert_eq!(running.ask_in(version, &request).await.responses[0].error_code, expected);
    }
    running.stop().await;
}

#[tokio::test]
async fn asking_makes_a_topic_where_both_sides_allow_it() {
    let folder = Folder::new();
    let running = folder.start(&[("num.partitions", "2")]).await;
    let ask = |name: &str, allow_auto_topic_creation| MetadataRequest {
        topics: Some(vec![asked(name)]),
        allow_auto_topic_creation,
        ..Default::default()
    };
    let forbidden = running.ask(&ask("no", false)).await;
    assert_eq!(forbidden.topics[0].error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    let made = running.ask(&ask("yes", true)).await;
    assert_eq!((made.topics[0].error_code, made.topics[0].partitions.len()), (ErrorCode::NONE, 2));
    assert_eq!(produce(&running, "yes", 1).await, Ok(0), "it can be written to at once");
    let bad = running.ask(&ask("not/a/name", true)).await;
    assert_eq!(bad.topics[0].error_code, ErrorCode::INVALID_TOPIC_EXCEPTION);
    let by_id = MetadataRequestTopic { topic_id: made.topics[0].topic_id, name: None, ..Default::default() };
    let found = running.ask(&MetadataRequest { topics: Some(vec![by_id]), ..Default::default() }).await;
    assert_eq!(found.topics[0].name.as_deref(), Some("yes"));
    running.stop().await;
    let running = folder.start(&[("auto.create.topics.enable", "false")]).await;
    let off = running.ask(&ask("off", true)).await;
    assert_eq!(off.topics[0].error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    running.stop().await;
}

#[tokio::test]
async fn all_topics_are_asked_for_differently_in_version_0() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    create(&running, topic("t", 1)).await;
    let empty = MetadataRequest { topics: Some(Vec::new()), ..Default::default() };
    assert_eq!(names(&running.ask_in(0, &empty).await), ["t"]);
    assert!(running.ask_in(1, &empty).await.topics.is_empty());
    let null = MetadataRequest { topics: None, ..Default::default() };
    let all = running.ask_in(8, &null).await;
    assert_eq!(names(&all), ["t"]);
    assert_eq!(all.topics[0].topic_authorized_operations, i32::MIN, "nobody asked");
    let operations = MetadataRequest { include_topic_authorized_operations: true, ..null };
    assert!(running.ask_in(8, &operations).await.topics[0].topic_authorized_operations > 0);
    running.stop().await;
}

#[tokio::test]
async fn partitions_are_added_and_never_taken_away() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    create(&running, topic("t", 2)).await;
    let grow = |count| CreatePartitionsRequest {
        topics: vec![CreatePartitionsTopic {
            name: "t".into(),
            count,
            assignments: None,
            ..Default::default()
        }],
        ..Default::default()
    };
    for (count, expected) in
        [(1, ErrorCode::INVALID_PARTITIONS), (2, ErrorCode::INVALID_PARTITIONS), (5, ErrorCode::NONE)]
    {
        assert_eq!(running.ask(&grow(count)).await.results[0].error_code, expected, "{count}");
    }
    assert_eq!(produce(&running, "t", 4).await, Ok(0), "it can be written to at once");
    running.stop().await;
}

#[tokio::test]
async fn topics_are_described_page_by_page() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    for (name, partitions) in [("b", 3), ("a", 2), ("c", 1)] {
        create(&running, topic(name, partitions)).await;
    }
    let mut cursor = None;
    let mut seen: Vec<(Text, i32)> = Vec::new();
    for page in 0.. {
        let request = DescribeTopicPartitionsRequest {
            response_partition_limit: 2,
            cursor: cursor.clone(),
            ..Default::default()
        };
        let response = running.ask(&request).await;
        for topic in &response.topics {
            let partitions = topic.partitions.iter();
            seen.extend(partitions.map(|partition| (topic.name.clone().unwrap(), partition.partition_index)));
        }
        let Some(next) = response.next_cursor else {
            assert_eq!(page, 2);
            break;
        };
        let (topic_name, partition_index) = (next.topic_name, next.partition_index);
        cursor = Some(RequestCursor { topic_name, partition_index, ..Default::default() });
    }
    let seen: Vec<_> = seen.iter().map(|(name, index)| (name.as_str(), *index)).collect();
    assert_eq!(seen, [("a", 0), ("a", 1), ("b", 0), ("b", 1), ("b", 2), ("c", 0)]);
    let topics = vec![TopicRequest { name: "none".into(), ..Default::default() }];
    let missing = running.ask(&DescribeTopicPartitionsRequest { topics, ..Default::default() }).await;
    assert_eq!(missing.topics[0].error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    running.stop().await;
}
