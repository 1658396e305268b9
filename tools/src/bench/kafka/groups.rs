//! `strandline bench groups`.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use strandline_protocol::Bytes;

use super::coordinators::{Coordinated, Coordinators};
use super::links::Links;
use super::member::{Common, Member, Outcome, Versions, first_beat};
use super::member_of_new::NewMember;
use super::meter::Meter;
use super::options::{Length, Target};
use super::report::{MEGABYTE, Report, float};
use super::target::Prepared;
use super::usage;
use crate::cluster::{Failure, Output};

/// `strandline bench groups`.
#[derive(Args)]
pub(crate) struct Groups {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    length: Length,
    /// How many groups, with one member each. `--records` counts heartbeats, once all groups have their member.
    #[arg(long, default_value_t = 10_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    groups: u32,
    /// What the groups' names begin with.
    #[arg(long, default_value = "strandline-bench-member", value_name = "TEXT")]
    group_prefix: String,
    /// How many connections the members of each coordinator share; as in life, where this is left out, each has one.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    connections: Option<u32>,
    /// How the groups come to agree.
    #[arg(long, value_enum, default_value_t)]
    protocol: Protocol,
    /// How many members join at a time.
    #[arg(long, default_value_t = 64, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    joining: u32,
    /// How long a member of a classic group waits between two heartbeats; in the new protocol the broker says it.
    #[arg(long, default_value_t = 3_000, value_name = "MS", value_parser = clap::value_parser!(u64).range(1..))]
    heartbeat_ms: u64,
    /// The members' session timeout.
    #[arg(long, default_value_t = 45_000, value_name = "MS", value_parser = clap::value_parser!(i32).range(1..))]
    session_ms: i32,
}

/// The two protocols of groups, by the names that consumers' `group.protocol` has for them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
enum Protocol {
    #[default]
    Classic,
    Consumer,
}

enum Either {
    Classic(Member),
    New(NewMember),
}

struct Run<'a> {
    groups: &'a Groups,
    links: Links,
    common: Common,
    members: Vec<Either>,
    /// The connection of each member.
    places: Vec<usize>,
    /// On each connection, whose answers are to come, in their order.
    waiting: Vec<VecDeque<usize>>,
    /// When who sends a heartbeat.
    beats: BinaryHeap<Reverse<(Instant, usize)>>,
    /// Since when the heartbeat was due that is on its way.
    due: Vec<Instant>,
    begun: usize,
    joining: usize,
}

impl Groups {
    pub(super) const fn output(&self) -> Output {
        self.target.connecting.output
    }

    pub(super) fn run(&self) -> Result<Report, Failure> {
        let prepared = self.target.prepare(false)?;
        let resident_bytes = self.target.broker_pid.and_then(|pid| usage::memory(pid).ok());
        let mut run = self.members(&prepared)?;
        let mut joining = Meter::start(&self.length, self.target.broker_pid);
        run.join()?;
        joining.stop();
        let mut meter = Meter::start(&self.length, self.target.broker_pid);
        run.beat(&mut meter)?;
        meter.stop();
        let mut report = Report::new("groups");
        report.count("groups", "groups", self.groups.into());
        report.text("protocol", "protocol", &format!("{:?}", self.protocol).to_lowercase());
        report.count("connections", "connections", u64::try_from(run.links.len()).unwrap_or(0));
        report.number("joinedSeconds", "all joined after s", joining.seconds(), 3);
        meter.tell_times(&mut report, "heartbeat");
        meter.tell_broker_share(&mut report);
        if let Some(memory) = resident_bytes {
            let before = float(memory.resident_bytes) / MEGABYTE;
            report.number("brokerRssBeforeMegabytes", "broker RSS MB before", before, 1);
        }
        report.histogram("latencyMs", "latency", &meter.latency);
        Ok(report)
    }

    fn members(&self, prepared: &Prepared) -> Result<Run<'_>, Failure> {
        crate::descriptors::allow_as_many_as_there_may_be();
        let names: Vec<String> =
            (0..self.groups).map(|number| format!("{}-{number}", self.group_prefix)).collect();
        let coordinators = self
            .target
            .connecting
            .run(async |client| Coordinators::find(&client, Coordinated::Group, &names).await)?;
        let mut links = Links::new()?;
        let count = self.connections.and_then(|count| usize::try_from(count).ok()).unwrap_or(usize::MAX);
        let places = coordinators.connect(&mut links, count)?;
        let mut members = Vec::with_capacity(names.len());
        for (number, (name, place)) in names.iter().zip(&places).enumerate() {
            let coordinator = coordinators.broker(number)?;
            members.push(match self.protocol {
                Protocol::Classic => Either::Classic(Member::new(name, *place, Versions::of(coordinator)?)),
                Protocol::Consumer => {
                    Either::New(NewMember::new(name, *place, NewMember::version(coordinator)?))
                }
            });
        }
        let common = Common {
            topic: prepared.topic.name.as_str().into(),
            partitions: prepared.topic.partitions.iter().map(|info| info.partition).collect(),
            session_timeout_ms: self.session_ms,
            rebalance_timeout_ms: self.session_ms,
        };
        Ok(Run {
            groups: self,
            waiting: vec![VecDeque::new(); links.len()],
            due: vec![Instant::now(); members.len()],
            links,
            common,
            members,
            places,
            beats: BinaryHeap::new(),
            begun: 0,
            joining: 0,
        })
    }
}

