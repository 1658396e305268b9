//! `strandline bench consume`.

use std::time::{Duration, Instant};

use clap::Args;

use super::fetch::{FetchLimits, Fetched, Fetcher, batches_of};
use super::link::{Link, wait};
use super::meter::Meter;
use super::options::{Length, Target};
use super::report::Report;
use super::target::Prepared;
use crate::cluster::{Failure, Output};

/// What a batch may be decompressed to.
const DECOMPRESSED_BYTES_MAX: usize = 64 << 20;

/// `strandline bench consume`.
#[derive(Args)]
pub(crate) struct Consume {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    length: Length,
    /// Read what is written from now on, until the time is over, rather than from the start of each partition to
    /// where it ends now.
    #[arg(long)]
    follow: bool,
    /// The most bytes of an answer.
    #[arg(long, default_value_t = 50 << 20, value_name = "BYTES", value_parser = clap::value_parser!(i32).range(1..))]
    fetch_bytes: i32,
    /// The most bytes of one partition in an answer.
    #[arg(long, default_value_t = 1 << 20, value_name = "BYTES", value_parser = clap::value_parser!(i32).range(1..))]
    partition_bytes: i32,
    /// The broker waits until there are so many bytes, but no longer than `--max-wait-ms`.
    #[arg(long, default_value_t = 1, value_name = "BYTES", value_parser = clap::value_parser!(i32).range(0..))]
    min_bytes: i32,
    /// How long the broker waits.
    #[arg(long, default_value_t = 500, value_name = "MS", value_parser = clap::value_parser!(i32).range(0..))]
    max_wait_ms: i32,
    /// Read only what no open transaction can touch.
    #[arg(long)]
    read_committed: bool,
    /// Check each batch's checksum and read each record, decompressed. Otherwise records are counted by the headers
    /// of their batches.
    #[arg(long)]
    verify: bool,
}

impl Consume {
    pub(super) const fn output(&self) -> Output {
        self.target.connecting.output
    }

    pub(super) fn run(&self) -> Result<Report, Failure> {
        let prepared = self.target.prepare(false)?;
        let start = |partition: i32| {
            let (start, end) = prepared.ends.get(&partition).copied().unwrap_or((0, 0));
            if self.follow { end } else { start }
        };
        let limits = self.limits();
        let fetchers = prepared.leaders.iter().map(|leader| Fetcher::new(&prepared, leader, limits, start));
        let mut fetchers = fetchers.collect::<Result<Vec<_>, _>>()?;
        let mut length = self.length.clone();
        if !self.follow && length.seconds.is_none() && length.records.is_none() {
            // The end of the topic ends it.
            length.records = Some(u64::MAX);
        }
        let mut meter = Meter::start(&length, self.target.broker_pid);
        self.drive(&mut fetchers, &prepared, &mut meter)?;
        meter.stop();
        let mut report = Report::new("consume");
        report.text("topic", "topic", &self.target.topic);
        let partitions = u64::try_from(prepared.topic.partitions.len()).unwrap_or(0);
        report.count("partitions", "partitions", partitions);
        meter.tell(&mut report);
        Ok(report)
    }

    const fn limits(&self) -> FetchLimits {
        FetchLimits {
            bytes_max: self.fetch_bytes,
            partition_bytes_max: self.partition_bytes,
            bytes_min: self.min_bytes,
            wait_ms_max: self.max_wait_ms,
            read_committed: self.read_committed,
        }
    }

    fn drive(&self, fetchers: &mut [Fetcher], prepared: &Prepared, meter: &mut Meter) -> Result<(), Failure> {
        let end = |partition: i32| prepared.ends.get(&partition).map_or(0, |(_, end)| *end);
        let patience = Duration::from_secs(self.target.connecting.timeout);
        let mut last_answer = Instant::now();
        loop {
            let now = Instant::now();
            meter.tick(now);
            if meter.is_over(now) || (!self.follow && fetchers.iter().all(|fetcher| fetcher.has_reached(end)))
            {
                return Ok(());
            }
            for fetcher in fetchers.iter_mut() {
                fetcher.ask()?;
            }
            let until = meter.end().unwrap_or(now + Duration::from_secs(1)).min(now + Duration::from_secs(1));
            let mut links: Vec<&mut Link> = fetchers.iter_mut().map(|fetcher| &mut fetcher.link).collect();
            wait(&mut links, Some(until.saturating_duration_since(now)))?;
            for fetcher in fetchers.iter_mut() {
                while let Some(fetched) = fetcher.take()? {
                    last_answer = Instant::now();
                    // The next one is on its way while this one is read.
                    fetcher.ask()?;
                    self.read(&fetched, meter)?;
                    fetcher.recycle(fetched);
                }
            }
            if last_answer.elapsed() > patience {
                return Err(Failure::Refused(format!("no answer within {patience:?}")));
            }
        }
    }

    fn read(&self, fetched: &Fetched, meter: &mut Meter) -> Result<(), Failure> {
        for data in fetched.response.responses.iter().flat_map(|topic| &topic.partitions) {
            for batch in batches_of(data) {
                let header = batch.header();
                let bytes = u64::try_from(header.total_bytes()).unwrap_or(0);
                if header.attributes.is_control() {
                    meter.add(0, bytes);
                    continue;
                }
                meter.add(u64::try_from(header.record_count).unwrap_or(0), bytes);
                if self.verify {
                    let damaged = |error: strandline_protocol::batch::BatchError| {
                        let partition = data.partition_index;
                        Failure::Refused(format!("partition {partition} at {}: {error}", header.base_offset))
                    };
                    batch.check_crc().map_err(damaged)?;
                    let records = batch.records(DECOMPRESSED_BYTES_MAX).map_err(damaged)?;
                    for record in &records {
                        std::hint::black_box(record.map_err(damaged)?);
                    }
                }
            }
        }
        Ok(())
    }
}
