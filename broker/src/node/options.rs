//! What a node is told, and what follows from it for its parts.

use std::path::PathBuf;
use std::time::Duration;

use strandline_log::engine::Options as EngineOptions;
use strandline_log::journal;
use strandline_log::tail::Budget;
use strandline_state::settings::BrokerSettings;

use super::descriptors::{Shares, descriptors_max};
use crate::api::fetch_sessions::FetchSessionOptions;
use crate::net::{ListenerOptions, NetOptions};

/// The name of the listener that is given without one.
const DEFAULT_LISTENER: &str = "PLAINTEXT";

/// Listeners of these names are secured in Kafka unless they are said to be something else.
const SECURED: [&str; 3] = ["SSL", "SASL_PLAINTEXT", "SASL_SSL"];

/// What a node is told.
#[derive(Clone, Debug)]
pub struct NodeOptions {
    /// The folder that holds everything; made if it is not there.
    pub data_dir: PathBuf,
    /// Where clients connect: `HOST:PORT`, or `NAME=HOST:PORT`.
    pub listen: Vec<String>,
    /// Where /healthz, /readyz and /metrics are served, if anywhere: `HOST:PORT`.
    pub http: Option<String>,
    /// Everything else.
    pub settings: BrokerSettings,
}

/// What a node is made of, as follows from its options. Who embeds one makes some of it smaller.
#[derive(Debug)]
pub(crate) struct NodeParts {
    pub(crate) net: NetOptions,
    pub(crate) engine: EngineOptions,
}

impl NodeParts {
    pub(crate) fn of(options: &NodeOptions) -> Result<Self, AddressError> {
        let shares = Shares::of(descriptors_max(), &options.settings);
        shares.tell_what_is_less(&options.settings);
        let net = NetOptions { connections_max: shares.connections, ..net_options(options)? };
        let engine = EngineOptions { open_files_max: shares.files, ..engine_options(&options.settings) };
        Ok(Self { net, engine })
    }
}

/// What is wrong with an address.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum AddressError {
    /// It is none.
    #[error(
        "{0} is no address: HOST:PORT is, with a port up to 65535; a listener may have a name, NAME=HOST:PORT as an \
         option and NAME://HOST:PORT as a setting"
    )]
    NotOne(String),
    /// A listener whose name promises what there is not.
    #[error(
        "listener {0}: there is no TLS and no SASL; PLAINTEXT, and any other name, is served as plain text"
    )]
    Secured(String),
    /// `advertised.listeners` names a listener that there is not.
    #[error("advertised.listeners names {0}, which no listener is called")]
    NoListener(String),
    /// `inter.broker.listener.name` names a listener that there is not.
    #[error("inter.broker.listener.name is {0}, which no listener is called")]
    NoInterBrokerListener(String),
}

/// Takes `HOST:PORT` apart; the host of an IPv6 address may stand in brackets.
pub(super) fn parse_address(text: &str) -> Result<(String, u16), AddressError> {
    let parsed = text.rsplit_once(':').and_then(|(host, port)| Some((host.to_owned(), port.parse().ok()?)));
    let parsed = parsed.filter(|(host, _)| !host.contains(['/', '=']));
    parsed.ok_or_else(|| AddressError::NotOne(text.to_owned()))
}

fn parse_listener(text: &str) -> Result<ListenerOptions, AddressError> {
    let (name, address) = text.split_once('=').unwrap_or((DEFAULT_LISTENER, text));
    if SECURED.iter().any(|secured| name.eq_ignore_ascii_case(secured)) {
        return Err(AddressError::Secured(name.to_owned()));
    }
    let (host, port) = parse_address(address)?;
    Ok(ListenerOptions::new(name, &host, port))
}

