//! The records of a consumer group, as Kafka 4.3 writes them.

use strandline_protocol::group_log::consumer_group_current_member_assignment::ConsumerGroupCurrentMemberAssignmentKey;
use strandline_protocol::group_log::consumer_group_member_metadata::ConsumerGroupMemberMetadataKey;
use strandline_protocol::group_log::consumer_group_metadata::{
    ConsumerGroupMetadataKey, ConsumerGroupMetadataValue,
};
use strandline_protocol::group_log::consumer_group_partition_metadata::ConsumerGroupPartitionMetadataKey;
use strandline_protocol::group_log::consumer_group_regular_expression::{
    ConsumerGroupRegularExpressionKey, ConsumerGroupRegularExpressionValue,
};
use strandline_protocol::group_log::consumer_group_target_assignment_member::{
    ConsumerGroupTargetAssignmentMemberKey, ConsumerGroupTargetAssignmentMemberValue, TopicPartition,
};
use strandline_protocol::group_log::consumer_group_target_assignment_metadata::{
    ConsumerGroupTargetAssignmentMetadataKey, ConsumerGroupTargetAssignmentMetadataValue,
};
use strandline_protocol::group_log::{GroupLogKey, GroupLogValue};
use strandline_protocol::{Text, Uuid};

use super::group::{ConsumerGroup, ResolvedRegex};
use super::member::Member;
use crate::groups::GroupRecord;
use crate::groups::partitions::Partitions;

const fn record(key: GroupLogKey, value: Option<GroupLogValue>) -> GroupRecord {
    GroupRecord { key, value }
}

/// The group's epoch, and a hash over the topics that it is subscribed to.
pub(super) fn epoch(group_id: &Text, epoch: i32, metadata_hash: i64) -> GroupRecord {
    let key = ConsumerGroupMetadataKey { group_id: group_id.clone() };
    let value = ConsumerGroupMetadataValue { epoch, metadata_hash, ..Default::default() };
    record(GroupLogKey::ConsumerGroupMetadata(key), Some(GroupLogValue::ConsumerGroupMetadata(value)))
}

fn no_epoch(group_id: &Text) -> GroupRecord {
    record(GroupLogKey::ConsumerGroupMetadata(ConsumerGroupMetadataKey { group_id: group_id.clone() }), None)
}

/// Takes back what Kafka 4.0 wrote of the topics.
pub(super) fn no_partition_metadata(group_id: &Text) -> GroupRecord {
    let key = ConsumerGroupPartitionMetadataKey { group_id: group_id.clone() };
    record(GroupLogKey::ConsumerGroupPartitionMetadata(key), None)
}

fn member_key(group_id: &Text, member_id: &Text) -> GroupLogKey {
    let (group_id, member_id) = (group_id.clone(), member_id.clone());
    GroupLogKey::ConsumerGroupMemberMetadata(ConsumerGroupMemberMetadataKey { group_id, member_id })
}

/// Who a member is, and what it is subscribed to.
pub(super) fn member(group_id: &Text, member: &Member) -> GroupRecord {
    let value = GroupLogValue::ConsumerGroupMemberMetadata(member.to_metadata());
    record(member_key(group_id, &member.id), Some(value))
}

fn current_key(group_id: &Text, member_id: &Text) -> GroupLogKey {
    let (group_id, member_id) = (group_id.clone(), member_id.clone());
    let key = ConsumerGroupCurrentMemberAssignmentKey { group_id, member_id };
    GroupLogKey::ConsumerGroupCurrentMemberAssignment(key)
}

/// What a member has, and its epoch.
pub(super) fn current(group_id: &Text, member: &Member) -> GroupRecord {
    let value = GroupLogValue::ConsumerGroupCurrentMemberAssignment(member.to_current());
    record(current_key(group_id, &member.id), Some(value))
}

fn target_key(group_id: &Text, member_id: &Text) -> GroupLogKey {
    let (group_id, member_id) = (group_id.clone(), member_id.clone());
    let key = ConsumerGroupTargetAssignmentMemberKey { group_id, member_id };
    GroupLogKey::ConsumerGroupTargetAssignmentMember(key)
}

/// What a member shall have.
pub(super) fn target(group_id: &Text, member_id: &Text, target: &Partitions) -> GroupRecord {
    let topics = target.topics().map(|(topic_id, partitions): (Uuid, _)| TopicPartition {
        topic_id,
        partitions: partitions.iter().copied().collect(),
        ..Default::default()
    });
    let value =
        ConsumerGroupTargetAssignmentMemberValue { topic_partitions: topics.collect(), ..Default::default() };
    let value = GroupLogValue::ConsumerGroupTargetAssignmentMember(value);
    record(target_key(group_id, member_id), Some(value))
}

fn target_epoch_key(group_id: &Text) -> GroupLogKey {
    let key = ConsumerGroupTargetAssignmentMetadataKey { group_id: group_id.clone() };
    GroupLogKey::ConsumerGroupTargetAssignmentMetadata(key)
}

/// The epoch that the target is for, and when it was computed.
pub(super) fn target_epoch(group_id: &Text, assignment_epoch: i32, assignment_timestamp: i64) -> GroupRecord {
    let value = ConsumerGroupTargetAssignmentMetadataValue {
        assignment_epoch,
        assignment_timestamp,
        ..Default::default()
    };
    let value = GroupLogValue::ConsumerGroupTargetAssignmentMetadata(value);
    record(target_epoch_key(group_id), Some(value))
}

fn regex_key(group_id: &Text, regex: &Text) -> GroupLogKey {
    let (group_id, regular_expression) = (group_id.clone(), regex.clone());
    let key = ConsumerGroupRegularExpressionKey { group_id, regular_expression };
    GroupLogKey::ConsumerGroupRegularExpression(key)
}

/// The topics that a pattern stands for.
pub(super) fn regex(group_id: &Text, regex: &Text, resolved: &ResolvedRegex) -> GroupRecord {
    let value = ConsumerGroupRegularExpressionValue {
        topics: resolved.topics.to_vec(),
        version: resolved.version,
        timestamp: resolved.at_ms,
        ..Default::default()
    };
    let value = GroupLogValue::ConsumerGroupRegularExpression(value);
    record(regex_key(group_id, regex), Some(value))
}

/// Nobody is subscribed with a pattern any more.
pub(super) fn no_regex(group_id: &Text, regex: &Text) -> GroupRecord {
    record(regex_key(group_id, regex), None)
}

/// A member is no more. The order counts: a reader takes its partitions from it first.
pub(super) fn no_member(group_id: &Text, member_id: &Text) -> [GroupRecord; 3] {
    [current_key(group_id, member_id), target_key(group_id, member_id), member_key(group_id, member_id)]
        .map(|key| record(key, None))
}

/// The group is no more. The order counts: a reader refuses to end a group that has anything.
pub(super) fn no_group(group: &ConsumerGroup) -> Vec<GroupRecord> {
    let id = group.id();
    let of_members = |key: fn(&Text, &Text) -> GroupLogKey| {
        group.members().map(move |member| record(key(id, &member.id), None))
    };
    let mut records: Vec<GroupRecord> = of_members(current_key).collect();
    records.extend(of_members(target_key));
    records.push(record(target_epoch_key(id), None));
    records.extend(of_members(member_key));
    records.extend(group.regexes.iter().map(|(regex, _)| no_regex(id, regex)));
    records.push(no_partition_metadata(id));
    records.push(no_epoch(id));
    records
}
