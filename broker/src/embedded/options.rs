//! What an embedded broker is told, and in what it differs from one that is installed.

use std::path::PathBuf;
use std::time::Duration;

use strandline_log::engine::Options as EngineOptions;
use strandline_log::journal;
use strandline_log::manifest::ManifestOptions;
use strandline_state::settings::BrokerSettings;

use super::running::EmbeddedBroker;
use super::{EmbeddedError, embedded};
use crate::node::{NodeError, NodeOptions, NodeParts};

/// Nothing is served by HTTP unless it is set.
const HTTP: &str = "strandline.http.address";

/// What is so unless [`EmbeddedOptions::setting`] says otherwise.
const DEFAULTS: [(&str, &str); 1] = [
    // A group waits for more members for three seconds otherwise, and a test has its own at once.
    ("group.initial.rebalance.delay.ms", "0"),
];

/// What the broker says itself, and what is there instead.
const CHOSEN: [(&str, &str); 4] = [
    ("listeners", "`port`"),
    ("advertised.listeners", "`port`"),
    ("log.dirs", "`data_dir`"),
    ("strandline.journal.bytes", "a journal of a fixed size, large enough for tests,"),
];

/// The journal's files: short, so that one that is needed early is there soon.
const JOURNAL_FILE_BYTES: u64 = 4 << 20;

/// The journal: a test that is killed leaves little behind. A batch may still be as large as this.
const JOURNAL_BYTES: u64 = 64 << 20;

/// Requests that are under way when the broker is stopped have so long.
const SHUTDOWN_MAX: Duration = Duration::from_millis(250);

/// A topic that is there when the broker is.
#[derive(Clone, Debug)]
pub(super) struct EmbeddedTopic {
    pub(super) name: String,
    pub(super) partitions: i32,
    pub(super) settings: Vec<(String, String)>,
}

/// What an embedded broker is told before it starts; [`embedded`] makes one.
///
/// It is started as `strandline serve` starts a broker, with the same defaults, but for these:
///
/// | what | here | why |
/// | --- | --- | --- |
/// | listener | 127.0.0.1, any free port | several tests run at once |
/// | folder | a new one, removed at the end | the same |
/// | `group.initial.rebalance.delay.ms` | 0 | a group of a test has its members at once |
/// | journal | 64 MiB in files of 4 MiB, not 256 in 32 | it starts sooner, and leaves less if it is killed |
/// | room that is kept for a full disk | 4 MiB, not the journal's size | the same |
/// | HTTP | none, unless `strandline.http.address` is set | nobody asks |
/// | end | answers have 250 ms, not ten seconds | nobody waits for them |
#[derive(Clone, Debug, Default)]
#[must_use = "nothing starts before `start`"]
pub struct EmbeddedOptions {
    data_dir: Option<PathBuf>,
    port: u16,
    settings: Vec<(String, String)>,
    topics: Vec<EmbeddedTopic>,
}

impl EmbeddedOptions {
    /// The same as [`embedded`].
    pub fn new() -> Self {
        embedded()
    }

    /// Keeps everything in this folder, which is made if it is not there and stays when the broker goes: what was
    /// acknowledged is there at the next start.
    pub fn data_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.data_dir = Some(path.into());
        self
    }

    /// Listens at this port, not at any that is free.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Sets what can be set for a broker, by its name: all of `docs/CONFIGURATION.md`. Of one that is set twice the
    /// later counts.
    ///
    /// ```
    /// # fn main() -> Result<(), strandline_broker::embedded::EmbeddedError> {
    /// let broker = strandline_broker::embedded()
    ///     .setting("auto.create.topics.enable", "false")
    ///     .setting("message.max.bytes", "10000")
    ///     .start()?;
    /// # broker.stop()
    /// # }
    /// ```
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Has a topic when it starts, with so many partitions. One that is in the folder already stays as it is.
    pub fn topic(self, name: &str, partitions: i32) -> Self {
        self.topic_with(name, partitions, &[])
    }

    /// The same for a topic of which something is set.
    ///
    /// ```
    /// # fn main() -> Result<(), strandline_broker::embedded::EmbeddedError> {
    /// let broker =
    ///     strandline_broker::embedded().topic_with("prices", 1, &[("cleanup.policy", "compact")]).start()?;
    /// # broker.stop()
    /// # }
    /// ```
    pub fn topic_with(mut self, name: &str, partitions: i32, settings: &[(&str, &str)]) -> Self {
        let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        self.topics.push(EmbeddedTopic { name: name.to_owned(), partitions, settings: settings.collect() });
        self
    }

    /// Starts it: when this returns, it serves. It blocks for a few milliseconds, in async code too.
    ///
    /// # Errors
    /// A setting makes no sense, a topic cannot be made, the port is taken, or the folder cannot be used.
    pub fn start(self) -> Result<EmbeddedBroker, EmbeddedError> {
        EmbeddedBroker::start(self)
    }

    pub(super) fn chosen_data_dir(&self) -> Option<PathBuf> {
        self.data_dir.clone()
    }

    pub(super) fn into_topics(self) -> Vec<EmbeddedTopic> {
        self.topics
    }

    /// The node, and what it is made of.
    pub(super) fn node(&self, data_dir: PathBuf) -> Result<(NodeOptions, NodeParts), EmbeddedError> {
        let is_set = |chosen: &str| self.settings.iter().any(|(name, _)| name == chosen);
        if let Some((name, instead)) = CHOSEN.into_iter().find(|(name, _)| is_set(name)) {
            return Err(EmbeddedError::Chosen { name, instead });
        }
        let address = format!("127.0.0.1:{}", self.port);
        // What is described is what is so.
        let listeners = format!("PLAINTEXT://{address}");
        let own = DEFAULTS.into_iter().chain([("listeners", listeners.as_str()), (HTTP, "")]);
        let set = self.settings.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let settings = BrokerSettings::from_pairs(own.chain(set))?;
        let http = settings.http_address.as_deref().filter(|_| is_set(HTTP)).map(str::to_owned);
        let options = NodeOptions { data_dir, listen: vec![address], http, settings };
        let mut parts = NodeParts::of(&options).map_err(NodeError::from)?;
        parts.net.shutdown_max = SHUTDOWN_MAX;
        parts.engine = small(parts.engine);
        Ok((options, parts))
    }
}

/// What takes a disk takes less of it.
fn small(engine: EngineOptions) -> EngineOptions {
    let group_bytes_max = usize::try_from(JOURNAL_FILE_BYTES / 2).unwrap_or(engine.journal.group_bytes_max);
    let journal = journal::Options {
        file_bytes: JOURNAL_FILE_BYTES,
        bytes_max: JOURNAL_BYTES,
        group_bytes_max,
        ..engine.journal
    };
    let manifest = ManifestOptions { file_bytes: 1 << 20 };
    EngineOptions { journal, manifest, reserve_bytes: JOURNAL_FILE_BYTES, ..engine }
}