/// The listeners, with what `advertised.listeners` says of them: `NAME://HOST:PORT`, with commas between.
fn listeners(options: &NodeOptions) -> Result<Vec<ListenerOptions>, AddressError> {
    let listeners: Result<Vec<_>, _> = options.listen.iter().map(|text| parse_listener(text)).collect();
    let mut listeners = listeners?;
    let advertised = options.settings.advertised_listeners.as_deref().unwrap_or_default();
    for text in advertised.split(',').map(str::trim).filter(|text| !text.is_empty()) {
        let (name, address) = text.split_once("://").ok_or_else(|| AddressError::NotOne(text.to_owned()))?;
        let listener = listeners.iter_mut().find(|listener| listener.name == name);
        let listener = listener.ok_or_else(|| AddressError::NoListener(name.to_owned()))?;
        listener.advertised = Some(parse_address(address)?);
    }
    if let Some(name) = &options.settings.inter_broker_listener_name {
        let listener = listeners.iter_mut().find(|listener| listener.name == **name);
        let missing = || AddressError::NoInterBrokerListener(name.to_string());
        listener.ok_or_else(missing)?.is_protected = true;
    }
    Ok(listeners)
}

fn count(number: impl TryInto<usize>) -> usize {
    number.try_into().unwrap_or(usize::MAX)
}

fn milliseconds(number: i64) -> Duration {
    Duration::from_millis(u64::try_from(number).unwrap_or(0))
}

/// How many fetch sessions are remembered.
pub(super) fn fetch_session_options(settings: &BrokerSettings) -> FetchSessionOptions {
    let sessions_max = count(settings.max_incremental_fetch_session_cache_slots);
    FetchSessionOptions { sessions_max, ..FetchSessionOptions::default() }
}

/// How many connections there may be, in all and from one address, as far as the settings say.
fn connection_limits(settings: &BrokerSettings) -> (usize, usize) {
    (count(settings.max_connections), count(settings.max_connections_per_ip))
}

/// The same where the process may have so many files open.
pub(super) fn connection_limits_within(
    descriptors_max: Option<u64>,
    settings: &BrokerSettings,
) -> (usize, usize) {
    let (_, per_address_max) = connection_limits(settings);
    (Shares::of(descriptors_max, settings).connections, per_address_max)
}

/// What the network is told.
fn net_options(options: &NodeOptions) -> Result<NetOptions, AddressError> {
    let settings = &options.settings;
    let defaults = NetOptions::default();
    let (connections_max, connections_per_address_max) = connection_limits(settings);
    let idle_max = u64::try_from(settings.connections_max_idle_ms).map(Duration::from_millis);
    Ok(NetOptions {
        listeners: listeners(options)?,
        connections_max,
        connections_per_address_max,
        // Negative: for ever.
        connections_idle_max: idle_max.unwrap_or(Duration::MAX),
        request_bytes_max: count(settings.socket_request_max_bytes),
        requests_bytes_max: count(settings.request_memory_bytes),
        pipeline_requests_max: count(settings.pipeline_requests),
        ..defaults
    })
}

/// A whole number of bytes in a second; one that is too large to be one is no bound.
fn rate(bytes_per_second: f64) -> u64 {
    let one = Duration::try_from_secs_f64(bytes_per_second.max(1.0));
    one.map_or(u64::MAX, |seconds| seconds.as_secs())
}

