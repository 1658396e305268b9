//! Handlers over a real engine on a simulated disk: what their tests share.

mod administration;
mod asking;
mod counted;
mod denied_topics;
mod denying;
mod framing;
mod full_disk;
mod repeated;
mod told;
mod topics;
mod unavailable;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use strandline_log::clock::SimulatedClock;
use strandline_log::config::LogConfig;
use strandline_log::disk::Disk;
use strandline_log::disk::simulated::{self, SimulatedDisk};
use strandline_log::engine::{Command, Done, Engine, Options, Partition, Writer};
use strandline_log::random::Random;
use strandline_protocol::apis::ApiKey;
use strandline_protocol::apis::fetch::{FetchPartition, FetchRequest, FetchResponse, FetchTopic};
use strandline_protocol::apis::produce::{
    PartitionProduceData, PartitionProduceResponse, ProduceRequest, ProduceResponse, TopicProduceData,
};
use strandline_protocol::batch::{BatchBuilder, NewRecord};
use strandline_protocol::frame::{LENGTH_BYTES, OutboundFrame};
use strandline_protocol::{Bytes, Piece, Request, Text, Uuid};
use strandline_state::groups::Groups;
use strandline_state::metadata::decide::{CreateTopics, FormatCluster, NewTopic, RegisterBroker};
use strandline_state::metadata::record::BrokerEndpoint;

use self::topics::FixedTopics;
use super::fetch_sessions::{FetchSessionOptions, FetchSessions};
use super::topics::{Leadership, Topic, TopicRules};
use super::turn::Turn;
use super::{Dispatched, Reply, dispatch};
use crate::admission::NoTransactions;
use crate::authorize::AllowAll;
use crate::broker::Broker;
use crate::context::{Call, Connection, Endpoint, ServedBy};
use crate::coordinator::{Coordinator, CoordinatorParts, OFFSETS_TOPIC};
use crate::metadata::Metadata;
use crate::offload::{Offload, Turns};
use crate::producer_ids::{NextBlock, ProducerIdBlocks, ProducerIds};
use crate::quota::Unlimited;
use crate::storage::{FileSlice, Storage, TopicPartition};
use crate::transactions::TransactionCoordinator;

/// The number of the broker.
pub(super) const NODE_ID: i32 = 1;

/// The epoch that it leads everything in.
pub(super) const LEADER_EPOCH: i32 = 5;

/// What its clock shows at first.
pub(super) const NOW_MS: i64 = 1_700_000_000_000;

/// Blocks of ids, one behind the other.
#[derive(Debug, Default)]
struct Blocks(AtomicI64);

impl ProducerIdBlocks for Blocks {
    fn next_block(&self) -> NextBlock<'_> {
        let first = self.0.fetch_add(1_000, Ordering::Relaxed);
        Box::pin(async move { Ok(first..first + 1_000) })
    }
}

/// A broker, and a connection to it.
#[derive(Debug)]
pub(super) struct Rig {
    pub(super) broker: Arc<Broker>,
    pub(super) topics: Arc<FixedTopics>,
    pub(super) engine: Engine,
    pub(super) disk: SimulatedDisk,
    pub(super) clock: Arc<SimulatedClock>,
    pub(super) connection: Arc<Connection>,
}

impl Rig {
    pub(super) fn new() -> Self {
        Self::with_options(Options::default())
    }

    pub(super) fn with_options(options: Options) -> Self {
        Self::with_disk(options, |disk| Arc::new(disk))
    }

    /// What its engine uses stands before the simulated disk.
    pub(super) fn with_disk(options: Options, before: impl FnOnce(SimulatedDisk) -> Arc<dyn Disk>) -> Self {
        let disk = SimulatedDisk::new(simulated::Options::default());
        disk.create_directory(Path::new("/data")).unwrap();
        let clock = Arc::new(SimulatedClock::new(NOW_MS));
        let writer = Writer::recover(
            before(disk.clone()),
            PathBuf::from("/data"),
            options,
            Arc::<SimulatedClock>::clone(&clock),
            Random::from_seed(1),
        );
        let engine = Engine::start(writer.unwrap()).unwrap();
        let storage = Arc::new(Storage::new(Arc::clone(engine.mailbox()), Default::default()));
        let metadata_clock = Arc::<SimulatedClock>::clone(&clock);
        let metadata = Metadata::in_memory(NODE_ID, Arc::clone(&storage), metadata_clock);
        let topics = Arc::new(FixedTopics::new(NODE_ID));
        let parts =
            CoordinatorParts::new(Arc::clone(&metadata), clock.clone(), Offload::Threads, Arc::default());
        let fresh = Arc::new(|| Groups::new(Arc::default(), Arc::default()));
        let parts = Arc::new(parts);
        let watch = Arc::new(|_: &strandline_state::groups::Event| {});
        let groups = Arc::new(Coordinator::new(&OFFSETS_TOPIC, Arc::clone(&parts), fresh, watch));
        let producer_ids = Arc::new(ProducerIds::new(Box::<Blocks>::default()));
        let transactions = TransactionCoordinator::new(parts, Arc::clone(&groups), Arc::clone(&producer_ids));
        let broker = Broker {
            authorizer: Arc::new(AllowAll),
            quotas: Arc::new(Unlimited),
            admission: Arc::new(NoTransactions),
            topics: Arc::<FixedTopics>::clone(&topics),
            fetch_sessions: Arc::new(FetchSessions::new(
                FetchSessionOptions::default(),
                Random::from_seed(2),
            )),
            producer_ids,
            groups,
            transactions: Arc::new(transactions),
            metadata,
            storage,
            metrics: Arc::default(),
            clock: Arc::<SimulatedClock>::clone(&clock),
            offload: Offload::Threads,
            turns: Turns::of(&Offload::Threads),
        };
        let endpoint = Endpoint { listener: "PLAINTEXT".into(), host: "broker".into(), port: 9_092 };
        let connection = Connection {
            id: 1,
            principal: "User:ANONYMOUS".into(),
            peer: SocketAddr::from(([127, 0, 0, 1], 50_000)),
            client_host: "/127.0.0.1".into(),
            endpoint: Arc::new(endpoint),
            turn: Turn::default(),
            served_by: ServedBy::default(),
        };
        Self { broker: Arc::new(broker), topics, engine, disk, clock, connection: Arc::new(connection) }
    }

