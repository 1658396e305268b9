//! `strandline bench produce`.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;
use clap::Args;
use strandline_protocol::apis::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};
use strandline_protocol::frame::read_response;
use strandline_protocol::{ErrorCode, Text, Uuid};

use super::batches::Batches;
use super::link::{Link, wait};
use super::meter::Meter;
use super::options::{Acks, Codec, Length, Target, not_negative, positive};
use super::report::{Report, float};
use super::target::{Leader, Prepared};
use crate::cluster::{Failure, Output};

/// The last version in which topics go by name.
pub(super) const PRODUCE_BY_NAME: i16 = 12;

/// How many batches of an idempotent producer a broker remembers.
const IDEMPOTENT_IN_FLIGHT_MAX: usize = 5;

/// How many requests are sent without an answer before the clock is looked at.
const UNANSWERED_AT_ONCE: usize = 16;

/// `strandline bench produce`.
#[derive(Args)]
pub(crate) struct Produce {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    length: Length,
    #[command(flatten)]
    sending: Sending,
    /// Records per second, spread evenly; as many as the broker takes where it is left out.
    #[arg(long, value_name = "N", value_parser = positive)]
    rate: Option<f64>,
}

/// How records are sent.
#[derive(Args, Clone)]
struct Sending {
    /// Bytes of each record's value; there is no key. Random capitals, as Kafka's own tool sends.
    #[arg(long, default_value_t = 1024, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(1..))]
    record_bytes: u32,
    /// The most bytes of a batch, its header included; a larger record is a batch of its own.
    #[arg(long, default_value_t = 16_384, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(1..))]
    batch_bytes: u32,
    /// How many batches, each to another partition, go into one request.
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    batches_per_request: u32,
    /// Who has to have a batch before it is acknowledged.
    #[arg(long, value_enum, default_value_t)]
    acks: Acks,
    /// How batches are compressed. It is done once for full batches: the driver's time for it is not measured.
    #[arg(long, value_enum, default_value_t)]
    compression: Codec,
    /// Send as an idempotent producer: with a producer id and sequence numbers.
    #[arg(long)]
    idempotent: bool,
    /// How many requests are on their way to each broker at a time; at most 5 with `--idempotent`.
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    in_flight: u32,
    /// With `--rate`: how long a batch waits for more records before it is sent although it is not full.
    #[arg(long, default_value_t = 0.0, value_name = "MS", value_parser = not_negative)]
    linger_ms: f64,
}

/// What goes to one broker.
struct Lane {
    link: Link,
    version: i16,
    name: Text,
    id: Uuid,
    partitions: Vec<Numbered>,
    next: usize,
    flights: VecDeque<Flight>,
}

/// A partition, and the sequence number of its next record.
struct Numbered {
    partition: i32,
    sequence: i32,
}

/// A request that is not answered yet.
struct Flight {
    correlation_id: i32,
    records: u64,
    since: Instant,
}

/// The state of a run.
struct Run<'a> {
    produce: &'a Produce,
    lanes: Vec<Lane>,
    batches: Batches,
    producer: Option<(i64, i16)>,
    meter: Meter,
    started: Instant,
    begun: u64,
    in_flight: u64,
}

impl Produce {
    pub(super) const fn output(&self) -> Output {
        self.target.connecting.output
    }

    pub(super) fn run(&self) -> Result<Report, Failure> {
        let sending = &self.sending;
        let in_flight_max = usize::try_from(sending.in_flight).unwrap_or(usize::MAX);
        if sending.idempotent && (in_flight_max > IDEMPOTENT_IN_FLIGHT_MAX || sending.acks != Acks::All) {
            let text = "--idempotent takes at most --in-flight 5 and --acks all";
            return Err(Failure::Usage(text.to_owned()));
        }
        let batches = sending.batches()?;
        let prepared = self.target.prepare(sending.idempotent)?;
        let lanes =
            prepared.leaders.iter().map(|leader| Lane::new(&prepared, leader)).collect::<Result<_, _>>()?;
        let meter = Meter::start(&self.length, self.target.broker_pid);
        let mut run = Run {
            produce: self,
            lanes,
            batches,
            producer: prepared.producer,
            meter,
            started: Instant::now(),
            begun: 0,
            in_flight: 0,
        };
        run.drive()?;
        Ok(self.report(&run.meter, prepared.topic.partitions.len()))
    }

