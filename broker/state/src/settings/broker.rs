//! The settings of a broker, by Kafka's names: what it is started with, and what it is told while it runs.

use std::cmp::Reverse;
use std::sync::Arc;

use super::error::{InvalidValue, SettingError};
use super::given::Given;
use super::groups::{Assignors, MigrationPolicy};
use super::names::BrokerName;
use super::setting::{Bounds, settings};
use super::source::ConfigSource;
use super::topic::TopicSettings;

settings! {
    /// What is in force for a broker. The defaults of topics are in `topic_defaults`, under the names that the
    /// synonyms of [`TOPIC_SETTINGS`](super::TOPIC_SETTINGS) give.
    BrokerSettings,
    /// Every setting of a broker that is not the default of a topic's.
    BROKER_SETTINGS,
    /// What is in force for a topic that says nothing itself.
    topic_defaults: TopicSettings,
    /// What was said, and by whom.
    given: Given;

    /// The addresses that clients are told, with commas between them: `LISTENER://HOST:PORT`. Unset = those that
    /// the broker listens on.
    advertised_listeners: Option<Arc<str>> = "advertised.listeners", None, Bounds::Any, None, acted;
    /// Whether a topic that a client asks for is made, if the client allows it.
    auto_create_topics_enable: bool = "auto.create.topics.enable", true, Bounds::Any, None, acted;
    /// The rack, or zone, that the broker stands in.
    broker_rack: Option<Arc<str>> = "broker.rack", None, Bounds::Any, None, acted;
    /// A connection on which nothing happens for so long is closed.
    connections_max_idle_ms: i64 = "connections.max.idle.ms", 600_000, Bounds::Any, Milliseconds, acted;
    /// How many replicas the partitions of a topic have that does not say how many.
    default_replication_factor: i32 = "default.replication.factor", 1, Bounds::Any, None, acted;
    /// Whether topics can be deleted.
    delete_topic_enable: bool = "delete.topic.enable", true, Bounds::Any, None, acted;
    /// The most that one answer to Fetch holds, the first batch apart.
    fetch_max_bytes: i32 = "fetch.max.bytes", 57_671_680, Bounds::AtLeast(1_024), Bytes, acted;
    /// How long the target of a consumer group stands before the next is computed.
    group_consumer_assignment_interval_ms: i32 = "group.consumer.assignment.interval.ms", 1_000, Bounds::AtLeast(0),
        Milliseconds, dynamic;
    /// The assignors that members of consumer groups may ask for; the first is for those that do not.
    group_consumer_assignors: Assignors = "group.consumer.assignors", Assignors::all(), Bounds::Any, None, acted;
    /// How often members of consumer groups are to send a heartbeat.
    group_consumer_heartbeat_interval_ms: i32 = "group.consumer.heartbeat.interval.ms", 5_000, Bounds::AtLeast(1),
        Milliseconds, acted;
    /// The longest that a consumer group may be set to have its target stand.
    group_consumer_max_assignment_interval_ms: i32 = "group.consumer.max.assignment.interval.ms", 15_000,
        Bounds::AtLeast(0), Milliseconds, acted;
    /// The longest time between heartbeats that a consumer group may be set to.
    group_consumer_max_heartbeat_interval_ms: i32 = "group.consumer.max.heartbeat.interval.ms", 15_000,
        Bounds::AtLeast(1), Milliseconds, acted;
    /// The longest session timeout that a consumer group may be set to.
    group_consumer_max_session_timeout_ms: i32 = "group.consumer.max.session.timeout.ms", 60_000, Bounds::AtLeast(1),
        Milliseconds, acted;
    /// So many members a consumer group has at most.
    group_consumer_max_size: i32 = "group.consumer.max.size", i32::MAX, Bounds::AtLeast(1), None, acted;
    /// Which groups change from one protocol to the other while they live, when members of the other come or the last
    /// of their own goes: `bidirectional`, `upgrade`, `downgrade`, `disabled`.
    group_consumer_migration_policy: MigrationPolicy = "group.consumer.migration.policy",
        MigrationPolicy::Bidirectional, Bounds::Any, None, acted;
    /// The shortest that a consumer group may be set to have its target stand.
    group_consumer_min_assignment_interval_ms: i32 = "group.consumer.min.assignment.interval.ms", 0,
        Bounds::AtLeast(0), Milliseconds, acted;
    /// The shortest time between heartbeats that a consumer group may be set to.
    group_consumer_min_heartbeat_interval_ms: i32 = "group.consumer.min.heartbeat.interval.ms", 5_000,
        Bounds::AtLeast(1), Milliseconds, acted;
    /// The shortest session timeout that a consumer group may be set to.
    group_consumer_min_session_timeout_ms: i32 = "group.consumer.min.session.timeout.ms", 45_000, Bounds::AtLeast(1),
        Milliseconds, acted;
    /// How long a member of a consumer group may be silent before it is thrown out.
    group_consumer_session_timeout_ms: i32 = "group.consumer.session.timeout.ms", 45_000, Bounds::AtLeast(1),
        Milliseconds, acted;
    /// How long the first rebalance of an empty group waits for more members to join.
    group_initial_rebalance_delay_ms: i32 = "group.initial.rebalance.delay.ms", 3_000, Bounds::Any, Milliseconds, acted;
    /// The longest session timeout that a member of a classic group may ask for.
    group_max_session_timeout_ms: i32 = "group.max.session.timeout.ms", 1_800_000, Bounds::Any, Milliseconds, acted;
    /// So many members a classic group has at most.
    group_max_size: i32 = "group.max.size", i32::MAX, Bounds::AtLeast(1), None, acted;
    /// The shortest session timeout that a member of a classic group may ask for.
    group_min_session_timeout_ms: i32 = "group.min.session.timeout.ms", 6_000, Bounds::Any, Milliseconds, acted;
    /// The listener that brokers and those who look after them come by: where there are as many connections as there may
    /// be, they are let in all the same, and one of another listener that did nothing for the longest time is closed.
    inter_broker_listener_name: Option<Arc<str>> = "inter.broker.listener.name", None, Bounds::Any, None, acted;
    /// The addresses that the broker listens on, with commas between them: `LISTENER://HOST:PORT`.
    listeners: Option<Arc<str>> = "listeners", Some("PLAINTEXT://127.0.0.1:9092".into()), Bounds::Any, None, acted;
    /// The folder that holds everything; there is one.
    log_dirs: Option<Arc<str>> = "log.dirs", None, Bounds::Any, None, acted;
    /// So many bytes a second are read and written by compaction.
    log_cleaner_io_max_bytes_per_second: f64 = "log.cleaner.io.max.bytes.per.second", f64::MAX, Bounds::Any,
        BytesPerSecond, dynamic;
    /// How often it is looked whether records are too old, too many, or worth compacting.
    log_retention_check_interval_ms: i64 = "log.retention.check.interval.ms", 60_000, Bounds::AtLeast(1),
        Milliseconds, dynamic;
    /// So many connections at once, in all.
    max_connections: i32 = "max.connections", 50_000, Bounds::Between(0, 50_000), None, dynamic;
    /// So many connections at once from one address; never more than there may be in all.
    max_connections_per_ip: i32 = "max.connections.per.ip", i32::MAX, Bounds::AtLeast(0), None, dynamic;
    /// So many fetch sessions are remembered.
    max_incremental_fetch_session_cache_slots: i32 = "max.incremental.fetch.session.cache.slots", 1_000,
        Bounds::AtLeast(0), None, acted;
    /// So many partitions one answer to DescribeTopicPartitions describes at most.
    max_request_partition_size_limit: i32 = "max.request.partition.size.limit", 2_000, Bounds::AtLeast(1),
        None, acted;
    /// The number that the broker has in the cluster.
    node_id: i32 = "node.id", 1, Bounds::AtLeast(0), None, acted;
    /// How many partitions a topic has that does not say how many.
    num_partitions: i32 = "num.partitions", 1, Bounds::AtLeast(1), None, acted;
    /// How much a client may note beside an offset that it commits.
    offset_metadata_max_bytes: i32 = "offset.metadata.max.bytes", 4_096, Bounds::Any, Bytes, acted;
    /// The longest that one who asks a coordinator, of groups or of transactions, waits until what comes of it is
    /// durable. After that the answer is COORDINATOR_NOT_AVAILABLE, and what was decided stands.
    offsets_commit_timeout_ms: i32 = "offsets.commit.timeout.ms", 5_000, Bounds::AtLeast(1), Milliseconds, acted;
    /// How often it is looked whether committed offsets can go.
    offsets_retention_check_interval_ms: i64 = "offsets.retention.check.interval.ms", 600_000, Bounds::AtLeast(1),
        Milliseconds, acted;
    /// Committed offsets are kept for so long after their group has become empty, or has no use for them any more.
    offsets_retention_minutes: i32 = "offsets.retention.minutes", 10_080, Bounds::AtLeast(1), Minutes, acted;
    /// How many partitions the topic of the groups and their offsets gets when it is made.
    offsets_topic_num_partitions: i32 = "offsets.topic.num.partitions", 50, Bounds::AtLeast(1), None, acted;
    /// How many replicas that topic gets when it is made, or as many as there are brokers, if these are fewer.
    offsets_topic_replication_factor: i16 = "offsets.topic.replication.factor", 3, Bounds::AtLeast(1), None, acted;
    /// How large the segments of that topic are.
    offsets_topic_segment_bytes: i32 = "offsets.topic.segment.bytes", 104_857_600, Bounds::AtLeast(1), Bytes, acted;
    /// A producer that sent nothing for so long is forgotten.
    producer_id_expiration_ms: i32 = "producer.id.expiration.ms", 86_400_000, Bounds::AtLeast(1),
        Milliseconds, dynamic;
    /// The largest request that is read.
    socket_request_max_bytes: i32 = "socket.request.max.bytes", 104_857_600, Bounds::AtLeast(1), Bytes, acted;
    /// After so much time what was appended lies in segments, where retention and compaction see it, even if nothing
    /// else presses.
    checkpoint_interval_ms: i64 = "strandline.checkpoint.interval.ms", 30_000, Bounds::AtLeast(1), Milliseconds,
        dynamic;
    /// So many bytes of files a second are removed of what was deleted or is too old, while there is room on the disk;
    /// a file counts as 256 KiB at least.
    file_removal_bytes_per_second: i64 = "strandline.file.removal.bytes.per.second", 4 << 30, Bounds::AtLeast(1),
        BytesPerSecond, dynamic;
    /// Where /healthz, /readyz and /metrics are served: `HOST:PORT`.
    http_address: Option<Arc<str>> = "strandline.http.address", Some("127.0.0.1:9644".into()), Bounds::Any, None,
        acted;
    /// The size of the journal, which decides how long a recovery takes.
    journal_bytes: i64 = "strandline.journal.bytes", 256 << 20, Bounds::AtLeast(128 << 20), Bytes, acted;
    /// As what the broker's log is written to its standard error: text for people, or an object of JSON to a line.
    log_format: Option<Arc<str>> = "strandline.log.format", Some("text".into()), Bounds::OneOf(&["text", "json"]),
        None, acted;
    /// Of so many groups the metrics tell each by itself: members, positions and how far behind they are.
    metrics_groups: i32 = "strandline.metrics.groups", 1_000, Bounds::AtLeast(0), None, dynamic;
    /// Of so many partitions the metrics tell each by itself: offsets and bytes. Of all, the sums.
    metrics_partitions: i32 = "strandline.metrics.partitions", 10_000, Bounds::AtLeast(0), None, dynamic;
    /// So many topics are counted each by itself in the metrics; what goes in and out of the rest is counted
    /// together.
    metrics_topics: i32 = "strandline.metrics.topics", 1_000, Bounds::AtLeast(0), None, acted;
    /// How many files are kept open.
    open_files: i64 = "strandline.open.files", 4_096, Bounds::AtLeast(16), None, acted;
    /// So many requests of one connection are under way at once; the next is read when one is answered.
    pipeline_requests: i32 = "strandline.pipeline.requests", 64, Bounds::AtLeast(1), None, acted;
    /// The memory that all requests under way may hold; beyond it, connections are not read.
    request_memory_bytes: i64 = "strandline.request.memory.bytes", 128 << 20, Bounds::AtLeast(1 << 20), Bytes,
        acted;
    /// The memory for what was appended last, of all partitions and data directories of the process together.
    tail_bytes: i64 = "strandline.tail.bytes", 64 << 20, Bounds::AtLeast(1 << 20), Bytes, acted;
    /// So many threads serve connections, beside those of the log. 0 = one for each processor; fewer take less of the
    /// processors for many small requests, and have clients wait longer behind a burst of others.
    threads: i32 = "strandline.threads", 0, Bounds::AtLeast(0), None, acted;
    /// The longest that a producer may want its transactions to stay open.
    transaction_max_timeout_ms: i32 = "transaction.max.timeout.ms", 900_000, Bounds::AtLeast(1), Milliseconds, acted;
    /// How often it is looked whether transactional ids can go.
    transaction_remove_expired_interval_ms: i32 = "transaction.remove.expired.transaction.cleanup.interval.ms",
        3_600_000, Bounds::AtLeast(1), Milliseconds, acted;
    /// How many partitions the topic of the transactions gets when it is made.
    transaction_topic_num_partitions: i32 = "transaction.state.log.num.partitions", 50, Bounds::AtLeast(1), None,
        acted;
    /// How many replicas that topic gets when it is made, or as many as there are brokers, if these are fewer.
    transaction_topic_replication_factor: i16 = "transaction.state.log.replication.factor", 3, Bounds::AtLeast(1),
        None, acted;
    /// How large the segments of that topic are.
    transaction_topic_segment_bytes: i32 = "transaction.state.log.segment.bytes", 104_857_600, Bounds::AtLeast(1),
        Bytes, acted;
    /// A transactional id that nothing happens with for so long is forgotten.
    transactional_id_expiration_ms: i32 = "transactional.id.expiration.ms", 604_800_000, Bounds::AtLeast(1),
        Milliseconds, acted;
}

