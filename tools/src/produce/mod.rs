//! `strandline produce`: records from lines to a topic of any Kafka cluster.
//!
//! With a transactional id all of it counts or none of it does. What was written is told on the standard output once all has been, as a table or as JSON; what was not, on the
//! standard error. Exit codes: 0 all was acknowledged, 1 something was not, 2 the command line is wrong, 3 no broker
//! could be asked.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use serde_json::json;
use strandline_client::{
    Acks, Client, Compression, Delivered, Delivery, Error, Producer, ProducerBuilder, ProducerRecord,
    Transaction,
};

use crate::arguments::setting;
use crate::cluster::{Connecting, Failure, Output};
use crate::hint;
use crate::progress::{Far, Progress};
use crate::results::counted;
use crate::table::Table;

mod input;

use input::{Input, Line};

/// How many deliveries are remembered before the oldest is waited for.
const DELIVERIES_MAX: usize = 10_000;

/// `strandline produce`.
#[derive(Args)]
pub(crate) struct Produce {
    /// The topic.
    topic: String,
    /// Read from this file and not from the standard input.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// What a line is.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Split each line at the first occurrence of this: what stands before it is the key.
    #[arg(long, value_name = "TEXT")]
    key_separator: Option<String>,
    /// The key of all records whose line has none.
    #[arg(long, value_name = "TEXT", conflicts_with = "key_separator")]
    key: Option<String>,
    /// A key or value that reads like this is null.
    #[arg(long, value_name = "TEXT")]
    null: Option<String>,
    /// A header of every record; may be given more than once.
    #[arg(long, value_name = "NAME=VALUE", value_parser = setting)]
    header: Vec<(String, String)>,
    /// The partition of all records whose line has none; without it the key decides, or chance.
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(i32).range(0..))]
    partition: Option<i32>,
    /// How batches are compressed: none, gzip, snappy, lz4 or zstd.
    #[arg(short = 'z', long, default_value = "none", value_name = "CODEC", value_parser = codec)]
    compression: Compression,
    /// How hard the codec tries; each has numbers of its own.
    #[arg(long, value_name = "LEVEL", requires = "compression", allow_hyphen_values = true)]
    compression_level: Option<i32>,
    /// The time of all records whose line has none, in milliseconds since 1970; without it the present.
    #[arg(long, value_name = "MS")]
    timestamp: Option<i64>,
    /// Whose acknowledgement is waited for.
    #[arg(long, value_enum, default_value_t)]
    acks: Acknowledgement,
    /// Write everything in one transaction of this id: it counts when the input has ended and all was acknowledged, and
    /// if anything fails nothing of it counts. Whoever writes with the same id is fenced.
    #[arg(long, value_name = "ID")]
    transactional_id: Option<String>,
    /// How long the transaction may be open before the cluster aborts it, in seconds.
    #[arg(long, requires = "transactional_id", default_value_t = 60, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    transaction_timeout: u64,
    /// How long a batch waits for more records, in milliseconds.
    #[arg(long, default_value_t = 5, value_name = "MS")]
    linger_ms: u64,
    /// The longest line, and the largest request, in bytes.
    #[arg(long, default_value_t = 1 << 20, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(1_024..))]
    max_bytes: u32,
    #[command(flatten)]
    connecting: Connecting,
}

/// What a line is.
#[derive(Clone, Copy, Default, Eq, PartialEq, ValueEnum)]
enum Format {
    /// A value, or a key and a value.
    #[default]
    Lines,
    /// A record as `strandline consume --format json` prints it.
    Json,
    /// Nothing by itself: all of the input is one value.
    Whole,
}

#[derive(Clone, Copy, Default, Eq, PartialEq, ValueEnum)]
enum Acknowledgement {
    /// That of all replicas that are in sync.
    #[default]
    All,
    /// The leader's.
    #[value(name = "1")]
    Leader,
    /// Nobody's.
    #[value(name = "0")]
    None,
}

fn codec(name: &str) -> Result<Compression, String> {
    name.parse().map_err(|_| "it is none, gzip, snappy, lz4 or zstd".to_owned())
}

/// What has been acknowledged.
#[derive(Default)]
struct Report {
    records: u64,
    bytes: u64,
    // Of the input, with the ends of its lines.
    taken: u64,
    // By partition: how many, and the first and last offset, where the broker says them.
    partitions: BTreeMap<i32, (u64, Option<i64>, Option<i64>)>,
}

