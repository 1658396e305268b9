//! Markers are given out until every one is written.

use super::*;

fn given(rig: &mut Rig, ticket: Ticket) -> Vec<Work> {
    match rig.answers.remove(&ticket) {
        Some(Reply::Work(work)) => work,
        None => Vec::new(),
        Some(reply) => panic!("{reply:?}"),
    }
}

/// An id with a prepared transaction on two partitions.
fn prepared(rig: &mut Rig, id: &'static str) -> Producer {
    let producer = rig.producer(id);
    rig.add(&producer, &[0, 1], 2);
    rig.end(&producer, true, 2);
    producer
}

#[test]
fn the_worker_that_waits_is_told_at_once() {
    let mut rig = Rig::new();
    let ticket = rig.send(Request::Work(Vec::new()));
    assert!(given(&mut rig, ticket).is_empty());
    prepared(&mut rig, "tx");
    let work = given(&mut rig, ticket);
    let [Work::Markers(markers)] = &work[..] else { panic!("{work:?}") };
    assert_eq!((markers.producer_epoch, &markers.partitions), (1, &partitions(&[0, 1])));
    // It is busy; what comes now is for its next turn.
    prepared(&mut rig, "other");
    let ticket = rig.send(Request::Work(vec![done(markers)]));
    assert_eq!(rig.status("tx"), Status::CompleteCommit);
    let work = given(&mut rig, ticket);
    assert!(matches!(&work[..], [Work::Markers(markers)] if markers.transactional_id == "other"));
}

#[test]
fn what_is_missing_is_tried_again_after_a_while_and_seen_by_operators() {
    let mut rig = Rig::new();
    prepared(&mut rig, "tx");
    let ticket = rig.send(Request::Work(Vec::new()));
    let work = given(&mut rig, ticket);
    let [Work::Markers(markers)] = &work[..] else { panic!("{work:?}") };
    let ticket = rig.send(Request::Work(vec![Written { partitions: partitions(&[1]), ..done(markers) }]));
    assert!(given(&mut rig, ticket).is_empty(), "not at once");
    let Reply::Described(described) = rig.ask(Request::Describe("tx".into())) else { panic!("it is known") };
    assert_eq!(described.partitions, partitions(&[0]));
    rig.wait(RETRY_MS);
    let work = given(&mut rig, ticket);
    let [Work::Markers(markers)] = &work[..] else { panic!("{work:?}") };
    assert_eq!(markers.partitions, partitions(&[0]));
    rig.send(Request::Work(vec![done(markers)]));
    assert_eq!(rig.status("tx"), Status::CompleteCommit);
}

#[test]
fn who_fails_again_and_again_is_tried_less_often_and_holds_up_nobody() {
    let mut rig = Rig::new();
    prepared(&mut rig, "stuck");
    let nothing = |markers: &Markers| Written { partitions: Partitions::new(), ..done(markers) };
    let mut ticket = rig.send(Request::Work(Vec::new()));
    for wait_ms in [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000] {
        let work = given(&mut rig, ticket);
        let [Work::Markers(markers)] = &work[..] else { panic!("{wait_ms}: {work:?}") };
        ticket = rig.send(Request::Work(vec![nothing(markers)]));
        rig.wait(wait_ms - 1);
        assert!(given(&mut rig, ticket).is_empty(), "not before {wait_ms} ms");
        // Another one comes, and waits for nothing.
        if wait_ms == 800 {
            prepared(&mut rig, "other");
            let work = given(&mut rig, ticket);
            let [Work::Markers(markers)] = &work[..] else { panic!("{work:?}") };
            ticket = rig.send(Request::Work(vec![done(markers)]));
            assert_eq!(rig.status("other"), Status::CompleteCommit);
            assert!(given(&mut rig, ticket).is_empty());
        }
        rig.wait(1);
    }
    // Once it has worked out, it is as if nothing had been.
    let work = given(&mut rig, ticket);
    let [Work::Markers(markers)] = &work[..] else { panic!("{work:?}") };
    rig.send(Request::Work(vec![done(markers)]));
    assert_eq!(rig.status("stuck"), Status::CompleteCommit);
}

