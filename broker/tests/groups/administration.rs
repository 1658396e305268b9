//! What administrators see of groups, and do to them.

use strandline_protocol::apis::consumer_group_describe::ConsumerGroupDescribeRequest;
use strandline_protocol::apis::consumer_group_heartbeat::ConsumerGroupHeartbeatRequest;
use strandline_protocol::apis::delete_groups::DeleteGroupsRequest;
use strandline_protocol::apis::describe_groups::{DescribeGroupsRequest, DescribedGroup};
use strandline_protocol::apis::list_groups::ListGroupsRequest;
use strandline_protocol::apis::offset_delete::{
    OffsetDeleteRequest, OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use strandline_protocol::apis::update_features::{FeatureUpdateKey, UpdateFeaturesRequest};
use strandline_protocol::{ErrorCode, Text};

use crate::requests::{AT_ONCE, commit_simply, create_topic, fetch, find, join_alone, sync};
use crate::support::{Folder, Running};

async fn list(running: &Running, states: &[&str], types: &[&str]) -> Vec<(String, String, String)> {
    let texts = |words: &[&str]| words.iter().map(|word| Text::from(*word)).collect();
    let request =
        ListGroupsRequest { states_filter: texts(states), types_filter: texts(types), ..Default::default() };
    let response = running.ask(&request).await;
    assert_eq!(response.error_code, ErrorCode::NONE);
    let mut groups: Vec<_> = response
        .groups
        .iter()
        .map(|group| {
            let texts = [&group.group_id, &group.group_state, &group.group_type];
            let [id, state, kind] = texts.map(|text| text.as_str().to_owned());
            (id, state, kind)
        })
        .collect();
    groups.sort();
    groups
}

async fn describe(running: &Running, version: i16, group: &str) -> DescribedGroup {
    let request = DescribeGroupsRequest {
        groups: vec![group.into()],
        include_authorized_operations: true,
        ..Default::default()
    };
    running.ask_in(version, &request).await.groups.remove(0)
}

#[tokio::test]
async fn groups_are_listed_by_state_and_type_and_described() {
    let folder = Folder::new();
    let running = folder.start(AT_ONCE).await;
    create_topic(&running, "orders", 1).await;
    find(&running, "readers").await;
    let member = join_alone(&running, "readers").await;
    sync(&running, "readers", &member, &[(&member.member_id, b"all")]).await;
    commit_simply(&running, "simple", ("orders", 0), 1).await;
    let readers = ("readers".to_owned(), "Stable".to_owned(), "classic".to_owned());
    let simple = ("simple".to_owned(), "Empty".to_owned(), "classic".to_owned());
    assert_eq!(list(&running, &[], &[]).await, [readers.clone(), simple.clone()]);
    assert_eq!(list(&running, &["stable"], &[]).await, [readers]);
    assert_eq!(list(&running, &["Empty", "Dead"], &["Classic"]).await, [simple]);
    assert_eq!(list(&running, &[], &["share"]).await, []);

    let group = describe(&running, 6, "readers").await;
    assert_eq!((group.error_code, group.group_state.as_str()), (ErrorCode::NONE, "Stable"));
    assert_eq!((group.protocol_type.as_str(), group.protocol_data.as_str()), ("consumer", "range"));
    let described = &group.members[0];
    assert_eq!(described.member_id, member.member_id);
    assert_eq!((&described.member_metadata[..], &described.member_assignment[..]), (&b"m"[..], &b"all"[..]));
    assert_eq!(described.client_host, "/127.0.0.1");
    // Read, delete, describe, describe and alter configurations.
    assert_eq!(group.authorized_operations, 1 << 3 | 1 << 6 | 1 << 8 | 1 << 10 | 1 << 11);
    let missing = describe(&running, 6, "nobody").await;
    assert_eq!((missing.error_code, missing.group_state.as_str()), (ErrorCode::GROUP_ID_NOT_FOUND, "Dead"));
    assert_eq!(missing.error_message.as_deref(), Some("Group nobody not found."));
    let missing = describe(&running, 5, "nobody").await;
    assert_eq!((missing.error_code, missing.group_state.as_str()), (ErrorCode::NONE, "Dead"));
    running.stop().await;
}

#[tokio::test]
async fn a_group_is_deleted_with_its_offsets_once_it_is_empty() {
    let folder = Folder::new();
    let running = folder.start(AT_ONCE).await;
    create_topic(&running, "orders", 1).await;
    find(&running, "readers").await;
    commit_simply(&running, "simple", ("orders", 0), 1).await;
    join_alone(&running, "readers").await;
    let names = ["simple", "readers", "nobody"].map(Text::from).to_vec();
    let response = running.ask(&DeleteGroupsRequest { groups_names: names, ..Default::default() }).await;
    let codes: Vec<_> = response.results.iter().map(|result| result.error_code).collect();
    assert_eq!(codes, [ErrorCode::NONE, ErrorCode::NON_EMPTY_GROUP, ErrorCode::GROUP_ID_NOT_FOUND]);
    assert_eq!(fetch(&running, "simple", ("orders", 0)).await.committed_offset, -1);
    let left: Vec<_> = list(&running, &[], &[]).await.into_iter().map(|(id, _, _)| id).collect();
    assert_eq!(left, ["readers"]);
    running.stop().await;
}

#[tokio::test]
async fn chosen_offsets_are_deleted() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    create_topic(&running, "orders", 2).await;
    find(&running, "simple").await;
    for partition in 0..2 {
        commit_simply(&running, "simple", ("orders", partition), 1).await;
    }
    let topic = |name: &str| OffsetDeleteRequestTopic {
        name: name.into(),
        partitions: vec![OffsetDeleteRequestPartition { partition_index: 0 }],
    };
    let delete = |group: &str| OffsetDeleteRequest {
        group_id: group.into(),
        topics: vec![topic("orders"), topic("nowhere")],
    };
    let response = running.ask(&delete("simple")).await;
    assert_eq!(response.error_code, ErrorCode::NONE);
    let codes: Vec<_> =
        response.topics.iter().map(|topic| (topic.name.as_str(), topic.partitions[0].error_code)).collect();
    assert_eq!(codes, [("orders", ErrorCode::NONE), ("nowhere", ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)]);
    assert_eq!(fetch(&running, "simple", ("orders", 0)).await.committed_offset, -1);
    assert_eq!(fetch(&running, "simple", ("orders", 1)).await.committed_offset, 1);
    let response = running.ask(&delete("nobody")).await;
    assert_eq!((response.error_code, response.topics.len()), (ErrorCode::GROUP_ID_NOT_FOUND, 0));
    running.stop().await;
}

