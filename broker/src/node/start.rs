//! How a node comes up: listeners first, so that what they are called is known; then the data directory; then what
//! the cluster is, which may be new; and clients last.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;

use strandline_log::clock::{Clock, RealClock};
use strandline_log::config::{Cleanup, LogConfig};
use strandline_log::disk::real::RealDisk;
use strandline_log::engine::{Command, Done, Engine, Options as EngineOptions, Partition, Writer};
use strandline_log::random::Random;
use strandline_protocol::{Text, Uuid};
use strandline_state::metadata::decide::{BumpLeaderEpochs, FormatCluster, RegisterBroker};
use strandline_state::metadata::record::BrokerEndpoint;
use strandline_state::settings::Durability;

use super::options::{engine_options, fetch_session_options, net_options, parse_address};
use super::{Node, NodeError, NodeOptions};
use crate::admission::NoTransactions;
use crate::api::fetch_sessions::FetchSessions;
use crate::authorize::AllowAll;
use crate::broker::Broker;
use crate::context::Endpoint;
use crate::features::FEATURES;
use crate::http::{Health, HttpServer};
use crate::metadata::log::{MetadataLogError, PartitionLog};
use crate::metadata::{Metadata, MetadataBlocks, MetadataError, MetadataParts, sort_found};
use crate::net::Bound;
use crate::producer_ids::ProducerIds;
use crate::quota::Unlimited;
use crate::storage::{Storage, TopicPartition};

/// The topic that the metadata is kept in, by the id that Kafka gives it.
const METADATA: TopicPartition =
    TopicPartition { topic_id: Uuid([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]), index: 0 };

/// A data directory that is open, and what was found in it.
struct Opened {
    engine: Engine,
    directory_id: Uuid,
    was_closed: bool,
    random: Random,
}

impl Node {
    /// Starts a node. When this returns, it serves.
    pub async fn start(options: NodeOptions) -> Result<Self, NodeError> {
        let bound = Bound::new(net_options(&options)?)?;
        let health = Arc::new(Health::default());
        let http = start_http(&options, &health).await?;
        let clock: Arc<dyn Clock> = Arc::new(RealClock::new());
        let engine_options = engine_options(&options.settings);
        let (data_dir, engine_clock) = (options.data_dir.clone(), Arc::clone(&clock));
        let opening = move || open(data_dir, engine_options, engine_clock);
        let opened = tokio::task::spawn_blocking(opening).await??;
        let endpoints = bound.endpoints();
        let starting = Starting { options: &options, clock: &clock, endpoints: &endpoints };
        let (metadata, engine) = starting.load(opened).await?;
        let sessions = FetchSessions::new(fetch_session_options(&options.settings), metadata.new_random());
        let producer_ids = ProducerIds::new(Box::new(MetadataBlocks::new(Arc::clone(&metadata))));
        let broker = Arc::new(Broker {
            authorizer: Arc::new(AllowAll),
            quotas: Arc::new(Unlimited),
            admission: Arc::new(NoTransactions),
            topics: Arc::<Metadata>::clone(&metadata),
            fetch_sessions: Arc::new(sessions),
            producer_ids: Arc::new(producer_ids),
            storage: Arc::clone(metadata.storage()),
            metadata,
            clock,
        });
        let addresses = bound.addresses();
        let server = bound.serve(Arc::new(Arc::clone(&broker)));
        health.set_serving(server.counters(), Arc::clone(engine.mailbox()));
        Ok(Self { data_dir: options.data_dir, endpoints, addresses, broker, server, engine, health, http })
    }
}

/// Health comes first: who asks learns that the rest is still to come.
async fn start_http(options: &NodeOptions, health: &Arc<Health>) -> Result<Option<HttpServer>, NodeError> {
    let Some(address) = &options.http else { return Ok(None) };
    let (host, port) = parse_address(address)?;
    let started = HttpServer::start(&host, port, Arc::<Health>::clone(health)).await;
    started.map(Some).map_err(|source| NodeError::Http { address: address.clone(), source })
}

fn open(data_dir: PathBuf, options: EngineOptions, clock: Arc<dyn Clock>) -> Result<Opened, NodeError> {
    let failed = |source| NodeError::DataDir { path: data_dir.clone(), source };
    match fs::create_dir_all(&data_dir) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        result => result.map_err(failed)?,
    }
    let disk = Arc::new(RealDisk::new(&data_dir).map_err(failed)?);
    let mut random = Random::from_system().map_err(failed)?;
    let writer = Writer::recover(disk, data_dir.clone(), options, clock, random.split())?;
    let (directory_id, was_closed) = (Uuid::from(writer.directory_id()), writer.was_closed());
    Ok(Opened { engine: Engine::start(writer)?, directory_id, was_closed, random })
}

