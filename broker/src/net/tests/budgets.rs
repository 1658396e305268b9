//! Memory that all connections share: who comes later waits, and who holds some without moving goes.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::support::{Ask, Rig, frame, options, wait_until};
use crate::net::NetOptions;
use crate::net::budget::{Change, Purpose, REQUEST_OVERHEAD_BYTES, RequestBudget};

const KILOBYTE: usize = 1 << 10;
const MEGABYTE: usize = 1 << 20;

#[test]
fn a_request_waits_for_the_memory_of_others() {
    let rig = Rig::new(NetOptions { requests_bytes_max: MEGABYTE, ..options() });
    let mut first = rig.connect();
    first.send(&frame(Ask::Gated, 1, MEGABYTE));
    wait_until("it has all the memory", || rig.begun() == [1]);
    let mut second = rig.connect();
    second.send(&frame(Ask::Now, 2, 100_000));
    let mut third = rig.connect();
    third.send(&frame(Ask::Now, 3, 150_000)[..100_000]);
    wait_until("they wait", || rig.server.shared.requests.is_short());
    assert_eq!(rig.begun(), [1]);
    rig.script.gate.notify_one();
    assert_eq!((first.answered(), second.answered()), (Some(1), Some(2)));
    third.send(&frame(Ask::Now, 3, 150_000)[100_000..]);
    assert_eq!(third.answered(), Some(3));
    drop((first, second, third));
    rig.wait_for_baseline();
}

#[test]
fn one_connection_gets_a_sixteenth_of_it() {
    let rig = Rig::new(NetOptions { requests_bytes_max: 16 * MEGABYTE, ..options() });
    let mut greedy = rig.connect();
    let mut bytes = frame(Ask::Gated, 0, 0);
    (1..100).for_each(|number| bytes.extend(frame(Ask::Gated, number, 100_000)));
    let mut sender = greedy.0.try_clone().unwrap();
    let sending = std::thread::spawn(move || std::io::Write::write_all(&mut sender, &bytes).unwrap());
    wait_until("it has its part", || rig.begun().len() >= 11);
    let mut modest = rig.connect();
    modest.send(&frame(Ask::Now, 1_000, 100_000));
    assert_eq!(modest.answered(), Some(1_000));
    assert!(rig.begun().len() < 14, "{:?}", rig.begun());
    for number in 0..100 {
        rig.script.gate.notify_one();
        assert_eq!(greedy.answered(), Some(number));
    }
    sending.join().unwrap();
}

#[test]
fn who_holds_memory_and_sends_nothing_is_closed_when_others_wait() {
    let options =
        NetOptions { requests_bytes_max: MEGABYTE, stalled_max: Duration::from_millis(100), ..options() };
    let rig = Rig::new(options);
    let mut stalled = rig.connect();
    stalled.send(&frame(Ask::Now, 1, MEGABYTE)[..300_000]);
    wait_until("it has the memory", || rig.server.shared.requests.free_bytes() == MEGABYTE / 4);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(rig.counters().open(), 1, "nobody waits yet");
    let mut other = rig.connect();
    other.send(&frame(Ask::Now, 2, 100_000));
    assert_eq!(other.answered(), Some(2));
    assert!(stalled.is_closed());
    assert_eq!(rig.counters().closed_stalled.load(Ordering::Relaxed), 1);
    drop(other);
    rig.wait_for_baseline();
}

#[test]
fn a_promise_alone_takes_no_memory_from_others() {
    let rig = Rig::new(NetOptions { requests_bytes_max: MEGABYTE, ..options() });
    let mut promising: Vec<_> = (0..20).map(|_| rig.connect()).collect();
    let mut bytes = (50_u32 << 20).to_be_bytes().to_vec();
    bytes.resize(1_000, 1);
    promising.iter_mut().for_each(|client| client.send(&bytes));
    wait_until("all are read", || rig.counters().received_bytes.load(Ordering::Relaxed) == 20_000);
    assert_eq!(rig.server.shared.requests.free_bytes(), MEGABYTE);
}

#[test]
fn those_who_only_begin_keep_no_whole_request_waiting() {
    let options =
        NetOptions { requests_bytes_max: MEGABYTE, stalled_max: Duration::from_millis(500), ..options() };
    let rig = Rig::new(options);
    let mut bytes = (50_u32 << 20).to_be_bytes().to_vec();
    bytes.resize(17_000, 1);
    let mut beginning: Vec<_> = (0..20).map(|_| rig.connect()).collect();
    beginning.iter_mut().for_each(|client| client.send(&bytes));
    wait_until("they want more than there is", || rig.server.shared.requests.is_short());
    let mut other = rig.connect();
    for number in 0..10 {
        other.send(&frame(Ask::Now, number, 10_000));
        assert_eq!(other.answered(), Some(number));
    }
    // Nor do they keep others like them waiting for ever.
    wait_until("those who had some are closed", || {
        rig.counters().closed_stalled.load(Ordering::Relaxed) >= 4
    });
    drop((beginning, other));
    rig.wait_for_baseline();
}

