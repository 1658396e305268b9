//! `strandline bench commits`.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use clap::Args;
use strandline_protocol::apis::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use strandline_protocol::{ErrorCode, Retry, Text, Uuid};

use super::coordinators::{Coordinated, Coordinators};
use super::links::{Links, answer};
use super::meter::Meter;
use super::options::{Length, Target};
use super::report::Report;
use crate::cluster::{Failure, Output};

/// The last version in which topics go by name.
const COMMIT_BY_NAME: i16 = 9;

/// `strandline bench commits`.
#[derive(Args)]
pub(crate) struct Commits {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    length: Length,
    /// How many groups commit in turn; none of them has members. `--records` counts the commits.
    #[arg(long, default_value_t = 1_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    groups: u32,
    /// What the groups' names begin with.
    #[arg(long, default_value = "strandline-bench", value_name = "TEXT")]
    group_prefix: String,
    /// How many partitions of the topic each commit has an offset of; all of them at the most.
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    offsets_per_commit: u32,
    /// How many connections to each coordinator.
    #[arg(long, default_value_t = 16, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    connections: u32,
    /// How many commits are on their way on each connection at a time.
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    in_flight: u32,
}

/// A connection, the groups that commit over it, and what is on its way.
struct Lane {
    place: usize,
    groups: Vec<Text>,
    next: usize,
    version: i16,
    flights: VecDeque<Flight>,
    rest_until: Option<Instant>,
}

struct Flight {
    correlation_id: i32,
    since: Instant,
}

/// What every commit has in it.
struct Topic {
    name: Text,
    id: Uuid,
    partitions: Vec<i32>,
    offset: i64,
}

impl Commits {
    pub(super) const fn output(&self) -> Output {
        self.target.connecting.output
    }

    pub(super) fn run(&self) -> Result<Report, Failure> {
        let prepared = self.target.prepare(false)?;
        let names: Vec<String> =
            (0..self.groups).map(|number| format!("{}-{number}", self.group_prefix)).collect();
        let coordinators = self
            .target
            .connecting
            .run(async |client| Coordinators::find(&client, Coordinated::Group, &names).await)?;
        let mut links = Links::new()?;
        let last = if prepared.topic.id.is_zero() { COMMIT_BY_NAME } else { i16::MAX };
        let mut lanes = self.lanes(&mut links, &coordinators, &names, last)?;
        let count = usize::try_from(self.offsets_per_commit).unwrap_or(usize::MAX);
        let partitions = prepared.topic.partitions.iter().map(|info| info.partition).take(count).collect();
        let name = prepared.topic.name.as_str().into();
        let mut topic = Topic { name, id: prepared.topic.id, partitions, offset: 0 };
        let mut meter = Meter::start(&self.length, self.target.broker_pid);
        self.drive(&mut links, &mut lanes, &mut topic, &mut meter)?;
        meter.stop();
        let mut report = Report::new("commits");
        report.count("groups", "groups", self.groups.into());
        let offsets = u64::try_from(topic.partitions.len()).unwrap_or(0);
        report.count("offsetsPerCommit", "offsets per commit", offsets);
        report.count("connections", "connections", u64::try_from(links.len()).unwrap_or(0));
        report.count("inFlight", "in flight on each", self.in_flight.into());
        meter.tell_times(&mut report, "commit");
        report.histogram("latencyMs", "latency", &meter.latency);
        Ok(report)
    }

    fn lanes(
        &self,
        links: &mut Links,
        coordinators: &Coordinators,
        names: &[String],
        last: i16,
    ) -> Result<Vec<Lane>, Failure> {
        let places = coordinators.connect(links, usize::try_from(self.connections).unwrap_or(usize::MAX))?;
        let mut lanes: Vec<Lane> = Vec::new();
        for (number, (name, place)) in names.iter().zip(places).enumerate() {
            let group = name.as_str().into();
            if let Some(lane) = lanes.get_mut(place) {
                lane.groups.push(group);
                continue;
            }
            let version = coordinators.broker(number)?.version::<OffsetCommitRequest>(last)?;
            let flights = VecDeque::new();
            lanes.push(Lane { place, groups: vec![group], next: 0, version, flights, rest_until: None });
        }
        Ok(lanes)
    }

