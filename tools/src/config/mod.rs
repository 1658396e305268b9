//! `strandline config`: what can be set, what a broker would be started with, and settings of a running cluster, which
//! may be any Kafka.
//!
//! Exit codes: 0 all was done, 1 something was refused, 2 the command line or a file is wrong, 3 no broker could be
//! asked.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::arguments::setting;
use crate::cluster::{Failure, Output};

mod explain;
mod file;
mod reference;
mod remote;
mod show;
mod sources;

pub(crate) use sources::{environment, gather};

/// What `strandline config` can do.
#[derive(Subcommand)]
pub(crate) enum ConfigCommand {
    /// Shows what a broker would be started with, and where each value comes from.
    Show(Show),
    /// Prints a file with every setting at its default.
    Default,
    /// Says what a setting of a broker or a topic does, and what it may be.
    Explain(Explain),
    /// Prints the reference of all settings, in Markdown.
    Reference,
    /// Shows the settings of a topic, a group or a broker that runs.
    Describe(remote::Describe),
    /// Changes settings of a topic, a group or a broker that runs: all of what is named, or nothing.
    Alter(remote::Alter),
}

/// Where the settings of a broker come from: a file, the environment (STRANDLINE_...), and `--set`, in rising order.
#[derive(Args, Clone)]
pub(crate) struct SettingSources {
    /// A TOML file of settings, by Kafka's names for them.
    #[arg(long, value_name = "FILE", env = "STRANDLINE_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// A setting, by Kafka's name for it; may be given more than once.
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = setting)]
    pub(crate) settings: Vec<(String, String)>,
}

/// `strandline config show`.
#[derive(Args)]
pub(crate) struct Show {
    #[command(flatten)]
    sources: SettingSources,
    /// Show what nobody set, too.
    #[arg(long)]
    all: bool,
    /// How it is printed.
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
}

/// `strandline config explain`.
#[derive(Args)]
pub(crate) struct Explain {
    /// Names of settings.
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
    /// How it is printed.
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
}

pub(crate) fn run(command: &ConfigCommand, out: &mut impl Write) -> Result<(), Failure> {
    match command {
        ConfigCommand::Show(show) => {
            let SettingSources { config, settings } = show.sources.clone();
            let gathered = gather(config.as_deref(), environment(), settings)?;
            Ok(show::show(&gathered, show.all, show.output, out)?)
        }
        ConfigCommand::Default => Ok(show::default_file(out)?),
        ConfigCommand::Explain(explain) => explain::explain(&explain.names, explain.output, out),
        ConfigCommand::Reference => Ok(out.write_all(reference::markdown().as_bytes())?),
        ConfigCommand::Describe(describe) => remote::describe(describe, out),
        ConfigCommand::Alter(alter) => remote::alter(alter, out),
    }
}
