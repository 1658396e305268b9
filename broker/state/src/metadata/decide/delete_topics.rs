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
    /// How the command named it: by its name,
    pub name: Option<Text>,
    /// or by its id, or by both.
    pub topic_id: Option<Uuid>,
    /// The topic as it was.
    pub result: Result<Arc<Topic>, Refusal>,
}

impl Command for DeleteTopics {
    /// One for each different entry of the command, in the order in which it has them first. A topic that is named by its
    /// name and by its id has one as well, in the place of its name.
    type Reply = Vec<DeletedTopic>;

    fn decide(&self, image: &MetadataImage, _: i64) -> Result<Decision<Self::Reply>, Refusal> {
        let mut times: HashMap<&TopicReference, usize> = HashMap::with_capacity(self.topics.len());
        for reference in &self.topics {
            *times.entry(reference).or_default() += 1;
        }
        let named_in_both_ways = named_in_both_ways(image, &times);
        let mut told = HashSet::with_capacity(times.len());
        let mut records = Vec::new();
        let mut reply = Vec::with_capacity(times.len());
        for reference in self.topics.iter().filter(|reference| told.insert(*reference)) {
            let is_once = times.get(reference) == Some(&1);
            let found = if is_once { find(image, reference) } else { Err(duplicate(reference)) };
            let twice = found.as_ref().ok().filter(|topic| named_in_both_ways.contains(&topic.id()));
            let deleted = match (reference, twice) {
                (TopicReference::Name(_), Some(topic)) => refused_in_both_ways(topic),
                (TopicReference::Id(_), Some(_)) => continue,
                (TopicReference::Name(name), None) => {
                    DeletedTopic { name: Some(name.clone()), topic_id: None, result: found }
                }
                (TopicReference::Id(id), None) => {
                    DeletedTopic { name: None, topic_id: Some(*id), result: found }
                }
            };
            if let Ok(topic) = &deleted.result {
                remove(image, topic, &mut records);
            }
            reply.push(deleted);
        }
        Ok(Decision { records, reply })
    }
}

/// The topics that a command has by their name, once, and by their id as well: what is meant by that nobody can tell, and
/// they stay.
fn named_in_both_ways(image: &MetadataImage, times: &HashMap<&TopicReference, usize>) -> HashSet<Uuid> {
    let by_name = times.iter().filter_map(|(reference, times)| match reference {
        TopicReference::Name(name) if *times == 1 => Some(image.topic(name)?.id()),
        _ => None,
    });
    by_name.filter(|id| times.contains_key(&TopicReference::Id(*id))).collect()
}

fn refused_in_both_ways(topic: &Topic) -> DeletedTopic {
    let message = "The provided topic name maps to an ID that was already supplied.";
    DeletedTopic {
        name: Some(topic.name().clone()),
        topic_id: Some(topic.id()),
        result: Err(Refusal::new(ErrorCode::INVALID_REQUEST, message)),
    }
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
