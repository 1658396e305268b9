//! A cluster in which things go wrong: connections are cut before and after a request was carried out, brokers answer
//! with errors that pass, answers are late, and leaders move. Its logs check sequence numbers as Kafka's do.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use strandline_protocol::apis::fetch::{FetchRequest, FetchResponse, FetchableTopicResponse, PartitionData};
use strandline_protocol::apis::init_producer_id::{InitProducerIdRequest, InitProducerIdResponse};
use strandline_protocol::apis::list_offsets::ListOffsetsRequest;
use strandline_protocol::apis::metadata::{
    MetadataRequest, MetadataResponse, MetadataResponseBroker, MetadataResponsePartition,
    MetadataResponseTopic,
};
use strandline_protocol::apis::produce::{
    PartitionProduceResponse, ProduceRequest, ProduceResponse, TopicProduceResponse,
};
use strandline_protocol::batch::SharedBatch;
use strandline_protocol::{ErrorCode, Uuid};
use tokio::net::{TcpListener, TcpStream};

use super::coordinator::Coordinator;
use super::fake::{Asked, Peer};
use super::in_time;
use super::members::Group;
use super::numbers::Numbers;
use crate::{Client, ClientConfig};

pub(crate) const TOPIC: &str = "orders";
pub(super) const TOPIC_ID: Uuid = Uuid([7; 16]);

pub(super) struct Log {
    leader: usize,
    leader_epoch: i32,
    batches: Vec<SharedBatch>,
    pub(super) end: i64,
    numbers: Numbers,
}

pub(crate) struct Inner {
    pub(super) addresses: Vec<SocketAddr>,
    pub(super) logs: Vec<Log>,
    pub(crate) coordinator: Coordinator,
    pub(crate) group: Group,
    random: u64,
    next_producer_id: i64,
    /// One request in so many meets trouble of each kind; none where it is 0.
    pub(crate) trouble: u64,
    // How much there was of it, and how many requests that it could have met.
    troubles: u64,
    requests: u64,
}

/// The cluster. Clones are handles to it.
#[derive(Clone)]
pub(crate) struct Cluster(Arc<Mutex<Inner>>);

/// What happens to an answer.
enum Fate {
    Sent(Duration),
    Lost,
}

impl Cluster {
    pub(crate) async fn start(brokers: usize, partitions: usize, trouble: u64, seed: u64) -> Self {
        let log = |number: usize| Log {
            leader: number % brokers,
            leader_epoch: 0,
            batches: Vec::new(),
            end: 0,
            numbers: Numbers::default(),
        };
        let inner = Inner {
            addresses: Vec::new(),
            coordinator: Coordinator::default(),
            group: Group::default(),
            logs: (0..partitions).map(log).collect(),
            random: seed * 2 + 1,
            next_producer_id: 1_000,
            trouble,
            troubles: 0,
            requests: 0,
        };
        let cluster = Self(Arc::new(Mutex::new(inner)));
        for broker in 0..brokers {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
            cluster.inner().addresses.push(listener.local_addr().unwrap());
            let cluster = cluster.clone();
            tokio::spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(cluster.clone().serve(broker, Peer::new(stream)));
                }
            });
        }
        cluster
    }

    pub(crate) fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    pub(crate) fn bootstrap(&self) -> String {
        let addresses = &self.inner().addresses;
        addresses.iter().map(SocketAddr::to_string).collect::<Vec<_>>().join(",")
    }

    /// A client of it. A cluster that cuts connections cuts the first ones, too.
    pub(crate) async fn client(&self) -> Client {
        let config = ClientConfig::new(&self.bootstrap()).unwrap();
        let config = config.backoff(Duration::from_millis(1), Duration::from_millis(20));
        in_time("a client connects", async {
            loop {
                if let Ok(client) = Client::connect(config.clone()).await {
                    return client;
                }
            }
        })
        .await
    }

    /// Fails where things went too well for a test to say anything. Each request may meet trouble of several kinds.
    pub(crate) fn was_troubled(&self) {
        let Inner { troubles, requests, trouble, .. } = *self.inner();
        assert!(troubles * 2 > requests / trouble, "{troubles} troubles in {requests} requests");
    }

    /// Values of a partition's records, in order.
    pub(crate) fn values(&self, partition: usize) -> Vec<Bytes> {
        let inner = self.inner();
        let sections = inner.logs[partition].batches.iter().map(|batch| batch.records(1 << 20).unwrap());
        sections
            .flat_map(|section| {
                section
                    .iter()
                    .map(|record| Bytes::copy_from_slice(record.unwrap().value.unwrap()))
                    .collect::<Vec<_>>()
            })
            .collect()
    }

    /// A partition's batches, in order.
    pub(crate) fn batches(&self, partition: usize) -> Vec<SharedBatch> {
        self.inner().logs[partition].batches.clone()
    }

    pub(crate) fn move_leader(&self, partition: usize) {
        let mut inner = self.inner();
        let brokers = inner.addresses.len();
        let log = &mut inner.logs[partition];
        log.leader = (log.leader + 1) % brokers;
        log.leader_epoch += 1;
    }

    async fn serve(self, broker: usize, mut peer: Peer<TcpStream>) {
        let Some(first) = peer.next().await else { return };
        let level = self.inner().coordinator.level;
        peer.answer(&first, &super::fake::everything_at(level)).await;
        while let Some(asked) = peer.next().await {
            if self.inner().is_trouble() {
                // Cut before anything was done.
                return;
            }
            let fate = self.inner().fate();
            let is_done = self.answer(broker, &mut peer, &asked, &fate).await;
            if !is_done {
                return;
            }
        }
    }

    async fn answer(&self, broker: usize, peer: &mut Peer<TcpStream>, asked: &Asked, fate: &Fate) -> bool {
        let mut attempt = 0;
        let frame = loop {
            let frame = self.inner().carry_out(broker, asked, attempt);
            if let Some(frame) = frame {
                break frame;
            }
            // Nothing to be read, or others are waited for: the broker waits a little before it says so.
            tokio::time::sleep(Duration::from_millis(3)).await;
            attempt += 1;
        };
        match fate {
            Fate::Lost => false,
            Fate::Sent(wait) => {
                tokio::time::sleep(*wait).await;
                peer.send(&frame).await;
                true
            }
        }
    }
}

