//! What records make of an image, in the orders that a compacted log may have them, and what an image shares.

use super::*;
use crate::metadata::MetadataRecord;
use crate::metadata::record::{PartitionKey, PartitionValue, TopicKey, TopicValue};

impl MetadataImage {
    /// How many nodes of the trees are not shared with `before`, those within topics that changed included.
    pub(crate) fn nodes_apart(&self, before: &Self) -> usize {
        let trees = self.topics.nodes_apart(&before.topics)
            + self.names.nodes_apart(&before.names)
            + self.lookalikes.nodes_apart(&before.lookalikes)
            + self.orphans.nodes_apart(&before.orphans)
            + self.brokers.nodes_apart(&before.brokers);
        let of_topic = |topic: &Arc<Topic>| match before.topics.get(&topic.id) {
            Some(old) if Arc::ptr_eq(old, topic) => 0,
            Some(old) => topic.partitions.nodes_apart(&old.partitions),
            None => topic.partitions.nodes_apart(&TreeMap::default()),
        };
        trees + self.topics.iter().map(|(_, topic)| of_topic(topic)).sum::<usize>()
    }
}

fn topic(id: u128, name: &str) -> MetadataRecord {
    let value = TopicValue { name: name.into(), ..Default::default() };
    MetadataRecord::Topic(TopicKey { topic_id: Uuid::from(id) }, Some(value))
}

fn partition(id: u128, index: i32, leader: i32) -> MetadataRecord {
    let value = PartitionValue { replicas: vec![1, 2], isr: vec![leader], leader, ..Default::default() };
    MetadataRecord::Partition(PartitionKey { topic_id: Uuid::from(id), index }, Some(value))
}

fn image(records: &[MetadataRecord]) -> MetadataImage {
    let mut image = MetadataImage::default();
    for record in records {
        evolve(&mut image, 0, record).unwrap();
    }
    image
}

#[test]
fn a_partition_may_come_before_its_topic() {
    let records = [topic(1, "a.b"), partition(1, 0, 1), partition(1, 1, 2)];
    let expected = image(&records);
    assert_eq!((expected.partition_count(), expected.topic("a.b").unwrap().partition_count()), (2, 2));
    let [first, second, third] = records;
    assert_eq!(image(&[third.clone(), second.clone(), first.clone()]), expected);
    assert_eq!(image(&[second, first, third]), expected);
}

#[test]
fn what_is_taken_back_leaves_nothing_in_whatever_order() {
    let records = [topic(1, "a"), partition(1, 0, 1), partition(1, 1, 2)];
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
        let mut image = image(&records);
        for place in order {
            evolve(&mut image, 0, &records[place].tombstone()).unwrap();
        }
        image.offset = -1;
        assert_eq!(image, MetadataImage::default());
    }
}

#[test]
fn each_partition_goes_by_its_own_key() {
    let records = [topic(1, "a"), partition(1, 0, 1), topic(1, "a").tombstone(), topic(1, "a")];
    let expected = image(&records[..2]);
    assert_eq!(image(&records), expected, "the last values of the keys are the same");
}

#[test]
fn a_name_has_one_topic_and_a_topic_one_name() {
    let mut image = image(&[topic(1, "a")]);
    let before = image.clone();
    assert!(matches!(evolve(&mut image, 1, &topic(2, "a")), Err(EvolveError::NameTaken { .. })));
    assert!(matches!(evolve(&mut image, 1, &topic(1, "b")), Err(EvolveError::Renamed { .. })));
    assert_eq!(image, before, "a record that cannot follow changes nothing");
    evolve(&mut image, 2, &topic(1, "a").tombstone()).unwrap();
    evolve(&mut image, 3, &topic(2, "a")).unwrap();
    assert_eq!(image.topic("a").unwrap().id(), Uuid::from(2));
}

#[test]
fn paging_goes_on_from_a_name_or_a_number() {
    let image = image(&[topic(1, "b"), topic(2, "a"), topic(3, "c"), partition(1, 0, 1), partition(1, 1, 1)]);
    let names =
        |from| image.topics_from(from).map(|topic| topic.name().as_str()).collect::<Vec<_>>().join(" ");
    assert_eq!(names(Bound::Unbounded), "a b c");
    assert_eq!(names(Bound::Included("b")), "b c");
    assert_eq!(names(Bound::Excluded("aa")), "b c");
    let numbers: Vec<_> = image.topic("b").unwrap().partitions_from(1).map(|(index, _)| index).collect();
    assert_eq!(numbers, [1]);
}

#[test]
fn partitions_alike_share_their_replicas() {
    let image = image(&[topic(1, "a"), partition(1, 0, 1), partition(1, 1, 1), partition(1, 2, 2)]);
    let replication =
        |index| std::ptr::from_ref(image.topic("a").unwrap().partition(index).unwrap().replication());
    assert_eq!(replication(0), replication(1));
    assert_ne!(replication(1), replication(2));
}

#[test]
fn an_offset_never_falls() {
    let mut image = image(&[topic(1, "a")]);
    image.advance_to(9);
    evolve(&mut image, 4, &topic(2, "b")).unwrap();
    assert_eq!((image.offset(), image.finalized_features_epoch()), (9, 9));
    assert_eq!(MetadataImage::default().finalized_features_epoch(), 0);
}
