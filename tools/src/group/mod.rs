//! `strandline group`: which groups there are, how far they have read, and where they go on.
//!
//! Results go to the standard output, as a table or as JSON, and what failed to the standard error.

use std::collections::BTreeMap;
use std::io::Write;

use clap::{Args, Subcommand};
use strandline_client::{Client, Each, Error, GroupDescription, GroupListing, ListOffsets, OffsetAt};
use strandline_protocol::ErrorCode;

use crate::arguments::Named;
use crate::cluster::{Connecting, Failure};
use crate::hint;
use crate::results::{sorted_out, told_with};

mod delete;
mod forget;
mod print;
mod reset;

/// What `strandline group` can do.
#[derive(Subcommand)]
pub(crate) enum GroupCommand {
    /// Lists the groups.
    List(List),
    /// Shows how far groups have read, how far they are behind, and who is in them.
    Describe(Describe),
    /// Lets a group that has no members go on from elsewhere; shows where first.
    Reset(reset::Reset),
    /// Forgets how far a group has read a topic.
    Forget(forget::Forget),
    /// Deletes groups that have no members, with all that is known of how far they have read.
    Delete(delete::Delete),
}

/// `strandline group list`.
#[derive(Args)]
pub(crate) struct List {
    /// Only those in this state, such as Stable or Empty; may be given more than once.
    #[arg(long, value_name = "STATE")]
    state: Vec<String>,
    #[command(flatten)]
    connecting: Connecting,
}

/// `strandline group describe`.
#[derive(Args)]
pub(crate) struct Describe {
    /// Show the members, with where they are and how many partitions each has, and not the partitions.
    #[arg(short, long)]
    members: bool,
    #[command(flatten)]
    groups: Named,
}

/// How far a group has read a partition.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Progress {
    pub(crate) topic: String,
    pub(crate) partition: i32,
    pub(crate) committed: Option<i64>,
    pub(crate) end: Option<i64>,
    // The member that it is assigned to.
    pub(crate) member: Option<String>,
}

impl Progress {
    fn of(topic: &str, partition: i32) -> Self {
        Self { topic: topic.to_owned(), partition, ..Default::default() }
    }

    pub(crate) fn lag(&self) -> Option<i64> {
        Some((self.end? - self.committed?).max(0))
    }
}

/// How far a group is behind in all that it has read.
pub(crate) fn lag(progress: &[Progress]) -> Option<i64> {
    let known: Vec<i64> = progress.iter().filter_map(Progress::lag).collect();
    Some(known.iter().sum()).filter(|_| !known.is_empty())
}

pub(crate) fn run(command: &GroupCommand, out: &mut impl Write) -> Result<(), Failure> {
    match command {
        GroupCommand::List(list) => {
            let mut groups = list.connecting.run(async |client| Ok(client.admin().list_groups().await?))?;
            groups.retain(|group| list.shows(group));
            Ok(print::listed(&groups, list.connecting.output, out)?)
        }
        GroupCommand::Describe(describe) => {
            let groups = &describe.groups;
            let (results, hints) = groups.connecting.run(async |client| Ok(describe.asked(&client).await))?;
            let (done, failed) = sorted_out(results);
            print::described(&done, describe.members, groups.connecting.output, out)?;
            told_with(&failed, hints)
        }
        GroupCommand::Reset(reset) => reset::run(reset, out),
        GroupCommand::Forget(forget) => forget::run(forget, out),
        GroupCommand::Delete(delete) => delete::run(delete, out),
    }
}

impl List {
    fn shows(&self, group: &GroupListing) -> bool {
        let is =
            |wanted: &String| group.state.as_ref().is_some_and(|state| state.eq_ignore_ascii_case(wanted));
        self.state.is_empty() || self.state.iter().any(is)
    }
}

type Described = (GroupDescription, Vec<Progress>);

impl Describe {
    async fn asked(&self, client: &Client) -> (Each<Described>, Vec<String>) {
        let mut results = Vec::new();
        for name in &self.groups.names {
            results.push((name.clone(), described(client, name).await));
        }
        let hints = hint::groups(client, &results).await;
        (results, hints)
    }
}

/// A group's members, and how far it has read what it has read, and what they are to read.
pub(crate) async fn described(client: &Client, name: &str) -> Result<Described, Error> {
    let admin = client.admin();
    let missing = || Error::broker(ErrorCode::GROUP_ID_NOT_FOUND, format!("group {name}"), None);
    let group =
        admin.describe_groups(&[name]).await.pop().map_or_else(|| Err(missing()), |(_, group)| group)?;
    // What brokers before Kafka 4.0 say of one that is not there.
    if group.state == "Dead" {
        return Err(missing());
    }
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
    if !progress.is_empty() {
        for (key, end) in admin.list_offsets(&question).await {
            if let Some(progress) = progress.get_mut(&key) {
                // A topic may be gone that a group has read.
                progress.end = end.ok().and_then(|end| end.offset);
            }
        }
    }
    Ok((group, progress.into_values().collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_behind_by_what_is_known_of_it() {
        let read = |committed, end| Progress { committed, end, ..Progress::of("a", 0) };
        assert_eq!(lag(&[read(Some(3), Some(7)), read(None, Some(9)), read(Some(9), Some(8))]), Some(4));
        assert_eq!(lag(&[read(None, Some(9))]), None);
    }
}
