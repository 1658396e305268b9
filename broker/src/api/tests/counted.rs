//! What of requests is counted, as whoever scrapes sees it.

use std::collections::BTreeSet;

use strandline_log::engine::{CompactionOutcome, Event, Observer};
use strandline_protocol::ErrorCode;

use super::unavailable::World;
use super::*;
use crate::background::Background;
use crate::http::Insight;
use crate::metrics::{Metrics, Scraped};
use crate::net::{Service, Times, Together};

async fn scrape(rig: &Rig) -> String {
    let scraped = Scraped::new(Arc::clone(&rig.broker), Arc::default(), rig.engine.watch().clone());
    assert_eq!(scraped.obstacle(), None);
    tokio::task::spawn_blocking(move || scraped.metrics()).await.unwrap()
}

fn expect(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(text.lines().any(|found| found == *line), "{line} is not in:\n{text}");
    }
}

/// What a connection does once an answer to a Produce is written.
fn written(rig: &Rig, reply: &Reply) {
    let Reply::Send { answering, .. } = reply else { panic!("{reply:?}") };
    let mut together = Together::default();
    let times = Times { append: answering.append, ..Times::default() };
    rig.broker.answered(&mut together, ApiKey::Produce.into(), times);
    rig.broker.answered_all(together);
}

#[tokio::test]
async fn what_goes_in_and_out_and_what_is_refused_is_counted() {
    let rig = Rig::new();
    rig.create("t", 1, TopicRules::default());
    let sent = batch(&[b"a", b"b"]);
    let bytes = 2 * sent.len();
    written(&rig, &rig.reply(9, &produce_request("t", 1, [(0, sent.clone())])).await);
    // Nobody is told of this one, and it is counted all the same.
    assert!(matches!(rig.reply(9, &produce_request("t", 0, [(0, sent)])).await, Reply::Silence { .. }));
    rig.call(9, &produce_request("nothing", 1, [(0, batch(&[b"c"])), (1, batch(&[b"d"]))])).await;
    // Neither of this one.
    rig.reply(9, &produce_request("nothing", 0, [(0, batch(&[b"e"]))])).await;
    rig.call(12, &fetch_request("t", &[(0, 0)])).await;
    expect(
        &scrape(&rig).await,
        &[
            &format!("strandline_topic_received_bytes_total{{topic=\"t\"}} {bytes}"),
            "strandline_topic_received_records_total{topic=\"t\"} 4",
            &format!("strandline_topic_sent_bytes_total{{topic=\"t\"}} {bytes}"),
            "strandline_request_errors_total{api=\"Produce\",error=\"UNKNOWN_TOPIC_OR_PARTITION\"} 3",
            "strandline_request_stage_duration_seconds_count{api=\"Produce\",stage=\"queue\"} 2",
            "strandline_request_stage_duration_seconds_count{api=\"Produce\",stage=\"sync\"} 2",
            "strandline_offline_directories 0",
        ],
    );
}

#[tokio::test]
async fn each_partition_is_told_of_by_itself_up_to_a_bound() {
    let rig = Rig::new();
    rig.found_cluster("in-the-metadata").await;
    let partition = "{topic=\"in-the-metadata\",partition=\"0\"} 0";
    expect(
        &scrape(&rig).await,
        &[
            &format!("strandline_partition_log_start_offset{partition}"),
            &format!("strandline_partition_log_end_offset{partition}"),
            &format!("strandline_partition_bytes{partition}"),
            "strandline_metrics_partitions_left_out 0",
            "strandline_topics 1",
            "strandline_metrics_groups_left_out 0",
        ],
    );
}

#[tokio::test]
async fn the_text_is_as_prometheus_wants_it() {
    let rig = Rig::new();
    rig.found_cluster("t").await;
    rig.create("t", 1, TopicRules::default());
    rig.call(9, &produce_request("t", 1, [(0, batch(&[b"a"]))])).await;
    let text = scrape(&rig).await;
    let (mut described, mut family, mut lines) = (BTreeSet::new(), "", BTreeSet::new());
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap();
            assert!(!help.is_empty() && described.insert(name), "{name} is described twice, or not at all");
            family = name;
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert_eq!(name, family);
            assert_eq!(kind == "counter", name.ends_with("_total"), "{name} is a {kind}");
        } else {
            let (series, value) = line.rsplit_once(' ').unwrap();
            assert!(value.parse::<f64>().is_ok(), "{line}");
            assert!(
                series.starts_with(family) && lines.insert(series),
                "{series} is not of {family}, or twice"
            );
        }
    }
    assert!(described.len() > 50, "{}", described.len());
}

