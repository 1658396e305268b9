//! The topic that groups are kept in: made when it is first needed, and not like others.

use std::collections::BTreeSet;

use strandline_broker::storage::TopicPartition;
use strandline_log::config::Durability;
use strandline_protocol::ErrorCode;
use strandline_protocol::apis::create_partitions::{CreatePartitionsRequest, CreatePartitionsTopic};
use strandline_protocol::apis::describe_configs::{DescribeConfigsRequest, DescribeConfigsResource};
use strandline_protocol::apis::find_coordinator::{Coordinator, FindCoordinatorRequest};
use strandline_protocol::apis::incremental_alter_configs::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};
use strandline_protocol::apis::metadata::{MetadataRequest, MetadataRequestTopic, MetadataResponseTopic};
use strandline_protocol::apis::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};
use strandline_protocol::batch::{BatchBuilder, NewRecord};

use crate::requests::{commit_simply, create_topic, fetch, find};
use crate::support::{Folder, Running};

/// The internal topics, with the kind of key that FindCoordinator finds them by.
const TOPICS: [(&str, i8); 2] = [("__consumer_offsets", 0), ("__transaction_state", 1)];

async fn described(running: &Running, name: &str) -> MetadataResponseTopic {
    let name = Some(name.into());
    let topics = Some(vec![MetadataRequestTopic { name, ..Default::default() }]);
    let request = MetadataRequest { topics, allow_auto_topic_creation: false, ..Default::default() };
    running.ask(&request).await.topics.remove(0)
}

async fn offsets_topic(running: &Running) -> MetadataResponseTopic {
    described(running, "__consumer_offsets").await
}

async fn find_by(running: &Running, key_type: i8) -> Coordinator {
    let request =
        FindCoordinatorRequest { coordinator_keys: vec!["k".into()], key_type, ..Default::default() };
    running.ask(&request).await.coordinators.remove(0)
}

