//! Settings of topics and brokers: changed, refused, described, and there after a restart.

use strandline_broker::loggers::{self, Loggers, ROOT};
use strandline_protocol::ErrorCode;
use strandline_protocol::apis::alter_configs::{AlterConfigsRequest, AlterConfigsResource, AlterableConfig};
use strandline_protocol::apis::incremental_alter_configs::IncrementalAlterConfigsRequest;
use strandline_protocol::apis::list_config_resources::ListConfigResourcesRequest;

use tracing::level_filters::LevelFilter;

use crate::support::{Folder, Running};
use crate::wire::{BROKER, Change, TOPIC, alter, alteration, create, described};

/// A setting's value and source.
async fn value(running: &Running, resource_type: i8, name: &str, setting: &str) -> (String, i8) {
    let configs = described(running, resource_type, name).await;
    let config = configs.get(setting).unwrap_or_else(|| panic!("no {setting}"));
    (config.value.clone().map(String::from).unwrap_or_default(), config.config_source)
}

async fn sources(
    running: &Running,
    resource_type: i8,
    name: &str,
    setting: &str,
) -> Vec<(String, String, i8)> {
    let configs = described(running, resource_type, name).await;
    let synonyms = configs[setting].synonyms.iter();
    let parts = synonyms.map(|said| {
        let value = said.value.clone().map(String::from).unwrap_or_default();
        (said.name.clone().into(), value, said.source)
    });
    parts.collect()
}

#[tokio::test]
async fn what_counts_of_a_topic_is_its_own_then_the_brokers_then_the_clusters_then_the_start() {
    let folder = Folder::new();
    let start = [("log.retention.hours", "1")];
    let running = folder.start(&start).await;
    create(&running, "t", &[]).await;
    let retention = async |running: &Running| value(running, TOPIC, "t", "retention.ms").await;
    assert_eq!(retention(&running).await, ("3600000".to_owned(), 4));
    let none = (ErrorCode::NONE, String::new());
    assert_eq!(alter(&running, BROKER, "", &[("log.retention.ms", Change::Set("3000"))]).await, none);
    assert_eq!(retention(&running).await, ("3000".to_owned(), 3));
    assert_eq!(alter(&running, BROKER, "1", &[("log.retention.ms", Change::Set("2000"))]).await, none);
    assert_eq!(retention(&running).await, ("2000".to_owned(), 2));
    assert_eq!(alter(&running, TOPIC, "t", &[("retention.ms", Change::Set("1000"))]).await, none);
    assert_eq!(retention(&running).await, ("1000".to_owned(), 1));
    let said = [
        ("retention.ms", "1000", 1),
        ("log.retention.ms", "2000", 2),
        ("log.retention.ms", "3000", 3),
        ("log.retention.hours", "1", 4),
        ("log.retention.hours", "168", 5),
    ];
    let said = said.map(|(name, value, source)| (name.to_owned(), value.to_owned(), source));
    assert_eq!(sources(&running, TOPIC, "t", "retention.ms").await, said);
    assert_eq!(sources(&running, BROKER, "1", "log.retention.ms").await, said[1..].to_vec());
    assert_eq!(sources(&running, BROKER, "", "log.retention.ms").await, said[2..3].to_vec());
    running.stop().await;

    let running = folder.start(&start).await;
    for expected in [("1000", 1), ("2000", 2), ("3000", 3), ("3600000", 4)] {
        assert_eq!(retention(&running).await, (expected.0.to_owned(), expected.1));
        let topic_id = running.node.broker().metadata.image().topic("t").unwrap().id();
        let place = strandline_broker::storage::TopicPartition { topic_id, index: 0 };
        let config = running.node.broker().storage.partition(place).unwrap().config();
        assert_eq!(config.retention_ms.to_string(), expected.0, "it is in force");
        let (resource_type, name, setting) = match expected.1 {
            1 => (TOPIC, "t", "retention.ms"),
            2 => (BROKER, "1", "log.retention.ms"),
            _ => (BROKER, "", "log.retention.ms"),
        };
        assert_eq!(alter(&running, resource_type, name, &[(setting, Change::Delete)]).await, none);
    }
    running.stop().await;
}

