//! What a producer takes and when it sends it, against one broker in memory that answers when a test lets it. The time is
//! paused: nothing comes later than it is said here.

use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use strandline_protocol::ErrorCode;
use strandline_protocol::apis::init_producer_id::{InitProducerIdRequest, InitProducerIdResponse};
use strandline_protocol::apis::metadata::{
    MetadataRequest, MetadataResponsePartition, MetadataResponseTopic,
};
use strandline_protocol::apis::produce::{
    PartitionProduceResponse, ProduceRequest, ProduceResponse, TopicProduceResponse,
};
use strandline_protocol::batch::SharedBatch;
use tokio::io::DuplexStream;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use super::fake::{Net, Peer, Serving, members};
use crate::{Client, Delivery, Error, Partitioner, Producer, ProducerRecord, partition_of_key};

const TOPIC: &str = "orders";
/// Longer than anything takes here that does not wait for the broker.
const A_WHILE: Duration = Duration::from_secs(1);
const ROOM: usize = 1_000;
const VALUE: [u8; 200] = [7; 200];

/// A batch that came.
#[derive(Clone, Copy, Debug)]
struct Came {
    at: Instant,
    partition: i32,
    records: i32,
}

struct Broker {
    partitions: AtomicI32,
    // How many requests to write it may still answer.
    answers: Semaphore,
    came: Mutex<Vec<Came>>,
}

impl Broker {
    async fn start(partitions: i32, answers: usize) -> (Arc<Self>, Client) {
        let broker = Arc::new(Self {
            partitions: AtomicI32::new(partitions),
            answers: Semaphore::new(answers),
            came: Mutex::default(),
        });
        let serving = broker.clone();
        let serve =
            move |_: &str, _, peer| -> Option<Serving> { Some(Box::pin(serving.clone().serve(peer))) };
        let client = Client::connect(Net::new(serve).config("broker").0).await.unwrap();
        (broker, client)
    }

    fn came(&self) -> Vec<Came> {
        self.came.lock().unwrap().clone()
    }

    fn records(&self) -> i32 {
        self.came().iter().map(|came| came.records).sum()
    }

    async fn serve(self: Arc<Self>, mut peer: Peer<DuplexStream>) {
        peer.greet().await;
        while let Some(asked) = peer.next().await {
            if asked.is::<MetadataRequest>() {
                let partition = |partition_index| MetadataResponsePartition {
                    partition_index,
                    leader_id: 1,
                    ..Default::default()
                };
                let partitions = (0..self.partitions.load(Ordering::Relaxed)).map(partition).collect();
                let topic =
                    MetadataResponseTopic { name: Some(TOPIC.into()), partitions, ..Default::default() };
                let mut response = members(&[(1, "broker")]);
                response.topics.push(topic);
                peer.answer(&asked, &response).await;
            } else if asked.is::<InitProducerIdRequest>() {
                peer.answer(&asked, &InitProducerIdResponse { producer_id: 1, ..Default::default() }).await;
            } else {
                let response = self.take(asked.decode());
                self.answers.acquire().await.unwrap().forget();
                peer.answer(&asked, &response).await;
            }
        }
    }

    fn take(&self, request: ProduceRequest) -> ProduceResponse {
        let mut response = ProduceResponse::default();
        for topic in request.topic_data {
            let mut partition_responses = Vec::new();
            for data in topic.partition_data {
                let batch = SharedBatch::parse(data.records.unwrap().as_slice().unwrap().clone()).unwrap();
                let (partition, records) = (data.index, batch.header().record_count);
                self.came.lock().unwrap().push(Came { at: Instant::now(), partition, records });
                let error_code = ErrorCode::NONE;
                let index = data.index;
                partition_responses.push(PartitionProduceResponse {
                    index,
                    error_code,
                    ..Default::default()
                });
            }
            let name = topic.name;
            response.responses.push(TopicProduceResponse { name, partition_responses, ..Default::default() });
        }
        response
    }
}

/// Sends until a send waits, which it must before the room is used up many times.
async fn fill(producer: &Producer) -> Vec<Delivery> {
    let mut taken = Vec::new();
    while let Ok(sent) = timeout(A_WHILE, producer.send(ProducerRecord::to(TOPIC).value(&VALUE))).await {
        taken.push(sent.unwrap());
        assert!(taken.len() * VALUE.len() <= ROOM, "{} were taken, and there is no room", taken.len());
    }
    taken
}

