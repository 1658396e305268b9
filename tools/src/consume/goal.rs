//! How much is to be read.

use std::collections::BTreeMap;

use strandline_client::{Client, Consumer, ConsumerRecord};

use crate::arguments::Place;
use crate::cluster::Failure;
use crate::places;

type Key = (String, i32);

/// How much is left to be read.
pub(super) struct Goal {
    left: u64,
    counted: u64,
    // By partition, where it is to end, if it is.
    ends: Option<BTreeMap<Key, i64>>,
}

impl Goal {
    pub(super) fn new(count: Option<u64>) -> Self {
        Self { left: count.unwrap_or(u64::MAX), counted: 0, ends: None }
    }

    /// From now on it ends there.
    pub(super) fn end_at(&mut self, ends: Vec<(Key, i64)>) {
        self.ends = Some(ends.into_iter().collect());
    }

    pub(super) const fn has_enough(&self) -> bool {
        self.left == 0
    }

    /// How many of so many may be read.
    pub(super) fn at_most(&self, count: usize) -> usize {
        usize::try_from(self.left).map_or(count, |left| left.min(count))
    }

    pub(super) const fn counted(&self) -> u64 {
        self.counted
    }

    /// One more was read.
    pub(super) const fn count(&mut self) {
        self.left -= 1;
        self.counted += 1;
    }

    /// Whether a record is none of those that were asked for.
    pub(super) fn is_beyond(&self, record: &ConsumerRecord) -> bool {
        let end =
            |ends: &BTreeMap<Key, i64>| ends.get(&(record.topic.to_string(), record.partition)).copied();
        self.ends.as_ref().and_then(end).is_some_and(|end| record.offset >= end)
    }

    /// Whether each partition has been read to its end.
    pub(super) fn is_reached(&self, consumer: &Consumer) -> bool {
        let is_reached = |((topic, partition), end): (&Key, &i64)| {
            *end == 0 || consumer.position(topic, *partition).is_some_and(|position| position >= *end)
        };
        self.ends.as_ref().is_some_and(|ends| ends.iter().all(is_reached))
    }
}

/// The offset of a place in each of some partitions.
pub(super) async fn offsets(
    client: &Client,
    partitions: &[Key],
    place: Place,
) -> Result<Vec<(Key, i64)>, Failure> {
    let wanted: Vec<_> = partitions.iter().map(|(topic, number)| (topic.clone(), *number, place)).collect();
    let mut offsets = Vec::new();
    for (key, offset) in places::find(client, &wanted).await {
        offsets.push((key, offset?));
    }
    Ok(offsets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_counted_down() {
        let mut goal = Goal::new(Some(2));
        assert_eq!((goal.at_most(1), goal.at_most(5)), (1, 2));
        goal.count();
        assert!(!goal.has_enough());
        goal.count();
        assert!(goal.has_enough());
        assert_eq!(goal.counted(), 2);
    }
}
