//! What is measured has the value that it should have, as whoever scrapes a node sees it.

use std::time::Duration;

use strandline_protocol::ErrorCode;
use strandline_protocol::apis::delete_records::{
    DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic,
};
use strandline_protocol::apis::fetch::{FetchPartition, FetchRequest, FetchTopic};
use strandline_protocol::apis::find_coordinator::FindCoordinatorRequest;
use strandline_protocol::apis::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Folder, Running};
use crate::wire::{create, produce_value, until};

/// The value of a series.
async fn value(running: &Running, series: &str) -> Option<f64> {
    let mut stream = TcpStream::connect(running.node.http_address().unwrap()).await.unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: broker\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
}

async fn produce_values(running: &Running, topic: &str, count: i64) {
    for offset in 0..count {
        assert_eq!(produce_value(running, topic, b"v").await, Ok(offset));
    }
}

#[tokio::test]
async fn a_fetch_that_waits_for_records_is_measured_as_waiting() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    create(&running, "t", &[]).await;
    let stage = |what: &str| {
        format!("strandline_request_stage_duration_seconds_{what}{{api=\"Fetch\",stage=\"wait\"}}")
    };
    assert_eq!(value(&running, &stage("count")).await.unwrap_or_default(), 0.0);
    let partition = FetchPartition { partition_max_bytes: 1 << 20, ..Default::default() };
    let topic = FetchTopic { topic: "t".into(), partitions: vec![partition], ..Default::default() };
    let request = FetchRequest { max_wait_ms: 300, min_bytes: 1, topics: vec![topic], ..Default::default() };
    assert_eq!(running.ask_in(12, &request).await.error_code, ErrorCode::NONE);
    // Times are noted once an answer is written, which its client may see a moment before.
    until("the wait", async || value(&running, &stage("count")).await == Some(1.0)).await;
    let waited = value(&running, &stage("sum")).await.unwrap();
    assert!((0.29..30.0).contains(&waited), "{waited}");
    running.stop().await;
}

#[tokio::test]
async fn partitions_begin_and_end_in_the_metrics_where_they_do() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    create(&running, "t", &[]).await;
    produce_values(&running, "t", 5).await;
    let partition = DeleteRecordsPartition { partition_index: 0, offset: 2, ..Default::default() };
    let topic = DeleteRecordsTopic { name: "t".into(), partitions: vec![partition], ..Default::default() };
    let request = DeleteRecordsRequest { topics: vec![topic], timeout_ms: 10_000, ..Default::default() };
    assert_eq!(running.ask(&request).await.topics[0].partitions[0].low_watermark, 2);
    for (which, expected) in [("start", 2.0), ("end", 5.0)] {
        let series = format!("strandline_partition_log_{which}_offset{{topic=\"t\",partition=\"0\"}}");
        assert_eq!(value(&running, &series).await, Some(expected), "{which}");
    }
    running.stop().await;
}

#[tokio::test]
async fn a_group_is_behind_by_what_it_has_not_committed() {
    let folder = Folder::new();
    let running = folder.start(&[("offsets.topic.num.partitions", "1")]).await;
    create(&running, "t", &[]).await;
    produce_values(&running, "t", 10).await;
    let find = FindCoordinatorRequest { coordinator_keys: vec!["g".into()], ..Default::default() };
    assert_eq!(running.ask(&find).await.coordinators[0].error_code, ErrorCode::NONE);
    let partition = OffsetCommitRequestPartition { committed_offset: 4, ..Default::default() };
    let topic =
        OffsetCommitRequestTopic { name: "t".into(), partitions: vec![partition], ..Default::default() };
    let request = OffsetCommitRequest {
        group_id: "g".into(),
        generation_id_or_member_epoch: -1,
        topics: vec![topic],
        ..Default::default()
    };
    // While the coordinator reads its log, a client asks again.
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    loop {
        match running.ask_in(9, &request).await.topics[0].partitions[0].error_code {
            ErrorCode::NONE => break,
            code => assert!(
                code == ErrorCode::COORDINATOR_LOAD_IN_PROGRESS && tokio::time::Instant::now() < deadline,
                "{code}"
            ),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let of = "{group=\"g\",topic=\"t\",partition=\"0\"}";
    for (name, expected) in [("committed_offset", 4.0), ("lag_records", 6.0)] {
        assert_eq!(value(&running, &format!("strandline_group_{name}{of}")).await, Some(expected), "{name}");
    }
    running.stop().await;
}

#[tokio::test]
async fn so_many_topics_are_counted_each_by_itself_as_is_set() {
    for (topics_max, expected) in
        [("1", [Some(2.0), None, Some(3.0)]), ("2", [Some(2.0), Some(3.0), Some(0.0)])]
    {
        let folder = Folder::new();
        let running = folder.start(&[("strandline.metrics.topics", topics_max)]).await;
        for (topic, count) in [("first", 2), ("second", 3)] {
            create(&running, topic, &[]).await;
            produce_values(&running, topic, count).await;
        }
        for (topic, expected) in ["first", "second", "*"].into_iter().zip(expected) {
            let series = format!("strandline_topic_received_records_total{{topic=\"{topic}\"}}");
            assert_eq!(value(&running, &series).await, expected, "{topic} of {topics_max}");
        }
        running.stop().await;
    }
}
