//! `strandline group forget`: offsets of a topic that a group reads no more.

use std::io::Write;

use clap::Args;
use serde_json::json;
use strandline_client::{Client, EachPartition, Error};
use strandline_protocol::ErrorCode;

use super::{Progress, described};
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
    /// Show what would be forgotten, and forget nothing.
    #[arg(long)]
    validate_only: bool,
    #[command(flatten)]
    consent: Consent,
    #[command(flatten)]
    connecting: Connecting,
}

pub(super) fn run(forget: &Forget, out: &mut impl Write) -> Result<(), Failure> {
    if !forget.validate_only {
        forget.consent.to(&format!("forget how far {} has read {}", forget.name, forget.topic))?;
    }
    let results = forget.connecting.run(async |client| forget.done_by(&client).await)?;
    let (done, failed) = sorted_out(results);
    if forget.connecting.output == Output::Json {
        let value = |((topic, partition), ()): &((String, i32), ())| json!({ "topic": topic, "partition": partition, "forgotten": !forget.validate_only });
        results::json(&done.iter().map(value).collect(), out)?;
    } else {
        let said = if forget.validate_only { "WOULD BE FORGOTTEN" } else { "FORGOTTEN" };
        let mut table = Table::new(&["TOPIC", said]);
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
        if self.validate_only {
            self.check_nobody_reads(client).await?;
            return Ok(partitions.into_iter().map(|it| ((self.topic.clone(), it), Ok(()))).collect());
        }
        let wanted: Vec<_> = partitions.iter().map(|partition| (self.topic.as_str(), *partition)).collect();
        Ok(admin.delete_group_offsets(&self.name, &wanted).await?)
    }
    /// A group that reads the topic goes on from what it knows.
    async fn check_nobody_reads(&self, client: &Client) -> Result<(), Error> {
        let (_, progress) = described(client, &self.name).await?;
        let reads = |it: &&Progress| it.topic == self.topic && it.member.is_some();
        let Some(member) = progress.iter().find(reads).and_then(|it| it.member.as_ref()) else {
            return Ok(());
        };
        let message = Some(format!("its member {member} reads {}", self.topic));
        Err(Error::broker(ErrorCode::GROUP_SUBSCRIBED_TO_TOPIC, format!("group {}", self.name), message))
    }
}
