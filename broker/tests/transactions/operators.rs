//! What operators see of transactions, and how they end one that hangs.

use strandline_protocol::apis::describe_producers::{DescribeProducersRequest, ProducerState, TopicRequest};
use strandline_protocol::apis::describe_transactions::{DescribeTransactionsRequest, TransactionState};
use strandline_protocol::apis::init_producer_id::InitProducerIdRequest;
use strandline_protocol::apis::list_transactions::{ListTransactionsRequest, ListTransactionsResponse};
use strandline_protocol::apis::write_txn_markers::{
    WritableTxnMarker, WritableTxnMarkerTopic, WriteTxnMarkersRequest,
};
use strandline_protocol::{ErrorCode, Text};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::requests::{
    Own, TOPIC, TRANSACTIONAL_ID, batch, committed, end, ends, initialise, prepare, produce, settled,
};
use crate::support::{Folder, Running};

pub(crate) async fn describe(running: &Running, id: &str) -> TransactionState {
    let request = DescribeTransactionsRequest { transactional_ids: vec![id.into()], ..Default::default() };
    running.ask(&request).await.transaction_states.remove(0)
}

async fn producers(running: &Running, index: i32) -> Vec<ProducerState> {
    let topic = TopicRequest { name: TOPIC.into(), partition_indexes: vec![index], ..Default::default() };
    let request = DescribeProducersRequest { topics: vec![topic], ..Default::default() };
    running.ask(&request).await.topics.remove(0).partitions.remove(0).active_producers
}

async fn list(running: &Running, states: &[&str], longer_than_ms: i64) -> ListTransactionsResponse {
    let request = ListTransactionsRequest {
        state_filters: states.iter().map(|state| Text::from(*state)).collect(),
        duration_filter: longer_than_ms,
        ..Default::default()
    };
    running.ask_in(1, &request).await
}

/// The ids that a pattern finds, or why there are none.
async fn matching(running: &Running, pattern: Option<&str>) -> Result<Vec<String>, ErrorCode> {
    let request =
        ListTransactionsRequest { transactional_id_pattern: pattern.map(Text::from), ..Default::default() };
    let response = running.ask_in(2, &request).await;
    if response.error_code != ErrorCode::NONE {
        assert!(response.transaction_states.is_empty());
        return Err(response.error_code);
    }
    Ok(response.transaction_states.into_iter().map(|state| state.transactional_id.into()).collect())
}

async fn write_marker(
    running: &Running,
    version: i16,
    own: Own,
    coordinator_epoch: i32,
    index: i32,
) -> ErrorCode {
    let topic =
        WritableTxnMarkerTopic { name: TOPIC.into(), partition_indexes: vec![index], ..Default::default() };
    let marker = WritableTxnMarker {
        producer_id: own.id,
        producer_epoch: own.epoch,
        transaction_result: false,
        topics: vec![topic],
        coordinator_epoch,
        transaction_version: if version >= 2 { 2 } else { 0 },
        ..Default::default()
    };
    let request = WriteTxnMarkersRequest { markers: vec![marker], ..Default::default() };
    let mut response = running.ask_in(version, &request).await;
    response.markers.remove(0).topics.remove(0).partitions.remove(0).error_code
}

#[tokio::test]
async fn transactions_are_described_and_listed() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    prepare(&running).await;
    assert_eq!(describe(&running, "unknown").await.error_code, ErrorCode::TRANSACTIONAL_ID_NOT_FOUND);
    assert_eq!(describe(&running, "").await.error_code, ErrorCode::INVALID_REQUEST);
    let own = initialise(&running, None).await.unwrap();
    produce(&running, 12, 1, batch(own, 0, "v")).await;
    let found = describe(&running, TRANSACTIONAL_ID).await;
    assert_eq!((found.error_code, found.transaction_state.as_str()), (ErrorCode::NONE, "Ongoing"));
    assert_eq!(
        (found.producer_id, found.producer_epoch, found.transaction_timeout_ms),
        (own.id, own.epoch, 60_000)
    );
    assert_eq!((found.topics[0].topic.as_str(), &found.topics[0].partitions), (TOPIC, &vec![1]));
    let open = producers(&running, 1).await;
    assert_eq!((open[0].producer_id, open[0].current_txn_start_offset), (own.id, 0));

    let listed = list(&running, &["Ongoing", "Nonsense", "Dead"], -1).await;
    assert_eq!(listed.unknown_state_filters, ["Nonsense"]);
    assert_eq!(listed.transaction_states[0].transactional_id, TRANSACTIONAL_ID);
    assert!(list(&running, &["Empty"], -1).await.transaction_states.is_empty());
    assert!(list(&running, &["Ongoing"], 3_600_000).await.transaction_states.is_empty());

    end(&running, 5, own, true).await.unwrap();
    settled(&running, 1).await;
    assert_eq!(producers(&running, 1).await[0].current_txn_start_offset, -1);
    running.stop().await;
}