    fn drive(
        &self,
        links: &mut Links,
        lanes: &mut [Lane],
        topic: &mut Topic,
        meter: &mut Meter,
    ) -> Result<(), Failure> {
        let in_flight_max = usize::try_from(self.in_flight).unwrap_or(usize::MAX);
        let patience = Duration::from_secs(self.target.connecting.timeout);
        let (mut last_answer, mut begun) = (Instant::now(), 0u64);
        let mut turn: Vec<usize> = (0..lanes.len()).collect();
        loop {
            let now = Instant::now();
            meter.tick(now);
            let over = meter.is_over(now);
            if over && begun == 0 {
                return Ok(());
            }
            for lane in turn.drain(..) {
                let Some(lane) = lanes.get_mut(lane) else { continue };
                while !over && lane.flights.len() < in_flight_max && meter.records_left(begun) > 0 {
                    lane.commit(links, topic, now)?;
                    begun += 1;
                }
            }
            for place in links.wait(Duration::from_millis(100))? {
                // Connections and lanes were made in the same order.
                let Some(lane) = lanes.get_mut(place) else { continue };
                let now = Instant::now();
                while let Some(content) = links.next(place)? {
                    let flight = lane.take(content)?;
                    begun -= 1;
                    last_answer = now;
                    if let Some(since) = flight {
                        meter.add(1, 0);
                        meter.latency.add(now.saturating_duration_since(since), 1);
                    }
                }
                turn.push(place);
            }
            if turn.is_empty() && begun == 0 {
                turn.extend(0..lanes.len());
            }
            if last_answer.elapsed() > patience {
                return Err(Failure::Refused(format!("no answer within {patience:?}")));
            }
        }
    }
}

impl Lane {
    fn commit(&mut self, links: &mut Links, topic: &mut Topic, now: Instant) -> Result<(), Failure> {
        if let Some(until) = self.rest_until.take() {
            std::thread::sleep(until.saturating_duration_since(now));
        }
        if self.next >= self.groups.len() {
            self.next = 0;
        }
        let group = self.groups.get(self.next).cloned().unwrap_or_default();
        self.next += 1;
        topic.offset += 1;
        let correlation_id = links.submit(self.place, &topic.commit(group), self.version)?;
        self.flights.push_back(Flight { correlation_id, since: now });
        Ok(())
    }

    /// When the commit that is answered was sent; none if it has to be tried again.
    fn take(&mut self, content: bytes::Bytes) -> Result<Option<Instant>, Failure> {
        let flight = self.flights.pop_front();
        let flight = flight.ok_or_else(|| Failure::Refused("an answer that was not asked".to_owned()))?;
        let response = answer::<OffsetCommitRequest>(content, self.version, flight.correlation_id)?;
        let partitions = response.topics.iter().flat_map(|topic| &topic.partitions);
        for code in partitions.map(|partition| partition.error_code) {
            match (code, code.retry()) {
                (ErrorCode::NONE, _) => {}
                // A coordinator that has just begun.
                (_, Retry::Later | Retry::AfterMetadata) => {
                    self.rest_until = Some(Instant::now() + Duration::from_millis(5));
                    return Ok(None);
                }
                (code, _) => return Err(Failure::Refused(format!("a commit: {code}"))),
            }
        }
        Ok(Some(flight.since))
    }
}

impl Topic {
    fn commit(&self, group_id: Text) -> OffsetCommitRequest {
        let partition = |index: &i32| OffsetCommitRequestPartition {
            partition_index: *index,
            committed_offset: self.offset,
            committed_metadata: Some(Text::default()),
            ..Default::default()
        };
        let topic = OffsetCommitRequestTopic {
            name: self.name.clone(),
            topic_id: self.id,
            partitions: self.partitions.iter().map(partition).collect(),
            ..Default::default()
        };
        OffsetCommitRequest { group_id, topics: vec![topic], ..Default::default() }
    }
}
