//! Producers that wait for all replicas, and those that come to a broker which does not lead.

use strandline_log::engine::Command;
use strandline_protocol::ErrorCode;
use strandline_protocol::apis::produce::{PartitionProduceResponse, ProduceRequest};
use tokio::task::JoinHandle;

use crate::api::Reply;
use crate::api::tests::{
    LEADER_EPOCH, NODE_ID, Rig, answer, batch, only_partition, produce_request, settle, topic_id,
};
use crate::api::topics::{Leadership, Topic, TopicRules};

/// A topic whose high watermark somebody else moves.
fn rig() -> Rig {
    let rig = Rig::new();
    rig.create("t", 1, TopicRules::default());
    replicate(&rig, 0);
    rig
}

/// All replicas have everything before an offset.
fn replicate(rig: &Rig, offset: i64) {
    let partition = rig.log("t", 0).id();
    rig.engine.call(Command::SetHighWatermark { partition, offset }).unwrap();
}

fn request(acks: i16, timeout_ms: i32) -> ProduceRequest {
    ProduceRequest { timeout_ms, ..produce_request("t", acks, [(0, batch(&[b"a"]))]) }
}

/// Begins to wait for an answer, and returns when nothing but the high watermark is waited for.
async fn waiting(rig: &Rig, request: ProduceRequest) -> JoinHandle<Reply> {
    let reply = tokio::spawn(settle(rig.dispatch(9, &request).await));
    while rig.log("t", 0).waiting_count() == 0 {
        tokio::task::yield_now().await;
    }
    reply
}

fn said(reply: Reply) -> PartitionProduceResponse {
    only_partition(answer::<ProduceRequest>(9, reply))
}

#[tokio::test]
async fn an_answer_for_all_replicas_waits_for_the_high_watermark() {
    let rig = rig();
    let one = only_partition(rig.call(9, &request(1, 0)).await);
    assert_eq!((one.error_code, one.base_offset), (ErrorCode::NONE, 0), "for one it does not");
    let reply = waiting(&rig, request(-1, 600_000)).await;
    assert_eq!(rig.log("t", 0).offsets().end, 2);
    // That is up to the record, and not beyond it.
    replicate(&rig, 1);
    assert_eq!(rig.log("t", 0).waiting_count(), 1);
    assert!(!reply.is_finished());
    replicate(&rig, 2);
    let all = said(reply.await.unwrap());
    assert_eq!((all.error_code, all.base_offset), (ErrorCode::NONE, 1));
    assert_eq!(rig.log("t", 0).waiting_count(), 0);
}

#[tokio::test]
async fn what_is_not_replicated_in_time_is_said_to_be_late() {
    let rig = rig();
    let late = only_partition(rig.call(9, &request(-1, 1)).await);
    assert_eq!((late.error_code, late.base_offset), (ErrorCode::REQUEST_TIMED_OUT, 0));
    assert_eq!(rig.log("t", 0).waiting_count(), 0);
}

