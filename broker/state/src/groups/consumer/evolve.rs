//! What a record changes in a consumer group.
//!
//! Records may come out of a log that was compacted, in which the first of what belongs together is gone, or that was
//! written by a version with other habits. So nothing here depends on an order, and nothing is refused.

use std::sync::Arc;

use strandline_protocol::group_log::{GroupLogKey, GroupLogValue};
use strandline_protocol::{Text, Uuid};

use super::group::{ConsumerGroup, ResolvedRegex};
use super::member::{Member, Owned};
use crate::groups::GroupRecord;
use crate::groups::partitions::Partitions;

/// The consumer group that a record is about; none if it is about something else.
pub fn group_id(key: &GroupLogKey) -> Option<&Text> {
    match key {
        GroupLogKey::ConsumerGroupMetadata(key) => Some(&key.group_id),
        GroupLogKey::ConsumerGroupPartitionMetadata(key) => Some(&key.group_id),
        GroupLogKey::ConsumerGroupMemberMetadata(key) => Some(&key.group_id),
        GroupLogKey::ConsumerGroupTargetAssignmentMetadata(key) => Some(&key.group_id),
        GroupLogKey::ConsumerGroupTargetAssignmentMember(key) => Some(&key.group_id),
        GroupLogKey::ConsumerGroupCurrentMemberAssignment(key) => Some(&key.group_id),
        GroupLogKey::ConsumerGroupRegularExpression(key) => Some(&key.group_id),
        _ => None,
    }
}

impl ConsumerGroup {
    /// Takes in a record that is about this group; says whether there is still a group after it.
    pub fn evolve(&mut self, record: &GroupRecord) -> bool {
        use {GroupLogKey as Key, GroupLogValue as Value};
        match (&record.key, &record.value) {
            (Key::ConsumerGroupMetadata(_), None) => return false,
            (Key::ConsumerGroupMetadata(_), Some(Value::ConsumerGroupMetadata(value))) => {
                self.epoch = value.epoch;
                self.metadata_hash = value.metadata_hash;
            }
            (Key::ConsumerGroupPartitionMetadata(_), value) => self.has_partition_metadata = value.is_some(),
            (Key::ConsumerGroupMemberMetadata(key), None) => self.remove(&key.member_id),
            (Key::ConsumerGroupMemberMetadata(key), Some(Value::ConsumerGroupMemberMetadata(value))) => {
                self.update(&key.member_id, |member| member.set_metadata(value));
            }
            (Key::ConsumerGroupCurrentMemberAssignment(key), None) => self.dispossess(&key.member_id),
            (
                Key::ConsumerGroupCurrentMemberAssignment(key),
                Some(Value::ConsumerGroupCurrentMemberAssignment(value)),
            ) => self.update(&key.member_id, |member| member.set_current(value)),
            (Key::ConsumerGroupTargetAssignmentMetadata(_), None) => {
                (self.target_epoch, self.target_at_ms) = (-1, 0);
            }
            (
                Key::ConsumerGroupTargetAssignmentMetadata(_),
                Some(Value::ConsumerGroupTargetAssignmentMetadata(value)),
            ) => {
                self.target_epoch = value.assignment_epoch;
                self.target_at_ms = value.assignment_timestamp;
            }
            (Key::ConsumerGroupTargetAssignmentMember(key), value) => {
                self.set_target(&key.member_id, value.as_ref());
            }
            (Key::ConsumerGroupRegularExpression(key), value) => {
                self.set_regex(&key.regular_expression, value.as_ref());
            }
            _ => {}
        }
        true
    }

    /// Changes a member, or makes it, and everything that is found by it.
    fn update(&mut self, member_id: &Text, change: impl FnOnce(&mut Member)) {
        let before = self.members.get(member_id).cloned();
        let id = before.as_ref().map_or_else(|| member_id.detached(), |member| member.id.clone());
        let mut member = before.as_deref().cloned().unwrap_or_else(|| Member::new(id.clone()));
        change(&mut member);
        // Most members of a group are subscribed to the same: they share the list.
        let other = self.members().next().filter(|other| other.topic_names == member.topic_names);
        if let Some(other) = other {
            member.topic_names = Arc::clone(&other.topic_names);
        }
        if let Some(before) = &before {
            self.release(&id, &before.assigned, &member);
            self.release(&id, &before.revoking, &member);
            let instance_id = before.instance_id.as_ref();
            self.forget_name(&id, instance_id.filter(|_| before.instance_id != member.instance_id));
        }
        for (topic_id, partition, _) in member.assigned.iter().chain(member.revoking.iter()) {
            if self.owners.get(&(topic_id, partition)) != Some(&id) {
                self.owners.insert((topic_id, partition), id.clone());
            }
        }
        if let Some(instance_id) = &member.instance_id
            && self.static_members.get(instance_id) != Some(&id)
        {
            self.static_members.insert(instance_id.clone(), id.clone());
        }
        self.members.insert(id, Arc::new(member));
    }

    /// Takes from a member what it had, but for what it still has.
    fn release(&mut self, member_id: &Text, had: &Owned, has: &Member) {
        for (topic_id, partition, _) in had.iter() {
            let place = (topic_id, partition);
            if !has.holds(topic_id, partition) && self.owners.get(&place) == Some(member_id) {
                self.owners.remove(&place);
            }
        }
    }

    fn forget_name(&mut self, member_id: &Text, instance_id: Option<&Text>) {
        // Who replaced it may have the name already.
        if let Some(instance_id) = instance_id
            && self.static_members.get(instance_id) == Some(member_id)
        {
            self.static_members.remove(instance_id);
        }
    }

    fn remove(&mut self, member_id: &Text) {
        let Some(member) = self.members.remove(member_id) else { return };
        let nobody = Member::new(member.id.clone());
        self.release(&member.id, &member.assigned, &nobody);
        self.release(&member.id, &member.revoking, &nobody);
        self.forget_name(&member.id, member.instance_id.as_ref());
        self.soft.joins_awaited.remove(&member.id);
    }

    fn dispossess(&mut self, member_id: &Text) {
        if self.members.contains(member_id) {
            self.update(member_id, |member| {
                (member.epoch, member.previous_epoch) = (-1, -1);
                (member.assigned, member.revoking) = (Owned::default(), Owned::default());
            });
        }
    }

    fn set_target(&mut self, member_id: &Text, value: Option<&GroupLogValue>) {
        let Some(GroupLogValue::ConsumerGroupTargetAssignmentMember(value)) = value else {
            self.targets.remove(member_id);
            return;
        };
        let of_topic = |topic_id: Uuid, partitions: &[i32]| -> Vec<(Uuid, i32)> {
            partitions.iter().map(|partition| (topic_id, *partition)).collect()
        };
        let topics = value.topic_partitions.iter();
        let target: Partitions =
            topics.flat_map(|topic| of_topic(topic.topic_id, &topic.partitions)).collect();
        let id = self.members.get(member_id).map_or_else(|| member_id.detached(), |member| member.id.clone());
        self.targets.insert(id, Arc::new(target));
    }

    fn set_regex(&mut self, regex: &Text, value: Option<&GroupLogValue>) {
        let Some(GroupLogValue::ConsumerGroupRegularExpression(value)) = value else {
            self.regexes.remove(regex);
            return;
        };
        let mut topics: Vec<Text> = value.topics.iter().map(Text::detached).collect();
        topics.sort_unstable();
        topics.dedup();
        let resolved =
            ResolvedRegex { topics: topics.into(), version: value.version, at_ms: value.timestamp };
        self.regexes.insert(regex.detached(), Arc::new(resolved));
    }
}
