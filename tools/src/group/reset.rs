//! `strandline group reset`: lets a group go on from elsewhere. What would change is shown before anything does.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use strandline_client::{Client, Error};

use super::print;
use crate::arguments::{Consent, PLACES, Place, place};
use crate::cluster::{Connecting, Failure};
use crate::results::{sorted_out, told};
use crate::{hint, places};

/// A file of places that is larger is none.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// `strandline group reset`.
#[derive(Args)]
#[command(group = clap::ArgGroup::new("where").required(true))]
pub(crate) struct Reset {
    /// The group's name.
    name: String,
    /// The topic; may be given more than once. Without it all that the group has read.
    #[arg(long, value_name = "NAME")]
    topic: Vec<String>,
    /// Of this partition only; may be given more than once.
    #[arg(short, long, value_name = "N", requires = "topic", value_parser = clap::value_parser!(i32).range(0..))]
    partition: Vec<i32>,
    /// Where it goes on.
    #[arg(long, value_name = "PLACE", value_parser = place, group = "where", allow_hyphen_values = true,
        long_help = format!("Where it goes on: {PLACES}"))]
    to: Option<Place>,
    /// Where it goes on, in records from where it is: 10 leaves out ten, -10 reads ten again.
    #[arg(long, value_name = "N", group = "where", allow_hyphen_values = true)]
    by: Option<i64>,
    /// Where it goes on by a file of lines TOPIC,PARTITION,OFFSET, as Kafka's own tool exports them.
    #[arg(long, value_name = "FILE", group = "where", conflicts_with_all = ["topic", "partition"])]
    from_file: Option<PathBuf>,
    /// Show where it would go on, and change nothing.
    #[arg(long)]
    validate_only: bool,
    #[command(flatten)]
    consent: Consent,
    #[command(flatten)]
    connecting: Connecting,
}

type Key = (String, i32);

/// Where a group is in a partition, if that is known, and where it is to go on.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Move {
    pub(super) key: Key,
    pub(super) from: Option<i64>,
    pub(super) to: i64,
}

pub(super) fn run(reset: &Reset, out: &mut impl Write) -> Result<(), Failure> {
    let (moves, failed) = reset.connecting.run(async |client| reset.planned(&client).await)?;
    let output = reset.connecting.output;
    if reset.validate_only || moves.is_empty() {
        print::moved(&reset.name, &moves, false, output, out)?;
        return told(&failed);
    }
    if !reset.consent.yes {
        print::moved(&reset.name, &moves, false, output, out)?;
        out.flush()?;
    }
    reset.consent.to(&format!("let {} go on there", reset.name))?;
    let (done, refused) = reset.connecting.run(async |client| reset.done_by(&client, moves).await)?;
    print::moved(&reset.name, &done, true, output, out)?;
    told(&failed)?;
    told(&refused)
}

impl Reset {
    /// Where the group would go on, and what of it cannot be said.
    async fn planned(&self, client: &Client) -> Result<(Vec<Move>, Vec<Error>), Failure> {
        let known = client.admin().group_offsets(&self.name).await?;
        let (known, mut failed) = sorted_out(known);
        let known: BTreeMap<Key, i64> = known.into_iter().map(|(key, at)| (key, at.offset)).collect();
        let wanted = match &self.from_file {
            Some(path) => read_places(path)?,
            None => self.wanted(client, &known).await?,
        };
        let (found, unknown) = sorted_out(places::find(client, &wanted).await);
        failed.extend(unknown);
        let moves = found.into_iter().map(|(key, to)| Move { from: known.get(&key).copied(), key, to });
        Ok((moves.collect(), failed))
    }

    async fn wanted(
        &self,
        client: &Client,
        known: &BTreeMap<Key, i64>,
    ) -> Result<Vec<(String, i32, Place)>, Failure> {
        let mut keys = Vec::new();
        let names: Vec<&str> = self.topic.iter().map(String::as_str).collect();
        for (name, topic) in client.admin().describe_topics(&names).await? {
            let topic = match topic {
                Ok(topic) => topic,
                Err(error) => return Err(hint::about_topic(client, error, &name).await),
            };
            let all = topic.partitions.iter().map(|info| info.partition);
            let numbers: Vec<i32> =
                if self.partition.is_empty() { all.collect() } else { self.partition.clone() };
            keys.extend(numbers.into_iter().map(|number| (name.clone(), number)));
        }
        if self.topic.is_empty() {
            if known.is_empty() {
                let message = format!(
                    "{} is known to have read nothing: say with --topic what it shall read",
                    self.name
                );
                return Err(Failure::Refused(message));
            }
            keys.extend(known.keys().cloned());
        }
        let mut wanted = Vec::new();
        for (topic, partition) in keys {
            let place = match (self.to, self.by) {
                (Some(place), _) => place,
                (None, by) => match known.get(&(topic.clone(), partition)) {
                    // What is before the beginning, or behind the end, is clamped where the place is looked up.
                    Some(at) => Place::Offset(at.saturating_add(by.unwrap_or(0))),
                    None => continue,
                },
            };
            wanted.push((topic, partition, place));
        }
        Ok(wanted)
    }

    async fn done_by(&self, client: &Client, moves: Vec<Move>) -> Result<(Vec<Move>, Vec<Error>), Failure> {
        let offsets: Vec<_> = moves.iter().map(|it| (it.key.0.as_str(), it.key.1, it.to)).collect();
        let results = client.admin().set_group_offsets(&self.name, &offsets).await?;
        let (done, failed) = sorted_out(results);
        let is_done = |it: &Move| done.iter().any(|(key, ())| *key == it.key);
        Ok((moves.into_iter().filter(is_done).collect(), failed))
    }
}

fn read_places(path: &Path) -> Result<Vec<(String, i32, Place)>, Failure> {
    let unreadable = |what: &dyn std::fmt::Display| Failure::Usage(format!("{}: {what}", path.display()));
    let length = fs::metadata(path).map_err(|error| unreadable(&error))?.len();
    if length > FILE_BYTES_MAX {
        return Err(unreadable(&format!("{length} bytes are no offsets of a group")));
    }
    let text = fs::read_to_string(path).map_err(|error| unreadable(&error))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(index, line)| {
            line_of(line)
                .ok_or_else(|| unreadable(&format!("line {} is not TOPIC,PARTITION,OFFSET", index + 1)))
        })
        .collect()
}

fn line_of(line: &str) -> Option<(String, i32, Place)> {
    let mut parts = line.split(',').map(|part| part.trim().trim_matches('"'));
    let (topic, partition, offset) = (parts.next()?, parts.next()?, parts.next()?);
    let partition = partition.parse().ok().filter(|number: &i32| *number >= 0)?;
    let offset = offset.parse().ok().filter(|number: &i64| *number >= 0)?;
    let is_whole = parts.next().is_none() && !topic.is_empty();
    is_whole.then(|| (topic.to_owned(), partition, Place::Offset(offset)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_a_file_is_a_place() {
        assert_eq!(line_of("orders,3,42"), Some(("orders".to_owned(), 3, Place::Offset(42))));
        assert_eq!(line_of("\"orders\", 3, 42"), Some(("orders".to_owned(), 3, Place::Offset(42))));
        for line in ["orders,3", "orders,3,42,5", ",3,42", "orders,x,42", "orders,3,-1", "orders,-3,1"] {
            assert_eq!(line_of(line), None, "{line}");
        }
    }
}
