//! Settings of a cluster that runs: shown and changed, of topics, of groups, of one broker and of all.

use std::io::{self, Write};

use clap::Args;
use serde_json::{Value, json};
use strandline_client::{Client, ConfigEntry, ConfigResource, ConfigSource, Error};

use crate::arguments::Changes;
use crate::cluster::{Connecting, Failure, Output};
use crate::hint;
use crate::table::Table;

/// What is shown or changed.
#[derive(Args, Clone)]
#[group(required = true, multiple = false)]
struct Subject {
    /// The settings of this topic.
    #[arg(long, value_name = "NAME")]
    topic: Option<String>,
    /// The settings of this group.
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// The settings of the broker with this number.
    #[arg(long, value_name = "ID", value_parser = clap::value_parser!(i32).range(0..))]
    broker: Option<i32>,
    /// What is set for all brokers that say nothing themselves.
    #[arg(long)]
    all_brokers: bool,
    /// How much each part of the broker with this number logs, until it ends: ERROR, WARN, INFO, DEBUG or TRACE.
    #[arg(long, value_name = "ID", value_parser = clap::value_parser!(i32).range(0..))]
    loggers: Option<i32>,
}

impl Subject {
    fn resource(&self) -> ConfigResource {
        match (&self.topic, &self.group, self.broker, self.loggers) {
            (Some(name), ..) => ConfigResource::Topic(name.clone()),
            (None, Some(name), ..) => ConfigResource::Group(name.clone()),
            (None, None, Some(id), _) => ConfigResource::Broker(id),
            (None, None, None, Some(id)) => ConfigResource::Loggers(id),
            (None, None, None, None) => ConfigResource::AllBrokers,
        }
    }

    /// What is told of an error, with what may have been meant.
    async fn failed(&self, client: &Client, error: Error) -> Failure {
        match (&self.topic, self.broker.or(self.loggers)) {
            (Some(topic), _) => hint::about_topic(client, error, topic).await,
            (None, Some(id)) => hint::about_broker(client, error, id),
            (None, None) => Failure::from(error),
        }
    }
}

/// `strandline config describe`.
#[derive(Args)]
pub(crate) struct Describe {
    #[command(flatten)]
    subject: Subject,
    /// Show what nobody set, too.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    connecting: Connecting,
}

/// `strandline config alter`.
#[derive(Args)]
pub(crate) struct Alter {
    #[command(flatten)]
    subject: Subject,
    #[command(flatten)]
    changes: Changes,
    /// Check whether all of it may be so, and change nothing.
    #[arg(long)]
    validate_only: bool,
    #[command(flatten)]
    connecting: Connecting,
}

pub(super) fn describe(describe: &Describe, out: &mut impl Write) -> Result<(), Failure> {
    let resource = describe.subject.resource();
    let entries =
        describe.connecting.run(async |client| match client.admin().describe_configs(&resource).await {
            Ok(entries) => Ok(entries),
            Err(error) => Err(describe.subject.failed(&client, error).await),
        })?;
    let mut shown: Vec<_> =
        entries.into_iter().filter(|entry| describe.all || is_own(entry, &resource)).collect();
    shown.sort_by(|left, right| left.name.cmp(&right.name));
    if shown.is_empty() && describe.connecting.output == Output::Table {
        writeln!(
            io::stderr(),
            "strandline: nothing is set for {resource}; --all shows what counts by default"
        )?;
    }
    Ok(print(&shown, describe.connecting.output, out)?)
}

/// Whether a value is more than the default: of a topic or a group, whether it is its own.
fn is_own(entry: &ConfigEntry, resource: &ConfigResource) -> bool {
    match resource {
        ConfigResource::Topic(_) => entry.source == ConfigSource::Topic,
        ConfigResource::Group(_) => entry.source == ConfigSource::Group,
        _ => entry.source != ConfigSource::Default,
    }
}

fn print(entries: &[ConfigEntry], output: Output, out: &mut impl Write) -> io::Result<()> {
    if output == Output::Json {
        let value = |entry: &ConfigEntry| {
            json!({
                "name": entry.name,
                "value": entry.value,
                "source": entry.source.word(),
                "readOnly": entry.is_read_only,
                "sensitive": entry.is_sensitive,
            })
        };
        return writeln!(out, "{}", Value::Array(entries.iter().map(value).collect()));
    }
    let mut table = Table::new(&["NAME", "VALUE", "FROM", "CHANGES"]);
    for entry in entries {
        let value = if entry.is_sensitive { Some("(hidden)".to_owned()) } else { entry.value.clone() };
        let changes = if entry.is_read_only { "at the start" } else { "any time" };
        let value = value.unwrap_or_default();
        table.row([entry.name.clone(), value, entry.source.word().to_owned(), changes.to_owned()]);
    }
    table.print(out)
}

pub(super) fn alter(alter: &Alter, out: &mut impl Write) -> Result<(), Failure> {
    let (resource, changes) = (alter.subject.resource(), alter.changes.list());
    if changes.is_empty() {
        let message = "nothing is to be changed: give --set, --reset, --append or --subtract";
        return Err(Failure::Usage(message.to_owned()));
    }
    let validate_only = alter.validate_only;
    let altering =
        async |client: Client| match client.admin().alter_configs(&resource, &changes, validate_only).await {
            Ok(()) => Ok(()),
            Err(error) => Err(alter.subject.failed(&client, error).await),
        };
    alter.connecting.run(altering)?;
    let done = if validate_only { "may be changed" } else { "changed" };
    if alter.connecting.output == Output::Json {
        let names: Vec<_> = changes.iter().map(|(name, _)| name).collect();
        writeln!(
            out,
            "{}",
            json!({ "resource": resource.to_string(), "changed": !validate_only, "names": names })
        )?;
    } else {
        writeln!(out, "{resource}: {done}")?;
    }
    Ok(())
}
