//! What follows on this broker from what the metadata says: which logs there are, and how they are kept.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};

use strandline_log::config::LogConfig;
use strandline_log::engine::{Command, Done, Partition, Refusal as LogRefusal};
use strandline_protocol::Uuid;
use strandline_state::metadata::image::{RESOURCE_BROKER, RESOURCE_GROUP, RESOURCE_TOPIC, Topic};
use strandline_state::metadata::{MetadataImage, MetadataRecord};
use strandline_state::settings::{BrokerSettings, TopicSettings};

use super::log::MetadataLogError;
use super::topics::topic_settings;
use super::{Metadata, MetadataChange, MetadataError, in_force};
use crate::storage::{TopicPartition, log_config};

/// What records are about.
#[derive(Debug, Default)]
struct Touched {
    topics: BTreeSet<Uuid>,
    configured: BTreeSet<Uuid>,
    removed: Vec<TopicPartition>,
    /// Partitions that something is said about.
    partitions: Vec<TopicPartition>,
    /// Whether they change what is set on groups.
    groups: bool,
    /// Whether they change what is in force for this broker, and so for any topic.
    broker: bool,
}

impl Touched {
    fn by(records: &[MetadataRecord], image: &MetadataImage, node_id: i32) -> Self {
        let mut touched = Self::default();
        for record in records {
            match record {
                MetadataRecord::Topic(key, _) => {
                    touched.topics.insert(key.topic_id);
                }
                MetadataRecord::Partition(key, value) => {
                    touched.topics.insert(key.topic_id);
                    let place = TopicPartition { topic_id: key.topic_id, index: key.index };
                    let places = if value.is_none() { &mut touched.removed } else { &mut touched.partitions };
                    places.push(place);
                }
                MetadataRecord::Config(key, _) if key.resource_type == RESOURCE_TOPIC => {
                    let id = image.topic(&key.resource_name).map(|topic| topic.id());
                    touched.topics.extend(id);
                    touched.configured.extend(id);
                }
                MetadataRecord::Config(key, _) if key.resource_type == RESOURCE_GROUP => {
                    touched.groups = true;
                }
                MetadataRecord::Config(key, _) if key.resource_type == RESOURCE_BROKER => {
                    let name = key.resource_name.as_str();
                    touched.broker |= name.is_empty() || name.parse() == Ok(node_id);
                }
                _ => {}
            }
        }
        touched
    }
}

