//! Random commands, sensible and not: whatever they come to, the image keeps its invariants, and every way to
//! replay the log makes the same image.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::metadata::MetadataRecord;
use strandline_protocol::Bytes;

/// A record as it lies in the log.
type Logged = (i64, Bytes, Option<Bytes>);

#[derive(Clone, Debug)]
enum Any {
    Register(RegisterBroker),
    Create(CreateTopics),
    Delete(DeleteTopics),
    Add(CreatePartitions),
    Alter(AlterConfigs),
    Ids(AllocateProducerIds),
    Features(SetFeatures),
    Epochs(BumpLeaderEpochs),
}

fn name() -> impl Strategy<Value = Text> {
    let names = ["a.b", "a_b", "a", "b", "c.d.e", "c_d.e", "__x", "", ".", "ä", "__cluster_metadata"];
    prop_oneof![4 => prop::sample::select(names.to_vec()).prop_map(Text::from), 1 => "[a-c._]{0,4}".prop_map(Text::from)]
}

fn id() -> impl Strategy<Value = Uuid> {
    (0u128..24).prop_map(Uuid::from)
}

fn replicas() -> impl Strategy<Value = Vec<i32>> {
    prop::collection::vec(prop_oneof![8 => 0i32..5, 1 => any::<i32>()], 0..4)
}

fn config() -> impl Strategy<Value = (Text, Option<Text>)> {
    let names = ["retention.ms", "cleanup.policy", "segment.bytes", "compression.type", "nope", ""];
    let values = ["1", "compact", "2097152", "gzip", "", "-1", "delete,compact", "x"];
    let name = prop::sample::select(names.to_vec()).prop_map(Text::from);
    let value = prop::option::weighted(0.9, prop::sample::select(values.to_vec()).prop_map(Text::from));
    (name, value)
}

fn new_topic() -> impl Strategy<Value = NewTopic> {
    let partition_count =
        prop_oneof![6 => 1i32..6, 3 => Just(-1), 1 => any::<i32>().prop_map(|count| count.min(9))];
    let replication_factor = prop_oneof![6 => 1i16..4, 3 => Just(-1), 1 => any::<i16>()];
    let assignment = (prop_oneof![4 => 0i32..3, 1 => any::<i32>()], replicas());
    let assignments = prop_oneof![3 => Just(Vec::new()), 1 => prop::collection::vec(assignment, 0..3)];
    let configs = prop::collection::vec(config(), 0..2);
    (name(), id(), partition_count, replication_factor, assignments, configs).prop_map(
        |(name, topic_id, partition_count, replication_factor, assignments, configs)| NewTopic {
            name,
            topic_id,
            partition_count,
            replication_factor,
            assignments,
            configs,
            is_internal: false,
        },
    )
}

fn change() -> impl Strategy<Value = ConfigChange> {
    let operation = (0i8..4).prop_map(|code| ConfigOperation::from_code(code).unwrap());
    let one = (config(), operation).prop_map(|((name, value), operation)| (name, operation, value));
    prop_oneof![
        prop::collection::vec(config(), 0..3).prop_map(ConfigChange::Replace),
        prop::collection::vec(one, 0..3).prop_map(ConfigChange::Incremental),
    ]
}

