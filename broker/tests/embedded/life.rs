//! How an embedded broker starts, beside which others, and what is left of it.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use strandline_broker::embedded;
use strandline_broker::embedded::{EmbeddedBroker, EmbeddedError};
use strandline_client::{Client, ClientConfig};

use crate::talk::{block_on, connect, read, write};

/// A folder that stays when a broker goes, and goes when the test does.
struct Kept(PathBuf);

impl Kept {
    fn new() -> Self {
        Self::within(&std::env::temp_dir())
    }

    fn within(folder: &Path) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("strandline-kept-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Self(folder.join(name))
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

async fn topics(client: &Client) -> Vec<(String, usize)> {
    let topics = client.admin().list_topics().await.unwrap().into_iter();
    topics.map(|topic| (topic.name, topic.partitions.len())).collect()
}

#[test]
fn one_line_in_a_test_without_async_code_is_a_broker() {
    let broker = embedded().topic("orders", 3).start().unwrap();
    let folder = broker.data_dir().to_owned();
    assert!(folder.is_dir());
    assert_eq!(broker.bootstrap(), broker.address().to_string());
    block_on(async {
        let client = connect(&broker).await;
        assert_eq!(write(&client, "orders", "4 anchors").await, 0);
        assert_eq!(read(&client, "orders").await, "4 anchors");
    });
    broker.stop().unwrap();
    assert!(!folder.exists(), "nothing of it is left");
}

/// The quickest of some, and in memory where the machine has a folder there: other tests run beside it, and sync what they
/// write. `examples/embedded_start.rs` has the median, and the disk.
#[test]
fn a_client_is_in_within_fifty_milliseconds() {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    let quickest = (0..20).map(|_| {
        let kept = Kept::within(&folder);
        let begin = Instant::now();
        let broker = embedded().data_dir(&kept.0).topic("orders", 3).start().unwrap();
        TcpStream::connect(broker.address()).unwrap();
        begin.elapsed()
    });
    let quickest = quickest.min().unwrap();
    assert!(quickest < Duration::from_millis(50), "{quickest:?}");
}

#[tokio::test]
async fn it_ends_with_its_owner_while_clients_are_connected() {
    let broker = embedded().start().unwrap();
    let (folder, address) = (broker.data_dir().to_owned(), broker.address());
    let client = connect(&broker).await;
    assert_eq!(write(&client, "made-as-it-is-asked-for", "a").await, 0);
    drop(broker);
    assert!(!folder.exists());
    assert!(TcpStream::connect(address).is_err(), "nobody listens");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_at_once_know_nothing_of_one_another() {
    let brokers: Vec<EmbeddedBroker> =
        (0..4).map(|number| embedded().topic(&format!("t{number}"), 1).start().unwrap()).collect();
    let mut clients = Vec::new();
    for (number, broker) in brokers.iter().enumerate() {
        let client = connect(broker).await;
        let topic = format!("t{number}");
        assert_eq!(write(&client, &topic, &topic).await, 0);
        clients.push(client);
    }
    for (number, client) in clients.iter().enumerate() {
        let topic = format!("t{number}");
        assert_eq!(topics(client).await, [(topic.clone(), 1)]);
        assert_eq!(read(client, &topic).await, topic);
    }
}

#[tokio::test]
async fn what_was_acknowledged_is_there_again_at_the_same_port() {
    let kept = Kept::new();
    let broker = embedded().data_dir(&kept.0).topic("orders", 1).start().unwrap();
    let port = broker.address().port();
    assert_eq!(write(&connect(&broker).await, "orders", "first").await, 0);
    broker.stop().unwrap();
    let broker = embedded().data_dir(&kept.0).port(port).topic("orders", 9).start().unwrap();
    assert_eq!(broker.address().port(), port);
    let client = connect(&broker).await;
    assert_eq!(read(&client, "orders").await, "first");
    assert_eq!(topics(&client).await, [("orders".to_owned(), 1)], "what was there stays as it is");
    drop(broker);
    assert!(kept.0.is_dir(), "a folder that was given stays");
}

#[test]
fn nothing_is_served_by_http_unless_it_is_set_and_none_is_described() {
    let broker = embedded().start().unwrap();
    assert_eq!(broker.http_address(), None);
    let settings = block_on(async {
        let resource = strandline_client::ConfigResource::Broker(1);
        connect(&broker).await.admin().describe_configs(&resource).await.unwrap()
    });
    let value = |name: &str| settings.iter().find(|entry| entry.name == name).unwrap().value.clone();
    assert_eq!(value("strandline.http.address").as_deref(), Some(""));
    assert_eq!(value("listeners").as_deref(), Some("PLAINTEXT://127.0.0.1:0"), "any port that is free");
}

#[test]
fn what_can_be_set_for_a_broker_can_be_set_here() {
    let broker = embedded()
        .setting("auto.create.topics.enable", "false")
        .setting("strandline.http.address", "127.0.0.1:0")
        .topic_with("small", 1, &[("max.message.bytes", "100")])
        .start()
        .unwrap();
    block_on(async {
        let client = connect(&broker).await;
        let producer = client.producer().idempotent(false).start().unwrap();
        let large = [7; 1_000];
        let large = strandline_client::ProducerRecord::to("small").value(&large);
        let refused = producer.send(large).await.unwrap().await.unwrap_err();
        assert!(refused.to_string().contains("MESSAGE_TOO_LARGE"), "{refused}");
    });
    let mut http = TcpStream::connect(broker.http_address().unwrap()).unwrap();
    http.write_all(b"GET /readyz HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    http.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
}

#[test]
fn what_makes_no_sense_is_said_and_leaves_nothing() {
    let wrong = embedded().setting("num.partition", "1").start().unwrap_err();
    assert!(wrong.to_string().contains("num.partitions is known"), "{wrong}");
    let chosen = embedded().setting("listeners", "PLAINTEXT://:9092").start().unwrap_err();
    assert!(matches!(chosen, EmbeddedError::Chosen { name: "listeners", .. }), "{chosen}");
    let topic = embedded().topic("no/name", 1).start().unwrap_err();
    assert!(topic.to_string().starts_with("topic no/name: "), "{topic}");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let refused = embedded().port(port).start().unwrap_err();
    assert!(refused.to_string().contains(&port.to_string()), "{refused}");

    let kept = Kept::new();
    let broker = embedded().data_dir(&kept.0).start().unwrap();
    let in_use = embedded().data_dir(&kept.0).start().unwrap_err();
    assert!(in_use.to_string().contains("in use"), "{in_use}");
    drop(broker);
    let client = ClientConfig::new("127.0.0.1:1").unwrap();
    assert!(block_on(Client::connect(client)).is_err());
}