impl Metadata {
    /// Makes an image so: new logs are there before anybody sees it, and old ones go after everybody has. Says whether
    /// the logs are as it says; where the disk had no room for that, the rest is owed.
    pub(super) async fn apply(
        &self,
        image: &Arc<MetadataImage>,
        records: &[MetadataRecord],
    ) -> Result<bool, MetadataError> {
        let mut touched = Touched::by(records, image, self.node_id);
        if touched.broker {
            let settings = in_force(image, &self.started_with, self.node_id);
            *self.in_force.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&settings);
            tracing::info!("the settings of this broker are changed");
            self.settings_listeners.tell(&settings);
            touched.configured.extend(image.topics().map(|topic| topic.id()));
            touched.topics.extend(&touched.configured);
        }
        let settings = self.settings();
        let of = |ids: &BTreeSet<Uuid>| -> Vec<_> {
            ids.iter().filter_map(|id| image.topic_by_id(*id)).cloned().collect()
        };
        let are_made = self.create_logs(image, &settings, of(&touched.topics).iter()).await?;
        let are_kept_so = self.configure_logs(image, &settings, of(&touched.configured).iter()).await?;
        self.topics.refresh(image, &settings, touched.topics.iter().copied());
        let change = self.change(image, &touched);
        let before = self.image();
        self.publish(image);
        self.wake_waiting(&before, image, &touched.partitions);
        self.delete_logs(touched.removed).await?;
        self.listeners.tell(change).await;
        Ok(are_made && are_kept_so)
    }

    /// Has those look again who wait for partitions that are led or replicated otherwise than before.
    fn wake_waiting(&self, before: &MetadataImage, after: &MetadataImage, places: &[TopicPartition]) {
        let facts = |image: &MetadataImage, place: TopicPartition| {
            let partition = image.topic_by_id(place.topic_id)?.partition(place.index)?;
            Some((partition.leader(), partition.leader_epoch(), partition.isr().len()))
        };
        for place in places.iter().copied() {
            let known = facts(before, place);
            if known.is_some() && known != facts(after, place) {
                self.storage.partition(place).into_iter().for_each(|log| log.wake_all());
            }
        }
    }

    /// What others are told of it: the image that counts still is the one before.
    fn change(&self, image: &Arc<MetadataImage>, touched: &Touched) -> MetadataChange {
        let before = self.image();
        let (changed, gone): (Vec<_>, Vec<_>) =
            touched.topics.iter().copied().partition(|id| image.topic_by_id(*id).is_some());
        let deleted = gone.into_iter().filter_map(|id| Some((id, before.topic_by_id(id)?.name().clone())));
        let (deleted, settings_changed) = (deleted.collect(), touched.broker);
        let (image, groups_configured) = (Arc::clone(image), touched.groups);
        MetadataChange { image, changed, deleted, groups_configured, settings_changed }
    }

    /// Makes logs and metadata agree after a start: what one of them has and the other lacks is made, or goes, and
    /// what is kept otherwise than it should be is kept so from now on. That is so where the broker was started with
    /// other defaults, and where the process before died between writing a change and carrying it out. What the disk has
    /// no room for is owed.
    pub(crate) async fn reconcile(
        self: &Arc<Self>,
        orphans: Vec<Arc<Partition>>,
    ) -> Result<(), MetadataError> {
        let (image, settings) = (self.image(), self.settings());
        self.create_logs(&image, &settings, image.topics()).await?;
        self.configure_logs(&image, &settings, image.topics()).await?;
        let gone = self.storage.places().into_iter().filter(|place| !self.has_replica(&image, *place));
        self.delete_logs(gone.collect()).await?;
        self.remove_logs(orphans).await?;
        self.settle();
        Ok(())
    }

    fn has_replica(&self, image: &MetadataImage, place: TopicPartition) -> bool {
        let partition = image.topic_by_id(place.topic_id).and_then(|topic| topic.partition(place.index));
        partition.is_some_and(|partition| partition.replicas().contains(&self.node_id))
    }

    /// What is in force for a topic.
    pub fn topic_settings(&self, image: &MetadataImage, topic: &Topic) -> TopicSettings {
        topic_settings(image, &self.settings(), topic)
    }

    /// Makes the logs that are missing of these topics. Says whether none is owed that was not owed before.
    pub(super) async fn create_logs(
        &self,
        image: &MetadataImage,
        settings: &BrokerSettings,
        topics: impl Iterator<Item = &Arc<Topic>>,
    ) -> Result<bool, MetadataError> {
        let mut places = Vec::new();
        let mut commands = Vec::new();
        let configs = LogConfigs::new(image, settings);
        for topic in topics {
            let mut config = None;
            for (index, partition) in topic.partitions() {
                let place = TopicPartition { topic_id: topic.id(), index };
                if !partition.replicas().contains(&self.node_id) || self.storage.partition(place).is_some() {
                    continue;
                }
                let config = Arc::clone(config.get_or_insert_with(|| configs.of(topic)));
                commands.push(Command::Create { description: place.to_description(), config });
                places.push(place);
            }
        }
        let outcomes = self.submit(commands).await?;
        let (mut created, mut missing) = (Vec::new(), Vec::new());
        for (place, outcome) in places.into_iter().zip(outcomes) {
            match outcome {
                Some(Done::Created(partition)) => created.push((place, partition)),
                Some(_) => {}
                None => missing.push(place),
            }
        }
        self.storage.add(created);
        self.storage.miss(&missing);
        Ok(!self.owe_topics(missing.into_iter().map(|place| place.topic_id)))
    }

    /// Has all logs of these topics kept as they should be. Those that are already are left alone. Says whether none is
    /// owed that was not owed before.
    pub(super) async fn configure_logs(
        &self,
        image: &MetadataImage,
        settings: &BrokerSettings,
        topics: impl Iterator<Item = &Arc<Topic>>,
    ) -> Result<bool, MetadataError> {
        let mut commands = Vec::new();
        let mut ids = Vec::new();
        let configs = LogConfigs::new(image, settings);
        for topic in topics {
            let config = configs.of(topic);
            for (index, _) in topic.partitions() {
                let place = TopicPartition { topic_id: topic.id(), index };
                let log = self.storage.partition(place).filter(|log| log.config() != config);
                let Some(log) = log else { continue };
                commands.push(Command::Configure { partition: log.id(), config: Arc::clone(&config) });
                ids.push(topic.id());
            }
        }
        if !commands.is_empty() {
            tracing::info!(partitions = commands.len(), "partitions get other settings");
        }
        let outcomes = self.submit(commands).await?;
        let refused = ids.into_iter().zip(outcomes).filter(|(_, outcome)| outcome.is_none());
        Ok(!self.owe_topics(refused.map(|(id, _)| id)))
    }

    async fn delete_logs(&self, places: Vec<TopicPartition>) -> Result<(), MetadataError> {
        let gone = self.storage.remove(places);
        self.remove_logs(gone).await
    }

    /// Removes logs that nobody finds any more.
    pub(super) async fn remove_logs(&self, logs: Vec<Arc<Partition>>) -> Result<(), MetadataError> {
        let commands = logs.iter().map(|partition| Command::Delete { partition: partition.id() });
        let outcomes = self.submit(commands.collect()).await?;
        let refused = logs.into_iter().zip(outcomes).filter(|(_, outcome)| outcome.is_none());
        self.owe_removals(refused.map(|(log, _)| log));
        Ok(())
    }

    /// Has all of this done; none where the disk has no room for it now. Fails where anything else is in the way.
    async fn submit(&self, commands: Vec<Command>) -> Result<Vec<Option<Done>>, MetadataError> {
        if commands.is_empty() {
            return Ok(Vec::new());
        }
        let outcomes = self.storage.submit(commands).await.await;
        let done = outcomes.into_iter().map(|outcome| match outcome {
            Ok(done) => Ok(Some(done)),
            Err(LogRefusal::DiskFull) => Ok(None),
            Err(refusal) => Err(MetadataLogError::from(refusal).into()),
        });
        done.collect()
    }
}

