//! `strandline group forget`: offsets of a topic that a group reads no more.

use std::io::Write;

use clap::Args;
use serde_json::json;
use strandline_client::{Client, EachPartition};

use crate::arguments::Consent;
use crate::cluster::{Connecting, Failure, Output};
use crate::results::{self, sorted_out, told};
use crate::table::Table;

/// `strandline group forget`.
#[derive(Args)]
pub(crate) struct Forget {
    /// The group's name.
    name: String,
    /// The topic, which no member of the group may be subscribed to.
    #[arg(long, value_name = "NAME")]
    topic: String,
    /// Of this partition only; may be given more than once.
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(i32).range(0..))]
    partition: Vec<i32>,
    #[command(flatten)]
    consent: Consent,
    #[command(flatten)]
    connecting: Connecting,
}

pub(super) fn run(forget: &Forget, out: &mut impl Write) -> Result<(), Failure> {
    forget.consent.to(&format!("forget how far {} has read {}", forget.name, forget.topic))?;
    let results = forget.connecting.run(async |client| forget.done_by(&client).await)?;
    let (done, failed) = sorted_out(results);
    if forget.connecting.output == Output::Json {
        let value = |((topic, partition), ()): &((String, i32), ())| json!({ "topic": topic, "partition": partition });
        results::json(&done.iter().map(value).collect(), out)?;
    } else {
        let mut table = Table::new(&["TOPIC", "FORGOTTEN"]);
        for ((topic, partition), ()) in &done {
            table.row([topic.clone(), partition.to_string()]);
        }
        table.print(out)?;
    }
    told(&failed)
}

impl Forget {
    async fn done_by(&self, client: &Client) -> Result<EachPartition<()>, Failure> {
        let admin = client.admin();
        let known = admin.group_offsets(&self.name).await?;
        let partitions: Vec<i32> = known
            .into_iter()
            .filter(|((topic, _), _)| *topic == self.topic)
            .map(|((_, partition), _)| partition)
            .filter(|partition| self.partition.is_empty() || self.partition.contains(partition))
            .collect();
        if partitions.is_empty() {
            let message = format!("{} is known to have read nothing of {}", self.name, self.topic);
            return Err(Failure::Refused(message));
        }
        let wanted: Vec<_> = partitions.iter().map(|partition| (self.topic.as_str(), *partition)).collect();
        Ok(admin.delete_group_offsets(&self.name, &wanted).await?)
    }
}
