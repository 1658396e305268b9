//! The settings of a broker: what it is started with, by Kafka's names.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::error::{InvalidValue, SettingError};
use super::setting::{Bounds, Setting, settings};
use super::suggest::nearest;
use super::topic::{TOPIC_SETTINGS, TopicSettings};

settings! {
    /// What a broker was told at its start. The defaults of topics are in `topic_defaults`, under the names that
    /// the synonyms of [`TOPIC_SETTINGS`] give.
    BrokerSettings,
    /// Every setting of a broker that is not the default of a topic's.
    BROKER_SETTINGS,
    /// What is in force for a topic that says nothing itself.
    topic_defaults: TopicDefaults;

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
    /// So many connections at once, in all.
    max_connections: i32 = "max.connections", i32::MAX, Bounds::AtLeast(0), None, acted;
    /// So many connections at once from one address.
    max_connections_per_ip: i32 = "max.connections.per.ip", i32::MAX, Bounds::AtLeast(0), None, acted;
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
    /// A producer that sent nothing for so long is forgotten.
    producer_id_expiration_ms: i32 = "producer.id.expiration.ms", 86_400_000, Bounds::AtLeast(1),
        Milliseconds, acted;
    /// The largest request that is read.
    socket_request_max_bytes: i32 = "socket.request.max.bytes", 104_857_600, Bounds::AtLeast(1), Bytes, acted;
    /// The size of the journal, which decides how long a recovery takes.
    journal_bytes: i64 = "strandline.journal.bytes", 256 << 20, Bounds::AtLeast(128 << 20), Bytes, acted;
    /// How many files are kept open.
    open_files: i64 = "strandline.open.files", 4_096, Bounds::AtLeast(16), None, acted;
    /// So many requests of one connection are under way at once; the next is read when one is answered.
    pipeline_requests: i32 = "strandline.pipeline.requests", 64, Bounds::AtLeast(1), None, acted;
    /// The memory that all requests under way may hold; beyond it, connections are not read.
    request_memory_bytes: i64 = "strandline.request.memory.bytes", 128 << 20, Bounds::AtLeast(1 << 20), Bytes,
        acted;
    /// The memory for what was appended last, of all partitions together.
    tail_bytes: i64 = "strandline.tail.bytes", 64 << 20, Bounds::AtLeast(1 << 20), Bytes, acted;
}

/// What is in force for a topic that says nothing itself, and what of it was set.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicDefaults {
    settings: TopicSettings,
    // The broker's name and text for each setting of a topic that the broker was given, by the topic's name.
    given: BTreeMap<&'static str, (&'static str, String)>,
}

impl std::ops::Deref for TopicDefaults {
    type Target = TopicSettings;

    fn deref(&self) -> &TopicSettings {
        &self.settings
    }
}

impl TopicDefaults {
    /// Whether the broker was given this setting of topics, by any of its names.
    pub fn is_given(&self, topic_setting: &str) -> bool {
        self.given.contains_key(topic_setting)
    }
}

impl BrokerSettings {
    /// The settings that these pairs of name and value make; of a name that comes twice the last counts.
    pub fn from_pairs<N: AsRef<str>, V: AsRef<str>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, SettingError> {
        let mut settings = Self::default();
        // By topic setting, then by the rank of the broker's name for it: the first that is set wins.
        let mut given: BTreeMap<(&'static str, usize), (&'static Setting, String)> = BTreeMap::new();
        for (name, text) in pairs {
            let (name, text) = (name.as_ref(), text.as_ref());
            if let Some(result) = settings.set(name, text) {
                result.map_err(|invalid| invalid.of(name, text))?;
            } else {
                let (setting, rank) = topic_setting(name)?;
                given.insert((setting.name, rank), (setting, text.to_owned()));
            }
        }
        for ((_, rank), (setting, text)) in given.into_iter().rev() {
            settings.topic_defaults.give(setting, rank, text)?;
        }
        settings.topic_defaults.settings.check_together()?;
        Ok(settings)
    }
}

impl TopicDefaults {
    fn give(&mut self, setting: &'static Setting, rank: usize, text: String) -> Result<(), SettingError> {
        let Some(synonym) = setting.synonyms.get(rank) else { return Ok(()) };
        let result = match scale(&text, synonym.factor) {
            Scaled::AsItIs => self.settings.set(setting.name, &text),
            Scaled::To(number) => self.settings.set(setting.name, &number.to_string()),
            Scaled::TooLarge => Some(Err(InvalidValue::Reason("Not a number of type LONG".to_owned()))),
        };
        if let Some(Err(invalid)) = result {
            return Err(invalid.of(synonym.name, &text));
        }
        self.given.insert(setting.name, (synonym.name, text));
        Ok(())
    }
}

enum Scaled {
    AsItIs,
    To(i64),
    TooLarge,
}

/// A number times `factor`; a negative one means "no bound" in every unit. What is no number is left to the
/// parser of the setting to refuse.
fn scale(text: &str, factor: i64) -> Scaled {
    match text.trim().parse::<i64>() {
        Ok(number) if factor != 1 && number > 0 => {
            number.checked_mul(factor).map_or(Scaled::TooLarge, Scaled::To)
        }
        _ => Scaled::AsItIs,
    }
}

/// The setting of topics that a broker's setting is the default of, and the rank of that name for it.
fn topic_setting(name: &str) -> Result<(&'static Setting, usize), SettingError> {
    let found = TOPIC_SETTINGS.iter().find_map(|setting| {
        let rank = setting.synonyms.iter().position(|synonym| synonym.name == name)?;
        Some((setting, rank))
    });
    found.ok_or_else(|| {
        let synonyms = TOPIC_SETTINGS.iter().flat_map(|setting| setting.synonyms).map(|synonym| synonym.name);
        let names = BROKER_SETTINGS.iter().map(|setting| setting.name).chain(synonyms);
        SettingError::UnknownBrokerSetting { name: name.to_owned(), nearest: nearest(name, names) }
    })
}
