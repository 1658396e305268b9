//! What a shard does while all is well.

use strandline_log::engine::NewBatch;
use strandline_log::producers::FirstBatch;
use strandline_protocol::ErrorCode;
use strandline_protocol::batch::ControlRecord;
use strandline_state::coordinator::TransactionEnd;
use strandline_state::metadata::decide::{DeleteTopics, TopicReference};

use super::super::Answer;
use super::Rig;
use super::machine::Command;

/// The end of a producer's transaction, as it is appended.
fn marker(producer_id: i64, producer_epoch: i16, is_commit: bool) -> (NewBatch, TransactionEnd) {
    let record = if is_commit {
        ControlRecord::Commit { coordinator_epoch: 0 }
    } else {
        ControlRecord::Abort { coordinator_epoch: 0 }
    };
    let bytes = record.transaction_marker(1_000_000, producer_id, producer_epoch).unwrap();
    (NewBatch::validated(bytes).unwrap(), TransactionEnd { producer_id, producer_epoch, is_commit })
}

async fn add_in(rig: &Rig, producer: (i64, i16), number: i64) -> Result<i64, ErrorCode> {
    let (producer_id, producer_epoch) = producer;
    let first = FirstBatch { producer_id, producer_epoch, base_sequence: -1 };
    let log = rig.adders.log(rig.adders.partition_of("k").unwrap()).unwrap();
    let guard = log.begin_verification(first, false, 1_000_000);
    let command = |ticket| Command::AddIn { ticket, producer_id, producer_epoch, number };
    rig.adders.ask_verified("k", guard, command).await.get().await
}

async fn end(rig: &Rig, producer: (i64, i16), is_commit: bool) -> Result<(), ErrorCode> {
    let (batch, end) = marker(producer.0, producer.1, is_commit);
    let partition = rig.adders.partition_of("k").unwrap();
    rig.adders.end_transaction(partition, batch, end).await.get().await
}