/// How the logs of topics are kept. Most topics say nothing themselves: those share one.
struct LogConfigs<'a> {
    image: &'a MetadataImage,
    settings: &'a BrokerSettings,
    default: Arc<LogConfig>,
}

impl<'a> LogConfigs<'a> {
    fn new(image: &'a MetadataImage, settings: &'a BrokerSettings) -> Self {
        Self { image, settings, default: Arc::new(log_config(&settings.topic_defaults)) }
    }

    fn of(&self, topic: &Topic) -> Arc<LogConfig> {
        if !topic.is_internal() && self.image.topic_config(topic.name()).is_none() {
            return Arc::clone(&self.default);
        }
        Arc::new(log_config(&topic_settings(self.image, self.settings, topic)))
    }
}

/// Which of the logs that were found belong where; those of which nobody knows what they are come last.
pub(crate) fn sort_found(
    found: &[(Arc<Partition>, bytes::Bytes)],
) -> (BTreeMap<TopicPartition, Arc<Partition>>, Vec<Arc<Partition>>) {
    let mut known = BTreeMap::new();
    let mut orphans = Vec::new();
    for (partition, description) in found {
        // Of two that say the same, the one that was made first was about to be deleted.
        let before = match TopicPartition::from_description(description) {
            Some(place) => known.insert(place, Arc::clone(partition)),
            None => Some(Arc::clone(partition)),
        };
        orphans.extend(before);
    }
    (known, orphans)
}
