//! The image: what the metadata log says, as it can be asked.
//!
//! Owns no log and decides nothing. It is immutable to those who read it: a clone costs a few reference counts,
//! and [`evolve`] on one clone copies only what changes and leaves the others as they are. No question walks
//! more than it asks for, however many topics there are.

mod config;
mod evolve;
mod topic;

use std::ops::Bound;
use std::sync::Arc;

use strandline_protocol::{Text, Uuid};

use super::record::{BrokerValue, ClusterValue, FeatureValue, ProducerIdsValue};
use crate::tree::TreeMap;

pub use config::{
    Config, RESOURCE_BROKER, RESOURCE_CLIENT_METRICS, RESOURCE_GROUP, RESOURCE_LOGGER, RESOURCE_TOPIC,
};
pub use evolve::{EvolveError, evolve};
pub use topic::{Partition, Replication, Topic};

/// What the metadata log says up to an offset.
#[derive(Clone, Debug, PartialEq)]
pub struct MetadataImage {
    offset: i64,
    cluster: Option<Arc<ClusterValue>>,
    brokers: TreeMap<i32, Arc<BrokerValue>>,
    topics: TreeMap<Uuid, Arc<Topic>>,
    // Each name once, with the topic that has it.
    names: TreeMap<Text, Uuid>,
    // The names that hold `.` or `_`, each behind itself with `_` for both: what collides stands side by side.
    lookalikes: TreeMap<(Text, Text), ()>,
    // Partitions whose topic has no record, yet or any more. In a compacted log a partition may come first.
    orphans: TreeMap<Uuid, TreeMap<i32, Partition>>,
    partition_count: usize,
    // By type of resource, then by name.
    configs: TreeMap<i8, TreeMap<Text, Arc<Config>>>,
    features: TreeMap<Text, FeatureValue>,
    producer_ids: Option<ProducerIdsValue>,
}

impl Default for MetadataImage {
    fn default() -> Self {
        Self {
            offset: -1,
            cluster: None,
            brokers: TreeMap::default(),
            topics: TreeMap::default(),
            names: TreeMap::default(),
            lookalikes: TreeMap::default(),
            orphans: TreeMap::default(),
            partition_count: 0,
            configs: TreeMap::default(),
            features: TreeMap::default(),
            producer_ids: None,
        }
    }
}

impl MetadataImage {
    /// The offset of the last record that is in the image; -1 = none is.
    pub const fn offset(&self) -> i64 {
        self.offset
    }

    /// Says that the log has no record up to `offset` that the image lacks. At the end of a replay: compaction
    /// may have removed the last records, and the epoch that clients saw must not fall.
    pub fn advance_to(&mut self, offset: i64) {
        self.offset = self.offset.max(offset);
    }

    /// The epoch of the finalised features for ApiVersions, which is never negative.
    pub fn finalized_features_epoch(&self) -> i64 {
        self.offset.max(0)
    }

    /// The cluster's id; none before the log was formatted.
    pub fn cluster_id(&self) -> Option<&Text> {
        self.cluster.as_ref().map(|cluster| &cluster.cluster_id)
    }

    /// The broker of this number, if it ever registered.
    pub fn broker(&self, node_id: i32) -> Option<&BrokerValue> {
        self.brokers.get(&node_id).map(|broker| &**broker)
    }

    /// Every broker that has registered, by rising number.
    pub fn brokers(&self) -> impl Iterator<Item = (i32, &BrokerValue)> {
        self.brokers.iter().map(|(node_id, broker)| (*node_id, &**broker))
    }

    /// The topic of this name.
    pub fn topic(&self, name: &str) -> Option<&Arc<Topic>> {
        self.topics.get(self.names.get(name)?)
    }

    /// The topic of this id.
    pub fn topic_by_id(&self, topic_id: Uuid) -> Option<&Arc<Topic>> {
        self.topics.get(&topic_id)
    }

    /// Every topic, by rising name.
    pub fn topics(&self) -> impl Iterator<Item = &Arc<Topic>> {
        self.topics_from(Bound::Unbounded)
    }

    /// The topics by rising name, from a name on; those before it are not walked.
    pub fn topics_from(&self, from: Bound<&str>) -> impl Iterator<Item = &Arc<Topic>> {
        self.names.iter_from(from).filter_map(|(_, topic_id)| self.topics.get(topic_id))
    }

    /// How many topics there are.
    pub const fn topic_count(&self) -> usize {
        self.topics.len()
    }

    /// How many partitions all topics have together.
    pub const fn partition_count(&self) -> usize {
        self.partition_count
    }

    /// The name of a topic that differs from `name` by no more than `.` against `_`, if there is one.
    pub fn lookalike(&self, name: &str) -> Option<&Text> {
        let folded = topic::folded(name)?;
        let from = (folded.clone(), Text::new());
        let mut alike = self.lookalikes.iter_from(Bound::Included(&from)).map(|(key, ())| key);
        // At most one of them is `name` itself.
        alike
            .by_ref()
            .take(2)
            .take_while(|(other, _)| *other == folded)
            .map(|(_, other)| other)
            .find(|other| **other != name)
    }

    /// What is set on a resource, by Kafka's number for its type.
    pub fn config(&self, resource_type: i8, resource_name: &str) -> Option<&Config> {
        self.configs.get(&resource_type)?.get(resource_name).map(|config| &**config)
    }

    /// What is set on a topic.
    pub fn topic_config(&self, name: &str) -> Option<&Config> {
        self.config(RESOURCE_TOPIC, name)
    }

    /// The level of a feature; 0 = it is off.
    pub fn feature(&self, name: &str) -> i16 {
        self.features.get(name).map_or(0, |feature| feature.level)
    }

    /// Every feature that is on, with its level, by rising name.
    pub fn features(&self) -> impl Iterator<Item = (&Text, i16)> {
        self.features.iter().map(|(name, feature)| (name, feature.level))
    }

    /// The first producer id that has not been handed out.
    pub fn next_producer_id(&self) -> i64 {
        self.producer_ids.as_ref().map_or(0, |ids| ids.next_id)
    }
}

#[cfg(test)]
mod tests;
