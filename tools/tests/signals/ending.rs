//! One signal ends it in order, whenever it comes, and a second one at once.

use std::process::Command;
use std::time::{Duration, Instant};

use strandline_client::{BrokerAddress, ClientConfig, Connection};
use strandline_protocol::apis::create_topics::{CreatableTopic, CreateTopicsRequest};
use strandline_protocol::apis::fetch::{FetchPartition, FetchRequest, FetchTopic};
use strandline_protocol::schema::VersionRange;

use crate::running::{Broker, DEADLINE, Folder};

#[test]
fn one_that_is_ready_ends_with_success() {
    for name in ["INT", "TERM"] {
        let folder = Folder::new();
        let mut broker = Broker::start(&folder);
        broker.wait_until_ready();
        broker.signal(name);
        assert_eq!(broker.wait(), 0, "{name}");
    }
}

#[test]
fn one_that_is_starting_does_not_go_on_with_it() {
    for name in ["INT", "TERM"] {
        let folder = Folder::new();
        // A file that nobody has written yet, and whoever opens it waits for: a start without an end.
        let made = Command::new("mkfifo").arg(folder.path().join("format")).status().unwrap();
        assert!(made.success());
        let mut broker = Broker::start(&folder);
        // It takes the lock just before.
        let start = Instant::now();
        while !folder.path().join("lock").exists() {
            assert!(start.elapsed() < DEADLINE && broker.status().is_none());
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!(broker.status(), None, "it starts");
        broker.signal(name);
        assert_eq!(broker.wait(), 0, "{name}");
    }
}

/// Asks for what is not there yet, and waits for it for longer than anybody will.
async fn long_poll(broker: &Broker) -> (Connection, impl Future + use<>) {
    let (host, port) = broker.address().rsplit_once(':').unwrap();
    let address = BrokerAddress::new(host, port.parse().unwrap());
    let config = ClientConfig::new(broker.address()).unwrap();
    let connection = Connection::open(&address, &config).await.unwrap();
    let topic =
        CreatableTopic { name: "t".into(), num_partitions: 1, replication_factor: 1, ..Default::default() };
    let request = CreateTopicsRequest { topics: vec![topic], timeout_ms: 10_000, ..Default::default() };
    connection.request(&request).await.unwrap();
    let partition = FetchPartition { partition_max_bytes: 1_000, ..Default::default() };
    let topic = FetchTopic { topic: "t".into(), partitions: vec![partition], ..Default::default() };
    let request = FetchRequest {
        max_wait_ms: 600_000,
        min_bytes: 1,
        max_bytes: 1_000,
        topics: vec![topic],
        ..Default::default()
    };
    let before = broker.requests();
    let answer = connection.submit(&request, VersionRange::new(12, 12)).await.unwrap();
    let start = Instant::now();
    while broker.requests() == before {
        assert!(start.elapsed() < DEADLINE, "it is not begun");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    (connection, answer)
}

#[tokio::test]
async fn a_second_signal_does_not_wait_for_what_is_in_flight() {
    let folder = Folder::new();
    let mut broker = Broker::start(&folder);
    broker.wait_until_ready();
    let in_flight = long_poll(&broker).await;
    broker.signal("TERM");
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(broker.status(), None, "what is in flight is waited for");
    let start = Instant::now();
    broker.signal("INT");
    assert_eq!(broker.wait(), 1);
    // Otherwise it waits for ten seconds from the first signal on.
    assert!(start.elapsed() < Duration::from_secs(5), "it took {:?}", start.elapsed());
    drop(in_flight);
}
