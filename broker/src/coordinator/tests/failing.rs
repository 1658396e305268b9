//! What becomes of a shard whose log fails, and of those who ask it.

use strandline_log::engine::{Command, NewBatch};
use strandline_log::producers::Sender;
use strandline_protocol::ErrorCode;
use strandline_protocol::batch::{BatchBuilder, NewRecord};

use super::Rig;
use super::machine::Command as Asked;
use crate::storage::TopicPartition;

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_is_offline_has_no_coordinator() {
    let rig = Rig::new().await;
    assert_eq!(rig.add("k", 3).await, Ok(3));
    let waiting = rig.ask("k", |ticket| Asked::Later(ticket, 3_600_000)).await;
    rig.disk.halt_in(1);
    assert_eq!(rig.add("k", 4).await, Err(ErrorCode::NOT_COORDINATOR));
    // Who waits for something else is told, and so is who only reads: what was decided last may not be there.
    assert_eq!(waiting.get().await, Err(ErrorCode::NOT_COORDINATOR));
    // Reading the log again is tried first.
    let mut found = rig.sum("k").await;
    while found == Err(ErrorCode::COORDINATOR_LOAD_IN_PROGRESS) {
        tokio::task::yield_now().await;
        found = rig.sum("k").await;
    }
    assert_eq!(found, Err(ErrorCode::NOT_COORDINATOR));
    assert_eq!(rig.add("k", 4).await, Err(ErrorCode::NOT_COORDINATOR));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_refusal_the_log_is_read_again_and_nothing_is_taken_for_granted() {
    let rig = Rig::new().await;
    assert_eq!(rig.add("k", 3).await, Ok(3));
    // Somebody else leads by now, in a later epoch, and has written something of a newer kind.
    let index = rig.adders.partition_of("k").unwrap();
    let place = TopicPartition { topic_id: rig.adders.topic_id(), index };
    let storage = rig.metadata.storage();
    let partition = storage.partition(place).unwrap().id();
    let mut builder = BatchBuilder::new();
    builder.append(&NewRecord { key: Some(b"newer"), ..NewRecord::at(1_000_000) }).unwrap();
    let batch = NewBatch::validated(builder.build().unwrap()).unwrap();
    let command = Command::Append { partition, leader_epoch: 5, sender: Sender::Client, batch };
    assert!(storage.submit([command]).await.await.pop().unwrap().is_ok());

    let waiting = rig.ask("k", |ticket| Asked::Later(ticket, 3_600_000)).await;
    assert_eq!(rig.add("k", 4).await, Err(ErrorCode::NOT_COORDINATOR));
    assert_eq!(waiting.get().await, Err(ErrorCode::NOT_COORDINATOR));
    let mut found = rig.sum("k").await;
    while found == Err(ErrorCode::COORDINATOR_LOAD_IN_PROGRESS) {
        tokio::task::yield_now().await;
        found = rig.sum("k").await;
    }
    assert_eq!(found, Ok(3));
    // From now on a decision is appended before it is taken in: another refusal costs nobody else anything.
    let waiting = rig.ask("k", |ticket| Asked::Later(ticket, 0)).await;
    assert_eq!(rig.add("k", 4).await, Err(ErrorCode::NOT_COORDINATOR));
    assert_eq!([waiting.get().await, rig.sum("k").await], [Ok(3), Ok(3)]);
}