impl Report {
    fn count(&mut self, delivered: &Delivered) {
        self.records += 1;
        let (records, first, last) = self.partitions.entry(delivered.partition).or_default();
        *records += 1;
        *first = first.or(delivered.offset);
        *last = delivered.offset.or(*last);
    }

    /// Counts what comes of deliveries; of several that fail the first is told.
    async fn count_all(&mut self, deliveries: VecDeque<Delivery>) -> Result<(), Failure> {
        let mut result = Ok(());
        for delivery in deliveries {
            match delivery.await {
                Ok(delivered) => self.count(&delivered),
                Err(error) => result = result.and(Err(error.into())),
            }
        }
        result
    }

    fn print(&self, topic: &str, seconds: f64, output: Output, out: &mut impl Write) -> io::Result<()> {
        if output == Output::Json {
            let partitions: Vec<_> = self
                .partitions
                .iter()
                .map(|(partition, (records, first, last))| {
                    json!({ "partition": partition, "records": records, "firstOffset": first, "lastOffset": last })
                })
                .collect();
            let report = json!({
                "topic": topic, "records": self.records, "bytes": self.bytes, "seconds": seconds,
                "partitions": partitions,
            });
            return writeln!(out, "{report}");
        }
        let mut table = Table::new(&["PARTITION", "RECORDS", "FIRST OFFSET", "LAST OFFSET"]);
        let text = |offset: &Option<i64>| offset.map_or("?".to_owned(), |offset| offset.to_string());
        for (partition, (records, first, last)) in &self.partitions {
            table.row([partition.to_string(), records.to_string(), text(first), text(last)]);
        }
        table.print(out)
    }
}

/// How records are sent: each for itself, or as a part of something.
#[derive(Clone, Copy)]
enum Sending<'a> {
    Singly(&'a Producer),
    Together(&'a Transaction<'a>),
}

impl Sending<'_> {
    async fn send(self, record: ProducerRecord<'_>) -> Result<Delivery, Error> {
        match self {
            Self::Singly(producer) => producer.send(record).await,
            Self::Together(transaction) => transaction.deliver(record).await,
        }
    }
}

pub(crate) fn run(produce: &Produce, out: &mut impl Write) -> Result<(), Failure> {
    if produce.transactional_id.is_some() && produce.acks != Acknowledgement::All {
        return Err(Failure::Usage("--transactional-id takes --acks all".to_owned()));
    }
    let bytes_max = usize::try_from(produce.max_bytes).unwrap_or(usize::MAX);
    let input = Input::open(produce.file.as_deref(), bytes_max, produce.format == Format::Whole)?;
    if produce.file.is_none() && io::stdin().is_terminal() && io::stderr().is_terminal() {
        writeln!(io::stderr(), "Every line is a record; Ctrl-D ends.")?;
    }
    let began = Instant::now();
    let mut report = Report::default();
    let result = produce.connecting.run(async |client| produce.send_all(&client, input, &mut report).await);
    report.print(&produce.topic, began.elapsed().as_secs_f64(), produce.connecting.output, out)?;
    result
}

impl Produce {
    fn producer(&self, client: &Client) -> ProducerBuilder {
        let acks = match self.acks {
            Acknowledgement::All => Acks::All,
            Acknowledgement::Leader => Acks::Leader,
            Acknowledgement::None => Acks::None,
        };
        let timeout = Duration::from_secs(self.connecting.timeout);
        let builder =
            client.producer().acks(acks).idempotent(acks == Acks::All).compression(self.compression);
        let builder = builder.linger(Duration::from_millis(self.linger_ms)).delivery_timeout(timeout);
        // A line is a little shorter than its record, and JSON longer.
        let bytes_max = usize::try_from(self.max_bytes).unwrap_or(usize::MAX).saturating_add(1 << 10);
        let builder =
            builder.request_bytes_max(bytes_max).topic_timeout(timeout.min(Duration::from_secs(10)));
        match self.compression_level {
            Some(level) => builder.compression_level(level),
            None => builder,
        }
    }

