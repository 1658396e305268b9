//! Offsets that groups commit in transactions.

use strandline_protocol::ErrorCode;
use strandline_protocol::apis::add_offsets_to_txn::AddOffsetsToTxnRequest;
use strandline_protocol::apis::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopics, OffsetFetchResponsePartitions,
};
use strandline_protocol::apis::txn_offset_commit::{
    TxnOffsetCommitRequest, TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};

use crate::requests::{
    Own, TOPIC, TRANSACTIONAL_ID, batch, committed, end, find, initialise, prepare, produce, settled,
};
use crate::support::{Folder, Running};

pub(crate) const GROUP: &str = "readers";

pub(crate) async fn commit(running: &Running, version: i16, own: Own, offset: i64) -> ErrorCode {
    let partition = TxnOffsetCommitRequestPartition { committed_offset: offset, ..Default::default() };
    let topic =
        TxnOffsetCommitRequestTopic { name: TOPIC.into(), partitions: vec![partition], ..Default::default() };
    let request = TxnOffsetCommitRequest {
        transactional_id: TRANSACTIONAL_ID.into(),
        group_id: GROUP.into(),
        producer_id: own.id,
        producer_epoch: own.epoch,
        generation_id: -1,
        topics: vec![topic],
        ..Default::default()
    };
    running.ask_in(version, &request).await.topics[0].partitions[0].error_code
}

async fn add(running: &Running, own: Own) -> ErrorCode {
    let request = AddOffsetsToTxnRequest {
        transactional_id: TRANSACTIONAL_ID.into(),
        producer_id: own.id,
        producer_epoch: own.epoch,
        group_id: GROUP.into(),
        ..Default::default()
    };
    loop {
        let code = running.ask_in(3, &request).await.error_code;
        if code != ErrorCode::CONCURRENT_TRANSACTIONS {
            return code;
        }
    }
}

async fn fetch(running: &Running, require_stable: bool) -> OffsetFetchResponsePartitions {
    let topic =
        OffsetFetchRequestTopics { name: TOPIC.into(), partition_indexes: vec![0], ..Default::default() };
    let group =
        OffsetFetchRequestGroup { group_id: GROUP.into(), topics: Some(vec![topic]), ..Default::default() };
    let request = OffsetFetchRequest { groups: vec![group], require_stable, ..Default::default() };
    loop {
        let mut response = running.ask_in(8, &request).await;
        let mut group = response.groups.remove(0);
        // A broker that has just come up may still be reading its log.
        if group.error_code == ErrorCode::NONE {
            return group.topics.remove(0).partitions.remove(0);
        }
        assert_eq!(group.error_code, ErrorCode::COORDINATOR_LOAD_IN_PROGRESS);
    }
}

/// Waits until the offset is no longer pending.
pub(crate) async fn fetch_stable(running: &Running) -> i64 {
    loop {
        let found = fetch(running, true).await;
        if found.error_code == ErrorCode::NONE {
            return found.committed_offset;
        }
        assert_eq!(found.error_code, ErrorCode::UNSTABLE_OFFSET_COMMIT);
    }
}

#[tokio::test]
async fn offsets_count_with_the_transaction_and_not_before() {
    for (version, ends) in [(3, 1), (4, 4), (5, 5)] {
        let folder = Folder::new();
        let running = folder.start(&[]).await;
        prepare(&running).await;
        find(&running, 0, GROUP).await;
        let mut own = initialise(&running, None).await.unwrap();
        if version < 5 {
            // Whoever does not say so first commits nothing.
            let code =
                if version < 4 { ErrorCode::INVALID_TXN_STATE } else { ErrorCode::TRANSACTION_ABORTABLE };
            assert_eq!(commit(&running, version, own, 3).await, code);
            assert_eq!(add(&running, own).await, ErrorCode::NONE);
        }
        assert_eq!(commit(&running, version, own, 3).await, ErrorCode::NONE);
        assert_eq!(fetch(&running, false).await.committed_offset, -1);
        assert_eq!(fetch(&running, true).await.error_code, ErrorCode::UNSTABLE_OFFSET_COMMIT);
        own = end(&running, ends, own, true).await.unwrap();
        assert_eq!(fetch_stable(&running).await, 3);
        // What is aborted leaves it at that, and so it is after a restart.
        if version < 5 {
            assert_eq!(add(&running, own).await, ErrorCode::NONE);
        }
        assert_eq!(commit(&running, version, own, 9).await, ErrorCode::NONE);
        end(&running, ends, own, false).await.unwrap();
        assert_eq!(fetch_stable(&running).await, 3);
        running.stop().await;
        let running = folder.start(&[]).await;
        find(&running, 0, GROUP).await;
        assert_eq!(fetch_stable(&running).await, 3);
        running.stop().await;
    }
}

#[tokio::test]
async fn records_and_offsets_count_together() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    prepare(&running).await;
    find(&running, 0, GROUP).await;
    let mut own = initialise(&running, None).await.unwrap();
    for round in 1..=10 {
        let value = format!("{round}");
        assert_eq!(produce(&running, 12, 1, batch(own, 0, &value)).await.error_code, ErrorCode::NONE);
        assert_eq!(commit(&running, 5, own, round).await, ErrorCode::NONE);
        own = end(&running, 5, own, round % 3 != 0).await.unwrap();
    }
    settled(&running, 1).await;
    assert_eq!(committed(&running, 1).await, ["1", "2", "4", "5", "7", "8", "10"]);
    assert_eq!(fetch_stable(&running).await, 10);
    running.stop().await;
}

#[tokio::test]
async fn a_producer_that_was_fenced_commits_nothing() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    prepare(&running).await;
    find(&running, 0, GROUP).await;
    let first = initialise(&running, None).await.unwrap();
    assert_eq!(commit(&running, 5, first, 3).await, ErrorCode::NONE);
    initialise(&running, None).await.unwrap();
    assert_eq!(fetch_stable(&running).await, -1);
    assert_eq!(commit(&running, 5, first, 4).await, ErrorCode::INVALID_PRODUCER_EPOCH);
    assert_eq!(add(&running, first).await, ErrorCode::PRODUCER_FENCED);
    assert_eq!(fetch_stable(&running).await, -1);
    running.stop().await;
}