#[tokio::test]
async fn logs_follow_what_the_broker_is_started_with() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    create(&running, "own", &[("segment.bytes", "2097152")]).await;
    create(&running, "plain", &[]).await;
    running.stop().await;
    let sizes = |running: &Running| {
        let image = running.node.broker().metadata.image();
        ["own", "plain"].map(|name| {
            let topic_id = image.topic(name).unwrap().id();
            let place = strandline_broker::storage::TopicPartition { topic_id, index: 0 };
            running.node.broker().storage.partition(place).unwrap().config().segment_bytes
        })
    };
    for (settings, expected) in
        [(&[("log.segment.bytes", "1048576")][..], [2 << 20, 1 << 20]), (&[], [2 << 20, 1 << 30])]
    {
        let running = folder.start(settings).await;
        assert_eq!(sizes(&running), expected);
        running.stop().await;
    }
}

/// What is asked for, on what, and how it is refused.
type Refused<'a> = (i8, &'a str, &'a str, Change<'a>, ErrorCode, &'a str);

async fn assert_refused(running: &Running, cases: &[Refused<'_>]) {
    for &(resource_type, name, setting, change, code, words) in cases {
        let (found, message) = alter(running, resource_type, name, &[(setting, change)]).await;
        assert!(found == code && message.contains(words), "{name} {setting}: {found} {message}");
    }
}

#[tokio::test]
async fn what_a_topic_cannot_be_told_is_refused_and_says_what_would_be_right() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    create(&running, "t", &[]).await;
    let (set, invalid) = (Change::Set, ErrorCode::INVALID_CONFIG);
    let unknown = "Unknown topic config name: retention.m (retention.ms is known)";
    let words = "String must be one of: compact, delete";
    let default = "Default topic resources are not allowed.";
    let cases = [
        (TOPIC, "t", "retention.m", set("1"), invalid, unknown),
        (TOPIC, "t", "retention.ms", set("-2"), invalid, "Value must be at least -1"),
        (TOPIC, "t", "retention.ms", set("x"), invalid, "Not a number of type LONG"),
        (TOPIC, "t", "cleanup.policy", Change::Append("burn"), invalid, words),
        (TOPIC, "t", "retention.ms", Change::Append("1"), invalid, "its type is not LIST"),
        (TOPIC, "t", "min.compaction.lag.ms", set("9223372036854775807"), ErrorCode::NONE, ""),
        (TOPIC, "t", "max.compaction.lag.ms", set("1"), invalid, "conflict topic config setting"),
        (TOPIC, "no", "retention.ms", set("1"), ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, "does not exist"),
        (TOPIC, "", "retention.ms", set("1"), ErrorCode::INVALID_REQUEST, default),
        (TOPIC, "a/b", "retention.ms", set("1"), ErrorCode::INVALID_TOPIC_EXCEPTION, "Topic name is invalid"),
        (16, "s", "metrics", set("1"), ErrorCode::INVALID_REQUEST, "Unknown resource type 16"),
    ];
    assert_refused(&running, &cases).await;
    running.stop().await;
}

#[tokio::test]
async fn what_a_broker_cannot_be_told_is_refused_and_says_what_would_be_right() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    let (set, wrong) = (Change::Set, ErrorCode::INVALID_REQUEST);
    let other = "Unexpected broker id, expected 1, but received 2";
    let no_number = "Node id must be an integer, but it is: x";
    let hours = "Cannot update these configs dynamically: [log.retention.hours]";
    let node_id = "Cannot update these configs dynamically: [node.id]";
    let cases = [
        (BROKER, "2", "log.retention.ms", set("1"), wrong, other),
        (BROKER, "x", "log.retention.ms", set("1"), wrong, no_number),
        (BROKER, "1", "log.retention.ms", set("-2"), wrong, "Value must be at least -1"),
        (BROKER, "", "log.retention.hours", set("1"), wrong, hours),
        (BROKER, "1", "node.id", set("1"), wrong, node_id),
        (BROKER, "", "log.retention.m", set("1"), ErrorCode::INVALID_CONFIG, "(log.retention.ms is known)"),
    ];
    assert_refused(&running, &cases).await;
    // It is in force, and hides what comes next, which has to make sense all the same.
    let own = alter(&running, BROKER, "1", &[("log.retention.ms", set("5"))]).await;
    assert_eq!(own.0, ErrorCode::NONE);
    assert_refused(&running, &[(BROKER, "", "log.retention.ms", set("-2"), wrong, "at least -1")]).await;
    running.stop().await;
}