    async fn send_all(&self, client: &Client, input: Input, report: &mut Report) -> Result<(), Failure> {
        let Some(id) = &self.transactional_id else {
            let producer = self.producer(client).start()?;
            let (deliveries, sent) = self.send_lines(client, Sending::Singly(&producer), input, report).await;
            // What was taken before anything failed is still delivered.
            producer.close().await;
            return sent.and(report.count_all(deliveries).await);
        };
        let timeout = Duration::from_secs(self.transaction_timeout);
        let builder = self.producer(client).transactional_id(id).transaction_timeout(timeout);
        let mut producer = builder.start_transactional().await?;
        let transaction = producer.begin().await?;
        let (deliveries, sent) =
            self.send_lines(client, Sending::Together(&transaction), input, report).await;
        let ended = match sent {
            Ok(()) => transaction.commit().await.map_err(Failure::from),
            Err(failure) => {
                // Where that cannot be said either, its coordinator says it in time.
                let _ = transaction.abort().await;
                Err(failure)
            }
        };
        let result = match ended {
            Ok(()) => report.count_all(deliveries).await,
            Err(failure) => {
                *report = Report::default();
                Err(Failure::Refused(format!("{failure}\nstrandline: nothing of the transaction counts")))
            }
        };
        let _ = producer.close().await;
        result
    }

    /// Sends line after line, until the end or until something fails. Returns what is not known to be delivered yet.
    async fn send_lines(
        &self,
        client: &Client,
        sending: Sending<'_>,
        input: Input,
        report: &mut Report,
    ) -> (VecDeque<Delivery>, Result<(), Failure>) {
        let total = input.bytes();
        let mut lines = input.lines();
        let mut progress = Progress::new(self.file.is_some() || !io::stdin().is_terminal());
        let mut deliveries: VecDeque<Delivery> = VecDeque::new();
        while let Some(line) = lines.recv().await {
            progress.tell(|| {
                let part = total.map(|total| (report.taken, total));
                Far::of(part, format!("{} acknowledged", counted(report.records, "record", "records")))
            });
            match self.send(client, sending, line, report).await {
                Ok(delivery) => deliveries.push_back(delivery),
                Err(failure) => return (deliveries, Err(failure)),
            }
            if deliveries.len() >= DELIVERIES_MAX
                && let Some(oldest) = deliveries.pop_front()
            {
                match oldest.await {
                    Ok(delivered) => report.count(&delivered),
                    Err(error) => return (deliveries, Err(error.into())),
                }
            }
        }
        (deliveries, Ok(()))
    }

    async fn send(
        &self,
        client: &Client,
        sending: Sending<'_>,
        line: Result<Line, Failure>,
        report: &mut Report,
    ) -> Result<Delivery, Failure> {
        let line = line?;
        let bytes = u64::try_from(line.bytes.len()).unwrap_or(0);
        report.bytes += bytes;
        report.taken += bytes + 1;
        let parsed = match self.format {
            Format::Lines | Format::Whole => self.parsed(&line),
            Format::Json => input::from_json(&line)?,
        };
        let mut record = ProducerRecord::to(&self.topic);
        for (name, value) in &self.header {
            record = record.header(name, value);
        }
        for (name, value) in &parsed.headers {
            record = record.header_or_null(name, value.as_deref());
        }
        if let Some(key) = &parsed.key {
            record = record.key(key);
        }
        if let Some(value) = &parsed.value {
            record = record.value(value);
        }
        if let Some(partition) = parsed.partition.or(self.partition) {
            record = record.partition(partition);
        }
        if let Some(timestamp) = parsed.timestamp.or(self.timestamp) {
            record = record.timestamp(timestamp);
        }
        match sending.send(record).await {
            Ok(delivery) => Ok(delivery),
            Err(error) => Err(match hint::about_topic(client, error, &self.topic).await {
                Failure::Refused(text) => Failure::Refused(format!("line {}: {text}", line.number)),
                other => other,
            }),
        }
    }

    /// A line as key and value.
    fn parsed(&self, line: &Line) -> input::Parsed {
        let null = self.null.as_deref().map(str::as_bytes);
        let part = |bytes: &[u8]| Some(bytes.to_vec()).filter(|bytes| Some(bytes.as_slice()) != null);
        let fixed = || self.key.as_deref().and_then(|key| part(key.as_bytes()));
        let separator = self.key_separator.as_deref().map(str::as_bytes).filter(|it| !it.is_empty());
        let split = separator.and_then(|separator| {
            let place = line.bytes.windows(separator.len()).position(|window| window == separator)?;
            let (key, rest) = line.bytes.split_at_checked(place)?;
            Some((key, rest.get(separator.len()..)?))
        });
        let (key, value) = match split {
            Some((key, value)) => (part(key), part(value)),
            None => (fixed(), part(&line.bytes)),
        };
        input::Parsed { key, value, ..Default::default() }
    }
}
