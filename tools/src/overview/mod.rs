//! `strandline cluster`: what a Kafka cluster is made of, and what state it is in.

use std::io::Write;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use strandline_client::{BrokerInfo, Client, ClusterDescription, TopicInfo};

use crate::cluster::{Connecting, Failure, Output};
use crate::results;
use crate::table::Table;

mod apis;
mod directories;
mod features;
mod quorum;

/// What `strandline cluster` can do.
#[derive(Subcommand)]
pub(crate) enum ClusterCommand {
    /// Shows the cluster's id, its brokers, how much is in it, and which partitions are not as they should be.
    Describe(Cluster),
    /// Lists the brokers, with how many partitions each leads and holds.
    Brokers(Cluster),
    /// Shows which features the brokers know, and which are in use.
    Features(Cluster),
    /// Shows who takes part in the log of the cluster's metadata, and how far each is.
    Quorum(Cluster),
    /// Shows the folders in which brokers keep their data, and how full they are.
    LogDirs(directories::LogDirs),
    /// Lists the APIs that a broker serves, with their versions.
    Apis(apis::Apis),
}

/// What needs nothing but a cluster.
#[derive(Args)]
pub(crate) struct Cluster {
    #[command(flatten)]
    connecting: Connecting,
}

pub(crate) fn run(command: &ClusterCommand, out: &mut impl Write) -> Result<(), Failure> {
    match command {
        ClusterCommand::Describe(Cluster { connecting }) => {
            let found = connecting.run(async |client| asked(&client).await)?;
            describe(&found, connecting.output, out)
        }
        ClusterCommand::Brokers(Cluster { connecting }) => {
            let found = connecting.run(async |client| asked(&client).await)?;
            brokers(&found, connecting.output, out)
        }
        ClusterCommand::Features(Cluster { connecting }) => features::run(connecting, out),
        ClusterCommand::Quorum(Cluster { connecting }) => quorum::run(connecting, out),
        ClusterCommand::LogDirs(plan) => directories::run(plan, out),
        ClusterCommand::Apis(plan) => apis::run(plan, out),
    }
}

type Found = (ClusterDescription, Vec<TopicInfo>);

async fn asked(client: &Client) -> Result<Found, Failure> {
    let admin = client.admin();
    Ok((admin.describe_cluster().await?, admin.list_topics().await?))
}

/// How many partitions a broker leads, holds, and holds out of sync.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct Load {
    pub(crate) leads: usize,
    pub(crate) holds: usize,
    pub(crate) out_of_sync: usize,
}

pub(crate) fn load_of(broker: i32, topics: &[TopicInfo]) -> Load {
    let mut load = Load::default();
    for info in topics.iter().flat_map(|topic| &topic.partitions) {
        load.leads += usize::from(info.leader == Some(broker));
        if info.replicas.contains(&broker) {
            load.holds += 1;
            load.out_of_sync += usize::from(!info.in_sync.contains(&broker));
        }
    }
    load
}

/// How many partitions have no leader, and how many a replica that is not in sync.
fn troubles(topics: &[TopicInfo]) -> (usize, usize) {
    let partitions = || topics.iter().flat_map(|topic| &topic.partitions);
    let leaderless = partitions().filter(|info| info.leader.is_none()).count();
    (leaderless, partitions().filter(|info| info.in_sync.len() < info.replicas.len()).count())
}

fn describe((cluster, topics): &Found, output: Output, out: &mut impl Write) -> Result<(), Failure> {
    let partitions: usize = topics.iter().map(|topic| topic.partitions.len()).sum();
    let (leaderless, under_replicated) = troubles(topics);
    if output == Output::Json {
        let value = json!({
            "clusterId": cluster.cluster_id, "controller": cluster.controller_id, "topics": topics.len(),
            "partitions": partitions, "leaderless": leaderless, "underReplicated": under_replicated,
            "brokers": cluster.brokers.iter().map(|broker| json_of(broker, topics)).collect::<Vec<_>>(),
        });
        return Ok(results::json(&value, out)?);
    }
    let text = |value: Option<String>| value.unwrap_or_else(|| "unknown".to_owned());
    writeln!(out, "cluster           {}", text(cluster.cluster_id.clone()))?;
    writeln!(out, "controller        {}", text(cluster.controller_id.map(|id| id.to_string())))?;
    writeln!(out, "brokers           {}", cluster.brokers.len())?;
    writeln!(out, "topics            {}", topics.len())?;
    writeln!(out, "partitions        {partitions}")?;
    writeln!(out, "without a leader  {leaderless}")?;
    writeln!(out, "out of sync       {under_replicated}")?;
    Ok(())
}

fn json_of(broker: &BrokerInfo, topics: &[TopicInfo]) -> Value {
    let Load { leads, holds, out_of_sync } = load_of(broker.id, topics);
    json!({
        "id": broker.id, "host": broker.address.host(), "port": broker.address.port(), "rack": broker.rack,
        "leads": leads, "holds": holds, "outOfSync": out_of_sync,
    })
}

fn brokers((cluster, topics): &Found, output: Output, out: &mut impl Write) -> Result<(), Failure> {
    if output == Output::Json {
        return Ok(results::json(
            &cluster.brokers.iter().map(|broker| json_of(broker, topics)).collect(),
            out,
        )?);
    }
    let mut table = Table::new(&["ID", "ADDRESS", "RACK", "LEADS", "HOLDS", "OUT OF SYNC", "CONTROLLER"]);
    for broker in &cluster.brokers {
        let Load { leads, holds, out_of_sync } = load_of(broker.id, topics);
        let is_controller = if cluster.controller_id == Some(broker.id) { "yes" } else { "" };
        table.row([
            broker.id.to_string(),
            broker.address.to_string(),
            broker.rack.clone().unwrap_or_default(),
            leads.to_string(),
            holds.to_string(),
            out_of_sync.to_string(),
            is_controller.to_owned(),
        ]);
    }
    Ok(table.print(out)?)
}

#[cfg(test)]
mod tests {
    use strandline_client::PartitionInfo;

    use super::*;

    #[test]
    fn what_brokers_hold_is_counted() {
        let partition = |leader, in_sync: &[i32]| PartitionInfo {
            leader,
            replicas: vec![1, 2],
            in_sync: in_sync.to_vec(),
            ..Default::default()
        };
        let partitions = vec![partition(Some(1), &[1, 2]), partition(None, &[1])];
        let topics = [TopicInfo { partitions, ..Default::default() }];
        assert_eq!(load_of(1, &topics), Load { leads: 1, holds: 2, out_of_sync: 0 });
        assert_eq!(load_of(2, &topics), Load { leads: 0, holds: 2, out_of_sync: 1 });
        assert_eq!(troubles(&topics), (1, 1));
    }
}
