//! The tables against Kafka's own, and values against Kafka's words.

use std::collections::BTreeMap;

use super::*;

/// Name, type, default and bounds of each setting of a topic, as Kafka prints them: `tests/conformance/settings`
/// holds the file against Kafka.
const KAFKA: &str = include_str!("kafka-topic-settings.txt");

/// The same of each setting of a consumer group.
const KAFKA_GROUPS: &str = include_str!("kafka-group-settings.txt");

/// Bounds as Kafka prints them.
fn bounds_text(setting: &Setting) -> String {
    match setting.bounds {
        Bounds::Any if setting.name.ends_with("throttled.replicas") => {
            "[partitionId]:[brokerId],[partitionId]:[brokerId],...".to_owned()
        }
        Bounds::Any => "null".to_owned(),
        Bounds::AtLeast(min) => format!("[{min},...]"),
        Bounds::Between(min, max) => format!("[{min},...,{max}]"),
        Bounds::BetweenOr(min, max, other) => format!("[{min},...,{max}] or {other}"),
        Bounds::OneOf(words) => format!("[{}]", words.join(", ")),
    }
}

/// By name, what Kafka says of its settings and we of ours.
fn both(
    kafka: &'static str,
    ours: &'static [Setting],
) -> (BTreeMap<&'static str, &'static str>, BTreeMap<&'static str, String>) {
    let ours = ours.iter().map(|setting| {
        let kind = format!("{:?}", setting.kind).to_uppercase();
        let default = setting.default_text().unwrap_or_else(|| "null".to_owned());
        (setting.name, format!("{kind}|{default}|{}", bounds_text(setting)))
    });
    (kafka.lines().map(|line| line.split_once('|').unwrap()).collect(), ours.collect())
}

#[test]
fn group_settings_are_kafkas() {
    let (kafka, ours) = both(KAFKA_GROUPS, GROUP_SETTINGS);
    let ours: BTreeMap<_, _> = ours.iter().map(|(name, line)| (*name, line.as_str())).collect();
    assert_eq!(ours, kafka);
    for setting in GROUP_SETTINGS {
        let synonyms: Vec<_> = setting.synonyms.iter().map(|synonym| synonym.name).collect();
        assert_eq!(synonyms, [format!("group.{}", setting.name)]);
        assert_eq!(BrokerName::find(synonyms[0]).unwrap().default_text(), setting.default_text());
    }
}

#[test]
fn topic_settings_are_kafkas_and_durability() {
    let (kafka, ours) = both(KAFKA, TOPIC_SETTINGS);
    for (name, line) in &kafka {
        assert_eq!(ours.get(name).map(String::as_str), Some(*line), "{name}");
    }
    let only_ours: Vec<_> = ours.keys().filter(|name| !kafka.contains_key(*name)).collect();
    assert_eq!(only_ours, [&"strandline.durability"]);
}

#[test]
fn every_default_is_a_value_and_every_setting_is_described() {
    for setting in TOPIC_SETTINGS {
        assert!(
            !setting.documentation.is_empty() && setting.documentation.ends_with('.'),
            "{}",
            setting.name
        );
        let Some(default) = setting.default_text() else { continue };
        let mut settings = TopicSettings::default();
        settings.apply(setting.name, &default).unwrap();
        assert_eq!(settings, TopicSettings::default(), "{}", setting.name);
    }
    for setting in BROKER_SETTINGS {
        assert!(
            !setting.documentation.is_empty() && setting.documentation.ends_with('.'),
            "{}",
            setting.name
        );
        let Some(default) = setting.default_text() else { continue };
        let mut settings = BrokerSettings::from_pairs([(setting.name, default)]).unwrap();
        settings.given = Given::default();
        assert_eq!(settings, BrokerSettings::default(), "{}", setting.name);
    }
    let names = BROKER_SETTINGS.iter().map(|setting| setting.name);
    let synonyms = TOPIC_SETTINGS.iter().flat_map(|setting| setting.synonyms).map(|synonym| synonym.name);
    let mut seen = std::collections::BTreeSet::new();
    for name in names.chain(synonyms) {
        assert!(seen.insert(name), "{name} means two things");
    }
    let variables: std::collections::BTreeSet<_> =
        BrokerName::all().map(|name| name.environment_name()).collect();
    assert_eq!(variables.len(), seen.len(), "each variable of the environment means one thing");
    assert!(
        variables.contains("STRANDLINE_LOG_RETENTION_HOURS") && variables.contains("STRANDLINE_TAIL_BYTES")
    );
}

#[test]
fn what_nothing_comes_of_says_why() {
    let ignored = TOPIC_SETTINGS.iter().chain(BROKER_SETTINGS).filter(|setting| !setting.is_acted_on);
    let ignored: Vec<_> = ignored.map(|setting| (setting.name, setting.documentation)).collect();
    assert!(ignored.len() >= 12, "{ignored:?}");
    for (name, text) in ignored {
        // What it is in Kafka, and what is so here.
        assert!(text.contains(". ") && text.ends_with('.'), "{name}: {text}");
    }
}

fn refused(name: &str, value: &str, message: &str) {
    let error = TopicSettings::resolve(&TopicSettings::default(), [(name, value)]).unwrap_err();
    assert_eq!(error.to_string(), message);
}

