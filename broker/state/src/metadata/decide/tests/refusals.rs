//! What is refused, with Kafka's codes and words.

use super::*;

fn refused(image: &MetadataImage, topic: NewTopic) -> (ErrorCode, String) {
    let decision = decide(image, 0, &create(vec![topic])).unwrap();
    assert_eq!(decision.records, [], "what is refused leaves no record");
    let (code, message) = refusal(&decision.reply[0].result);
    (code, message.to_owned())
}

#[test]
fn names_are_kafkas() {
    let mut image = cluster(1);
    carry_out(&mut image, &create(vec![topic("a.b", 1), topic("c", 2)]));
    let long = "x".repeat(250);
    let cases = [
        ("", "Topic name is invalid: the empty string is not allowed"),
        (".", "Topic name is invalid: '.' is not allowed"),
        ("..", "Topic name is invalid: '..' is not allowed"),
        (
            "a b",
            "Topic name is invalid: 'a b' contains one or more characters other than ASCII alphanumerics, '.', '_' \
             and '-'",
        ),
        ("a_b", "Topic 'a_b' collides with existing topic: a.b"),
    ];
    for (name, message) in cases {
        let expected = (ErrorCode::INVALID_TOPIC_EXCEPTION, message.to_owned());
        assert_eq!(refused(&image, topic(name, 9)), expected);
    }
    assert_eq!(refused(&image, topic(&long, 9)).0, ErrorCode::INVALID_TOPIC_EXCEPTION);
    let exists = (ErrorCode::TOPIC_ALREADY_EXISTS, "Topic 'a.b' already exists.".to_owned());
    assert_eq!(refused(&image, topic("a.b", 9)), exists);
    assert_eq!(refused(&image, topic("__cluster_metadata", 9)).0, ErrorCode::INVALID_REQUEST);
    for name in ["a-b", "ab", "a.b.c", &long[1..]] {
        let decision = decide(&image, 0, &create(vec![topic(name, 9)])).unwrap();
        assert!(decision.reply[0].result.is_ok(), "{name}");
    }
}

#[test]
fn topics_of_one_request_see_one_another() {
    let mut image = cluster(1);
    let topics = vec![topic("x", 1), topic("a.b", 2), topic("x", 3), topic("a_b", 4), topic("y", 2)];
    let reply = carry_out(&mut image, &create(topics));
    let results: Vec<_> = reply.iter().map(|topic| (topic.name.as_str(), topic.result.is_ok())).collect();
    assert_eq!(results, [("x", false), ("a.b", true), ("a_b", false), ("y", false)]);
    assert_eq!(refusal(&reply[0].result), (ErrorCode::INVALID_REQUEST, "Duplicate topic name."));
    assert_eq!(refusal(&reply[2].result).0, ErrorCode::INVALID_TOPIC_EXCEPTION);
    assert_eq!(image.topic_count(), 1);
}

fn sized(partition_count: i32, replication_factor: i16, assignments: Vec<(i32, Vec<i32>)>) -> NewTopic {
    NewTopic { partition_count, replication_factor, assignments, ..topic("t", 1) }
}

#[test]
fn counts_are_checked() {
    let image = cluster(2);
    let cases = [
        (
            sized(0, 1, Vec::new()),
            ErrorCode::INVALID_PARTITIONS,
            "Number of partitions was set to an invalid non-positive value.",
        ),
        (
            sized(1, 0, Vec::new()),
            ErrorCode::INVALID_REPLICATION_FACTOR,
            "Replication factor must be larger than 0, or -1 to use the default value.",
        ),
        (
            sized(1, 3, Vec::new()),
            ErrorCode::INVALID_REPLICATION_FACTOR,
            "Unable to replicate the partition 1 time(s): The target replication factor of 3 cannot be reached because only 2 broker(s) are registered or some brokers have all their log directories cordoned.",
        ),
    ];
    for (topic, code, message) in cases {
        assert_eq!(refused(&image, topic), (code, message.to_owned()));
    }
}

