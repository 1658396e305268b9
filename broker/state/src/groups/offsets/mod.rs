//! What groups committed, and what they will have committed if a transaction is.
//!
//! An offset of a transaction is pending until the marker of its producer: committed, it takes its place unless a
//! later record has put something there meanwhile; aborted, it is gone. A tombstone takes both away.

mod commit;
mod delete;
mod expiry;
mod fetch;
mod requests;

use std::collections::{BTreeMap, BTreeSet};

use strandline_protocol::group_log::offset_commit::{OffsetCommitKey, OffsetCommitValue};
use strandline_protocol::{Text, Uuid};

pub use self::requests::{commit_in_transaction_refused, commit_refused};

pub(super) use self::delete::{delete_for_topics, missing_topics};
pub(super) use self::expiry::expire;
pub(super) use self::requests::{decide_commit, decide_commit_in_transaction, decide_delete, decide_fetch};

use super::GroupRecord;
use crate::coordinator::{Origin, TransactionEnd};

/// How far a group got in one partition.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CommittedOffset {
    /// The offset of the next record to read.
    pub offset: i64,
    /// The leader epoch of the last record that was read; -1 = not known.
    pub leader_epoch: i32,
    /// A note of the client.
    pub metadata: Text,
    /// When it was committed.
    pub commit_ms: i64,
    /// When it expires, whatever becomes of its group; -1 = as the broker is set.
    pub expire_ms: i64,
    /// The topic's id; zero = not known.
    pub topic_id: Uuid,
    /// The offset of its own record: of two, the later one counts.
    pub recorded_at: i64,
}

impl CommittedOffset {
    /// What a record says. Nothing of it keeps the bytes alive that the record came in.
    fn from_record(recorded_at: i64, value: &OffsetCommitValue) -> Self {
        Self {
            offset: value.offset,
            leader_epoch: value.leader_epoch,
            metadata: if value.metadata.is_empty() { Text::new() } else { value.metadata.detached() },
            commit_ms: value.commit_timestamp,
            expire_ms: value.expire_timestamp,
            topic_id: value.topic_id,
            recorded_at,
        }
    }
}

/// The offsets of one group, by topic and partition.
pub type ByTopic = BTreeMap<Text, BTreeMap<i32, CommittedOffset>>;

/// Offsets by group, topic and partition. Nothing in it is empty.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Table(BTreeMap<Text, ByTopic>);

impl Table {
    fn get(&self, group: &str, topic: &str, partition: i32) -> Option<&CommittedOffset> {
        self.0.get(group)?.get(topic)?.get(&partition)
    }

    /// Puts an offset in its place; gives true if none was there.
    fn put(&mut self, group: &Text, topic: &Text, partition: i32, offset: CommittedOffset) -> bool {
        let topics = entry(&mut self.0, group);
        entry(topics, topic).insert(partition, offset).is_none()
    }

    fn remove(&mut self, group: &str, topic: &str, partition: i32) -> bool {
        let Some(topics) = self.0.get_mut(group) else { return false };
        let Some(partitions) = topics.get_mut(topic) else { return false };
        let was_there = partitions.remove(&partition).is_some();
        if partitions.is_empty() {
            topics.remove(topic);
        }
        if topics.is_empty() {
            self.0.remove(group);
        }
        was_there
    }
}

/// What is there for a name, which gets a buffer of its own only where it is new.
fn entry<'a, V: Default>(map: &'a mut BTreeMap<Text, V>, name: &Text) -> &'a mut V {
    if !map.contains_key(name.as_str()) {
        map.insert(name.detached(), V::default());
    }
    map.entry(name.clone()).or_default()
}

/// All offsets of one partition of the internal topic.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Offsets {
    committed: Table,
    /// By producer.
    pending: BTreeMap<i64, Table>,
    /// The producers that have some pending, by group.
    open: BTreeMap<Text, BTreeSet<i64>>,
    count: usize,
}

impl Offsets {
    /// How many there are, without those that are pending.
    pub fn count(&self) -> usize {
        self.count
    }

    /// What a group committed.
    pub fn of_group(&self, group: &str) -> Option<&ByTopic> {
        self.committed.0.get(group)
    }

    /// What a group committed in a partition.
    pub fn get(&self, group: &str, topic: &str, partition: i32) -> Option<&CommittedOffset> {
        self.committed.get(group, topic, partition)
    }

