//! How topics are called, from the log of the cluster's metadata that lies in the same directory.

use std::collections::BTreeMap;

use bytes::Bytes;
use strandline_broker::storage::TopicPartition;
use strandline_protocol::Uuid;
use strandline_state::metadata::MetadataRecord;

use super::directory::{Opened, Partition};
use super::print::DECOMPRESSED_BYTES_MAX;
use super::{Chosen, refused};
use crate::cluster::Failure;

/// The log of the metadata, by the id that Kafka gives it.
const METADATA: Uuid = Uuid([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);

/// How Kafka calls it.
pub(super) const METADATA_NAME: &str = "__cluster_metadata";

/// The names of topics by their ids.
pub(super) struct Names(BTreeMap<Uuid, String>);

impl Names {
    pub(super) fn read(opened: &Opened) -> Result<Self, Failure> {
        let mut names = BTreeMap::from([(METADATA, METADATA_NAME.to_owned())]);
        let is_metadata =
            |partition: &Partition| partition.place.is_some_and(|place| place.topic_id == METADATA);
        let Some((id, _)) = opened.partitions.iter().find(|(_, partition)| is_metadata(partition)) else {
            return Ok(Self(names));
        };
        opened.batches(*id, (0, None), &mut |placed| {
            let section = placed.batch.records(DECOMPRESSED_BYTES_MAX).map_err(refused)?;
            for record in section.iter() {
                let record = record.map_err(refused)?;
                let key = Bytes::copy_from_slice(record.key.unwrap_or_default());
                // A record that this program does not know names no topic that it could.
                match MetadataRecord::from_bytes(key, record.value.map(Bytes::copy_from_slice)) {
                    Ok(MetadataRecord::Topic(key, Some(value))) => {
                        _ = names.insert(key.topic_id, value.name.into());
                    }
                    Ok(MetadataRecord::Topic(key, None)) => _ = names.remove(&key.topic_id),
                    _ => {}
                }
            }
            Ok(())
        })?;
        Ok(Self(names))
    }

    /// A topic's name, or its id where it has none.
    pub(super) fn of(&self, place: TopicPartition) -> String {
        self.0.get(&place.topic_id).cloned().unwrap_or_else(|| place.topic_id.to_string())
    }

    /// Whether a partition is among those that were asked for.
    pub(super) fn chooses(&self, chosen: &Chosen, partition: &Partition) -> bool {
        let Some(place) = partition.place else {
            return chosen.topic.is_empty() && chosen.partition.is_empty();
        };
        let (name, id) = (self.of(place), place.topic_id.to_string());
        let has_topic =
            chosen.topic.is_empty() || chosen.topic.iter().any(|topic| *topic == name || *topic == id);
        has_topic && (chosen.partition.is_empty() || chosen.partition.contains(&place.index))
    }

    /// Refuses topics that are not there.
    pub(super) fn check(&self, chosen: &Chosen, opened: &Opened) -> Result<(), Failure> {
        let places = || opened.partitions.values().filter_map(|partition| partition.place);
        for topic in &chosen.topic {
            if !places().any(|place| self.of(place) == *topic || place.topic_id.to_string() == *topic) {
                let near = strandline_state::settings::nearest(topic, places().map(|place| self.of(place)));
                let hint = near.map(|name| format!("; there is {name}")).unwrap_or_default();
                return Err(refused(format_args!("the directory has nothing of a topic {topic}{hint}")));
            }
        }
        Ok(())
    }
}
