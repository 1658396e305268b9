//! What a record changes. Whatever order the keys of the log first came in, the image is that of their last
//! values.

use std::sync::Arc;

use strandline_protocol::{Text, Uuid};

use super::topic::{Partition, Topic, folded};
use super::{Config, MetadataImage};
use crate::metadata::MetadataRecord;
use crate::metadata::record::{
    BrokerValue, ClusterValue, ConfigKey, ConfigValue, PartitionKey, PartitionValue, TopicValue,
};
use crate::tree::TreeMap;

/// Why a record cannot follow those before it: no decision of ours writes such a record.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum EvolveError {
    /// Another topic has the name.
    #[error("the metadata log gives the name {name} to topic {second}, while topic {first} has it")]
    NameTaken {
        /// The name.
        name: Text,
        /// The topic that has it.
        first: Uuid,
        /// The topic that gets it.
        second: Uuid,
    },
    /// A topic changed its name.
    #[error("the metadata log renames topic {topic_id} from {before} to {after}")]
    Renamed {
        /// The topic.
        topic_id: Uuid,
        /// The name that it had.
        before: Text,
        /// The name that it gets.
        after: Text,
    },
}

/// Adds the record at `offset` to the image. After an error the image is as it was before.
pub fn evolve(image: &mut MetadataImage, offset: i64, record: &MetadataRecord) -> Result<(), EvolveError> {
    match record {
        MetadataRecord::Cluster(_, value) => image.cluster = value.as_ref().map(cluster),
        MetadataRecord::Broker(key, value) => {
            put(&mut image.brokers, key.node_id, value.as_ref().map(broker));
        }
        MetadataRecord::Topic(key, Some(value)) => image.put_topic(key.topic_id, value)?,
        MetadataRecord::Topic(key, None) => image.remove_topic(key.topic_id),
        MetadataRecord::Partition(key, Some(value)) => image.put_partition(key, value),
        MetadataRecord::Partition(key, None) => image.remove_partition(key),
        MetadataRecord::Config(key, value) => image.put_config(key, value.as_ref()),
        MetadataRecord::Feature(key, value) => {
            put(&mut image.features, key.name.detached(), value.clone());
        }
        MetadataRecord::ProducerIds(_, value) => image.producer_ids = value.clone(),
    }
    image.advance_to(offset);
    Ok(())
}

fn put<K: Ord + Clone, V: Clone>(map: &mut TreeMap<K, V>, key: K, value: Option<V>) {
    match value {
        Some(value) => drop(map.insert(key, value)),
        None => drop(map.remove(&key)),
    }
}

// State outlives the batch that its record came in: text is copied out of it.
fn cluster(value: &ClusterValue) -> Arc<ClusterValue> {
    Arc::new(ClusterValue { cluster_id: value.cluster_id.detached(), ..value.clone() })
}

fn broker(value: &BrokerValue) -> Arc<BrokerValue> {
    let mut broker = value.clone();
    for endpoint in &mut broker.endpoints {
        endpoint.listener = endpoint.listener.detached();
        endpoint.host = endpoint.host.detached();
    }
    broker.rack = broker.rack.as_ref().map(Text::detached);
    Arc::new(broker)
}

impl MetadataImage {
    fn put_topic(&mut self, topic_id: Uuid, value: &TopicValue) -> Result<(), EvolveError> {
        if let Some(topic) = self.topics.get(&topic_id) {
            if topic.name != value.name {
                let (before, after) = (topic.name.clone(), value.name.detached());
                return Err(EvolveError::Renamed { topic_id, before, after });
            }
        } else {
            if let Some(first) = self.names.get(value.name.as_str()) {
                let (first, second) = (*first, topic_id);
                return Err(EvolveError::NameTaken { name: value.name.detached(), first, second });
            }
            self.add_topic(topic_id, value.name.detached());
        }
        if let Some(topic) = self.topics.get_mut(&topic_id) {
            let topic = Arc::make_mut(topic);
            topic.is_internal = value.is_internal;
            topic.unknown_tagged_fields = value.unknown_tagged_fields.clone();
        }
        Ok(())
    }

    fn add_topic(&mut self, id: Uuid, name: Text) {
        let partitions = self.orphans.remove(&id).unwrap_or_default();
        self.partition_count += partitions.len();
        self.names.insert(name.clone(), id);
        if let Some(folded) = folded(&name) {
            self.lookalikes.insert((folded, name.clone()), ());
        }
        let topic =
            Topic { id, name, is_internal: false, unknown_tagged_fields: Default::default(), partitions };
        self.topics.insert(id, Arc::new(topic));
    }

    fn remove_topic(&mut self, topic_id: Uuid) {
        let Some(topic) = self.topics.remove(&topic_id) else { return };
        self.partition_count -= topic.partitions.len();
        self.names.remove(topic.name.as_str());
        if let Some(folded) = folded(&topic.name) {
            self.lookalikes.remove(&(folded, topic.name.clone()));
        }
        // Each partition has a key of its own, and goes when that is taken back.
        if !topic.partitions.is_empty() {
            self.orphans.insert(topic_id, topic.partitions.clone());
        }
    }

    fn put_partition(&mut self, key: &PartitionKey, value: &PartitionValue) {
        let (partitions, is_orphan) = match self.topics.get_mut(&key.topic_id) {
            Some(topic) => (&mut Arc::make_mut(topic).partitions, false),
            None => {
                if !self.orphans.contains(&key.topic_id) {
                    self.orphans.insert(key.topic_id, TreeMap::default());
                }
                let Some(partitions) = self.orphans.get_mut(&key.topic_id) else { return };
                (partitions, true)
            }
        };
        let neighbour = key.index.checked_sub(1).and_then(|index| partitions.get(&index));
        let partition = Partition::new(value, neighbour);
        let is_new = partitions.insert(key.index, partition).is_none();
        self.partition_count += usize::from(is_new && !is_orphan);
    }

    fn remove_partition(&mut self, key: &PartitionKey) {
        if let Some(topic) = self.topics.get_mut(&key.topic_id) {
            let removed = Arc::make_mut(topic).partitions.remove(&key.index);
            self.partition_count -= usize::from(removed.is_some());
        } else if let Some(partitions) = self.orphans.get_mut(&key.topic_id) {
            partitions.remove(&key.index);
            if partitions.is_empty() {
                self.orphans.remove(&key.topic_id);
            }
        }
    }

    fn put_config(&mut self, key: &ConfigKey, value: Option<&ConfigValue>) {
        let mut of_type = self.configs.remove(&key.resource_type).unwrap_or_default();
        let config = value.map(|value| Arc::new(Config::new(value)));
        put(&mut of_type, key.resource_name.detached(), config);
        if !of_type.is_empty() {
            self.configs.insert(key.resource_type, of_type);
        }
    }
}
