//! Lengths that lie.

use std::io::{Read, Write};

use crate::counting::{held_bytes, take_peak_bytes};
use crate::server::{Rig, wait_until};

#[test]
fn a_length_that_no_frame_has_costs_next_to_nothing() {
    let rig = Rig::new();
    for length in [-1_i32, 3, (100 << 20) + 1, i32::MAX] {
        let mut client = rig.connect().unwrap();
        let closed = rig.closed();
        let before = held_bytes();
        take_peak_bytes();
        client.write_all(&length.to_be_bytes()).unwrap();
        client.write_all(&[0; 1_000]).unwrap();
        wait_until("it is closed", || rig.closed() > closed);
        let peak = take_peak_bytes().saturating_sub(before);
        assert!(peak <= 64 << 10, "{length}: {peak} bytes");
        assert_eq!(client.read(&mut [0; 10]).unwrap_or(0), 0);
    }
}

#[test]
fn memory_follows_what_arrives_and_not_what_is_promised() {
    const CLIENTS: usize = 1_000;
    let rig = Rig::new();
    let mut clients: Vec<_> = (0..CLIENTS).map(|_| rig.connect().unwrap()).collect();
    wait_until("all are taken in", || rig.counters.open() == CLIENTS as u64);
    let before = held_bytes();
    take_peak_bytes();
    let mut send = |bytes: &[u8]| {
        let expected = rig.received_bytes() + (bytes.len() * CLIENTS) as u64;
        clients.iter_mut().for_each(|client| client.write_all(bytes).unwrap());
        wait_until("all of it is read", || rig.received_bytes() == expected);
    };
    send(&(100_i32 << 20).to_be_bytes());
    for _ in 0..20 {
        send(&[0]);
    }
    let peak = (take_peak_bytes() - before) / CLIENTS;
    println!("24 bytes of 100 MiB: {peak} bytes for each of {CLIENTS} connections");
    assert!(peak < 20 << 10, "{peak} bytes");
    send(&[0; 20_000]);
    let peak = (take_peak_bytes() - before) / CLIENTS;
    println!("20,024 bytes of 100 MiB: {peak} bytes for each");
    assert!(peak < 150 << 10, "{peak} bytes for 20,024 received");
    drop(clients);
    wait_until("all have left", || rig.counters.open() == 0);
    let left = held_bytes().saturating_sub(before);
    assert!(left < 1 << 20, "{left} bytes are left behind");
}
