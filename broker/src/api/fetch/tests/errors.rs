//! What a reader is told that cannot be given what it asks for.

use std::sync::Arc;

use strandline_log::engine::{Command, NewBatch};
use strandline_log::producers::Sender;
use strandline_protocol::ErrorCode;
use strandline_protocol::apis::fetch::{FetchRequest, PartitionData, ReplicaState};
use strandline_protocol::batch::{BatchBuilder, ControlRecord};

use crate::admission::AdmitAll;
use crate::api::tests::{
    LEADER_EPOCH, NODE_ID, Rig, batch, built, fetch_request, produce_request, records, topic_id,
};
use crate::api::topics::{Leadership, Topic, TopicRules};

async fn ask(rig: &Rig, version: i16, request: &FetchRequest) -> PartitionData {
    rig.call(version, request).await.responses.remove(0).partitions.remove(0)
}

async fn rig() -> Rig {
    let rig = Rig::new();
    rig.create("t", 1, TopicRules::default());
    rig.produce("t", batch(&[b"a", b"b"])).await;
    rig
}

#[tokio::test]
async fn records_are_empty_and_never_null() {
    let rig = Rig::new();
    rig.create("t", 1, TopicRules::default());
    for (partition, offset, code) in [
        (0, 0, ErrorCode::NONE),
        (0, 1, ErrorCode::OFFSET_OUT_OF_RANGE),
        (1, 0, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION),
    ] {
        for version in 4..=18 {
            let data = ask(&rig, version, &fetch_request("t", &[(partition, offset)])).await;
            assert_eq!(data.error_code, code);
            assert_eq!(data.records.as_ref().map(|records| records.len()), Some(0));
            assert_eq!(data.aborted_transactions, None);
            assert_eq!(data.preferred_read_replica, -1);
        }
    }
}

#[tokio::test]
async fn leader_epochs_are_checked_and_the_leader_is_named() {
    let rig = rig().await;
    for (epoch, code) in [
        (-1, ErrorCode::NONE),
        (LEADER_EPOCH, ErrorCode::NONE),
        (LEADER_EPOCH - 1, ErrorCode::FENCED_LEADER_EPOCH),
        (LEADER_EPOCH + 1, ErrorCode::UNKNOWN_LEADER_EPOCH),
    ] {
        let mut request = fetch_request("t", &[(0, 0)]);
        request.topics[0].partitions[0].current_leader_epoch = epoch;
        let mut response = rig.call(16, &request).await;
        let data = response.responses.remove(0).partitions.remove(0);
        assert_eq!(data.error_code, code);
        let is_fenced = code == ErrorCode::FENCED_LEADER_EPOCH;
        assert_eq!(data.current_leader.leader_epoch, if is_fenced { LEADER_EPOCH } else { -1 });
        let named: Vec<_> = response.node_endpoints.iter().map(|node| (node.node_id, node.port)).collect();
        assert_eq!(named, if is_fenced { vec![(NODE_ID, 9_092)] } else { vec![] });
    }
}

#[tokio::test]
async fn another_brokers_partition_is_not_read_here() {
    let rig = rig().await;
    let led = Leadership { leader: NODE_ID + 1, leader_epoch: 9, in_sync_replicas: 1, replicas: 1 };
    let rules = TopicRules::default();
    let (id, name) = (topic_id("other"), "other".into());
    let (partitions, tally) = (vec![led], Default::default());
    rig.topics.put(Topic { id, name, is_internal: false, rules, partitions, tally });
    let data = ask(&rig, 16, &fetch_request("other", &[(0, 0)])).await;
    assert_eq!(data.error_code, ErrorCode::NOT_LEADER_OR_FOLLOWER);
    assert_eq!((data.current_leader.leader_id, data.current_leader.leader_epoch), (NODE_ID + 1, 9));
}

#[tokio::test]
async fn a_log_that_parted_is_told_where() {
    let rig = rig().await;
    for (last_epoch, offset, expected) in [
        (LEADER_EPOCH, 2, (ErrorCode::NONE, (-1, -1))),
        (LEADER_EPOCH - 1, 2, (ErrorCode::NONE, (LEADER_EPOCH - 1, 0))),
        (LEADER_EPOCH, 3, (ErrorCode::NONE, (LEADER_EPOCH, 2))),
        (LEADER_EPOCH + 1, 2, (ErrorCode::OFFSET_OUT_OF_RANGE, (-1, -1))),
    ] {
        let mut request = fetch_request("t", &[(0, offset)]);
        request.topics[0].partitions[0].last_fetched_epoch = last_epoch;
        let data = ask(&rig, 12, &request).await;
        let diverging = (data.diverging_epoch.epoch, data.diverging_epoch.end_offset);
        assert_eq!((data.error_code, diverging), expected, "{last_epoch} at {offset}");
    }
}

