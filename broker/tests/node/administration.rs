//! What operators ask of a node: its directory, its quorum, its producers, its features, and moves that one node does not
//! make.

use strandline_protocol::apis::alter_partition_reassignments::{
    AlterPartitionReassignmentsRequest, ReassignablePartition, ReassignableTopic,
};
use strandline_protocol::apis::alter_replica_log_dirs::{
    AlterReplicaLogDir, AlterReplicaLogDirTopic, AlterReplicaLogDirsRequest,
};
use strandline_protocol::apis::describe_log_dirs::{DescribableLogDirTopic, DescribeLogDirsRequest};
use strandline_protocol::apis::describe_producers::{DescribeProducersRequest, TopicRequest};
use strandline_protocol::apis::describe_quorum::{
    DescribeQuorumRequest, RequestPartitionData, RequestTopicData,
};
use strandline_protocol::apis::elect_leaders::{ElectLeadersRequest, TopicPartitions};
use strandline_protocol::apis::init_producer_id::InitProducerIdRequest;
use strandline_protocol::apis::list_partition_reassignments::ListPartitionReassignmentsRequest;
use strandline_protocol::apis::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};
use strandline_protocol::apis::update_features::{FeatureUpdateKey, UpdateFeaturesRequest};
use strandline_protocol::batch::{BatchBuilder, NewRecord};
use strandline_protocol::{ErrorCode, Text, Uuid};

use crate::support::Folder;
use crate::wire::{create, now_ms, produce_value};

#[tokio::test]
async fn a_directory_is_told_with_what_partitions_take_of_it() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    create(&running, "empty", &[]).await;
    create(&running, "full", &[]).await;
    for _ in 0..3 {
        produce_value(&running, "full", &[7; 10_000]).await.unwrap();
    }
    let all = running.ask(&DescribeLogDirsRequest { topics: None, ..Default::default() }).await;
    let directory = &all.results[0];
    assert_eq!(directory.log_dir, running.node.data_dir().display().to_string().as_str());
    assert!(directory.usable_bytes > 0 && directory.total_bytes >= directory.usable_bytes, "{directory:?}");
    let sizes: Vec<_> = directory
        .topics
        .iter()
        .map(|topic| (topic.name.as_str(), topic.partitions[0].partition_size))
        .collect();
    assert_eq!(sizes[0], ("empty", 0));
    assert!(sizes[1].0 == "full" && (30_000..31_000).contains(&sizes[1].1), "{sizes:?}");
    let asked = |name: &str, partitions: Vec<i32>| DescribableLogDirTopic {
        topic: name.into(),
        partitions,
        ..Default::default()
    };
    let some = vec![asked("full", vec![0, 5]), asked("none", vec![0])];
    let some = running.ask(&DescribeLogDirsRequest { topics: Some(some), ..Default::default() }).await;
    let found: Vec<_> =
        some.results[0].topics.iter().map(|topic| (topic.name.as_str(), topic.partitions.len())).collect();
    assert_eq!(found, [("full", 1)]);
    let log_dir = directory.log_dir.clone();
    running.stop().await;

    let running = folder.start(&[]).await;
    let again = running.ask(&DescribeLogDirsRequest { topics: None, ..Default::default() }).await;
    assert_eq!(again.results[0].topics[1].partitions[0].partition_size, sizes[1].1, "as much in segments");
    for (path, index, expected) in [
        (log_dir.as_str(), 0, ErrorCode::NONE),
        (log_dir.as_str(), 5, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION),
        ("/elsewhere", 0, ErrorCode::LOG_DIR_NOT_FOUND),
    ] {
        let topic =
            AlterReplicaLogDirTopic { name: "full".into(), partitions: vec![index], ..Default::default() };
        let dir = AlterReplicaLogDir { path: path.into(), topics: vec![topic], ..Default::default() };
        let answer = running.ask(&AlterReplicaLogDirsRequest { dirs: vec![dir], ..Default::default() }).await;
        assert_eq!(answer.results[0].partitions[0].error_code, expected, "{path} {index}");
    }
    running.stop().await;
}