#[test]
fn what_another_coordinator_writes_is_not_tried_until_the_records_are_read_again() {
    let mut rig = Rig::new();
    let producer = prepared(&mut rig, "tx");
    let ticket = rig.send(Request::Work(Vec::new()));
    let work = given(&mut rig, ticket);
    let [Work::Markers(markers)] = &work[..] else { panic!("{work:?}") };
    let fenced = Written { partitions: partitions(&[1]), is_fenced: true, ..done(markers) };
    let ticket = rig.send(Request::Work(vec![fenced]));
    rig.wait(HOUR_MS);
    assert!(given(&mut rig, ticket).is_empty());
    assert_eq!(rig.status("tx"), Status::PrepareCommit);
    assert_eq!(rig.initialise("tx", None), refused(ErrorCode::CONCURRENT_TRANSACTIONS));
    let end = rig.end(&under(&producer, 1), true, 2);
    assert_eq!(end, refused(ErrorCode::CONCURRENT_TRANSACTIONS));
    // Others are not held up.
    prepared(&mut rig, "other");
    let work = given(&mut rig, ticket);
    assert!(matches!(&work[..], [Work::Markers(markers)] if markers.transactional_id == "other"));

    rig.restart();
    let marked = rig.work();
    assert!(marked.iter().any(|markers| markers.transactional_id == "tx" && markers.partitions.len() == 2));
    assert_eq!(rig.status("tx"), Status::CompleteCommit);
}

#[test]
fn what_a_worker_does_not_speak_of_is_given_out_again() {
    let mut rig = Rig::new();
    prepared(&mut rig, "tx");
    let ticket = rig.send(Request::Work(Vec::new()));
    assert_eq!(given(&mut rig, ticket).len(), 1);
    let ticket = rig.send(Request::Work(Vec::new()));
    assert_eq!(given(&mut rig, ticket).len(), 1);
    rig.restart();
    let ticket = rig.send(Request::Work(Vec::new()));
    assert_eq!(given(&mut rig, ticket).len(), 1);
}

#[test]
fn one_worker_takes_the_place_of_another() {
    let mut rig = Rig::new();
    let first = rig.send(Request::Work(Vec::new()));
    let second = rig.send(Request::Work(Vec::new()));
    assert_eq!(rig.answers.remove(&first), Some(Reply::Work(Vec::new())));
    prepared(&mut rig, "tx");
    assert_eq!(given(&mut rig, second).len(), 1);
}

#[test]
fn what_was_written_for_another_end_counts_for_nothing() {
    let mut rig = Rig::new();
    let producer = prepared(&mut rig, "tx");
    let late = Written {
        transactional_id: "tx".into(),
        producer_id: producer.producer_id,
        producer_epoch: producer.producer_epoch,
        partitions: partitions(&[0, 1]),
        is_fenced: false,
    };
    let unknown = Written { transactional_id: "unknown".into(), ..late.clone() };
    rig.send(Request::Work(vec![late, unknown]));
    assert_eq!(rig.status("tx"), Status::PrepareCommit);
}

#[test]
fn very_much_work_is_given_out_in_pieces() {
    let mut rig = Rig::new();
    for index in 0..600 {
        let id: &'static str = format!("tx-{index:03}").leak();
        prepared(&mut rig, id);
    }
    assert_eq!(rig.work().len(), 600);
    assert!(rig.machine.states().all(|(_, state)| state.status == Status::CompleteCommit));
    assert!(rig.machine.outbox.due.is_empty() && rig.machine.outbox.given.is_empty());
}

#[test]
fn who_waits_for_the_end_of_the_transaction_before_gets_on_with_it() {
    let mut rig = Rig::new();
    let producer = prepared(&mut rig, "tx");
    let add = |epoch, index| Request::Add {
        producer: under(&producer, epoch),
        partitions: partitions(&[index]),
        version: 2,
        waits: true,
    };
    let tickets = [rig.send(add(1, 5)), rig.send(add(0, 6)), rig.send(add(1, 7))];
    assert!(rig.answers.is_empty());
    assert_eq!(rig.work().len(), 1);
    let answers = tickets.map(|ticket| rig.answers.remove(&ticket).unwrap());
    assert_eq!(answers, [Reply::Done, refused(ErrorCode::PRODUCER_FENCED), Reply::Done]);
    let state = rig.machine.state("tx").unwrap();
    assert_eq!((state.status, &state.partitions), (Status::Ongoing, &partitions(&[5, 7])));
    assert!(
        rig.timers
            .keys()
            .any(|timer| matches!(timer, Timer::Overdue(overdue) if overdue.producer_epoch == 1))
    );
}

#[test]
fn not_too_many_wait() {
    let mut rig = Rig::new();
    let producer = prepared(&mut rig, "tx");
    let add =
        Request::Add { producer: under(&producer, 1), partitions: partitions(&[5]), version: 2, waits: true };
    for _ in 0..8 {
        rig.send(add.clone());
    }
    assert!(rig.answers.is_empty());
    assert_eq!(rig.ask(add), refused(ErrorCode::CONCURRENT_TRANSACTIONS));
}