#[tokio::test]
async fn a_follower_that_nobody_knows_is_refused() {
    let rig = rig().await;
    let plain = FetchRequest { replica_id: 2, ..fetch_request("t", &[(0, 0)]) };
    assert_eq!(ask(&rig, 14, &plain).await.error_code, ErrorCode::NOT_LEADER_OR_FOLLOWER);
    let replica_state = ReplicaState { replica_id: 2, ..Default::default() };
    let mut told = FetchRequest { replica_state, ..fetch_request("t", &[(0, 0)]) };
    told.topics[0].partitions[0].current_leader_epoch = LEADER_EPOCH;
    assert_eq!(ask(&rig, 18, &told).await.error_code, ErrorCode::UNKNOWN_LEADER_EPOCH);
}

#[tokio::test]
async fn aborted_transactions_are_named_as_far_as_was_read_and_no_further() {
    let rig = Rig::new();
    rig.create("t", 1, TopicRules::default());
    let (partition, leader_epoch) = (rig.log("t", 0).id(), LEADER_EPOCH);
    let append = |sender, bytes| {
        let batch = NewBatch::validated(bytes).unwrap();
        rig.engine.call(Command::Append { partition, leader_epoch, sender, batch }).unwrap();
    };
    // Records at 0, 2, 4 and their ends behind them.
    for producer_id in 7..10 {
        let builder = BatchBuilder::new().producer(producer_id, 0, 0).transactional(true);
        append(Sender::Client, built(builder, &[&[1; 500]]));
        let abort = ControlRecord::Abort { coordinator_epoch: 0 };
        append(Sender::Coordinator, abort.transaction_marker(0, producer_id, 0).unwrap());
    }
    for (offset, bytes_max, expected) in
        [(0, 1, &[7][..]), (0, 1 << 20, &[7, 8, 9]), (2, 700, &[8]), (5, 1, &[9])]
    {
        let mut request = FetchRequest { isolation_level: 1, ..fetch_request("t", &[(0, offset)]) };
        request.topics[0].partitions[0].partition_max_bytes = bytes_max;
        let aborted = ask(&rig, 12, &request).await.aborted_transactions.unwrap();
        let ids: Vec<_> = aborted.iter().map(|aborted| aborted.producer_id).collect();
        assert_eq!(ids, expected, "{bytes_max} bytes from {offset}");
    }
}

#[tokio::test]
async fn ids_that_are_nobodys_are_unknown() {
    let rig = rig().await;
    assert_eq!(
        ask(&rig, 13, &fetch_request("gone", &[(0, 0)])).await.error_code,
        ErrorCode::UNKNOWN_TOPIC_ID
    );
    let by_name = ask(&rig, 12, &fetch_request("gone", &[(0, 0)])).await;
    assert_eq!(by_name.error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
}

#[tokio::test]
async fn committed_reads_end_at_open_transactions_and_name_aborted_ones() {
    let mut rig = Rig::new();
    rig.create("t", 1, TopicRules::default());
    rig.broker().admission = Arc::new(AdmitAll);
    let open = built(BatchBuilder::new().producer(7, 0, 0).transactional(true), &[b"a"]);
    let request = produce_request("t", -1, [(0, open)]);
    rig.call(
        9,
        &strandline_protocol::apis::produce::ProduceRequest {
            transactional_id: Some("tx".into()),
            ..request
        },
    )
    .await;
    rig.produce("t", batch(&[b"b"])).await;
    let committed = FetchRequest { isolation_level: 1, ..fetch_request("t", &[(0, 0)]) };
    let data = ask(&rig, 12, &committed).await;
    assert_eq!((data.last_stable_offset, data.high_watermark), (0, 2));
    assert_eq!(data.records.map(|records| records.len()), Some(0));
    assert_eq!(data.aborted_transactions, Some(vec![]));
    let marker = ControlRecord::Abort { coordinator_epoch: 0 }.transaction_marker(0, 7, 0).unwrap();
    let batch = NewBatch::validated(marker).unwrap();
    let partition = rig.log("t", 0).id();
    let (leader_epoch, sender) = (LEADER_EPOCH, Sender::Coordinator);
    rig.engine.call(Command::Append { partition, leader_epoch, sender, batch }).unwrap();
    let data = ask(&rig, 12, &committed).await;
    let aborted = data.aborted_transactions.unwrap();
    assert_eq!((aborted[0].producer_id, aborted[0].first_offset, aborted.len()), (7, 0, 1));
    let uncommitted = rig.call(12, &fetch_request("t", &[(0, 0)])).await;
    assert_eq!(uncommitted.responses[0].partitions[0].aborted_transactions, None);
    assert_eq!(records(&uncommitted).len(), 3);
}
