use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use strandline_protocol::ErrorCode;
use strandline_protocol::apis::ApiKey;
use strandline_protocol::apis::api_versions::{ApiVersion, ApiVersionsRequest, ApiVersionsResponse};
use strandline_protocol::apis::list_offsets::ListOffsetsRequest;
use strandline_protocol::apis::metadata::{MetadataRequest, MetadataResponse};
use strandline_protocol::apis::produce::{
    PartitionProduceData, ProduceRequest, ProduceResponse, TopicProduceData,
};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};

use super::fake::{Asked, Peer, everything, frame};
use crate::connection::Connection;
use crate::{Answer, ClientConfig, CloseReason, Error};

type Question = Answer<MetadataRequest>;

fn config() -> ClientConfig {
    ClientConfig::new("unused").unwrap()
}

/// A connection over a pipe, and the broker's end of it.
async fn connected(config: ClientConfig) -> (Connection, Peer<DuplexStream>) {
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let mut peer = Peer::new(theirs);
    let (connection, ()) = tokio::join!(Connection::over(ours, "fake", &config), peer.greet());
    (connection.unwrap(), peer)
}

async fn ask(connection: &Connection) -> Question {
    let versions = ApiKey::Metadata.api().stable_versions();
    connection.submit(&MetadataRequest::default(), versions).await.unwrap()
}

/// An answer that can be told apart from others.
fn numbered(number: i32) -> MetadataResponse {
    MetadataResponse { controller_id: number, ..Default::default() }
}

async fn asked(peer: &mut Peer<DuplexStream>, count: usize) -> Vec<Asked> {
    let mut all = Vec::new();
    for _ in 0..count {
        all.push(peer.next().await.unwrap());
    }
    all
}

#[tokio::test(start_paused = true)]
async fn answers_find_their_requests_in_whatever_order_they_come() {
    let (connection, mut peer) = connected(config()).await;
    let questions = [ask(&connection).await, ask(&connection).await, ask(&connection).await];
    let requests = asked(&mut peer, 3).await;
    for (number, request) in (0..3).zip(&requests).rev() {
        peer.answer(request, &numbered(number)).await;
    }
    for (number, question) in (0..).zip(questions) {
        assert_eq!(question.await.unwrap().controller_id, number);
    }
}