#[test]
fn who_reads_no_answers_is_closed_when_others_wait() {
    let options =
        NetOptions { answers_bytes_max: MEGABYTE / 2, stalled_max: Duration::from_millis(100), ..options() };
    let rig = Rig::new(options);
    let mut deaf = rig.connect();
    (0..50).for_each(|number| deaf.send(&frame(Ask::OwnMegabyte, number, 0)));
    wait_until("its answers fill the memory", || rig.server.shared.answers.is_short());
    let mut other = rig.connect();
    for number in 0..10 {
        other.send(&frame(Ask::Now, number, 0));
        assert_eq!(other.answered(), Some(number));
    }
    wait_until("it is closed", || rig.counters().closed_stalled.load(Ordering::Relaxed) == 1);
    drop((deaf, other));
    rig.wait_for_baseline();
}

#[test]
fn what_is_a_logs_anyway_keeps_nobody_waiting() {
    let options = NetOptions { answers_bytes_max: MEGABYTE / 2, ..options() };
    let rig = Rig::new(options);
    let mut deaf: Vec<_> = (0..4).map(|_| rig.connect()).collect();
    for client in &mut deaf {
        (0..50).for_each(|number| client.send(&frame(Ask::Megabyte, number, 0)));
    }
    let megabytes = || rig.script.megabytes.load(Ordering::SeqCst);
    wait_until("each has its share", || megabytes() > 8);
    let mut other = rig.connect();
    other.send(&frame(Ask::Now, 1, 0));
    assert_eq!(other.answered(), Some(1));
    assert!(!rig.server.shared.answers.is_short());
    drop((deaf, other));
    rig.wait_for_baseline();
}

#[test]
fn small_requests_that_come_together_take_what_each_would_take_alone() {
    let rig = Rig::new(NetOptions { requests_bytes_max: MEGABYTE, ..options() });
    let mut client = rig.connect();
    let frames: Vec<_> = (0..20).map(|number| frame(Ask::Gated, number, 50)).collect();
    let taken_bytes: usize = frames.iter().map(|frame| frame.len() - 4 + REQUEST_OVERHEAD_BYTES).sum();
    client.send(&frames.concat());
    let free_bytes = || rig.server.shared.requests.free_bytes();
    wait_until("all have begun", || rig.begun().len() == 20 && free_bytes() == MEGABYTE - taken_bytes);
    for number in 0..20 {
        rig.script.gate.notify_one();
        assert_eq!(client.answered(), Some(number));
    }
    // All of it is free while the connection is there.
    wait_until("they have given it back", || free_bytes() == MEGABYTE);
    drop(client);
    rig.wait_for_baseline();
}

#[test]
fn a_connection_that_goes_gives_back_what_its_requests_share() {
    let rig = Rig::new(NetOptions { requests_bytes_max: MEGABYTE, ..options() });
    let mut client = rig.connect();
    client.send(&[frame(Ask::Gated, 0, 50), frame(Ask::Gated, 1, 50)].concat());
    wait_until("both have begun", || rig.begun().len() == 2);
    drop(client);
    // The first is answered, and the second has nobody to be answered to.
    rig.script.gate.notify_one();
    rig.script.gate.notify_one();
    rig.wait_for_baseline();
    assert_eq!(rig.server.shared.requests.free_bytes(), MEGABYTE);
}

#[test]
fn change_passes_nobody_who_waits_and_is_no_more_than_there_is() {
    let budget = RequestBudget::new(160 * KILOBYTE);
    let free_bytes = || budget.free_bytes() / KILOBYTE;
    let mut change = Change::default();
    assert_eq!(change.try_take(&budget, 2 * KILOBYTE, 8 * KILOBYTE).unwrap().bytes(), 2 * KILOBYTE);
    assert_eq!(free_bytes(), 152);
    assert!(change.try_take(&budget, 6 * KILOBYTE, 20 * KILOBYTE).is_some());
    assert_eq!(free_bytes(), 152, "it was there");
    change.settle(2 * KILOBYTE);
    assert_eq!(free_bytes(), 154);
    assert!(change.try_take(&budget, 4 * KILOBYTE, 200 * KILOBYTE).is_none(), "there is not so much");
    assert!(change.try_take(&budget, 4 * KILOBYTE, 20 * KILOBYTE).is_some());
    let waiting = budget.take(Purpose::Whole, 120 * KILOBYTE);
    assert!(change.try_take(&budget, KILOBYTE, KILOBYTE).is_none(), "it would pass who waits");
    drop(waiting);
    assert!(change.try_take(&budget, KILOBYTE, KILOBYTE).is_some());
    change.settle(11 * KILOBYTE);
    assert_eq!(free_bytes(), 160);
}
