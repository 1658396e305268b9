//! Topics that go, with their partitions and what is set on them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use strandline_protocol::{ErrorCode, Text, Uuid};

use super::{Command, Decision, Refusal};
use crate::metadata::image::{RESOURCE_TOPIC, Topic};
use crate::metadata::record::{ConfigKey, PartitionKey, TopicKey};
use crate::metadata::{MetadataImage, MetadataRecord};

/// Deletes topics. They are independent of one another: each has its own result.
#[derive(Clone, Debug)]
pub struct DeleteTopics {
    /// The topics.
    pub topics: Vec<TopicReference>,
}

/// A topic, by one of the two ways to name it.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum TopicReference {
    /// The topic that has this name now.
    Name(Text),
    /// This topic and no other.
    Id(Uuid),
}

/// What became of one topic.
#[derive(Clone, Debug, PartialEq)]
pub struct DeletedTopic {
    /// How the command named it.
    pub reference: TopicReference,
    /// The topic as it was.
    pub result: Result<Arc<Topic>, Refusal>,
}

impl Command for DeleteTopics {
    /// One for each different entry of the command, in the order in which it has them first.
    type Reply = Vec<DeletedTopic>;

    fn decide(&self, image: &MetadataImage, _: i64) -> Result<Decision<Self::Reply>, Refusal> {
        let mut times: HashMap<&TopicReference, usize> = HashMap::with_capacity(self.topics.len());
        for reference in &self.topics {
            *times.entry(reference).or_default() += 1;
        }
        let ids = self.topics.iter().filter_map(|reference| match reference {
            TopicReference::Id(topic_id) => Some(*topic_id),
            TopicReference::Name(_) => None,
        });
        let ids: HashSet<Uuid> = ids.collect();
        let mut records = Vec::new();
        let mut reply = Vec::with_capacity(times.len());
        for reference in &self.topics {
            let result = match times.remove(reference) {
                None => continue,
                Some(1) => find(image, reference).and_then(|topic| named_once(reference, topic, &ids)),
                Some(_) => Err(duplicate(reference)),
            };
            if let Ok(topic) = &result {
                remove(image, topic, &mut records);
            }
            reply.push(DeletedTopic { reference: reference.clone(), result });
        }
        Ok(Decision { records, reply })
    }
}

/// A topic that the command has by its id goes by that, and not by its name besides.
fn named_once(
    reference: &TopicReference,
    topic: Arc<Topic>,
    ids: &HashSet<Uuid>,
) -> Result<Arc<Topic>, Refusal> {
    if matches!(reference, TopicReference::Name(_)) && ids.contains(&topic.id()) {
        let message = "The provided topic name maps to an ID that was already supplied.";
        return Err(Refusal::new(ErrorCode::INVALID_REQUEST, message));
    }
    Ok(topic)
}

fn find(image: &MetadataImage, reference: &TopicReference) -> Result<Arc<Topic>, Refusal> {
    match reference {
        TopicReference::Name(name) => image.topic(name).cloned().ok_or_else(|| {
            let message = "This server does not host this topic-partition.";
            Refusal::new(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, message)
        }),
        TopicReference::Id(topic_id) => image.topic_by_id(*topic_id).cloned().ok_or_else(|| {
            Refusal::new(ErrorCode::UNKNOWN_TOPIC_ID, "This server does not host this topic ID.")
        }),
    }
}

fn duplicate(reference: &TopicReference) -> Refusal {
    let message = match reference {
        TopicReference::Name(_) => "Duplicate topic name.",
        TopicReference::Id(_) => "Duplicate topic id.",
    };
    Refusal::new(ErrorCode::INVALID_REQUEST, message)
}

// Each key is taken back by itself: compaction knows keys, and nothing of what belongs together.
fn remove(image: &MetadataImage, topic: &Topic, records: &mut Vec<MetadataRecord>) {
    let topic_id = topic.id();
    let partitions = topic.partitions().map(|(index, _)| PartitionKey { topic_id, index });
    records.extend(partitions.map(|key| MetadataRecord::Partition(key, None)));
    if image.topic_config(topic.name()).is_some() {
        let key = ConfigKey { resource_type: RESOURCE_TOPIC, resource_name: topic.name().clone() };
        records.push(MetadataRecord::Config(key, None));
    }
    records.push(MetadataRecord::Topic(TopicKey { topic_id }, None));
}
