use strandline_protocol::Uuid;

use super::super::group::ConsumerGroup;
use super::super::member::Member;
use super::super::subscription::metadata_hash;
use crate::groups::consumer::records;
use crate::metadata::record::{BrokerKey, BrokerValue, PartitionKey, PartitionValue, TopicKey, TopicValue};
use crate::metadata::{MetadataImage, MetadataRecord, evolve};

/// The hashes of Kafka's own coordinator; `tests/conformance/groups` makes them.
const KAFKAS: &str = include_str!("hashes.txt");

/// A name, an id in two halves, a number of partitions, and the brokers that each is on.
type Topic = (&'static str, u64, u64, i32, &'static [i32]);

const ORDERS: Topic = ("orders", 1, 2, 3, &[9]);
const EMPTY: Topic = ("empty", u64::MAX, 1 << 63, 0, &[]);
const RACKS: Topic = ("orders.by-rack_1", 0x0123_4567_89AB_CDEF, 0x7654_3210_FEDC_BA98, 2, &[2, 1, 3, 9]);

fn image(topics: &[Topic]) -> MetadataImage {
    let racks = [(1, Some("a")), (2, Some("b")), (3, Some("Zürich 1")), (9, None)];
    let broker = |(node_id, rack): (i32, Option<&str>)| {
        let value = BrokerValue { rack: rack.map(Into::into), ..Default::default() };
        MetadataRecord::Broker(BrokerKey { node_id }, Some(value))
    };
    let mut records: Vec<_> = racks.into_iter().map(broker).collect();
    for (name, high, low, count, replicas) in topics {
        let topic_id = Uuid::from((u128::from(*high) << 64) | u128::from(*low));
        let value = TopicValue { name: (*name).into(), ..Default::default() };
        records.push(MetadataRecord::Topic(TopicKey { topic_id }, Some(value)));
        records.extend((0..*count).map(|index| {
            let value = PartitionValue { replicas: replicas.to_vec(), ..Default::default() };
            MetadataRecord::Partition(PartitionKey { topic_id, index }, Some(value))
        }));
    }
    let mut image = MetadataImage::default();
    for (offset, record) in (0..).zip(&records) {
        evolve(&mut image, offset, record).unwrap();
    }
    image
}

fn hash(topics: &[Topic]) -> i64 {
    let mut member = Member::new("a".into());
    let names: Vec<_> = topics.iter().map(|topic| topic.0.into()).chain(["gone".into()]).collect();
    member.set_topic_names(&names);
    let mut group = ConsumerGroup::new("readers".into());
    group.evolve(&records::member(&"readers".into(), &member));
    metadata_hash(&group, &image(topics))
}

#[test]
fn hashes_of_topics_are_kafkas() {
    let found: Vec<String> = [
        ("nothing", hash(&[])),
        ("orders", hash(&[ORDERS])),
        ("empty", hash(&[EMPTY])),
        ("racks", hash(&[RACKS])),
        ("all", hash(&[ORDERS, EMPTY, RACKS])),
    ]
    .iter()
    .map(|(name, hash)| format!("{name} {hash}"))
    .collect();
    assert_eq!(found, KAFKAS.lines().collect::<Vec<_>>());
}