#[tokio::test]
async fn the_quorum_is_this_node() {
    let folder = Folder::new();
    let running = folder.start(&[("node.id", "7")]).await;
    let request = |name: &str| {
        let partitions = vec![RequestPartitionData { partition_index: 0, ..Default::default() }];
        let topic = RequestTopicData { topic_name: name.into(), partitions, ..Default::default() };
        DescribeQuorumRequest { topics: vec![topic], ..Default::default() }
    };
    let ask = async |name: &str| running.ask(&request(name)).await;
    for version in 0..2 {
        let old = running.ask_in(version, &request("__cluster_metadata")).await;
        assert!(old.nodes.is_empty() && old.topics[0].partitions[0].leader_id == 7, "{old:?}");
    }
    let answer = ask("__cluster_metadata").await;
    let partition = &answer.topics[0].partitions[0];
    let voter = &partition.current_voters[0];
    assert_eq!((partition.error_code, partition.leader_id, voter.replica_id), (ErrorCode::NONE, 7, 7));
    assert!(partition.high_watermark > 0 && voter.log_end_offset == partition.high_watermark);
    assert_ne!(voter.replica_directory_id, Uuid::default());
    assert_eq!(answer.nodes[0].listeners[0].port, running.node.endpoints()[0].port);
    create(&running, "t", &[]).await;
    assert!(
        ask("__cluster_metadata").await.topics[0].partitions[0].high_watermark > partition.high_watermark
    );
    assert_eq!(ask("t").await.topics[0].partitions[0].error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    running.stop().await;
}

#[tokio::test]
async fn partitions_are_led_where_they_should_be_and_go_nowhere() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    create(&running, "t", &[]).await;
    for election_type in [0, 1] {
        let asked = |topic: &str| TopicPartitions {
            topic: topic.into(),
            partitions: vec![0, 3],
            ..Default::default()
        };
        let topic_partitions = Some(vec![asked("t"), asked("none")]);
        let request = ElectLeadersRequest { election_type, topic_partitions, ..Default::default() };
        let answer = running.ask(&request).await;
        let codes = answer.replica_election_results.iter().flat_map(|topic| &topic.partition_result);
        let codes: Vec<_> = codes.map(|partition| partition.error_code).collect();
        let unknown = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
        assert_eq!(codes, [ErrorCode::ELECTION_NOT_NEEDED, unknown, unknown, unknown]);
        let all = ElectLeadersRequest { election_type, topic_partitions: None, ..Default::default() };
        let answer = running.ask(&all).await;
        assert!(answer.error_code == ErrorCode::NONE && answer.replica_election_results.is_empty());
    }
    for (name, replicas, expected) in [
        ("t", Some(vec![1]), ErrorCode::NONE),
        ("t", None, ErrorCode::NO_REASSIGNMENT_IN_PROGRESS),
        ("t", Some(vec![2]), ErrorCode::INVALID_REPLICA_ASSIGNMENT),
        ("t", Some(vec![1, 1]), ErrorCode::INVALID_REPLICA_ASSIGNMENT),
        ("t", Some(Vec::new()), ErrorCode::INVALID_REPLICA_ASSIGNMENT),
        ("none", Some(vec![1]), ErrorCode::UNKNOWN_TOPIC_OR_PARTITION),
    ] {
        let partition = ReassignablePartition { replicas: replicas.clone(), ..Default::default() };
        let topic =
            ReassignableTopic { name: name.into(), partitions: vec![partition], ..Default::default() };
        let request = AlterPartitionReassignmentsRequest { topics: vec![topic], ..Default::default() };
        let answer = running.ask(&request).await;
        assert_eq!(answer.responses[0].partitions[0].error_code, expected, "{name} {replicas:?}");
    }
    let ongoing = running.ask(&ListPartitionReassignmentsRequest::default()).await;
    assert!(ongoing.error_code == ErrorCode::NONE && ongoing.topics.is_empty());
    running.stop().await;
}

