//! What one turn of a connection begins goes to the writer together, and in its order.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use strandline_protocol::ErrorCode;
use strandline_protocol::apis::list_offsets::ListOffsetsRequest;
use strandline_protocol::apis::produce::ProduceRequest;
use tokio::time::timeout;

use crate::api::produce::produced::Begun;
use crate::api::tests::{Rig, answer, batch, only_partition, produce_request, settle};
use crate::api::topics::TopicRules;
use crate::api::turn::Turn;
use crate::api::{Dispatched, LaterReply};
use crate::net::Service;

/// A connection that says when its turn ends, and a topic.
fn rig() -> Rig {
    let mut rig = Rig::new();
    Arc::get_mut(&mut rig.connection).unwrap().turn = Turn::of_connection();
    rig.create("t", 1, TopicRules::default());
    rig
}

async fn begin(rig: &Rig) -> LaterReply {
    match rig.dispatch(12, &produce_request("t", -1, [(0, batch(&[b"a"]))])).await {
        Dispatched::Later(later) => later,
        Dispatched::Now(reply) => panic!("{reply:?}"),
    }
}

/// Where a batch was put.
async fn offset(later: LaterReply) -> i64 {
    let reply = timeout(Duration::from_secs(10), later).await.expect("the writer has it");
    let partition = only_partition(answer::<ProduceRequest>(12, reply));
    assert_eq!(partition.error_code, ErrorCode::NONE);
    partition.base_offset
}

#[tokio::test]
async fn what_a_turn_begins_goes_together_and_in_its_order() {
    let rig = rig();
    let mut begun = Vec::new();
    for _ in 0..20 {
        begun.push(begin(&rig).await);
    }
    // Nobody else asks this writer for anything: had it one of them, it would be there soon.
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(rig.log("t", 0).offsets().end, 0);
    poll_fn(|context| rig.connection.turn.gathering.poll_in(&rig.broker.storage, context)).await;
    for (expected, later) in begun.into_iter().enumerate().rev() {
        assert_eq!(offset(later).await, i64::try_from(expected).unwrap());
    }
}

#[tokio::test]
async fn much_goes_before_the_turn_ends() {
    let rig = rig();
    for _ in 0..1_000 {
        drop(begin(&rig).await);
    }
    let there = async {
        while rig.log("t", 0).offsets().end < 500 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(Duration::from_secs(10), there).await.unwrap();
}

#[tokio::test]
async fn who_waits_for_an_answer_sends_what_is_here() {
    let rig = rig();
    let (first, second) = (begin(&rig).await, begin(&rig).await);
    assert_eq!(offset(second).await, 1);
    assert_eq!(offset(first).await, 0);
}

#[tokio::test]
async fn what_is_asked_behind_it_comes_behind_it() {
    let rig = rig();
    let mut later = begin(&rig).await;
    settle(rig.dispatch(7, &ListOffsetsRequest::default()).await).await;
    // The batch went before that was asked, and is answered without anybody's doing.
    let mut context = Context::from_waker(Waker::noop());
    let answered = async {
        loop {
            if rig.log("t", 0).offsets().end == 1
                && let Poll::Ready(reply) = Pin::new(&mut later).poll(&mut context)
            {
                return reply;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(Duration::from_secs(10), answered).await.expect("the writer has it");
}

#[test]
fn what_waits_for_the_writer_takes_little_memory() {
    // There is one for each request in flight.
    let bytes = size_of::<Option<Begun>>();
    assert!(bytes <= 512, "{bytes} bytes");
}

/// Says that a turn has ended.
fn end_turn(rig: &Rig) {
    assert!(rig.broker.poll_sent(&rig.connection, &mut Context::from_waker(Waker::noop())).is_ready());
}

#[tokio::test]
async fn what_a_turn_has_found_is_looked_up_again_in_the_next() {
    let rig = rig();
    let users = Arc::strong_count(&rig.log("t", 0));
    let (first, second) = (begin(&rig).await, begin(&rig).await);
    assert_eq!(Arc::strong_count(&rig.log("t", 0)), users + 1, "it was looked up once");
    assert_eq!((offset(first).await, offset(second).await), (0, 1));
    end_turn(&rig);
    assert_eq!(Arc::strong_count(&rig.log("t", 0)), users, "nobody keeps it");
    drop(begin(&rig).await);
    end_turn(&rig);
    rig.lead("t", 99, 7, 1);
    let refused = rig.produce("t", batch(&[b"a"])).await;
    assert_eq!(refused.error_code, ErrorCode::NOT_LEADER_OR_FOLLOWER);
}

#[tokio::test]
async fn a_turn_that_writes_to_several_finds_each_of_them() {
    let rig = rig();
    rig.create("u", 2, TopicRules::default());
    for (name, index, version) in [("t", 0, 12), ("u", 0, 12), ("u", 1, 13), ("u", 0, 13), ("t", 0, 13)] {
        let request = produce_request(name, -1, [(index, batch(&[b"a"]))]);
        let answer = only_partition(rig.call(version, &request).await);
        assert_eq!((answer.index, answer.error_code), (index, ErrorCode::NONE));
    }
    let ends = [("t", 0), ("u", 0), ("u", 1)].map(|(name, index)| rig.log(name, index).offsets().end);
    assert_eq!(ends, [2, 2, 1]);
}
