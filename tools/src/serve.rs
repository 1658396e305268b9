//! `strandline serve` and `strandline dev`: a broker in this process, until it is told to stop.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process;
use std::time::Duration;

use clap::Args;
use strandline_broker::node::{Node, NodeOptions};
use strandline_state::settings::BrokerSettings;
use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};
use tracing::Level;

/// Where `dev` keeps its data unless it is told otherwise.
const DEV_DATA_DIR: &str = "strandline-data";

const LISTEN: &str = "127.0.0.1:9092";

const HTTP: &str = "127.0.0.1:9644";

/// What a broker is told, however it is started.
#[derive(Args)]
struct Common {
    /// Where clients connect: HOST:PORT; may be given more than once, as NAME=HOST:PORT from the second on.
    #[arg(long, value_name = "[NAME=]HOST:PORT", default_value = LISTEN)]
    listen: Vec<String>,
    /// Where /healthz, /readyz and /metrics are served.
    #[arg(long, value_name = "HOST:PORT", default_value = HTTP)]
    http: String,
    /// A setting, by Kafka's name for it; may be given more than once.
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = parse_setting)]
    settings: Vec<(String, String)>,
    /// How much is logged: error, warn, info, debug or trace.
    #[arg(long, value_name = "LEVEL", default_value = "warn", env = "STRANDLINE_LOG")]
    log: Level,
}

/// `strandline serve`.
#[derive(Args)]
pub(crate) struct ServePlan {
    /// The folder that holds everything; made if it is not there.
    #[arg(long, value_name = "DIR")]
    data_dir: PathBuf,
    #[command(flatten)]
    common: Common,
}

/// `strandline dev`.
#[derive(Args)]
pub(crate) struct DevPlan {
    /// The folder that holds everything; made if it is not there.
    #[arg(long, value_name = "DIR", default_value = DEV_DATA_DIR)]
    data_dir: PathBuf,
    #[command(flatten)]
    common: Common,
}

fn parse_setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("a setting is NAME=VALUE")?;
    Ok((name.trim().to_owned(), value.to_owned()))
}

pub(crate) fn serve(plan: ServePlan, out: &mut impl Write) -> io::Result<()> {
    run(plan.data_dir, plan.common, out, |_, _| Ok(()))
}

pub(crate) fn dev(plan: DevPlan, out: &mut impl Write) -> io::Result<()> {
    run(plan.data_dir, plan.common, out, write_banner)
}

fn run<W: Write>(
    data_dir: PathBuf,
    common: Common,
    out: &mut W,
    announce: impl FnOnce(&Node, &mut W) -> io::Result<()>,
) -> io::Result<()> {
    tracing_subscriber::fmt().with_max_level(common.log).with_writer(io::stderr).init();
    // Of a setting that is given twice the last counts.
    let settings: BTreeMap<_, _> = common.settings.into_iter().collect();
    let settings = BrokerSettings::from_pairs(settings).map_err(io::Error::other)?;
    let options = NodeOptions { data_dir, listen: common.listen, http: Some(common.http), settings };
    let runtime = runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        // Before anything is begun: a signal that comes early is not lost.
        let mut stop = StopSignals::new()?;
        let node = Node::start(options).await.map_err(io::Error::other)?;
        announce(&node, out)?;
        out.flush()?;
        stop.wait().await;
        tracing::info!("stopping");
        tokio::select! {
            result = node.shutdown() => result.map_err(io::Error::other),
            () = stop.wait() => {
                tracing::warn!("told to stop twice: what is in the journal is replayed at the next start");
                process::exit(1)
            }
        }
    })?;
    runtime.shutdown_timeout(Duration::from_secs(1));
    Ok(())
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