#[tokio::test]
async fn producers_are_told_with_their_last_batch() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    create(&running, "t", &[]).await;
    let producer = running
        .ask(&InitProducerIdRequest {
            transactional_id: None,
            producer_id: -1,
            producer_epoch: -1,
            ..Default::default()
        })
        .await;
    assert_eq!(producer.error_code, ErrorCode::NONE);
    let timestamp = now_ms(&running);
    for base_sequence in [0, 2] {
        let mut builder =
            BatchBuilder::new().producer(producer.producer_id, producer.producer_epoch, base_sequence);
        for _ in 0..2 {
            builder.append(&NewRecord { value: Some(b"v"), ..NewRecord::at(timestamp) }).unwrap();
        }
        let records = Some(builder.build().unwrap().into());
        let partition = PartitionProduceData { records, ..Default::default() };
        let topic =
            TopicProduceData { name: "t".into(), partition_data: vec![partition], ..Default::default() };
        let request =
            ProduceRequest { acks: -1, timeout_ms: 1_000, topic_data: vec![topic], ..Default::default() };
        let answer = running.ask_in(12, &request).await;
        assert_eq!(answer.responses[0].partition_responses[0].error_code, ErrorCode::NONE);
    }
    let topic = |name: &str, indexes: &[i32]| TopicRequest {
        name: name.into(),
        partition_indexes: indexes.to_vec(),
        ..Default::default()
    };
    let topics = vec![topic("t", &[0, 4]), topic("none", &[0])];
    let answer = running.ask(&DescribeProducersRequest { topics, ..Default::default() }).await;
    let state = &answer.topics[0].partitions[0].active_producers[0];
    assert_eq!(answer.topics[0].partitions[0].active_producers.len(), 1);
    assert_eq!(
        (state.producer_id, state.last_sequence, state.last_timestamp),
        (producer.producer_id, 3, timestamp)
    );
    assert_eq!((state.coordinator_epoch, state.current_txn_start_offset), (-1, -1));
    let unknown = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
    assert_eq!(answer.topics[0].partitions[1].error_code, unknown);
    assert_eq!(answer.topics[1].partitions[0].error_code, unknown);
    running.stop().await;
}

#[tokio::test]
async fn features_move_between_the_levels_that_there_are() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    let update = |level, upgrade_type| FeatureUpdateKey {
        feature: Text::from("metadata.version"),
        max_version_level: level,
        upgrade_type,
        ..Default::default()
    };
    for (level, upgrade_type, expected) in [
        (29, 1, ErrorCode::NONE),
        (30, 1, ErrorCode::INVALID_UPDATE_VERSION),
        (0, 3, ErrorCode::INVALID_UPDATE_VERSION),
        (20, 1, ErrorCode::INVALID_UPDATE_VERSION),
        (20, 9, ErrorCode::INVALID_REQUEST),
        (20, 2, ErrorCode::NONE),
    ] {
        for (version, validate_only) in [(1, true), (2, false)] {
            let feature_updates = vec![update(level, upgrade_type)];
            let request = UpdateFeaturesRequest { feature_updates, validate_only, ..Default::default() };
            let answer = running.ask_in(version, &request).await;
            let found = answer.results.first().map_or(answer.error_code, |result| result.error_code);
            assert_eq!(found, expected, "{level} {upgrade_type}: {answer:?}");
            // A fault is of the whole in both.
            let is_done = expected == ErrorCode::NONE;
            assert_eq!(answer.results.len(), usize::from(version == 1 && is_done));
            let message = answer.error_message.as_deref().unwrap_or_default();
            let is_of_all = message.starts_with("The update failed for all features since the following");
            assert_eq!(is_of_all, expected == ErrorCode::INVALID_UPDATE_VERSION, "{message}");
        }
    }
    assert_eq!(running.node.broker().metadata.image().feature("metadata.version"), 20);
    running.stop().await;
}