struct Starting<'a> {
    options: &'a NodeOptions,
    clock: &'a Arc<dyn Clock>,
    endpoints: &'a [Arc<Endpoint>],
}

impl Starting<'_> {
    /// Finds out what the cluster is, or founds one, and makes the logs agree with it.
    async fn load(&self, opened: Opened) -> Result<(Arc<Metadata>, Engine), NodeError> {
        let Opened { engine, directory_id, was_closed, random } = opened;
        let (mut found, orphans) = sort_found(engine.partitions());
        let metadata_partition = found.remove(&METADATA);
        let storage = Arc::new(Storage::new(Arc::clone(engine.mailbox()), found.into_iter().collect()));
        let partition = match metadata_partition {
            Some(partition) => partition,
            None => create_metadata_log(&storage).await?,
        };
        let log = PartitionLog::new(Arc::clone(&storage), partition, Arc::clone(self.clock));
        let parts = MetadataParts {
            node_id: self.options.settings.node_id,
            settings: Arc::new(self.options.settings.clone()),
            storage,
            clock: Arc::clone(self.clock),
            log: Box::new(log),
            random,
        };
        let metadata = tokio::task::spawn_blocking(|| Metadata::replay(parts)).await??;
        let metadata = Arc::new(metadata);
        self.check_identity(&metadata, directory_id)?;
        self.register(&metadata, directory_id).await?;
        metadata.reconcile(orphans).await?;
        if !was_closed {
            bump_async_epochs(&metadata).await?;
        }
        Ok((metadata, engine))
    }

    /// A directory that came from elsewhere is not served.
    fn check_identity(&self, metadata: &Metadata, directory_id: Uuid) -> Result<(), NodeError> {
        let image = metadata.image();
        let node_id = metadata.node_id();
        match (image.broker(node_id), image.brokers().next()) {
            (Some(known), _) if known.directory_ids.contains(&directory_id) => Ok(()),
            (Some(_), _) => Err(NodeError::OtherDirectory),
            (None, Some((found, _))) => Err(NodeError::OtherNode { found, node_id }),
            (None, None) => Ok(()),
        }
    }

    async fn register(&self, metadata: &Arc<Metadata>, directory_id: Uuid) -> Result<(), MetadataError> {
        let features = FEATURES.iter().map(|feature| (Text::from_static(feature.name), feature.level_max));
        let features = features.collect();
        let cluster_id = Text::from(metadata.new_id().to_string());
        let cluster_id = metadata.run(FormatCluster { cluster_id, features }).await?;
        let endpoints = self.endpoints.iter().map(|endpoint| BrokerEndpoint {
            listener: endpoint.listener.clone(),
            host: endpoint.host.clone(),
            port: endpoint.port,
            ..Default::default()
        });
        let registration = RegisterBroker {
            cluster_id,
            node_id: metadata.node_id(),
            incarnation_id: metadata.new_id(),
            directory_ids: vec![directory_id],
            endpoints: endpoints.collect(),
            rack: self.options.settings.broker_rack.as_deref().map(Text::from),
            fenced: false,
            // The lock of the data directory says so.
            is_alone: true,
        };
        metadata.run(registration).await?;
        Ok(())
    }
}

async fn create_metadata_log(storage: &Storage) -> Result<Arc<Partition>, MetadataError> {
    let config = LogConfig { cleanup: Cleanup { deletes: false, compacts: true }, ..LogConfig::default() };
    let command = Command::Create { description: METADATA.to_description(), config: Arc::new(config) };
    match storage.submit([command]).await.await.pop() {
        Some(Ok(Done::Created(partition))) => Ok(partition),
        Some(Err(refusal)) => Err(MetadataLogError::from(refusal).into()),
        other => Err(MetadataLogError::Content(format!("a creation is answered by {other:?}")).into()),
    }
}

/// After a crash of the machine an `async` log may have lost its end: whoever read that learns of it by a new epoch.
async fn bump_async_epochs(metadata: &Arc<Metadata>) -> Result<(), MetadataError> {
    let image = metadata.image();
    let is_async = |topic: &&Arc<strandline_state::metadata::image::Topic>| {
        metadata.topic_settings(&image, topic).durability == Durability::Async
    };
    let node_id = metadata.node_id();
    let led = image.topics().filter(is_async).flat_map(|topic| {
        let led = topic.partitions().filter(move |(_, partition)| partition.leader() == node_id);
        led.map(|(index, _)| (topic.id(), index))
    });
    let partitions: Vec<_> = led.collect();
    if !partitions.is_empty() {
        metadata.run(BumpLeaderEpochs { partitions }).await?;
    }
    Ok(())
}