fn command() -> impl Strategy<Value = Any> {
    let settings = || Arc::new(BrokerSettings::default());
    let few = 0..4usize;
    let reference = prop_oneof![name().prop_map(TopicReference::Name), id().prop_map(TopicReference::Id)];
    let count = prop_oneof![8 => 0i32..9, 1 => any::<i32>().prop_map(|count| count.min(12))];
    let assignments = prop::option::weighted(0.3, prop::collection::vec(replicas(), 0..3));
    let partitions = (name(), count, assignments).prop_map(|(name, count, assignments)| PartitionsToAdd {
        name,
        count,
        assignments,
    });
    let resource =
        (prop_oneof![8 => Just(2i8), 1 => Just(4i8), 1 => any::<i8>()], name(), change()).prop_map(
            |(resource_type, resource_name, change)| ResourceChange { resource_type, resource_name, change },
        );
    let update =
        (prop::sample::select(vec!["f", "g", "h"]), -1i16..4, 1i8..4).prop_map(|(name, level, code)| {
            FeatureUpdate { name: name.into(), level, upgrade_type: UpgradeType::from_code(code).unwrap() }
        });
    let supported =
        vec![SupportedFeature { name: "f", min: 0, max: 2 }, SupportedFeature { name: "g", min: 1, max: 3 }];
    let register =
        (1i32..5, 0u128..3, any::<bool>(), any::<bool>()).prop_map(|(node_id, start, fenced, is_alone)| {
            RegisterBroker { incarnation_id: Uuid::from(start), fenced, is_alone, ..broker(node_id) }
        });
    let epochs = prop::collection::vec((id(), prop_oneof![0i32..6, any::<i32>()]), few.clone());
    prop_oneof![
        2 => register.prop_map(Any::Register),
        8 => (prop::collection::vec(new_topic(), few.clone()), prop::bool::weighted(0.1)).prop_map(move |(topics, validate_only)| {
            Any::Create(CreateTopics { topics, validate_only, settings: settings() })
        }),
        4 => prop::collection::vec(reference, few.clone()).prop_map(|topics| Any::Delete(DeleteTopics { topics })),
        3 => (prop::collection::vec(partitions, few.clone()), prop::bool::weighted(0.1))
            .prop_map(|(topics, validate_only)| Any::Add(CreatePartitions { topics, validate_only })),
        4 => (prop::collection::vec(resource, few.clone()), prop::bool::weighted(0.1)).prop_map(move |(resources, validate_only)| {
            Any::Alter(AlterConfigs { resources, validate_only, settings: settings(), node_id: 1 })
        }),
        1 => (0i32..6).prop_map(|broker_id| Any::Ids(AllocateProducerIds { broker_id })),
        1 => prop::collection::vec(update, few).prop_map(move |updates| {
            Any::Features(SetFeatures { updates, supported: supported.clone(), node_id: 1, validate_only: false })
        }),
        3 => epochs.prop_map(|partitions| Any::Epochs(BumpLeaderEpochs { partitions })),
    ]
}

/// Carries a command out, through the bytes of the log.
fn run<C: Command>(image: &mut MetadataImage, log: &mut Vec<Logged>, command: &C) -> Option<C::Reply> {
    let before = image.clone();
    let decision = decide(image, 0, command);
    assert_eq!(*image, before, "deciding changes nothing");
    let decision = decision.ok()?;
    let mut keys = BTreeSet::new();
    for record in decision.records {
        let (key, value) = record.to_bytes().unwrap();
        assert!(keys.insert(key.clone()), "one decision says one thing about each key: {record:?}");
        let read = MetadataRecord::from_bytes(key.clone(), value.clone()).unwrap();
        assert_eq!(read, record);
        let offset = image.offset() + 1;
        evolve(image, offset, &read).unwrap();
        log.push((offset, key, value));
    }
    Some(decision.reply)
}

fn step(image: &mut MetadataImage, log: &mut Vec<Logged>, command: &Any) {
    let next_id = image.next_producer_id();
    match command {
        Any::Register(command) => {
            if run(image, log, command).is_some() {
                assert_eq!(image.broker(command.node_id).unwrap().fenced, command.fenced);
            }
        }
        Any::Create(command) => {
            let reply = run(image, log, command).unwrap();
            for created in reply.iter().filter(|_| !command.validate_only) {
                promised(image, created);
            }
        }
        Any::Delete(command) => {
            for deleted in run(image, log, command).unwrap() {
                if let Ok(topic) = deleted.result {
                    assert!(image.topic_by_id(topic.id()).is_none() && image.topic(topic.name()).is_none());
                    assert!(image.topic_config(topic.name()).is_none());
                }
            }
        }
        Any::Add(command) => {
            for (name, result) in run(image, log, command).unwrap() {
                if result.is_ok() && !command.validate_only {
                    let wanted = command.topics.iter().find(|topic| topic.name == name).unwrap().count;
                    assert_eq!(
                        image.topic(&name).unwrap().partition_count(),
                        usize::try_from(wanted).unwrap()
                    );
                }
            }
        }
        Any::Alter(command) => drop(run(image, log, command).unwrap()),
        Any::Ids(command) => {
            if let Some(block) = run(image, log, command) {
                assert_eq!(
                    (block.first_id, image.next_producer_id()),
                    (next_id, next_id + i64::from(block.length))
                );
            }
        }
        Any::Features(command) => {
            if run(image, log, command).is_some() {
                command
                    .updates
                    .iter()
                    .for_each(|update| assert_eq!(image.feature(&update.name), update.level));
            }
        }
        Any::Epochs(command) => {
            for bumped in run(image, log, command).unwrap() {
                if let Ok(epoch) = bumped.leader_epoch {
                    let topic = image.topic_by_id(bumped.topic_id).unwrap();
                    assert_eq!(topic.partition(bumped.index).unwrap().leader_epoch(), epoch);
                }
            }
        }
    }
}