impl Inner {
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 33) % limit
    }

    pub(super) fn is_trouble(&mut self) -> bool {
        let is_trouble = self.trouble > 0 && self.below(self.trouble) == 0;
        self.troubles += u64::from(is_trouble);
        is_trouble
    }

    fn fate(&mut self) -> Fate {
        if self.is_trouble() {
            return Fate::Lost;
        }
        let wait = if self.is_trouble() { self.below(20) } else { 0 };
        Fate::Sent(Duration::from_millis(wait))
    }

    /// None where a fetch finds nothing yet, and where a group waits for others.
    fn carry_out(&mut self, broker: usize, asked: &Asked, attempt: usize) -> Option<Bytes> {
        self.requests += u64::from(attempt == 0);
        if attempt == 0 && self.is_trouble() {
            let partition = usize::try_from(self.below(self.logs.len() as u64)).unwrap();
            let brokers = self.addresses.len();
            let log = &mut self.logs[partition];
            log.leader = (log.leader + 1) % brokers;
            log.leader_epoch += 1;
        }
        if Self::is_of_group(asked) {
            return self.answer_of_group(broker, asked, attempt == 0);
        }
        if let Some(frame) = self.coordinate(broker, asked) {
            return Some(frame);
        }
        if asked.is::<MetadataRequest>() {
            Some(super::fake::frame(asked, &self.metadata(&asked.decode())))
        } else if asked.is::<InitProducerIdRequest>() {
            self.next_producer_id += 1;
            let response = InitProducerIdResponse {
                producer_id: self.next_producer_id,
                producer_epoch: 0,
                ..Default::default()
            };
            Some(super::fake::frame(asked, &response))
        } else if asked.is::<ProduceRequest>() {
            let response = self.produce(broker, asked.decode());
            Some(super::fake::frame(asked, &response))
        } else if asked.is::<FetchRequest>() {
            self.fetch(broker, asked, attempt > 0)
        } else if asked.is::<ListOffsetsRequest>() {
            Some(super::fake::frame(asked, &self.list_offsets(broker, &asked.decode())))
        } else {
            Some(super::fake::frame(asked, &self.epoch_ends(broker, &asked.decode())))
        }
    }

    fn metadata(&self, request: &MetadataRequest) -> MetadataResponse {
        let broker = |(id, address): (i32, &SocketAddr)| MetadataResponseBroker {
            node_id: id,
            host: address.ip().to_string().as_str().into(),
            port: i32::from(address.port()),
            ..Default::default()
        };
        let partition = |(index, log): (i32, &Log)| MetadataResponsePartition {
            partition_index: index,
            leader_id: i32::try_from(log.leader).unwrap(),
            leader_epoch: log.leader_epoch,
            ..Default::default()
        };
        let topic = MetadataResponseTopic {
            name: Some(TOPIC.into()),
            topic_id: TOPIC_ID,
            partitions: (0..).zip(&self.logs).map(partition).collect(),
            ..Default::default()
        };
        let is_wanted = request.topics.as_ref().is_none_or(|topics| !topics.is_empty());
        MetadataResponse {
            brokers: (0..).zip(&self.addresses).map(broker).collect(),
            topics: if is_wanted { vec![topic] } else { Vec::new() },
            ..Default::default()
        }
    }

    pub(super) fn refusal(&mut self, broker: usize, partition: usize) -> Option<ErrorCode> {
        if self.logs[partition].leader != broker {
            return Some(ErrorCode::NOT_LEADER_OR_FOLLOWER);
        }
        let codes =
            [ErrorCode::LEADER_NOT_AVAILABLE, ErrorCode::NOT_ENOUGH_REPLICAS, ErrorCode::KAFKA_STORAGE_ERROR];
        let index = usize::try_from(self.below(3)).unwrap();
        self.is_trouble().then(|| codes[index])
    }

    fn produce(&mut self, broker: usize, request: ProduceRequest) -> ProduceResponse {
        let mut topics = Vec::new();
        for topic in request.topic_data {
            let mut partitions = Vec::new();
            for data in topic.partition_data {
                let partition = usize::try_from(data.index).unwrap();
                let bytes = data.records.unwrap().as_slice().unwrap().clone();
                let result = match self.refusal(broker, partition) {
                    Some(code) => Err(code),
                    None => self.append(partition, &bytes),
                };
                // Written, and the answer does not say so.
                let result = if self.is_trouble() { Err(ErrorCode::REQUEST_TIMED_OUT) } else { result };
                partitions.push(PartitionProduceResponse {
                    index: data.index,
                    error_code: result.err().unwrap_or(ErrorCode::NONE),
                    base_offset: result.unwrap_or(-1),
                    ..Default::default()
                });
            }
            topics.push(TopicProduceResponse {
                name: topic.name,
                partition_responses: partitions,
                ..Default::default()
            });
        }
        ProduceResponse { responses: topics, ..Default::default() }
    }

    fn append(&mut self, partition: usize, bytes: &Bytes) -> Result<i64, ErrorCode> {
        let header = *SharedBatch::parse(bytes.clone()).unwrap().header();
        self.coordinator.take_part(&header, partition)?;
        self.logs[partition].append(bytes)
    }

    fn fetch(&mut self, broker: usize, asked: &Asked, is_final: bool) -> Option<Bytes> {
        let request: FetchRequest = asked.decode();
        let mut responses = Vec::new();
        let mut has_news = is_final;
        for topic in request.topics {
            let mut partitions = Vec::new();
            for wanted in topic.partitions {
                let partition = usize::try_from(wanted.partition).unwrap();
                let refusal = self.refusal(broker, partition);
                let log = &self.logs[partition];
                let mut records = BytesMut::new();
                for batch in &log.batches {
                    let limit = usize::try_from(wanted.partition_max_bytes).unwrap();
                    let is_wanted = batch.header().last_offset() >= wanted.fetch_offset;
                    if refusal.is_none() && is_wanted && (records.is_empty() || records.len() < limit) {
                        records.extend_from_slice(batch.bytes());
                    }
                }
                has_news |= refusal.is_some() || !records.is_empty();
                partitions.push(PartitionData {
                    partition_index: wanted.partition,
                    error_code: refusal.unwrap_or(ErrorCode::NONE),
                    high_watermark: log.end,
                    records: Some(records.freeze().into()),
                    ..Default::default()
                });
            }
            responses.push(FetchableTopicResponse { topic: topic.topic, partitions, ..Default::default() });
        }
        has_news.then(|| super::fake::frame(asked, &FetchResponse { responses, ..Default::default() }))
    }
}

impl Log {
    /// As Kafka's leader decides it.
    fn append(&mut self, bytes: &Bytes) -> Result<i64, ErrorCode> {
        let batch = SharedBatch::parse(bytes.clone()).unwrap();
        batch.view().check_crc().unwrap();
        if let Some(offset) = self.numbers.take(batch.header(), self.end)? {
            return Ok(offset);
        }
        Ok(self.mark(bytes))
    }

    /// Appends what nobody asks for numbers.
    pub(super) fn mark(&mut self, bytes: &Bytes) -> i64 {
        let batch = SharedBatch::parse(bytes.clone()).unwrap();
        let mut header = *batch.header();
        let offset = self.end;
        header.assign(offset, self.leader_epoch);
        let mut bytes = BytesMut::from(bytes.as_ref());
        header.write_over(&mut bytes).unwrap();
        self.end = header.last_offset() + 1;
        self.batches.push(SharedBatch::parse(bytes.freeze()).unwrap());
        offset
    }
}
