//! `strandline transaction producers`: who has written to a topic.

use std::io::Write;

use clap::Args;
use serde_json::{Value, json};
use strandline_client::{ActiveProducer, Client, EachPartition, Error};

use crate::cluster::{Connecting, Failure, Output};
use crate::hint;
use crate::results::{self, or_dash, sorted_out, told};
use crate::table::Table;
use crate::time::moment;

/// `strandline transaction producers`.
#[derive(Args)]
pub(crate) struct Producers {
    /// The topic.
    topic: String,
    /// Of this partition only; may be given more than once.
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(i32).range(0..))]
    partition: Vec<i32>,
    #[command(flatten)]
    connecting: Connecting,
}

type Found = Vec<((String, i32), Vec<ActiveProducer>)>;

pub(super) fn run(plan: &Producers, out: &mut impl Write) -> Result<(), Failure> {
    let results = plan.connecting.run(async |client| plan.asked(&client).await)?;
    let (done, failed) = sorted_out(results);
    if plan.connecting.output == Output::Json {
        results::json(&json_of(&done), out)?;
    } else {
        print(&done, out)?;
    }
    told(&failed)
}

impl Producers {
    async fn asked(&self, client: &Client) -> Result<EachPartition<Vec<ActiveProducer>>, Failure> {
        let mut described = client.admin().describe_topics(&[&self.topic]).await?;
        let topic = described.pop().ok_or_else(|| Error::Missing(format!("topic {}", self.topic)))?;
        let topic = match topic.1 {
            Ok(topic) => topic,
            Err(error) => return Err(hint::about_topic(client, error, &self.topic).await),
        };
        let partitions = topic.partitions.iter().map(|info| info.partition);
        let wanted = partitions.filter(|it| self.partition.is_empty() || self.partition.contains(it));
        let wanted: Vec<_> = wanted.map(|partition| (self.topic.as_str(), partition)).collect();
        Ok(client.admin().describe_producers(&wanted).await)
    }
}

fn json_of(found: &Found) -> Value {
    let all = found.iter().flat_map(|((_, partition), producers)| {
        producers.iter().map(move |producer| {
            json!({
                "partition": partition, "producerId": producer.producer_id, "epoch": producer.producer_epoch,
                "lastSequence": producer.last_sequence, "lastTimestamp": producer.last_timestamp,
                "openSinceOffset": producer.transaction_start,
            })
        })
    });
    all.collect()
}

fn print(found: &Found, out: &mut impl Write) -> std::io::Result<()> {
    let mut table = Table::new(&["PARTITION", "PRODUCER", "EPOCH", "SEQUENCE", "OPEN SINCE", "LAST RECORD"]);
    for ((_, partition), producers) in found {
        for producer in producers {
            let last = Some(producer.last_timestamp).filter(|time| *time >= 0);
            table.row([
                partition.to_string(),
                producer.producer_id.to_string(),
                producer.producer_epoch.to_string(),
                producer.last_sequence.to_string(),
                or_dash(producer.transaction_start),
                last.map(moment).unwrap_or_default(),
            ]);
        }
    }
    table.print(out)
}