/// What the reply says is so once the records are there.
fn promised(image: &MetadataImage, created: &CreatedTopic) {
    let Ok(creation) = &created.result else { return };
    let topic = image.topic(&created.name).unwrap();
    assert_eq!(topic.id(), creation.topic_id);
    assert_eq!(topic.partition_count(), usize::try_from(creation.partition_count).unwrap());
    let factor = usize::try_from(creation.replication_factor).unwrap();
    assert!(topic.partitions().all(|(_, partition)| partition.replicas().len() == factor));
    let configs: Vec<_> =
        creation.configs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let found: Vec<_> =
        image.topic_config(&created.name).into_iter().flat_map(|config| config.pairs()).collect();
    assert_eq!(found, configs);
}

/// What holds between any two commands.
fn check(image: &MetadataImage) {
    let topics: Vec<_> = image.topics().collect();
    let ids: BTreeSet<_> = topics.iter().map(|topic| topic.id()).collect();
    let folded: BTreeSet<_> = topics.iter().map(|topic| topic.name().replace('.', "_")).collect();
    assert!(topics.len() == ids.len() && topics.len() == folded.len() && topics.len() == image.topic_count());
    assert!(topics.is_sorted_by(|left, right| left.name() < right.name()));
    let partitions: usize = topics.iter().map(|topic| topic.partition_count()).sum();
    assert_eq!(partitions, image.partition_count());
    for topic in topics {
        assert_eq!(image.topic(topic.name()).unwrap().id(), topic.id());
        assert_eq!(image.lookalike(topic.name()), None);
        assert!(
            topic.partitions().map(|(index, _)| index).eq(0..i32::try_from(topic.partition_count()).unwrap())
        );
        for (_, partition) in topic.partitions() {
            let replicas: BTreeSet<_> = partition.replicas().iter().collect();
            assert_eq!(replicas.len(), partition.replicas().len(), "no broker twice");
            assert!(partition.isr().contains(&partition.leader()));
            assert!(partition.isr().iter().all(|replica| replicas.contains(replica)));
            assert_eq!(partition.replication().directory_ids.len(), replicas.len());
        }
    }
}

/// What a cleaner leaves of the log: below `dirty` the last record of each key, tombstones only if they are to
/// be kept; the rest as it is.
fn compacted(log: &[Logged], dirty: usize, keeps_tombstones: bool) -> Vec<Logged> {
    let last: BTreeMap<&Bytes, i64> = log[..dirty].iter().map(|(offset, key, _)| (key, *offset)).collect();
    let cleaned = log[..dirty]
        .iter()
        .filter(|(offset, key, value)| last[key] == *offset && (keeps_tombstones || value.is_some()));
    cleaned.chain(&log[dirty..]).cloned().collect()
}

fn replayed(log: &[Logged], end: i64) -> MetadataImage {
    let mut image = MetadataImage::default();
    for (offset, key, value) in log {
        let record = MetadataRecord::from_bytes(key.clone(), value.clone()).unwrap();
        evolve(&mut image, *offset, &record).unwrap();
    }
    image.advance_to(end);
    image
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn every_replay_makes_the_live_image(
        commands in prop::collection::vec(command(), 1..60),
        part in 0.0..=1.0f64,
    ) {
        let (mut image, mut log) = (MetadataImage::default(), Vec::new());
        run(&mut image, &mut log, &FormatCluster { cluster_id: "c".into(), features: vec![("g".into(), 1)] });
        run(&mut image, &mut log, &broker(1));
        run(&mut image, &mut log, &broker(2));
        for command in &commands {
            step(&mut image, &mut log, command);
            check(&image);
        }
        let end = image.offset();
        prop_assert_eq!(&replayed(&log, end), &image, "the whole log");
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a part of a small number")]
        let dirty = (part * log.len() as f64) as usize;
        for (dirty, keeps_tombstones) in [(log.len(), true), (log.len(), false), (dirty, true), (dirty, false)] {
            let log = compacted(&log, dirty, keeps_tombstones);
            prop_assert_eq!(&replayed(&log, end), &image, "compacted up to {}", dirty);
        }
    }
}
