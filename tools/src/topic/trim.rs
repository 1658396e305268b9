//! `strandline topic trim`: deletes the oldest records of a topic.

use std::io::Write;

use clap::Args;
use serde_json::json;
use strandline_client::{Client, DeleteRecords, EachPartition};

use crate::arguments::{Consent, PLACES, Place, place};
use crate::cluster::{Connecting, Failure, Output};
use crate::results::{self, sorted_out, told};
use crate::table::Table;
use crate::{hint, places};

/// `strandline topic trim`.
#[derive(Args)]
pub(crate) struct Trim {
    /// The topic.
    name: String,
    /// The place before which all records are deleted.
    #[arg(long, value_name = "PLACE", value_parser = place, allow_hyphen_values = true,
        long_help = format!("The place before which all records are deleted: {PLACES}"))]
    before: Place,
    /// Of this partition only; may be given more than once.
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(i32).range(0..))]
    partition: Vec<i32>,
    /// Show where the partitions would begin, and delete nothing.
    #[arg(long)]
    validate_only: bool,
    #[command(flatten)]
    consent: Consent,
    #[command(flatten)]
    connecting: Connecting,
}

pub(super) fn run(trim: &Trim, out: &mut impl Write) -> Result<(), Failure> {
    if !trim.validate_only {
        trim.consent.to(&format!("delete the older records of {}", trim.name))?;
    }
    let results = trim.connecting.run(async |client| trim.done_by(&client).await)?;
    let (done, failed) = sorted_out(results);
    if trim.connecting.output == Output::Json {
        let value = |((_, partition), begin): &((String, i32), i64)| json!({ "partition": partition, "begin": begin });
        let partitions: Vec<_> = done.iter().map(value).collect();
        let value = json!({ "name": trim.name, "changed": !trim.validate_only, "partitions": partitions });
        results::json(&value, out)?;
    } else {
        let mut table =
            Table::new(&["PARTITION", if trim.validate_only { "WOULD BEGIN AT" } else { "BEGINS AT" }]);
        for ((_, partition), begin) in &done {
            table.row([partition.to_string(), begin.to_string()]);
        }
        table.print(out)?;
    }
    told(&failed)
}

impl Trim {
    async fn done_by(&self, client: &Client) -> Result<EachPartition<i64>, Failure> {
        let mut partitions = self.partition.clone();
        for (name, topic) in client.admin().describe_topics(&[&self.name]).await? {
            let topic = match topic {
                Ok(topic) => topic,
                Err(error) => return Err(hint::about_topic(client, error, &name).await),
            };
            if self.partition.is_empty() {
                partitions.extend(topic.partitions.iter().map(|info| info.partition));
            }
        }
        let wanted: Vec<_> =
            partitions.iter().map(|number| (self.name.clone(), *number, self.before)).collect();
        let found = places::find(client, &wanted).await;
        if self.validate_only {
            return Ok(found);
        }
        let (mut question, mut results) = (DeleteRecords::new(), EachPartition::new());
        for ((topic, partition), offset) in found {
            match offset {
                Ok(offset) => question = question.before(topic, partition, offset),
                Err(error) => results.push(((topic, partition), Err(error))),
            }
        }
        results.extend(client.admin().delete_records(&question).await);
        Ok(results)
    }
}
