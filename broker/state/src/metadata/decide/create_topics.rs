//! New topics, each with its partitions and what is set on it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use strandline_protocol::{ErrorCode, Text, Uuid};

use super::alter_configs::{config_record, refused};
use super::names::validate_new_name;
use super::placement::{Placement, new_partition, validate_assignment};
use super::{Command, Decision, Refusal};
use crate::metadata::image::RESOURCE_TOPIC;
use crate::metadata::record::{TopicKey, TopicValue};
use crate::metadata::{MetadataImage, MetadataRecord};
use crate::settings::{BrokerSettings, TopicSettings};

/// The partitions of one request, at most, all of its topics together. Each of them is a record in memory before the
/// first one is written, and a request of a few bytes may name very many. Kafka's controller writes no batch of more than
/// 10,000; here as many are made at once as it takes to fill a broker with a single request, in some 30 MB and half a second.
const PARTITIONS_PER_REQUEST_MAX: u64 = 100_000;

/// Makes topics. They are independent of one another: each has its own result.
#[derive(Clone, Debug)]
pub struct CreateTopics {
    /// The topics.
    pub topics: Vec<NewTopic>,
    /// Check everything, make nothing.
    pub validate_only: bool,
    /// What the brokers were started with: how many partitions and replicas a topic gets that does not say, and
    /// what is in force where nothing is set.
    pub settings: Arc<BrokerSettings>,
}

/// A topic to make.
#[derive(Clone, Debug, Default)]
pub struct NewTopic {
    /// The name.
    pub name: Text,
    /// The id for it, random.
    pub topic_id: Uuid,
    /// How many partitions; -1 = the default, or as `assignments` says.
    pub partition_count: i32,
    /// How many replicas each partition has; -1 = the default, or as `assignments` says.
    pub replication_factor: i16,
    /// For each partition its number and its replicas; empty = to be decided.
    pub assignments: Vec<(i32, Vec<i32>)>,
    /// What is set on the topic.
    pub configs: Vec<(Text, Option<Text>)>,
    /// Whether it belongs to the brokers, not to a user.
    pub is_internal: bool,
}

/// What became of one topic.
#[derive(Clone, Debug, PartialEq)]
pub struct CreatedTopic {
    /// The name.
    pub name: Text,
    /// The topic as it was made, or would be.
    pub result: Result<TopicCreation, Refusal>,
}

/// A topic as it was made.
#[derive(Clone, Debug, PartialEq)]
pub struct TopicCreation {
    /// Its id.
    pub topic_id: Uuid,
    /// How many partitions it has.
    pub partition_count: i32,
    /// How many replicas its first partition has.
    pub replication_factor: i16,
    /// What is set on it, by rising name.
    pub configs: Vec<(Text, Text)>,
    /// What is in force for it.
    pub settings: TopicSettings,
}

impl Command for CreateTopics {
    /// One for each name of the command, in the order in which it names them first.
    type Reply = Vec<CreatedTopic>;

    fn decide(&self, image: &MetadataImage, _: i64) -> Result<Decision<Self::Reply>, Refusal> {
        check_count(self.partition_count(), "Excessively large number of partitions per request.")?;
        let mut times: HashMap<&str, usize> = HashMap::with_capacity(self.topics.len());
        for topic in &self.topics {
            *times.entry(&topic.name).or_default() += 1;
        }
        let mut made = Made::default();
        let mut records = Vec::new();
        let mut reply = Vec::with_capacity(times.len());
        for topic in &self.topics {
            let result = match times.remove(topic.name.as_str()) {
                None => continue,
                Some(1) => self.create(image, topic, &mut made),
                Some(_) => Err(Refusal::new(ErrorCode::INVALID_REQUEST, "Duplicate topic name.")),
            };
            let result = result.map(|(creation, new)| {
                records.extend(new);
                creation
            });
            reply.push(CreatedTopic { name: topic.name.clone(), result });
        }
        if self.validate_only {
            records.clear();
        }
        Ok(Decision { records, reply })
    }
}

/// What earlier topics of the same command took.
#[derive(Default)]
struct Made {
    topic_ids: HashSet<Uuid>,
    // Names with `_` for `.`, and the name that it is of.
    folded: BTreeMap<String, Text>,
}

impl CreateTopics {
    /// How many partitions are asked for in all.
    fn partition_count(&self) -> u64 {
        let counts = self.topics.iter().map(|topic| match (topic.assignments.len(), topic.partition_count) {
            (0, -1) => u64::try_from(self.settings.num_partitions).unwrap_or(0),
            (0, count) => u64::try_from(count).unwrap_or(0),
            (assigned, _) => assigned as u64,
        });
        counts.sum()
    }

