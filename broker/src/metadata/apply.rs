//! What follows on this broker from what the metadata says: which logs there are, and how they are kept.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use strandline_log::config::LogConfig;
use strandline_log::engine::{Command, Done, Outcome, Partition, Refusal as LogRefusal};
use strandline_protocol::Uuid;
use strandline_state::metadata::image::{RESOURCE_TOPIC, Topic};
use strandline_state::metadata::{MetadataImage, MetadataRecord};
use strandline_state::settings::TopicSettings;

use super::log::MetadataLogError;
use super::topics::topic_settings;
use super::{Metadata, MetadataError};
use crate::storage::{TopicPartition, log_config};

/// Which topics records are about.
#[derive(Debug, Default)]
struct Touched {
    topics: BTreeSet<Uuid>,
    configured: BTreeSet<Uuid>,
    removed: Vec<TopicPartition>,
}

impl Touched {
    fn by(records: &[MetadataRecord], image: &MetadataImage) -> Self {
        let mut touched = Self::default();
        for record in records {
            match record {
                MetadataRecord::Topic(key, _) => {
                    touched.topics.insert(key.topic_id);
                }
                MetadataRecord::Partition(key, value) => {
                    touched.topics.insert(key.topic_id);
                    if value.is_none() {
                        let (topic_id, index) = (key.topic_id, key.index);
                        touched.removed.push(TopicPartition { topic_id, index });
                    }
                }
                MetadataRecord::Config(key, _) if key.resource_type == RESOURCE_TOPIC => {
                    let id = image.topic(&key.resource_name).map(|topic| topic.id());
                    touched.topics.extend(id);
                    touched.configured.extend(id);
                }
                _ => {}
            }
        }
        touched
    }
}

impl Metadata {
    /// Makes an image so: new logs are there before anybody sees it, and old ones go after everybody has.
    pub(super) async fn apply(
        &self,
        image: &Arc<MetadataImage>,
        records: &[MetadataRecord],
    ) -> Result<(), MetadataError> {
        let touched = Touched::by(records, image);
        let topics: Vec<_> = touched.topics.iter().filter_map(|id| image.topic_by_id(*id)).cloned().collect();
        self.create_logs(image, topics.iter()).await?;
        self.configure_logs(image, &touched.configured).await?;
        self.topics.refresh(image, &self.settings, touched.topics.iter().copied());
        self.publish(image);
        self.delete_logs(touched.removed).await
    }

    /// Makes logs and metadata agree after a start: what one of them has and the other lacks is made, or goes.
    pub(crate) async fn reconcile(&self, orphans: Vec<Arc<Partition>>) -> Result<(), MetadataError> {
        let image = self.image();
        self.create_logs(&image, image.topics()).await?;
        let gone = self.storage.places().into_iter().filter(|place| !self.has_replica(&image, *place));
        self.delete_logs(gone.collect()).await?;
        let commands = orphans.iter().map(|partition| Command::Delete { partition: partition.id() });
        self.submit(commands.collect()).await.map(drop)
    }

    fn has_replica(&self, image: &MetadataImage, place: TopicPartition) -> bool {
        let partition = image.topic_by_id(place.topic_id).and_then(|topic| topic.partition(place.index));
        partition.is_some_and(|partition| partition.replicas().contains(&self.node_id))
    }

    /// How the logs of a topic are kept.
    fn log_config(&self, image: &MetadataImage, topic: &Topic) -> Arc<LogConfig> {
        Arc::new(log_config(&self.topic_settings(image, topic)))
    }

    /// What is in force for a topic.
    pub fn topic_settings(&self, image: &MetadataImage, topic: &Topic) -> TopicSettings {
        topic_settings(image, &self.settings, topic)
    }

    async fn create_logs(
        &self,
        image: &MetadataImage,
        topics: impl Iterator<Item = &Arc<Topic>>,
    ) -> Result<(), MetadataError> {
        let mut places = Vec::new();
        let mut commands = Vec::new();
        for topic in topics {
            let mut config = None;
            for (index, partition) in topic.partitions() {
                let place = TopicPartition { topic_id: topic.id(), index };
                if !partition.replicas().contains(&self.node_id) || self.storage.partition(place).is_some() {
                    continue;
                }
                let config = config.get_or_insert_with(|| self.log_config(image, topic));
                commands.push(Command::Create {
                    description: place.to_description(),
                    config: Arc::clone(config),
                });
                places.push(place);
            }
        }
        let done = self.submit(commands).await?;
        let created = places.into_iter().zip(done).filter_map(|(place, done)| match done {
            Done::Created(partition) => Some((place, partition)),
            _ => None,
        });
        self.storage.add(created);
        Ok(())
    }

    async fn configure_logs(
        &self,
        image: &MetadataImage,
        topics: &BTreeSet<Uuid>,
    ) -> Result<(), MetadataError> {
        let mut commands = Vec::new();
        for topic in topics.iter().filter_map(|id| image.topic_by_id(*id)) {
            let config = self.log_config(image, topic);
            for (index, _) in topic.partitions() {
                let place = TopicPartition { topic_id: topic.id(), index };
                let Some(partition) = self.storage.partition(place) else { continue };
                commands.push(Command::Configure { partition: partition.id(), config: Arc::clone(&config) });
            }
        }
        self.submit(commands).await.map(drop)
    }

    async fn delete_logs(&self, places: Vec<TopicPartition>) -> Result<(), MetadataError> {
        let gone = self.storage.remove(places);
        let commands = gone.iter().map(|partition| Command::Delete { partition: partition.id() });
        self.submit(commands.collect()).await.map(drop)
    }

    /// Has all of this done, or fails.
    async fn submit(&self, commands: Vec<Command>) -> Result<Vec<Done>, MetadataError> {
        if commands.is_empty() {
            return Ok(Vec::new());
        }
        let outcomes: Vec<Outcome> = self.storage.submit(commands).await.await;
        let done: Result<Vec<_>, LogRefusal> = outcomes.into_iter().collect();
        Ok(done.map_err(MetadataLogError::from)?)
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
