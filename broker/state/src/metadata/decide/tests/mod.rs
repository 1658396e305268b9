//! Commands one by one: what they come to, and the codes and words of what is refused.

use std::sync::Arc;

use super::*;
use crate::metadata::evolve;
use crate::metadata::record::BrokerEndpoint;
use crate::settings::BrokerSettings;
use strandline_protocol::{ErrorCode, Text, Uuid};

/// An image that a cluster of so many brokers has, and the offset of its log's end.
fn cluster(brokers: i32) -> MetadataImage {
    let mut image = MetadataImage::default();
    let features = vec![("group.version".into(), 1)];
    carry_out(&mut image, &FormatCluster { cluster_id: "c".into(), features });
    for node_id in 1..=brokers {
        carry_out(&mut image, &broker(node_id));
    }
    image
}

fn broker(node_id: i32) -> RegisterBroker {
    let id = u128::try_from(node_id).unwrap();
    let endpoint =
        BrokerEndpoint { listener: "PLAINTEXT".into(), host: "h".into(), port: 9_092, ..Default::default() };
    RegisterBroker {
        cluster_id: "c".into(),
        node_id,
        incarnation_id: Uuid::from(id),
        directory_ids: vec![Uuid::from(1_000 + id)],
        endpoints: vec![endpoint],
        rack: None,
        fenced: false,
        is_alone: false,
    }
}

fn carry_out<C: Command>(image: &mut MetadataImage, command: &C) -> C::Reply {
    let decision = decide(image, 0, command).unwrap();
    for record in &decision.records {
        let offset = image.offset() + 1;
        evolve(image, offset, record).unwrap();
    }
    decision.reply
}

fn topic(name: &str, id: u128) -> NewTopic {
    NewTopic {
        name: name.into(),
        topic_id: Uuid::from(id),
        partition_count: -1,
        replication_factor: -1,
        ..Default::default()
    }
}

fn create(topics: Vec<NewTopic>) -> CreateTopics {
    CreateTopics { topics, validate_only: false, settings: Arc::new(BrokerSettings::default()) }
}

#[test]
fn a_topic_is_there_once_its_records_are() {
    let mut image = cluster(1);
    let offset = image.offset();
    let configs = vec![("retention.ms".into(), Some(Text::from("5")))];
    let orders = NewTopic { partition_count: 3, configs, ..topic("orders", 7) };
    let reply = carry_out(&mut image, &create(vec![orders]));
    let creation = reply[0].result.as_ref().unwrap();
    assert_eq!((creation.partition_count, creation.replication_factor), (3, 1));
    assert_eq!(creation.settings.retention_ms, 5);
    let topic = image.topic("orders").unwrap();
    assert_eq!((topic.id(), topic.partition_count(), image.partition_count()), (Uuid::from(7), 3, 3));
    for (_, partition) in topic.partitions() {
        assert_eq!((partition.leader(), partition.leader_epoch()), (1, 0));
        assert_eq!((partition.replicas(), partition.isr()), (&[1][..], &[1][..]));
        assert_eq!(*partition.replication().directory_ids, [Uuid::from(1_001)]);
    }
    assert_eq!(image.topic_config("orders").unwrap().get("retention.ms").unwrap(), &"5");
    assert_eq!(image.offset(), offset + 5, "the topic, its config, and its partitions");

    let references = vec![TopicReference::Name("orders".into())];
    carry_out(&mut image, &DeleteTopics { topics: references });
    assert!(image.topic("orders").is_none() && image.topic_config("orders").is_none());
    assert_eq!((image.topic_count(), image.partition_count()), (0, 0));
}

/// The code and the words of a refusal.
fn refusal<T: std::fmt::Debug>(result: &Result<T, Refusal>) -> (ErrorCode, &str) {
    let refusal = result.as_ref().unwrap_err();
    (refusal.code, &refusal.message)
}

mod properties;
mod refusals;
mod scale;
