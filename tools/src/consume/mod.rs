//! `strandline consume`: the records of topics of any Kafka cluster, to the standard output.

use std::io::{BufWriter, IsTerminal, Write};
use std::time::Duration;

use clap::{Args, ValueEnum};
use strandline_client::{Client, Consumer, ConsumerRecord, Isolation, OffsetReset, SeekTo};

use crate::arguments::{PLACES, Place, place};
use crate::cluster::{Connecting, Failure, Output};
use crate::progress::Progress;
use crate::{hint, readable};

mod format;
mod goal;
mod grouped;
mod template;

use goal::Goal;
use template::Template;

/// How long it is waited for a record before it is looked whether the end has been reached.
const GLANCE: Duration = Duration::from_millis(50);

/// `strandline consume`.
#[derive(Args)]
pub(crate) struct Consume {
    /// The topics.
    #[arg(required = true, value_name = "TOPIC")]
    topics: Vec<String>,
    /// Where to begin; in a group only where it has not read before.
    #[arg(long, default_value = "beginning", value_name = "PLACE", value_parser = place, allow_hyphen_values = true,
        long_help = format!("Where to begin; in a group only where it has not read before, and there `beginning` or \
                             `end`. It is {PLACES}"))]
    from: Place,
    /// Show only what comes from now on: the same as --from end.
    #[arg(long, conflicts_with_all = ["from", "exit", "until"])]
    follow: bool,
    /// End before this place in each partition, and do not wait for more than is there.
    #[arg(long, value_name = "PLACE", value_parser = place, allow_hyphen_values = true, conflicts_with = "group",
        long_help = format!("End before this place in each partition, and do not wait for more than is there: {PLACES}"))]
    until: Option<Place>,
    /// End where the partitions end now, and do not wait for more.
    #[arg(short, long, conflicts_with = "until")]
    exit: bool,
    /// Read these partitions of each topic only; may be given more than once.
    #[arg(short, long, value_name = "N", conflicts_with = "group", value_parser = clap::value_parser!(i32).range(0..))]
    partition: Vec<i32>,
    /// Read as a member of this group: it shares the partitions with the others, and goes on where the group was.
    #[arg(short, long, value_name = "NAME")]
    group: Option<String>,
    /// Do not say how far the group has read.
    #[arg(long, requires = "group")]
    no_commit: bool,
    /// End after this many records.
    #[arg(short = 'n', long, value_name = "N")]
    count: Option<u64>,
    /// How a record is printed.
    #[arg(short, long, value_enum, default_value_t, conflicts_with = "template")]
    format: Format,
    /// Print each record by this template, with no line end but those in it.
    #[arg(short, long, value_name = "TEXT", value_parser = Template::parse, long_help = template::HELP)]
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
    /// A line for people: time, place, key, headers and value.
    Long,
    /// What the records of __consumer_offsets and __transaction_state say, as a line of JSON.
    Internal,
}

pub(crate) fn run(consume: &Consume, out: &mut impl Write) -> Result<(), Failure> {
    if consume.group.is_some() && !matches!(consume.from, Place::Beginning | Place::End) {
        let message = "a group goes on where it was, and begins with `beginning` or `end`: `strandline group reset` \
                       lets it go on from elsewhere";
        return Err(Failure::Usage(message.to_owned()));
    }
    let mut out = BufWriter::with_capacity(64 << 10, out);
    let result = consume.connecting.run(async |client| consume.read(&client, &mut out).await);
    // What was read is shown, whatever came then.
    out.flush()?;
    result
}

/// Where records go to the terminal, they tell how far it is.
fn progress() -> Progress {
    Progress::new(!std::io::stdout().is_terminal())
}

impl Consume {
    fn isolation(&self) -> Isolation {
        if self.committed { Isolation::ReadCommitted } else { Isolation::ReadUncommitted }
    }

    /// Where it begins.
    const fn from(&self) -> Place {
        if self.follow { Place::End } else { self.from }
    }

