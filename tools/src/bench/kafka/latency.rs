//! `strandline bench latency`.

use std::collections::VecDeque;
use std::num::NonZeroU64;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use clap::Args;
use strandline_protocol::Records;
use strandline_protocol::apis::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};
use strandline_protocol::batch::{BatchBuilder, NewRecord};

use super::fetch::{FetchLimits, Fetched, Fetcher, batches_of};
use super::histogram::Histogram;
use super::link::{Link, wait};
use super::meter::Meter;
use super::options::{Acks, Length, Target, positive};
use super::produce::{PRODUCE_BY_NAME, check_answer};
use super::report::{Report, float};
use super::target::Prepared;
use crate::cluster::{Failure, Output};

/// A record begins with the run that it is of and its number in it.
const MARK_BYTES: usize = 16;

/// `strandline bench latency`.
#[derive(Args)]
pub(crate) struct Latency {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    length: Length,
    /// Records per second, spread evenly.
    #[arg(long, default_value_t = 1_000.0, value_name = "N", value_parser = positive)]
    rate: f64,
    /// Bytes of each record's value.
    #[arg(long, default_value_t = 1024, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(16..))]
    record_bytes: u32,
    /// The most bytes of a batch; records that are due while no request may be sent go together.
    #[arg(long, default_value_t = 1 << 20, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(1..))]
    batch_bytes: u32,
    /// Who has to have a record before it is acknowledged.
    #[arg(long, value_enum, default_value_t)]
    acks: Acks,
    /// Send as an idempotent producer: with a producer id and sequence numbers.
    #[arg(long)]
    idempotent: bool,
    /// How many requests are on their way to each broker at a time; at most 5 with `--idempotent`.
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    in_flight: u32,
}

/// What is sent to one broker.
struct Lane {
    link: Link,
    version: i16,
    // With the sequence number of the next record.
    partitions: Vec<(i32, i32)>,
    next: usize,
    flights: VecDeque<Flight>,
}

struct Flight {
    correlation_id: i32,
    // The first record in it, and how many.
    first: u64,
    count: u64,
}

struct Run<'a> {
    latency: &'a Latency,
    prepared: Prepared,
    lanes: Vec<Lane>,
    turn: usize,
    fetchers: Vec<Fetcher>,
    meter: Meter,
    ack: Histogram,
    run: u64,
    filler: Vec<u8>,
    started: Instant,
    sent: u64,
    received: u64,
}

impl Latency {
    pub(super) const fn output(&self) -> Output {
        self.target.connecting.output
    }

    pub(super) fn run(&self) -> Result<Report, Failure> {
        if self.acks == Acks::None || (self.idempotent && (self.in_flight > 5 || self.acks != Acks::All)) {
            let text = "it takes --acks 1 or all, and --idempotent at most --in-flight 5 and --acks all";
            return Err(Failure::Usage(text.to_owned()));
        }
        // The kernel may wake a thread 50 microseconds late unless it is told that it matters. Where it refuses, the
        // figures are as much worse.
        let _ = rustix::thread::set_current_timer_slack(NonZeroU64::new(1));
        let prepared = self.target.prepare(self.idempotent)?;
        let mut run = Run::new(self, prepared)?;
        run.drive()?;
        let mut report = Report::new("latency");
        report.text("topic", "topic", &self.target.topic);
        let partitions = u64::try_from(run.prepared.topic.partitions.len()).unwrap_or(0);
        report.count("partitions", "partitions", partitions);
        report.number("rate", "rate", self.rate, 0);
        report.count("recordBytes", "record bytes", self.record_bytes.into());
        report.text("acks", "acks", &self.acks.code().to_string());
        run.meter.tell(&mut report);
        report.histogram("ackLatencyMs", "ack", &run.ack);
        report.histogram("latencyMs", "end to end", &run.meter.latency);
        Ok(report)
    }
}

