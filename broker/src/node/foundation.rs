//! How a broker comes up on its logs: first the data directory, then what the cluster is, which may be new. Whatever
//! it stands on is handed in, so that a simulation is another ground for the same broker.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use strandline_log::clock::Clock;
use strandline_log::config::{Cleanup, Durability, LogConfig};
use strandline_log::disk::Disk;
use strandline_log::engine::{
    Command, Done, EngineError, Mailbox, Options as EngineOptions, Partition, Watch, Writer,
};
use strandline_log::random::Random;
use strandline_protocol::{Text, Uuid};
use strandline_state::metadata::decide::{BumpLeaderEpochs, FormatCluster, RegisterBroker};
use strandline_state::metadata::record::BrokerEndpoint;
use strandline_state::settings::BrokerSettings;

use super::NodeError;
use super::options::{engine_options, fetch_session_options};
use crate::api::fetch_sessions::FetchSessions;
use crate::authorize::AllowAll;
use crate::background::Background;
use crate::broker::Broker;
use crate::context::Endpoint;
use crate::coordinator::{CoordinatorParts, start_groups};
use crate::features::FEATURES;
use crate::metadata::log::{MetadataLogError, PartitionLog};
use crate::metadata::{Metadata, MetadataBlocks, MetadataError, MetadataParts, sort_found};
use crate::metrics::Metrics;
use crate::offload::{Offload, Turns};
use crate::producer_ids::ProducerIds;
use crate::quota::Unlimited;
use crate::storage::{DataDirectory, Storage, TopicPartition};
use crate::transactions::{TransactionCoordinator, Verified};

/// The topic that the metadata is kept in, by the id that Kafka gives it.
const METADATA: TopicPartition =
    TopicPartition { topic_id: Uuid([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]), index: 0 };

/// What a broker stands on.
#[derive(Debug)]
pub struct Foundation {
    /// Where its data is.
    pub disk: Arc<dyn Disk>,
    /// The folder there that holds everything; it is there already.
    pub data_dir: PathBuf,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where its ids come from.
    pub random: Random,
    /// Where work goes that takes long.
    pub offload: Offload,
    /// How its logs are kept.
    pub engine: EngineOptions,
    /// Everything else that it is told.
    pub settings: BrokerSettings,
    /// What clients are told of its listeners.
    pub endpoints: Vec<Arc<Endpoint>>,
}

/// What was found in a data directory.
struct Opened<D> {
    driver: D,
    mailbox: Arc<Mailbox>,
    watch: Watch,
    partitions: Vec<(Arc<Partition>, Bytes)>,
    directory_id: Uuid,
    was_closed: bool,
    random: Random,
}

struct Starting {
    settings: Arc<BrokerSettings>,
    clock: Arc<dyn Clock>,
    offload: Offload,
    endpoints: Vec<Arc<Endpoint>>,
    metrics: Arc<Metrics>,
}

impl Foundation {
    /// Starts a broker: when this returns, it answers whatever it is asked. `drive` is given the writer of its logs,
    /// and has it driven from then on.
    ///
    /// # Errors
    /// The data directory cannot be used, or is another broker's.
    pub async fn start<D, F>(self, drive: F) -> Result<(Arc<Broker>, D), NodeError>
    where
        D: Send + 'static,
        F: FnOnce(Writer) -> Result<D, EngineError> + Send + 'static,
    {
        let Self { disk, data_dir, clock, random, offload, engine, settings, endpoints } = self;
        let metrics = Arc::<Metrics>::default();
        let background = Arc::new(Background::new(Arc::clone(&metrics)));
        let observer = Arc::<Background>::clone(&background);
        let (reserve_bytes, file_bytes) = (engine.reserve_bytes, engine.journal.file_bytes);
        let engine = EngineOptions { observer, ..engine };
        let writer_clock = Arc::clone(&clock);
        let directory = DataDirectory::new(&data_dir, Arc::clone(&disk));
        let opening = move || -> Result<Opened<D>, NodeError> {
            let mut random = random;
            let writer = Writer::recover(disk, data_dir, engine, writer_clock, random.split())?;
            Ok(Opened {
                mailbox: Arc::clone(writer.mailbox()),
                watch: writer.watch(),
                partitions: writer.partitions(),
                directory_id: Uuid::from(writer.directory_id()),
                was_closed: writer.was_closed(),
                random,
                driver: drive(writer)?,
            })
        };
        let opened = offload.run(opening).await??;
        let watch = opened.watch.clone();
        let starting = Starting { settings: Arc::new(settings), clock, offload, endpoints, metrics };
        let loaded = starting.load(opened).await;
        let (metadata, driver) = loaded.map_err(|error| {
            if !may_be_want_of_room(&error) {
                return error;
            }
            let free_bytes = directory.usable_bytes();
            // What is kept is not whole, or there is no room for the journal's next file.
            if watch.figures().missing_reserve == 0 && free_bytes.is_none_or(|bytes| bytes >= file_bytes) {
                return error;
            }
            let (directory, free_bytes) = (directory.name().to_owned(), free_bytes.unwrap_or(0));
            NodeError::NoRoom { directory, free_bytes, file_bytes, reserve_bytes }
        })?;
        metadata.storage().set_directory(directory);
        background.set_metadata(&metadata);
        metadata
            .add_settings_listener(Box::new(move |settings| watch.tune(engine_options(settings).tuning())));
        Ok((starting.broker(metadata), driver))
    }
}