/// What the storage engine is told.
pub(super) fn engine_options(settings: &BrokerSettings) -> EngineOptions {
    let defaults = EngineOptions::default();
    let bytes = |number: i64| u64::try_from(number).unwrap_or(0);
    let journal = journal::Options { bytes_max: bytes(settings.journal_bytes), ..defaults.journal };
    EngineOptions {
        journal,
        tail_budget: Budget::new(bytes(settings.tail_bytes)),
        flush_bytes: bytes(settings.tail_bytes) / 2,
        open_files_max: bytes(settings.open_files),
        reserve_bytes: journal.bytes_max,
        checkpoint_interval: milliseconds(settings.checkpoint_interval_ms),
        housekeeping_interval: milliseconds(settings.log_retention_check_interval_ms),
        producer_expiration_ms: settings.producer_id_expiration_ms.into(),
        compaction_bytes_per_second: rate(settings.log_cleaner_io_max_bytes_per_second),
        removal_bytes_per_second: bytes(settings.file_removal_bytes_per_second),
        ..defaults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(listen: &[&str], settings: &[(&str, &str)]) -> NodeOptions {
        NodeOptions {
            data_dir: PathBuf::new(),
            listen: listen.iter().map(|text| (*text).to_owned()).collect(),
            http: None,
            settings: BrokerSettings::from_pairs(settings.iter().copied()).unwrap(),
        }
    }

    #[test]
    fn listeners_are_named_and_told_what_to_advertise() {
        let advertised = ("advertised.listeners", "PLAINTEXT://broker.example:1, INSIDE://10.0.0.1:2");
        let found = listeners(&options(&["127.0.0.1:9092", "INSIDE=[::1]:0"], &[advertised])).unwrap();
        let mut plain = ListenerOptions::new("PLAINTEXT", "127.0.0.1", 9092);
        plain.advertised = Some(("broker.example".to_owned(), 1));
        let mut inside = ListenerOptions::new("INSIDE", "[::1]", 0);
        inside.advertised = Some(("10.0.0.1".to_owned(), 2));
        assert_eq!(found, [plain.clone(), inside.clone()]);
        let protected = [advertised, ("inter.broker.listener.name", "INSIDE")];
        let found = listeners(&options(&["127.0.0.1:9092", "INSIDE=[::1]:0"], &protected)).unwrap();
        inside.is_protected = true;
        assert_eq!(found, [plain, inside]);
    }

    #[test]
    fn what_is_no_address_is_refused_by_name() {
        for text in ["", "9092", "host:", "host:70000", "PLAINTEXT//host:1"] {
            let error = listeners(&options(&[text], &[])).unwrap_err();
            assert_eq!(error, AddressError::NotOne(text.to_owned()));
        }
        let secured = listeners(&options(&["a:1", "SASL_SSL=a:2"], &[]));
        assert_eq!(secured, Err(AddressError::Secured("SASL_SSL".to_owned())));
        let unknown = listeners(&options(&["a:1"], &[("advertised.listeners", "OTHER://a:1")]));
        assert_eq!(unknown, Err(AddressError::NoListener("OTHER".to_owned())));
        let unknown = listeners(&options(&["a:1"], &[("inter.broker.listener.name", "OTHER")]));
        assert_eq!(unknown, Err(AddressError::NoInterBrokerListener("OTHER".to_owned())));
    }

    #[test]
    fn the_engine_gets_the_sizes_that_were_set() {
        let pairs = [
            ("strandline.journal.bytes", "536870912"),
            ("strandline.tail.bytes", "8388608"),
            ("strandline.file.removal.bytes.per.second", "77"),
        ];
        let engine = engine_options(&options(&[], &pairs).settings);
        assert_eq!((engine.journal.bytes_max, engine.reserve_bytes), (512 << 20, 512 << 20));
        assert_eq!((engine.tail_budget.bytes_max(), engine.flush_bytes), (8 << 20, 4 << 20));
        assert_eq!(engine.removal_bytes_per_second, 77);
    }
    #[test]
    fn there_may_be_as_many_connections_as_the_table_says() {
        let limits = |pairs: &[(&str, &str)]| connection_limits(&options(&[], pairs).settings);
        assert_eq!(limits(&[]), (50_000, 2_147_483_647));
        assert_eq!(NetOptions::default().connections_max, 50_000);
        assert_eq!(limits(&[("max.connections", "7"), ("max.connections.per.ip", "3")]), (7, 3));
        let beyond = BrokerSettings::from_pairs([("max.connections", "50001")]).unwrap_err().to_string();
        assert!(beyond.contains("Value must be no more than 50000"), "{beyond}");
    }
}
