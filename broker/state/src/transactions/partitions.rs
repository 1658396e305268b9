//! Sets of partitions, by the names of their topics.

use std::collections::{BTreeMap, BTreeSet};

use strandline_protocol::Text;

/// Partitions, each once. No topic in it is without any.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Partitions(BTreeMap<Text, BTreeSet<i32>>);

impl Partitions {
    /// None.
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.values().map(BTreeSet::len).sum()
    }

    /// How many bytes a record takes for them, about.
    pub fn bytes(&self) -> usize {
        self.0.iter().map(|(topic, indexes)| topic.len() + 8 + 4 * indexes.len()).sum()
    }

    /// Puts one in.
    pub fn insert(&mut self, topic: Text, index: i32) {
        self.0.entry(topic).or_default().insert(index);
    }

    /// Whether one is there.
    pub fn contains(&self, topic: &str, index: i32) -> bool {
        self.0.iter().any(|(name, indexes)| name.as_str() == topic && indexes.contains(&index))
    }

    /// Whether all of these are there.
    pub fn contains_all(&self, others: &Self) -> bool {
        others.topics().all(|(topic, indexes)| self.0.get(topic).is_some_and(|own| own.is_superset(indexes)))
    }

    /// The topics, each with its partitions.
    pub fn topics(&self) -> impl Iterator<Item = (&Text, &BTreeSet<i32>)> {
        self.0.iter()
    }

    /// All of them, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&Text, i32)> {
        self.0.iter().flat_map(|(topic, indexes)| indexes.iter().map(move |index| (topic, *index)))
    }

    /// Puts these in, under names that keep no request's buffer alive.
    pub fn add(&mut self, others: &Self) {
        for (topic, indexes) in others.topics() {
            match self.0.get_mut(topic) {
                Some(own) => own.extend(indexes),
                None => drop(self.0.insert(topic.detached(), indexes.clone())),
            }
        }
    }

    /// Those that are not among the others.
    pub fn without(&self, others: &Self) -> Self {
        let left =
            self.iter().filter(|(topic, index)| !others.0.get(*topic).is_some_and(|set| set.contains(index)));
        left.map(|(topic, index)| (topic.clone(), index)).collect()
    }
}

impl FromIterator<(Text, i32)> for Partitions {
    fn from_iter<I: IntoIterator<Item = (Text, i32)>>(partitions: I) -> Self {
        let mut all = Self::new();
        partitions.into_iter().for_each(|(topic, index)| all.insert(topic, index));
        all
    }
}