impl Starting {
    /// Finds out what the cluster is, or founds one, and makes the logs agree with it.
    async fn load<D>(&self, opened: Opened<D>) -> Result<(Arc<Metadata>, D), NodeError> {
        let Opened { driver, mailbox, watch, partitions, directory_id, was_closed, random } = opened;
        let (mut found, orphans) = sort_found(&partitions);
        let metadata_partition = found.remove(&METADATA);
        let may_be_shorter = if was_closed { BTreeSet::new() } else { async_logs(&found) };
        let storage = Arc::new(Storage::new(mailbox, found.into_iter().collect()));
        let partition = match metadata_partition {
            Some(partition) => partition,
            None => create_metadata_log(&storage).await?,
        };
        let log = PartitionLog::new(Arc::clone(&storage), partition, Arc::clone(&self.clock));
        let parts = MetadataParts {
            node_id: self.settings.node_id,
            settings: Arc::clone(&self.settings),
            storage,
            clock: Arc::clone(&self.clock),
            log: Box::new(log),
            random,
            tallies: Arc::clone(self.metrics.topics()),
        };
        let metadata = Arc::new(self.offload.run(|| Metadata::replay(parts)).await??);
        self.check_identity(&metadata, directory_id)?;
        self.register(&metadata, directory_id).await?;
        bump_epochs(&metadata, &may_be_shorter).await?;
        watch.answer_for_losses();
        // Only now: after it, a log may be kept otherwise than when it lost something.
        metadata.reconcile(orphans).await?;
        Ok((metadata, driver))
    }

    /// What the handlers share.
    fn broker(self, metadata: Arc<Metadata>) -> Arc<Broker> {
        let sessions = FetchSessions::new(fetch_session_options(&self.settings), metadata.new_random());
        let producer_ids = ProducerIds::new(Box::new(MetadataBlocks::new(Arc::clone(&metadata))));
        let (clock, metrics) = (Arc::clone(&self.clock), Arc::clone(&self.metrics));
        let parts = CoordinatorParts::new(Arc::clone(&metadata), clock, self.offload.clone(), metrics);
        let (parts, producer_ids) = (Arc::new(parts), Arc::new(producer_ids));
        let groups = start_groups(Arc::clone(&parts));
        let transactions =
            TransactionCoordinator::start(parts, Arc::clone(&groups), Arc::clone(&producer_ids));
        Arc::new(Broker {
            authorizer: Arc::new(AllowAll),
            quotas: Arc::new(Unlimited),
            admission: Arc::new(Verified::new(Arc::clone(&transactions))),
            topics: Arc::<Metadata>::clone(&metadata),
            fetch_sessions: Arc::new(sessions),
            producer_ids,
            groups,
            transactions,
            storage: Arc::clone(metadata.storage()),
            metadata,
            metrics: self.metrics,
            clock: self.clock,
            turns: Turns::of(&self.offload),
            offload: self.offload,
        })
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
            rack: self.settings.broker_rack.as_deref().map(Text::from),
            fenced: false,
            // The lock of the data directory says so.
            is_alone: true,
        };
        metadata.run(registration).await?;
        Ok(())
    }
}

/// Whether that can be so because the disk is full: the metadata log refused what was to be written.
fn may_be_want_of_room(error: &NodeError) -> bool {
    let NodeError::Metadata(error) = error else { return false };
    matches!(
        error,
        MetadataError::Refused(_)
            | MetadataError::NotAppended(_)
            | MetadataError::Log(MetadataLogError::Refused(_))
    )
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

/// After a crash of the machine these may have lost their end. That is so by what they were, whatever the settings are
/// by now.
fn async_logs(found: &BTreeMap<TopicPartition, Arc<Partition>>) -> BTreeSet<TopicPartition> {
    let are_async = found.iter().filter(|(_, log)| log.config().durability == Durability::Async);
    are_async.map(|(place, _)| *place).collect()
}

/// Whoever read what a log has lost learns of it by a new epoch.
async fn bump_epochs(metadata: &Arc<Metadata>, logs: &BTreeSet<TopicPartition>) -> Result<(), MetadataError> {
    let image = metadata.image();
    let is_led = |place: &&TopicPartition| {
        let partition = image.topic_by_id(place.topic_id).and_then(|topic| topic.partition(place.index));
        partition.is_some_and(|partition| partition.leader() == metadata.node_id())
    };
    let partitions: Vec<_> = logs.iter().filter(is_led).map(|place| (place.topic_id, place.index)).collect();
    if !partitions.is_empty() {
        metadata.run(BumpLeaderEpochs { partitions }).await?;
    }
    Ok(())
}
