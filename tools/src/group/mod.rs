//! `strandline group`: which groups there are, how far they have read, and where they go on.
//!
//! Results go to the standard output, as a table or as JSON, and what failed to the standard error. Exit codes:
//! 0 all was done, 1 something was not, 2 the command line is wrong, 3 no broker could be asked.

use std::collections::BTreeMap;
use std::io::Write;

use clap::{Args, Subcommand};
use strandline_client::{Client, GroupDescription, ListOffsets, OffsetAt};

use crate::cluster::{Connecting, Failure};
use crate::topic::{sorted_out, told};

mod print;

/// What `strandline group` can do.
#[derive(Subcommand)]
pub(crate) enum GroupCommand {
    /// Lists the groups.
    List(List),
    /// Shows the members of groups, how far they have read, and how far they are behind.
    Describe(Describe),
    /// Lets a group that has no members go on from elsewhere.
    Reset(Reset),
    /// Deletes groups that have no members, with all that is known of how far they have read.
    Delete(Delete),
}

/// `strandline group list`.
#[derive(Args)]
pub(crate) struct List {
    #[command(flatten)]
    connecting: Connecting,
}

/// `strandline group describe`.
#[derive(Args)]
pub(crate) struct Describe {
    /// The groups' names.
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
    #[command(flatten)]
    connecting: Connecting,
}

/// `strandline group reset`.
#[derive(Args)]
pub(crate) struct Reset {
    /// The group's name.
    name: String,
    /// The topic.
    #[arg(long, value_name = "NAME")]
    topic: String,
    /// Of this partition only; may be given more than once.
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(i32).range(0..))]
    partition: Vec<i32>,
    /// Where it goes on: `beginning`, `end`, an offset, or @MS for the first record of that time.
    #[arg(long, value_name = "PLACE", value_parser = place)]
    to: Place,
    /// Show where it would go on, and change nothing.
    #[arg(long)]
    validate_only: bool,
    #[command(flatten)]
    connecting: Connecting,
}

/// `strandline group delete`.
#[derive(Args)]
pub(crate) struct Delete {
    /// The groups' names.
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
    #[command(flatten)]
    connecting: Connecting,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Place {
    At(OffsetAt),
    Offset(i64),
}

fn place(text: &str) -> Result<Place, String> {
    let refused = || "it is `beginning`, `end`, an offset or @MS".to_owned();
    let number = |text: &str| text.parse::<i64>().ok().filter(|number| *number >= 0).ok_or_else(refused);
    Ok(match (text, text.strip_prefix('@')) {
        ("beginning", _) => Place::At(OffsetAt::Earliest),
        ("end", _) => Place::At(OffsetAt::Latest),
        (_, Some(time)) => Place::At(OffsetAt::Timestamp(number(time)?)),
        (offset, None) => Place::Offset(number(offset)?),
    })
}

/// How far a group has read a partition.
#[derive(Debug, Default, PartialEq)]
struct Progress {
    topic: String,
    partition: i32,
    committed: Option<i64>,
    end: Option<i64>,
    // The member that it is assigned to.
    member: Option<String>,
}

impl Progress {
    fn of(topic: &str, partition: i32) -> Self {
        Self { topic: topic.to_owned(), partition, ..Default::default() }
    }

