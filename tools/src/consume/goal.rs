//! How much is to be read.

use std::collections::BTreeMap;

use strandline_client::{Client, Consumer, ConsumerRecord};

use crate::arguments::Place;
use crate::cluster::Failure;
use crate::places;
use crate::progress::Far;
use crate::results::counted;

type Key = (String, i32);

/// How much is left to be read.
pub(super) struct Goal {
    left: u64,
    counted: u64,
    // By partition, where it is to end, if it is.
    ends: Option<BTreeMap<Key, i64>>,
    // How much there was when somebody first asked.
    total: Option<u64>,
}

impl Goal {
    pub(super) fn new(count: Option<u64>) -> Self {
        Self { left: count.unwrap_or(u64::MAX), counted: 0, ends: None, total: None }
    }

    /// From now on it ends there.
    pub(super) fn end_at(&mut self, ends: Vec<(Key, i64)>) {
        self.ends = Some(ends.into_iter().collect());
        self.total = None;
    }

    pub(super) const fn has_enough(&self) -> bool {
        self.left == 0
    }

    /// How many of so many may be read.
    pub(super) fn at_most(&self, count: usize) -> usize {
        usize::try_from(self.left).map_or(count, |left| left.min(count))
    }

    /// One more was read.
    pub(super) const fn count(&mut self) {
        self.left -= 1;
        self.counted += 1;
    }

    /// What a person is told of it.
    pub(super) fn far(&mut self, consumer: &Consumer) -> Far {
        let part = self.part(|topic, partition| consumer.position(topic, partition));
        Far::of(part, counted(self.counted, "record", "records"))
    }

    /// How much of how much has been read by one who stands at these positions, where that is known.
    fn part(&mut self, position: impl Fn(&str, i32) -> Option<i64>) -> Option<(u64, u64)> {
        if self.left < u64::MAX - self.counted {
            return Some((self.counted, self.counted + self.left));
        }
        let left = |((topic, partition), end): (&Key, &i64)| match *end {
            0 => Some(0),
            end => Some(u64::try_from(end - position(topic, *partition)?).unwrap_or(0)),
        };
        let left: u64 = self.ends.as_ref()?.iter().map(left).sum::<Option<u64>>()?;
        let total = *self.total.get_or_insert(left.saturating_add(self.counted));
        Some((total.saturating_sub(left), total))
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
        assert_eq!(goal.counted, 2);
    }

    #[test]
    fn how_far_it_is_is_known_by_number_or_by_place() {
        let mut goal = Goal::new(Some(4));
        goal.count();
        assert_eq!(goal.part(|_, _| None), Some((1, 4)));
        let mut goal = Goal::new(None);
        goal.count();
        assert_eq!(goal.part(|_, _| Some(9)), None, "it has no end");
        goal.end_at(vec![(("a".to_owned(), 0), 10), (("a".to_owned(), 1), 0), (("a".to_owned(), 2), 6)]);
        assert_eq!(
            goal.part(|_, partition| (partition == 0).then_some(3)),
            None,
            "it is not known where it begins"
        );
        assert_eq!(goal.part(|_, partition| Some(if partition == 0 { 3 } else { 0 })), Some((1, 14)));
        assert_eq!(goal.part(|_, partition| Some(if partition == 0 { 8 } else { 7 })), Some((12, 14)));
    }
}
