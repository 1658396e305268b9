//! How transactions end, by version.

use super::*;

/// A producer whose last transaction ended so under version 2, with the epoch that it has now.
fn ended(rig: &mut Rig, is_commit: bool) -> Producer {
    let producer = rig.producer("tx");
    rig.add(&producer, &[0], 2);
    assert_eq!(rig.end(&producer, is_commit, 2), got(producer.producer_id, 1));
    rig.work();
    under(&producer, 1)
}

#[test]
fn the_table_of_version_2_is_kafkas() {
    let (invalid, fenced) = (refused(ErrorCode::INVALID_TXN_STATE), refused(ErrorCode::PRODUCER_FENCED));
    for (is_commit, is_repeated, in_empty, in_aborted, in_committed) in [
        (false, true, &fenced, &got(101, 1), &invalid),
        (false, false, &got(101, 2), &got(101, 2), &got(101, 2)),
        (true, true, &fenced, &invalid, &got(101, 1)),
        (true, false, &invalid, &invalid, &invalid),
    ] {
        let as_if = |producer: &Producer| under(producer, producer.producer_epoch - i16::from(is_repeated));
        let mut rig = Rig::new();
        rig.producer("tx");
        let producer = rig.producer("tx");
        assert_eq!(rig.end(&as_if(&producer), is_commit, 2), *in_empty);
        for (ended_by_commit, expected) in [(false, in_aborted), (true, in_committed)] {
            let mut rig = Rig::new();
            let producer = ended(&mut rig, ended_by_commit);
            assert_eq!(
                rig.end(&as_if(&producer), is_commit, 2),
                *expected,
                "{ended_by_commit} {is_commit} {is_repeated}"
            );
        }
    }
}

#[test]
fn before_version_2_the_epoch_stays_and_only_the_same_end_is_repeated() {
    let mut rig = Rig::new();
    let producer = rig.producer("tx");
    for is_commit in [false, true] {
        assert_eq!(rig.end(&producer, is_commit, 0), refused(ErrorCode::INVALID_TXN_STATE));
    }
    for is_commit in [false, true] {
        rig.add(&producer, &[0], 0);
        assert_eq!(rig.end(&under(&producer, 1), is_commit, 0), refused(ErrorCode::PRODUCER_FENCED));
        assert_eq!(rig.end(&producer, is_commit, 0), Reply::Done);
        assert_eq!(rig.end(&producer, is_commit, 0), refused(ErrorCode::CONCURRENT_TRANSACTIONS));
        let markers = rig.work();
        let marker = &markers[0];
        assert_eq!((marker.producer_epoch, marker.version, marker.is_commit), (0, 0, is_commit));
        assert_eq!(rig.end(&producer, is_commit, 0), Reply::Done);
        assert_eq!(rig.end(&producer, !is_commit, 0), refused(ErrorCode::INVALID_TXN_STATE));
    }
    let unknown = Producer { transactional_id: "x".into(), ..producer.clone() };
    assert_eq!(rig.end(&unknown, true, 0), refused(ErrorCode::INVALID_PRODUCER_ID_MAPPING));
    assert_eq!(rig.end(&unknown, true, 2), refused(ErrorCode::INVALID_PRODUCER_ID_MAPPING));
}

#[test]
fn an_end_asked_for_again_is_told_what_came_of_it_after_a_restart_too() {
    let mut rig = Rig::new();
    let producer = rig.producer("tx");
    rig.add(&producer, &[0], 2);
    assert_eq!(rig.end(&producer, true, 2), got(101, 1));
    rig.restart();
    assert_eq!(rig.end(&producer, true, 2), refused(ErrorCode::CONCURRENT_TRANSACTIONS));
    assert_eq!(rig.work().len(), 1);
    rig.restart();
    assert_eq!(rig.end(&producer, true, 2), got(101, 1));
    // The next transaction has the next epoch, and the last end is over.
    rig.add(&under(&producer, 1), &[0], 2);
    assert_eq!(rig.end(&producer, true, 2), refused(ErrorCode::PRODUCER_FENCED));
}