/// Whatever a whole command is refused with.
fn refused_whole<C: Command>(image: &MetadataImage, command: &C) -> Option<(ErrorCode, String)> {
    decide(image, 0, command).err().map(|refusal| (refusal.code, refusal.message))
}

#[test]
fn one_request_makes_so_many_partitions_and_no_more() {
    let image = cluster(1);
    let assigned: Vec<_> = (0..40_000).map(|index| (index, vec![1])).collect();
    let sized = |name: &str, id, partition_count| NewTopic { partition_count, ..topic(name, id) };
    let filling = || vec![NewTopic { assignments: assigned.clone(), ..topic("a", 1) }, sized("b", 2, 59_999)];
    for validate_only in [false, true] {
        let of = |topics| CreateTopics { validate_only, ..create(topics) };
        let message = "Excessively large number of partitions per request.";
        let too_many = Some((ErrorCode::POLICY_VIOLATION, message.to_owned()));
        // The last one is as many as a topic has by default: one.
        assert_eq!(refused_whole(&image, &of([filling(), vec![topic("c", 3)]].concat())), None);
        let beyond = [filling(), vec![topic("c", 3), topic("d", 4)]].concat();
        assert_eq!(refused_whole(&image, &of(beyond)), too_many);
        let twenty = (0..20).map(|number| sized(&format!("t{number}"), 1 + number, i32::MAX));
        assert_eq!(refused_whole(&image, &of(twenty.collect())), too_many);
    }
}

#[test]
fn one_request_adds_so_many_partitions_and_no_more() {
    let mut image = cluster(1);
    let three = |name: &str, id| NewTopic { partition_count: 3, ..topic(name, id) };
    carry_out(&mut image, &create(vec![three("a", 1), three("b", 2)]));
    let message = "Unable to perform excessively large batch operation.";
    let too_many = Some((ErrorCode::POLICY_VIOLATION, message.to_owned()));
    for validate_only in [false, true] {
        let refused = |wanted: [(&str, i32); 3]| {
            let topics =
                wanted.map(|(name, count)| PartitionsToAdd { name: name.into(), count, assignments: None });
            refused_whole(&image, &CreatePartitions { topics: topics.into(), validate_only })
        };
        // What is there already counts for nothing, and neither does what is not there.
        assert_eq!(refused([("a", 50_003), ("b", 50_003), ("c", i32::MAX)]), None);
        assert_eq!(refused([("a", 50_003), ("b", 50_004), ("c", 1)]), too_many);
        assert_eq!(refused([("a", i32::MAX), ("b", i32::MAX), ("c", 1)]), too_many);
    }
}

#[test]
fn assignments_are_checked() {
    let image = cluster(2);
    let cases = [
        (
            sized(1, -1, vec![(0, vec![1])]),
            ErrorCode::INVALID_REQUEST,
            "A manual partition assignment was specified, but numPartitions was not set to -1.",
        ),
        (
            sized(-1, 1, vec![(0, vec![1])]),
            ErrorCode::INVALID_REQUEST,
            "A manual partition assignment was specified, but replication factor was not set to -1.",
        ),
        (
            sized(-1, -1, vec![(1, vec![1])]),
            ErrorCode::INVALID_REPLICA_ASSIGNMENT,
            "partitions should be a consecutive 0-based integer sequence",
        ),
        (
            sized(-1, -1, vec![(0, vec![1]), (0, vec![2])]),
            ErrorCode::INVALID_REPLICA_ASSIGNMENT,
            "Found multiple manual partition assignments for partition 0",
        ),
        (
            sized(-1, -1, vec![(0, vec![])]),
            ErrorCode::INVALID_REPLICA_ASSIGNMENT,
            "The manual partition assignment includes an empty replica list.",
        ),
        (
            sized(-1, -1, vec![(0, vec![7])]),
            ErrorCode::INVALID_REPLICA_ASSIGNMENT,
            "The manual partition assignment includes broker 7, but no such broker is registered.",
        ),
        (
            sized(-1, -1, vec![(0, vec![1, 1])]),
            ErrorCode::INVALID_REPLICA_ASSIGNMENT,
            "The manual partition assignment includes the broker 1 more than once.",
        ),
        (
            sized(-1, -1, vec![(0, vec![1]), (1, vec![1, 2])]),
            ErrorCode::INVALID_REPLICA_ASSIGNMENT,
            "The manual partition assignment includes a partition with 2 replica(s), but this is not consistent with previous partitions, which have 1 replica(s).",
        ),
    ];
    for (topic, code, message) in cases {
        assert_eq!(refused(&image, topic), (code, message.to_owned()));
    }
}