    fn report(&self, meter: &Meter, partitions: usize) -> Report {
        let sending = &self.sending;
        let mut report = Report::new("produce");
        report.text("topic", "topic", &self.target.topic);
        report.count("partitions", "partitions", u64::try_from(partitions).unwrap_or(0));
        report.count("recordBytes", "record bytes", sending.record_bytes.into());
        report.count("batchBytes", "batch bytes", sending.batch_bytes.into());
        report.text("acks", "acks", &sending.acks.code().to_string());
        report.text("compression", "compression", &format!("{:?}", sending.compression).to_lowercase());
        meter.tell(&mut report);
        report.histogram("ackLatencyMs", "ack", &meter.latency);
        report
    }
}

impl Sending {
    fn batches(&self) -> Result<Batches, Failure> {
        let size = |bytes: u32| usize::try_from(bytes).unwrap_or(usize::MAX);
        Batches::new(size(self.record_bytes), size(self.batch_bytes), self.compression.into())
    }

    fn linger(&self) -> Duration {
        Duration::from_secs_f64(self.linger_ms / 1e3)
    }
}

impl Lane {
    fn new(prepared: &Prepared, leader: &Leader) -> Result<Self, Failure> {
        let last = if prepared.topic.id.is_zero() { PRODUCE_BY_NAME } else { i16::MAX };
        let numbered = |partition: i32| Numbered { partition, sequence: 0 };
        Ok(Self {
            link: Link::connect(&leader.address)?,
            version: leader.version::<ProduceRequest>(last)?,
            name: prepared.topic.name.as_str().into(),
            id: prepared.topic.id,
            partitions: leader.partitions.iter().map(|info| numbered(info.partition)).collect(),
            next: 0,
            flights: VecDeque::new(),
        })
    }

    /// The partition whose turn it is.
    fn turn(&mut self) -> Option<&mut Numbered> {
        if self.next >= self.partitions.len() {
            self.next = 0;
        }
        self.next += 1;
        self.partitions.get_mut(self.next - 1)
    }
}

