//! Requests are begun in their order, and answered in it.

use std::sync::atomic::Ordering;
use std::time::Instant;

use super::support::{Ask, Rig, THROTTLE, frame, options, wait_until};

#[test]
fn answers_keep_the_order_of_the_requests() {
    let rig = Rig::new(options());
    let mut client = rig.connect();
    let mut bytes = frame(Ask::Gated, 0, 0);
    (1..100).for_each(|number| bytes.extend(frame(Ask::Now, number, 100)));
    client.send(&bytes);
    wait_until("all are begun while the first is worked on", || rig.begun().len() == 100);
    rig.script.gate.notify_one();
    let answered: Vec<_> = (0..100).map(|_| client.answered().unwrap()).collect();
    assert_eq!(answered, (0..100).collect::<Vec<_>>());
    assert_eq!(rig.begun(), answered);
    let writes = || rig.counters().writes.load(Ordering::Relaxed);
    wait_until("it is counted", || writes() > 0);
    assert_eq!(writes(), 1, "what is ready together leaves together");
}

#[test]
fn nothing_is_begun_before_the_one_in_front_is_dispatched() {
    let rig = Rig::new(options());
    let mut client = rig.connect();
    let mut bytes = frame(Ask::Gated, 0, 0);
    bytes.extend(frame(Ask::SlowDispatch, 1, 0));
    bytes.extend(frame(Ask::Now, 2, 0));
    client.send(&bytes);
    wait_until("the second is being dispatched", || rig.begun() == [0, 1]);
    rig.script.gate.notify_one();
    assert_eq!(client.answered(), Some(0), "while the second is being dispatched");
    assert_eq!(rig.begun(), [0, 1]);
    rig.script.dispatch_gate.notify_one();
    assert_eq!((client.answered(), client.answered()), (Some(1), Some(2)));
}

#[test]
fn silence_takes_no_place_among_the_answers() {
    let rig = Rig::new(options());
    let mut client = rig.connect();
    let mut bytes = frame(Ask::Silence, 0, 0);
    bytes.extend(frame(Ask::Now, 1, 0));
    bytes.extend(frame(Ask::Silence, 2, 0));
    bytes.extend(frame(Ask::Now, 3, 0));
    client.send(&bytes);
    assert_eq!((client.answered(), client.answered()), (Some(1), Some(3)));
}

#[test]
fn what_comes_before_a_close_is_answered_and_nothing_after_it() {
    let rig = Rig::new(options());
    let mut client = rig.connect();
    let mut bytes = frame(Ask::Gated, 0, 0);
    bytes.extend(frame(Ask::Close, 1, 0));
    bytes.extend(frame(Ask::Now, 2, 50_000));
    client.send(&bytes);
    wait_until("the first is begun", || !rig.begun().is_empty());
    rig.script.gate.notify_one();
    assert_eq!(client.answered(), Some(0));
    assert!(client.is_closed());
    wait_until("it is counted", || rig.counters().closed_invalid.load(Ordering::Relaxed) == 1);
}

#[test]
fn a_client_that_sends_no_more_gets_its_answers() {
    let rig = Rig::new(options());
    let mut client = rig.connect();
    let mut bytes = frame(Ask::Gated, 0, 0);
    bytes.extend(frame(Ask::Now, 1, 0));
    // A part of a third one, which never becomes whole.
    bytes.extend([0, 0, 0]);
    client.send(&bytes);
    client.0.shutdown(std::net::Shutdown::Write).unwrap();
    wait_until("both are begun", || rig.begun().len() == 2);
    rig.script.gate.notify_one();
    assert_eq!((client.answered(), client.answered()), (Some(0), Some(1)));
    assert!(client.is_closed());
}

#[test]
fn a_throttled_connection_is_not_read() {
    let rig = Rig::new(options());
    let mut client = rig.connect();
    client.send(&frame(Ask::Throttle, 0, 0));
    assert_eq!(client.answered(), Some(0));
    let start = Instant::now();
    client.send(&frame(Ask::Now, 1, 0));
    assert_eq!(client.answered(), Some(1));
    // The clock of the other side may have started a little earlier.
    assert!(start.elapsed() > THROTTLE / 2, "answered after {:?}", start.elapsed());
    // So is one that wanted no answer.
    let start = Instant::now();
    client.send(&frame(Ask::SilenceAndThrottle, 2, 0));
    wait_until("it is begun", || rig.begun().len() == 3);
    client.send(&frame(Ask::Now, 3, 0));
    assert_eq!(client.answered(), Some(3));
    assert!(start.elapsed() > THROTTLE / 2, "answered after {:?}", start.elapsed());
}

#[test]
fn a_request_alone_costs_one_read_and_one_write() {
    let rig = Rig::new(options());
    let mut client = rig.connect();
    for number in 0..100 {
        client.send(&frame(Ask::Now, number, 300));
        assert_eq!(client.answered(), Some(number));
    }
    let counters = rig.counters();
    wait_until("the last turn is counted", || counters.writes.load(Ordering::Relaxed) == 100);
    let [reads, wakeups] =
        [&counters.reads, &counters.wakeups].map(|counter| counter.load(Ordering::Relaxed));
    assert_eq!(reads, 100);
    // One to begin with. Now and then the first look comes before the first byte.
    assert!(wakeups <= 102, "{wakeups} wake-ups");
}
