//! Offsets that are taken away because somebody says so, or because their topic is gone.

use std::collections::BTreeSet;

use strandline_protocol::apis::offset_delete::{
    OffsetDeleteRequest, OffsetDeleteResponse, OffsetDeleteResponsePartition, OffsetDeleteResponseTopic,
};
use strandline_protocol::{ErrorCode, Text, Uuid};

use super::super::{Group, GroupRecord, Groups};
use super::Offsets;
use super::commit::tombstone;

/// The records that take away what is asked for, and the answer. What is not there is no error.
pub(super) fn delete(
    offsets: &Offsets,
    group: &Group,
    request: &OffsetDeleteRequest,
) -> (Vec<GroupRecord>, OffsetDeleteResponse) {
    let id = &request.group_id;
    let mut records = Vec::new();
    let mut topics = Vec::with_capacity(request.topics.len());
    for topic in &request.topics {
        let name = &topic.name;
        let error_code = if group.is_subscribed_to(name) {
            ErrorCode::GROUP_SUBSCRIBED_TO_TOPIC
        } else {
            let asked: BTreeSet<i32> =
                topic.partitions.iter().map(|partition| partition.partition_index).collect();
            let is_there =
                |index: &i32| offsets.get(id, name, *index).is_some() || offsets.is_pending(id, name, *index);
            records.extend(
                asked.iter().filter(|index| is_there(index)).map(|index| tombstone(id, name, *index)),
            );
            ErrorCode::NONE
        };
        let partitions = topic.partitions.iter();
        let partitions = partitions.map(|partition| OffsetDeleteResponsePartition {
            partition_index: partition.partition_index,
            error_code,
        });
        topics.push(OffsetDeleteResponseTopic { name: name.clone(), partitions: partitions.collect() });
    }
    (records, OffsetDeleteResponse { topics, ..Default::default() })
}

/// The records that take away offsets for topics that are gone, at most about so many, and whether there are more.
///
/// One that was committed for a newer topic of the same name stays.
pub(in super::super) fn delete_for_topics(
    groups: &Groups,
    gone: &BTreeSet<(Text, Uuid)>,
    records_max: usize,
) -> (Vec<GroupRecord>, bool) {
    let mut places = BTreeSet::new();
    for (name, topic_id) in gone {
        for (id, topic, partition, offset_of) in groups.offsets.of_topic(name) {
            if places.len() >= records_max {
                return (tombstones(&places), true);
            }
            if offset_of.is_zero() || offset_of == *topic_id {
                places.insert((id.clone(), topic.clone(), partition));
            }
        }
    }
    (tombstones(&places), false)
}

/// The topics that offsets are for and that are not in the cluster any more.
pub(in super::super) fn missing_topics(groups: &Groups) -> Vec<(Text, Uuid)> {
    let mut missing = BTreeSet::new();
    for (topic, offsets) in groups.offsets.all_topics() {
        let found = groups.image.topic(topic).map(|found| found.id());
        for topic_id in offsets {
            let is_there = found.is_some_and(|found| topic_id.is_zero() || topic_id == found);
            if !is_there && !missing.contains(&(topic.clone(), topic_id)) {
                missing.insert((topic.clone(), topic_id));
            }
        }
    }
    missing.into_iter().collect()
}

fn tombstones(places: &BTreeSet<(Text, Text, i32)>) -> Vec<GroupRecord> {
    places.iter().map(|(id, topic, partition)| tombstone(id, topic, *partition)).collect()
}