#[tokio::test(flavor = "multi_thread")]
async fn decisions_are_made_in_order_and_found_again() {
    let rig = Rig::new().await;
    let mut answers = Vec::new();
    for _ in 0..1_000 {
        answers.push(rig.ask("k", |ticket| Command::Add(ticket, 1)).await);
    }
    for (expected, answer) in (1..).zip(answers) {
        assert_eq!(answer.get().await, Ok(expected));
    }
    // Many decisions are one batch.
    let partition = rig.adders.partition_of("k").unwrap();
    let place = crate::storage::TopicPartition { topic_id: rig.adders.topic_id(), index: partition };
    let log = rig.metadata.storage().partition(place).unwrap();
    assert_eq!(log.offsets().end, 1_000);
    assert!(log.bytes() < 1_000 * 61, "{}", log.bytes());
    let again = rig.again().await;
    assert_eq!(rig.sum_of(&again, "k").await, Ok(1_000));
    assert_eq!(rig.sum_of(&again, "another").await, Ok(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_counts_when_its_end_is_there() {
    let rig = Rig::new().await;
    assert_eq!(add_in(&rig, (7, 0), 10).await, Ok(0));
    assert_eq!(add_in(&rig, (8, 0), 100).await, Ok(0));
    assert_eq!(rig.sum_of(&rig.again().await, "k").await, Ok(0));
    assert_eq!(end(&rig, (7, 0), true).await, Ok(()));
    assert_eq!(end(&rig, (8, 0), false).await, Ok(()));
    assert_eq!(rig.sum("k").await, Ok(10));
    assert_eq!(rig.add("k", 1).await, Ok(11));
    assert_eq!(rig.sum_of(&rig.again().await, "k").await, Ok(11));
}

/// What was sent, and awaits its answer.
enum Sent {
    Number(Answer<i64>),
    End(Answer<()>),
}

impl Sent {
    async fn went_well(self) -> bool {
        match self {
            Self::Number(answer) => answer.get().await.is_ok(),
            Self::End(answer) => answer.get().await.is_ok(),
        }
    }
}

/// Sends without waiting, as many connections do at once: numbers of many transactions, ends, fenced ones, and numbers of
/// none in between. What the machine is in the end is what a log tells and what everybody was told.
#[tokio::test(flavor = "multi_thread")]
async fn transactions_on_their_way_together_come_to_what_was_answered_and_to_what_is_found_again() {
    const PRODUCERS: i64 = 40;
    let rig = Rig::new().await;
    let partition = rig.adders.partition_of("k").unwrap();
    let log = rig.adders.log(partition).unwrap();
    let mut expected = 0;
    for round in 0..6_i16 {
        let mut sent = Vec::new();
        for producer_id in 0..PRODUCERS {
            // One in ten has been fenced by itself in the round before.
            let is_fenced = round > 0 && producer_id % 10 == 3;
            let producer_epoch = if is_fenced { round - 1 } else { round };
            let first = FirstBatch { producer_id, producer_epoch, base_sequence: -1 };
            let guard = log.begin_verification(first, false, 1_000_000);
            let command = |ticket| Command::AddIn { ticket, producer_id, producer_epoch, number: 1 << 20 };
            let answer = rig.adders.ask_verified("k", guard, command).await;
            sent.push((Sent::Number(answer), !is_fenced));
            if producer_id % 7 == 0 {
                sent.push((Sent::Number(rig.ask("k", |ticket| Command::Add(ticket, 1)).await), true));
                expected += 1;
            }
            if producer_id % 11 == 0 {
                sent.push((Sent::Number(rig.ask("k", Command::Sum).await), true));
            }
        }
        for producer_id in 0..PRODUCERS {
            let is_fenced = round > 0 && producer_id % 10 == 3;
            let is_commit = producer_id % 3 > 0;
            let epoch = if is_fenced { round - 1 } else { round };
            let (batch, end) = marker(producer_id, epoch, is_commit);
            let answer = rig.adders.end_transaction(partition, batch, end).await;
            sent.push((Sent::End(answer), !is_fenced));
            expected += if is_commit && !is_fenced { 1 << 20 } else { 0 };
            // Those of the next round find an epoch of this one.
            if producer_id % 10 == 3 {
                let (batch, end) = marker(producer_id, round + 1, false);
                sent.push((Sent::End(rig.adders.end_transaction(partition, batch, end).await), true));
            }
        }
        for (number, (sent, is_well)) in sent.into_iter().enumerate() {
            assert_eq!(sent.went_well().await, is_well, "{number} of round {round}");
        }
        assert_eq!(rig.sum("k").await, Ok(expected));
        assert_eq!(rig.sum_of(&rig.again().await, "k").await, Ok(expected));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_nobody_verified_does_not_begin() {
    let rig = Rig::new().await;
    let command = |ticket| Command::AddIn { ticket, producer_id: 7, producer_epoch: 0, number: 10 };
    assert_eq!(rig.ask("k", command).await.get().await, Err(ErrorCode::INVALID_TXN_STATE));
    assert_eq!(add_in(&rig, (7, 0), 1).await, Ok(0));
    assert_eq!(end(&rig, (7, 0), true).await, Ok(()));
    assert_eq!(rig.sum("k").await, Ok(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_producer_that_the_log_fences_is_told_and_nothing_happens() {
    let rig = Rig::new().await;
    assert_eq!(add_in(&rig, (7, 5), 10).await, Ok(0));
    assert_eq!(add_in(&rig, (7, 4), 100).await, Err(ErrorCode::INVALID_PRODUCER_EPOCH));
    assert_eq!(end(&rig, (7, 4), true).await, Err(ErrorCode::INVALID_PRODUCER_EPOCH));
    assert_eq!(end(&rig, (7, 5), true).await, Ok(()));
    assert_eq!(rig.sum("k").await, Ok(10));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_is_told_once_and_not_what_was_found_in_the_log() {
    let rig = Rig::new().await;
    rig.add("k", 3).await.unwrap();
    rig.add("k", 4).await.unwrap();
    assert_eq!(*rig.watched.lock().unwrap(), [3, 4]);
    rig.again().await;
    assert_eq!(*rig.watched.lock().unwrap(), [3, 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_is_refused_and_the_rest_goes_on() {
    let rig = Rig::new().await;
    let large = rig.ask("k", |ticket| Command::Keep(ticket, super::super::APPEND_BYTES_MAX)).await;
    let other = rig.ask("k", |ticket| Command::Add(ticket, 2)).await;
    assert_eq!(large.get().await, Err(ErrorCode::UNKNOWN_SERVER_ERROR));
    assert_eq!(other.get().await, Ok(2));
    // Larger than what clients may send, as a large group is.
    let large = rig.ask("k", |ticket| Command::Keep(ticket, 12 << 20)).await;
    assert_eq!(large.get().await, Ok(2));
    assert_eq!(rig.sum_of(&rig.again().await, "k").await, Ok(2));
}

#[tokio::test]
async fn an_answer_may_wait_for_a_timer() {
    let rig = Rig::new().await;
    rig.add("k", 3).await.unwrap();
    let answer = rig.ask("k", |ticket| Command::Later(ticket, 0)).await;
    assert_eq!(answer.get().await, Ok(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_is_deleted_takes_its_shards_along() {
    let rig = Rig::new().await;
    rig.add("k", 3).await.unwrap();
    let waiting = rig.ask("k", |ticket| Command::Later(ticket, 3_600_000)).await;
    let topics = vec![TopicReference::Name("__consumer_offsets".into())];
    rig.metadata.run(DeleteTopics { topics }).await.unwrap();
    rig.adders.refresh();
    assert_eq!(waiting.get().await, Err(ErrorCode::NOT_COORDINATOR));
    assert_eq!(rig.sum("k").await, Err(ErrorCode::NOT_COORDINATOR));
    rig.adders.ensure_topic().await.unwrap();
    assert_eq!(rig.sum("k").await, Ok(0));
    rig.engine.close().unwrap();
}