#[tokio::test]
async fn a_pattern_finds_those_ids_that_match_as_a_whole() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    prepare(&running).await;
    initialise(&running, None).await.unwrap();
    let other = InitProducerIdRequest {
        transactional_id: Some("billing-7".into()),
        transaction_timeout_ms: 60_000,
        ..Default::default()
    };
    assert_eq!(running.ask(&other).await.error_code, ErrorCode::NONE);
    let both = [TRANSACTIONAL_ID, "billing-7"].map(str::to_owned);
    for any in [None, Some(""), Some(".*")] {
        let mut found = matching(&running, any).await.unwrap();
        found.sort_by_key(|id| both.iter().position(|known| known == id));
        assert_eq!(found, both);
    }
    for pattern in ["billing-7", "billing-\\d", "(?:billing|shipping)-[0-9]+", "b.*"] {
        assert_eq!(matching(&running, Some(pattern)).await.unwrap(), ["billing-7"], "{pattern}");
    }
    for pattern in ["billing", "illing-7", "^billing$", "x*"] {
        assert_eq!(matching(&running, Some(pattern)).await.unwrap(), [""; 0], "{pattern}");
    }
    // What makes no sense to anybody, and what has no end in sight.
    for pattern in ["(", "[b-a]", "*", "(?=billing).*", "(b)\\1"] {
        let refused = matching(&running, Some(pattern)).await;
        assert_eq!(refused, Err(ErrorCode::INVALID_REGULAR_EXPRESSION), "{pattern}");
    }
    running.stop().await;
}

#[tokio::test]
async fn a_marker_by_hand_ends_a_transaction_that_hangs() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    prepare(&running).await;
    let own = initialise(&running, None).await.unwrap();
    produce(&running, 12, 0, batch(own, 0, "hangs")).await;
    // Under version 2 a marker has a higher epoch than what it ends.
    assert_eq!(write_marker(&running, 2, own, 0, 0).await, ErrorCode::INVALID_PRODUCER_EPOCH);
    assert_eq!(ends(&running, 0).await, (1, 0));
    assert_eq!(write_marker(&running, 1, own, 0, 0).await, ErrorCode::NONE);
    assert_eq!(ends(&running, 0).await, (2, 2));
    assert_eq!(committed(&running, 0).await, [""; 0]);
    assert_eq!(write_marker(&running, 1, own, -1, 0).await, ErrorCode::TRANSACTION_COORDINATOR_FENCED);
    assert_eq!(write_marker(&running, 1, own, 0, 9).await, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    let nobody = Own { id: -1, epoch: -1 };
    assert_eq!(write_marker(&running, 1, nobody, 0, 0).await, ErrorCode::INVALID_REQUEST);
    // Its producer finds out when it goes on.
    let refused = produce(&running, 12, 0, batch(own, 1, "late")).await;
    assert_eq!(refused.error_code, ErrorCode::NONE, "the coordinator has it open, and it begins anew");
    end(&running, 5, own, false).await.unwrap();
    settled(&running, 0).await;
    assert_eq!(committed(&running, 0).await, [""; 0]);
    running.stop().await;
}

/// How many markers were fenced.
async fn fenced(running: &Running) -> u64 {
    let mut stream = TcpStream::connect(running.node.http_address().unwrap()).await.unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: broker\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let name = "strandline_transaction_markers_total{outcome=\"fenced\"} ";
    text.lines().find_map(|line| line.strip_prefix(name)?.parse().ok()).unwrap()
}

/// Waits until an id stands so.
async fn stands(running: &Running, state: &str) -> TransactionState {
    loop {
        let found = describe(running, TRANSACTIONAL_ID).await;
        if found.transaction_state == state {
            return found;
        }
        assert!(
            ["PrepareCommit", "PrepareAbort", ""].contains(&found.transaction_state.as_str()),
            "{found:?}"
        );
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_transaction_ends_though_its_marker_is_fenced_by_one_by_hand() {
    let folder = Folder::new();
    let mut running = folder.start(&[]).await;
    prepare(&running).await;
    let mut own = initialise(&running, None).await.unwrap();
    produce(&running, 12, 0, batch(own, 0, "lost")).await;
    produce(&running, 12, 1, batch(own, 0, "kept")).await;
    // No coordinator has this epoch, or ever will.
    assert_eq!(write_marker(&running, 1, own, 7, 0).await, ErrorCode::NONE);
    assert_eq!(produce(&running, 12, 0, batch(own, 1, "after")).await.error_code, ErrorCode::NONE);
    own = end(&running, 5, own, true).await.unwrap();
    stands(&running, "CompleteCommit").await;
    assert_eq!(fenced(&running).await, 1, "and the other marker was taken");
    for (index, value) in [(0, "after"), (1, "kept")] {
        settled(&running, index).await;
        assert_eq!(committed(&running, index).await, [value]);
    }
    // What was learned counts for those after it, and after a restart is learned again.
    for is_restarted in [false, true, false] {
        if is_restarted {
            running.stop().await;
            running = folder.start(&[]).await;
        }
        own = loop {
            match initialise(&running, Some(own)).await {
                Ok(own) => break own,
                Err(code) => assert_eq!(code, ErrorCode::COORDINATOR_LOAD_IN_PROGRESS),
            }
        };
        produce(&running, 12, 0, batch(own, 0, "next")).await;
        own = end(&running, 5, own, false).await.unwrap();
        stands(&running, "CompleteAbort").await;
        settled(&running, 0).await;
        assert_eq!(fenced(&running).await, 1);
    }
    running.stop().await;
}
