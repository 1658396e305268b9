//! `strandline consume`: the records of a topic of any Kafka cluster, to the standard output.
//!
//! Exit codes: 0 what was asked for was read, or somebody interrupted it, 1 something could not be read, 2 the
//! command line is wrong, 3 no broker could be asked.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::time::Duration;

use clap::{Args, ValueEnum};
use strandline_client::{Client, Consumer, ConsumerRecord, Isolation, OffsetReset, SeekTo};

use crate::cluster::{Connecting, Failure, Output};

mod format;

use format::Template;

/// How long it is waited for a record before it is looked whether the end has been reached.
const GLANCE: Duration = Duration::from_millis(50);

/// `strandline consume`.
#[derive(Args)]
pub(crate) struct Consume {
    /// The topic.
    topic: String,
    /// Where to begin.
    #[arg(long, default_value = "beginning", value_name = "PLACE", value_parser = place, allow_hyphen_values = true,
        long_help = "Where to begin: `beginning`, `end`, an offset, -N for the last N records of each partition, \
                     or @MS for the first record of that time, in milliseconds since 1970")]
    from: Place,
    /// Read this partition only; may be given more than once.
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(i32).range(0..))]
    partition: Vec<i32>,
    /// End after this many records.
    #[arg(short = 'n', long, value_name = "N")]
    count: Option<u64>,
    /// End where the partitions end now, and do not wait for more.
    #[arg(short, long)]
    exit: bool,
    /// How a record is printed.
    #[arg(short, long, value_enum, default_value_t, conflicts_with = "template")]
    format: Format,
    /// Print each record by this template, with no line end but those in it.
    #[arg(short, long, value_name = "TEXT", value_parser = Template::parse,
        long_help = "Print each record by this template: %t topic, %p partition, %o offset, %d time in milliseconds \
                     since 1970, %k key, %v value, %h headers, %% a percent sign; \\n, \\t and \\\\ as usual. A line \
                     end comes only where it says one")]
    template: Option<Template>,
    /// Leave out the records of transactions that were aborted or are still open.
    #[arg(long)]
    committed: bool,
    #[command(flatten)]
    connecting: Connecting,
}

/// How a record is printed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(crate) enum Format {
    /// The value as it is, and a line end.
    #[default]
    Raw,
    /// Everything, as a line of JSON.
    Json,
    /// Partition, offset, key and value, the last two in hexadecimal digits.
    Hex,
}

/// Where to begin.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Place {
    At(SeekTo),
    // This many before the end.
    Last(i64),
}

fn place(text: &str) -> Result<Place, String> {
    let refused = || "it is `beginning`, `end`, an offset, -N or @MS".to_owned();
    let number = |text: &str| text.parse::<i64>().ok().filter(|number| *number >= 0).ok_or_else(refused);
    Ok(match (text, text.strip_prefix('-'), text.strip_prefix('@')) {
        ("beginning", ..) => Place::At(SeekTo::Earliest),
        ("end", ..) => Place::At(SeekTo::Latest),
        (_, Some(count), _) => Place::Last(number(count)?),
        (.., Some(time)) => Place::At(SeekTo::Timestamp(number(time)?)),
        _ => Place::At(SeekTo::Offset(number(text)?)),
    })
}

pub(crate) fn run(consume: &Consume, out: &mut impl Write) -> Result<(), Failure> {
    let mut out = BufWriter::with_capacity(64 << 10, out);
    let result = consume.connecting.run(async |client| consume.read(&client, &mut out).await);
    // What was read is shown, whatever came then.
    out.flush()?;
    result
}

/// How much is left to be read.
struct Goal {
    records: u64,
    // By partition, where it is to end, if it is.
    ends: Option<BTreeMap<i32, i64>>,
}

impl Consume {
    async fn read(&self, client: &Client, out: &mut impl Write) -> Result<(), Failure> {
        let isolation = if self.committed { Isolation::ReadCommitted } else { Isolation::ReadUncommitted };
        let builder = client.consumer().offset_reset(OffsetReset::Earliest).isolation(isolation);
        let mut consumer = builder.start()?;
        if self.partition.is_empty() {
            consumer.assign_topics(&[&self.topic]).await?;
        } else {
            let partitions: Vec<_> =
                self.partition.iter().map(|number| (self.topic.as_str(), *number)).collect();
            consumer.assign(&partitions).await?;
        }
        let needs_ends = self.exit || matches!(self.from, Place::Last(_));
        let ends = if needs_ends { consumer.end_offsets().await? } else { Vec::new() };
        let ends: BTreeMap<i32, i64> = ends.into_iter().map(|((_, number), end)| (number, end)).collect();
        for (_, number) in consumer.assignment() {
            let to = match self.from {
                Place::At(to) => to,
                Place::Last(count) => SeekTo::Offset(ends.get(&number).map_or(0, |end| (end - count).max(0))),
            };
            consumer.seek(&self.topic, number, to)?;
        }
        let goal = Goal { records: self.count.unwrap_or(u64::MAX), ends: self.exit.then_some(ends) };
        tokio::select! {
            result = self.follow(&mut consumer, goal, out) => result,
            interrupted = tokio::signal::ctrl_c() => Ok(interrupted?),
        }
    }

    async fn follow(
        &self,
        consumer: &mut Consumer,
        mut goal: Goal,
        out: &mut impl Write,
    ) -> Result<(), Failure> {
        while goal.records > 0 {
            let record = match consumer.try_next()? {
                Some(record) => Some(record),
                None => {
                    out.flush()?;
                    if self.is_at_end(consumer, &goal) {
                        break;
                    }
                    tokio::time::timeout(GLANCE, consumer.next()).await.ok().transpose()?
                }
            };
            let Some(record) = record else { continue };
            let end = goal.ends.as_ref().and_then(|ends| ends.get(&record.partition));
            if end.is_some_and(|end| record.offset >= *end) {
                // What came after it was started.
                consumer.pause(&self.topic, record.partition)?;
                continue;
            }
            self.print(&record, out)?;
            goal.records -= 1;
        }
        Ok(())
    }

    fn is_at_end(&self, consumer: &Consumer, goal: &Goal) -> bool {
        let is_reached = |(partition, end): (&i32, &i64)| {
            *end == 0 || consumer.position(&self.topic, *partition).is_some_and(|position| position >= *end)
        };
        goal.ends.as_ref().is_some_and(|ends| ends.iter().all(is_reached))
    }

    fn print(&self, record: &ConsumerRecord, out: &mut impl Write) -> Result<(), Failure> {
        match (&self.template, self.connecting.output, self.format) {
            (Some(template), ..) => template.print(record, out)?,
            (None, Output::Json, _) | (None, _, Format::Json) => format::json(record, out)?,
            (None, _, Format::Raw) => format::raw(record, out)?,
            (None, _, Format::Hex) => format::hex(record, out)?,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read() {
        assert_eq!(place("beginning"), Ok(Place::At(SeekTo::Earliest)));
        assert_eq!(place("end"), Ok(Place::At(SeekTo::Latest)));
        assert_eq!(place("42"), Ok(Place::At(SeekTo::Offset(42))));
        assert_eq!(place("-5"), Ok(Place::Last(5)));
        assert_eq!(place("@1700000000000"), Ok(Place::At(SeekTo::Timestamp(1_700_000_000_000))));
        for text in ["", "-", "@", "--5", "x", "@-1", "9999999999999999999"] {
            assert!(place(text).is_err(), "{text}");
        }
    }
}