impl BrokerSettings {
    /// What a broker is that is started with these pairs of name and value; of a name that comes twice the last
    /// counts.
    pub fn from_pairs<N: AsRef<str>, V: AsRef<str>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, SettingError> {
        let mut given = Given::default();
        given.say(ConfigSource::Start, pairs)?;
        Self::of(given)
    }

    /// What it is once it has been told this while it ran: for all brokers, and for itself.
    pub fn with_dynamic<'a>(
        &self,
        of_cluster: impl IntoIterator<Item = (&'a str, &'a str)>,
        of_broker: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, SettingError> {
        let mut given = self.given.at_start();
        given.say(ConfigSource::DynamicDefault, of_cluster)?;
        given.say(ConfigSource::DynamicBroker, of_broker)?;
        Self::of(given)
    }

    fn of(given: Given) -> Result<Self, SettingError> {
        let mut settings = Self::default();
        let mut said: Vec<_> = given.iter().collect();
        // Everything has to be valid, and what counts most comes last: the finest name, then who counts most.
        said.sort_by_key(|(source, name, _)| Reverse((name.synonym().map(|(rank, _)| rank), *source)));
        for (_, name, text) in said {
            let result = match settings.set(name.name(), text) {
                Some(result) => result,
                None => set_default(&mut settings.topic_defaults, name, text),
            };
            result.map_err(|invalid| invalid.of(name.name(), text, name.unit()))?;
        }
        settings.topic_defaults.check_together()?;
        settings.given = given;
        Ok(settings)
    }

    /// The value of the setting of this name that is in force, as it would be written.
    pub fn value_of(&self, name: BrokerName) -> Option<String> {
        let default = || name.default_text();
        self.given.of(name.name()).map(|(_, text)| text.to_owned()).or_else(default)
    }
}

/// Sets the default of a setting of topics by a broker's name for it.
fn set_default(topic: &mut TopicSettings, name: BrokerName, text: &str) -> Result<(), InvalidValue> {
    let Some((_, synonym)) = name.synonym() else { return Ok(()) };
    let scaled = scale(text, synonym.factor)?;
    topic.set(name.setting().name, scaled.as_deref().unwrap_or(text)).unwrap_or(Ok(()))
}

/// A coarse number times `factor`; none for one that is as fine as the topic's. A negative one means "no bound" in
/// every unit.
fn scale(text: &str, factor: i64) -> Result<Option<String>, InvalidValue> {
    if factor == 1 {
        return Ok(None);
    }
    let number: i32 =
        text.trim().parse().map_err(|_| InvalidValue::Reason("Not a number of type INT".to_owned()))?;
    let number = i64::from(number);
    Ok(Some(if number > 0 { number.saturating_mul(factor) } else { number }.to_string()))
}