#[tokio::test]
async fn nobody_waits_for_what_is_deleted() {
    let rig = rig();
    let reply = waiting(&rig, request(-1, 600_000)).await;
    rig.engine.call(Command::Delete { partition: rig.log("t", 0).id() }).unwrap();
    assert_eq!(said(reply.await.unwrap()).error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
}

#[tokio::test]
async fn who_leads_no_longer_says_so_at_once_and_names_who_does() {
    let rig = rig();
    let reply = tokio::spawn(settle(rig.dispatch(10, &request(-1, 600_000)).await));
    while rig.log("t", 0).waiting_count() == 0 {
        tokio::task::yield_now().await;
    }
    rig.lead("t", NODE_ID + 1, LEADER_EPOCH + 1, 1);
    let said = only_partition(answer::<ProduceRequest>(10, reply.await.unwrap()));
    assert_eq!((said.error_code, said.base_offset), (ErrorCode::NOT_LEADER_OR_FOLLOWER, 0));
    let leader = (said.current_leader.leader_id, said.current_leader.leader_epoch);
    assert_eq!(leader, (NODE_ID + 1, LEADER_EPOCH + 1));
    assert_eq!(rig.log("t", 0).waiting_count(), 0);
}

#[tokio::test]
async fn an_offset_that_another_record_has_by_now_is_no_promise() {
    let rig = rig();
    let reply = waiting(&rig, request(-1, 600_000)).await;
    // Another one led meanwhile, which never had the record. This broker has cut it off, and leads again.
    let partition = rig.log("t", 0).id();
    rig.engine.call(Command::Truncate { partition, end_offset: 0 }).unwrap();
    rig.lead("t", NODE_ID, LEADER_EPOCH + 2, 1);
    let other = only_partition(rig.call(9, &request(1, 0)).await);
    assert_eq!((other.error_code, other.base_offset), (ErrorCode::NONE, 0));
    replicate(&rig, 1);
    assert_eq!(said(reply.await.unwrap()).error_code, ErrorCode::NOT_LEADER_OR_FOLLOWER);
}

#[tokio::test]
async fn a_later_epoch_of_the_same_leader_takes_nothing_back() {
    let rig = rig();
    let reply = waiting(&rig, request(-1, 600_000)).await;
    rig.lead("t", NODE_ID, LEADER_EPOCH + 1, 1);
    while rig.log("t", 0).waiting_count() == 0 {
        assert!(!reply.is_finished());
        tokio::task::yield_now().await;
    }
    replicate(&rig, 1);
    let all = said(reply.await.unwrap());
    assert_eq!((all.error_code, all.base_offset), (ErrorCode::NONE, 0));
}

#[tokio::test]
async fn too_few_replicas_in_sync_by_then_are_told() {
    let rig = Rig::new();
    rig.create("t", 1, TopicRules { in_sync_replicas_min: 2, ..TopicRules::default() });
    rig.lead("t", NODE_ID, LEADER_EPOCH, 2);
    let enough = only_partition(rig.call(9, &request(-1, 600_000)).await);
    assert_eq!((enough.error_code, enough.base_offset), (ErrorCode::NONE, 0), "it has no followers");
    replicate(&rig, 1);
    let reply = waiting(&rig, request(-1, 600_000)).await;
    rig.lead("t", NODE_ID, LEADER_EPOCH, 1);
    replicate(&rig, 2);
    let few = said(reply.await.unwrap());
    assert_eq!((few.error_code, few.base_offset), (ErrorCode::NOT_ENOUGH_REPLICAS_AFTER_APPEND, 1));
}

#[tokio::test]
async fn the_leader_is_named_to_those_who_come_to_another() {
    let rig = Rig::new();
    let led = |leader| Leadership { leader, leader_epoch: 9, in_sync_replicas: 1, replicas: 1 };
    // This broker leads the second, and has no log of it yet.
    let partitions = vec![led(NODE_ID + 1), led(NODE_ID)];
    let (id, name, rules) = (topic_id("t"), "t".into(), TopicRules::default());
    let tally = Default::default();
    rig.topics.put(Topic { id, name, is_internal: false, rules, partitions, tally });
    let batches = |count| (0..count).map(|index| (index, batch(&[b"a"])));
    for version in [9, 10, 12, 13] {
        let response = rig.call(version, &produce_request("t", -1, batches(2))).await;
        let partitions = &response.responses[0].partition_responses;
        let codes = partitions.iter().map(|partition| partition.error_code);
        assert!(codes.eq([ErrorCode::NOT_LEADER_OR_FOLLOWER; 2]));
        let leaders = partitions.iter().map(|partition| &partition.current_leader);
        let leaders: Vec<_> = leaders.map(|leader| (leader.leader_id, leader.leader_epoch)).collect();
        let nodes: Vec<_> = response.node_endpoints.iter().map(|node| (node.node_id, node.port)).collect();
        if version < 10 {
            assert_eq!((leaders, nodes), (vec![(-1, -1); 2], vec![]));
        } else {
            assert_eq!((leaders, nodes), (vec![(NODE_ID + 1, 9), (NODE_ID, 9)], vec![(NODE_ID, 9_092)]));
        }
    }
    let response = rig.call(13, &produce_request("t", -1, batches(1))).await;
    assert!(response.node_endpoints.is_empty(), "nobody knows yet where another one is");
}