impl<'a> Run<'a> {
    fn new(latency: &'a Latency, prepared: Prepared) -> Result<Self, Failure> {
        let limits = FetchLimits {
            bytes_max: 50 << 20,
            partition_bytes_max: 1 << 20,
            bytes_min: 1,
            wait_ms_max: 500,
            read_committed: false,
        };
        let end = |partition: i32| prepared.ends.get(&partition).map_or(0, |(_, end)| *end);
        let last = if prepared.topic.id.is_zero() { PRODUCE_BY_NAME } else { i16::MAX };
        let (mut lanes, mut fetchers) = (Vec::new(), Vec::new());
        for leader in &prepared.leaders {
            lanes.push(Lane {
                link: Link::connect(&leader.address)?,
                version: leader.version::<ProduceRequest>(last)?,
                partitions: leader.partitions.iter().map(|info| (info.partition, 0)).collect(),
                next: 0,
                flights: VecDeque::new(),
            });
            fetchers.push(Fetcher::new(&prepared, leader, limits, end)?);
        }
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let record_bytes = usize::try_from(latency.record_bytes).unwrap_or(usize::MAX);
        Ok(Self {
            latency,
            prepared,
            lanes,
            turn: 0,
            fetchers,
            meter: Meter::start(&latency.length, latency.target.broker_pid),
            ack: Histogram::new(),
            run: u64::try_from(since_1970.as_nanos()).unwrap_or(0),
            filler: vec![b'x'; record_bytes.saturating_sub(MARK_BYTES)],
            started: Instant::now(),
            sent: 0,
            received: 0,
        })
    }

    fn due_at(&self, record: u64) -> Instant {
        self.started + Duration::from_secs_f64(float(record) / self.latency.rate)
    }

    fn drive(&mut self) -> Result<(), Failure> {
        let patience = Duration::from_secs(self.latency.target.connecting.timeout);
        for fetcher in &mut self.fetchers {
            fetcher.ask()?;
        }
        self.started = Instant::now();
        let mut last_progress = Instant::now();
        let mut seen = (0, 0);
        loop {
            let now = Instant::now();
            if !self.meter.is_over(now) {
                self.meter.tick(now);
            }
            let over = self.meter.is_over(now) || self.meter.records_left(self.sent - self.received) == 0;
            if over && self.received == self.sent {
                break;
            }
            if !over {
                self.send(now)?;
            }
            let can_send = self.lanes.iter().any(|lane| lane.flights.len() < self.in_flight_max());
            let next = if over || !can_send { now + Duration::from_secs(1) } else { self.due_at(self.sent) };
            let lanes = self.lanes.iter_mut().map(|lane| &mut lane.link);
            let fetchers = self.fetchers.iter_mut().map(|fetcher| &mut fetcher.link);
            let mut links: Vec<&mut Link> = lanes.chain(fetchers).collect();
            wait(&mut links, Some(next.saturating_duration_since(now)))?;
            self.take_records()?;
            self.take_answers()?;
            if seen != (self.sent, self.received) {
                seen = (self.sent, self.received);
                last_progress = Instant::now();
            } else if last_progress.elapsed() > patience {
                let missing = self.sent - self.received;
                return Err(Failure::Refused(format!("{missing} records did not come within {patience:?}")));
            }
        }
        self.meter.stop();
        Ok(())
    }

    fn in_flight_max(&self) -> usize {
        usize::try_from(self.latency.in_flight).unwrap_or(usize::MAX)
    }

    /// Sends all that is due, as far as requests may be sent.
    fn send(&mut self, now: Instant) -> Result<(), Failure> {
        while self.due_at(self.sent) <= now {
            let in_flight_max = self.in_flight_max();
            let turn = self.turn;
            let places = self.lanes.len();
            let free = (0..places).map(|step| (turn + step) % places);
            let is_free =
                |place: &usize| self.lanes.get(*place).is_some_and(|lane| lane.flights.len() < in_flight_max);
            let Some(place) = free.into_iter().find(is_free) else { return Ok(()) };
            self.turn = place + 1;
            self.send_to(place, now)?;
        }
        Ok(())
    }