#[tokio::test]
async fn the_first_question_for_a_coordinator_makes_its_topic() {
    for (name, key_type) in TOPICS {
        let folder = Folder::new();
        let running = folder.start(&[]).await;
        assert_eq!(described(&running, name).await.error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
        let found = find_by(&running, key_type).await;
        let endpoint = &running.node.endpoints()[0];
        assert_eq!((found.error_code, found.node_id, &found.host), (ErrorCode::NONE, 1, &endpoint.host));
        assert_eq!(found.port, i32::from(endpoint.port));
        let topic = described(&running, name).await;
        assert_eq!(
            (topic.error_code, topic.is_internal, topic.partitions.len()),
            (ErrorCode::NONE, true, 50)
        );
        let resource =
            DescribeConfigsResource { resource_type: 2, resource_name: name.into(), ..Default::default() };
        let request = DescribeConfigsRequest { resources: vec![resource], ..Default::default() };
        let response = running.ask(&request).await;
        let value = |name: &str| {
            let configs = &response.results[0].configs;
            configs.iter().find(|config| config.name == name).unwrap().value.clone().unwrap()
        };
        assert_eq!([value("cleanup.policy"), value("segment.bytes")], ["compact", "104857600"]);
        // The other one is not needed yet.
        let (other, _) = TOPICS[1 - usize::try_from(key_type).unwrap()];
        assert_eq!(described(&running, other).await.error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
        running.stop().await;
    }
}

/// The topics of this broker that have a log of this kind.
fn topics_that_are(running: &Running, durability: Durability) -> BTreeSet<String> {
    let broker = running.node.broker();
    let image = broker.metadata.image();
    let topics = image.topics().filter(|topic| {
        let places = topic.partitions().map(|(index, _)| TopicPartition { topic_id: topic.id(), index });
        let mut logs = places.map(|place| broker.storage.partition(place).unwrap());
        logs.any(|log| log.config().durability == durability)
    });
    topics.map(|topic| topic.name().to_string()).collect()
}

#[tokio::test]
async fn internal_topics_are_synced_whatever_is_set_for_topics_or_for_them() {
    let folder = Folder::new();
    let internal = ["__consumer_offsets", "__transaction_state"];
    let asynchronous = [("strandline.durability", "async")];
    let mut running = folder.start(&asynchronous).await;
    create_topic(&running, "orders", 1).await;
    for key_type in [0, 1] {
        let request =
            FindCoordinatorRequest { coordinator_keys: vec!["k".into()], key_type, ..Default::default() };
        assert_eq!(running.ask(&request).await.coordinators[0].error_code, ErrorCode::NONE);
    }
    let is_so = |running: &Running| {
        assert_eq!(topics_that_are(running, Durability::Fsync), internal.map(String::from).into());
        assert_eq!(topics_that_are(running, Durability::Async), ["orders".to_owned()].into());
    };
    is_so(&running);
    for name in internal {
        let config = AlterableConfig {
            name: "strandline.durability".into(),
            value: Some("async".into()),
            ..Default::default()
        };
        let resource = AlterConfigsResource {
            resource_type: 2,
            resource_name: name.into(),
            configs: vec![config],
            ..Default::default()
        };
        let request = IncrementalAlterConfigsRequest { resources: vec![resource], ..Default::default() };
        // Whether that is refused or comes to nothing.
        running.ask(&request).await;
    }
    is_so(&running);
    running.stop().await;
    running = folder.start(&asynchronous).await;
    is_so(&running);
    running.stop().await;
}

#[tokio::test]
async fn the_topic_is_made_as_it_is_set() {
    let folder = Folder::new();
    let running = folder.start(&[("offsets.topic.num.partitions", "3")]).await;
    create_topic(&running, "orders", 1).await;
    find(&running, "readers").await;
    assert_eq!(offsets_topic(&running).await.partitions.len(), 3);
    assert_eq!(commit_simply(&running, "readers", ("orders", 0), 4).await, ErrorCode::NONE);
    assert_eq!(fetch(&running, "readers", ("orders", 0)).await.committed_offset, 4);
    running.stop().await;
}

#[tokio::test]
async fn one_that_was_made_by_hand_is_internal_all_the_same() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    create_topic(&running, "__consumer_offsets", 2).await;
    create_topic(&running, "orders", 1).await;
    assert!(offsets_topic(&running).await.is_internal);
    find(&running, "readers").await;
    assert_eq!(commit_simply(&running, "readers", ("orders", 0), 4).await, ErrorCode::NONE);
    running.stop().await;
}

#[tokio::test]
async fn they_keep_their_partitions_and_clients_do_not_write_to_them() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    for (name, key_type) in TOPICS {
        find_by(&running, key_type).await;
        let topic = CreatePartitionsTopic { name: name.into(), count: 60, ..Default::default() };
        let request =
            CreatePartitionsRequest { topics: vec![topic], timeout_ms: 1_000, ..Default::default() };
        let refused = running.ask(&request).await.results.remove(0);
        assert_eq!(refused.error_code, ErrorCode::INVALID_REQUEST, "{name}");
        assert_eq!(described(&running, name).await.partitions.len(), 50, "{name}");

        let mut builder = BatchBuilder::new();
        builder.append(&NewRecord { key: Some(b"k"), ..NewRecord::at(1_700_000_000_000) }).unwrap();
        let records = Some(builder.build().unwrap().into());
        let partition = PartitionProduceData { index: 0, records, ..Default::default() };
        let topic =
            TopicProduceData { name: name.into(), partition_data: vec![partition], ..Default::default() };
        let request =
            ProduceRequest { acks: -1, timeout_ms: 1_000, topic_data: vec![topic], ..Default::default() };
        let refused = running.ask_in(12, &request).await.responses.remove(0).partition_responses.remove(0);
        assert_eq!(refused.error_code, ErrorCode::INVALID_TOPIC_EXCEPTION, "{name}");
        let topic_id = described(&running, name).await.topic_id;
        let log = running.node.broker().storage.partition(TopicPartition { topic_id, index: 0 }).unwrap();
        assert_eq!(log.offsets().end, 0, "{name}");
    }
    running.stop().await;
}

#[tokio::test]
async fn each_version_is_answered_and_unknown_kinds_are_refused() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    for version in 0..=3 {
        let request = FindCoordinatorRequest { key: "readers".into(), ..Default::default() };
        let response = running.ask_in(version, &request).await;
        assert_eq!((response.error_code, response.node_id), (ErrorCode::NONE, 1), "{version}");
    }
    for version in 4..=6 {
        let coordinator_keys = vec!["readers".into(), "others".into()];
        let request = FindCoordinatorRequest { coordinator_keys, ..Default::default() };
        let response = running.ask_in(version, &request).await;
        let keys: Vec<_> =
            response.coordinators.iter().map(|found| (found.key.as_str(), found.node_id)).collect();
        assert_eq!(keys, [("readers", 1), ("others", 1)], "{version}");
    }
    let request = FindCoordinatorRequest { key: "x".into(), key_type: 7, ..Default::default() };
    let response = running.ask_in(3, &request).await;
    assert_eq!((response.error_code, response.node_id, response.port), (ErrorCode::INVALID_REQUEST, -1, -1));
    running.stop().await;
}
