//! The rules one by one; `model` holds all of them against a naive account of the same, at random.

mod bounded;
mod model;
mod refused;
mod snapshots;

use strandline_protocol::ErrorCode;
use strandline_protocol::batch::{Attributes, BatchHeader, BatchView, ControlRecord, NO_SEQUENCE};

use super::{
    ActiveProducer, CompletedTransaction, Marker, ProducerBatch, ProducerError, Producers, Sender, Verdict,
};

const PRODUCER: i64 = 4_711;

/// `count` records of a producer, to be appended at `base_offset`.
fn records(producer_id: i64, epoch: i16, base_sequence: i32, count: i32, base_offset: i64) -> BatchHeader {
    BatchHeader {
        base_offset,
        batch_length: 100,
        partition_leader_epoch: 0,
        crc: 0,
        attributes: Attributes::default(),
        last_offset_delta: count - 1,
        base_timestamp: 0,
        max_timestamp: 1_000 + base_offset,
        producer_id,
        producer_epoch: epoch,
        base_sequence,
        record_count: count,
    }
}

fn transactional(header: BatchHeader) -> BatchHeader {
    BatchHeader { attributes: header.attributes.with_transactional(true), ..header }
}

fn marker(producer_id: i64, epoch: i16, base_offset: i64) -> BatchHeader {
    let header = transactional(records(producer_id, epoch, NO_SEQUENCE, 1, base_offset));
    BatchHeader { attributes: header.attributes.with_control(true), ..header }
}

const COMMIT: Marker = Marker { coordinator_epoch: 0, is_abort: false, raises_epoch: false };
const ABORT: Marker = Marker { is_abort: true, ..COMMIT };

fn from(sender: Sender, header: &BatchHeader) -> ProducerBatch<'_> {
    ProducerBatch { header, marker: None, sender }
}

fn client(producers: &mut Producers, header: BatchHeader) -> Result<Verdict, ProducerError> {
    producers.check_and_stage(&from(Sender::Client, &header))
}

/// Lets a client's batch be appended, all the way.
fn append(producers: &mut Producers, header: BatchHeader) {
    assert_eq!(client(producers, header), Ok(Verdict::Fresh));
    assert_eq!(producers.publish(), None);
}

fn end(
    producers: &mut Producers,
    header: BatchHeader,
    marker: Marker,
) -> Result<Option<CompletedTransaction>, ProducerError> {
    let batch = ProducerBatch { header: &header, marker: Some(marker), sender: Sender::Coordinator };
    producers.check_and_stage(&batch).map(|verdict| {
        assert_eq!(verdict, Verdict::Fresh);
        producers.publish()
    })
}

fn code<T: std::fmt::Debug>(result: Result<T, ProducerError>) -> ErrorCode {
    result.unwrap_err().code()
}

fn duplicate(header: BatchHeader) -> Result<Verdict, ProducerError> {
    let (base_offset, last_offset) = (header.base_offset, header.last_offset());
    Ok(Verdict::Duplicate { base_offset, last_offset, timestamp: header.max_timestamp })
}

#[test]
fn a_partition_without_producers_takes_no_memory() {
    assert!(size_of::<Producers>() <= 32);
    let mut producers = Producers::new();
    assert_eq!(producers.publish(), None);
    producers.log_start_moved(5);
    assert!(producers.0.is_none());
}

#[test]
fn a_producer_that_is_not_known_may_begin_anywhere() {
    let mut producers = Producers::new();
    append(&mut producers, records(PRODUCER, 3, 77, 2, 0));
    append(&mut producers, records(PRODUCER, 3, 79, 1, 2));
}

