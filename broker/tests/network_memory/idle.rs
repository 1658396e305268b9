//! Ten thousand clients that do nothing, or as many as the descriptors of this process allow: what the network takes for
//! each. `tests/hostile/idle.py` connects ten thousand to a whole broker, and fails where that cannot be done.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;

use crate::counting::held_bytes;
use crate::server::{Rig, load, wait_until};

const CLIENTS_MAX: usize = 10_000;
const RESIDENT_BYTES_MAX: usize = 150 << 20;

/// The memory of the whole process, as the kernel counts it.
fn resident_bytes() -> usize {
    let pages = fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4_096
}

/// A file limit allows so many descriptors; each client takes two of this process.
fn clients() -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let limit = line.split_whitespace().nth(3).unwrap().parse::<usize>().unwrap_or(CLIENTS_MAX * 3);
    ((limit - 100) / 2).min(CLIENTS_MAX)
}

fn ask(client: &mut TcpStream) {
    let mut frame = 100_i32.to_be_bytes().to_vec();
    frame.resize(104, 0);
    client.write_all(&frame).unwrap();
    let mut length = [0; 4];
    client.read_exact(&mut length).unwrap();
    let mut content = vec![0; u32::from_be_bytes(length) as usize];
    client.read_exact(&mut content).unwrap();
}

#[test]
fn ten_thousand_idle_connections_are_cheap() {
    let rig = Rig::new();
    let clients_max = clients();
    let (held, resident) = (held_bytes(), resident_bytes());
    let mut clients: Vec<_> = (0..clients_max).map(|_| rig.connect().unwrap()).collect();
    wait_until("all are taken in", || rig.counters.open() == clients_max as u64);
    report("connected", clients_max, held, resident);
    clients.iter_mut().for_each(ask);
    report("after a request of each", clients_max, held, resident);
    wait_until("all are counted", || load(&rig.counters.requests) == clients_max as u64);
    let resident = resident_bytes();
    assert!(resident < RESIDENT_BYTES_MAX, "{resident} bytes for {clients_max} connections");
    rig.runtime.block_on(rig.server.shutdown());
    assert_eq!(rig.counters.open(), 0);
}

fn report(what: &str, clients: usize, held_before: usize, resident_before: usize) {
    let resident = resident_bytes();
    let each = |now: usize, before: usize| now.saturating_sub(before) / clients;
    println!(
        "{clients} connections, {what}: {} bytes of heap and {} resident bytes for each, {} MiB in all",
        each(held_bytes(), held_before),
        each(resident, resident_before),
        resident >> 20
    );
}