impl Run<'_> {
    fn drive(&mut self) -> Result<(), Failure> {
        let patience = Duration::from_secs(self.produce.target.connecting.timeout);
        let mut last_progress = Instant::now();
        loop {
            let now = Instant::now();
            self.meter.tick(now);
            let over = self.meter.is_over(now);
            if over && self.in_flight == 0 && !self.lanes.iter().any(|lane| lane.link.has_unwritten()) {
                break;
            }
            let mut next_due = None;
            if !over {
                next_due = self.send(now)?;
            }
            let timeout = next_due.unwrap_or(now + Duration::from_secs(1)).saturating_duration_since(now);
            let mut links: Vec<&mut Link> = self.lanes.iter_mut().map(|lane| &mut lane.link).collect();
            wait(&mut links, Some(timeout))?;
            if self.take_answers()? || self.in_flight == 0 {
                last_progress = Instant::now();
            } else if last_progress.elapsed() > patience {
                return Err(Failure::Refused(format!("no answer within {patience:?}")));
            }
        }
        self.meter.stop();
        Ok(())
    }

    /// Sends what is due to every broker that may take more. Returns when the next record is due, where that is what
    /// is waited for.
    fn send(&mut self, now: Instant) -> Result<Option<Instant>, Failure> {
        let in_flight_max = usize::try_from(self.produce.sending.in_flight).unwrap_or(usize::MAX);
        let answered = self.produce.sending.acks != Acks::None;
        let mut next_due = None;
        for place in 0..self.lanes.len() {
            for _ in 0..if answered { in_flight_max } else { UNANSWERED_AT_ONCE } {
                let Some(lane) = self.lanes.get(place) else { break };
                if lane.flights.len() >= in_flight_max || (!answered && lane.link.has_unwritten()) {
                    break;
                }
                match self.due(now) {
                    Due::Now { records, since } => self.send_one(place, records, since)?,
                    Due::At(at) => {
                        next_due = Some(at);
                        break;
                    }
                    Due::Never => break,
                }
                if !answered && let Some(lane) = self.lanes.get_mut(place) {
                    lane.link.flush()?;
                }
            }
            if let Some(lane) = self.lanes.get_mut(place) {
                lane.link.flush()?;
            }
        }
        if !answered && next_due.is_none() && self.lanes.iter().any(|lane| !lane.link.has_unwritten()) {
            // Nothing to wait for: there is room for more.
            next_due = Some(now);
        }
        Ok(next_due)
    }

    /// How many records may go into the next request.
    fn due(&self, now: Instant) -> Due {
        let sending = &self.produce.sending;
        let full = self.batches.records_max() * u64::from(sending.batches_per_request);
        let left = self.meter.records_left(self.in_flight);
        if left == 0 {
            return Due::Never;
        }
        let Some(rate) = self.produce.rate else { return Due::Now { records: full.min(left), since: now } };
        let due_at = |record: u64| self.started + Duration::from_secs_f64(float(record) / rate);
        let first = due_at(self.begun);
        let full_at = due_at(self.begun + full.min(left) - 1);
        let ready = full_at.min(first + sending.linger());
        if ready > now {
            return Due::At(ready);
        }
        let mut records = 1;
        while records < full.min(left) && due_at(self.begun + records) <= now {
            records += 1;
        }
        Due::Now { records, since: first }
    }

    fn send_one(&mut self, place: usize, records: u64, since: Instant) -> Result<(), Failure> {
        let sending = &self.produce.sending;
        let Some(lane) = self.lanes.get_mut(place) else { return Ok(()) };
        let mut left = records;
        let mut partition_data = Vec::new();
        while left > 0 {
            let now = left.min(self.batches.records_max());
            let producer = self.producer;
            let Some(numbered) = lane.turn() else { break };
            let identity = producer.map(|(id, epoch)| (id, epoch, numbered.sequence));
            let records = Some(self.batches.batch(now, identity)?);
            let delta = i32::try_from(now).unwrap_or(0);
            numbered.sequence = numbered.sequence.wrapping_add(delta) & i32::MAX;
            partition_data.push(PartitionProduceData {
                index: numbered.partition,
                records,
                ..Default::default()
            });
            left -= now;
        }
        let topic = TopicProduceData {
            name: lane.name.clone(),
            topic_id: lane.id,
            partition_data,
            ..Default::default()
        };
        let request = ProduceRequest {
            acks: sending.acks.code(),
            timeout_ms: 30_000,
            topic_data: vec![topic],
            ..Default::default()
        };
        let correlation_id = lane.link.submit(&request, lane.version)?;
        self.begun += records;
        if sending.acks == Acks::None {
            self.meter.add(records, records * u64::from(sending.record_bytes));
        } else {
            lane.flights.push_back(Flight { correlation_id, records, since });
            self.in_flight += records;
        }
        Ok(())
    }

    /// Whether there was any.
    fn take_answers(&mut self) -> Result<bool, Failure> {
        let now = Instant::now();
        let mut any = false;
        for lane in &mut self.lanes {
            while let Some(content) = lane.link.next_frame()? {
                let content = Bytes::copy_from_slice(content);
                let flight = lane.flights.pop_front();
                let flight =
                    flight.ok_or_else(|| Failure::Refused("an answer that was not asked".to_owned()))?;
                check_answer(content, lane.version, flight.correlation_id)?;
                any = true;
                self.in_flight -= flight.records;
                let bytes = flight.records * u64::from(self.produce.sending.record_bytes);
                self.meter.add(flight.records, bytes);
                self.meter.latency.add(now.saturating_duration_since(flight.since), flight.records);
            }
        }
        Ok(any)
    }
}

enum Due {
    Now { records: u64, since: Instant },
    At(Instant),
    Never,
}

/// Refuses an answer to another request, or one with an error in it.
pub(super) fn check_answer(content: Bytes, version: i16, expected: i32) -> Result<(), Failure> {
    let (correlation_id, response) = read_response::<ProduceRequest>(content, version)
        .map_err(|error| Failure::Refused(format!("the answer makes no sense: {error}")))?;
    if correlation_id != expected {
        return Err(Failure::Refused(format!("an answer to {correlation_id} where {expected} was asked")));
    }
    for partition in response.responses.iter().flat_map(|topic| &topic.partition_responses) {
        if partition.error_code != ErrorCode::NONE {
            let words = partition.error_message.as_deref().unwrap_or_default();
            let text = format!("partition {}: {} {words}", partition.index, partition.error_code);
            return Err(Failure::Refused(text.trim_end().to_owned()));
        }
    }
    Ok(())
}