#[tokio::test]
async fn requests_that_make_no_sense_change_nothing() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    create(&running, "t", &[]).await;
    let twice = [("retention.ms", Change::Set("1")), ("retention.ms", Change::Set("2"))];
    assert_eq!(alter(&running, TOPIC, "t", &twice).await.0, ErrorCode::INVALID_REQUEST);
    let one = || alteration(TOPIC, "t", &[("retention.ms", Change::Set("1"))]);
    let codes = async |resources, validate_only| {
        let request = IncrementalAlterConfigsRequest { resources, validate_only, ..Default::default() };
        let responses = running.ask(&request).await.responses;
        responses.iter().map(|said| said.error_code).collect::<Vec<_>>()
    };
    assert_eq!(codes(vec![one(), one()], false).await, [ErrorCode::INVALID_REQUEST; 2]);
    let mut unknown = one();
    unknown.configs[0].config_operation = 9;
    assert_eq!(codes(vec![unknown], false).await, [ErrorCode::INVALID_REQUEST]);
    let mut null = one();
    null.configs[0].value = None;
    assert_eq!(codes(vec![null], false).await, [ErrorCode::INVALID_REQUEST]);
    assert_eq!(codes(vec![one()], true).await, [ErrorCode::NONE], "it could be");
    assert_eq!(value(&running, TOPIC, "t", "retention.ms").await.1, 5, "nothing of it was kept");
    running.stop().await;
}

#[tokio::test]
async fn lists_grow_and_shrink_and_old_clients_set_everything_anew() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    create(&running, "t", &[("retention.ms", "7")]).await;
    let policy = async |change| {
        assert_eq!(alter(&running, TOPIC, "t", &[("cleanup.policy", change)]).await.0, ErrorCode::NONE);
        value(&running, TOPIC, "t", "cleanup.policy").await.0
    };
    assert_eq!(policy(Change::Append("compact")).await, "delete,compact", "in the order of giving");
    assert_eq!(policy(Change::Subtract("delete")).await, "compact");
    assert_eq!(policy(Change::Delete).await, "delete");
    let resource = |configs: &[(&str, Option<&str>)]| AlterConfigsResource {
        resource_type: TOPIC,
        resource_name: "t".into(),
        configs: configs
            .iter()
            .map(|(name, value)| AlterableConfig {
                name: (*name).into(),
                value: value.map(Into::into),
                ..Default::default()
            })
            .collect(),
        ..Default::default()
    };
    let replace = async |configs: &[(&str, Option<&str>)]| {
        let request = AlterConfigsRequest { resources: vec![resource(configs)], ..Default::default() };
        running.ask(&request).await.responses[0].error_code
    };
    assert_eq!(replace(&[("segment.ms", None)]).await, ErrorCode::INVALID_REQUEST);
    assert_eq!(replace(&[("segment.ms", Some("9"))]).await, ErrorCode::NONE);
    assert_eq!(value(&running, TOPIC, "t", "segment.ms").await, ("9".to_owned(), 1));
    assert_eq!(value(&running, TOPIC, "t", "retention.ms").await.1, 5, "it was not named");
    running.stop().await;
}

