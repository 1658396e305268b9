//! What is told of what was refused, and of what coordinators decide by themselves.

use std::time::Duration;

use strandline_protocol::ErrorCode;
use strandline_protocol::apis::create_topics::{CreatableTopic, CreatableTopicConfig, CreateTopicsRequest};

use super::unavailable::World;
use super::*;
use crate::tests::lines::Lines;

const DAY_MS: u32 = 24 * 60 * 60 * 1_000;

/// The time that a line has to come.
const TIME_MAX: Duration = Duration::from_secs(30);

/// The first line in which all of this is.
async fn line_with(world: &World, lines: &Lines, api: &str, parts: &[&str]) -> String {
    let found = async {
        loop {
            // A coordinator looks at its clock whenever it is asked something.
            world.ask(api).await;
            let found = lines.take().into_iter().find(|line| parts.iter().all(|part| line.contains(part)));
            if let Some(line) = found {
                return line;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(TIME_MAX, found).await.unwrap_or_else(|_| panic!("no line has {parts:?}"))
}

#[tokio::test]
async fn what_coordinators_decide_by_themselves_is_told_with_whom_and_why() {
    let world = World::new().await;
    let lines = Lines::begin();
    let member = world.prepared("SyncGroup").await;
    assert_eq!(world.ask_as("SyncGroup", &member).await, ErrorCode::NONE);
    world.rig.clock.advance(61_000);
    let id = format!("member=\"{}\"", member.0);
    let parts =
        ["a member is thrown out of its group", "group=\"g\"", &id, "silent for longer than its session"];
    assert!(line_with(&world, &lines, "DescribeGroups", &parts).await.starts_with("INFO"));
    let parts =
        ["a transaction is aborted", "transactional_id=\"tx\"", "timeout_ms=60000", "transaction.timeout.ms"];
    assert!(line_with(&world, &lines, "ListTransactions", &parts).await.starts_with("INFO"));
    world.rig.clock.advance(8 * DAY_MS);
    let parts = [
        "committed offsets are forgotten",
        "group=\"g\"",
        "count=1",
        "is_group_gone=true",
        "offsets.retention",
    ];
    assert!(line_with(&world, &lines, "DescribeGroups", &parts).await.starts_with("INFO"));
}

#[tokio::test]
async fn a_refusal_is_told_with_the_words_that_the_client_gets() {
    let rig = Rig::new();
    rig.found_cluster("t").await;
    let lines = Lines::begin();
    let config =
        CreatableTopicConfig { name: "retention.ms".into(), value: Some("-2".into()), ..Default::default() };
    let topic = CreatableTopic {
        name: "t\nERROR forged".into(),
        num_partitions: 1,
        replication_factor: 1,
        configs: vec![config],
        ..Default::default()
    };
    let topics = vec![CreatableTopic { name: "u".into(), ..topic.clone() }, topic];
    let response = rig.call(7, &CreateTopicsRequest { topics, ..Default::default() }).await;
    let refused: Vec<_> = lines
        .take()
        .into_iter()
        .filter(|line| line.ends_with("refused") || line.contains("refused "))
        .collect();
    assert_eq!(refused.len(), response.topics.len(), "{refused:?}");
    for (line, topic) in refused.iter().zip(&response.topics) {
        assert!(topic.error_code != ErrorCode::NONE && line.starts_with("DEBUG"), "{line}");
        let reason = format!("reason={:?}", topic.error_message.as_deref().unwrap());
        for part in [&*reason, "api=CreateTopics", "version=7", &format!("error={}", topic.error_code)] {
            assert!(line.contains(part), "{part} is not in {line}");
        }
    }
    assert!(refused[0].contains("at least -1"), "{refused:?}");
}
