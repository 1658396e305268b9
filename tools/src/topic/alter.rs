//! `strandline topic alter`: settings and numbers of partitions of topics.

use std::io::Write;

use clap::Args;
use serde_json::json;
use strandline_client::{Client, ConfigChange, ConfigResource, Each, Error};

use crate::arguments::{Changes, Named};
use crate::cluster::{Failure, Output};
use crate::hint;
use crate::results::{self, sorted_out, told_with};

/// `strandline topic alter`.
#[derive(Args)]
pub(crate) struct Alter {
    /// The number of partitions that they have from now on: more than before. Records stay where they are.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..))]
    partitions: Option<i32>,
    #[command(flatten)]
    changes: Changes,
    /// Check whether it may be so, and change nothing.
    #[arg(long)]
    validate_only: bool,
    #[command(flatten)]
    topics: Named,
}

pub(super) fn run(alter: &Alter, out: &mut impl Write) -> Result<(), Failure> {
    let changes = alter.changes.list();
    if changes.is_empty() && alter.partitions.is_none() {
        let message = "nothing is to be changed: give --set, --reset, --append, --subtract or --partitions";
        return Err(Failure::Usage(message.to_owned()));
    }
    let (results, hints) =
        alter.topics.connecting.run(async |client| Ok(alter.done_by(&client, &changes).await))?;
    let (done, failed) = sorted_out(results);
    if alter.topics.connecting.output == Output::Json {
        let value = |(name, ()): &(String, ())| json!({ "name": name, "changed": !alter.validate_only });
        results::json(&done.iter().map(value).collect(), out)?;
    } else {
        let said = if alter.validate_only { "may be changed" } else { "changed" };
        done.iter().try_for_each(|(name, ())| writeln!(out, "{name}: {said}"))?;
    }
    told_with(&failed, hints)
}

impl Alter {
    async fn done_by(&self, client: &Client, changes: &[(String, ConfigChange)]) -> (Each<()>, Vec<String>) {
        let mut results = Each::new();
        for name in &self.topics.names {
            results.push((name.clone(), self.change(client, name, changes).await));
        }
        let hints = hint::topics(client, &results).await;
        (results, hints)
    }

    async fn change(
        &self,
        client: &Client,
        name: &str,
        changes: &[(String, ConfigChange)],
    ) -> Result<(), Error> {
        let admin = client.admin();
        if !changes.is_empty() {
            let resource = ConfigResource::Topic(name.to_owned());
            admin.alter_configs(&resource, changes, self.validate_only).await?;
        }
        match self.partitions {
            Some(partitions) if self.validate_only => admin.validate_partitions(name, partitions).await,
            Some(partitions) => admin.create_partitions(name, partitions).await,
            None => Ok(()),
        }
    }
}