#[test]
fn what_the_engine_does_by_itself_is_counted() {
    let metrics = Arc::<Metrics>::default();
    let background = Background::new(Arc::clone(&metrics));
    let log = TopicPartition { topic_id: topic_id("t"), index: 3 }.to_description();
    let took = Duration::from_millis(3);
    let statistics = strandline_log::compaction::Statistics { records_superseded: 9, ..Default::default() };
    for event in [
        Event::Committed { requests: 4, bytes: 4_096, took },
        Event::Expired { log: &log, start_offset: 7, segments: 3, segments_by_size: 1, bytes: 99 },
        Event::CompactionEnded { log: Some(&log), took, outcome: CompactionOutcome::Cleaned(&statistics) },
        Event::CompactionEnded { log: None, took, outcome: CompactionOutcome::Corrupt("rot") },
        Event::NoRoom { released_bytes: 0 },
        Event::Offline { reason: "a sync failed" },
    ] {
        background.see(&event);
    }
    metrics.refused(ApiKey::Fetch, ErrorCode(9_999));
    expect(
        &metrics.text(),
        &[
            "strandline_journal_requests_total 4",
            "strandline_journal_sync_duration_seconds_bucket{le=\"0.0025\"} 0",
            "strandline_journal_sync_duration_seconds_bucket{le=\"0.005\"} 1",
            "strandline_retention_segments_total{reason=\"age\"} 2",
            "strandline_retention_segments_total{reason=\"size\"} 1",
            "strandline_compactions_total{outcome=\"cleaned\"} 1",
            "strandline_compactions_total{outcome=\"corrupt\"} 1",
            "strandline_compaction_records_removed_total{reason=\"superseded\"} 9",
            "strandline_disk_full_total 1",
            "strandline_request_errors_total{api=\"Fetch\",error=\"OTHER\"} 1",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_becomes_of_groups_and_transactions_is_counted() {
    let world = World::new().await;
    world.rig.clock.advance(7_000);
    expect(
        &scrape(&world.rig).await,
        &[
            "strandline_group_offsets_total{action=\"committed\"} 1",
            "strandline_transactions_begun_total 1",
            "strandline_transactional_ids{state=\"Ongoing\"} 1",
            "strandline_transaction_oldest_age_seconds 7",
        ],
    );
    for api in ["SyncGroup", "ConsumerGroupHeartbeat", "OffsetDelete"] {
        let member = world.prepared(api).await;
        world.ask_as(api, &member).await;
    }
    // The one that comes with the id ends the transaction of the one before, who is told so later.
    assert_eq!(world.ask("InitProducerId").await, ErrorCode::CONCURRENT_TRANSACTIONS);
    world.ask("EndTxn").await;
    expect(
        &scrape(&world.rig).await,
        &[
            "strandline_group_rebalances_total{type=\"classic\"} 1",
            "strandline_transactions_ended_total{outcome=\"aborted\",by=\"successor\"} 1",
            "strandline_transactions_ended_total{outcome=\"committed\",by=\"producer\"} 0",
            "strandline_transactional_ids{state=\"PrepareAbort\"} 1",
            "strandline_transaction_markers_total{outcome=\"settled\"} 0",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_is_offline_is_counted() {
    let world = World::new().await;
    expect(&scrape(&world.rig).await, &["strandline_offline_directories 0"]);
    world.go_offline().await;
    let rig = &world.rig;
    let scraped = Scraped::new(Arc::clone(&rig.broker), Arc::default(), rig.engine.watch().clone());
    assert!(scraped.obstacle().is_some());
    let text = tokio::task::spawn_blocking(move || scraped.metrics()).await.unwrap();
    expect(&text, &["strandline_offline_directories 1"]);
}