#[test]
fn replicas_go_round_the_brokers_and_assignments_are_kept() {
    let mut image = cluster(3);
    let spread = NewTopic { partition_count: 6, replication_factor: 2, ..topic("spread", 5) };
    let chosen = NewTopic { assignments: vec![(1, vec![3, 1]), (0, vec![2, 3])], ..topic("chosen", 6) };
    carry_out(&mut image, &create(vec![spread, chosen]));
    let mut leaders: Vec<_> =
        image.topic("spread").unwrap().partitions().map(|(_, partition)| partition.leader()).collect();
    leaders.sort_unstable();
    assert_eq!(leaders, [1, 1, 2, 2, 3, 3]);
    let chosen = image.topic("chosen").unwrap();
    assert_eq!(chosen.partition(0).unwrap().replicas(), [2, 3]);
    assert_eq!(
        (chosen.partition(1).unwrap().replicas(), chosen.partition(1).unwrap().leader()),
        (&[3, 1][..], 3)
    );
}

#[test]
fn a_validated_topic_is_described_and_not_made() {
    let image = cluster(1);
    let command = CreateTopics { validate_only: true, ..create(vec![topic("t", 1)]) };
    let decision = decide(&image, 0, &command).unwrap();
    assert_eq!(decision.records, []);
    assert_eq!(decision.reply[0].result.as_ref().unwrap().partition_count, 1);
}

#[test]
fn bad_configs_are_refused() {
    let image = cluster(1);
    let with = |name: &str, value: Option<&str>| NewTopic {
        configs: vec![(name.into(), value.map(Text::from))],
        ..topic("t", 1)
    };
    let cases = [
        (with("nope", Some("1")), "Unknown topic config name: nope"),
        (with("retention.ms", None), "Null value not supported for topic configs: retention.ms"),
        (
            with("retention.ms", Some("x")),
            "Invalid value x for configuration retention.ms: Not a number of type LONG",
        ),
    ];
    for (topic, message) in cases {
        assert_eq!(refused(&image, topic), (ErrorCode::INVALID_CONFIG, message.to_owned()));
    }
}

#[test]
fn topics_are_deleted_once_by_name_or_id() {
    let mut image = cluster(1);
    carry_out(&mut image, &create(vec![topic("a", 1), topic("b", 2), topic("c", 3)]));
    let name = |name: &str| TopicReference::Name(name.into());
    let id = |id: u128| TopicReference::Id(Uuid::from(id));
    let topics = vec![name("a"), name("b"), id(2), name("c"), name("c"), name("d"), id(9)];
    let reply = carry_out(&mut image, &DeleteTopics { topics });
    let code = |place: usize| reply[place].result.as_ref().err().map(|refusal| refusal.code);
    assert_eq!(reply.len(), 6, "what is repeated has one answer");
    assert_eq!((code(0), code(1), code(2)), (None, Some(ErrorCode::INVALID_REQUEST), None));
    assert_eq!(
        (code(3), code(4)),
        (Some(ErrorCode::INVALID_REQUEST), Some(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION))
    );
    assert_eq!(code(5), Some(ErrorCode::UNKNOWN_TOPIC_ID));
    let names: Vec<_> = image.topics().map(|topic| topic.name().as_str()).collect();
    assert_eq!(names, ["c"]);
}