    fn create(
        &self,
        image: &MetadataImage,
        topic: &NewTopic,
        made: &mut Made,
    ) -> Result<(TopicCreation, Vec<MetadataRecord>), Refusal> {
        let folded = topic.name.replace('.', "_");
        validate_new_name(image, &topic.name)?;
        if let Some(other) = made.folded.get(&folded) {
            let message = format!("Topic '{}' collides with existing topic: {other}", topic.name);
            return Err(Refusal::new(ErrorCode::INVALID_TOPIC_EXCEPTION, message));
        }
        let id_is_used =
            image.topic_by_id(topic.topic_id).is_some() || made.topic_ids.contains(&topic.topic_id);
        if id_is_used || topic.topic_id.is_zero() {
            return Err(Refusal::new(
                ErrorCode::UNKNOWN_SERVER_ERROR,
                "The new topic's id is not a new one.",
            ));
        }
        let (configs, settings) = self.configs(topic)?;
        let partitions = match topic.assignments.as_slice() {
            [] => self.placed(image, topic)?,
            _ => assigned(image, topic)?,
        };
        let creation = TopicCreation {
            topic_id: topic.topic_id,
            partition_count: i32::try_from(partitions.records.len()).unwrap_or(i32::MAX),
            replication_factor: partitions.replication_factor,
            configs,
            settings,
        };
        let value =
            TopicValue { name: topic.name.clone(), is_internal: topic.is_internal, ..Default::default() };
        let key = TopicKey { topic_id: topic.topic_id };
        let mut records = Vec::with_capacity(partitions.records.len() + 2);
        records.push(MetadataRecord::Topic(key, Some(value)));
        if !creation.configs.is_empty() {
            records.push(config_record(RESOURCE_TOPIC, &topic.name, &creation.configs));
        }
        records.extend(partitions.records);
        made.topic_ids.insert(topic.topic_id);
        made.folded.insert(folded, topic.name.clone());
        Ok((creation, records))
    }

    /// What is set on the topic, by rising name, and what is then in force.
    fn configs(&self, topic: &NewTopic) -> Result<(Vec<(Text, Text)>, TopicSettings), Refusal> {
        let mut configs: BTreeMap<Text, Text> = BTreeMap::new();
        for (name, value) in &topic.configs {
            let Some(value) = value else {
                let message = format!("Null value not supported for topic configs: {name}");
                return Err(Refusal::new(ErrorCode::INVALID_CONFIG, message));
            };
            configs.insert(name.clone(), value.clone());
        }
        let pairs = configs.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let settings = TopicSettings::resolve(&self.settings.topic_defaults, pairs).map_err(refused)?;
        Ok((configs.into_iter().collect(), settings))
    }

    fn placed(&self, image: &MetadataImage, topic: &NewTopic) -> Result<NewPartitions, Refusal> {
        let replication_factor = match topic.replication_factor {
            -1 => i16::try_from(self.settings.default_replication_factor).unwrap_or(0),
            factor if factor > 0 => factor,
            _ => {
                let message = "Replication factor must be larger than 0, or -1 to use the default value.";
                return Err(Refusal::new(ErrorCode::INVALID_REPLICATION_FACTOR, message));
            }
        };
        let count = match topic.partition_count {
            -1 => self.settings.num_partitions,
            count if count > 0 => count,
            _ => {
                let message = "Number of partitions was set to an invalid non-positive value.";
                return Err(Refusal::new(ErrorCode::INVALID_PARTITIONS, message));
            }
        };
        let placement = Placement::new(image, topic.topic_id);
        let record = |index| {
            let replicas = placement.replicas(index, replication_factor).map_err(|refusal| Refusal {
                message: format!("Unable to replicate the partition {count} time(s): {}", refusal.message),
                ..refusal
            })?;
            new_partition(image, topic.topic_id, index, replicas).ok_or_else(|| all_fenced(index))
        };
        let records = (0..count).map(record).collect::<Result<_, _>>()?;
        Ok(NewPartitions { records, replication_factor })
    }
}

struct NewPartitions {
    records: Vec<MetadataRecord>,
    replication_factor: i16,
}

/// Whether one request may make so many partitions.
pub(super) fn check_count(count: u64, message: &str) -> Result<(), Refusal> {
    if count > PARTITIONS_PER_REQUEST_MAX {
        return Err(Refusal::new(ErrorCode::POLICY_VIOLATION, message));
    }
    Ok(())
}

pub(super) fn all_fenced(index: i32) -> Refusal {
    Refusal::new(
        ErrorCode::INVALID_REPLICA_ASSIGNMENT,
        format!(
            "All brokers specified in the manual partition assignment for partition {index} are fenced or in \
             controlled shutdown."
        ),
    )
}

fn assigned(image: &MetadataImage, topic: &NewTopic) -> Result<NewPartitions, Refusal> {
    let invalid = |message: String| Refusal::new(ErrorCode::INVALID_REPLICA_ASSIGNMENT, message);
    if topic.replication_factor != -1 {
        let message =
            "A manual partition assignment was specified, but replication factor was not set to -1.";
        return Err(Refusal::new(ErrorCode::INVALID_REQUEST, message));
    }
    if topic.partition_count != -1 {
        let message = "A manual partition assignment was specified, but numPartitions was not set to -1.";
        return Err(Refusal::new(ErrorCode::INVALID_REQUEST, message));
    }
    let mut by_index: BTreeMap<i32, &[i32]> = BTreeMap::new();
    let mut factor = None;
    for (index, replicas) in &topic.assignments {
        if by_index.insert(*index, replicas).is_some() {
            return Err(invalid(format!(
                "Found multiple manual partition assignments for partition {index}"
            )));
        }
        validate_assignment(image, replicas, factor)?;
        factor = Some(replicas.len());
    }
    if (0..).zip(by_index.keys()).any(|(expected, index)| expected != *index) {
        return Err(invalid("partitions should be a consecutive 0-based integer sequence".to_owned()));
    }
    let record = |(index, replicas): (&i32, &&[i32])| {
        new_partition(image, topic.topic_id, *index, replicas.to_vec()).ok_or_else(|| all_fenced(*index))
    };
    let records = by_index.iter().map(record).collect::<Result<_, _>>()?;
    Ok(NewPartitions {
        records,
        replication_factor: factor.map_or(-1, |factor| i16::try_from(factor).unwrap_or(-1)),
    })
}
