//! Long polls.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use strandline_protocol::ErrorCode;
use strandline_protocol::apis::fetch::{FetchRequest, ForgottenTopic};
use tokio::time::timeout;

use crate::api::tests::{
    LEADER_EPOCH, NODE_ID, Rig, answer, batch, fetch_request, produce_request, records, settle,
};
use crate::api::topics::TopicRules;
use crate::api::{Dispatched, LaterReply};

/// Counts how often it is woken.
#[derive(Debug, Default)]
struct Counter(AtomicUsize);

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn waiting(request: FetchRequest) -> FetchRequest {
    FetchRequest { max_wait_ms: 600_000, ..request }
}

async fn later(rig: &Rig, request: FetchRequest) -> LaterReply {
    match rig.dispatch(12, &waiting(request)).await {
        Dispatched::Later(reply) => reply,
        Dispatched::Now(reply) => panic!("{reply:?}"),
    }
}

#[tokio::test]
async fn a_long_poll_ends_with_the_first_batch() {
    let rig = Rig::new();
    rig.create("t", 2, TopicRules::default());
    let reply = tokio::spawn(later(&rig, fetch_request("t", &[(0, 0), (1, 0)])).await);
    rig.produce("t", batch(&[b"a"])).await;
    let response = answer::<FetchRequest>(12, reply.await.unwrap());
    assert_eq!(records(&response), [(0, 0, b"a".to_vec())]);
}

#[tokio::test]
async fn a_request_of_much_memory_does_not_keep_it_for_as_long_as_it_likes() {
    let rig = Rig::new();
    rig.create("t", 1, TopicRules::default());
    let forgotten =
        ForgottenTopic { topic: "nothing of it counts without a session".into(), ..Default::default() };
    let forgotten_topics_data = vec![forgotten; 2_000];
    let request = FetchRequest { forgotten_topics_data, ..fetch_request("t", &[(0, 0)]) };
    let reply =
        timeout(Duration::from_secs(60), later(&rig, request).await).await.expect("it ends by itself");
    assert_eq!(records(&answer::<FetchRequest>(12, reply)), []);
}

#[tokio::test]
async fn a_long_poll_wakes_once_and_leaves_nothing_behind() {
    let rig = Rig::new();
    rig.create("t", 3, TopicRules::default());
    let mut reply = later(&rig, fetch_request("t", &[(0, 0), (1, 0), (2, 0)])).await;
    let counter = Arc::<Counter>::default();
    let waker = Waker::from(Arc::clone(&counter));
    assert!(Pin::new(&mut reply).poll(&mut Context::from_waker(&waker)).is_pending());
    let counts = || [0, 1, 2].map(|partition| rig.log("t", partition).waiting_count());
    assert_eq!(counts(), [1, 1, 1]);
    // All three go on, and nothing has looked meanwhile.
    for _ in 0..2 {
        let batches = [0, 1, 2].map(|partition| (partition, batch(&[b"a"])));
        rig.call(9, &produce_request("t", -1, batches)).await;
    }
    assert_eq!(counter.0.load(Ordering::SeqCst), 1);
    let Poll::Ready(reply) = Pin::new(&mut reply).poll(&mut Context::from_waker(&waker)) else {
        panic!("not ready")
    };
    assert_eq!(records(&answer::<FetchRequest>(12, reply)).len(), 6);
    assert_eq!(counts(), [0, 0, 0]);
}

#[tokio::test]
async fn a_client_that_goes_away_is_forgotten() {
    let rig = Rig::new();
    rig.create("t", 1, TopicRules::default());
    let mut reply = later(&rig, fetch_request("t", &[(0, 0)])).await;
    assert!(Pin::new(&mut reply).poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert_eq!(rig.log("t", 0).waiting_count(), 1);
    drop(reply);
    assert_eq!(rig.log("t", 0).waiting_count(), 0);
}

#[tokio::test]
async fn a_long_poll_waits_for_as_many_bytes_as_it_says() {
    let rig = Rig::new();
    rig.create("t", 1, TopicRules::default());
    let request = FetchRequest { min_bytes: 2_500, ..fetch_request("t", &[(0, 0)]) };
    let reply = tokio::spawn(later(&rig, request).await);
    for _ in 0..3 {
        assert!(!reply.is_finished());
        rig.produce("t", batch(&[&[1; 1_000]])).await;
    }
    assert_eq!(records(&answer::<FetchRequest>(12, reply.await.unwrap())).len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_long_poll_ends_with_its_time() {
    let rig = Rig::new();
    rig.create("t", 1, TopicRules::default());
    let reply = settle(Dispatched::Later(later(&rig, fetch_request("t", &[(0, 0)])).await)).await;
    let response = answer::<FetchRequest>(12, reply);
    assert_eq!(response.responses[0].partitions[0].error_code, ErrorCode::NONE);
    assert_eq!(records(&response), []);
}

#[tokio::test]
async fn what_cannot_be_read_ends_a_long_poll() {
    let rig = Rig::new();
    rig.create("t", 2, TopicRules::default());
    let dispatched = rig.dispatch(12, &waiting(fetch_request("t", &[(0, 0), (1, 7)]))).await;
    let Dispatched::Now(reply) = dispatched else { panic!("it waits") };
    let response = answer::<FetchRequest>(12, reply);
    let codes: Vec<_> =
        response.responses[0].partitions.iter().map(|partition| partition.error_code).collect();
    assert_eq!(codes, [ErrorCode::NONE, ErrorCode::OFFSET_OUT_OF_RANGE]);
}

#[tokio::test]
async fn a_long_poll_ends_when_another_broker_leads() {
    let rig = Rig::new();
    rig.create("t", 2, TopicRules::default());
    let reply = tokio::spawn(later(&rig, fetch_request("t", &[(0, 0), (1, 0)])).await);
    while rig.log("t", 1).waiting_count() == 0 {
        tokio::task::yield_now().await;
    }
    rig.lead("t", NODE_ID + 1, LEADER_EPOCH + 1, 1);
    let response = answer::<FetchRequest>(12, reply.await.unwrap());
    let partitions = &response.responses[0].partitions;
    let codes = partitions.iter().map(|partition| partition.error_code);
    assert!(codes.eq([ErrorCode::NOT_LEADER_OR_FOLLOWER, ErrorCode::NONE]));
    assert_eq!(rig.log("t", 1).waiting_count(), 0);
}

#[tokio::test]
async fn a_long_poll_of_an_earlier_epoch_is_fenced_and_one_of_none_goes_on() {
    let rig = Rig::new();
    rig.create("t", 1, TopicRules::default());
    let mut request = fetch_request("t", &[(0, 0)]);
    let untold = tokio::spawn(later(&rig, request.clone()).await);
    request.topics[0].partitions[0].current_leader_epoch = LEADER_EPOCH;
    let told = tokio::spawn(later(&rig, request).await);
    while rig.log("t", 0).waiting_count() < 2 {
        tokio::task::yield_now().await;
    }
    rig.lead("t", NODE_ID, LEADER_EPOCH + 1, 1);
    let response = answer::<FetchRequest>(12, told.await.unwrap());
    assert_eq!(response.responses[0].partitions[0].error_code, ErrorCode::FENCED_LEADER_EPOCH);
    rig.produce("t", batch(&[b"a"])).await;
    let response = answer::<FetchRequest>(12, untold.await.unwrap());
    let partition = &response.responses[0].partitions[0];
    let is_empty = partition.records.as_ref().unwrap().as_slice().unwrap().is_empty();
    assert!(partition.error_code == ErrorCode::NONE && !is_empty);
}
