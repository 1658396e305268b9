//! Requests of every size arrive, whatever they take of the memory for them, and however slow others are.

use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::support::{Ask, Client, Rig, frame, options, wait_until};
use crate::net::NetOptions;

const KILOBYTE: usize = 1 << 10;
const MEGABYTE: usize = 1 << 20;

/// What a broker has for requests unless it is told otherwise.
const DEFAULT_BYTES: usize = 128 * MEGABYTE;

/// Sends frames that are large, while it is listened for their answers.
fn send_beside(client: &Client, bytes: Vec<u8>) -> std::thread::JoinHandle<std::io::Result<()>> {
    let mut sender: TcpStream = client.0.try_clone().unwrap();
    std::thread::spawn(move || sender.write_all(&bytes))
}

#[test]
fn the_longest_request_that_is_allowed_arrives_on_a_fresh_connection() {
    let rig = Rig::new(NetOptions { requests_bytes_max: DEFAULT_BYTES, ..options() });
    let length = rig.server.shared.options.request_bytes_max;
    let mut client = rig.connect();
    let sending = send_beside(&client, frame(Ask::Now, 1, length - 5));
    assert_eq!(client.answered(), Some(1));
    sending.join().unwrap().unwrap();
    drop(client);
    rig.wait_for_baseline();
}

#[test]
fn so_does_every_other_however_much_memory_there_is() {
    let lengths = [20, 70, 81, 120, 400, 1_100, 3_000].map(|length| length * KILOBYTE);
    for memory in [64, 200, 512, 2_000] {
        let rig = Rig::new(NetOptions { requests_bytes_max: memory * KILOBYTE, ..options() });
        let mut client = None;
        for (number, length) in (0..).zip(lengths) {
            // One after the other over one connection, and each over one that is fresh.
            for mut fresh in [None, Some(rig.connect())] {
                let client = fresh.as_mut().unwrap_or_else(|| client.get_or_insert_with(|| rig.connect()));
                let sending = send_beside(client, frame(Ask::Now, number, length));
                assert_eq!(client.answered(), Some(number), "{length} bytes with {memory} KiB");
                sending.join().unwrap().unwrap();
            }
        }
        drop(client);
        rig.wait_for_baseline();
    }
}

#[test]
fn many_that_are_large_arrive_at_the_same_time() {
    let rig = Rig::new(NetOptions { requests_bytes_max: 2 * MEGABYTE, ..options() });
    let mut clients: Vec<_> = (0..12).map(|_| rig.connect()).collect();
    let bytes = frame(Ask::Now, 1, MEGABYTE);
    // All of them have begun before any goes on, and want more than there is for beginnings.
    for part in [0..17_000, 17_000..90_000] {
        clients.iter_mut().for_each(|client| client.send(&bytes[part.clone()]));
        std::thread::sleep(Duration::from_millis(50));
    }
    let sending: Vec<_> =
        clients.iter().map(|client| send_beside(client, bytes[90_000..].to_vec())).collect();
    for client in &mut clients {
        assert_eq!(client.answered(), Some(1));
    }
    sending.into_iter().for_each(|sending| sending.join().unwrap().unwrap());
    assert_eq!(rig.counters().closed_stalled.load(Ordering::Relaxed), 0);
    drop(clients);
    rig.wait_for_baseline();
}

/// What the holders hold, each.
const HELD_BYTES: [usize; 2] = [460 * KILOBYTE, 300 * KILOBYTE];

/// Two who have shown to mean it hold all of a megabyte that is for whole requests.
fn holders(rig: &Rig) -> [Client; 2] {
    let mut free_bytes = MEGABYTE;
    HELD_BYTES.map(|length| {
        let mut client = rig.connect();
        client.send(&frame(Ask::Now, 1, length)[..100 * KILOBYTE]);
        free_bytes -= length;
        wait_until("it has memory for all of it", || free(rig) < free_bytes);
        client
    })
}

fn free(rig: &Rig) -> usize {
    rig.server.shared.requests.free_bytes()
}

#[test]
fn what_is_small_waits_behind_nobody_who_wants_a_lot() {
    let options =
        NetOptions { requests_bytes_max: MEGABYTE, stalled_max: Duration::from_hours(1), ..options() };
    let rig = Rig::new(options);
    let holders = holders(&rig);
    let mut large: Vec<_> = (0..2).map(|_| rig.connect()).collect();
    large.iter_mut().for_each(|client| client.send(&frame(Ask::Now, 2, 120_000)));
    wait_until("they wait", || rig.server.shared.requests.is_short());
    let mut small = rig.connect();
    for number in 0..20 {
        let padding = if number % 2 == 0 { 10 } else { 40_000 };
        small.send(&frame(Ask::Now, number, padding));
        assert_eq!(small.answered(), Some(number));
    }
    assert!(rig.server.shared.requests.is_short() && rig.begun().len() == 20, "they wait yet");
    drop((holders, large, small));
    rig.wait_for_baseline();
}

#[test]
fn who_drips_is_closed_when_others_wait_and_who_sends_is_not() {
    let options =
        NetOptions { requests_bytes_max: MEGABYTE, stalled_max: Duration::from_secs(1), ..options() };
    let rig = Rig::new(options);
    let [mut dripping, mut sending] = holders(&rig);
    let mut other = rig.connect();
    other.send(&frame(Ask::Now, 2, 400 * KILOBYTE));
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // A few kilobytes each time, and nothing that would come to an end before others give up.
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) && dripping.0.write_all(&[0; 4 * KILOBYTE]).is_ok() {
                std::thread::sleep(Duration::from_millis(300));
            }
        });
        // As slow, for what it holds, as one may be, and a few times that.
        scope.spawn(|| {
            for part in frame(Ask::Now, 1, HELD_BYTES[1])[100 * KILOBYTE..].chunks(8 * KILOBYTE) {
                sending.send(part);
                std::thread::sleep(Duration::from_millis(60));
            }
        });
        assert_eq!(other.answered(), Some(2));
        is_over.store(true, Ordering::Relaxed);
    });
    assert!(dripping.is_closed());
    assert_eq!(sending.answered(), Some(1));
    assert_eq!(rig.counters().closed_stalled.load(Ordering::Relaxed), 1);
    drop((dripping, sending, other));
    rig.wait_for_baseline();
}
