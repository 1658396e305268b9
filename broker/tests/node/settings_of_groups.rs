//! Settings of groups: in force without anything else happening, refused with Kafka's words, and there after a restart.

use std::time::Duration;

use strandline_protocol::apis::alter_configs::{AlterConfigsRequest, AlterConfigsResource, AlterableConfig};
use strandline_protocol::apis::consumer_group_describe::ConsumerGroupDescribeRequest;
use strandline_protocol::apis::consumer_group_heartbeat::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse,
};
use strandline_protocol::apis::describe_configs::{DescribeConfigsRequest, DescribeConfigsResource};
use strandline_protocol::apis::find_coordinator::FindCoordinatorRequest;
use strandline_protocol::apis::list_config_resources::ListConfigResourcesRequest;
use strandline_protocol::{ErrorCode, Text};

use crate::support::{Folder, Running};
use crate::wire::{Change, GROUP, alter, create, described};

const HEARTBEAT: &str = "consumer.heartbeat.interval.ms";
const SESSION: &str = "consumer.session.timeout.ms";
const ASSIGNMENT: &str = "consumer.assignment.interval.ms";

const NO_ERROR: (ErrorCode, String) = (ErrorCode::NONE, String::new());

async fn find(running: &Running, group: &str) {
    let request =
        FindCoordinatorRequest { coordinator_keys: vec![group.into()], key_type: 0, ..Default::default() };
    let found = running.ask(&request).await.coordinators.remove(0);
    assert_eq!(found.error_code, ErrorCode::NONE);
}