    /// Makes a topic with so many partitions.
    pub(super) fn create(&self, name: &str, partitions: i32, rules: TopicRules) -> Uuid {
        let id = topic_id(name);
        for index in 0..partitions {
            self.create_partition(id, index);
        }
        let led =
            Leadership { leader: NODE_ID, leader_epoch: LEADER_EPOCH, in_sync_replicas: 1, replicas: 3 };
        let partitions = vec![led; usize::try_from(partitions).unwrap()];
        let is_internal = name.starts_with("__");
        let tally = self.broker.metrics.topics().of(id, &Text::from(name), 1_000);
        self.topics.put(Topic { id, name: Text::from(name), is_internal, rules, partitions, tally });
        id
    }

    /// From now on the first partition of a topic is led so, and who waits for it looks again.
    pub(super) fn lead(&self, name: &str, leader: i32, leader_epoch: i32, in_sync_replicas: usize) {
        let mut topic = (*self.broker.topics.by_name(name).unwrap()).clone();
        if let Some(first) = topic.partitions.first_mut() {
            *first = Leadership { leader, leader_epoch, in_sync_replicas, replicas: 3 };
        }
        self.topics.put(topic);
        self.log(name, 0).wake_all();
    }

    fn create_partition(&self, topic_id: Uuid, index: i32) {
        let config = Arc::new(LogConfig::default());
        match self.engine.call(Command::Create { description: Bytes::new(), config }) {
            Ok(Done::Created(partition)) => {
                self.broker.storage.add([(TopicPartition { topic_id, index }, partition)]);
            }
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn log(&self, name: &str, index: i32) -> Arc<Partition> {
        self.broker.storage.partition(TopicPartition { topic_id: topic_id(name), index }).unwrap()
    }

    /// The broker, for changing it before it is asked anything.
    pub(super) fn broker(&mut self) -> &mut Broker {
        Arc::get_mut(&mut self.connection).unwrap().served_by = ServedBy::default();
        Arc::get_mut(&mut self.broker).unwrap()
    }

    /// Lets the metadata know of this broker, and of a topic.
    pub(super) async fn found_cluster(&self, topic: &str) {
        found_cluster(&self.broker.metadata, topic, 1).await;
    }

    /// Sends a request, as the bytes that it is on the wire.
    pub(super) async fn dispatch<R: Request>(&self, version: i16, request: &R) -> Dispatched {
        let frame = OutboundFrame::request(version, 7, Some("a client".into()), request).unwrap();
        let bytes = whole(frame.into_pieces());
        dispatch(&self.broker, &self.connection, bytes.slice(LENGTH_BYTES..), Duration::ZERO).await
    }

    pub(super) async fn reply<R: Request>(&self, version: i16, request: &R) -> Reply {
        settle(self.dispatch(version, request).await).await
    }

    /// Sends a request and reads its answer, which went over the wire as well.
    pub(super) async fn call<R: Request>(&self, version: i16, request: &R) -> R::Response {
        answer::<R>(version, self.reply(version, request).await)
    }

    /// A call of Produce that did not come over the wire.
    pub(super) fn a_call(&self, version: i16) -> Call {
        Call {
            connection: Arc::clone(&self.connection),
            client_id: None,
            api: ApiKey::Produce,
            version,
            correlation_id: 7,
            request_bytes: 0,
            received_at: Duration::ZERO,
        }
    }

    pub(super) async fn produce(&self, name: &str, batch: Bytes) -> PartitionProduceResponse {
        let response = self.call(12, &produce_request(name, -1, [(0, batch)])).await;
        only_partition(response)
    }
}

/// Lets the metadata know of a cluster of this broker alone, and of a topic.
async fn found_cluster(metadata: &Arc<Metadata>, topic: &str, partition_count: i32) {
    let features = vec![("group.version".into(), 1)];
    let cluster_id = metadata.run(FormatCluster { cluster_id: "c".into(), features }).await.unwrap();
    let registration = RegisterBroker {
        cluster_id,
        node_id: NODE_ID,
        incarnation_id: metadata.new_id(),
        directory_ids: vec![metadata.new_id()],
        endpoints: vec![BrokerEndpoint { listener: "PLAINTEXT".into(), ..Default::default() }],
        rack: None,
        fenced: false,
        is_alone: true,
    };
    metadata.run(registration).await.unwrap();
    let topic = NewTopic {
        name: topic.into(),
        topic_id: metadata.new_id(),
        partition_count,
        replication_factor: 1,
        ..NewTopic::default()
    };
    let command = CreateTopics { topics: vec![topic], validate_only: false, settings: metadata.settings() };
    assert!(metadata.run(command).await.unwrap().iter().all(|created| created.result.is_ok()));
}

/// What is said about the only partition of a request.
pub(super) fn only_partition(mut response: ProduceResponse) -> PartitionProduceResponse {
    assert_eq!(response.responses.len(), 1);
    let mut topic = response.responses.remove(0);
    assert_eq!(topic.partition_responses.len(), 1);
    topic.partition_responses.remove(0)
}

/// The id that a topic of this name has.
pub(super) fn topic_id(name: &str) -> Uuid {
    let bytes = name.bytes().fold(1u128, |id, byte| id.wrapping_mul(257).wrapping_add(byte.into()));
    Uuid::from(bytes)
}

pub(super) async fn settle(dispatched: Dispatched) -> Reply {
    match dispatched {
        Dispatched::Now(reply) => reply,
        Dispatched::Later(reply) => reply.await,
    }
}

/// The answer in a reply.
pub(super) fn answer<R: Request>(version: i16, reply: Reply) -> R::Response {
    let Reply::Send { frame, .. } = reply else { panic!("{reply:?}") };
    let bytes = whole(frame.into_pieces());
    let (correlation_id, response) =
        strandline_protocol::frame::read_response::<R>(bytes.slice(LENGTH_BYTES..), version).unwrap();
    assert_eq!(correlation_id, 7);
    response
}

/// All pieces in one, as a reader on the other end of a socket gets them.
pub(super) fn whole(pieces: Vec<Piece>) -> Bytes {
    let mut bytes = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Slice(slice) => bytes.extend_from_slice(&slice),
            Piece::External(external) => {
                let slice = FileSlice::of(&external).unwrap();
                bytes.extend_from_slice(&slice.read(external.position, external.length).unwrap());
            }
        }
    }
    bytes.into()
}

