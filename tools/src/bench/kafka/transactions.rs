//! `strandline bench transactions`.

use std::time::{Duration, Instant};

use clap::Args;
use strandline_client::Client;
use strandline_protocol::apis::api_versions::ApiVersionsRequest;

use super::coordinators::{Coordinated, Coordinators};
use super::links::Links;
use super::meter::Meter;
use super::options::{Length, Target};
use super::report::Report;
use super::target::Prepared;
use super::transactional::{Content, Part, Producer, Step, Versions};
use crate::cluster::{Failure, Output};
use crate::results::counted;

/// The feature by which a cluster says which transactions it has.
const FEATURE: &str = "transaction.version";

/// `strandline bench transactions`.
#[derive(Args)]
pub(crate) struct Transactions {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    length: Length,
    /// How many producers, each with a transactional id and connections of its own; each commits one transaction after
    /// the other. `--records` counts transactions.
    #[arg(long, default_value_t = 16, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    producers: u32,
    /// How many records each transaction has.
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    records_per_transaction: u32,
    /// To how many partitions of the topic they go.
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    partitions_per_transaction: u32,
    /// Bytes of each record's value.
    #[arg(long, default_value_t = 100, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    record_bytes: u32,
    /// What the transactional ids begin with.
    #[arg(long, default_value = "strandline-bench", value_name = "TEXT")]
    id_prefix: String,
    /// Which transactions: 2, in which partitions come into a transaction by being written to, or 1, in which they are
    /// announced. The cluster's where it is left out.
    #[arg(long, value_name = "1|2", value_parser = clap::value_parser!(i16).range(1..=2))]
    transaction_version: Option<i16>,
    /// Abort each transaction instead of committing it.
    #[arg(long)]
    abort: bool,
    /// How long a request waits before it is tried again that came while the last transaction was not over.
    #[arg(long, default_value_t = 20, value_name = "MS")]
    retry_ms: u64,
}

struct Run {
    links: Links,
    producers: Vec<Producer>,
    /// Whose each connection is.
    owners: Vec<usize>,
    retries: u64,
}

impl Transactions {
    pub(super) const fn output(&self) -> Output {
        self.target.connecting.output
    }

    pub(super) fn run(&self) -> Result<Report, Failure> {
        if self.partitions_per_transaction > self.records_per_transaction {
            let text = "--partitions-per-transaction is at most --records-per-transaction";
            return Err(Failure::Usage(text.to_owned()));
        }
        let prepared = self.target.prepare(false)?;
        let names: Vec<String> =
            (0..self.producers).map(|number| format!("{}-{number}", self.id_prefix)).collect();
        let (coordinators, version) = self.target.connecting.run(async |client| {
            let coordinators = Coordinators::find(&client, Coordinated::Transaction, &names).await?;
            Ok((coordinators, transaction_version(&client).await?))
        })?;
        let version = self.transaction_version.unwrap_or(version);
        let content = Content::new(&prepared, self.content_sizes(), !self.abort)?;
        let mut run = self.start(&prepared, &coordinators, &names, version)?;
        self.name_all(&mut run, &content)?;
        let mut meter = Meter::start(&self.length, self.target.broker_pid);
        self.drive(&mut run, &content, &mut meter)?;
        meter.stop();
        let mut report = Report::new("transactions");
        report.count("producers", "producers", self.producers.into());
        report.count("recordsPerTransaction", "records per transaction", self.records_per_transaction.into());
        let partitions = self.partitions_per_transaction.into();
        report.count("partitionsPerTransaction", "partitions per transaction", partitions);
        report.count("transactionVersion", "transaction version", u64::try_from(version).unwrap_or(0));
        meter.tell_times(&mut report, "transaction");
        report.count("retries", "tried again", run.retries);
        report.histogram("latencyMs", "latency", &meter.latency);
        Ok(report)
    }

    /// How many records go to each partition, and their bytes.
    fn content_sizes(&self) -> (u32, usize) {
        let each = self.records_per_transaction.div_ceil(self.partitions_per_transaction);
        (each, usize::try_from(self.record_bytes).unwrap_or(usize::MAX))
    }

