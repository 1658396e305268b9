//! The same guarantees on ways that break: connections that are cut before a request has left or after it has been
//! carried out, that come late, and answers that are slow.

use std::collections::BTreeMap;
use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use strandline_client::{
    Assignor, BrokerAddress, Client, ClientConfig, Connecting, Consumer, Error, GroupProtocol, Isolation,
    OffsetReset, ProducerRecord, TransactionalProducer, Transport, TransportStream,
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;

use super::common::{client, in_time, topic};

const NUMBERS: u32 = 400;
/// One in so many reads and writes meets trouble of each kind.
const TROUBLE: u64 = 60;

/// Ways that break, at places that a seed says.
#[derive(Clone, Debug)]
struct Breaking(Arc<Mutex<u64>>);

impl Breaking {
    fn below(&self, limit: u64) -> u64 {
        let mut state = self.0.lock().unwrap();
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        (*state >> 33) % limit
    }

    fn is_trouble(&self) -> bool {
        self.below(TROUBLE) == 0
    }
}

impl Transport for Breaking {
    fn connect<'a>(&'a self, address: &'a BrokerAddress) -> Connecting<'a> {
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(self.below(10))).await;
            let stream = TcpStream::connect((address.host(), address.port())).await?;
            let broken = Broken { stream, breaking: self.clone(), slow: None };
            Ok(Box::new(broken) as Box<dyn TransportStream>)
        })
    }
}

struct Broken {
    stream: TcpStream,
    breaking: Breaking,
    slow: Option<Pin<Box<Sleep>>>,
}

impl Broken {
    fn cut(&self) -> io::Result<()> {
        if self.breaking.is_trouble() { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(()) }
    }
}

impl AsyncRead for Broken {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(slow) = &mut self.slow {
            ready!(slow.as_mut().poll(context));
            self.slow = None;
        }
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        if self.breaking.is_trouble() {
            let wait = Duration::from_millis(self.breaking.below(30));
            self.slow = Some(Box::pin(tokio::time::sleep(wait)));
        }
        // What was read is lost with it.
        Poll::Ready(self.cut())
    }
}