/// A batch of records with these values, all of the present.
pub(super) fn batch(values: &[&[u8]]) -> Bytes {
    built(BatchBuilder::new(), values)
}

pub(super) fn built(mut builder: BatchBuilder, values: &[&[u8]]) -> Bytes {
    for value in values {
        builder.append(&NewRecord { key: Some(b"k"), value: Some(value), ..NewRecord::at(NOW_MS) }).unwrap();
    }
    builder.build().unwrap()
}

pub(super) fn produce_request(
    name: &str,
    acks: i16,
    batches: impl IntoIterator<Item = (i32, Bytes)>,
) -> ProduceRequest {
    let partition = |(index, batch): (i32, Bytes)| PartitionProduceData {
        index,
        records: Some(batch.into()),
        ..Default::default()
    };
    let topic = TopicProduceData {
        name: name.into(),
        topic_id: topic_id(name),
        partition_data: batches.into_iter().map(partition).collect(),
        ..Default::default()
    };
    ProduceRequest { acks, timeout_ms: 1_000, topic_data: vec![topic], ..Default::default() }
}

/// A fetch of partitions of one topic, each from an offset on.
pub(super) fn fetch_request(name: &str, partitions: &[(i32, i64)]) -> FetchRequest {
    let partition = |(partition, fetch_offset): &(i32, i64)| FetchPartition {
        partition: *partition,
        fetch_offset: *fetch_offset,
        partition_max_bytes: 1 << 20,
        ..Default::default()
    };
    let topic = FetchTopic {
        topic: name.into(),
        topic_id: topic_id(name),
        partitions: partitions.iter().map(partition).collect(),
        ..Default::default()
    };
    FetchRequest { min_bytes: 1, max_bytes: 10 << 20, topics: vec![topic], ..Default::default() }
}

/// The values of all records in an answer's only topic, with their partition and offset.
pub(super) fn records(response: &FetchResponse) -> Vec<(i32, i64, Vec<u8>)> {
    let mut records = Vec::new();
    for partition in response.responses.iter().flat_map(|topic| &topic.partitions) {
        let bytes = partition.records.as_ref().expect("records are never null").as_slice().unwrap().clone();
        for batch in strandline_protocol::batch::batches(&bytes) {
            let batch = batch.unwrap();
            batch.check_crc().unwrap();
            assert_eq!(batch.header().partition_leader_epoch, LEADER_EPOCH);
            for record in &batch.records(1 << 20).unwrap() {
                let record = record.unwrap();
                let value = record.value.unwrap_or_default().to_vec();
                records.push((partition.partition_index, record.offset, value));
            }
        }
    }
    records
}
