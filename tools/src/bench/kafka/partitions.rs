//! `strandline bench partitions`.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use clap::Args;
use strandline_client::{Client, Error};
use strandline_protocol::apis::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};
use strandline_protocol::frame::read_response;
use strandline_protocol::{Bytes, Compression, ErrorCode, Records, Retry};

use super::batches::Batches;
use super::histogram::Histogram;
use super::link::{Link, wait};
use super::meter::Meter;
use super::options::{Length, Target};
use super::produce::PRODUCE_BY_NAME;
use super::report::{Report, float, milliseconds};
use super::target::{Leader, leaders};
use super::usage;
use crate::cluster::{Failure, Output};

/// How many partitions are made where nobody said.
const PARTITIONS_DEFAULT: i32 = 1_000;

/// How long a partition that is not ready yet is left alone.
const RETRY_AFTER: Duration = Duration::from_millis(5);

/// `strandline bench partitions`.
#[derive(Args)]
pub(crate) struct Partitions {
    /// The topic must not be there; it is made with `--partitions` partitions, 1,000 where that is left out.
    #[command(flatten)]
    target: Target,
    /// How many partitions get their first record by one request.
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    batches_per_request: u32,
    /// How many requests are on their way to each broker at a time.
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    in_flight: u32,
    /// Bytes of that first record's value.
    #[arg(long, default_value_t = 100, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(1..))]
    record_bytes: u32,
    /// Leave the topic there.
    #[arg(long)]
    keep: bool,
}

/// What goes to one broker.
struct Lane {
    link: Link,
    version: i16,
    waiting: VecDeque<i32>,
    flights: VecDeque<(i32, Vec<i32>)>,
    rest_until: Option<Instant>,
}

/// When the topic was asked for, answered, and known with a leader for each partition.
struct Made {
    asked: Instant,
    answered: Instant,
    known: Instant,
    leaders: Vec<Leader>,
    id: strandline_protocol::Uuid,
}

impl Partitions {
    pub(super) const fn output(&self) -> Output {
        self.target.connecting.output
    }

    pub(super) fn run(&self) -> Result<Report, Failure> {
        usage::check(self.target.broker_pid)?;
        let count = self.target.partitions.unwrap_or(PARTITIONS_DEFAULT);
        let length = Length { seconds: None, records: u64::try_from(count).ok(), warm_up_seconds: 0.0 };
        let mut meter = Meter::start(&length, self.target.broker_pid);
        let made = self.target.connecting.run(async |client| self.make(&client, count).await)?;
        let mut first = Histogram::new();
        let result = self.write_to_each(&made, &mut first, &mut meter);
        let writable = Instant::now();
        meter.stop();
        if !self.keep {
            self.target.connecting.run(async |client| {
                for (_, deleted) in client.admin().delete_topics(&[&self.target.topic]).await? {
                    deleted?;
                }
                Ok(())
            })?;
        }
        result?;
        let mut report = Report::new("partitions");
        report.text("topic", "topic", &self.target.topic);
        report.count("partitions", "partitions", u64::try_from(count).unwrap_or(0));
        let since = |moment: Instant| moment.duration_since(made.asked);
        report.number("createMs", "created after ms", milliseconds(since(made.answered)), 1);
        report.number("describedMs", "all with a leader after ms", milliseconds(since(made.known)), 1);
        report.number("writableMs", "all written to after ms", milliseconds(since(writable)), 1);
        let rate = float(first.count()) / since(writable).as_secs_f64().max(f64::MIN_POSITIVE);
        report.number("partitionsPerSecond", "partitions/s, made and written to", rate, 0);
        meter.tell_usage(&mut report);
        report.histogram("firstWriteMs", "first write", &first);
        Ok(report)
    }