#[test]
fn the_last_epoch_of_an_id_leads_to_another_id() {
    let mut rig = Rig::new();
    let producer = rig.producer("tx");
    rig.set_epoch("tx", i16::MAX - 1);
    let producer = under(&producer, i16::MAX - 1);
    rig.add(&producer, &[0], 2);
    assert_eq!(rig.end(&producer, true, 2), got(102, 0));
    // It knows what it is next before the markers are there.
    let next = Producer { producer_id: 102, producer_epoch: 0, ..producer.clone() };
    assert_eq!(rig.add(&next, &[0], 2), refused(ErrorCode::CONCURRENT_TRANSACTIONS));
    assert_eq!(rig.end(&next, false, 2), refused(ErrorCode::CONCURRENT_TRANSACTIONS));
    let markers = rig.work();
    assert_eq!((markers[0].producer_id, markers[0].producer_epoch), (101, i16::MAX));
    assert_eq!(rig.end(&producer, true, 2), got(102, 0));
    rig.restart();
    assert_eq!(rig.end(&producer, true, 2), got(102, 0));
    assert_eq!(rig.add(&next, &[0], 2), Reply::Done);
    assert_eq!(rig.end(&producer, true, 2), refused(ErrorCode::INVALID_PRODUCER_ID_MAPPING));
}

#[test]
fn aborting_nothing_raises_the_epoch_and_needs_no_marker() {
    let mut rig = Rig::new();
    let producer = rig.producer("tx");
    assert_eq!(rig.end(&producer, false, 2), got(101, 1));
    assert_eq!(rig.status("tx"), Status::CompleteAbort);
    assert!(rig.work().is_empty());
    assert_eq!(rig.end(&producer, false, 2), got(101, 1), "asked again");
}

#[test]
fn a_transaction_is_aborted_when_its_time_is_over() {
    for version in [0, 2] {
        let mut rig = Rig::new();
        let producer = rig.producer("tx");
        rig.add(&producer, &[0], version);
        rig.wait(59_999);
        assert_eq!(rig.status("tx"), Status::Ongoing);
        rig.wait(1);
        assert_eq!(rig.status("tx"), Status::PrepareAbort);
        let markers = rig.work();
        assert_eq!((markers[0].producer_epoch, markers[0].is_commit), (1, false));
        // What its producer sends now comes too late.
        assert_eq!(rig.add(&producer, &[1], version), refused(ErrorCode::PRODUCER_FENCED));
        if version == 2 {
            assert_eq!(rig.end(&producer, true, 2), refused(ErrorCode::INVALID_TXN_STATE));
            assert_eq!(rig.end(&producer, false, 2), got(101, 1));
        } else {
            assert_eq!(rig.end(&producer, true, 0), refused(ErrorCode::PRODUCER_FENCED));
        }
    }
}

#[test]
fn a_timer_of_a_transaction_that_is_over_does_not_end_the_next_one() {
    let mut rig = Rig::new();
    let producer = rig.producer("tx");
    rig.add(&producer, &[0], 0);
    let timer = rig.timers.keys().find(|timer| matches!(timer, Timer::Overdue(_))).unwrap().clone();
    rig.end(&producer, true, 0);
    assert!(!rig.timers.contains_key(&timer));
    rig.work();
    rig.now_ms += 1;
    rig.add(&producer, &[0], 0);
    let decision = rig.machine.decide(rig.now_ms + 60_000, Transactions::due(timer));
    assert!(decision.records.is_empty());
}

#[test]
fn after_a_restart_a_transaction_has_the_time_that_is_left_whatever_the_clock_says() {
    for (clock_moves_ms, waits_ms) in [(0, 40_000), (-HOUR_MS, 60_000), (HOUR_MS, 0)] {
        let mut rig = Rig::new();
        let producer = rig.producer("tx");
        rig.add(&producer, &[0], 2);
        rig.wait(20_000);
        rig.now_ms += clock_moves_ms;
        rig.restart();
        if waits_ms > 0 {
            rig.wait(waits_ms - 1);
            assert_eq!(rig.status("tx"), Status::Ongoing);
        }
        rig.wait(1);
        assert_eq!(rig.status("tx"), Status::PrepareAbort);
    }
}