    /// The producers, each with its partitions, and connected to those that it has to do with.
    fn start(
        &self,
        prepared: &Prepared,
        coordinators: &Coordinators,
        names: &[String],
        version: i16,
    ) -> Result<Run, Failure> {
        let all: Vec<(usize, i32)> = prepared
            .leaders
            .iter()
            .enumerate()
            .flat_map(|(leader, each)| each.partitions.iter().map(move |info| (leader, info.partition)))
            .collect();
        let count = usize::try_from(self.partitions_per_transaction).unwrap_or(usize::MAX);
        if count > all.len() {
            let there = counted(all.len(), "partition", "partitions");
            let text = format!("topic {} has only {there}", prepared.topic.name);
            return Err(Failure::Usage(text));
        }
        let mut run = Run { links: Links::new()?, producers: Vec::new(), owners: Vec::new(), retries: 0 };
        for (number, name) in names.iter().enumerate() {
            let coordinator = coordinators.broker(number)?;
            let place = run.links.open(&coordinator.address)?;
            let mut opened = vec![(coordinator.address.clone(), place)];
            let mut parts: Vec<Part> = Vec::new();
            for (leader, partition) in all.iter().cycle().skip(number * count).take(count) {
                let Some(leader) = prepared.leaders.get(*leader) else { continue };
                let known = opened.iter().find(|(address, _)| *address == leader.address);
                let place = match known {
                    Some((_, place)) => *place,
                    None => {
                        let place = run.links.open(&leader.address)?;
                        opened.push((leader.address.clone(), place));
                        place
                    }
                };
                let produce = Versions::produce(leader, version, prepared.topic.id.is_zero())?;
                parts.push(Part::new(*partition, place, produce));
            }
            run.owners.resize(run.links.len(), number);
            let versions = Versions::of(coordinator, version)?;
            run.producers.push(Producer::new(name, place, versions, parts));
        }
        Ok(run)
    }

    /// Waits until each producer has its id.
    fn name_all(&self, run: &mut Run, content: &Content) -> Result<(), Failure> {
        let patience = Duration::from_secs(self.target.connecting.timeout);
        let started = Instant::now();
        while run.producers.iter().any(|producer| !producer.is_named()) {
            let now = Instant::now();
            if now.duration_since(started) > patience {
                return Err(Failure::Refused(format!("not every producer has its id within {patience:?}")));
            }
            for producer in run.producers.iter_mut().filter(|producer| !producer.is_named()) {
                producer.go_on(now, content, &mut run.links)?;
            }
            run.take_answers(now, Duration::from_millis(self.retry_ms))?;
        }
        Ok(())
    }

    fn drive(&self, run: &mut Run, content: &Content, meter: &mut Meter) -> Result<(), Failure> {
        let patience = Duration::from_secs(self.target.connecting.timeout);
        let mut last_over = Instant::now();
        loop {
            let now = Instant::now();
            meter.tick(now);
            let over = meter.is_over(now);
            let begun = run.producers.iter().filter(|producer| producer.is_busy()).count();
            let mut begun = u64::try_from(begun).unwrap_or(u64::MAX);
            if over && begun == 0 {
                return Ok(());
            }
            for producer in &mut run.producers {
                if !producer.is_busy() {
                    if over || meter.records_left(begun) == 0 {
                        continue;
                    }
                    begun += 1;
                }
                producer.go_on(now, content, &mut run.links)?;
            }
            let ended = run.take_answers(now, Duration::from_millis(self.retry_ms))?;
            let now = Instant::now();
            for since in ended {
                last_over = now;
                meter.add(1, 0);
                meter.latency.add(now.saturating_duration_since(since), 1);
            }
            if now.saturating_duration_since(last_over) > patience {
                return Err(Failure::Refused(format!("no transaction ends within {patience:?}")));
            }
        }
    }
}

impl Run {
    /// Waits for answers, but not past the moment at which somebody tries again. Returns when the transactions began
    /// that are over now.
    fn take_answers(&mut self, now: Instant, backoff: Duration) -> Result<Vec<Instant>, Failure> {
        let rests = self.producers.iter().filter_map(Producer::rests_until).min();
        let until = rests.unwrap_or(now + Duration::from_secs(1));
        let mut ended = Vec::new();
        for place in self.links.wait(until.saturating_duration_since(now))? {
            let owner = self.owners.get(place).and_then(|owner| self.producers.get_mut(*owner));
            let Some(producer) = owner else { continue };
            while let Some(bytes) = self.links.next(place)? {
                match producer.take(place, bytes, backoff)? {
                    Step::Again => self.retries += 1,
                    Step::On => {}
                    Step::Over { since } => ended.push(since),
                }
            }
        }
        Ok(ended)
    }
}

/// Which transactions the cluster has.
async fn transaction_version(client: &Client) -> Result<i16, Failure> {
    let request = ApiVersionsRequest {
        client_software_name: super::link::CLIENT_ID.into(),
        client_software_version: env!("CARGO_PKG_VERSION").into(),
        ..Default::default()
    };
    let response = client.any_broker().await?.request(&request).await?;
    let level = response.finalized_features.iter().find(|feature| feature.name == FEATURE);
    Ok(level.map_or(1, |level| level.max_version_level.clamp(1, 2)))
}