#[tokio::test(start_paused = true)]
async fn requests_go_out_in_the_order_in_which_they_were_handed_over() {
    let (connection, mut peer) = connected(config()).await;
    let mut questions = Vec::new();
    for _ in 0..20 {
        questions.push(ask(&connection).await);
    }
    let ids: Vec<_> = asked(&mut peer, 20).await.iter().map(|asked| asked.header.correlation_id).collect();
    assert!(ids.is_sorted() && ids.windows(2).all(|pair| pair[0] != pair[1]), "{ids:?}");
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_does_not_know_the_version_is_asked_in_its_own() {
    // What it says of itself with its refusal, and the version that it is then asked in.
    for (range, expected) in [(Some((0, 2)), 2), (Some((0, 3)), 3), (None, 0)] {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let mut peer = Peer::new(theirs);
        let broker = async {
            let mut first = peer.next().await.unwrap();
            assert!(first.is::<ApiVersionsRequest>());
            let said = range.map(|(min_version, max_version)| ApiVersion {
                api_key: 18,
                min_version,
                max_version,
                ..Default::default()
            });
            let refusal = ApiVersionsResponse {
                error_code: ErrorCode::UNSUPPORTED_VERSION,
                api_keys: said.into_iter().collect(),
                ..Default::default()
            };
            // A refusal is in the layout of version 0.
            first.header.request_api_version = 0;
            peer.answer(&first, &refusal).await;
            let second = peer.next().await.unwrap();
            peer.answer(&second, &everything()).await;
            second.header.request_api_version
        };
        let config = config();
        let (connection, version) = tokio::join!(Connection::over(ours, "old", &config), broker);
        assert_eq!(version, expected);
        assert_eq!(connection.unwrap().versions().highest::<MetadataRequest>(), Some(13));
    }
}

#[tokio::test(start_paused = true)]
async fn the_highest_common_version_is_used_and_none_is_an_error() {
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let mut peer = Peer::new(theirs);
    let broker = async {
        let first = peer.next().await.unwrap();
        let version = |api_key, min_version, max_version| ApiVersion {
            api_key,
            min_version,
            max_version,
            ..Default::default()
        };
        let api_keys = vec![version(3, 0, 8), version(2, 50, 60)];
        peer.answer(&first, &ApiVersionsResponse { api_keys, ..Default::default() }).await;
    };
    let config = config();
    let (connection, ()) = tokio::join!(Connection::over(ours, "old", &config), broker);
    let connection = connection.unwrap();
    let question = ask(&connection).await;
    assert_eq!(question.version(), 8);
    assert_eq!(peer.next().await.unwrap().header.request_api_version, 8);
    let error = connection.request(&ListOffsetsRequest::default()).await.unwrap_err();
    assert!(matches!(error, Error::Unsupported { api: "ListOffsets", .. }), "{error}");
    assert!(!error.is_retriable());
}

#[tokio::test(start_paused = true)]
async fn a_connection_closed_in_the_middle_of_an_answer_fails_all_that_wait() {
    let (connection, mut peer) = connected(config()).await;
    let (first, second) = (ask(&connection).await, ask(&connection).await);
    let requests = asked(&mut peer, 2).await;
    let bytes = frame(&requests[0], &numbered(1));
    peer.send(&bytes[..bytes.len() - 3]).await;
    drop(peer);
    for question in [first, second] {
        let error = question.await.unwrap_err();
        assert!(matches!(error, Error::Closed { reason: CloseReason::ByBroker, .. }), "{error}");
        assert!(error.is_retriable() && error.is_in_doubt());
    }
    assert!(connection.is_closed());
    let later = connection.request(&MetadataRequest::default()).await.unwrap_err();
    assert!(matches!(later, Error::Closed { reason: CloseReason::ByBroker, .. }), "{later}");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_answered_in_time_is_an_error_and_the_end_of_the_connection() {
    let (connection, mut peer) = connected(config().request_timeout(Duration::from_secs(5))).await;
    let first = ask(&connection).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let second = ask(&connection).await;
    let start = tokio::time::Instant::now();
    let error = first.await.unwrap_err();
    assert!(matches!(error, Error::Timeout { after, .. } if after == Duration::from_secs(5)), "{error}");
    assert_eq!(start.elapsed().as_secs(), 2);
    let error = second.await.unwrap_err();
    assert!(matches!(error, Error::Closed { reason: CloseReason::Overdue, .. }), "{error}");
    asked(&mut peer, 2).await;
    assert!(peer.next().await.is_none(), "the broker sees that the connection has ended");
}

#[tokio::test(start_paused = true)]
async fn an_answered_request_leaves_no_deadline_behind() {
    let (connection, mut peer) = connected(config().request_timeout(Duration::from_secs(5))).await;
    for number in 0..4 {
        let question = ask(&connection).await;
        tokio::time::sleep(Duration::from_secs(4)).await;
        let request = peer.next().await.unwrap();
        peer.answer(&request, &numbered(number)).await;
        assert_eq!(question.await.unwrap().controller_id, number);
    }
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(!connection.is_closed());
}

#[tokio::test(start_paused = true)]
async fn a_dropped_future_disturbs_nobody() {
    let (connection, mut peer) = connected(config()).await;
    let (first, second, third) = (ask(&connection).await, ask(&connection).await, ask(&connection).await);
    drop(second);
    let requests = asked(&mut peer, 3).await;
    for (number, request) in (0..).zip(&requests) {
        peer.answer(request, &numbered(number)).await;
    }
    assert_eq!(first.await.unwrap().controller_id, 0);
    assert_eq!(third.await.unwrap().controller_id, 2);
    // Dropped while it waits for its answer.
    {
        let request = MetadataRequest::default();
        let mut waiting = std::pin::pin!(connection.request(&request));
        tokio::select! {
            biased;
            _ = &mut waiting => panic!("nobody has answered"),
            request = peer.next() => peer.answer(&request.unwrap(), &numbered(7)).await,
        }
    }
    let question = ask(&connection).await;
    let request = peer.next().await.unwrap();
    peer.answer(&request, &numbered(8)).await;
    assert_eq!(question.await.unwrap().controller_id, 8);
}

#[tokio::test(start_paused = true)]
async fn no_more_is_in_flight_than_may_be() {
    let (connection, mut peer) = connected(config().in_flight_max(2)).await;
    let askers: Vec<_> = (0..6)
        .map(|_| {
            let connection = connection.clone();
            tokio::spawn(async move { connection.request(&MetadataRequest::default()).await.unwrap() })
        })
        .collect();
    for _ in 0..3 {
        let requests = asked(&mut peer, 2).await;
        tokio::select! {
            biased;
            _ = peer.next() => panic!("a third request is in flight"),
            () = tokio::time::sleep(Duration::from_millis(1)) => {}
        }
        for request in &requests {
            peer.answer(request, &numbered(0)).await;
        }
    }
    for asker in askers {
        asker.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_room_has_a_deadline_too() {
    let (connection, mut peer) =
        connected(config().in_flight_max(1).request_timeout(Duration::from_secs(5))).await;
    let request = MetadataRequest::default();
    let results = tokio::join!(
        connection.request(&request),
        connection.request(&request),
        connection.request(&request),
        peer.next(),
    );
    for result in [results.0, results.1, results.2] {
        assert!(matches!(result, Err(Error::Timeout { .. } | Error::Closed { .. })), "{result:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn bytes_that_are_no_answer_end_the_connection_with_a_word() {
    type IsExpected = fn(&CloseReason) -> bool;
    let cases: [(&[u8], IsExpected); 4] = [
        (&[0x7F, 0xFF, 0xFF, 0xFF], |reason| matches!(reason, CloseReason::Frame(_))),
        (&[0xFF; 4], |reason| matches!(reason, CloseReason::Frame(_))),
        (&[0, 0, 0, 2, 0, 0], |reason| matches!(reason, CloseReason::Frame(_))),
        (&[0, 0, 0, 4, 0, 0, 0x30, 0x39], |reason| matches!(reason, CloseReason::Correlation(12_345))),
    ];
    for (bytes, is_expected) in cases {
        let (connection, mut peer) = connected(config()).await;
        let question = ask(&connection).await;
        peer.next().await.unwrap();
        peer.send(bytes).await;
        let Err(Error::Closed { reason, .. }) = question.await else { panic!("{bytes:?} was taken") };
        assert!(is_expected(&reason), "{reason}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_makes_no_sense_is_its_requests_error_alone() {
    let (connection, mut peer) = connected(config()).await;
    let (first, second) = (ask(&connection).await, ask(&connection).await);
    let requests = asked(&mut peer, 2).await;
    let [a, b, c, d] = requests[0].header.correlation_id.to_be_bytes();
    peer.send(&[0, 0, 0, 6, a, b, c, d, 0, 1]).await;
    peer.answer(&requests[1], &numbered(5)).await;
    let error = first.await.unwrap_err();
    assert!(matches!(error, Error::Decode { .. }) && !error.is_retriable(), "{error}");
    assert_eq!(second.await.unwrap().controller_id, 5);
}

#[tokio::test(start_paused = true)]
async fn the_last_handle_closes_the_connection_once_all_is_answered() {
    let (connection, mut peer) = connected(config()).await;
    let question = ask(&connection).await;
    drop(connection);
    let request = peer.next().await.unwrap();
    peer.answer(&request, &numbered(3)).await;
    assert_eq!(question.await.unwrap().controller_id, 3);
    assert!(peer.next().await.is_none());
}

fn produce(records: Bytes, acks: i16) -> ProduceRequest {
    let partition = PartitionProduceData { records: Some(records.into()), ..Default::default() };
    let topic = TopicProduceData { partition_data: vec![partition], ..Default::default() };
    ProduceRequest { acks, topic_data: vec![topic], ..Default::default() }
}

#[tokio::test(start_paused = true)]
async fn what_nobody_answers_is_not_waited_for() {
    let (connection, mut peer) = connected(config()).await;
    connection.submit_unanswered(&produce(Bytes::from_static(b"?"), 0)).await.unwrap();
    let question = ask(&connection).await;
    let requests = asked(&mut peer, 2).await;
    assert_eq!(requests[0].decode::<ProduceRequest>().acks, 0);
    peer.answer(&requests[1], &numbered(1)).await;
    assert_eq!(question.await.unwrap().controller_id, 1);
}

/// A transport that remembers where the bytes lay that it was given.
struct Spy {
    transport: DuplexStream,
    seen: Arc<Mutex<Vec<usize>>>,
}

impl AsyncRead for Spy {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.transport).poll_read(context, buffer)
    }
}

impl AsyncWrite for Spy {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.transport).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.seen.lock().unwrap().extend(slices.iter().map(|slice| slice.as_ptr().addr()));
        Pin::new(&mut self.transport).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.transport).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.transport).poll_shutdown(context)
    }
}

#[tokio::test(start_paused = true)]
async fn records_are_written_from_where_they_lie() {
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let spy = Spy { transport: ours, seen: seen.clone() };
    let mut peer = Peer::new(theirs);
    let config = config();
    let (connection, ()) = tokio::join!(Connection::over(spy, "fake", &config), peer.greet());
    let connection = connection.unwrap();

    // More than the pipe takes at once, so that the write is cut and goes on.
    let records = Bytes::from((0..=255).cycle().take(300_000).collect::<Vec<u8>>());
    let request = produce(records.clone(), -1);
    let broker = async {
        let asked = peer.next().await.unwrap();
        peer.answer(&asked, &ProduceResponse::default()).await;
        asked.decode::<ProduceRequest>()
    };
    let (answer, came) = tokio::join!(connection.request(&request), broker);
    answer.unwrap();
    assert_eq!(came.topic_data[0].partition_data[0].records, request.topic_data[0].partition_data[0].records);
    assert!(seen.lock().unwrap().contains(&records.as_ptr().addr()));
}