#[test]
fn a_gap_is_refused_and_changes_nothing() {
    let mut producers = Producers::new();
    append(&mut producers, records(PRODUCER, 0, 0, 3, 0));
    let before = producers.snapshot();
    let expected = ProducerError::SequenceOutOfOrder { producer_id: PRODUCER, found: 4, expected: 3 };
    assert_eq!(client(&mut producers, records(PRODUCER, 0, 4, 1, 3)), Err(expected));
    assert_eq!(expected.code(), ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
    assert_eq!((producers.snapshot(), producers.staged_count()), (before, 0));
    append(&mut producers, records(PRODUCER, 0, 3, 1, 3));
}

#[test]
fn sequence_numbers_begin_again_behind_the_highest() {
    let mut producers = Producers::new();
    append(&mut producers, records(PRODUCER, 0, i32::MAX, 1, 0));
    append(&mut producers, records(PRODUCER, 0, 0, 1, 1));
    let mut producers = Producers::new();
    let across = records(PRODUCER, 0, i32::MAX - 1, 4, 0);
    append(&mut producers, across);
    assert_eq!(client(&mut producers, across), duplicate(across));
    append(&mut producers, records(PRODUCER, 0, 2, 1, 4));
}

#[test]
fn the_last_five_batches_are_known_again() {
    let mut producers = Producers::new();
    let batches: Vec<_> = (0..7).map(|n| records(PRODUCER, 0, n * 2, 2, i64::from(n) * 10)).collect();
    batches.iter().for_each(|batch| append(&mut producers, *batch));
    for batch in &batches[2..] {
        assert_eq!(client(&mut producers, *batch), duplicate(*batch));
    }
    for batch in &batches[..2] {
        assert_eq!(code(client(&mut producers, *batch)), ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
    }
    let part = records(PRODUCER, 0, 12, 1, 70);
    assert_eq!(
        code(client(&mut producers, part)),
        ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER,
        "not the same batch"
    );
}

#[test]
fn a_batch_is_known_again_while_it_is_staged() {
    let mut producers = Producers::new();
    let batches: Vec<_> = (0..7).map(|n| records(PRODUCER, 0, n, 1, i64::from(n))).collect();
    for batch in &batches {
        assert_eq!(client(&mut producers, *batch), Ok(Verdict::Fresh));
    }
    assert_eq!(producers.staged_count(), 7);
    assert_eq!(client(&mut producers, batches[6]), duplicate(batches[6]));
    assert_eq!(client(&mut producers, batches[2]), duplicate(batches[2]));
    assert_eq!(code(client(&mut producers, batches[1])), ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
}

#[test]
fn what_is_staged_is_not_seen_before_it_is_durable() {
    let mut producers = Producers::new();
    client(&mut producers, transactional(records(PRODUCER, 0, 0, 1, 0))).unwrap();
    assert_eq!((producers.snapshot(), producers.active().count()), (None, 0));
    assert_eq!(producers.first_unstable_offset(), None);
    assert!(producers.has_open_transaction(PRODUCER, 0) && !producers.has_open_transaction(PRODUCER, 1));
    producers.publish();
    assert_eq!(producers.first_unstable_offset(), Some(0));
    let expected = ActiveProducer {
        producer_id: PRODUCER,
        epoch: 0,
        last_sequence: 0,
        last_offset: Some(0),
        last_timestamp: 1_000,
        coordinator_epoch: -1,
        transaction_start: Some(0),
    };
    assert_eq!(producers.active().collect::<Vec<_>>(), [expected]);
}

#[test]
fn a_new_epoch_begins_with_sequence_zero() {
    let mut producers = Producers::new();
    let old = records(PRODUCER, 1, 0, 1, 0);
    append(&mut producers, old);
    let late = records(PRODUCER, 2, 1, 1, 1);
    assert_eq!(code(client(&mut producers, late)), ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
    append(&mut producers, records(PRODUCER, 2, 0, 1, 1));
    assert_eq!(
        code(client(&mut producers, old)),
        ErrorCode::INVALID_PRODUCER_EPOCH,
        "forgotten with its epoch"
    );
}

#[test]
fn a_coordinators_offsets_have_no_sequence() {
    let mut producers = Producers::new();
    for offset in 0..2 {
        let header = transactional(records(PRODUCER, 4, NO_SEQUENCE, 2, offset * 2));
        assert_eq!(producers.check_and_stage(&from(Sender::Coordinator, &header)), Ok(Verdict::Fresh));
    }
    let stale = transactional(records(PRODUCER, 3, NO_SEQUENCE, 1, 4));
    let result = producers.check_and_stage(&from(Sender::Coordinator, &stale));
    assert_eq!(code(result), ErrorCode::INVALID_PRODUCER_EPOCH);
    let outside = records(PRODUCER, 4, NO_SEQUENCE, 1, 4);
    let result = producers.check_and_stage(&from(Sender::Coordinator, &outside));
    assert_eq!(code(result), ErrorCode::INVALID_TXN_STATE);
}

#[test]
fn a_leader_is_followed_wherever_it_goes() {
    let mut producers = Producers::new();
    append(&mut producers, transactional(records(PRODUCER, 5, 0, 1, 0)));
    for header in
        [records(PRODUCER, 5, 9, 1, 1), records(PRODUCER, 5, 0, 1, 2), records(PRODUCER, 4, 3, 1, 3)]
    {
        assert_eq!(producers.check_and_stage(&from(Sender::Leader, &header)), Ok(Verdict::Fresh));
    }
    let header = marker(PRODUCER, 3, 4);
    let marker = Some(Marker { raises_epoch: true, ..COMMIT });
    let batch = ProducerBatch { header: &header, marker, sender: Sender::Leader };
    assert_eq!(producers.check_and_stage(&batch), Ok(Verdict::Fresh));
}

#[test]
fn a_batch_outside_of_the_open_transaction_is_refused() {
    let mut producers = Producers::new();
    append(&mut producers, transactional(records(PRODUCER, 0, 0, 1, 0)));
    assert_eq!(code(client(&mut producers, records(PRODUCER, 0, 1, 1, 1))), ErrorCode::INVALID_TXN_STATE);
    end(&mut producers, marker(PRODUCER, 0, 1), COMMIT).unwrap();
    append(&mut producers, records(PRODUCER, 0, 1, 1, 2));
}

#[test]
fn a_marker_ends_the_transaction_and_leaves_the_batches_known() {
    let mut producers = Producers::new();
    let batch = transactional(records(PRODUCER, 0, 0, 2, 10));
    append(&mut producers, batch);
    let expected = CompletedTransaction {
        producer_id: PRODUCER,
        first_offset: 10,
        last_offset: 12,
        last_stable_offset: 13,
        is_aborted: true,
    };
    assert_eq!(end(&mut producers, marker(PRODUCER, 0, 12), ABORT), Ok(Some(expected)));
    assert_eq!(producers.aborted().collect::<Vec<_>>(), [&expected]);
    assert_eq!(client(&mut producers, batch), duplicate(batch));
    append(&mut producers, transactional(records(PRODUCER, 0, 2, 1, 13)));
    producers.aborted_indexed(12);
    assert_eq!(producers.aborted().count(), 1, "the marker is not below 12");
    producers.aborted_indexed(13);
    assert_eq!(producers.aborted().count(), 0);
}

#[test]
fn a_marker_without_a_transaction_completes_none() {
    let mut producers = Producers::new();
    assert_eq!(end(&mut producers, marker(PRODUCER, 7, 0), ABORT), Ok(None));
    assert_eq!((producers.aborted().count(), producers.first_unstable_offset()), (0, None));
    let epochs: Vec<_> =
        producers.active().map(|producer| (producer.epoch, producer.coordinator_epoch)).collect();
    assert_eq!(epochs, [(7, 0)], "it fences all the same");
    assert_eq!(
        code(client(&mut producers, records(PRODUCER, 6, 0, 1, 1))),
        ErrorCode::INVALID_PRODUCER_EPOCH
    );
}

#[test]
fn a_marker_with_a_higher_epoch_fences_and_starts_the_sequence_anew() {
    let mut producers = Producers::new();
    append(&mut producers, transactional(records(PRODUCER, 0, 0, 1, 0)));
    end(&mut producers, marker(PRODUCER, 1, 1), COMMIT).unwrap().unwrap();
    let old = transactional(records(PRODUCER, 0, 1, 1, 2));
    assert_eq!(code(client(&mut producers, old)), ErrorCode::INVALID_PRODUCER_EPOCH);
    let wrong = transactional(records(PRODUCER, 1, 1, 1, 2));
    assert_eq!(code(client(&mut producers, wrong)), ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
    append(&mut producers, transactional(records(PRODUCER, 1, 0, 1, 2)));
}

#[test]
fn a_marker_of_an_old_epoch_is_refused() {
    let mut producers = Producers::new();
    append(&mut producers, transactional(records(PRODUCER, 2, 0, 1, 0)));
    assert_eq!(code(end(&mut producers, marker(PRODUCER, 1, 1), COMMIT)), ErrorCode::INVALID_PRODUCER_EPOCH);
}

#[test]
fn a_marker_that_raises_the_epoch_is_late_under_the_present_one() {
    let mut producers = Producers::new();
    let raising = Marker { raises_epoch: true, ..COMMIT };
    append(&mut producers, transactional(records(PRODUCER, 2, 0, 1, 0)));
    assert_eq!(code(end(&mut producers, marker(PRODUCER, 2, 1), raising)), ErrorCode::INVALID_PRODUCER_EPOCH);
    assert!(end(&mut producers, marker(PRODUCER, 3, 1), raising).unwrap().is_some());
    assert_eq!(end(&mut producers, marker(PRODUCER, 3, 2), raising), Ok(None), "the same one, sent again");
}

#[test]
fn a_marker_of_a_coordinator_that_was_replaced_is_refused() {
    let mut producers = Producers::new();
    end(&mut producers, marker(PRODUCER, 0, 0), Marker { coordinator_epoch: 5, ..COMMIT }).unwrap();
    let late = Marker { coordinator_epoch: 4, ..COMMIT };
    let expected = ProducerError::CoordinatorStale { producer_id: PRODUCER, epoch: 4, current: 5 };
    assert_eq!(end(&mut producers, marker(PRODUCER, 0, 1), late), Err(expected));
    assert_eq!(expected.code(), ErrorCode::TRANSACTION_COORDINATOR_FENCED);
}

#[test]
fn an_emptied_control_batch_is_published_like_any_other_and_changes_nothing() {
    let mut producers = Producers::new();
    let header = marker(PRODUCER, 0, 0);
    assert_eq!(producers.check_and_stage(&from(Sender::Leader, &header)), Ok(Verdict::Fresh));
    assert_eq!(producers.staged_count(), 1);
    assert_eq!(producers.publish(), None);
    assert_eq!((producers.staged_count(), producers.active().count()), (0, 0));
}

#[test]
fn an_aborted_transaction_is_noted_with_the_first_offset_undecided_then() {
    let mut producers = Producers::new();
    append(&mut producers, transactional(records(1, 0, 0, 1, 10)));
    append(&mut producers, transactional(records(2, 0, 0, 1, 11)));
    let completed = end(&mut producers, marker(2, 0, 12), ABORT).unwrap().unwrap();
    assert_eq!((completed.first_offset, completed.last_stable_offset), (11, 10));
    let completed = end(&mut producers, marker(1, 0, 13), ABORT).unwrap().unwrap();
    assert_eq!((completed.first_offset, completed.last_stable_offset), (10, 14));
}

#[test]
fn the_last_stable_offset_waits_for_the_end_and_for_the_replicas() {
    let mut producers = Producers::new();
    append(&mut producers, transactional(records(1, 0, 0, 1, 10)));
    append(&mut producers, transactional(records(2, 0, 0, 1, 11)));
    assert_eq!(producers.last_stable_offset(0, 12), 10);
    assert_eq!(producers.last_stable_offset(0, 7), 7);
    end(&mut producers, marker(1, 0, 12), COMMIT).unwrap();
    producers.high_watermark_moved(12);
    assert_eq!(producers.last_stable_offset(0, 12), 10, "the marker itself is not everywhere");
    producers.high_watermark_moved(13);
    assert_eq!(producers.last_stable_offset(0, 13), 11);
    end(&mut producers, marker(2, 0, 13), COMMIT).unwrap();
    producers.high_watermark_moved(14);
    assert_eq!((producers.first_unstable_offset(), producers.last_stable_offset(0, 14)), (None, 14));
}

#[test]
fn a_transaction_that_began_below_the_logs_start_stays_open() {
    let mut producers = Producers::new();
    append(&mut producers, transactional(records(PRODUCER, 0, 0, 1, 10)));
    producers.log_start_moved(15);
    assert_eq!(producers.last_stable_offset(15, 20), 15);
    assert!(producers.has_open_transaction(PRODUCER, 0));
    end(&mut producers, marker(PRODUCER, 0, 20), ABORT).unwrap().unwrap();
    producers.log_start_moved(21);
    assert_eq!((producers.last_stable_offset(21, 21), producers.aborted().count()), (21, 0));
}

#[test]
fn producers_expire_unless_something_is_open_or_staged() {
    let mut producers = Producers::new();
    append(&mut producers, records(1, 0, 0, 1, 0));
    append(&mut producers, transactional(records(2, 0, 0, 1, 1)));
    append(&mut producers, records(3, 0, 0, 1, 2));
    // However old it says that it is: its state is still needed to publish it.
    client(&mut producers, BatchHeader { max_timestamp: 0, ..records(3, 0, 1, 1, 3) }).unwrap();
    producers.remove_expired(999, 1_000);
    assert_eq!(producers.active().count(), 3);
    producers.remove_expired(2_000, 1_000);
    assert_eq!(producers.active().map(|producer| producer.producer_id).collect::<Vec<_>>(), [2, 3]);
    append(&mut producers, records(1, 0, 50, 1, 4));

    producers.publish();
    end(&mut producers, marker(2, 0, 5), COMMIT).unwrap();
    producers.high_watermark_moved(6);
    producers.remove_expired(i64::MAX, 1_000);
    assert!(producers.0.is_none(), "the memory is given back");
}

#[test]
fn strange_timestamps_are_put_up_with() {
    let mut producers = Producers::new();
    let timestamps = [i64::MIN, -1, 0, i64::MAX];
    for (id, max_timestamp) in (0..).zip(timestamps) {
        append(&mut producers, BatchHeader { max_timestamp, ..records(id, 0, 0, 1, id) });
    }
    producers.remove_expired(2_000, 1_000);
    assert_eq!(producers.active().map(|producer| producer.last_timestamp).collect::<Vec<_>>(), [i64::MAX]);
}

#[test]
fn markers_are_read_from_their_batches() {
    let read = |record: ControlRecord| {
        let bytes = record.transaction_marker(5, PRODUCER, 0).unwrap();
        Marker::read(&BatchView::parse(&bytes).unwrap())
    };
    let expected = Marker { coordinator_epoch: 3, ..ABORT };
    assert_eq!(read(ControlRecord::Abort { coordinator_epoch: 3 }), Ok(Some(expected)));
    assert_eq!(read(ControlRecord::Commit { coordinator_epoch: 0 }), Ok(Some(COMMIT)));
    assert_eq!(read(ControlRecord::Unknown { type_id: 99, value: None }), Ok(None));
}
