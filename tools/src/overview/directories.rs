//! `strandline cluster log-dirs`: the folders of brokers.

use std::io::Write;

use clap::Args;
use serde_json::{Value, json};
use strandline_client::{Client, Error, LogDir};

use crate::cluster::{Connecting, Failure, Output};
use crate::results::{self, or_dash, told};
use crate::table::Table;

/// `strandline cluster log-dirs`.
#[derive(Args)]
pub(crate) struct LogDirs {
    /// Of the broker with this number only; may be given more than once.
    #[arg(long, value_name = "ID", value_parser = clap::value_parser!(i32).range(0..))]
    broker: Vec<i32>,
    /// Show what the partitions of this topic take; may be given more than once.
    #[arg(long, value_name = "NAME")]
    topic: Vec<String>,
    #[command(flatten)]
    connecting: Connecting,
}

type Folders = Vec<(i32, LogDir)>;

pub(super) fn run(plan: &LogDirs, out: &mut impl Write) -> Result<(), Failure> {
    let (folders, failed) = plan.connecting.run(async |client| plan.asked(&client).await)?;
    if plan.connecting.output == Output::Json {
        results::json(&folders.iter().map(json_of).collect(), out)?;
    } else if plan.topic.is_empty() {
        print_folders(&folders, out)?;
    } else {
        print_partitions(&folders, out)?;
    }
    told(&failed)
}

impl LogDirs {
    async fn asked(&self, client: &Client) -> Result<(Folders, Vec<Error>), Failure> {
        let admin = client.admin();
        let names: Vec<&str> = self.topic.iter().map(String::as_str).collect();
        for (name, topic) in admin.describe_topics(&names).await? {
            if let Err(error) = topic {
                return Err(crate::hint::about_topic(client, error, &name).await);
            }
        }
        let mut brokers = self.broker.clone();
        if brokers.is_empty() {
            brokers.extend(admin.describe_cluster().await?.brokers.iter().map(|broker| broker.id));
            brokers.sort_unstable();
        }
        let only = if let [name] = names.as_slice() { Some(*name) } else { None };
        let (mut folders, mut failed) = (Vec::new(), Vec::new());
        for broker in brokers {
            match admin.describe_log_dirs(broker, only).await {
                Ok(found) => folders.extend(found.into_iter().map(|folder| (broker, folder))),
                Err(error) => failed.push(error),
            }
        }
        let is_wanted = |topic: &str| names.is_empty() || names.contains(&topic);
        folders.iter_mut().for_each(|(_, folder)| folder.replicas.retain(|it| is_wanted(&it.topic)));
        Ok((folders, failed))
    }
}

/// How many bytes the partitions of a folder take.
fn taken(folder: &LogDir) -> u64 {
    folder.replicas.iter().map(|replica| replica.bytes).sum()
}

fn json_of((broker, folder): &(i32, LogDir)) -> Value {
    let partitions = folder.replicas.iter().map(|replica| {
        json!({
            "topic": replica.topic, "partition": replica.partition, "bytes": replica.bytes,
            "offsetLag": replica.offset_lag, "isFuture": replica.is_moving_here,
        })
    });
    json!({
        "broker": broker, "folder": folder.path, "error": error_of(folder), "partitionCount": folder.replicas.len(),
        "bytes": taken(folder), "totalBytes": folder.total_bytes, "usableBytes": folder.usable_bytes,
        "partitions": partitions.collect::<Vec<_>>(),
    })
}

fn error_of(folder: &LogDir) -> Option<String> {
    let error = folder.error.as_ref()?;
    Some(error.code().map_or_else(|| error.to_string(), |code| code.to_string()))
}

fn print_folders(folders: &Folders, out: &mut impl Write) -> std::io::Result<()> {
    let mut table = Table::new(&["BROKER", "FOLDER", "PARTITIONS", "SIZE", "FREE", "OF", "STATE"]);
    for (broker, folder) in folders {
        table.row([
            broker.to_string(),
            folder.path.clone(),
            folder.replicas.len().to_string(),
            results::bytes(taken(folder)),
            or_dash(folder.usable_bytes.map(results::bytes)),
            or_dash(folder.total_bytes.map(results::bytes)),
            error_of(folder).unwrap_or_else(|| "online".to_owned()),
        ]);
    }
    table.print(out)
}

fn print_partitions(folders: &Folders, out: &mut impl Write) -> std::io::Result<()> {
    let mut table = Table::new(&["BROKER", "FOLDER", "TOPIC", "PARTITION", "SIZE", "BEHIND"]);
    for (broker, folder) in folders {
        for replica in &folder.replicas {
            table.row([
                broker.to_string(),
                folder.path.clone(),
                replica.topic.clone(),
                replica.partition.to_string(),
                results::bytes(replica.bytes),
                replica.offset_lag.to_string(),
            ]);
        }
    }
    table.print(out)
}
