//! What the data APIs have to know of each topic, worked out once whenever the metadata changes and not at each
//! request.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use strandline_protocol::batch::TimestampType;
use strandline_protocol::{Compression, Text, Uuid};
use strandline_state::metadata::MetadataImage;
use strandline_state::metadata::image::{Partition, Topic as ImageTopic};
use strandline_state::settings::{self, BrokerSettings, CompressionType, Durability, TopicSettings};

use super::Metadata;
use crate::api::topics::{Leadership, Topic, TopicRules, Topics};
use crate::metrics::TopicTallies;

/// Every topic, by name and by id.
#[derive(Debug, Default)]
struct Tables {
    by_name: HashMap<Text, Arc<Topic>>,
    by_id: HashMap<Uuid, Arc<Topic>>,
}

impl Tables {
    fn put(&mut self, topic: Topic) {
        let topic = Arc::new(topic);
        self.by_id.insert(topic.id, Arc::clone(&topic));
        self.by_name.insert(topic.name.clone(), topic);
    }

    fn remove(&mut self, id: Uuid) {
        let Some(topic) = self.by_id.remove(&id) else { return };
        // The name may be a newer topic's by now.
        if self.by_name.get(&topic.name).is_some_and(|named| named.id == id) {
            self.by_name.remove(&topic.name);
        }
    }
}

/// The topics, as the data APIs see them.
#[derive(Debug)]
pub(super) struct TopicTable {
    tables: RwLock<Tables>,
    changes: AtomicU64,
    tallies: Arc<TopicTallies>,
}

impl TopicTable {
    pub(super) fn new(image: &MetadataImage, settings: &BrokerSettings, tallies: Arc<TopicTallies>) -> Self {
        let mut tables = Tables::default();
        image.topics().for_each(|topic| tables.put(resolve(image, settings, topic, &tallies)));
        Self { tables: RwLock::new(tables), changes: AtomicU64::new(0), tallies }
    }

    /// Works topics out anew that may have changed.
    pub(super) fn refresh(
        &self,
        image: &MetadataImage,
        settings: &BrokerSettings,
        topics: impl Iterator<Item = Uuid>,
    ) {
        let resolved: Vec<_> = topics
            .map(|id| (id, image.topic_by_id(id)))
            .map(|(id, topic)| (id, topic.map(|topic| resolve(image, settings, topic, &self.tallies))))
            .collect();
        let gone = resolved.iter().filter(|(_, topic)| topic.is_none());
        gone.for_each(|(id, _)| self.tallies.remove(*id));
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        for (id, topic) in resolved {
            tables.remove(id);
            topic.into_iter().for_each(|topic| tables.put(topic));
        }
        drop(tables);
        // Not before: whoever sees the number sees what it is about.
        self.changes.fetch_add(1, Ordering::Release);
    }
}

impl Topics for Metadata {
    fn by_name(&self, name: &str) -> Option<Arc<Topic>> {
        self.topics.tables.read().unwrap_or_else(PoisonError::into_inner).by_name.get(name).cloned()
    }

    fn by_id(&self, id: Uuid) -> Option<Arc<Topic>> {
        self.topics.tables.read().unwrap_or_else(PoisonError::into_inner).by_id.get(&id).cloned()
    }

    fn node_id(&self) -> i32 {
        self.node_id
    }

    fn changes(&self) -> u64 {
        self.topics.changes.load(Ordering::Acquire)
    }
}

/// What is in force for a topic. What the metadata says of it was checked before it was written.
pub(super) fn topic_settings(
    image: &MetadataImage,
    settings: &BrokerSettings,
    topic: &ImageTopic,
) -> TopicSettings {
    let config = image.topic_config(topic.name());
    let pairs = config.into_iter().flat_map(|config| config.pairs());
    let complain = |error| tracing::error!(topic = %topic.name(), %error, "a setting that is none");
    let overlaid = TopicSettings::overlay(&settings.topic_defaults, pairs, complain);
    if topic.is_internal() {
        // What coordinators have promised is never lost, whatever is set for the topics of users.
        return TopicSettings { durability: Durability::Fsync, ..overlaid };
    }
    overlaid
}

fn resolve(
    image: &MetadataImage,
    settings: &BrokerSettings,
    topic: &ImageTopic,
    tallies: &TopicTallies,
) -> Topic {
    let topics_max = usize::try_from(settings.metrics_topics).unwrap_or(0);
    Topic {
        id: topic.id(),
        name: topic.name().clone(),
        is_internal: topic.is_internal(),
        rules: rules(&topic_settings(image, settings, topic)),
        partitions: topic.partitions().map(|(_, partition)| leadership(partition)).collect(),
        tally: tallies.of(topic.id(), topic.name(), topics_max),
    }
}

fn leadership(partition: &Partition) -> Leadership {
    Leadership {
        leader: partition.leader(),
        leader_epoch: partition.leader_epoch(),
        in_sync_replicas: partition.isr().len(),
        replicas: partition.replicas().len(),
    }
}

fn rules(topic: &TopicSettings) -> TopicRules {
    let count = |number: i32| usize::try_from(number).unwrap_or(0);
    TopicRules {
        message_bytes_max: count(topic.max_message_bytes),
        timestamp_type: match topic.message_timestamp_type {
            settings::TimestampType::CreateTime => TimestampType::CreateTime,
            settings::TimestampType::LogAppendTime => TimestampType::LogAppendTime,
        },
        timestamp_before_max_ms: topic.message_timestamp_before_max_ms,
        timestamp_after_max_ms: topic.message_timestamp_after_max_ms,
        compression: compression(topic),
        compacts: topic.cleanup_policy.compacts,
        deletes: topic.cleanup_policy.deletes,
        in_sync_replicas_min: count(topic.min_insync_replicas),
    }
}

/// How the broker compresses records itself; none if they stay as they came.
fn compression(topic: &TopicSettings) -> Option<(Compression, Option<i32>)> {
    match topic.compression_type {
        CompressionType::Producer => None,
        CompressionType::Uncompressed => Some((Compression::None, None)),
        CompressionType::Snappy => Some((Compression::Snappy, None)),
        CompressionType::Gzip => {
            let level = Some(topic.compression_gzip_level).filter(|level| *level >= 0);
            Some((Compression::Gzip, level))
        }
        CompressionType::Lz4 => Some((Compression::Lz4, Some(topic.compression_lz4_level))),
        CompressionType::Zstd => Some((Compression::Zstd, Some(topic.compression_zstd_level))),
    }
}
