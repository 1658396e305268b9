//! A consumer group: what its records say, and what can be asked of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use strandline_protocol::{Text, Uuid};

use super::member::Member;
use crate::groups::partitions::Partitions;
use crate::tree::TreeMap;

/// The epoch of a group, and of its target, before anything happened.
const EPOCH_FIRST: i32 = 1;

/// Where a group stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// It has no members.
    Empty,
    /// Its target is older than itself.
    Assigning,
    /// Members are on the way to the target.
    Reconciling,
    /// All are there.
    Stable,
}

impl State {
    /// Kafka's name for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Empty => "Empty",
            Self::Assigning => "Assigning",
            Self::Reconciling => "Reconciling",
            Self::Stable => "Stable",
        }
    }
}

/// The topics that a pattern stands for.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ResolvedRegex {
    /// Their names, rising.
    pub topics: Arc<[Text]>,
    /// The version of the cluster's metadata that it was held against.
    pub version: i64,
    /// When.
    pub at_ms: i64,
}

/// What is in memory alone, and is made anew after replay.
#[derive(Clone, Debug, Default)]
pub(super) struct Soft {
    /// The metadata's version against which the group's topics were held last.
    pub(super) topics_checked: Option<i64>,
    /// The same for its patterns, and when that was.
    pub(super) regexes_checked: Option<(i64, i64)>,
    /// Members of the classic protocol that have to join anew, and have their time for it.
    pub(super) joins_awaited: BTreeSet<Text>,
}

/// A consumer group. A clone costs a few reference counts.
#[derive(Clone, Debug)]
pub struct ConsumerGroup {
    pub(super) id: Text,
    pub(super) epoch: i32,
    pub(super) metadata_hash: i64,
    pub(super) members: TreeMap<Text, Arc<Member>>,
    /// The members that have a configured name, by that.
    pub(super) static_members: TreeMap<Text, Text>,
    /// Who has each partition, those included that have not confirmed that they gave it up.
    pub(super) owners: TreeMap<(Uuid, i32), Text>,
    pub(super) target_epoch: i32,
    /// When the target was computed; 0 = not known.
    pub(super) target_at_ms: i64,
    pub(super) targets: TreeMap<Text, Arc<Partitions>>,
    pub(super) regexes: TreeMap<Text, Arc<ResolvedRegex>>,
    /// Whether the log has a record of a kind that Kafka 4.0 wrote, and nobody reads any more.
    pub(super) has_partition_metadata: bool,
    pub(super) soft: Soft,
}

// What is in memory alone is no part of what a group is.
impl PartialEq for ConsumerGroup {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
            && self.epoch == other.epoch
            && self.metadata_hash == other.metadata_hash
            && self.members == other.members
            && self.static_members == other.static_members
            && self.owners == other.owners
            && self.target_epoch == other.target_epoch
            && self.target_at_ms == other.target_at_ms
            && self.targets == other.targets
            && self.regexes == other.regexes
            && self.has_partition_metadata == other.has_partition_metadata
    }
}

impl ConsumerGroup {
    /// A group that nobody joined yet.
    pub fn new(id: Text) -> Self {
        Self {
            id,
            epoch: EPOCH_FIRST,
            metadata_hash: 0,
            members: TreeMap::default(),
            static_members: TreeMap::default(),
            owners: TreeMap::default(),
            target_epoch: EPOCH_FIRST,
            target_at_ms: 0,
            targets: TreeMap::default(),
            regexes: TreeMap::default(),
            has_partition_metadata: false,
            soft: Soft::default(),
        }
    }

    /// Its id.
    pub const fn id(&self) -> &Text {
        &self.id
    }

    /// Its epoch.
    pub const fn epoch(&self) -> i32 {
        self.epoch
    }

    /// The epoch that its target was computed for; -1 = it has none.
    pub const fn target_epoch(&self) -> i32 {
        self.target_epoch
    }

    /// Its members, by rising id.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().map(|(_, member)| &**member)
    }

    /// How many members it has.
    pub const fn member_count(&self) -> usize {
        self.members.len()
    }

    /// Whether it has no members.
    pub const fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The member of this id.
    pub fn member(&self, member_id: &str) -> Option<&Member> {
        self.members.get(member_id).map(|member| &**member)
    }

    /// The member of this configured name.
    pub fn static_member(&self, instance_id: &str) -> Option<&Member> {
        self.member(self.static_members.get(instance_id)?)
    }

    /// What a member shall have.
    pub fn target(&self, member_id: &str) -> Option<&Arc<Partitions>> {
        self.targets.get(member_id)
    }

    /// Who has a partition, one that has not confirmed that it gave it up included.
    pub fn owner(&self, topic_id: Uuid, partition: i32) -> Option<&Text> {
        self.owners.get(&(topic_id, partition))
    }

    /// The topics that a pattern of a member stands for.
    pub fn resolved(&self, regex: &str) -> Option<&ResolvedRegex> {
        self.regexes.get(regex).map(|resolved| &**resolved)
    }

    /// Where it stands.
    pub fn state(&self) -> State {
        if self.is_empty() {
            State::Empty
        } else if self.epoch > self.target_epoch {
            State::Assigning
        } else if self.members().all(|member| member.is_reconciled_to(self.target_epoch)) {
            State::Stable
        } else {
            State::Reconciling
        }
    }

    /// Whether a member reads this topic.
    pub fn is_subscribed_to(&self, topic: &str) -> bool {
        let has = |names: &[Text]| names.binary_search_by(|name| name.as_str().cmp(topic)).is_ok();
        self.regexes.iter().any(|(_, resolved)| has(&resolved.topics))
            || self.members().any(|member| has(&member.topic_names))
    }

    /// How many members are subscribed with a pattern.
    pub(super) fn subscribers_of(&self, regex: &str) -> usize {
        self.members().filter(|member| member.topic_regex == regex).count()
    }

    /// The names that a member is subscribed to, by name or by pattern. A name may come twice.
    pub(super) fn names_of<'a>(&'a self, member: &'a Member) -> impl Iterator<Item = &'a Text> {
        let by_regex = member.regex().and_then(|regex| self.resolved(regex));
        member.topic_names.iter().chain(by_regex.into_iter().flat_map(|resolved| resolved.topics.iter()))
    }
}
