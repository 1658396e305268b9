//! Ends of epochs, as readers ask for them.

use strandline_protocol::ErrorCode;
use strandline_protocol::apis::offset_for_leader_epoch::{
    EpochEndOffset, OffsetForLeaderEpochRequest, OffsetForLeaderPartition, OffsetForLeaderTopic,
};

use crate::api::tests::{LEADER_EPOCH, Rig, batch};
use crate::api::topics::TopicRules;

async fn ask(rig: &Rig, leader_epoch: i32, current_leader_epoch: i32) -> EpochEndOffset {
    let partition =
        OffsetForLeaderPartition { leader_epoch, current_leader_epoch, partition: 0, ..Default::default() };
    let topic = OffsetForLeaderTopic { topic: "t".into(), partitions: vec![partition], ..Default::default() };
    let request = OffsetForLeaderEpochRequest { topics: vec![topic], ..Default::default() };
    rig.call(4, &request).await.topics.remove(0).partitions.remove(0)
}

#[tokio::test]
async fn an_epoch_ends_where_the_next_begins() {
    let rig = Rig::new();
    rig.create("t", 1, TopicRules::default());
    // Nothing was appended in it yet, and the leader has it all the same.
    let end = ask(&rig, LEADER_EPOCH, -1).await;
    assert_eq!((end.leader_epoch, end.end_offset), (LEADER_EPOCH, 0));
    rig.produce("t", batch(&[b"a", b"b"])).await;
    let end = ask(&rig, LEADER_EPOCH, LEADER_EPOCH).await;
    assert_eq!((end.leader_epoch, end.end_offset), (LEADER_EPOCH, 2));
    let before = ask(&rig, LEADER_EPOCH - 1, -1).await;
    assert_eq!((before.leader_epoch, before.end_offset), (LEADER_EPOCH - 1, 0));
    let unknown = ask(&rig, LEADER_EPOCH + 1, -1).await;
    assert_eq!((unknown.error_code, unknown.leader_epoch, unknown.end_offset), (ErrorCode::NONE, -1, -1));
}

#[tokio::test]
async fn a_client_with_an_old_epoch_is_fenced() {
    let rig = Rig::new();
    rig.create("t", 1, TopicRules::default());
    assert_eq!(ask(&rig, 0, LEADER_EPOCH - 1).await.error_code, ErrorCode::FENCED_LEADER_EPOCH);
    assert_eq!(ask(&rig, 0, LEADER_EPOCH + 1).await.error_code, ErrorCode::UNKNOWN_LEADER_EPOCH);
}
