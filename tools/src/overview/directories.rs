//! `strandline cluster log-dirs`: the folders of brokers.

use std::io::Write;

use clap::Args;
use serde_json::{Value, json};
use strandline_client::{Client, Error};
use strandline_protocol::ErrorCode;
use strandline_protocol::apis::describe_log_dirs::{DescribableLogDirTopic, DescribeLogDirsResult};

use crate::cluster::{Connecting, Failure, Output};
use crate::results::{self, or_dash, told};
use crate::sizes::log_dirs;
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

type Folders = Vec<(i32, DescribeLogDirsResult)>;

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
        let metadata = client.refresh_all().await?;
        let mut brokers = self.broker.clone();
        if brokers.is_empty() {
            brokers.extend(metadata.brokers.iter().map(|broker| broker.id));
            brokers.sort_unstable();
        }
        let topics = if self.topic.is_empty() { None } else { Some(self.topics(client).await?) };
        let (mut folders, mut failed) = (Vec::new(), Vec::new());
        for broker in brokers {
            match log_dirs(client, broker, topics.clone()).await {
                Ok(found) => folders.extend(found.into_iter().map(|folder| (broker, folder))),
                Err(error) => failed.push(error),
            }
        }
        Ok((folders, failed))
    }

    async fn topics(&self, client: &Client) -> Result<Vec<DescribableLogDirTopic>, Failure> {
        let names: Vec<&str> = self.topic.iter().map(String::as_str).collect();
        let mut topics = Vec::new();
        for (name, topic) in client.admin().describe_topics(&names).await? {
            let topic = match topic {
                Ok(topic) => topic,
                Err(error) => return Err(crate::hint::about_topic(client, error, &name).await),
            };
            topics.push(DescribableLogDirTopic {
                topic: name.as_str().into(),
                partitions: topic.partitions.iter().map(|info| info.partition).collect(),
                ..Default::default()
            });
        }
        Ok(topics)
    }
}

fn known(bytes: i64) -> Option<i64> {
    Some(bytes).filter(|bytes| *bytes >= 0)
}

/// How many partitions a folder holds, and how many bytes they take.
fn content(folder: &DescribeLogDirsResult) -> (usize, i64) {
    let partitions = || folder.topics.iter().flat_map(|topic| &topic.partitions);
    (partitions().count(), partitions().map(|partition| partition.partition_size).sum())
}

fn json_of((broker, folder): &(i32, DescribeLogDirsResult)) -> Value {
    let (count, bytes) = content(folder);
    let partitions = folder.topics.iter().flat_map(|topic| {
        topic.partitions.iter().map(|partition| {
            json!({
                "topic": topic.name.as_str(), "partition": partition.partition_index,
                "bytes": partition.partition_size, "offsetLag": partition.offset_lag,
                "isFuture": partition.is_future_key,
            })
        })
    });
    json!({
        "broker": broker, "folder": folder.log_dir.as_str(), "error": error_of(folder), "partitionCount": count,
        "bytes": bytes, "totalBytes": known(folder.total_bytes), "usableBytes": known(folder.usable_bytes),
        "partitions": partitions.collect::<Vec<_>>(),
    })
}

fn error_of(folder: &DescribeLogDirsResult) -> Option<String> {
    Some(folder.error_code).filter(|code| *code != ErrorCode::NONE).map(|code| code.to_string())
}

fn print_folders(folders: &Folders, out: &mut impl Write) -> std::io::Result<()> {
    let mut table = Table::new(&["BROKER", "FOLDER", "PARTITIONS", "SIZE", "FREE", "OF", "STATE"]);
    for (broker, folder) in folders {
        let (count, bytes) = content(folder);
        table.row([
            broker.to_string(),
            folder.log_dir.to_string(),
            count.to_string(),
            results::bytes(bytes),
            or_dash(known(folder.usable_bytes).map(results::bytes)),
            or_dash(known(folder.total_bytes).map(results::bytes)),
            error_of(folder).unwrap_or_else(|| "online".to_owned()),
        ]);
    }
    table.print(out)
}

fn print_partitions(folders: &Folders, out: &mut impl Write) -> std::io::Result<()> {
    let mut table = Table::new(&["BROKER", "FOLDER", "TOPIC", "PARTITION", "SIZE", "BEHIND"]);
    for (broker, folder) in folders {
        for topic in &folder.topics {
            for partition in &topic.partitions {
                table.row([
                    broker.to_string(),
                    folder.log_dir.to_string(),
                    topic.name.to_string(),
                    partition.partition_index.to_string(),
                    results::bytes(partition.partition_size),
                    partition.offset_lag.to_string(),
                ]);
            }
        }
    }
    table.print(out)
}
