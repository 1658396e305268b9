//! Nobody begins a transaction that its coordinator does not know of.

use strandline_protocol::ErrorCode;
use strandline_protocol::batch::ControlRecord;

use super::rules::{in_memory, small_segments};
use super::*;
use crate::producers::{FirstBatch, Guard, ProducerError};

/// One record of a producer's transaction.
fn transactional(epoch: i16, sequence: i32) -> NewBatch {
    let mut builder = BatchBuilder::new().producer(7, epoch, sequence).transactional(true);
    builder.append(&NewRecord { value: Some(&[1; 500]), ..NewRecord::at(1_000) }).unwrap();
    NewBatch::validated(builder.build().unwrap()).unwrap()
}

fn put(rig: &mut Rig, id: LocalId, batch: NewBatch) -> Result<(), ErrorCode> {
    let command = Command::Append { partition: id, leader_epoch: 1, sender: Sender::Client, batch };
    rig.call(command).map(drop).map_err(|refusal| refusal.code())
}

fn end(rig: &mut Rig, id: LocalId, epoch: i16) {
    let marker = ControlRecord::Abort { coordinator_epoch: 0 }.transaction_marker(1_000, 7, epoch).unwrap();
    let batch = NewBatch::validated(marker).unwrap().raising_epoch();
    let command = Command::Append { partition: id, leader_epoch: 1, sender: Sender::Coordinator, batch };
    rig.call(command).unwrap();
}

fn ask(rig: &mut Rig, id: LocalId, batch: &NewBatch) -> Option<Guard> {
    rig.partition(id).begin_verification(batch.header().into(), true, 1_000)
}

#[test]
fn a_transaction_begins_with_a_guard_and_goes_on_without() {
    for config in [small_segments(), in_memory()] {
        let mut rig = Rig::new(60);
        let id = rig.create(config).id();
        assert_eq!(put(&mut rig, id, transactional(0, 0).verified(None)), Err(ErrorCode::INVALID_TXN_STATE));
        let guard = ask(&mut rig, id, &transactional(0, 0));
        assert!(guard.is_some());
        assert_eq!(ask(&mut rig, id, &transactional(0, 1)), guard, "one is enough for all that wait");
        assert_eq!(put(&mut rig, id, transactional(0, 0).verified(guard)), Ok(()));
        assert_eq!(ask(&mut rig, id, &transactional(0, 1)), None, "it is open");
        assert_eq!(put(&mut rig, id, transactional(0, 1).verified(None)), Ok(()));
        assert_eq!(put(&mut rig, id, transactional(0, 1).verified(None)), Ok(()), "a duplicate");
        // What is not part of a transaction needs nothing.
        assert_eq!(put(&mut rig, id, NewBatch::validated(batch(&[b"a"])).unwrap().verified(None)), Ok(()));
        rig.disk.crash();
        rig.recover().unwrap();
        if rig.partition(id).offsets().end == 3 {
            assert_eq!(ask(&mut rig, id, &transactional(0, 2)), None, "it is still open");
        }
        end(&mut rig, id, 1);
        assert!(ask(&mut rig, id, &transactional(1, 0)).is_some());
    }
}

#[test]
fn a_marker_makes_every_guard_before_it_worthless() {
    let mut rig = Rig::new(61);
    let id = rig.create(small_segments()).id();
    let late = ask(&mut rig, id, &transactional(0, 0));
    // Its coordinator says yes, and ends the transaction before the batch is there.
    end(&mut rig, id, 1);
    assert_eq!(put(&mut rig, id, transactional(1, 0).verified(late)), Err(ErrorCode::INVALID_TXN_STATE));
    // Nor is it one for the next transaction, which somebody asks about.
    let guard = ask(&mut rig, id, &transactional(1, 0));
    assert_ne!(guard, late);
    assert_eq!(put(&mut rig, id, transactional(1, 0).verified(late)), Err(ErrorCode::INVALID_TXN_STATE));
    assert_eq!(put(&mut rig, id, transactional(1, 0).verified(guard)), Ok(()));
    end(&mut rig, id, 2);
    assert_eq!(put(&mut rig, id, transactional(2, 0).verified(guard)), Err(ErrorCode::INVALID_TXN_STATE));
    assert_eq!(rig.partition(id).offsets().last_stable, rig.partition(id).offsets().end);
}

#[test]
fn a_guard_that_was_refused_is_worthless() {
    let mut rig = Rig::new(62);
    let id = rig.create(small_segments()).id();
    let guard = ask(&mut rig, id, &transactional(0, 0)).unwrap();
    rig.partition(id).refuse_verification(7, guard);
    assert_eq!(
        put(&mut rig, id, transactional(0, 0).verified(Some(guard))),
        Err(ErrorCode::INVALID_TXN_STATE)
    );
    let other = ask(&mut rig, id, &transactional(0, 0)).unwrap();
    rig.partition(id).refuse_verification(7, guard);
    assert_eq!(put(&mut rig, id, transactional(0, 0).verified(Some(other))), Ok(()));
}