#[tokio::test(start_paused = true)]
async fn who_sends_more_than_there_is_room_for_waits_until_there_is() {
    let (broker, client) = Broker::start(1, 0).await;
    let producer = client.producer().memory_bytes_max(ROOM).request_bytes_max(ROOM).start().unwrap();
    let taken = fill(&producer).await;
    assert!(taken.len() >= 2, "there was room for {} only", taken.len());
    let held = producer.bytes_on_their_way();
    assert!((taken.len() * VALUE.len()..=ROOM).contains(&held), "{held}");
    let mut next = std::pin::pin!(producer.send(ProducerRecord::to(TOPIC).value(&VALUE)));
    assert!(timeout(A_WHILE, &mut next).await.is_err(), "it waits");
    broker.answers.add_permits(1);
    let next = timeout(A_WHILE, next).await.expect("an answer makes room").unwrap();
    assert!(producer.bytes_on_their_way() <= ROOM);
    broker.answers.add_permits(100);
    for delivery in taken.into_iter().chain([next]) {
        timeout(A_WHILE, delivery).await.expect("it is delivered").unwrap();
    }
    assert_eq!(producer.bytes_on_their_way(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_send_that_is_dropped_while_it_waits_gives_its_room_back() {
    let (broker, client) = Broker::start(1, 0).await;
    let producer = client.producer().memory_bytes_max(ROOM).request_bytes_max(ROOM).start().unwrap();
    let taken = fill(&producer).await;
    let held = producer.bytes_on_their_way();
    for _ in 0..20 {
        let send = producer.send(ProducerRecord::to(TOPIC).value(&VALUE));
        assert!(timeout(Duration::from_millis(10), send).await.is_err());
        assert_eq!(producer.bytes_on_their_way(), held);
    }
    broker.answers.add_permits(100);
    timeout(A_WHILE, producer.flush()).await.expect("all is answered");
    assert_eq!((producer.bytes_on_their_way(), broker.records()), (0, i32::try_from(taken.len()).unwrap()));
}

#[tokio::test(start_paused = true)]
async fn a_flush_that_is_dropped_half_way_loses_nothing() {
    let (broker, client) = Broker::start(1, 0).await;
    let producer = client.producer().linger(Duration::from_secs(20)).start().unwrap();
    let delivery = producer.send(ProducerRecord::to(TOPIC).value("first")).await.unwrap();
    assert!(timeout(A_WHILE, producer.flush()).await.is_err(), "nothing is answered");
    assert_eq!(broker.records(), 1, "it was hurried all the same");
    let late = producer.send(ProducerRecord::to(TOPIC).value("second")).await.unwrap();
    broker.answers.add_permits(2);
    timeout(A_WHILE, delivery).await.expect("it is delivered").unwrap();
    timeout(A_WHILE, producer.flush()).await.expect("another one waits for what is there");
    timeout(Duration::ZERO, late).await.expect("and it was delivered").unwrap();
    assert_eq!(broker.records(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_batch_waits_for_as_long_as_it_was_told_to_linger() {
    let linger = Duration::from_millis(400);
    let (broker, client) = Broker::start(1, 100).await;
    let producer = client.producer().linger(linger).start().unwrap();
    // Its topic and its numbers are known from here on.
    producer.send(ProducerRecord::to(TOPIC).value("first")).await.unwrap().await.unwrap();
    let began = Instant::now();
    let first = producer.send(ProducerRecord::to(TOPIC).value("second")).await.unwrap();
    tokio::time::sleep(linger - Duration::from_millis(50)).await;
    let second = producer.send(ProducerRecord::to(TOPIC).value("third")).await.unwrap();
    first.await.unwrap();
    second.await.unwrap();
    let batch = broker.came()[1];
    assert_eq!(batch.records, 2, "what came meanwhile went with it");
    let waited = batch.at - began;
    assert!(waited >= linger && waited <= linger + Duration::from_millis(20), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_running_producer_learns_of_partitions_that_were_added() {
    let (broker, client) = Broker::start(1, 100).await;
    let producer = client.producer().start().unwrap();
    producer.send(ProducerRecord::to(TOPIC).value("first")).await.unwrap().await.unwrap();
    broker.partitions.store(3, Ordering::Relaxed);
    let to_new = ProducerRecord::to(TOPIC).partition(2).value("second");
    let refused = producer.send(to_new.clone()).await;
    assert!(matches!(refused, Err(Error::NoPartition { partition: 2, .. })), "{refused:?}");
    // Nothing goes wrong that would have it look: only what it knows gets old.
    tokio::time::sleep(Duration::from_secs(301)).await;
    let delivery = producer.send(to_new).await.expect("it has looked again");
    assert_eq!(delivery.await.unwrap().partition, 2);
}

/// The partition behind the usual one; some keys it leaves alone, and some it sends nowhere.
struct Behind;

impl Partitioner for Behind {
    fn partition(&self, topic: &str, key: Option<&[u8]>, _: Option<&[u8]>, partitions: i32) -> Option<i32> {
        assert_eq!((topic, partitions), (TOPIC, 5));
        match key? {
            b"left alone" => None,
            b"nowhere" => Some(partitions),
            key => Some((partition_of_key(key, partitions) + 1) % partitions),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_partitioner_of_the_users_own_decides() {
    let (broker, client) = Broker::start(5, 100).await;
    let producer = client.producer().partitioner(Behind).linger(Duration::ZERO).start().unwrap();
    let mut expected = Vec::new();
    for key in ["a", "b", "c", "d", "e", "customer-7", "left alone"] {
        let usual = partition_of_key(key.as_bytes(), 5);
        let behind = if key == "left alone" { usual } else { (usual + 1) % 5 };
        let delivered = producer.send(ProducerRecord::to(TOPIC).key(key)).await.unwrap().await.unwrap();
        assert_eq!(delivered.partition, behind, "{key}");
        expected.push(behind);
    }
    let came: Vec<_> = broker.came().iter().map(|came| came.partition).collect();
    assert_eq!(came, expected, "and they went there");
    let told = producer.send(ProducerRecord::to(TOPIC).key("a").partition(4)).await.unwrap();
    assert_eq!(told.partition(), 4, "a record that says its own is not asked for");
    let nowhere = producer.send(ProducerRecord::to(TOPIC).key("nowhere")).await;
    assert!(matches!(nowhere, Err(Error::NoPartition { partition: 5, .. })), "{nowhere:?}");
}