    async fn read(&self, client: &Client, out: &mut impl Write) -> Result<(), Failure> {
        if let Some(group) = &self.group {
            return self.read_in(group, client, out).await;
        }
        let builder = client.consumer().offset_reset(OffsetReset::Earliest).isolation(self.isolation());
        let mut consumer = builder.start()?;
        self.assign(client, &mut consumer).await?;
        let assignment = consumer.assignment();
        let mut goal = Goal::new(self.count);
        if self.exit {
            goal.end_at(consumer.end_offsets().await?);
        } else if let Some(until) = self.until {
            goal.end_at(goal::offsets(client, &assignment, until).await?);
        }
        // What a time or a number of records is depends on the partition; the rest the consumer finds by itself.
        let last = match self.from() {
            place @ Place::Last(_) => goal::offsets(client, &assignment, place).await?,
            _ => Vec::new(),
        };
        for (topic, number) in &assignment {
            let to = match self.from() {
                Place::Beginning => SeekTo::Earliest,
                Place::End => SeekTo::Latest,
                Place::Offset(offset) => SeekTo::Offset(offset),
                Place::Time(time) => SeekTo::Timestamp(time),
                Place::Last(_) => {
                    let found =
                        last.iter().find(|((name, partition), _)| name == topic && partition == number);
                    SeekTo::Offset(found.map_or(0, |(_, offset)| *offset))
                }
            };
            consumer.seek(topic, *number, to)?;
        }
        tokio::select! {
            result = self.follow(&mut consumer, &mut goal, out) => result,
            interrupted = tokio::signal::ctrl_c() => Ok(interrupted?),
        }
    }

    async fn assign(&self, client: &Client, consumer: &mut Consumer) -> Result<(), Failure> {
        let topics: Vec<&str> = self.topics.iter().map(String::as_str).collect();
        let assigned = if self.partition.is_empty() {
            consumer.assign_topics(&topics).await
        } else {
            let of_topic = |topic| self.partition.iter().map(move |number| (topic, *number));
            let partitions: Vec<_> = topics.iter().copied().flat_map(of_topic).collect();
            consumer.assign(&partitions).await
        };
        match assigned {
            Ok(()) => Ok(()),
            Err(error) => {
                let known = client.metadata();
                let unknown = topics.iter().find(|topic| !known.topics.contains_key(**topic));
                Err(hint::about_topic(client, error, unknown.unwrap_or(&"")).await)
            }
        }
    }

    async fn follow(
        &self,
        consumer: &mut Consumer,
        goal: &mut Goal,
        out: &mut impl Write,
    ) -> Result<(), Failure> {
        let mut progress = progress();
        while !goal.has_enough() {
            let record = match consumer.try_next()? {
                Some(record) => Some(record),
                None => {
                    out.flush()?;
                    if goal.is_reached(consumer) {
                        break;
                    }
                    tokio::time::timeout(GLANCE, consumer.next()).await.ok().transpose()?
                }
            };
            let Some(record) = record else { continue };
            if goal.is_beyond(&record) {
                // What came after it was started.
                consumer.pause(&record.topic, record.partition)?;
                continue;
            }
            self.print(&record, out)?;
            goal.count();
            progress.tell(|| goal.far(consumer));
        }
        Ok(())
    }

    fn print(&self, record: &ConsumerRecord, out: &mut impl Write) -> Result<(), Failure> {
        match (&self.template, self.connecting.output, self.format) {
            (Some(template), ..) => template.print(record, out)?,
            (None, _, Format::Internal) => readable::print(record, out)?,
            (None, Output::Json, _) | (None, _, Format::Json) => format::json(record, out)?,
            (None, _, Format::Raw) => format::raw(record, out)?,
            (None, _, Format::Hex) => format::hex(record, out)?,
            (None, _, Format::Long) => format::long(record, out)?,
        }
        Ok(())
    }
}