impl Either {
    fn join(&mut self, common: &Common, links: &mut Links) -> Result<(), Failure> {
        match self {
            Self::Classic(member) => member.join_anew(common, links),
            Self::New(member) => member.heartbeat(common, links),
        }
    }

    fn heartbeat(&mut self, common: &Common, links: &mut Links) -> Result<(), Failure> {
        match self {
            Self::Classic(member) => member.heartbeat(links),
            Self::New(member) => member.heartbeat(common, links),
        }
    }

    fn take(&mut self, content: Bytes, common: &Common, links: &mut Links) -> Result<Outcome, Failure> {
        match self {
            Self::Classic(member) => member.take(content, common, links),
            Self::New(member) => member.take(content, common, links),
        }
    }

    const fn has_asked(&self) -> bool {
        match self {
            Self::Classic(member) => member.has_asked(),
            Self::New(member) => member.has_asked(),
        }
    }

    const fn interval(&self, of_classic: Duration) -> Duration {
        match self {
            Self::Classic(_) => of_classic,
            Self::New(member) => member.interval(),
        }
    }
}

impl Run<'_> {
    /// Lets all members join, a few at a time; those that have joined send heartbeats meanwhile.
    fn join(&mut self) -> Result<(), Failure> {
        let joining_max = usize::try_from(self.groups.joining).unwrap_or(usize::MAX);
        let patience = Duration::from_secs(self.groups.target.connecting.timeout);
        let mut last_progress = Instant::now();
        while self.begun < self.members.len() || self.joining > 0 {
            while self.joining < joining_max && self.begun < self.members.len() {
                let number = self.begun;
                if let Some(member) = self.members.get_mut(number) {
                    member.join(&self.common, &mut self.links)?;
                }
                self.is_asked(number);
                self.begun += 1;
                self.joining += 1;
            }
            let before = self.joining;
            self.turn(None)?;
            if self.joining < before {
                last_progress = Instant::now();
            } else if last_progress.elapsed() > patience {
                return Err(Failure::Refused(format!("no member has joined within {patience:?}")));
            }
        }
        Ok(())
    }

    /// Sends heartbeats until the measurement is over.
    fn beat(&mut self, meter: &mut Meter) -> Result<(), Failure> {
        let patience = Duration::from_secs(self.groups.target.connecting.timeout);
        let mut last_answer = Instant::now();
        loop {
            let now = Instant::now();
            meter.tick(now);
            if meter.is_over(now) {
                return Ok(());
            }
            if self.turn(Some(meter))? || self.waiting.iter().all(VecDeque::is_empty) {
                last_answer = Instant::now();
            } else if last_answer.elapsed() > patience {
                return Err(Failure::Refused(format!("no answer within {patience:?}")));
            }
        }
    }

    /// Notes that the answer to what this member asked is to come on its connection.
    fn is_asked(&mut self, number: usize) {
        let place = self.places.get(number).copied().unwrap_or(usize::MAX);
        if let Some(waiting) = self.waiting.get_mut(place) {
            waiting.push_back(number);
        }
    }

    /// Sends the heartbeats that are due, waits, and takes answers. Whether there were any.
    fn turn(&mut self, mut meter: Option<&mut Meter>) -> Result<bool, Failure> {
        let now = Instant::now();
        while let Some(Reverse((due, number))) = self.beats.peek().copied()
            && due <= now
        {
            self.beats.pop();
            if let Some(member) = self.members.get_mut(number) {
                member.heartbeat(&self.common, &mut self.links)?;
            }
            self.is_asked(number);
            if let Some(place) = self.due.get_mut(number) {
                *place = due;
            }
        }
        let next = self.beats.peek().map_or(now + Duration::from_secs(1), |Reverse((due, _))| *due);
        let ready = self.links.wait(next.saturating_duration_since(now))?;
        for place in &ready {
            while let Some(content) = self.links.next(*place)? {
                self.take(*place, content, meter.as_deref_mut())?;
            }
        }
        Ok(!ready.is_empty())
    }

    fn take(&mut self, place: usize, content: Bytes, meter: Option<&mut Meter>) -> Result<(), Failure> {
        let number = self.waiting.get_mut(place).and_then(VecDeque::pop_front);
        let (Some(number), count) = (number, self.members.len()) else {
            return Err(Failure::Refused("an answer that was not asked".to_owned()));
        };
        let Some(member) = self.members.get_mut(number) else { return Ok(()) };
        let outcome = member.take(content, &self.common, &mut self.links)?;
        let interval = member.interval(Duration::from_millis(self.groups.heartbeat_ms));
        if member.has_asked() {
            self.is_asked(number);
        }
        let now = Instant::now();
        let due = self.due.get(number).copied().unwrap_or(now);
        match outcome {
            Outcome::Joining => {}
            Outcome::Settled => {
                self.joining = self.joining.saturating_sub(1);
                self.beats.push(Reverse((first_beat(now, interval, number, count), number)));
            }
            Outcome::Heard => {
                self.beats.push(Reverse((due + interval, number)));
                if let Some(meter) = meter.filter(|meter| meter.counts(due)) {
                    meter.add(1, 0);
                    meter.latency.add(now.saturating_duration_since(due), 1);
                }
            }
        }
        Ok(())
    }
}