    fn send_to(&mut self, place: usize, now: Instant) -> Result<(), Failure> {
        let left = self.meter.records_left(self.sent - self.received);
        let first = self.sent;
        let mut builder = BatchBuilder::new();
        let batch_bytes = usize::try_from(self.latency.batch_bytes).unwrap_or(usize::MAX);
        let timestamp = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let timestamp = i64::try_from(timestamp).unwrap_or(0);
        let mut value = Vec::with_capacity(MARK_BYTES + self.filler.len());
        let mut count = 0;
        while count < left.max(1) && self.due_at(first + count) <= now {
            value.clear();
            value.extend_from_slice(&self.run.to_be_bytes());
            value.extend_from_slice(&(first + count).to_be_bytes());
            value.extend_from_slice(&self.filler);
            let record = NewRecord { value: Some(&value), ..NewRecord::at(timestamp) };
            if count > 0 && builder.bytes_with(&record) > batch_bytes {
                break;
            }
            builder.append(&record).map_err(|error| Failure::Refused(error.to_string()))?;
            count += 1;
        }
        let identity = self.prepared.producer;
        let topic = &self.prepared.topic;
        let Some(lane) = self.lanes.get_mut(place) else { return Ok(()) };
        let turn = lane.next % lane.partitions.len().max(1);
        lane.next = turn + 1;
        let Some((partition, sequence)) = lane.partitions.get_mut(turn) else { return Ok(()) };
        if let Some((id, epoch)) = identity {
            builder = builder.producer(id, epoch, *sequence);
            *sequence = sequence.wrapping_add(i32::try_from(count).unwrap_or(0)) & i32::MAX;
        }
        let records = builder.build().map_err(|error| Failure::Refused(error.to_string()))?;
        let data = PartitionProduceData {
            index: *partition,
            records: Some(Records::from(records)),
            ..Default::default()
        };
        let data = TopicProduceData {
            name: topic.name.as_str().into(),
            topic_id: topic.id,
            partition_data: vec![data],
            ..Default::default()
        };
        let acks = self.latency.acks.code();
        let request =
            ProduceRequest { acks, timeout_ms: 30_000, topic_data: vec![data], ..Default::default() };
        let correlation_id = lane.link.submit(&request, lane.version)?;
        lane.flights.push_back(Flight { correlation_id, first, count });
        self.sent += count;
        lane.link.flush()
    }

    fn take_answers(&mut self) -> Result<(), Failure> {
        let now = Instant::now();
        for place in 0..self.lanes.len() {
            while let Some(lane) = self.lanes.get_mut(place) {
                let Some(content) = lane.link.next_frame()? else { break };
                let content = Bytes::copy_from_slice(content);
                let flight = lane.flights.pop_front();
                let flight =
                    flight.ok_or_else(|| Failure::Refused("an answer that was not asked".to_owned()))?;
                check_answer(content, lane.version, flight.correlation_id)?;
                for record in flight.first..flight.first + flight.count {
                    let due = self.due_at(record);
                    if self.meter.counts(due) {
                        self.ack.add(now.saturating_duration_since(due), 1);
                    }
                }
            }
        }
        Ok(())
    }

    fn take_records(&mut self) -> Result<(), Failure> {
        for place in 0..self.fetchers.len() {
            while let Some(fetcher) = self.fetchers.get_mut(place) {
                let Some(fetched) = fetcher.take()? else { break };
                let now = Instant::now();
                fetcher.ask()?;
                self.count(&fetched, now)?;
                if let Some(fetcher) = self.fetchers.get_mut(place) {
                    fetcher.recycle(fetched);
                }
            }
        }
        Ok(())
    }

    fn count(&mut self, fetched: &Fetched, now: Instant) -> Result<(), Failure> {
        let damaged = |error| Failure::Refused(format!("a batch that makes no sense: {error}"));
        for data in fetched.response.responses.iter().flat_map(|topic| &topic.partitions) {
            for batch in batches_of(data) {
                for record in &batch.records(0).map_err(damaged)? {
                    let value = record.map_err(damaged)?.value.unwrap_or_default();
                    let Some(number) = self.number(value) else { continue };
                    let due = self.due_at(number);
                    self.received += 1;
                    if self.meter.counts(due) {
                        self.meter.add(1, self.latency.record_bytes.into());
                        self.meter.latency.add(now.saturating_duration_since(due), 1);
                    }
                }
            }
        }
        Ok(())
    }

    /// The number of a record of this run.
    fn number(&self, value: &[u8]) -> Option<u64> {
        let (run, rest) = value.split_first_chunk()?;
        let number = rest.first_chunk()?;
        (u64::from_be_bytes(*run) == self.run).then(|| u64::from_be_bytes(*number))
    }
}