impl AsyncWrite for Broken {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.cut()?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.cut()?;
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// A client whose connections break.
async fn troubled(seed: u64) -> Client {
    let brokers = std::env::var("STRANDLINE_BROKERS").unwrap();
    let config = ClientConfig::new(&brokers).unwrap().transport(Breaking(Arc::new(Mutex::new(seed * 2 + 1))));
    let config = config.backoff(Duration::from_millis(2), Duration::from_millis(50));
    in_time("a client connects", async {
        loop {
            if let Ok(client) = Client::connect(config.clone()).await {
                return client;
            }
        }
    })
    .await
}

async fn started(client: &Client, id: &str) -> TransactionalProducer {
    in_time("a producer of transactions starts", async {
        loop {
            if let Ok(producer) = client.producer().transactional_id(id).start_transactional().await {
                return producer;
            }
        }
    })
    .await
}

/// Where a round failed.
enum Failed {
    Before,
    AtCommit(Error),
}

impl From<Error> for Failed {
    fn from(_: Error) -> Self {
        Self::Before
    }
}

/// One round: what was read, and that it was, in one transaction.
async fn round(
    consumer: &mut Consumer,
    producer: &mut TransactionalProducer,
    to: &str,
) -> Result<(), Failed> {
    let Ok(records) = tokio::time::timeout(Duration::from_millis(200), consumer.poll(15)).await else {
        return Ok(());
    };
    let records = records?;
    let transaction = producer.begin().await?;
    for record in &records {
        let key = record.partition.to_string();
        let value = record.value.as_ref().unwrap();
        transaction.send(ProducerRecord::to(to).key(&key).value(value)).await?;
    }
    transaction.send_offsets(&consumer.take_offsets()?).await?;
    transaction.commit().await.map_err(Failed::AtCommit)
}

/// Copies from one topic to another, whatever fails, until it is told to stop.
async fn copy(seed: u64, protocol: GroupProtocol, from: &str, to: &str, group: &str) {
    let client = troubled(seed).await;
    let id = format!("{group} {seed}");
    let mut producer = started(&client, &id).await;
    let builder = client.consumer().group(group).group_protocol(protocol).auto_commit(None);
    let builder = builder.assignors(&[Assignor::CooperativeSticky]).session_timeout(Duration::from_secs(6));
    let builder = builder.offset_reset(OffsetReset::Earliest).isolation(Isolation::ReadCommitted);
    let mut consumer = builder.start().unwrap();
    consumer.subscribe(&[from]).unwrap();
    loop {
        match in_time("a round ends", round(&mut consumer, &mut producer, to)).await {
            Ok(()) => continue,
            // What nobody had heard the end of is committed where another can be begun.
            Err(Failed::AtCommit(error)) if error.is_retriable() && producer.begin().await.is_ok() => {
                continue;
            }
            Err(_) => {}
        }
        producer = started(&client, &id).await;
        in_time("a consumer goes back to what was committed", async {
            while consumer.seek_to_committed().await.is_err() {}
        })
        .await;
    }
}

/// The numbers in a topic by key, in order.
async fn read(client: &Client, topic: &str) -> BTreeMap<String, Vec<u32>> {
    let builder = client.consumer().offset_reset(OffsetReset::Earliest).isolation(Isolation::ReadCommitted);
    let mut consumer = builder.start().unwrap();
    consumer.assign_topics(&[topic]).await.unwrap();
    let mut numbers: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    let mut count = 0;
    // A little longer than it takes for all of them, for what is there twice.
    while let Ok(record) = tokio::time::timeout(Duration::from_secs(60), consumer.next()).await {
        let record = record.unwrap();
        let key = String::from_utf8(record.key.unwrap().to_vec()).unwrap();
        let value = std::str::from_utf8(&record.value.unwrap()).unwrap().parse().unwrap();
        numbers.entry(key).or_default().push(value);
        count += 1;
        if count == NUMBERS {
            break;
        }
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    while let Ok(Some(record)) = consumer.try_next() {
        numbers.entry("more than were sent".to_owned()).or_default().push(record.partition.unsigned_abs());
    }
    numbers
}

async fn exactly_once(protocol: GroupProtocol, seed: u64, name: &str) {
    let client = client().await;
    let (from, to) = (format!("{name}-from"), format!("{name}-to"));
    topic(&client, &from, 4).await;
    topic(&client, &to, 2).await;
    let mut copies = tokio::task::JoinSet::new();
    for copier in 0..2 {
        let (from, to, group) = (from.clone(), to.clone(), name.to_owned());
        copies.spawn(async move { copy(seed + copier, protocol, &from, &to, &group).await });
    }
    let troubled = troubled(seed + 9).await;
    let producer = troubled.producer().batch_bytes(200).start().unwrap();
    for number in 0..NUMBERS {
        let value = number.to_string();
        let record = ProducerRecord::to(&from).partition((number % 4).try_into().unwrap()).value(&value);
        // Its topic may not be learned of at the first attempt.
        in_time("a producer takes a record", async { while producer.send(record.clone()).await.is_err() {} })
            .await;
    }
    in_time("all is delivered or given up", producer.flush()).await;
    let numbers = read(&client, &to).await;
    copies.shutdown().await;
    let of = |rest: u32| (0..NUMBERS).filter(|number| number % 4 == rest).collect::<Vec<_>>();
    let expected: BTreeMap<_, _> = (0..4).map(|rest| (rest.to_string(), of(rest))).collect();
    assert_eq!(numbers, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker: tests/conformance/client-library runs it"]
async fn a_classic_group_writes_each_thing_once() {
    exactly_once(GroupProtocol::Classic, 100, "once-classic").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker: tests/conformance/client-library runs it"]
async fn a_modern_group_writes_each_thing_once() {
    exactly_once(GroupProtocol::Consumer, 200, "once-modern").await;
}
