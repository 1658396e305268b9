//! A classic group as the record that it is in the log, and back.

use std::collections::BTreeSet;
use std::sync::Arc;

use strandline_protocol::embedded::consumer::ConsumerProtocolSubscription;
use strandline_protocol::group_log::group_metadata::{GroupMetadataKey, GroupMetadataValue, MemberMetadata};
use strandline_protocol::group_log::{GroupLogKey, GroupLogValue};
use strandline_protocol::{Bytes, Message, Reader, Text};

use super::{ClassicGroup, Member, State};
use crate::groups::GroupRecord;

impl ClassicGroup {
    /// The group as the log has it. Members are taken to be stable: if a rebalance was under way, they join again.
    pub(in super::super) fn from_record(value: &GroupMetadataValue) -> Self {
        let mut group = Self {
            state: if value.members.is_empty() { State::Empty } else { State::Stable },
            state_since_ms: Some(value.current_state_timestamp).filter(|since_ms| *since_ms != -1),
            generation: value.generation,
            protocol_type: Some(value.protocol_type.detached()).filter(|name| !name.is_empty()),
            protocol: value.protocol.as_ref().map(Text::detached),
            leader: value.leader.as_ref().map(Text::detached),
            ..Self::default()
        };
        let protocol = group.protocol.clone().unwrap_or_default();
        for member in &value.members {
            let id = member.member_id.detached();
            if let Some(instance_id) = &member.group_instance_id {
                group.static_members.insert(instance_id.detached(), id.clone());
            }
            group.members.insert(id, Arc::new(member_from(member, &protocol)));
        }
        group.subscribed = group.compute_subscribed();
        group
    }

    /// The record of the group as it is, with what each member is assigned.
    pub(in super::super) fn to_record(&self, id: &Text) -> GroupRecord {
        let protocol = self.protocol.as_deref().unwrap_or_default();
        let members = self.members.iter().map(|(id, member)| MemberMetadata {
            member_id: id.clone(),
            group_instance_id: member.instance_id.clone(),
            client_id: member.client_id.clone(),
            client_host: member.client_host.clone(),
            rebalance_timeout: member.rebalance_timeout_ms,
            session_timeout: member.session_timeout_ms,
            subscription: member.metadata(protocol).cloned().unwrap_or_default(),
            assignment: member.assignment.clone(),
            ..Default::default()
        });
        let value = GroupMetadataValue {
            protocol_type: self.protocol_type.clone().unwrap_or_default(),
            generation: self.generation,
            protocol: self.protocol.clone(),
            leader: self.leader.clone(),
            current_state_timestamp: self.state_since_ms.unwrap_or(-1),
            members: members.collect(),
            ..Default::default()
        };
        GroupRecord { key: key(id), value: Some(GroupLogValue::GroupMetadata(value)) }
    }

    /// The record that takes a group away.
    pub(in super::super) fn tombstone(id: &Text) -> GroupRecord {
        GroupRecord { key: key(id), value: None }
    }

    /// What its members read, if they are consumers and say so in a way that can be read.
    pub(super) fn compute_subscribed(&self) -> Option<Arc<BTreeSet<Text>>> {
        if !self.is_of_consumers() {
            return None;
        }
        let mut topics = BTreeSet::new();
        for member in self.members.values() {
            let metadata = member.metadata(self.protocol.as_deref()?)?;
            topics.extend(subscribed_topics(metadata)?);
        }
        Some(Arc::new(topics))
    }
}

/// What a member reads. All versions begin as the first does, behind two bytes that say which one it is.
fn subscribed_topics(metadata: &Bytes) -> Option<Vec<Text>> {
    let body = metadata.len().checked_sub(2).map(|_| metadata.slice(2..))?;
    let subscription = ConsumerProtocolSubscription::read(&mut Reader::new(body), 0).ok()?;
    Some(subscription.topics.iter().map(Text::detached).collect())
}

fn key(id: &Text) -> GroupLogKey {
    GroupLogKey::GroupMetadata(GroupMetadataKey { group: id.clone() })
}

/// A copy that keeps nothing else alive.
fn detached(bytes: &Bytes) -> Bytes {
    Bytes::copy_from_slice(bytes)
}

fn member_from(member: &MemberMetadata, protocol: &Text) -> Member {
    let rebalance_timeout_ms =
        if member.rebalance_timeout == -1 { member.session_timeout } else { member.rebalance_timeout };
    Member {
        instance_id: member.group_instance_id.as_ref().map(Text::detached),
        client_id: member.client_id.detached(),
        client_host: member.client_host.detached(),
        rebalance_timeout_ms,
        session_timeout_ms: member.session_timeout,
        protocols: Arc::new(vec![(protocol.clone(), detached(&member.subscription))]),
        assignment: detached(&member.assignment),
        ..Member::default()
    }
}
