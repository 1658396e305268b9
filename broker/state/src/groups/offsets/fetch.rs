//! What a group is told of its offsets.

use strandline_protocol::apis::offset_fetch::{
    OffsetFetchRequestGroup, OffsetFetchResponseGroup, OffsetFetchResponsePartitions,
    OffsetFetchResponseTopics,
};
use strandline_protocol::{ErrorCode, Text, Uuid};

use super::{CommittedOffset, Offsets};

/// Nothing is committed, or nothing that may be told.
const NO_OFFSET: i64 = -1;

/// What the offsets of a group are. A partition without one is no error.
///
/// A commit for a topic that has been deleted, and made again under the same name, is none for the new one.
pub(super) fn fetch(
    offsets: &Offsets,
    request: &OffsetFetchRequestGroup,
    require_stable: bool,
) -> OffsetFetchResponseGroup {
    let group = &request.group_id;
    let answer = |topic: &Text, topic_id: Uuid, partition: i32, found: Option<&CommittedOffset>| {
        if require_stable && offsets.is_pending(group, topic, partition) {
            return answered(partition, ErrorCode::UNSTABLE_OFFSET_COMMIT, None);
        }
        let is_of_another = |found: &&CommittedOffset| {
            !topic_id.is_zero() && !found.topic_id.is_zero() && found.topic_id != topic_id
        };
        answered(partition, ErrorCode::NONE, found.filter(|found| !is_of_another(found)))
    };
    let topics = match &request.topics {
        Some(topics) => {
            let asked = topics.iter().map(|topic| {
                let partitions = topic.partition_indexes.iter().map(|partition| {
                    let found = offsets.get(group, &topic.name, *partition);
                    answer(&topic.name, topic.topic_id, *partition, found)
                });
                named(topic.name.clone(), topic.topic_id, partitions.collect())
            });
            asked.collect()
        }
        None => {
            let topics = offsets.of_group(group).into_iter().flatten().map(|(topic, partitions)| {
                let partitions = partitions
                    .iter()
                    .map(|(partition, found)| answer(topic, Uuid::ZERO, *partition, Some(found)));
                named(topic.clone(), Uuid::ZERO, partitions.collect())
            });
            topics.collect()
        }
    };
    OffsetFetchResponseGroup { group_id: group.clone(), topics, ..Default::default() }
}

fn named(
    name: Text,
    topic_id: Uuid,
    partitions: Vec<OffsetFetchResponsePartitions>,
) -> OffsetFetchResponseTopics {
    OffsetFetchResponseTopics { name, topic_id, partitions, ..Default::default() }
}

fn answered(
    partition_index: i32,
    error_code: ErrorCode,
    found: Option<&CommittedOffset>,
) -> OffsetFetchResponsePartitions {
    OffsetFetchResponsePartitions {
        partition_index,
        committed_offset: found.map_or(NO_OFFSET, |found| found.offset),
        committed_leader_epoch: found.map_or(-1, |found| found.leader_epoch),
        metadata: Some(found.map(|found| found.metadata.clone()).unwrap_or_default()),
        error_code,
        ..Default::default()
    }
}