#[test]
fn an_overdue_transaction_with_the_last_epoch_waits_for_an_id() {
    for worker_waits in [false, true] {
        let mut rig = Rig::new();
        let producer = rig.producer("tx");
        rig.set_epoch("tx", i16::MAX - 1);
        rig.add(&under(&producer, i16::MAX - 1), &[0], 2);
        if worker_waits {
            rig.send(Request::Work(Vec::new()));
        }
        rig.wait(60_000);
        if worker_waits {
            let Some((_, Reply::Work(work))) = rig.answers.pop_last() else { panic!("no work") };
            // The worker is lost with it.
            assert!(matches!(work[..], [Work::ProducerId(_)]));
            rig.wait(1_000);
        }
        assert_eq!(rig.status("tx"), Status::Ongoing);
        assert_eq!(rig.work().len(), 1);
        let state = rig.machine.state("tx").unwrap();
        assert_eq!((state.status, state.producer_id, state.producer_epoch), (Status::CompleteAbort, 102, 0));
    }
}

#[test]
fn ids_that_nobody_uses_are_forgotten() {
    let mut rig = Rig::new();
    rig.producer("idle");
    let open = rig.producer("open");
    let ended = rig.producer("ended");
    rig.add(&ended, &[0], 2);
    rig.end(&ended, true, 2);
    rig.work();
    rig.wait(167 * HOUR_MS);
    assert_eq!(rig.machine.states().count(), 3);
    rig.add(&open, &[0], 2);
    rig.end(&open, true, 2);
    rig.wait(2 * HOUR_MS);
    assert_eq!(rig.machine.states().map(|(id, _)| id.to_string()).collect::<Vec<_>>(), ["open"]);
    let forgotten: Vec<_> =
        told(&mut rig).into_iter().filter(|event| matches!(event, Event::Forgotten(_))).collect();
    assert_eq!(forgotten, ["ended", "idle"].map(|id| Event::Forgotten(id.into())));
    rig.restart();
    rig.wait(1_000 * HOUR_MS);
    assert_eq!(rig.status("open"), Status::PrepareCommit, "its markers are still to be written");
    assert_eq!(rig.add(&ended, &[0], 2), refused(ErrorCode::INVALID_PRODUCER_ID_MAPPING));
}

/// What was told to have happened since the last look.
fn told(rig: &mut Rig) -> Vec<Event> {
    std::mem::take(&mut rig.events)
}

#[test]
fn who_ended_a_transaction_is_told() {
    let mut rig = Rig::new();
    let ended = |is_commit, by| Event::Ended {
        is_commit,
        by,
        transactional_id: Text::from("tx"),
        timeout_ms: 60_000,
    };
    let producer = rig.producer("tx");
    rig.add(&producer, &[0], 2);
    rig.add(&producer, &[1], 2);
    rig.end(&producer, true, 2);
    rig.work();
    assert_eq!(told(&mut rig), [Event::Begun, ended(true, EndedBy::Producer), Event::Completed]);
    let producer = under(&producer, 1);
    rig.add(&producer, &[0], 2);
    rig.wait(60_000);
    assert_eq!(told(&mut rig), [Event::Begun, ended(false, EndedBy::Timeout)]);
    rig.work();
    let producer = under(&producer, 2);
    rig.add(&producer, &[0], 2);
    assert_eq!(rig.initialise("tx", None), refused(ErrorCode::CONCURRENT_TRANSACTIONS));
    rig.work();
    assert_eq!(
        told(&mut rig),
        [Event::Completed, Event::Begun, ended(false, EndedBy::Successor), Event::Completed]
    );
    assert_eq!(rig.end(&under(&producer, 1), true, 2), refused(ErrorCode::PRODUCER_FENCED));
    // What was never open is not told to have ended.
    let producer = rig.producer("tx");
    rig.end(&producer, false, 2);
    assert_eq!(told(&mut rig), [Event::Fenced]);
    let Reply::Tallied(tally) = rig.ask(Request::Tally) else { panic!("it is counted") };
    assert_eq!(tally, Tally { by_status: [(Status::CompleteAbort, 1)].into(), oldest_started_ms: None });
}