    async fn make(&self, client: &Client, count: i32) -> Result<Made, Failure> {
        let name = &self.target.topic;
        let asked = Instant::now();
        for (_, result) in client.admin().create_topics(&[self.target.new_topic(count)]).await? {
            result.map_err(|error| match error.code() {
                Some(ErrorCode::TOPIC_ALREADY_EXISTS) => {
                    Failure::Usage(format!("topic {name} is there already: name another, or delete it first"))
                }
                _ => error.into(),
            })?;
        }
        let answered = Instant::now();
        let wanted = usize::try_from(count).unwrap_or(0);
        loop {
            // A broker may not know all of it yet.
            if let Ok((topic, leaders)) = leaders(client, name).await
                && topic.partitions.len() == wanted
            {
                return Ok(Made { asked, answered, known: Instant::now(), leaders, id: topic.id });
            }
            if answered.elapsed() > client.config().request_timeout_value() {
                return Err(Failure::Refused(format!("topic {name} does not get its partitions")));
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    fn write_to_each(&self, made: &Made, first: &mut Histogram, meter: &mut Meter) -> Result<(), Failure> {
        let record_bytes = usize::try_from(self.record_bytes).unwrap_or(usize::MAX);
        let records = Batches::new(record_bytes, 0, Compression::None)?.batch(1, None)?;
        let last = if made.id.is_zero() { PRODUCE_BY_NAME } else { i16::MAX };
        let lane = |leader: &Leader| {
            Ok(Lane {
                link: Link::connect(&leader.address)?,
                version: leader.version::<ProduceRequest>(last)?,
                waiting: leader.partitions.iter().map(|info| info.partition).collect(),
                flights: VecDeque::new(),
                rest_until: None,
            })
        };
        let mut lanes = made.leaders.iter().map(lane).collect::<Result<Vec<_>, Failure>>()?;
        let deadline = Instant::now() + Duration::from_secs(self.target.connecting.timeout);
        while lanes.iter().any(|lane| !lane.waiting.is_empty() || !lane.flights.is_empty()) {
            if Instant::now() > deadline {
                let left: usize = lanes.iter().map(|lane| lane.waiting.len()).sum();
                return Err(Failure::Refused(format!("{left} partitions take no record")));
            }
            for lane in &mut lanes {
                self.send(lane, made, &records)?;
            }
            let mut links: Vec<&mut Link> = lanes.iter_mut().map(|lane| &mut lane.link).collect();
            wait(&mut links, Some(RETRY_AFTER))?;
            for lane in &mut lanes {
                take_answers(lane, made.asked, first)?;
            }
            meter.records = first.count();
            meter.tick(Instant::now());
        }
        Ok(())
    }

    fn send(&self, lane: &mut Lane, made: &Made, records: &Records) -> Result<(), Failure> {
        if lane.rest_until.is_some_and(|rest_until| rest_until > Instant::now()) {
            return Ok(());
        }
        let in_flight_max = usize::try_from(self.in_flight).unwrap_or(usize::MAX);
        let batches_max = usize::try_from(self.batches_per_request).unwrap_or(usize::MAX);
        while lane.flights.len() < in_flight_max && !lane.waiting.is_empty() {
            let partitions: Vec<i32> = lane.waiting.drain(..batches_max.min(lane.waiting.len())).collect();
            let data = |index: &i32| PartitionProduceData {
                index: *index,
                records: Some(records.clone()),
                ..Default::default()
            };
            let topic = TopicProduceData {
                name: self.target.topic.as_str().into(),
                topic_id: made.id,
                partition_data: partitions.iter().map(data).collect(),
                ..Default::default()
            };
            let request = ProduceRequest {
                acks: -1,
                timeout_ms: 30_000,
                topic_data: vec![topic],
                ..Default::default()
            };
            let correlation_id = lane.link.submit(&request, lane.version)?;
            lane.flights.push_back((correlation_id, partitions));
        }
        lane.link.flush()
    }
}

/// Counts the partitions that took their record; the others wait once more.
fn take_answers(lane: &mut Lane, asked: Instant, first: &mut Histogram) -> Result<(), Failure> {
    let nonsense = |text: String| Failure::Refused(text);
    while let Some(content) = lane.link.next_frame()? {
        let content = Bytes::copy_from_slice(content);
        let (correlation_id, response) = read_response::<ProduceRequest>(content, lane.version)
            .map_err(|error| nonsense(format!("the answer makes no sense: {error}")))?;
        let (expected, mut partitions) =
            lane.flights.pop_front().ok_or_else(|| nonsense("an answer that was not asked".to_owned()))?;
        if correlation_id != expected {
            return Err(nonsense(format!("an answer to {correlation_id} where {expected} was asked")));
        }
        for partition in response.responses.iter().flat_map(|topic| &topic.partition_responses) {
            match (partition.error_code, partition.error_code.retry()) {
                (ErrorCode::NONE, _) => {
                    first.add(asked.elapsed(), 1);
                    partitions.retain(|index| *index != partition.index);
                }
                (_, Retry::Later | Retry::AfterMetadata) => {
                    lane.rest_until = Some(Instant::now() + RETRY_AFTER);
                }
                (code, _) => {
                    return Err(Error::broker(code, format!("partition {}", partition.index), None).into());
                }
            }
        }
        lane.waiting.extend(partitions);
    }
    Ok(())
}
