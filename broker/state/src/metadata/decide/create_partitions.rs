//! More partitions for topics that there are.

use std::collections::HashMap;

use strandline_protocol::{ErrorCode, Text};

use super::create_topics::{all_fenced, check_count};
use super::placement::{Placement, new_partition, validate_assignment};
use super::{Command, Decision, Refusal};
use crate::metadata::image::Topic;
use crate::metadata::{MetadataImage, MetadataRecord};

/// The partitions of one topic, at most: more than any cluster holds, and few enough to count.
const PARTITIONS_MAX: i32 = 1_000_000;

/// Gives topics more partitions. They are independent of one another: each has its own result.
#[derive(Clone, Debug)]
pub struct CreatePartitions {
    /// The topics.
    pub topics: Vec<PartitionsToAdd>,
    /// Check everything, make nothing.
    pub validate_only: bool,
}

/// A topic that is to have more partitions.
#[derive(Clone, Debug)]
pub struct PartitionsToAdd {
    /// The topic's name.
    pub name: Text,
    /// How many it shall have in all.
    pub count: i32,
    /// The replicas of each new one; none = to be decided.
    pub assignments: Option<Vec<Vec<i32>>>,
}

impl Command for CreatePartitions {
    /// For each name of the command, in the order in which it names them first, what became of it.
    type Reply = Vec<(Text, Result<(), Refusal>)>;

    fn decide(&self, image: &MetadataImage, _: i64) -> Result<Decision<Self::Reply>, Refusal> {
        let counts = self.topics.iter().filter_map(|topic| added_count(image, topic));
        check_count(counts.sum(), "Unable to perform excessively large batch operation.")?;
        let mut times: HashMap<&str, usize> = HashMap::with_capacity(self.topics.len());
        for topic in &self.topics {
            *times.entry(&topic.name).or_default() += 1;
        }
        let mut records = Vec::new();
        let mut reply = Vec::with_capacity(times.len());
        for topic in &self.topics {
            let result = match times.remove(topic.name.as_str()) {
                None => continue,
                Some(1) => add(image, topic).map(|new| records.extend(new)),
                Some(_) => Err(Refusal::new(ErrorCode::INVALID_REQUEST, "Duplicate topic name.")),
            };
            reply.push((topic.name.clone(), result));
        }
        if self.validate_only {
            records.clear();
        }
        Ok(Decision { records, reply })
    }
}

fn add(image: &MetadataImage, wanted: &PartitionsToAdd) -> Result<Vec<MetadataRecord>, Refusal> {
    let topic = image.topic(&wanted.name).ok_or_else(|| {
        let message = "This server does not host this topic-partition.";
        Refusal::new(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, message)
    })?;
    if topic.is_internal() {
        // What belongs where in it follows from how many partitions there are.
        let message =
            format!("The number of partitions of internal topic {} cannot be changed.", wanted.name);
        return Err(Refusal::new(ErrorCode::INVALID_REQUEST, message));
    }
    let added = added(topic, wanted.count)?;
    let factor = topic.partition(0).map_or(1, |partition| partition.replicas().len());
    let replicas = match &wanted.assignments {
        Some(assignments) => assigned(image, assignments, added.len(), factor)?,
        None => {
            let placement = Placement::new(image, topic.id());
            let factor = i16::try_from(factor).unwrap_or(i16::MAX);
            added.clone().map(|index| placement.replicas(index, factor)).collect::<Result<_, _>>()?
        }
    };
    let record = |(index, replicas)| {
        new_partition(image, topic.id(), index, replicas).ok_or_else(|| all_fenced(index))
    };
    added.zip(replicas).map(record).collect()
}

/// How many partitions a topic is to get; none if it gets none in any case.
fn added_count(image: &MetadataImage, wanted: &PartitionsToAdd) -> Option<u64> {
    let topic = image.topic(&wanted.name).filter(|topic| !topic.is_internal())?;
    let count = u64::try_from(wanted.count).ok()?;
    Some(count.saturating_sub(topic.partition_count() as u64))
}

/// The numbers of the new partitions.
fn added(topic: &Topic, count: i32) -> Result<std::ops::Range<i32>, Refusal> {
    let present = i32::try_from(topic.partition_count()).unwrap_or(i32::MAX);
    let message = match count {
        _ if count == present => format!("Topic already has {present} partition(s)."),
        _ if count < present => format!(
            "The topic {} currently has {present} partition(s); {count} would not be an increase.",
            topic.name()
        ),
        _ if count > PARTITIONS_MAX => format!("A topic has at most {PARTITIONS_MAX} partitions."),
        _ => return Ok(present..count),
    };
    Err(Refusal::new(ErrorCode::INVALID_PARTITIONS, message))
}

fn assigned(
    image: &MetadataImage,
    assignments: &[Vec<i32>],
    added: usize,
    factor: usize,
) -> Result<Vec<Vec<i32>>, Refusal> {
    if assignments.len() != added {
        let message = format!(
            "Attempted to add {added} additional partition(s), but only {} assignment(s) were specified.",
            assignments.len()
        );
        return Err(Refusal::new(ErrorCode::INVALID_REPLICA_ASSIGNMENT, message));
    }
    for replicas in assignments {
        validate_assignment(image, replicas, Some(factor))?;
    }
    Ok(assignments.to_vec())
}