#[tokio::test]
async fn everything_is_described_with_its_type_and_its_text() {
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    create(&running, "t", &[]).await;
    let topic = described(&running, TOPIC, "t").await;
    assert_eq!(topic.len(), 34, "Kafka's 33 that it describes, and durability");
    let broker = described(&running, BROKER, "1").await;
    for config in topic.values().chain(broker.values()) {
        assert!(config.documentation.as_deref().is_some_and(|text| text.ends_with('.')), "{}", config.name);
        assert!(config.config_type > 0 && !config.is_sensitive, "{}", config.name);
    }
    assert!(topic.values().all(|config| !config.read_only));
    let read_only = |name: &str| broker[name].read_only;
    assert!(read_only("node.id") && read_only("log.retention.hours") && !read_only("log.retention.ms"));
    let ignored = topic["flush.ms"].documentation.as_deref().unwrap();
    assert!(ignored.contains("nothing comes of it"), "{ignored}");
    let request = ListConfigResourcesRequest { resource_types: Vec::new(), ..Default::default() };
    let listed = running.ask(&request).await.config_resources;
    let listed: Vec<_> =
        listed.iter().map(|found| (found.resource_type, found.resource_name.as_str())).collect();
    assert_eq!(listed, [(2, "t"), (4, "1"), (8, "1")]);
    let request = ListConfigResourcesRequest { resource_types: vec![3], ..Default::default() };
    assert_eq!(running.ask(&request).await.error_code, ErrorCode::UNSUPPORTED_VERSION);
    running.stop().await;
}

/// Two parts that log.
#[derive(Debug, Default)]
struct Parts(std::sync::Mutex<[Option<LevelFilter>; 2]>);

impl Loggers for Parts {
    fn levels(&self) -> Vec<(&'static str, LevelFilter)> {
        let [root, part] = *self.0.lock().unwrap();
        let root = root.unwrap_or(LevelFilter::WARN);
        vec![(ROOT, root), ("part", part.unwrap_or(root))]
    }

    fn set(&self, name: &str, level: Option<LevelFilter>) -> bool {
        self.0.lock().unwrap()[usize::from(name != ROOT)] = level;
        true
    }
}

#[tokio::test]
async fn parts_of_the_broker_log_as_much_as_they_are_told() {
    const LOGGER: i8 = 8;
    loggers::install(Box::<Parts>::default());
    let folder = Folder::new();
    let running = folder.start(&[]).await;
    let set = Change::Set;
    for (name, logger, change, code) in [
        ("1", "part", set("DEBUG"), ErrorCode::NONE),
        ("1", "part", set("LOUD"), ErrorCode::INVALID_CONFIG),
        ("1", "other", set("INFO"), ErrorCode::INVALID_CONFIG),
        ("1", "part", Change::Append("INFO"), ErrorCode::INVALID_REQUEST),
        ("1", ROOT, Change::Delete, ErrorCode::INVALID_REQUEST),
        ("2", "part", set("INFO"), ErrorCode::INVALID_REQUEST),
        ("", "part", set("INFO"), ErrorCode::INVALID_REQUEST),
    ] {
        let (found, message) = alter(&running, LOGGER, name, &[(logger, change)]).await;
        assert_eq!(found, code, "{name} {logger}: {message}");
    }
    assert_eq!(value(&running, LOGGER, "1", "part").await, ("DEBUG".to_owned(), 6));
    for (name, change) in [("part", set("TRACE")), ("part", Change::Delete), (ROOT, set("TRACE"))] {
        let resources = vec![alteration(LOGGER, "1", &[(name, change)])];
        let request = IncrementalAlterConfigsRequest { resources, validate_only: true, ..Default::default() };
        assert_eq!(running.ask(&request).await.responses[0].error_code, ErrorCode::NONE);
    }
    assert_eq!(value(&running, LOGGER, "1", "part").await.0, "DEBUG", "it was only checked");
    assert_eq!(value(&running, LOGGER, "1", ROOT).await, ("WARN".to_owned(), 6));
    assert_eq!(alter(&running, LOGGER, "1", &[("part", Change::Delete)]).await.0, ErrorCode::NONE);
    assert_eq!(value(&running, LOGGER, "1", "part").await.0, "WARN");
    running.stop().await;
}