#[test]
fn a_batch_that_waits_is_not_overtaken_by_the_one_behind_it() {
    let mut rig = Rig::new(63);
    let id = rig.create(small_segments()).id();
    let first = ask(&mut rig, id, &transactional(0, 0));
    let second = ask(&mut rig, id, &transactional(0, 1));
    let out_of_order = Err(ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
    assert_eq!(put(&mut rig, id, transactional(0, 1).verified(second)), out_of_order);
    assert_eq!(put(&mut rig, id, transactional(0, 0).verified(first)), Ok(()));
    assert_eq!(put(&mut rig, id, transactional(0, 1).verified(second)), Ok(()));
}

#[test]
fn with_a_new_epoch_for_each_transaction_an_unknown_producer_begins_at_0() {
    for (raises_epoch, expected) in [(true, Err(ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER)), (false, Ok(()))] {
        let mut rig = Rig::new(64);
        let id = rig.create(small_segments()).id();
        let batch = transactional(3, 5);
        let guard = rig.partition(id).begin_verification(batch.header().into(), raises_epoch, 1_000);
        assert_eq!(put(&mut rig, id, batch.verified(guard)), expected);
    }
}

#[test]
fn an_old_epoch_is_told_so_whatever_it_shows() {
    let mut rig = Rig::new(65);
    let id = rig.create(small_segments()).id();
    end(&mut rig, id, 4);
    let guard = ask(&mut rig, id, &transactional(3, 0));
    for shown in [guard, None] {
        assert_eq!(
            put(&mut rig, id, transactional(3, 0).verified(shown)),
            Err(ErrorCode::INVALID_PRODUCER_EPOCH)
        );
    }
}

#[test]
fn a_marker_of_the_epoch_that_is_written_under_ends_nothing() {
    let mut rig = Rig::new(66);
    let id = rig.create(small_segments()).id();
    end(&mut rig, id, 1);
    let guard = ask(&mut rig, id, &transactional(1, 0));
    put(&mut rig, id, transactional(1, 0).verified(guard)).unwrap();
    let late = ControlRecord::Abort { coordinator_epoch: 0 }.transaction_marker(1_000, 7, 1).unwrap();
    let batch = NewBatch::validated(late).unwrap().raising_epoch();
    let command = Command::Append { partition: id, leader_epoch: 1, sender: Sender::Coordinator, batch };
    let refusal = rig.call(command).unwrap_err();
    assert!(matches!(refusal, Refusal::Producer(ProducerError::EpochStale { .. })));
    assert_eq!(put(&mut rig, id, transactional(1, 1).verified(None)), Ok(()), "it is still open");
}

#[test]
fn a_cut_leaves_open_what_was_open_before_it() {
    let mut rig = Rig::new(67);
    let id = rig.create(small_segments()).id();
    let guard = ask(&mut rig, id, &transactional(0, 0));
    put(&mut rig, id, transactional(0, 0).verified(guard)).unwrap();
    let waiting = rig.partition(id).begin_verification(
        FirstBatch { producer_id: 8, ..transactional(0, 0).header().into() },
        true,
        1_000,
    );
    assert!(waiting.is_some());
    end(&mut rig, id, 1);
    rig.call(Command::Truncate { partition: id, end_offset: 1 }).unwrap();
    assert_eq!(ask(&mut rig, id, &transactional(0, 1)), None);
    rig.call(Command::Truncate { partition: id, end_offset: 0 }).unwrap();
    let again = ask(&mut rig, id, &transactional(0, 0));
    assert!(again.is_some() && again != guard && again != waiting);
}

#[test]
fn many_producers_are_asked_about_at_once_within_a_bound() {
    let mut rig = Rig::new(68);
    let id = rig.create(small_segments()).id();
    let partition = rig.partition(id);
    let first_batch = FirstBatch::from(transactional(0, 0).header());
    let first = ask(&mut rig, id, &transactional(0, 0));
    for producer_id in 100..1_123 {
        let other = FirstBatch { producer_id, ..first_batch };
        partition.begin_verification(other, true, 1_000);
    }
    assert_eq!(ask(&mut rig, id, &transactional(0, 0)), first, "as many as there may be");
    let other = FirstBatch { producer_id: 99, ..first_batch };
    partition.begin_verification(other, true, 1_000);
    assert_eq!(put(&mut rig, id, transactional(0, 0).verified(first)), Err(ErrorCode::INVALID_TXN_STATE));
}
