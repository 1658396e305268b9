//! `strandline bench requests`.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use strandline_protocol::Compression;
use strandline_protocol::apis::list_offsets::{
    ListOffsetsPartition, ListOffsetsPartitionResponse, ListOffsetsRequest, ListOffsetsResponse,
    ListOffsetsTopic, ListOffsetsTopicResponse,
};
use strandline_protocol::apis::metadata::{MetadataRequest, MetadataRequestTopic};
use strandline_protocol::apis::produce::{
    PartitionProduceData, PartitionProduceResponse, ProduceRequest, ProduceResponse, TopicProduceData,
    TopicProduceResponse,
};

use super::batches::Batches;
use super::link::{Link, wait};
use super::meter::Meter;
use super::options::{Acks, Length, Target};
use super::produce::PRODUCE_BY_NAME;
use super::report::{Report, float};
use super::target::{Leader, Prepared};
use super::template::Template;
use crate::cluster::{Failure, Output};

/// ListOffsets' question for the end of a partition.
const LATEST: i64 = -1;

/// `strandline bench requests`.
#[derive(Args)]
pub(crate) struct Requests {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    length: Length,
    /// Which requests; `--records` counts them.
    #[arg(long, value_enum, default_value_t)]
    kind: Kind,
    /// How many connections, to the leaders of the partitions in turn.
    #[arg(long, default_value_t = 4, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    connections: u32,
    /// How many requests are on their way on each connection at a time.
    #[arg(long, default_value_t = 16, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    in_flight: u32,
    /// Bytes of the one record of a produce request.
    #[arg(long, default_value_t = 100, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(1..))]
    record_bytes: u32,
    /// Who has to have a record before it is acknowledged.
    #[arg(long, value_enum, default_value_t)]
    acks: Acks,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
enum Kind {
    /// Produce, one record each.
    #[default]
    Produce,
    /// Metadata of the topic.
    Metadata,
    /// ListOffsets of one partition.
    ListOffsets,
}

/// One connection, and what is on its way on it.
struct Lane {
    link: Link,
    template: Template,
    // The correlation ids follow one another; what is kept is when each was sent.
    sent: VecDeque<(i32, Instant)>,
}

impl Requests {
    pub(super) const fn output(&self) -> Output {
        self.target.connecting.output
    }

    pub(super) fn run(&self) -> Result<Report, Failure> {
        if self.acks == Acks::None {
            return Err(Failure::Usage(
                "requests without an answer cannot be counted: --acks 1 or all".to_owned(),
            ));
        }
        let prepared = self.target.prepare(false)?;
        let mut lanes = self.lanes(&prepared)?;
        let mut meter = Meter::start(&self.length, self.target.broker_pid);
        self.drive(&mut lanes, &mut meter)?;
        meter.stop();
        let mut report = Report::new("requests");
        report.text("kind", "kind", &format!("{:?}", self.kind).to_lowercase());
        report.count("connections", "connections", self.connections.into());
        report.count("inFlight", "in flight on each", self.in_flight.into());
        report.count("requests", "requests", meter.records);
        report.number("seconds", "seconds", meter.seconds(), 3);
        let rate = float(meter.records) / meter.seconds().max(f64::MIN_POSITIVE);
        report.number("requestsPerSecond", "requests/s", rate, 0);
        meter.tell_usage(&mut report);
        report.histogram("latencyMs", "latency", &meter.latency);
        Ok(report)
    }

    fn lanes(&self, prepared: &Prepared) -> Result<Vec<Lane>, Failure> {
        let places: Vec<(&Leader, i32)> = prepared
            .leaders
            .iter()
            .flat_map(|leader| leader.partitions.iter().map(move |info| (leader, info.partition)))
            .collect();
        let connections = usize::try_from(self.connections).unwrap_or(usize::MAX);
        let lane = |(leader, partition): &(&Leader, i32)| {
            let link = Link::connect(&leader.address)?;
            let template = self.template(prepared, leader, *partition)?;
            Ok(Lane { link, template, sent: VecDeque::new() })
        };
        places.iter().cycle().take(connections).map(lane).collect()
    }

    fn template(&self, prepared: &Prepared, leader: &Leader, partition: i32) -> Result<Template, Failure> {
        match self.kind {
            Kind::Produce => self.produce(prepared, leader, partition),
            Kind::Metadata => metadata(prepared, leader),
            Kind::ListOffsets => list_offsets(prepared, leader, partition),
        }
    }

