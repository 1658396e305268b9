//! `strandline bench rebalance`.

use std::time::{Duration, Instant};

use clap::Args;

use super::coordinators::{Coordinated, Coordinators};
use super::histogram::Histogram;
use super::links::Links;
use super::member::{Common, Member, Outcome, Versions};
use super::meter::Meter;
use super::options::{Length, Target};
use super::report::{Report, milliseconds};
use crate::cluster::{Failure, Output};

/// `strandline bench rebalance`.
#[derive(Args)]
pub(crate) struct Rebalance {
    #[command(flatten)]
    target: Target,
    /// How many members the group has, each with a connection of its own.
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    members: u32,
    /// How often all members join again once they have settled.
    #[arg(long, default_value_t = 20, value_name = "N")]
    rounds: u32,
    /// The group: it should have no other members.
    #[arg(long, default_value = "strandline-bench-rebalance", value_name = "NAME")]
    group: String,
    /// How long a member that has settled waits between two heartbeats, by which it learns that it has to join again.
    #[arg(long, default_value_t = 100, value_name = "MS", value_parser = clap::value_parser!(u64).range(1..))]
    heartbeat_ms: u64,
    /// The members' session timeout, and the time that they give each other to join again.
    #[arg(long, default_value_t = 45_000, value_name = "MS", value_parser = clap::value_parser!(i32).range(1..))]
    session_ms: i32,
}

struct Run<'a> {
    rebalance: &'a Rebalance,
    links: Links,
    // By the places of their connections.
    members: Vec<Member>,
    beats: Vec<Instant>,
    common: Common,
}

impl Rebalance {
    pub(super) const fn output(&self) -> Output {
        self.target.connecting.output
    }

    pub(super) fn run(&self) -> Result<Report, Failure> {
        let prepared = self.target.prepare(false)?;
        let names = [self.group.clone()];
        let coordinators = self
            .target
            .connecting
            .run(async |client| Coordinators::find(&client, Coordinated::Group, &names).await)?;
        let coordinator = coordinators.broker(0)?;
        let versions = Versions::of(coordinator)?;
        let mut links = Links::new()?;
        let mut members = Vec::new();
        for _ in 0..self.members {
            members.push(Member::new(&self.group, links.open(&coordinator.address)?, versions));
        }
        let common = Common {
            topic: prepared.topic.name.as_str().into(),
            partitions: prepared.topic.partitions.iter().map(|info| info.partition).collect(),
            session_timeout_ms: self.session_ms,
            rebalance_timeout_ms: self.session_ms,
        };
        let beats = vec![Instant::now(); members.len()];
        let mut run = Run { rebalance: self, links, members, beats, common };
        self.measure(&mut run)
    }

    fn measure(&self, run: &mut Run<'_>) -> Result<Report, Failure> {
        let mut report = Report::new("rebalance");
        report.count("members", "members", self.members.into());
        let length = Length { seconds: None, records: Some(u64::from(self.rounds)), warm_up_seconds: 0.0 };
        let mut all = Meter::start(&length, self.target.broker_pid);
        let joined = run.settle()?;
        report.number("joinedMs", "all joined after ms", milliseconds(joined), 1);
        let mut meter = Meter::start(&length, self.target.broker_pid);
        let mut rounds = Histogram::new();
        for _ in 0..self.rounds {
            rounds.add(run.settle()?, 1);
            meter.add(1, 0);
            meter.tick(Instant::now());
        }
        meter.stop();
        all.stop();
        meter.tell_times(&mut report, "rebalance");
        report.histogram("settledMs", "settled", &rounds);
        Ok(report)
    }
}

impl Run<'_> {
    /// Lets all members join, and waits until all have their part of one generation.
    fn settle(&mut self) -> Result<Duration, Failure> {
        let started = Instant::now();
        for member in &mut self.members {
            member.join_anew(&self.common, &mut self.links)?;
        }
        let before = self.members.iter().map(Member::generation).max().unwrap_or(-1);
        let patience = Duration::from_secs(self.rebalance.target.connecting.timeout);
        let interval = Duration::from_millis(self.rebalance.heartbeat_ms);
        while !self.is_settled(before) {
            let now = Instant::now();
            if now.duration_since(started) > patience {
                let settled = self.members.iter().filter(|member| member.is_settled()).count();
                return Err(Failure::Refused(format!(
                    "only {settled} members have settled within {patience:?}"
                )));
            }
            for (member, beat) in self.members.iter_mut().zip(&mut self.beats) {
                if member.is_settled() && !member.has_asked() && *beat <= now {
                    member.heartbeat(&mut self.links)?;
                }
            }
            for place in self.links.wait(interval.min(Duration::from_millis(10)))? {
                let (Some(member), Some(beat)) = (self.members.get_mut(place), self.beats.get_mut(place))
                else {
                    continue;
                };
                while let Some(content) = self.links.next(place)? {
                    if member.take(content, &self.common, &mut self.links)? != Outcome::Joining {
                        *beat = Instant::now() + interval;
                    }
                }
            }
        }
        Ok(started.elapsed())
    }

    /// Whether all have settled in the same generation, and in a later one than before, and wait for nothing.
    fn is_settled(&self, before: i32) -> bool {
        let generation = self.members.first().map_or(-1, Member::generation);
        let is_of_it =
            |member: &Member| member.is_settled() && !member.has_asked() && member.generation() == generation;
        generation > before && self.members.iter().all(is_of_it)
    }
}
