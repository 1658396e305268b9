//! Nobody who may do nothing learns from any answer whether a name exists.

use std::ops::RangeInclusive;
use std::sync::Arc;

use strandline_protocol::apis::alter_configs::{AlterConfigsRequest, AlterConfigsResource};
use strandline_protocol::apis::alter_partition_reassignments::{
    AlterPartitionReassignmentsRequest, ReassignablePartition, ReassignableTopic,
};
use strandline_protocol::apis::alter_replica_log_dirs::{
    AlterReplicaLogDir, AlterReplicaLogDirTopic, AlterReplicaLogDirsRequest,
};
use strandline_protocol::apis::create_partitions::{CreatePartitionsRequest, CreatePartitionsTopic};
use strandline_protocol::apis::create_topics::{CreatableTopic, CreateTopicsRequest};
use strandline_protocol::apis::delete_records::{
    DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic,
};
use strandline_protocol::apis::delete_topics::{DeleteTopicState, DeleteTopicsRequest};
use strandline_protocol::apis::describe_configs::{DescribeConfigsRequest, DescribeConfigsResource};
use strandline_protocol::apis::describe_producers::{self, DescribeProducersRequest};
use strandline_protocol::apis::describe_topic_partitions::{DescribeTopicPartitionsRequest, TopicRequest};
use strandline_protocol::apis::elect_leaders::{ElectLeadersRequest, TopicPartitions};
use strandline_protocol::apis::incremental_alter_configs::{self, IncrementalAlterConfigsRequest};
use strandline_protocol::apis::list_offsets::{ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic};
use strandline_protocol::apis::metadata::{MetadataRequest, MetadataRequestTopic};
use strandline_protocol::apis::offset_for_leader_epoch::{
    OffsetForLeaderEpochRequest, OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use strandline_protocol::{ErrorCode, Request};

use super::{Rig, batch, fetch_request, produce_request, whole};
use crate::api::Reply;
use crate::api::topics::TopicRules;
use crate::authorize::{Authorizer, Operation, Resource};
use crate::context::Call;

/// What is allowed, or is not.
type Rule = fn(Operation, Resource<'_>) -> bool;

/// Lets everybody do all but this.
#[derive(Debug)]
pub(super) struct Deny(pub(super) Rule);

impl Authorizer for Deny {
    fn authorize(&self, _: &Call, operation: Operation, resource: Resource<'_>) -> bool {
        !(self.0)(operation, resource)
    }
}

/// Lets everybody do this and nothing else, where topics are concerned to that of this name.
#[derive(Debug)]
pub(super) struct Only(pub(super) Rule, pub(super) &'static str);

impl Authorizer for Only {
    fn authorize(&self, _: &Call, operation: Operation, resource: Resource<'_>) -> bool {
        let is_other = matches!(resource, Resource::Topic(name) if name != self.1);
        !is_other && (self.0)(operation, resource)
    }

    fn authorize_any_topic(&self, call: &Call, operation: Operation) -> bool {
        self.authorize(call, operation, Resource::Topic(self.1))
    }
}

pub(super) const THERE: &str = "a-topic-there";
pub(super) const NOT_THERE: &str = "no-such-topic";

/// The bytes of the answer about a name, with the name itself left out.
async fn answer<R: Request>(rig: &Rig, version: i16, name: &str, request: R) -> Vec<u8> {
    let Reply::Send { frame, .. } = rig.reply(version, &request).await else { panic!("no answer") };
    let bytes = whole(frame.into_pieces());
    let place = bytes.windows(name.len()).position(|window| window == name.as_bytes());
    let place = place.expect("the answer names the topic");
    [&bytes[..place], &bytes[place + name.len()..]].concat()
}

pub(super) async fn assert_silent<R: Request>(
    rig: &Rig,
    versions: RangeInclusive<i16>,
    ask: impl Fn(&str) -> R,
) {
    for version in versions {
        let there = answer(rig, version, THERE, ask(THERE)).await;
        let not_there = answer(rig, version, NOT_THERE, ask(NOT_THERE)).await;
        assert_eq!(there, not_there, "{:?} v{version}", R::KEY);
    }
}

#[tokio::test]
async fn no_answer_tells_whether_a_name_exists() {
    let mut rig = Rig::new();
    rig.create(THERE, 1, TopicRules::default());
    rig.found_cluster(THERE).await;
    rig.broker().authorizer = Arc::new(Deny(|_, _| true));
    // Each API that is asked by name has its line here, or in `denied_topics` where it is about a group or a transaction.
    assert_silent(&rig, 3..=12, |name| produce_request(name, 1, [(0, batch(&[b"a"])), (7, batch(&[b"b"]))]))
        .await;
    assert_silent(&rig, 4..=12, |name| fetch_request(name, &[(0, 0), (7, 0)])).await;
    assert_silent(&rig, 1..=11, list_offsets).await;
    assert_silent(&rig, 0..=2, delete_records).await;
    assert_silent(&rig, 2..=4, offset_for_leader_epoch).await;
    assert_silent(&rig, 0..=13, metadata).await;
    assert_silent(&rig, 2..=7, create_topics).await;
    assert_silent(&rig, 1..=5, delete_topics_by_name).await;
    assert_silent(&rig, 6..=6, delete_topics).await;
    assert_silent(&rig, 0..=3, create_partitions).await;
    assert_silent(&rig, 1..=4, describe_configs).await;
    assert_silent(&rig, 0..=0, describe_topic_partitions).await;
    assert_silent(&rig, 0..=2, alter_configs).await;
    assert_silent(&rig, 0..=1, incremental_alter_configs).await;
    assert_silent(&rig, 0..=2, elect_leaders).await;
    assert_silent(&rig, 0..=0, describe_producers).await;
    assert_silent(&rig, 1..=2, alter_replica_log_dirs).await;
    // The right to the cluster is what it takes, and without it no topic is named in the answer.
    for version in 0..=1 {
        let there = rig.call(version, &alter_partition_reassignments(THERE)).await;
        let not_there = rig.call(version, &alter_partition_reassignments(NOT_THERE)).await;
        assert_eq!(there.error_code, ErrorCode::CLUSTER_AUTHORIZATION_FAILED);
        assert_eq!(there, not_there);
    }
}

fn metadata(name: &str) -> MetadataRequest {
    let topic = MetadataRequestTopic { name: Some(name.into()), ..Default::default() };
    MetadataRequest { topics: Some(vec![topic]), ..Default::default() }
}

fn create_topics(name: &str) -> CreateTopicsRequest {
    let topic =
        CreatableTopic { name: name.into(), num_partitions: 1, replication_factor: 1, ..Default::default() };
    CreateTopicsRequest { topics: vec![topic], ..Default::default() }
}

fn delete_topics(name: &str) -> DeleteTopicsRequest {
    let topic = DeleteTopicState { name: Some(name.into()), ..Default::default() };
    DeleteTopicsRequest { topics: vec![topic], ..Default::default() }
}

fn delete_topics_by_name(name: &str) -> DeleteTopicsRequest {
    DeleteTopicsRequest { topic_names: vec![name.into()], ..Default::default() }
}

fn create_partitions(name: &str) -> CreatePartitionsRequest {
    let topic = CreatePartitionsTopic { name: name.into(), count: 9, ..Default::default() };
    CreatePartitionsRequest { topics: vec![topic], ..Default::default() }
}

fn describe_configs(name: &str) -> DescribeConfigsRequest {
    let resource =
        DescribeConfigsResource { resource_type: 2, resource_name: name.into(), ..Default::default() };
    DescribeConfigsRequest { resources: vec![resource], ..Default::default() }
}

fn alter_configs(name: &str) -> AlterConfigsRequest {
    let resource =
        AlterConfigsResource { resource_type: 2, resource_name: name.into(), ..Default::default() };
    AlterConfigsRequest { resources: vec![resource], ..Default::default() }
}

fn incremental_alter_configs(name: &str) -> IncrementalAlterConfigsRequest {
    let resource = incremental_alter_configs::AlterConfigsResource {
        resource_type: 2,
        resource_name: name.into(),
        ..Default::default()
    };
    IncrementalAlterConfigsRequest { resources: vec![resource], ..Default::default() }
}

fn elect_leaders(name: &str) -> ElectLeadersRequest {
    let topic = TopicPartitions { topic: name.into(), partitions: vec![0, 7], ..Default::default() };
    ElectLeadersRequest { topic_partitions: Some(vec![topic]), ..Default::default() }
}

fn describe_producers(name: &str) -> DescribeProducersRequest {
    let topic = describe_producers::TopicRequest {
        name: name.into(),
        partition_indexes: vec![0, 7],
        ..Default::default()
    };
    DescribeProducersRequest { topics: vec![topic], ..Default::default() }
}

fn alter_partition_reassignments(name: &str) -> AlterPartitionReassignmentsRequest {
    let partitions = [0, 7].map(|partition_index| ReassignablePartition {
        partition_index,
        replicas: Some(vec![1]),
        ..Default::default()
    });
    let topic = ReassignableTopic { name: name.into(), partitions: partitions.into(), ..Default::default() };
    AlterPartitionReassignmentsRequest { topics: vec![topic], ..Default::default() }
}

fn alter_replica_log_dirs(name: &str) -> AlterReplicaLogDirsRequest {
    let topic = AlterReplicaLogDirTopic { name: name.into(), partitions: vec![0, 7], ..Default::default() };
    let dir = AlterReplicaLogDir { path: "/data".into(), topics: vec![topic], ..Default::default() };
    AlterReplicaLogDirsRequest { dirs: vec![dir], ..Default::default() }
}

fn describe_topic_partitions(name: &str) -> DescribeTopicPartitionsRequest {
    let topics = vec![TopicRequest { name: name.into(), ..Default::default() }];
    DescribeTopicPartitionsRequest { topics, ..Default::default() }
}

fn list_offsets(name: &str) -> ListOffsetsRequest {
    let partitions = [(0, -1), (0, -1), (7, -3)].map(|(partition_index, timestamp)| ListOffsetsPartition {
        partition_index,
        timestamp,
        ..Default::default()
    });
    let topic = ListOffsetsTopic { name: name.into(), partitions: partitions.into(), ..Default::default() };
    ListOffsetsRequest { replica_id: -1, topics: vec![topic], ..Default::default() }
}

fn delete_records(name: &str) -> DeleteRecordsRequest {
    let partitions = [0, 7].map(|partition_index| DeleteRecordsPartition {
        partition_index,
        offset: -1,
        ..Default::default()
    });
    let topic = DeleteRecordsTopic { name: name.into(), partitions: partitions.into(), ..Default::default() };
    DeleteRecordsRequest { topics: vec![topic], ..Default::default() }
}

fn offset_for_leader_epoch(name: &str) -> OffsetForLeaderEpochRequest {
    let partitions = [0, 7].map(|partition| OffsetForLeaderPartition { partition, ..Default::default() });
    let topic =
        OffsetForLeaderTopic { topic: name.into(), partitions: partitions.into(), ..Default::default() };
    OffsetForLeaderEpochRequest { topics: vec![topic], ..Default::default() }
}
