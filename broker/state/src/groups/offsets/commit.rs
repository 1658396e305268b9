//! What becomes of a commit, once its group has let it pass.

use strandline_protocol::apis::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestTopic, OffsetCommitResponse, OffsetCommitResponsePartition,
    OffsetCommitResponseTopic,
};
use strandline_protocol::apis::txn_offset_commit::{
    TxnOffsetCommitRequest, TxnOffsetCommitResponse, TxnOffsetCommitResponsePartition,
    TxnOffsetCommitResponseTopic,
};
use strandline_protocol::group_log::offset_commit::{OffsetCommitKey, OffsetCommitValue};
use strandline_protocol::group_log::{GroupLogKey, GroupLogValue};
use strandline_protocol::{ErrorCode, Text, Uuid};

use super::super::{GroupRecord, Groups};

/// The retention of a commit that leaves it to the broker.
const RETENTION_OF_BROKER: i64 = -1;

/// How much a client may note beside an offset, in UTF-16's units, as Java counts.
fn check(metadata: Option<&Text>, metadata_max: usize) -> ErrorCode {
    let length = metadata.map_or(0, |metadata| metadata.encode_utf16().count());
    if length > metadata_max { ErrorCode::OFFSET_METADATA_TOO_LARGE } else { ErrorCode::NONE }
}

fn record(group: &Text, topic: &Text, partition: i32, value: OffsetCommitValue) -> GroupRecord {
    let (group, topic) = (group.clone(), topic.clone());
    let key = GroupLogKey::OffsetCommit(OffsetCommitKey { group, topic, partition });
    GroupRecord { key, value: Some(GroupLogValue::OffsetCommit(value)) }
}

/// The record that takes an offset away.
pub(super) fn tombstone(group: &Text, topic: &Text, partition: i32) -> GroupRecord {
    let (group, topic) = (group.clone(), topic.clone());
    let key = GroupLogKey::OffsetCommit(OffsetCommitKey { group, topic, partition });
    GroupRecord { key, value: None }
}

/// The records of a commit, and its answer: partitions are independent of one another.
pub(super) fn commit(
    now_ms: i64,
    metadata_max: usize,
    request: &OffsetCommitRequest,
) -> (Vec<GroupRecord>, OffsetCommitResponse) {
    let expire_timestamp = match request.retention_time_ms {
        RETENTION_OF_BROKER => -1,
        retention_ms => now_ms.saturating_add(retention_ms),
    };
    let mut records = Vec::new();
    let mut topic = |topic: &OffsetCommitRequestTopic| {
        let partitions = topic.partitions.iter().map(|partition| {
            let error_code = check(partition.committed_metadata.as_ref(), metadata_max);
            if error_code == ErrorCode::NONE {
                let value = OffsetCommitValue {
                    offset: partition.committed_offset,
                    leader_epoch: partition.committed_leader_epoch,
                    metadata: partition.committed_metadata.clone().unwrap_or_default(),
                    commit_timestamp: now_ms,
                    expire_timestamp,
                    topic_id: topic.topic_id,
                    ..Default::default()
                };
                records.push(record(&request.group_id, &topic.name, partition.partition_index, value));
            }
            let partition_index = partition.partition_index;
            OffsetCommitResponsePartition { partition_index, error_code, ..Default::default() }
        });
        OffsetCommitResponseTopic {
            name: topic.name.clone(),
            topic_id: topic.topic_id,
            partitions: partitions.collect(),
            ..Default::default()
        }
    };
    let topics = request.topics.iter().map(&mut topic).collect();
    (records, OffsetCommitResponse { topics, ..Default::default() })
}

/// The records of a commit in a transaction, and its answer.
pub(super) fn commit_in_transaction(
    groups: &Groups,
    now_ms: i64,
    request: &TxnOffsetCommitRequest,
) -> (Vec<GroupRecord>, TxnOffsetCommitResponse) {
    let mut records = Vec::new();
    let topics = request.topics.iter().map(|topic| {
        // The request has no place for it.
        let topic_id = groups.image.topic(&topic.name).map_or(Uuid::ZERO, |found| found.id());
        let partitions = topic.partitions.iter().map(|partition| {
            let error_code =
                check(partition.committed_metadata.as_ref(), groups.settings.offset_metadata_max);
            if error_code == ErrorCode::NONE {
                let value = OffsetCommitValue {
                    offset: partition.committed_offset,
                    leader_epoch: partition.committed_leader_epoch,
                    metadata: partition.committed_metadata.clone().unwrap_or_default(),
                    commit_timestamp: now_ms,
                    topic_id,
                    ..Default::default()
                };
                records.push(record(&request.group_id, &topic.name, partition.partition_index, value));
            }
            let partition_index = partition.partition_index;
            TxnOffsetCommitResponsePartition { partition_index, error_code, ..Default::default() }
        });
        let partitions = partitions.collect();
        TxnOffsetCommitResponseTopic { name: topic.name.clone(), partitions, ..Default::default() }
    });
    let topics = topics.collect();
    (records, TxnOffsetCommitResponse { topics, ..Default::default() })
}
