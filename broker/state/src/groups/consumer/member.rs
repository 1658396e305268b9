//! A member of a consumer group, and how it stands in records.

use std::collections::BTreeMap;
use std::sync::Arc;

use strandline_protocol::apis::consumer_group_heartbeat::{Assignment, ResponseTopicPartitions};
use strandline_protocol::group_log::consumer_group_current_member_assignment::{
    ConsumerGroupCurrentMemberAssignmentValue, TopicPartitions,
};
use strandline_protocol::group_log::consumer_group_member_metadata::{
    ClassicMemberMetadata, ClassicProtocol, ConsumerGroupMemberMetadataValue,
};
use strandline_protocol::{Bytes, Text, Uuid};

/// The epoch that a static member has which went and will be back.
pub(super) const EPOCH_OF_ABSENT: i32 = -2;

/// Where a member stands between its last target and the next.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum MemberState {
    /// It has reached its epoch.
    #[default]
    Stable,
    /// It has to give up partitions, and to say that it did.
    Unrevoked,
    /// It waits for partitions that others have yet to give up.
    Unreleased,
    /// What a newer version of this program wrote.
    Unknown,
}

impl MemberState {
    const fn to_number(self) -> i8 {
        match self {
            Self::Stable => 0,
            Self::Unrevoked => 1,
            Self::Unreleased => 2,
            Self::Unknown => 127,
        }
    }

    const fn of_number(number: i8) -> Self {
        match number {
            0 => Self::Stable,
            1 => Self::Unrevoked,
            2 => Self::Unreleased,
            _ => Self::Unknown,
        }
    }
}

/// Partitions by topic, each with the epoch in which the member got it. No topic stands in it without a partition.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Owned {
    topics: BTreeMap<Uuid, BTreeMap<i32, i32>>,
}

impl Owned {
    /// Adds a partition that was got in an epoch.
    pub(super) fn insert(&mut self, topic_id: Uuid, partition: i32, epoch: i32) {
        self.topics.entry(topic_id).or_default().insert(partition, epoch);
    }

    /// Whether this partition is in it.
    pub fn contains(&self, topic_id: Uuid, partition: i32) -> bool {
        self.epoch_of(topic_id, partition).is_some()
    }

    /// The epoch in which this partition was got.
    pub fn epoch_of(&self, topic_id: Uuid, partition: i32) -> Option<i32> {
        self.topics.get(&topic_id)?.get(&partition).copied()
    }

    /// Topic, partition and epoch, by rising topic id and number.
    pub fn iter(&self) -> impl Iterator<Item = (Uuid, i32, i32)> {
        self.topics().flat_map(|(topic_id, partitions)| {
            partitions.iter().map(move |(partition, epoch)| (topic_id, *partition, *epoch))
        })
    }

    /// The topics by rising id, each with its partitions and their epochs.
    pub fn topics(&self) -> impl Iterator<Item = (Uuid, &BTreeMap<i32, i32>)> {
        self.topics.iter().map(|(topic_id, partitions)| (*topic_id, partitions))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.topics.is_empty()
    }

    /// The same partitions, as if they had been got before everything.
    #[must_use]
    pub(super) fn with_epoch_zero(&self) -> Self {
        self.iter().map(|(topic_id, partition, _)| (topic_id, partition, 0)).collect()
    }

    fn to_record(&self) -> Vec<TopicPartitions> {
        let topics = self.topics().map(|(topic_id, partitions)| TopicPartitions {
            topic_id,
            partitions: partitions.keys().copied().collect(),
            assignment_epochs: Some(partitions.values().copied().collect()),
            ..Default::default()
        });
        topics.collect()
    }

    /// Those without epochs, as older versions wrote them, have that of the member.
    fn of_record(topics: &[TopicPartitions], member_epoch: i32) -> Self {
        let mut owned = Self::default();
        for topic in topics {
            let epochs = topic.assignment_epochs.as_deref().unwrap_or_default();
            let is_complete = epochs.len() == topic.partitions.len();
            for (place, partition) in topic.partitions.iter().enumerate() {
                let epoch = epochs.get(place).copied().filter(|_| is_complete);
                owned.insert(topic.topic_id, *partition, epoch.unwrap_or(member_epoch.max(0)));
            }
        }
        owned
    }

    /// What a heartbeat is answered.
    pub(super) fn to_assignment(&self) -> Assignment {
        let topics = self.topics().map(|(topic_id, partitions)| ResponseTopicPartitions {
            topic_id,
            partitions: partitions.keys().copied().collect(),
            ..Default::default()
        });
        Assignment { topic_partitions: topics.collect(), ..Default::default() }
    }
}

impl FromIterator<(Uuid, i32, i32)> for Owned {
    fn from_iter<I: IntoIterator<Item = (Uuid, i32, i32)>>(partitions: I) -> Self {
        let mut owned = Self::default();
        for (topic_id, partition, epoch) in partitions {
            owned.insert(topic_id, partition, epoch);
        }
        owned
    }
}

