//! What changes of the metadata are in the broker's log: topics that are made, grow and go, and which settings change.
//! Values are left out, since some setting may be a secret one day. Changes nothing.

use std::collections::BTreeSet;

use strandline_protocol::Uuid;
use strandline_state::metadata::image::{
    RESOURCE_BROKER, RESOURCE_CLIENT_METRICS, RESOURCE_GROUP, RESOURCE_LOGGER, RESOURCE_TOPIC,
};
use strandline_state::metadata::{MetadataImage, MetadataRecord};

/// Says what the records made of an image.
pub(super) fn tell(before: &MetadataImage, after: &MetadataImage, records: &[MetadataRecord]) {
    if !tracing::enabled!(tracing::Level::INFO) {
        return;
    }
    let mut topics = BTreeSet::new();
    for record in records {
        match record {
            MetadataRecord::Topic(key, _) => {
                topics.insert(key.topic_id);
            }
            MetadataRecord::Partition(key, _) => {
                topics.insert(key.topic_id);
            }
            MetadataRecord::Config(key, _) => {
                tell_config(before, after, key.resource_type, &key.resource_name);
            }
            _ => {}
        }
    }
    topics.into_iter().for_each(|topic_id| tell_topic(before, after, topic_id));
}

fn tell_topic(before: &MetadataImage, after: &MetadataImage, topic_id: Uuid) {
    match (before.topic_by_id(topic_id), after.topic_by_id(topic_id)) {
        (None, Some(topic)) => {
            tracing::info!(topic = ?topic.name(), partitions = topic.partition_count(), "a topic is made");
        }
        (Some(topic), None) => {
            let partitions = topic.partition_count();
            tracing::info!(topic = ?topic.name(), partitions, "a topic is deleted: its files go with the next checkpoint");
        }
        (Some(old), Some(new)) if old.partition_count() != new.partition_count() => {
            let (was, partitions) = (old.partition_count(), new.partition_count());
            tracing::info!(topic = ?new.name(), was, partitions, "a topic has more partitions");
        }
        _ => {}
    }
}

fn tell_config(before: &MetadataImage, after: &MetadataImage, resource_type: i8, name: &str) {
    let (old, new) = (before.config(resource_type, name), after.config(resource_type, name));
    let (was, is) = (
        old.into_iter().flat_map(|config| config.pairs()),
        new.into_iter().flat_map(|config| config.pairs()),
    );
    let changed: BTreeSet<_> = is
        .clone()
        .filter(|(name, value)| old.and_then(|old| old.get(name)).map(|old| old.as_str()) != Some(value))
        .chain(was.filter(|(name, _)| new.and_then(|new| new.get(name)).is_none()))
        .map(|(name, _)| name)
        .collect();
    if !changed.is_empty() {
        let what = match resource_type {
            RESOURCE_TOPIC => "topic",
            RESOURCE_BROKER if name.is_empty() => "all brokers",
            RESOURCE_BROKER => "broker",
            RESOURCE_LOGGER => "logger",
            RESOURCE_CLIENT_METRICS => "client metrics",
            RESOURCE_GROUP => "group",
            _ => "something",
        };
        tracing::info!(what, ?name, ?changed, "settings are changed");
    }
}
