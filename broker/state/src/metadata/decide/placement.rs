//! Which brokers get the replicas of new partitions, and what a new partition is like.

use std::collections::{BTreeMap, BTreeSet};

use strandline_protocol::{ErrorCode, Text, Uuid};

use super::Refusal;
use crate::metadata::record::{BrokerValue, PartitionKey, PartitionValue};
use crate::metadata::{MetadataImage, MetadataRecord};

fn invalid_factor(message: String) -> Refusal {
    Refusal::new(ErrorCode::INVALID_REPLICATION_FACTOR, message)
}

/// Deals out the replicas of partition after partition: leaders go round, and the replicas of one partition lie
/// in different racks as long as there are any.
pub(super) struct Placement {
    // Brokers rack by rack in turn; the fenced ones behind those that can lead.
    active: Vec<i32>,
    fenced: Vec<i32>,
    start: usize,
}

impl Placement {
    /// The brokers that may get replicas. The topic's id, which is random, says where to begin.
    pub(super) fn new(image: &MetadataImage, topic_id: Uuid) -> Self {
        let of = |is_fenced: bool| {
            across_racks(image.brokers().filter(move |(_, broker)| broker.fenced == is_fenced))
        };
        let [.., high, low] = topic_id.0;
        let start = usize::from(u16::from_be_bytes([high, low]));
        Self { active: of(false), fenced: of(true), start }
    }

    /// The replicas of partition `index`.
    pub(super) fn replicas(&self, index: i32, factor: i16) -> Result<Vec<i32>, Refusal> {
        let wanted = usize::try_from(factor).unwrap_or(0);
        let known = self.active.len() + self.fenced.len();
        if wanted == 0 {
            let message =
                format!("Invalid replication factor {factor}: the replication factor must be positive.");
            return Err(invalid_factor(message));
        }
        if wanted > known {
            return Err(invalid_factor(format!(
                "The target replication factor of {factor} cannot be reached because only {known} broker(s) \
                 are registered or some brokers have all their log directories cordoned."
            )));
        }
        if self.active.is_empty() {
            let message = "All brokers are currently fenced, or have all their log directories cordoned.";
            return Err(invalid_factor(message.to_owned()));
        }
        let turn = self.start.wrapping_add(usize::try_from(index).unwrap_or(0));
        let around = |brokers: &[i32]| {
            let skipped = turn.checked_rem(brokers.len()).unwrap_or(0);
            brokers.iter().cycle().skip(skipped).take(brokers.len()).copied().collect::<Vec<_>>()
        };
        Ok(around(&self.active).into_iter().chain(around(&self.fenced)).take(wanted).collect())
    }
}

/// One broker of each rack in turn, so that those side by side are in different ones.
fn across_racks<'a>(brokers: impl Iterator<Item = (i32, &'a BrokerValue)>) -> Vec<i32> {
    let mut racks: BTreeMap<Option<Text>, Vec<i32>> = BTreeMap::new();
    for (node_id, broker) in brokers {
        racks.entry(broker.rack.clone()).or_default().push(node_id);
    }
    let longest = racks.values().map(Vec::len).max().unwrap_or(0);
    (0..longest).flat_map(|place| racks.values().filter_map(move |rack| rack.get(place).copied())).collect()
}

/// Checks replicas that were chosen by hand; `factor` is how many the partitions before have.
pub(super) fn validate_assignment(
    image: &MetadataImage,
    replicas: &[i32],
    factor: Option<usize>,
) -> Result<(), Refusal> {
    let invalid = |message: String| Err(Refusal::new(ErrorCode::INVALID_REPLICA_ASSIGNMENT, message));
    if replicas.is_empty() {
        return invalid("The manual partition assignment includes an empty replica list.".to_owned());
    }
    let mut seen = BTreeSet::new();
    for broker in replicas {
        if image.broker(*broker).is_none() {
            return invalid(format!(
                "The manual partition assignment includes broker {broker}, but no such broker is registered."
            ));
        }
        if !seen.insert(broker) {
            return invalid(format!(
                "The manual partition assignment includes the broker {broker} more than once."
            ));
        }
    }
    match factor {
        Some(factor) if factor != replicas.len() => invalid(format!(
            "The manual partition assignment includes a partition with {} replica(s), but this is not \
             consistent with previous partitions, which have {factor} replica(s).",
            replicas.len()
        )),
        _ => Ok(()),
    }
}

/// A new partition with these replicas: those that are not fenced are in sync, and the first of them leads.
/// None if all of them are fenced.
pub(super) fn new_partition(
    image: &MetadataImage,
    topic_id: Uuid,
    index: i32,
    replicas: Vec<i32>,
) -> Option<MetadataRecord> {
    let is_active = |node_id: &i32| image.broker(*node_id).is_some_and(|broker| !broker.fenced);
    let isr: Vec<i32> = replicas.iter().copied().filter(is_active).collect();
    let leader = *isr.first()?;
    let directory_of = |node_id: &i32| directory(image.broker(*node_id), topic_id, index);
    let value = PartitionValue {
        directory_ids: replicas.iter().map(directory_of).collect(),
        replicas,
        isr,
        leader,
        ..Default::default()
    };
    Some(MetadataRecord::Partition(PartitionKey { topic_id, index }, Some(value)))
}

/// The directories of a broker take turns. No directory where the broker is not known.
fn directory(broker: Option<&BrokerValue>, topic_id: Uuid, index: i32) -> Uuid {
    let Some(broker) = broker else { return Uuid::ZERO };
    let [.., start, _, _] = topic_id.0;
    let turn = usize::from(start).wrapping_add(usize::try_from(index).unwrap_or(0));
    let place = turn.checked_rem(broker.directory_ids.len()).unwrap_or(0);
    broker.directory_ids.get(place).copied().unwrap_or(Uuid::ZERO)
}