    /// Whether a transaction that is open may put something else in this place.
    pub fn is_pending(&self, group: &str, topic: &str, partition: i32) -> bool {
        let producers = self.open.get(group).into_iter().flatten();
        let mut tables = producers.filter_map(|producer| self.pending.get(producer));
        tables.any(|table| table.get(group, topic, partition).is_some())
    }

    /// Whether a transaction that is open has committed something for a group.
    pub fn has_open_transaction(&self, group: &str) -> bool {
        self.open.contains_key(group)
    }

    /// What a group has pending, a place twice where two producers have it.
    pub fn pending_of_group(&self, group: &str) -> impl Iterator<Item = (&Text, i32)> {
        let producers = self.open.get(group).into_iter().flatten();
        let topics = producers.filter_map(|producer| self.pending.get(producer)?.0.get(group)).flatten();
        topics.flat_map(|(topic, partitions)| partitions.keys().map(move |partition| (topic, *partition)))
    }

    /// The records that take away whatever a group has committed or has pending.
    pub(super) fn tombstones_of_group(&self, group: &Text) -> Vec<GroupRecord> {
        let committed = self.of_group(group).into_iter().flatten();
        let committed =
            committed.flat_map(|(topic, partitions)| partitions.keys().map(move |index| (topic, *index)));
        let places: BTreeSet<_> = committed.chain(self.pending_of_group(group)).collect();
        places.into_iter().map(|(topic, partition)| commit::tombstone(group, topic, partition)).collect()
    }

    /// The offsets of all groups for a topic, committed and pending, with the id of the topic that each is for.
    pub(super) fn of_topic(&self, topic: &str) -> impl Iterator<Item = (&Text, &Text, i32, Uuid)> {
        let tables = std::iter::once(&self.committed).chain(self.pending.values());
        let found = tables.flat_map(|table| &table.0).filter_map(move |(group, topics)| {
            let (topic, partitions) = topics.get_key_value(topic)?;
            Some(partitions.iter().map(move |(index, offset)| (group, topic, *index, offset.topic_id)))
        });
        found.flatten()
    }

    /// For each topic of each group the ids that its offsets are for.
    pub(super) fn all_topics(&self) -> impl Iterator<Item = (&Text, impl Iterator<Item = Uuid>)> {
        let tables = std::iter::once(&self.committed).chain(self.pending.values());
        let topics = tables.flat_map(|table| table.0.values()).flatten();
        topics.map(|(topic, partitions)| (topic, partitions.values().map(|offset| offset.topic_id)))
    }

    /// Takes in a record.
    pub(super) fn evolve(
        &mut self,
        offset: i64,
        origin: Origin,
        key: &OffsetCommitKey,
        value: Option<&OffsetCommitValue>,
    ) {
        let OffsetCommitKey { group, topic, partition } = key;
        let Some(value) = value else { return self.remove(group, topic, *partition) };
        let committed = CommittedOffset::from_record(offset, value);
        match origin {
            Origin::Plain => {
                self.count += usize::from(self.committed.put(group, topic, *partition, committed));
            }
            Origin::Transaction { producer_id, .. } => {
                self.pending.entry(producer_id).or_default().put(group, topic, *partition, committed);
                entry(&mut self.open, group).insert(producer_id);
            }
        }
    }

    fn remove(&mut self, group: &str, topic: &str, partition: i32) {
        self.count -= usize::from(self.committed.remove(group, topic, partition));
        for producer in self.open.get(group).into_iter().flatten() {
            if let Some(table) = self.pending.get_mut(producer) {
                table.remove(group, topic, partition);
            }
        }
    }

    /// Takes in the end of a producer's transaction.
    pub(super) fn end_transaction(&mut self, end: TransactionEnd) {
        let Some(table) = self.pending.remove(&end.producer_id) else { return };
        self.open.retain(|_, producers| {
            producers.remove(&end.producer_id);
            !producers.is_empty()
        });
        if !end.is_commit {
            return;
        }
        for (group, topics) in table.0 {
            for (topic, partitions) in topics {
                for (partition, offset) in partitions {
                    let known = self.committed.get(&group, &topic, partition);
                    if known.is_none_or(|known| known.recorded_at < offset.recorded_at) {
                        self.count += usize::from(self.committed.put(&group, &topic, partition, offset));
                    }
                }
            }
        }
    }
}