    fn lag(&self) -> Option<i64> {
        Some((self.end? - self.committed?).max(0))
    }
}

pub(crate) fn run(command: &GroupCommand, out: &mut impl Write) -> Result<(), Failure> {
    match command {
        GroupCommand::List(list) => {
            let groups = list.connecting.run(async |client| Ok(client.admin().list_groups().await?))?;
            Ok(print::listed(&groups, list.connecting.output, out)?)
        }
        GroupCommand::Describe(describe) => {
            let results = describe.connecting.run(async |client| Ok(describe.asked(&client).await))?;
            let (groups, failed) = sorted_out(results);
            print::described(&groups, describe.connecting.output, out)?;
            told(&failed)
        }
        GroupCommand::Reset(reset) => {
            let results = reset.connecting.run(async |client| reset.done_by(&client).await)?;
            let (done, failed) = sorted_out(results);
            print::moved(&reset.name, &done, !reset.validate_only, reset.connecting.output, out)?;
            told(&failed)
        }
        GroupCommand::Delete(delete) => {
            let names: Vec<&str> = delete.names.iter().map(String::as_str).collect();
            let results =
                delete.connecting.run(async |client| Ok(client.admin().delete_groups(&names).await))?;
            let (done, failed) = sorted_out(results);
            print::deleted(&done, delete.connecting.output, out)?;
            told(&failed)
        }
    }
}

type Described = (GroupDescription, Vec<Progress>);

impl Describe {
    async fn asked(&self, client: &Client) -> strandline_client::Each<Described> {
        let mut results = Vec::new();
        for name in &self.names {
            results.push((name.clone(), described(client, name).await));
        }
        results
    }
}

async fn described(client: &Client, name: &str) -> Result<Described, strandline_client::Error> {
    let admin = client.admin();
    let mut group = admin.describe_groups(&[name]).await;
    let group = group.pop().map_or_else(|| Ok(GroupDescription::default()), |(_, group)| group)?;
    let mut progress: BTreeMap<(String, i32), Progress> = BTreeMap::new();
    for ((topic, partition), committed) in admin.group_offsets(name).await? {
        let fresh = Progress { committed: Some(committed?.offset), ..Progress::of(&topic, partition) };
        progress.insert((topic, partition), fresh);
    }
    for member in &group.members {
        for (topic, partition) in &member.partitions {
            let fresh = || Progress::of(topic, *partition);
            let found = progress.entry((topic.clone(), *partition)).or_insert_with(fresh);
            found.member = Some(member.id.clone());
        }
    }
    let mut question = ListOffsets::new();
    for (topic, partition) in progress.keys() {
        question = question.of(topic, *partition, OffsetAt::Latest);
    }
    for (key, end) in admin.list_offsets(&question).await {
        if let Some(progress) = progress.get_mut(&key) {
            // A topic may be gone that a group has read.
            progress.end = end.ok().and_then(|end| end.offset);
        }
    }
    Ok((group, progress.into_values().collect()))
}

impl Reset {
    async fn done_by(&self, client: &Client) -> Result<strandline_client::EachPartition<i64>, Failure> {
        let admin = client.admin();
        let mut partitions = self.partition.clone();
        if partitions.is_empty() {
            for (_, topic) in admin.describe_topics(&[&self.topic]).await? {
                partitions.extend(topic?.partitions.iter().map(|info| info.partition));
            }
        }
        let mut offsets = Vec::new();
        let mut results = Vec::new();
        for partition in partitions {
            match self.offset(client, partition).await {
                Ok(offset) => offsets.push((self.topic.as_str(), partition, offset)),
                Err(error) => results.push(((self.topic.clone(), partition), Err(error))),
            }
        }
        if self.validate_only || offsets.is_empty() {
            let found = offsets
                .iter()
                .map(|(topic, partition, offset)| (((*topic).to_owned(), *partition), Ok(*offset)));
            results.extend(found);
            return Ok(results);
        }
        for (key, result) in admin.set_group_offsets(&self.name, &offsets).await? {
            let set = offsets.iter().find(|(_, partition, _)| *partition == key.1);
            let offset = set.map_or(-1, |(.., offset)| *offset);
            results.push((key, result.map(|()| offset)));
        }
        Ok(results)
    }

    async fn offset(&self, client: &Client, partition: i32) -> Result<i64, strandline_client::Error> {
        let at = match self.to {
            Place::Offset(offset) => return Ok(offset),
            Place::At(at) => at,
        };
        for at in [at, OffsetAt::Latest] {
            let question = ListOffsets::new().of(&self.topic, partition, at);
            for (_, found) in client.admin().list_offsets(&question).await {
                if let Some(offset) = found?.offset {
                    return Ok(offset);
                }
            }
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read() {
        assert_eq!(place("beginning"), Ok(Place::At(OffsetAt::Earliest)));
        assert_eq!(place("7"), Ok(Place::Offset(7)));
        assert_eq!(place("@7"), Ok(Place::At(OffsetAt::Timestamp(7))));
        assert!(["", "-1", "@", "start"].iter().all(|text| place(text).is_err()));
    }
}