/// The group protocol of KIP-848 can be switched off, as in Kafka; classic groups go on.
#[tokio::test]
async fn without_their_feature_there_are_no_groups_of_the_new_protocol() {
    let folder = Folder::new();
    let running = folder.start(AT_ONCE).await;
    create_topic(&running, "orders", 1).await;
    find(&running, "modern").await;
    for (level, upgrade_type, expected) in [(0, 2, ErrorCode::UNSUPPORTED_VERSION), (1, 1, ErrorCode::NONE)] {
        let update = FeatureUpdateKey {
            feature: "group.version".into(),
            max_version_level: level,
            upgrade_type,
            ..Default::default()
        };
        let request = UpdateFeaturesRequest { feature_updates: vec![update], ..Default::default() };
        assert_eq!(running.ask(&request).await.error_code, ErrorCode::NONE);
        for version in 0..=1 {
            let request = ConsumerGroupHeartbeatRequest {
                group_id: format!("modern-{version}").into(),
                member_id: if version == 0 { Text::new() } else { "one".into() },
                rebalance_timeout_ms: 60_000,
                subscribed_topic_names: Some(vec!["orders".into()]),
                topic_partitions: Some(Vec::new()),
                ..Default::default()
            };
            let answer = running.ask_in(version, &request).await;
            assert_eq!((answer.error_code, answer.member_epoch > 0), (expected, expected == ErrorCode::NONE));
            let request =
                ConsumerGroupDescribeRequest { group_ids: vec![request.group_id], ..Default::default() };
            assert_eq!(running.ask_in(version, &request).await.groups[0].error_code, expected);
        }
        join_alone(&running, &format!("classic-{level}")).await;
    }
    let groups: Vec<_> = list(&running, &[], &[]).await.into_iter().map(|(id, ..)| id).collect();
    assert_eq!(groups, ["classic-0", "classic-1", "modern-0", "modern-1"]);
    running.stop().await;
}