/// A member joins, or joins anew.
async fn join(running: &Running, group: &str) -> ConsumerGroupHeartbeatResponse {
    let request = ConsumerGroupHeartbeatRequest {
        group_id: group.into(),
        member_id: "member".into(),
        rebalance_timeout_ms: 60_000,
        subscribed_topic_names: Some(vec!["t".into()]),
        topic_partitions: Some(Vec::new()),
        ..Default::default()
    };
    // While the coordinator reads its log, a member asks again.
    loop {
        let response = running.ask(&request).await;
        if response.error_code == ErrorCode::NONE {
            return response;
        }
        assert_eq!(response.error_code, ErrorCode::COORDINATOR_LOAD_IN_PROGRESS);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Members are told this sooner or later: the coordinator hears of a change a moment after who made it.
async fn members_are_told(running: &Running, group: &str, heartbeat_interval_ms: i32) {
    while join(running, group).await.heartbeat_interval_ms != heartbeat_interval_ms {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn value(running: &Running, group: &str, setting: &str) -> (String, i8) {
    let configs = described(running, GROUP, group).await;
    let config = &configs[setting];
    (config.value.clone().map(String::from).unwrap_or_default(), config.config_source)
}

async fn groups_with_settings(running: &Running) -> Vec<Text> {
    let request = ListConfigResourcesRequest { resource_types: vec![GROUP], ..Default::default() };
    let listed = running.ask(&request).await.config_resources;
    listed.into_iter().map(|resource| resource.resource_name).collect()
}

#[tokio::test]
async fn what_is_set_on_a_group_is_in_force_and_there_after_a_restart() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    create(&running, "t", &[]).await;
    find(&running, "g").await;
    assert_eq!(join(&running, "g").await.heartbeat_interval_ms, 5_000);
    assert_eq!(value(&running, "g", HEARTBEAT).await, ("5000".to_owned(), 5));
    assert!(groups_with_settings(&running).await.is_empty());

    let changes = [(HEARTBEAT, Change::Set("7000")), (ASSIGNMENT, Change::Set("0"))];
    assert_eq!(alter(&running, GROUP, "g", &changes).await, NO_ERROR);
    members_are_told(&running, "g", 7_000).await;
    assert_eq!(join(&running, "other").await.heartbeat_interval_ms, 5_000, "it is of one group alone");
    assert_eq!(value(&running, "g", HEARTBEAT).await, ("7000".to_owned(), 8));
    let configs = described(&running, GROUP, "g").await;
    assert_eq!(configs.keys().collect::<Vec<_>>(), [ASSIGNMENT, HEARTBEAT, SESSION]);
    let said = configs[HEARTBEAT].synonyms.iter();
    let said: Vec<_> = said
        .map(|synonym| (synonym.name.as_str(), synonym.value.as_deref().unwrap_or_default(), synonym.source))
        .collect();
    assert_eq!(said, [(HEARTBEAT, "7000", 8), ("group.consumer.heartbeat.interval.ms", "5000", 5)]);
    assert!(!configs[HEARTBEAT].read_only && configs[HEARTBEAT].documentation.is_some());
    assert_eq!(groups_with_settings(&running).await, ["g"]);
    running.stop().await;

    let running = folder.start(&[]).await;
    assert_eq!(value(&running, "g", HEARTBEAT).await, ("7000".to_owned(), 8));
    assert_eq!(join(&running, "g").await.heartbeat_interval_ms, 7_000);
    // Old clients say everything anew.
    let config = AlterableConfig { name: SESSION.into(), value: Some("50000".into()), ..Default::default() };
    let resource = AlterConfigsResource {
        resource_type: GROUP,
        resource_name: "g".into(),
        configs: vec![config],
        ..Default::default()
    };
    let request = AlterConfigsRequest { resources: vec![resource], ..Default::default() };
    assert_eq!(running.ask(&request).await.responses[0].error_code, ErrorCode::NONE);
    members_are_told(&running, "g", 5_000).await;
    assert_eq!(value(&running, "g", SESSION).await, ("50000".to_owned(), 8));
    assert_eq!(alter(&running, GROUP, "g", &[(SESSION, Change::Delete)]).await, NO_ERROR);
    assert!(groups_with_settings(&running).await.is_empty());
    running.stop().await;
}

#[tokio::test]
async fn a_bound_that_moves_leaves_what_is_set_and_is_what_counts() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    create(&running, "t", &[]).await;
    find(&running, "g").await;
    assert_eq!(alter(&running, GROUP, "g", &[(HEARTBEAT, Change::Set("12000"))]).await, NO_ERROR);
    running.stop().await;
    let running = folder.start(&[("group.consumer.max.heartbeat.interval.ms", "10000")]).await;
    assert_eq!(value(&running, "g", HEARTBEAT).await, ("12000".to_owned(), 8));
    assert_eq!(join(&running, "g").await.heartbeat_interval_ms, 10_000);
    running.stop().await;
}

#[tokio::test]
async fn a_shorter_session_ends_a_silent_member() {
    let folder = Folder::new();
    let bounds =
        [("group.consumer.min.session.timeout.ms", "1"), ("group.consumer.min.heartbeat.interval.ms", "1")];
    let running = folder.start(&bounds).await;
    create(&running, "t", &[]).await;
    find(&running, "g").await;
    let changes = [(HEARTBEAT, Change::Set("10")), (SESSION, Change::Set("100"))];
    assert_eq!(alter(&running, GROUP, "g", &changes).await, NO_ERROR);
    members_are_told(&running, "g", 10).await;
    let describe = ConsumerGroupDescribeRequest { group_ids: vec!["g".into()], ..Default::default() };
    while !running.ask(&describe).await.groups.remove(0).members.is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    running.stop().await;
}

const HEARTBEAT_MIN: &str = "consumer.heartbeat.interval.ms must be greater than or equal to group.consumer.min.heartbeat.interval.ms";
const HEARTBEAT_MAX: &str =
    "consumer.heartbeat.interval.ms must be less than or equal to group.consumer.max.heartbeat.interval.ms";
const SESSION_MIN: &str =
    "consumer.session.timeout.ms must be greater than or equal to group.consumer.min.session.timeout.ms";
const SESSION_MAX: &str =
    "consumer.session.timeout.ms must be less than or equal to group.consumer.max.session.timeout.ms";
const ASSIGNMENT_MAX: &str =
    "consumer.assignment.interval.ms must be less than or equal to group.consumer.max.assignment.interval.ms";
const NEGATIVE: &str =
    "Invalid value -1 for configuration consumer.assignment.interval.ms: Value must be at least 0";
const NO_NUMBER: &str =
    "Invalid value x for configuration consumer.session.timeout.ms: Not a number of type INT";
const UNKNOWN: &str =
    "Unknown group config name: consumer.session.timeout (consumer.session.timeout.ms is known)";
const NO_LIST: &str = "Can't APPEND to key consumer.session.timeout.ms because its type is not LIST.";
const NO_GROUP: &str = "Default group resources are not allowed.";

#[tokio::test]
async fn what_a_group_cannot_be_told_is_refused_and_changes_nothing() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    let (set, invalid, wrong) = (Change::Set, ErrorCode::INVALID_CONFIG, ErrorCode::INVALID_REQUEST);
    let cases = [
        ("g", HEARTBEAT, set("4999"), invalid, HEARTBEAT_MIN),
        ("g", HEARTBEAT, set("15001"), invalid, HEARTBEAT_MAX),
        ("g", SESSION, set("44999"), invalid, SESSION_MIN),
        ("g", SESSION, set("60001"), invalid, SESSION_MAX),
        ("g", ASSIGNMENT, set("15001"), invalid, ASSIGNMENT_MAX),
        ("g", ASSIGNMENT, set("-1"), invalid, NEGATIVE),
        ("g", SESSION, set("x"), invalid, NO_NUMBER),
        ("g", "consumer.session.timeout", set("1"), invalid, UNKNOWN),
        ("g", SESSION, Change::Append("1"), invalid, NO_LIST),
        ("", SESSION, set("50000"), wrong, NO_GROUP),
    ];
    for (group, setting, change, code, words) in cases {
        let refused = alter(&running, GROUP, group, &[(setting, change)]).await;
        assert_eq!(refused, (code, words.to_owned()), "{setting}");
    }
    assert!(groups_with_settings(&running).await.is_empty());
    let resource = DescribeConfigsResource { resource_type: GROUP, ..Default::default() };
    let request = DescribeConfigsRequest { resources: vec![resource], ..Default::default() };
    assert_eq!(running.ask(&request).await.results[0].error_code, wrong);
    running.stop().await;
    // The two of a group have to go together, where the bounds let them not.
    let running = folder.start(&[("group.consumer.min.session.timeout.ms", "1")]).await;
    let refused = alter(&running, GROUP, "g", &[(SESSION, set("5000"))]).await;
    let words = "consumer.session.timeout.ms must be greater than consumer.heartbeat.interval.ms";
    assert_eq!(refused, (invalid, words.to_owned()));
    running.stop().await;
}
