//! Partitions of topics, as a set.

use std::collections::{BTreeMap, BTreeSet};

use strandline_protocol::Uuid;

/// Partitions by topic; no topic stands in it without a partition.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Partitions {
    topics: BTreeMap<Uuid, BTreeSet<i32>>,
}

impl Partitions {
    /// Adds one; says whether it is new.
    pub fn insert(&mut self, topic_id: Uuid, partition: i32) -> bool {
        self.topics.entry(topic_id).or_default().insert(partition)
    }

    /// Whether this one is in it.
    pub fn contains(&self, topic_id: Uuid, partition: i32) -> bool {
        self.topics.get(&topic_id).is_some_and(|partitions| partitions.contains(&partition))
    }

    /// The topics by rising id, each with its partitions by rising number.
    pub fn topics(&self) -> impl Iterator<Item = (Uuid, &BTreeSet<i32>)> {
        self.topics.iter().map(|(topic_id, partitions)| (*topic_id, partitions))
    }

    /// One by one, by rising topic id and number.
    pub fn iter(&self) -> impl Iterator<Item = (Uuid, i32)> {
        self.topics()
            .flat_map(|(topic_id, partitions)| partitions.iter().map(move |partition| (topic_id, *partition)))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.topics.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.topics.values().map(BTreeSet::len).sum()
    }
}

impl FromIterator<(Uuid, i32)> for Partitions {
    fn from_iter<I: IntoIterator<Item = (Uuid, i32)>>(pairs: I) -> Self {
        let mut partitions = Self::default();
        partitions.extend(pairs);
        partitions
    }
}

impl Extend<(Uuid, i32)> for Partitions {
    fn extend<I: IntoIterator<Item = (Uuid, i32)>>(&mut self, pairs: I) {
        for (topic_id, partition) in pairs {
            self.insert(topic_id, partition);
        }
    }
}