#[test]
fn partitions_only_grow() {
    let mut image = cluster(2);
    carry_out(&mut image, &create(vec![NewTopic { partition_count: 3, ..topic("t", 1) }]));
    let mut add = |name: &str, count, assignments: Option<Vec<Vec<i32>>>| {
        let topics = vec![PartitionsToAdd { name: name.into(), count, assignments }];
        let reply = carry_out(&mut image, &CreatePartitions { topics, validate_only: false });
        reply[0].1.as_ref().err().map(|refusal| (refusal.code, refusal.message.clone()))
    };
    let invalid = |message: &str| Some((ErrorCode::INVALID_PARTITIONS, message.to_owned()));
    assert_eq!(add("t", 3, None), invalid("Topic already has 3 partition(s)."));
    assert_eq!(
        add("t", 2, None),
        invalid("The topic t currently has 3 partition(s); 2 would not be an increase.")
    );
    assert_eq!(
        add("t", -1, None),
        invalid("The topic t currently has 3 partition(s); -1 would not be an increase.")
    );
    assert_eq!(add("u", 4, None).unwrap().0, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    let message = "Attempted to add 2 additional partition(s), but only 1 assignment(s) were specified.";
    let expected = Some((ErrorCode::INVALID_REPLICA_ASSIGNMENT, message.to_owned()));
    assert_eq!(add("t", 5, Some(vec![vec![1]])), expected);
    assert_eq!(add("t", 5, Some(vec![vec![2], vec![2]])), None);
    assert_eq!(add("t", 7, None), None);
    let topic = image.topic("t").unwrap();
    assert_eq!((topic.partition_count(), topic.partition(4).unwrap().leader()), (7, 2));
}

#[test]
fn configs_change_setting_by_setting_or_whole() {
    let mut image = cluster(1);
    carry_out(&mut image, &create(vec![topic("t", 1)]));
    let mut alter = |change| {
        let resources = vec![ResourceChange { resource_type: 2, resource_name: "t".into(), change }];
        let settings = Arc::new(BrokerSettings::default());
        let reply =
            carry_out(&mut image, &AlterConfigs { resources, validate_only: false, settings, node_id: 1 });
        let config = image.topic_config("t").map(|config| {
            config.pairs().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
        });
        (
            reply[0].as_ref().err().map(|refusal| (refusal.code, refusal.message.clone())),
            config.unwrap_or_default(),
        )
    };
    let one = |name: &str, operation, value: &str| {
        ConfigChange::Incremental(vec![(name.into(), operation, Some(value.into()))])
    };
    assert_eq!(alter(one("retention.ms", ConfigOperation::Set, "5")), (None, "retention.ms=5".to_owned()));
    let both = "cleanup.policy=delete,compact retention.ms=5";
    assert_eq!(alter(one("cleanup.policy", ConfigOperation::Append, "compact")), (None, both.to_owned()));
    let (refusal, unchanged) = alter(one("retention.ms", ConfigOperation::Append, "6"));
    let message = "Can't APPEND to key retention.ms because its type is not LIST.";
    assert_eq!((refusal, unchanged.as_str()), (Some((ErrorCode::INVALID_CONFIG, message.to_owned())), both));
    let (refusal, _) =
        alter(ConfigChange::Incremental(vec![("retention.ms".into(), ConfigOperation::Set, None)]));
    assert_eq!(
        refusal,
        Some((ErrorCode::INVALID_REQUEST, "Null value not supported for : retention.ms".to_owned()))
    );
    assert_eq!(
        alter(one("cleanup.policy", ConfigOperation::Subtract, "delete")).1,
        "cleanup.policy=compact retention.ms=5"
    );
    assert_eq!(alter(one("retention.ms", ConfigOperation::Delete, "")).1, "cleanup.policy=compact");
    assert_eq!(alter(ConfigChange::Replace(vec![("segment.ms".into(), Some("9".into()))])).1, "segment.ms=9");
    assert_eq!(alter(ConfigChange::Replace(Vec::new())).1, "", "nothing set, no record");
}

#[test]
fn features_rise_and_fall_as_asked() {
    let mut image = cluster(1);
    let supported = vec![SupportedFeature { name: "group.version", min: 0, max: 1 }];
    let command = |name: &str, level, upgrade_type| SetFeatures {
        updates: vec![FeatureUpdate { name: name.into(), level, upgrade_type }],
        supported: supported.clone(),
        node_id: 1,
        validate_only: false,
    };
    for (name, level, fault) in [
        ("group.version", 2, "Local controller 1 only supports versions 0-1"),
        ("group.version", 0, "Can't downgrade the version of this feature without setting the upgrade type"),
        ("group.version", -1, "A feature version cannot be less than 0."),
        ("other", 1, "Local controller 1 does not support this feature."),
    ] {
        let refusal = decide(&image, 0, &command(name, level, UpgradeType::Upgrade)).unwrap_err();
        assert_eq!(refusal.code, ErrorCode::INVALID_UPDATE_VERSION, "{name} {level}");
        let said = format!("Invalid update version {level} for feature {name}. {fault}");
        assert!(refusal.message.starts_with(&said), "{refusal:?}");
    }
    carry_out(&mut image, &command("group.version", 0, UpgradeType::SafeDowngrade));
    assert_eq!(image.features().count(), 0, "a feature that is off is not named");
    carry_out(&mut image, &command("group.version", 1, UpgradeType::Upgrade));
    assert_eq!(image.feature("group.version"), 1);
}

#[test]
fn producer_ids_are_handed_out_once() {
    let mut image = cluster(1);
    let blocks: Vec<_> =
        (0..3).map(|_| carry_out(&mut image, &AllocateProducerIds { broker_id: 1 }).first_id).collect();
    assert_eq!(blocks, [0, 1_000, 2_000]);
    let refusal = decide(&image, 0, &AllocateProducerIds { broker_id: 2 }).unwrap_err();
    assert_eq!(refusal.code, ErrorCode::BROKER_ID_NOT_REGISTERED);
}

#[test]
fn leader_epochs_rise_by_one_however_often_they_are_named() {
    let mut image = cluster(1);
    carry_out(&mut image, &create(vec![topic("t", 1)]));
    let id = Uuid::from(1);
    let partitions = vec![(id, 0), (id, 0), (id, 1), (Uuid::from(9), 0)];
    let reply = carry_out(&mut image, &BumpLeaderEpochs { partitions });
    let results: Vec<_> =
        reply.iter().map(|bumped| bumped.leader_epoch.as_ref().map_err(|refusal| refusal.code)).collect();
    let expected =
        [Ok(&1), Ok(&1), Err(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION), Err(ErrorCode::UNKNOWN_TOPIC_ID)];
    assert_eq!(results, expected);
    let partition = image.topic("t").unwrap().partition(0).unwrap();
    assert_eq!((partition.leader_epoch(), partition.partition_epoch(), partition.leader()), (1, 1, 1));
}

#[test]
fn a_broker_registers_with_its_own_cluster_and_not_beside_itself() {
    let image = cluster(2);
    let again = RegisterBroker { incarnation_id: Uuid::from(77), ..broker(1) };
    let code = |command: &RegisterBroker| {
        decide(&image, 0, command).map_err(|refusal| refusal.code).map(|decision| decision.records.len())
    };
    assert_eq!(code(&again), Err(ErrorCode::DUPLICATE_BROKER_REGISTRATION));
    assert_eq!(code(&RegisterBroker { is_alone: true, ..again.clone() }), Ok(1));
    assert_eq!(code(&broker(1)), Ok(0), "nothing is new");
    assert_eq!(
        code(&RegisterBroker { cluster_id: "d".into(), ..broker(1) }),
        Err(ErrorCode::INCONSISTENT_CLUSTER_ID)
    );
    let taken = RegisterBroker { directory_ids: vec![Uuid::from(1_002)], ..broker(3) };
    assert_eq!(code(&taken), Err(ErrorCode::INVALID_REGISTRATION));
}