// The words are what Kafka 4.3.1's own LogConfig.validate said to the same values.
#[test]
fn values_are_refused_in_kafkas_words() {
    let cases = [
        (
            "retention.ms",
            "abc",
            "Invalid value abc for configuration retention.ms: Not a number of type LONG",
        ),
        ("retention.ms", "-2", "Invalid value -2 for configuration retention.ms: Value must be at least -1"),
        ("retention.ms", "", "Invalid value  for configuration retention.ms: Not a number of type LONG"),
        (
            "segment.bytes",
            "1",
            "Invalid value 1 for configuration segment.bytes: Value must be at least 1048576",
        ),
        (
            "segment.bytes",
            "9999999999",
            "Invalid value 9999999999 for configuration segment.bytes: Not a number of type INT",
        ),
        (
            "cleanup.policy",
            "foo",
            "Invalid value foo for configuration cleanup.policy: String must be one of: compact, delete",
        ),
        ("cleanup.policy", "delete,", "Configuration 'cleanup.policy' values must not be empty."),
        (
            "compression.type",
            "GZIP",
            "Invalid value GZIP for configuration compression.type: String must be one of: uncompressed, zstd, lz4, snappy, gzip, producer",
        ),
        (
            "compression.gzip.level",
            "0",
            "Invalid value 0 for configuration compression.gzip.level: Value must be between 1 and 9 or equal to -1",
        ),
        (
            "compression.zstd.level",
            "23",
            "Invalid value 23 for configuration compression.zstd.level: Value must be no more than 22",
        ),
    ];
    for (name, value, message) in cases {
        refused(name, value, message);
    }
}

#[test]
fn other_values_are_refused_in_kafkas_words() {
    let cases = [
        (
            "preallocate",
            "yes",
            "Invalid value yes for configuration preallocate: Expected value to be either true or false",
        ),
        (
            "min.cleanable.dirty.ratio",
            "x",
            "Invalid value x for configuration min.cleanable.dirty.ratio: Not a number of type DOUBLE",
        ),
        (
            "max.compaction.lag.ms",
            "0",
            "Invalid value 0 for configuration max.compaction.lag.ms: Value must be at least 1",
        ),
        ("a.b", "1", "Unknown topic config name: a.b"),
        (
            "remote.storage.enable",
            "true",
            "Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.",
        ),
    ];
    for (name, value, message) in cases {
        refused(name, value, message);
    }
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    let both = [("min.compaction.lag.ms", "10"), ("max.compaction.lag.ms", "5")];
    let error = TopicSettings::resolve(&TopicSettings::default(), both).unwrap_err();
    let message = "conflict topic config setting min.compaction.lag.ms (10) > max.compaction.lag.ms (5)";
    assert_eq!(error.to_string(), message);
}

#[test]
fn values_that_kafka_takes_are_taken() {
    let values = [
        ("retention.ms", " 5 "),
        ("retention.ms", "+5"),
        ("cleanup.policy", ""),
        ("cleanup.policy", "delete,delete"),
        ("cleanup.policy", " compact , delete "),
        ("preallocate", "TRUE"),
        ("leader.replication.throttled.replicas", "*"),
        ("leader.replication.throttled.replicas", "1:2,3:4"),
        ("retention.bytes", "-500"),
        ("internal.segment.bytes", "100"),
    ];
    for pair in values {
        TopicSettings::resolve(&TopicSettings::default(), [pair]).unwrap();
    }
}

#[test]
fn of_several_names_for_a_default_the_finest_counts() {
    let pairs = [("log.retention.ms", "7"), ("log.retention.hours", "1"), ("log.roll.hours", "2")];
    for pairs in [pairs.to_vec(), pairs.into_iter().rev().collect()] {
        let broker = BrokerSettings::from_pairs(pairs).unwrap();
        assert_eq!((broker.topic_defaults.retention_ms, broker.topic_defaults.segment_ms), (7, 7_200_000));
    }
    let forever = BrokerSettings::from_pairs([("log.retention.hours", "-1")]).unwrap();
    assert_eq!(forever.topic_defaults.retention_ms, -1);
    let error = BrokerSettings::from_pairs([("log.retention.hours", "9223372036854775807")]).unwrap_err();
    assert!(
        error.to_string().ends_with("for configuration log.retention.hours: Not a number of type INT"),
        "{error}"
    );
    let error = BrokerSettings::from_pairs([("num.partition", "3")]).unwrap_err();
    assert_eq!(error.to_string(), "Unknown broker config name: num.partition (num.partitions is known)");
}

#[test]
fn what_is_in_force_says_where_it_comes_from() {
    let broker =
        BrokerSettings::from_pairs([("log.retention.hours", "1"), ("min.insync.replicas", "2")]).unwrap();
    let configs = effective_topic_configs(&broker, [("min.insync.replicas", "3")]).unwrap();
    let of = |name: &str| {
        let config = configs.iter().find(|config| config.name == name).unwrap();
        (config.value.as_deref().unwrap(), config.source.code())
    };
    assert_eq!(of("retention.ms"), ("3600000", 4));
    assert_eq!(of("min.insync.replicas"), ("3", 1));
    assert_eq!(of("segment.bytes"), ("1073741824", 5));
    assert!(configs.iter().all(|config| config.name != "internal.segment.bytes"));
}
