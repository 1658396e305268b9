//! Requests as members and administrators send them.

use strandline_protocol::apis::consumer_group_heartbeat::ConsumerGroupHeartbeatRequest;
use strandline_protocol::apis::create_topics::{CreatableTopic, CreateTopicsRequest};
use strandline_protocol::apis::find_coordinator::{Coordinator, FindCoordinatorRequest};
use strandline_protocol::apis::heartbeat::HeartbeatRequest;
use strandline_protocol::apis::join_group::{JoinGroupRequest, JoinGroupRequestProtocol, JoinGroupResponse};
use strandline_protocol::apis::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use strandline_protocol::apis::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopics, OffsetFetchResponsePartitions,
};
use strandline_protocol::apis::sync_group::{
    SyncGroupRequest, SyncGroupRequestAssignment, SyncGroupResponse,
};
use strandline_protocol::{Bytes, ErrorCode, Text};

use crate::support::Running;

/// Settings under which the first rebalance of a group does not wait.
pub(crate) const AT_ONCE: &[(&str, &str)] = &[("group.initial.rebalance.delay.ms", "0")];

pub(crate) async fn find(running: &Running, group: &str) -> Coordinator {
    let request =
        FindCoordinatorRequest { coordinator_keys: vec![group.into()], key_type: 0, ..Default::default() };
    running.ask(&request).await.coordinators.remove(0)
}

pub(crate) async fn create_topic(running: &Running, name: &str, num_partitions: i32) {
    let topic =
        CreatableTopic { name: name.into(), num_partitions, replication_factor: 1, ..Default::default() };
    let request = CreateTopicsRequest { topics: vec![topic], timeout_ms: 1_000, ..Default::default() };
    let created = running.ask(&request).await.topics.remove(0);
    assert_eq!(created.error_code, ErrorCode::NONE);
}

/// A request to join, of a consumer that says `metadata` of itself.
pub(crate) fn joining(group: &str, member_id: &Text, metadata: &'static [u8]) -> JoinGroupRequest {
    let protocol = JoinGroupRequestProtocol {
        name: "range".into(),
        metadata: Bytes::from_static(metadata),
        ..Default::default()
    };
    JoinGroupRequest {
        group_id: group.into(),
        session_timeout_ms: 60_000,
        rebalance_timeout_ms: 60_000,
        member_id: member_id.clone(),
        protocol_type: "consumer".into(),
        protocols: vec![protocol],
        ..Default::default()
    }
}

/// A newcomer's id.
pub(crate) async fn new_member(running: &Running, group: &str) -> Text {
    let response = running.ask(&joining(group, &Text::new(), b"")).await;
    assert_eq!(response.error_code, ErrorCode::MEMBER_ID_REQUIRED);
    response.member_id
}

/// A member that is alone, and has joined.
pub(crate) async fn join_alone(running: &Running, group: &str) -> JoinGroupResponse {
    let member_id = new_member(running, group).await;
    let response = running.ask(&joining(group, &member_id, b"m")).await;
    assert_eq!((response.error_code, &response.leader), (ErrorCode::NONE, &member_id));
    response
}

/// What the leader hands in.
pub(crate) async fn sync(
    running: &Running,
    group: &str,
    joined: &JoinGroupResponse,
    assignments: &[(&Text, &'static [u8])],
) -> SyncGroupResponse {
    let assignments = assignments.iter().map(|(member_id, assignment)| SyncGroupRequestAssignment {
        member_id: (*member_id).clone(),
        assignment: Bytes::from_static(assignment),
        ..Default::default()
    });
    let request = SyncGroupRequest {
        group_id: group.into(),
        generation_id: joined.generation_id,
        member_id: joined.member_id.clone(),
        protocol_type: joined.protocol_type.clone(),
        protocol_name: joined.protocol_name.clone(),
        assignments: assignments.collect(),
        ..Default::default()
    };
    running.ask(&request).await
}

pub(crate) async fn heartbeat(
    running: &Running,
    group: &str,
    member_id: &Text,
    generation: i32,
) -> ErrorCode {
    let request = HeartbeatRequest {
        group_id: group.into(),
        generation_id: generation,
        member_id: member_id.clone(),
        ..Default::default()
    };
    running.ask(&request).await.error_code
}

/// Commits for one partition by name, and says what came of it.
pub(crate) async fn commit(
    running: &Running,
    group: &str,
    member: (&Text, i32),
    place: (&str, i32),
    offset: i64,
) -> ErrorCode {
    let partition = OffsetCommitRequestPartition {
        partition_index: place.1,
        committed_offset: offset,
        committed_metadata: Some("note".into()),
        ..Default::default()
    };
    let topic =
        OffsetCommitRequestTopic { name: place.0.into(), partitions: vec![partition], ..Default::default() };
    let request = OffsetCommitRequest {
        group_id: group.into(),
        generation_id_or_member_epoch: member.1,
        member_id: member.0.clone(),
        topics: vec![topic],
        ..Default::default()
    };
    running.ask_in(9, &request).await.topics.remove(0).partitions.remove(0).error_code
}

/// A commit of somebody who is no member.
pub(crate) async fn commit_simply(
    running: &Running,
    group: &str,
    place: (&str, i32),
    offset: i64,
) -> ErrorCode {
    commit(running, group, (&Text::new(), -1), place, offset).await
}

/// What a group committed for one partition.
pub(crate) async fn fetch(
    running: &Running,
    group: &str,
    place: (&str, i32),
) -> OffsetFetchResponsePartitions {
    let topic = OffsetFetchRequestTopics {
        name: place.0.into(),
        partition_indexes: vec![place.1],
        ..Default::default()
    };
    let asked =
        OffsetFetchRequestGroup { group_id: group.into(), topics: Some(vec![topic]), ..Default::default() };
    let request = OffsetFetchRequest { groups: vec![asked], ..Default::default() };
    let mut answered = running.ask_in(9, &request).await.groups.remove(0);
    assert_eq!(answered.error_code, ErrorCode::NONE);
    answered.topics.remove(0).partitions.remove(0)
}

/// Has a member of the new protocol join the group `modern`, which reads `orders`.
pub(crate) async fn join_modern(running: &Running) {
    let request = ConsumerGroupHeartbeatRequest {
        group_id: "modern".into(),
        member_id: "one".into(),
        rebalance_timeout_ms: 60_000,
        subscribed_topic_names: Some(vec!["orders".into()]),
        topic_partitions: Some(Vec::new()),
        ..Default::default()
    };
    assert_eq!(running.ask(&request).await.error_code, ErrorCode::NONE);
}
