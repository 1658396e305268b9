//! Bad input to transactions: another's producer, an old epoch, a step that is not the next, too much. Each gets Kafka's own
//! code, and changes nothing, no timer either. (`tests/conformance/answers` asks Kafka the same.)

use super::*;

/// What is asked, in words, and what comes back.
type Case<'a> = (&'a str, Request, ErrorCode);

fn check(rig: &mut Rig, cases: Vec<Case<'_>>) {
    for (words, request, code) in cases {
        let states = |rig: &Rig| format!("{:?}", rig.machine.states().collect::<Vec<_>>());
        let before = (states(rig), rig.log.len(), rig.timers.clone());
        assert_eq!(rig.ask(request), refused(code), "{words}");
        assert_eq!((states(rig), rig.log.len(), rig.timers.clone()), before, "{words}");
    }
}

fn add(producer: Producer, version: i16) -> Request {
    Request::Add { producer, partitions: partitions(&[1]), version, waits: false }
}

fn end(producer: Producer, is_commit: bool, version: i16) -> Request {
    Request::End { producer, is_commit, version, fresh_producer_id: Some(999) }
}

fn verify(producer: Producer) -> Request {
    Request::Verify { producer, partitions: partitions(&[0]) }
}

fn initialise(timeout_ms: i32, expected: Option<(i64, i16)>) -> Request {
    let transactional_id = Text::from_static("tx");
    Request::Initialise(Initialise { transactional_id, timeout_ms, expected, fresh_producer_id: Some(998) })
}

/// Those who are not the producer of the id: another one, one before it, one after it.
fn strangers(own: &Producer) -> [(Producer, ErrorCode); 3] {
    let foreign = Producer { producer_id: own.producer_id + 77, ..own.clone() };
    [
        (foreign, ErrorCode::INVALID_PRODUCER_ID_MAPPING),
        (under(own, own.producer_epoch - 1), ErrorCode::PRODUCER_FENCED),
        (under(own, own.producer_epoch + 1), ErrorCode::PRODUCER_FENCED),
    ]
}

fn of_strangers(own: &Producer) -> Vec<Case<'static>> {
    let mut cases = Vec::new();
    for (other, code) in strangers(own) {
        for version in [0, 2] {
            cases.push(("a stranger adds", add(other.clone(), version), code));
            cases.push(("a stranger commits", end(other.clone(), true, version), code));
            cases.push(("a stranger aborts", end(other.clone(), false, version), code));
        }
        cases.push(("a stranger's batch", verify(other.clone()), code));
        let expected = Some((other.producer_id, other.producer_epoch));
        cases.push((
            "a stranger wants another epoch",
            initialise(60_000, expected),
            ErrorCode::PRODUCER_FENCED,
        ));
    }
    cases
}

#[test]
fn whoever_is_not_the_producer_gets_nothing_done() {
    let mut rig = Rig::new();
    rig.producer("tx");
    // With an epoch before it, and without anybody who could be it.
    let own = rig.producer("tx");
    check(&mut rig, of_strangers(&own));
    rig.add(&own, &[0], 0);
    check(&mut rig, of_strangers(&own));
}

#[test]
fn a_step_that_is_not_the_next_is_not_taken() {
    let mut rig = Rig::new();
    let own = rig.producer("tx");
    let (invalid, concurrent) = (ErrorCode::INVALID_TXN_STATE, ErrorCode::CONCURRENT_TRANSACTIONS);
    check(
        &mut rig,
        vec![
            ("nothing is open, and is to be committed", end(own.clone(), true, 0), invalid),
            ("nothing is open, and is to be aborted", end(own.clone(), false, 0), invalid),
            ("the same by version 2", end(own.clone(), true, 2), invalid),
            ("no timeout", initialise(0, None), ErrorCode::INVALID_TRANSACTION_TIMEOUT),
            ("a timeout below none", initialise(-1, None), ErrorCode::INVALID_TRANSACTION_TIMEOUT),
            ("a timeout of days", initialise(i32::MAX, None), ErrorCode::INVALID_TRANSACTION_TIMEOUT),
        ],
    );
    rig.add(&own, &[0], 0);
    rig.end(&own, true, 0);
    check(
        &mut rig,
        vec![
            ("markers are on their way, and more is added", add(own.clone(), 0), concurrent),
            ("it is to be committed once more", end(own.clone(), true, 0), concurrent),
            ("what is committed is to be aborted", end(own.clone(), false, 0), concurrent),
            ("somebody wants another epoch", initialise(60_000, None), concurrent),
            ("a batch", verify(own.clone()), concurrent),
        ],
    );
    rig.work();
    check(&mut rig, vec![("what is committed is to be aborted", end(own.clone(), false, 0), invalid)]);
    assert_eq!(rig.status("tx"), Status::CompleteCommit);
}

#[test]
fn whoever_has_no_name_or_one_that_nobody_knows_is_refused() {
    let mut rig = Rig::new();
    let own = rig.producer("tx");
    let nobody = Producer { transactional_id: Text::new(), ..own.clone() };
    let unknown = Producer { transactional_id: "unknown".into(), ..own };
    let (invalid, mapping) = (ErrorCode::INVALID_REQUEST, ErrorCode::INVALID_PRODUCER_ID_MAPPING);
    let empty = Initialise {
        transactional_id: Text::new(),
        timeout_ms: 60_000,
        expected: None,
        fresh_producer_id: Some(1),
    };
    check(
        &mut rig,
        vec![
            ("no name: add", add(nobody.clone(), 2), invalid),
            ("no name: end", end(nobody, true, 2), invalid),
            ("no name: initialise", Request::Initialise(empty), invalid),
            ("an unknown name: add", add(unknown.clone(), 2), mapping),
            ("an unknown name: end", end(unknown.clone(), true, 2), mapping),
            ("an unknown name: a batch", verify(unknown), mapping),
            (
                "an unknown name: describe",
                Request::Describe("unknown".into()),
                ErrorCode::TRANSACTIONAL_ID_NOT_FOUND,
            ),
        ],
    );
}
