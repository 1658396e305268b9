//! Nothing that a client does makes the broker hold more than it may.

use std::io::Write;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::support::{Ask, Client, Rig, frame, options, wait_until};
use crate::net::{ListenerOptions, NetOptions};

#[test]
fn a_length_that_no_frame_has_closes() {
    let rig = Rig::new(NetOptions { request_bytes_max: 1 << 20, ..options() });
    for length in [-1_i32, i32::MIN, 0, 3, (1 << 20) + 1, i32::MAX] {
        let mut client = rig.connect();
        client.send(&frame(Ask::Now, 7, 0));
        client.send(&length.to_be_bytes());
        assert_eq!(client.answered(), Some(7), "what came before is answered");
        assert!(client.is_closed(), "{length}");
    }
    wait_until("all are counted", || rig.counters().closed_invalid.load(Ordering::Relaxed) == 6);
    assert!(rig.begun().len() == 6);
}

#[test]
fn a_reader_that_never_reads_is_not_worked_for() {
    let rig = Rig::new(options());
    let mut client = rig.connect();
    let mut bytes = Vec::new();
    (0..1_000).for_each(|number| bytes.extend(frame(Ask::Megabyte, number, 0)));
    client.send(&bytes);
    let megabytes = || rig.script.megabytes.load(Ordering::SeqCst);
    wait_until("some are answered", || megabytes() > 0);
    // The sockets hold some megabytes; then nothing moves.
    let mut before = 0;
    wait_until("nothing moves", || {
        std::thread::sleep(Duration::from_millis(200));
        std::mem::replace(&mut before, megabytes()) == megabytes()
    });
    assert!(megabytes() < 20, "{} answers for a reader that reads none", megabytes());
    for number in 0..1_000 {
        assert_eq!(client.answered(), Some(number));
    }
    // One more time, for a reader that goes.
    client.send(&bytes);
    wait_until("some are answered", || megabytes() > 1_000);
    drop(client);
    rig.wait_for_baseline();
}

#[test]
fn connections_beyond_the_limit_are_refused() {
    let rig = Rig::new(NetOptions { connections_max: 3, ..options() });
    let mut clients: Vec<_> = (0..3).map(|_| rig.connect()).collect();
    clients.iter_mut().for_each(|client| {
        client.send(&frame(Ask::Now, 1, 0));
        assert_eq!(client.answered(), Some(1));
    });
    assert!(rig.connect().is_closed());
    assert_eq!(rig.counters().refused_total.load(Ordering::Relaxed), 1);
    // One that leaves makes room.
    drop(clients.pop());
    wait_until("one has left", || rig.counters().open() == 2);
    let mut client = rig.connect();
    client.send(&frame(Ask::Now, 2, 0));
    assert_eq!(client.answered(), Some(2));
}

#[test]
fn one_who_comes_by_the_protected_listener_takes_the_place_of_another() {
    let listeners = vec![
        ListenerOptions::new("OUTSIDE", "127.0.0.1", 0),
        ListenerOptions { is_protected: true, ..ListenerOptions::new("INSIDE", "127.0.0.1", 0) },
    ];
    let rig = Rig::new(NetOptions { listeners, connections_max: 2, ..options() });
    let connect = |listener: usize, number: u32| {
        let mut client = Client(std::net::TcpStream::connect(rig.addresses[listener]).unwrap());
        client.0.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        client.send(&frame(Ask::Now, number, 0));
        let answered = client.answered();
        (client, answered == Some(number))
    };
    let mut outside = [connect(0, 1), connect(0, 2)];
    assert!(outside.iter().all(|(_, is_answered)| *is_answered));
    assert!(!connect(0, 3).1, "no more from outside");
    let (mut inside, is_answered) = connect(1, 4);
    assert!(is_answered && outside[0].0.is_closed(), "the oldest goes, of those that are as idle");
    let (_other, is_answered) = connect(1, 5);
    assert!(is_answered && outside[1].0.is_closed());
    wait_until("both have left", || rig.counters().open() == 2);
    assert!(!connect(1, 6).1, "those that are protected do not go for each other");
    inside.send(&frame(Ask::Now, 7, 0));
    assert_eq!(inside.answered(), Some(7));
}

#[test]
fn so_are_those_beyond_the_limit_of_an_address() {
    let rig = Rig::new(NetOptions { connections_per_address_max: 1, ..options() });
    let mut first = rig.connect();
    first.send(&frame(Ask::Now, 1, 0));
    assert_eq!(first.answered(), Some(1));
    assert!(rig.connect().is_closed());
    assert_eq!(rig.counters().refused_address.load(Ordering::Relaxed), 1);
}

#[test]
fn an_idle_connection_is_closed_and_one_that_waits_for_its_answer_is_not() {
    let rig = Rig::new(NetOptions { connections_idle_max: Duration::from_millis(100), ..options() });
    let mut waiting = rig.connect();
    waiting.send(&frame(Ask::Gated, 1, 0));
    let mut idle = rig.connect();
    let mut dripping = rig.connect();
    dripping.send(&frame(Ask::Now, 2, 1_000)[..500]);
    assert!(idle.is_closed());
    wait_until("a part of a request is nothing", || {
        let _ = dripping.0.write(&[0]);
        rig.counters().closed_idle.load(Ordering::Relaxed) == 2
    });
    rig.script.gate.notify_one();
    assert_eq!(waiting.answered(), Some(1));
}

#[test]
fn a_shutdown_answers_what_is_in_flight() {
    let rig = Rig::new(options());
    let mut idle = rig.connect();
    let mut client = rig.connect();
    client.send(&frame(Ask::Gated, 0, 0));
    wait_until("it is begun", || !rig.begun().is_empty());
    let server = rig.server.clone();
    let shutdown = rig.runtime.spawn(async move { server.shutdown().await });
    assert!(idle.is_closed());
    // What comes now is not begun, and does not keep the answer from arriving.
    client.send(&frame(Ask::Now, 1, 10_000));
    rig.script.gate.notify_one();
    assert_eq!(client.answered(), Some(0));
    assert!(client.is_closed());
    drop(client);
    rig.runtime.block_on(shutdown).unwrap();
    assert_eq!((rig.begun().len(), rig.counters().open()), (1, 0));
    assert!(std::net::TcpStream::connect(rig.address).is_err(), "nobody listens");
}

#[test]
fn a_second_shutdown_does_not_wait() {
    let rig = Rig::new(NetOptions { shutdown_max: Duration::from_hours(1), ..options() });
    let mut client = rig.connect();
    client.send(&frame(Ask::Gated, 0, 0));
    wait_until("it is begun", || !rig.begun().is_empty());
    let server = rig.server.clone();
    let shutdown = rig.runtime.spawn(async move { server.shutdown().await });
    std::thread::sleep(Duration::from_millis(20));
    assert!(!shutdown.is_finished());
    rig.runtime.block_on(rig.server.shutdown());
    rig.runtime.block_on(shutdown).unwrap();
    assert!(client.is_closed());
}
