//! `strandline serve` and `strandline dev`: a broker in this process, until it is told to stop.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process;
use std::time::Duration;

use clap::Args;
use strandline_broker::net::BindError;
use strandline_broker::node::{Node, NodeError, NodeOptions};
use tokio::runtime::{self, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tracing::Level;

use crate::cluster::Failure;
use crate::config::{SettingSources, environment, gather};
use crate::descriptors;
use crate::logging::{self, Format};
use crate::memory;

/// Where `dev` keeps its data unless it is told otherwise.
const DEV_DATA_DIR: &str = "strandline-data";

/// The name of the listener that is given without one.
const DEFAULT_LISTENER: &str = "PLAINTEXT";

/// Settings that have an option of their own.
const LOG_DIRS: &str = "log.dirs";
const LISTENERS_SETTING: &str = "listeners";
const HTTP_SETTING: &str = "strandline.http.address";
const LOG_FORMAT_SETTING: &str = "strandline.log.format";

/// What a broker is told, however it is started. An option that has a setting is one way to give that.
#[derive(Args)]
pub(crate) struct ServePlan {
    /// The folder that holds everything; made if it is not there. Sets log.dirs.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Where clients connect: HOST:PORT; may be given more than once, as NAME=HOST:PORT from the second on. Sets
    /// listeners.
    #[arg(long, value_name = "[NAME=]HOST:PORT")]
    listen: Vec<String>,
    /// Where /healthz, /readyz and /metrics are served. Sets strandline.http.address.
    #[arg(long, value_name = "HOST:PORT")]
    http: Option<String>,
    #[command(flatten)]
    sources: SettingSources,
    /// How much is logged: error, warn, info, debug or trace.
    #[arg(long, value_name = "LEVEL", default_value = "warn", env = "STRANDLINE_LOG")]
    log: Level,
    /// As what the log is written. Sets strandline.log.format.
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<Format>,
}

impl ServePlan {
    /// What the options say of settings.
    fn settings(&self) -> Vec<(String, String)> {
        let mut settings = self.sources.settings.clone();
        let mut set = |name: &str, value: String| settings.push((name.to_owned(), value));
        if let Some(data_dir) = &self.data_dir {
            set(LOG_DIRS, data_dir.display().to_string());
        }
        if !self.listen.is_empty() {
            let listeners: Vec<_> = self.listen.iter().map(|text| listener_of_option(text)).collect();
            set(LISTENERS_SETTING, listeners.join(","));
        }
        if let Some(http) = &self.http {
            set(HTTP_SETTING, http.clone());
        }
        if let Some(format) = self.log_format {
            set(LOG_FORMAT_SETTING, format.word().to_owned());
        }
        settings
    }

    /// What a node is told, once everybody was asked.
    fn node_options(&self, data_dir_default: Option<&str>) -> Result<NodeOptions, Failure> {
        let mut said = self.settings();
        let file = self.sources.config.as_deref();
        let mut settings = gather(file, environment(), said.clone())?.settings;
        if settings.log_dirs.is_none() {
            let Some(default) = data_dir_default else {
                let message = "it is not said where the data lies: give --data-dir, or set log.dirs";
                return Err(Failure::Usage(message.to_owned()));
            };
            said.push((LOG_DIRS.to_owned(), default.to_owned()));
            settings = gather(file, environment(), said)?.settings;
        }
        let data_dir = settings.log_dirs.as_deref().unwrap_or_default();
        if data_dir.contains(',') {
            let message = format!("log.dirs is one folder, and {data_dir} is more");
            return Err(Failure::Usage(message));
        }
        Ok(NodeOptions {
            data_dir: PathBuf::from(data_dir),
            listen: listen(settings.listeners.as_deref().unwrap_or_default()),
            http: settings.http_address.as_deref().map(str::to_owned),
            settings,
        })
    }
}

/// `[NAME=]HOST:PORT` as Kafka writes it.
fn listener_of_option(text: &str) -> String {
    let (name, address) = text.split_once('=').unwrap_or((DEFAULT_LISTENER, text));
    format!("{name}://{address}")
}

/// Kafka's list of listeners, as a node takes it. A listener without a host is for everybody.
fn listen(listeners: &str) -> Vec<String> {
    let listeners = listeners.split(',').map(str::trim).filter(|text| !text.is_empty());
    let listen = listeners.map(|text| {
        let (name, address) = text.split_once("://").unwrap_or((DEFAULT_LISTENER, text));
        let host = if address.starts_with(':') { "0.0.0.0" } else { "" };
        format!("{name}={host}{address}")
    });
    listen.collect()
}

/// Connections are served by as many threads as were asked for, or by one for each processor.
fn runtime(threads: i32) -> io::Result<Runtime> {
    let mut builder = runtime::Builder::new_multi_thread();
    if let Some(threads) = usize::try_from(threads).ok().filter(|threads| *threads > 0) {
        builder.worker_threads(threads);
    }
    builder.enable_all().build()
}

pub(crate) fn serve(plan: &ServePlan, out: &mut impl Write) -> Result<(), Failure> {
    run(plan, None, out, |_, _| Ok(()))
}

pub(crate) fn dev(plan: &ServePlan, out: &mut impl Write) -> Result<(), Failure> {
    run(plan, Some(DEV_DATA_DIR), out, write_banner)
}

fn run<W: Write>(
    plan: &ServePlan,
    data_dir_default: Option<&str>,
    out: &mut W,
    announce: impl FnOnce(&Node, &mut W) -> io::Result<()>,
) -> Result<(), Failure> {
    let options = plan.node_options(data_dir_default)?;
    let log = logging::start(plan.log, Format::of_word(options.settings.log_format.as_deref()))?;
    memory::keep_what_requests_leave();
    descriptors::allow_as_many_as_there_may_be();
    let runtime = runtime(options.settings.threads)?;
    let result: Result<(), Failure> = runtime.block_on(async {
        // Before anything is begun: a signal that comes early is not lost.
        let mut stop = StopSignals::new()?;
        let node = tokio::select! {
            // In a task of its own: whatever it does at once keeps no signal waiting.
            started = tokio::spawn(Node::start(options)) => {
                started.map_err(NodeError::from).and_then(|node| node).map_err(not_started)?
            }
            () = stop.wait() => {
                // Nobody was served. To find out what is there may take long, and begins anew the next time.
                tracing::warn!("told to stop before it was ready");
                log.flush();
                process::exit(0)
            }
        };
        announce(&node, out)?;
        out.flush()?;
        tokio::select! {
            () = stop.wait() => {}
            () = memory::give_back_when_quiet() => {}
        }
        tracing::info!("stopping");
        tokio::select! {
            result = node.shutdown() => result.map_err(|error| Failure::Refused(error.to_string())),
            () = stop.wait() => {
                tracing::warn!("told to stop twice: what is in the journal is replayed at the next start");
                log.flush();
                process::exit(1)
            }
        }
    });
    result?;
    runtime.shutdown_timeout(Duration::from_secs(1));
    Ok(())
}

/// Whether what it was told is to blame, or what it found.
fn not_started(error: NodeError) -> Failure {
    let text = error.to_string();
    match error {
        // Somebody else may be there, which is no fault of what it was told.
        NodeError::Bind(BindError::Bind { .. }) => Failure::Refused(text),
        NodeError::Address(_)
        | NodeError::Bind(_)
        | NodeError::DataDir { .. }
        | NodeError::OtherNode { .. } => Failure::Usage(text),
        _ => Failure::Refused(text),
    }
}

/// The signals that end a broker.
struct StopSignals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl StopSignals {
    fn new() -> io::Result<Self> {
        let (terminate, interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        Ok(Self { terminate, interrupt })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

fn write_banner(node: &Node, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "Strandline {} is ready: any Kafka client can use it.\n", env!("CARGO_PKG_VERSION"))?;
    writeln!(out, "  data      {}", node.data_dir().display())?;
    for endpoint in node.endpoints() {
        writeln!(out, "  clients   {}:{}", endpoint.host, endpoint.port)?;
    }
    if let Some(address) = node.http_address() {
        writeln!(out, "  http      http://{address}/metrics")?;
    }
    let Some(endpoint) = node.endpoints().first() else { return Ok(()) };
    let brokers = format!("{}:{}", endpoint.host, endpoint.port);
    writeln!(out, "\nWhat to type next, in another terminal:\n")?;
    writeln!(out, "  strandline topic create orders --partitions 3 --brokers {brokers}")?;
    writeln!(out, "  strandline topic list --brokers {brokers}")?;
    writeln!(out, "  strandline bench produce --topic orders --seconds 5 --brokers {brokers}")?;
    writeln!(out, "  kcat -b {brokers} -t orders -P\n")?;
    writeln!(out, "Ctrl-C stops it; what was acknowledged is there the next time.")
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        plan: ServePlan,
    }

    fn options(words: &[&str], data_dir: Option<&str>) -> Result<NodeOptions, Failure> {
        Line::parse_from(std::iter::once(&"serve").chain(words)).plan.node_options(data_dir)
    }

    #[test]
    fn so_many_threads_serve_as_were_asked_for() {
        assert_eq!(runtime(3).unwrap().metrics().num_workers(), 3);
        let processors = std::thread::available_parallelism().unwrap().get();
        assert_eq!(runtime(0).unwrap().metrics().num_workers(), processors);
    }

    #[test]
    fn options_and_settings_are_two_ways_to_say_the_same() {
        let words =
            ["--data-dir", "/d", "--listen", "127.0.0.1:1", "--listen", "IN=[::1]:2", "--http", "h:3"];
        let found = options(&words, None).unwrap();
        let set = [
            "--set",
            "log.dirs=/d",
            "--set",
            "listeners=PLAINTEXT://127.0.0.1:1,IN://[::1]:2",
            "--set",
            "strandline.http.address=h:3",
        ];
        let same = options(&set, None).unwrap();
        for options in [found, same] {
            assert_eq!(options.data_dir, PathBuf::from("/d"));
            assert_eq!(options.listen, ["PLAINTEXT=127.0.0.1:1", "IN=[::1]:2"]);
            assert_eq!(options.http.as_deref(), Some("h:3"));
        }
        let default = options(&[], Some("here")).unwrap();
        assert_eq!(
            (default.data_dir, default.listen, default.http.as_deref()),
            (PathBuf::from("here"), vec!["PLAINTEXT=127.0.0.1:9092".to_owned()], Some("127.0.0.1:9644"))
        );
        let open = options(&["--set", "listeners=PLAINTEXT://:9092"], Some("d")).unwrap();
        assert_eq!(open.listen, ["PLAINTEXT=0.0.0.0:9092"]);
    }

    #[test]
    fn what_is_missing_or_wrong_is_said() {
        let missing = options(&[], None).unwrap_err().to_string();
        assert!(missing.contains("--data-dir"), "{missing}");
        let two = options(&["--set", "log.dirs=/a,/b"], None).unwrap_err().to_string();
        assert!(two.contains("one folder"), "{two}");
        let wrong = options(&["--set", "num.partition=1"], Some("d")).unwrap_err();
        assert_eq!(
            wrong.to_string(),
            "the command line: Unknown broker config name: num.partition (num.partitions is known)"
        );
        assert!(matches!(wrong, Failure::Usage(_)));
    }
}
