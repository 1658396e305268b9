//! Who gets which id and epoch.

use super::*;

#[test]
fn each_producer_of_an_id_fences_those_before_it() {
    let mut rig = Rig::new();
    assert_eq!(rig.initialise("tx", None), got(101, 0));
    assert_eq!(rig.initialise("tx", None), got(101, 1));
    assert_eq!(rig.initialise("other", None), got(102, 0));
    rig.restart();
    assert_eq!(rig.initialise("tx", None), got(101, 2));
}

#[test]
fn what_makes_no_sense_is_refused() {
    let mut rig = Rig::new();
    assert_eq!(rig.initialise("", None), refused(ErrorCode::INVALID_REQUEST));
    for timeout_ms in [0, -1, 900_001] {
        let transactional_id = "tx".into();
        let request = Initialise { transactional_id, timeout_ms, expected: None, fresh_producer_id: Some(1) };
        let answer = rig.ask(Request::Initialise(request));
        assert_eq!(answer, refused(ErrorCode::INVALID_TRANSACTION_TIMEOUT));
    }
    assert!(rig.log.is_empty());
}

#[test]
fn a_producer_that_says_what_it_has_goes_on_with_the_next_epoch() {
    let mut rig = Rig::new();
    rig.initialise("tx", None);
    assert_eq!(rig.initialise("tx", Some((101, 0))), got(101, 1));
    // The answer was lost.
    assert_eq!(rig.initialise("tx", Some((101, 0))), got(101, 1));
    assert_eq!(rig.initialise("tx", Some((101, 1))), got(101, 2));
    assert_eq!(rig.initialise("tx", Some((101, 0))), refused(ErrorCode::PRODUCER_FENCED));
    assert_eq!(rig.initialise("tx", Some((77, 2))), refused(ErrorCode::PRODUCER_FENCED));
    // Another producer comes: the one before is not known again.
    assert_eq!(rig.initialise("tx", None), got(101, 3));
    assert_eq!(rig.initialise("tx", Some((101, 2))), refused(ErrorCode::PRODUCER_FENCED));
    // An id that has been forgotten is given to whoever says that it had it.
    assert_eq!(rig.initialise("gone", Some((55, 4))), got(102, 0));
}

#[test]
fn the_epochs_of_an_id_are_used_up_and_another_id_follows() {
    let mut rig = Rig::new();
    rig.initialise("tx", None);
    rig.set_epoch("tx", i16::MAX - 2);
    assert_eq!(rig.initialise("tx", None), got(101, i16::MAX - 1));
    assert_eq!(rig.initialise("tx", Some((101, i16::MAX - 1))), got(102, 0));
    assert_eq!(rig.initialise("tx", Some((101, i16::MAX - 1))), got(102, 0), "asked again");
    assert_eq!(rig.initialise("tx", Some((101, 5))), refused(ErrorCode::PRODUCER_FENCED));
    rig.set_epoch("tx", i16::MAX);
    assert_eq!(rig.initialise("tx", None), got(103, 0));
}

#[test]
fn a_request_with_used_up_epochs_that_is_asked_again_is_no_new_one() {
    let mut rig = Rig::new();
    rig.initialise("tx", None);
    rig.set_epoch("tx", i16::MAX - 2);
    assert_eq!(rig.initialise("tx", Some((101, i16::MAX - 2))), got(101, i16::MAX - 1));
    assert_eq!(rig.initialise("tx", Some((101, i16::MAX - 2))), got(101, i16::MAX - 1));
}

#[test]
fn an_open_transaction_is_aborted_first() {
    let mut rig = Rig::new();
    let producer = rig.producer("tx");
    rig.add(&producer, &[0], 0);
    assert_eq!(rig.initialise("tx", None), refused(ErrorCode::CONCURRENT_TRANSACTIONS));
    assert_eq!(rig.status("tx"), Status::PrepareAbort);
    assert_eq!(rig.initialise("tx", None), refused(ErrorCode::CONCURRENT_TRANSACTIONS));
    let markers = rig.work();
    assert_eq!((markers[0].producer_epoch, markers[0].is_commit, markers[0].version), (1, false, 2));
    assert_eq!(rig.initialise("tx", None), got(101, 2));
    assert_eq!(rig.end(&producer, true, 0), refused(ErrorCode::PRODUCER_FENCED));
    assert_eq!(rig.end(&producer, true, 2), refused(ErrorCode::PRODUCER_FENCED));
}

#[test]
fn a_producer_of_the_past_does_not_abort_anothers_transaction() {
    let mut rig = Rig::new();
    let old = rig.producer("tx");
    let new = rig.producer("tx");
    rig.add(&new, &[0], 2);
    let expected = Some((old.producer_id, old.producer_epoch));
    assert_eq!(rig.initialise("tx", expected), refused(ErrorCode::PRODUCER_FENCED));
    assert_eq!(rig.status("tx"), Status::Ongoing);
    // Its own producer may begin anew.
    let expected = Some((new.producer_id, new.producer_epoch));
    assert_eq!(rig.initialise("tx", expected), refused(ErrorCode::CONCURRENT_TRANSACTIONS));
    rig.work();
    assert_eq!(rig.initialise("tx", expected), got(101, 2));
}

#[test]
fn taking_over_with_the_last_epoch_leads_to_another_id() {
    let mut rig = Rig::new();
    let producer = rig.producer("tx");
    rig.set_epoch("tx", i16::MAX - 1);
    rig.add(&under(&producer, i16::MAX - 1), &[0], 2);
    assert_eq!(rig.initialise("tx", None), refused(ErrorCode::CONCURRENT_TRANSACTIONS));
    let markers = rig.work();
    assert_eq!((markers[0].producer_id, markers[0].producer_epoch), (101, i16::MAX));
    assert_eq!(rig.initialise("tx", None), got(102, 1));
}