    fn produce(&self, prepared: &Prepared, leader: &Leader, partition: i32) -> Result<Template, Failure> {
        let topic = &prepared.topic;
        let last = if topic.id.is_zero() { PRODUCE_BY_NAME } else { i16::MAX };
        let record_bytes = usize::try_from(self.record_bytes).unwrap_or(usize::MAX);
        let records = Batches::new(record_bytes, 0, Compression::None)?.batch(1, None)?;
        let data = PartitionProduceData { index: partition, records: Some(records), ..Default::default() };
        let data = TopicProduceData {
            name: topic.name.as_str().into(),
            topic_id: topic.id,
            partition_data: vec![data],
            ..Default::default()
        };
        let acks = self.acks.code();
        let request =
            ProduceRequest { acks, timeout_ms: 30_000, topic_data: vec![data], ..Default::default() };
        let error_code = Template::mark();
        let answer = PartitionProduceResponse { index: partition, error_code, ..Default::default() };
        let answer = TopicProduceResponse {
            name: topic.name.as_str().into(),
            topic_id: topic.id,
            partition_responses: vec![answer],
            ..Default::default()
        };
        let answer = ProduceResponse { responses: vec![answer], ..Default::default() };
        Template::new(&request, leader.version::<ProduceRequest>(last)?, Some(&answer))
    }

    fn drive(&self, lanes: &mut [Lane], meter: &mut Meter) -> Result<(), Failure> {
        let in_flight_max = usize::try_from(self.in_flight).unwrap_or(usize::MAX);
        let patience = Duration::from_secs(self.target.connecting.timeout);
        let (mut last_answer, mut begun) = (Instant::now(), 0u64);
        loop {
            let now = Instant::now();
            meter.tick(now);
            let over = meter.is_over(now);
            if over && begun == 0 {
                return Ok(());
            }
            for lane in lanes.iter_mut() {
                while !over && lane.sent.len() < in_flight_max && meter.records_left(begun) > 0 {
                    lane.sent.push_back((lane.template.submit(&mut lane.link), now));
                    begun += 1;
                }
                lane.link.flush()?;
            }
            let mut links: Vec<&mut Link> = lanes.iter_mut().map(|lane| &mut lane.link).collect();
            wait(&mut links, Some(Duration::from_secs(1)))?;
            let now = Instant::now();
            for lane in lanes.iter_mut() {
                while let Some(content) = lane.link.next_frame()? {
                    let Some((correlation_id, sent)) = lane.sent.pop_front() else {
                        return Err(Failure::Refused("an answer that was not asked".to_owned()));
                    };
                    lane.template.check(content, correlation_id)?;
                    begun -= 1;
                    last_answer = now;
                    meter.add(1, 0);
                    meter.latency.add(now.saturating_duration_since(sent), 1);
                }
            }
            if now.saturating_duration_since(last_answer) > patience {
                return Err(Failure::Refused(format!("no answer within {patience:?}")));
            }
        }
    }
}

fn metadata(prepared: &Prepared, leader: &Leader) -> Result<Template, Failure> {
    let name = Some(prepared.topic.name.as_str().into());
    let topic = MetadataRequestTopic { name, ..Default::default() };
    let request =
        MetadataRequest { topics: Some(vec![topic]), allow_auto_topic_creation: false, ..Default::default() };
    // Where the topic's error stands depends on the brokers' names in front of it, so it is not looked at: the topic
    // is there, or nothing would have been prepared.
    Template::new(&request, leader.version::<MetadataRequest>(i16::MAX)?, None)
}

fn list_offsets(prepared: &Prepared, leader: &Leader, partition: i32) -> Result<Template, Failure> {
    let name: strandline_protocol::Text = prepared.topic.name.as_str().into();
    let wanted = ListOffsetsPartition { partition_index: partition, timestamp: LATEST, ..Default::default() };
    let topic = ListOffsetsTopic { name: name.clone(), partitions: vec![wanted], ..Default::default() };
    let request = ListOffsetsRequest { replica_id: -1, topics: vec![topic], ..Default::default() };
    let error_code = Template::mark();
    let answer =
        ListOffsetsPartitionResponse { partition_index: partition, error_code, ..Default::default() };
    let answer = ListOffsetsTopicResponse { name, partitions: vec![answer], ..Default::default() };
    let answer = ListOffsetsResponse { topics: vec![answer], ..Default::default() };
    Template::new(&request, leader.version::<ListOffsetsRequest>(i16::MAX)?, Some(&answer))
}