/// A member.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Its id.
    pub id: Text,
    /// The epoch that its next heartbeat must name.
    pub epoch: i32,
    /// The one before, which it may still name.
    pub previous_epoch: i32,
    /// Where it stands.
    pub state: MemberState,
    /// The configured name of a static member.
    pub instance_id: Option<Text>,
    /// The failure zone in which it stands.
    pub rack_id: Option<Text>,
    /// What its client calls itself.
    pub client_id: Text,
    /// Where it is.
    pub client_host: Text,
    /// The topics that it is subscribed to by name, rising, each once.
    pub topic_names: Arc<[Text]>,
    /// The pattern that it is subscribed with; empty = none.
    pub topic_regex: Text,
    /// How long it may take to give up partitions; -1 = not told.
    pub rebalance_timeout_ms: i32,
    /// The assignor that it would like.
    pub assignor: Option<Text>,
    /// What it may use.
    pub assigned: Owned,
    /// What it was told to give up and has not confirmed.
    pub revoking: Owned,
    /// What only members of the classic protocol have.
    pub classic: Option<ClassicMemberMetadata>,
}

impl Member {
    /// A member that has said nothing yet.
    pub(super) fn new(id: Text) -> Self {
        Self {
            id,
            epoch: 0,
            previous_epoch: -1,
            state: MemberState::Stable,
            instance_id: None,
            rack_id: None,
            client_id: Text::new(),
            client_host: Text::new(),
            topic_names: Arc::from([]),
            topic_regex: Text::new(),
            rebalance_timeout_ms: -1,
            assignor: None,
            assigned: Owned::default(),
            revoking: Owned::default(),
            classic: None,
        }
    }

    /// Whether it has what it shall have in this epoch.
    pub fn is_reconciled_to(&self, target_epoch: i32) -> bool {
        self.state == MemberState::Stable && self.epoch == target_epoch
    }

    /// Whether it speaks the classic protocol.
    pub fn is_classic(&self) -> bool {
        self.classic.is_some()
    }

    /// The pattern that it is subscribed with, if it is with any.
    pub fn regex(&self) -> Option<&Text> {
        Some(&self.topic_regex).filter(|regex| !regex.is_empty())
    }

    /// Whether it has this partition, or has not confirmed that it gave it up.
    pub(super) fn holds(&self, topic_id: Uuid, partition: i32) -> bool {
        self.assigned.contains(topic_id, partition) || self.revoking.contains(topic_id, partition)
    }

    /// Moves on to an epoch.
    pub(super) fn advance_to(&mut self, epoch: i32) {
        self.previous_epoch = self.epoch;
        self.epoch = epoch;
    }

    pub(super) fn set_topic_names(&mut self, names: &[Text]) {
        let mut names: Vec<Text> = names.iter().map(Text::detached).collect();
        names.sort_unstable();
        names.dedup();
        if *names != *self.topic_names {
            self.topic_names = names.into();
        }
    }

    pub(super) fn to_metadata(&self) -> ConsumerGroupMemberMetadataValue {
        ConsumerGroupMemberMetadataValue {
            instance_id: self.instance_id.clone(),
            rack_id: self.rack_id.clone(),
            client_id: self.client_id.clone(),
            client_host: self.client_host.clone(),
            subscribed_topic_names: self.topic_names.to_vec(),
            subscribed_topic_regex: Some(self.topic_regex.clone()),
            rebalance_timeout_ms: self.rebalance_timeout_ms,
            server_assignor: self.assignor.clone(),
            classic_member_metadata: self.classic.clone(),
            ..Default::default()
        }
    }

    /// Takes in who it is; text in buffers of its own.
    pub(super) fn set_metadata(&mut self, value: &ConsumerGroupMemberMetadataValue) {
        let detached = |text: &Option<Text>| text.as_ref().map(Text::detached);
        self.instance_id = detached(&value.instance_id);
        self.rack_id = detached(&value.rack_id);
        self.client_id = value.client_id.detached();
        self.client_host = value.client_host.detached();
        self.set_topic_names(&value.subscribed_topic_names);
        self.topic_regex = detached(&value.subscribed_topic_regex).unwrap_or_default();
        self.rebalance_timeout_ms = value.rebalance_timeout_ms;
        self.assignor = detached(&value.server_assignor);
        self.classic = value.classic_member_metadata.as_ref().map(detached_classic);
    }

    pub(super) fn to_current(&self) -> ConsumerGroupCurrentMemberAssignmentValue {
        ConsumerGroupCurrentMemberAssignmentValue {
            member_epoch: self.epoch,
            previous_member_epoch: self.previous_epoch,
            state: self.state.to_number(),
            assigned_partitions: self.assigned.to_record(),
            partitions_pending_revocation: self.revoking.to_record(),
            ..Default::default()
        }
    }

    /// Takes in what it owns.
    pub(super) fn set_current(&mut self, value: &ConsumerGroupCurrentMemberAssignmentValue) {
        self.epoch = value.member_epoch;
        self.previous_epoch = value.previous_member_epoch;
        self.state = MemberState::of_number(value.state);
        self.assigned = Owned::of_record(&value.assigned_partitions, value.member_epoch);
        self.revoking = Owned::of_record(&value.partitions_pending_revocation, value.member_epoch);
    }
}

/// The same in buffers of its own, so that it keeps no frame alive.
fn detached_classic(classic: &ClassicMemberMetadata) -> ClassicMemberMetadata {
    let protocols = classic.supported_protocols.iter().map(|protocol| ClassicProtocol {
        name: protocol.name.detached(),
        metadata: Bytes::copy_from_slice(&protocol.metadata),
        ..Default::default()
    });
    ClassicMemberMetadata {
        session_timeout_ms: classic.session_timeout_ms,
        supported_protocols: protocols.collect(),
        ..Default::default()
    }
}
