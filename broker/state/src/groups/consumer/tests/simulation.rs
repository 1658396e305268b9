//! Random members that join, leave, die, stall, change their minds and lose messages, with a coordinator that fails
//! over, topics that come, grow and go, and a clock that is set.
//!
//! After each step a checker holds the coordinator against what it promised, and at the end, when nothing fails any
//! more, it has to settle within a few rounds of heartbeats. One seed is one run. Mistakes that are planted
//! ([`Planted`]) have to be found.

mod checks;
mod client;
mod planted;

use client::Client;
use planted::Planted;
use strandline_protocol::ErrorCode;

use super::world::{Beat, GROUP, World};

/// So many seeds a test runs.
const SEEDS: u64 = 60;

/// So many are tried until one finds a planted mistake.
const PLANTED_SEEDS: u64 = 200;

/// A generator of random numbers that is a function of its seed.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        let mut random = Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        random.next();
        random
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    /// The same as a number of partitions, or of seconds.
    pub(super) fn number_below(&mut self, bound: i32) -> i32 {
        i32::try_from(self.below(usize::try_from(bound).unwrap())).unwrap()
    }

    pub(super) fn is_one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }
}

/// A violation of what was promised.
type Violation = String;

/// One run.
struct Run {
    world: World,
    random: Random,
    clients: Vec<Client>,
    /// Heartbeats that may arrive once more, late.
    late: Vec<Beat>,
    planted: Option<Planted>,
    /// Snapshots of the group after batches of the log.
    snapshots: Vec<(usize, Option<crate::groups::consumer::ConsumerGroup>)>,
    /// How often places were reached that a run should come by.
    seen: Seen,
}

/// What runs should come by.
#[derive(Debug, Default)]
struct Seen {
    fenced: usize,
    revoked: usize,
    replaced: usize,
    failed_over: usize,
    lost: usize,
    refused_commits: usize,
    settled: usize,
    heeded: usize,
}

/// About how long it is from one heartbeat to the next.
const BETWEEN_BEATS_MS: i64 = 2_500;

const TOPICS: [&str; 4] = ["orders-a", "orders-b", "payments", "clicks"];

impl Run {
    fn new(seed: u64, planted: Option<Planted>) -> Self {
        let mut random = Random::new(seed);
        let interval_ms = [0, 0, 1_000][random.below(3)];
        let mut world = World::with_settings(&[], |settings| {
            settings.consumer.assignment_interval.default_ms = interval_ms;
        });
        for name in TOPICS.iter().take(1 + random.below(3)) {
            world.put_topic(name, 1 + random.number_below(6));
        }
        let clients = (0..2 + random.below(4)).map(|number| Client::new(number, &mut random)).collect();
        Self {
            world,
            random,
            clients,
            late: Vec::new(),
            planted,
            snapshots: Vec::new(),
            seen: Seen::default(),
        }
    }

    /// Lets everything happen that can, checking after each step; then lets it settle.
    fn run(&mut self) -> Result<(), Violation> {
        for _ in 0..200 {
            self.step()?;
            self.check()?;
        }
        self.settle()?;
        self.check_replay()
    }

    fn step(&mut self) -> Result<(), Violation> {
        match self.random.below(40) {
            0 => self.change_topics(),
            1 => self.fail_over(),
            2 => self.set_clock(),
            3 => {
                let ms = 1_000 * (1 + i64::from(self.random.number_below(60)));
                self.advance(ms);
            }
            4..=7 => {
                let place = self.random.below(self.clients.len());
                self.turn(place);
            }
            8..=13 => {
                let place = self.random.below(self.clients.len());
                return self.try_commit(place);
            }
            14 => self.deliver_late(),
            15..=20 => self.advance(BETWEEN_BEATS_MS),
            _ => {
                let place = self.random.below(self.clients.len());
                self.heartbeat(place, true);
            }
        }
        Ok(())
    }

    fn change_topics(&mut self) {
        let name = TOPICS[self.random.below(TOPICS.len())];
        let count = self.world.image.topic(name).map_or(0, |topic| topic.partition_count());
        let count = i32::try_from(count).unwrap();
        match self.random.below(3) {
            0 if count > 0 => self.world.delete_topic(name),
            _ => self.world.put_topic(name, (count + 1 + self.random.number_below(3)).min(12)),
        }
        if self.planted == Some(Planted::TopicsNotNoticed) {
            self.hide_metadata();
        }
    }

    fn fail_over(&mut self) {
        self.seen.failed_over += 1;
        self.world.fail_over();
        if self.planted == Some(Planted::NoTimersAfterReplay) {
            self.world.timers.clear();
        }
    }

    fn set_clock(&mut self) {
        let forward = self.random.is_one_in(2);
        let ms = 1_000 * i64::from(self.random.number_below(600));
        self.world.skew_ms += if forward { ms } else { -ms };
    }

    fn advance(&mut self, ms: i64) {
        if let Some(planted) = self.planted {
            planted.drop_timers(&mut self.world.timers);
        }
        self.world.advance(ms);
    }

    /// Something happens to a client.
    fn turn(&mut self, place: usize) {
        let what = self.random.below(8);
        let client = &mut self.clients[place];
        match what {
            // It stalls, and goes on later as if nothing had been.
            0 => client.is_stalled = true,
            1 => client.is_stalled = false,
            // It dies, and comes back as another process.
            2 => client.restart(&mut self.random),
            3 => {
                client.resubscribe(&mut self.random);
                client.is_whole_next = true;
            }
            4 => self.leave(place),
            // It is slow to take in what it was told.
            5 => client.is_slow = !client.is_slow,
            _ => {}
        }
    }

    fn leave(&mut self, place: usize) {
        let client = &self.clients[place];
        if client.epoch <= 0 || client.is_stalled {
            return;
        }
        let epoch = if client.instance_id.is_some() && self.random.is_one_in(2) { -2 } else { -1 };
        let mut beat = Beat::stay(&client.id, epoch);
        if let Some(instance_id) = &client.instance_id {
            beat = beat.named(instance_id);
        }
        let is_lost = self.random.is_one_in(6);
        if !is_lost && self.world.beat(beat).is_ok() && epoch == -2 {
            self.seen.replaced += 1;
        }
        self.snapshot();
        self.clients[place].restart(&mut self.random);
    }

    /// A client sends a heartbeat. Its request or its answer may be lost, or the answer come too late.
    fn heartbeat(&mut self, place: usize, may_fail: bool) {
        let client = &self.clients[place];
        if client.is_stalled {
            return;
        }
        let mut beat = client.beat();
        if let Some(planted) = self.planted {
            planted.alter_request(&mut beat.0, &self.world);
        }
        if may_fail && self.random.is_one_in(4) {
            self.late.push(beat.clone());
        }
        let fault = if may_fail { self.random.below(12) } else { 11 };
        if fault == 0 {
            self.seen.lost += 1;
            self.clients[place].is_whole_next = true;
            return;
        }
        let mut answer = self.beat(beat);
        if fault == 1 {
            // The answer comes too late: it sends everything once more. (The same once more it never sends, and a
            // connection doubles nothing: what has been told already would not be told again.)
            self.clients[place].is_whole_next = true;
            let mut again = self.clients[place].beat();
            if let Some(planted) = self.planted {
                planted.alter_request(&mut again.0, &self.world);
            }
            answer = self.beat(again);
        }
        if fault == 2 {
            self.seen.lost += 1;
            self.clients[place].is_whole_next = true;
            return;
        }
        if let (Some(planted), Ok(response)) = (self.planted, &mut answer) {
            planted.alter_answer(response);
        }
        match answer {
            Ok(response) => {
                let had = self.clients[place].owned.len();
                self.clients[place].take_in(&response);
                self.seen.revoked += usize::from(self.clients[place].owned.len() < had);
            }
            Err(code) => {
                self.seen.fenced += usize::from(code != ErrorCode::UNRELEASED_INSTANCE_ID);
                self.clients[place].refused(code);
            }
        }
    }

    /// A heartbeat of two epochs ago arrives once more. Its sender does not wait for the answer any more. (One of the
    /// epoch before is taken for one whose answer was lost, as in Kafka: a connection keeps the order.)
    fn deliver_late(&mut self) {
        let Some(group) = self.world.groups.consumer_group(GROUP) else { return };
        let is_old = |beat: &Beat| {
            let member = group.member(&beat.0.member_id);
            beat.0.member_epoch > 0
                && member.is_some_and(|member| beat.0.member_epoch < member.previous_epoch)
        };
        let Some(mut beat) = self.late.iter().rev().find(|beat| is_old(beat)).cloned() else { return };
        if let Some(planted) = self.planted {
            planted.alter_request(&mut beat.0, &self.world);
        }
        let is_accepted = self.beat(beat).is_ok();
        assert!(!is_accepted || self.planted == Some(Planted::EpochNotChecked), "an old epoch is refused");
    }

    fn beat(
        &mut self,
        beat: Beat,
    ) -> Result<strandline_protocol::apis::consumer_group_heartbeat::ConsumerGroupHeartbeatResponse, ErrorCode>
    {
        let batches = self.world.log.len();
        let answer = self.world.beat(beat);
        if let Some(planted) = self.planted {
            planted.alter_records(&mut self.world, batches);
        }
        self.snapshot();
        answer
    }

    fn snapshot(&mut self) {
        let batches = self.world.log.len();
        self.snapshots.retain(|(known, _)| *known < batches);
        let group = self.world.groups.consumer_group(GROUP).cloned();
        if self.random.is_one_in(8) {
            self.snapshots.push((batches, group));
        }
    }
}

fn run_seed(seed: u64, planted: Option<Planted>) -> Result<Seen, Violation> {
    let mut run = Run::new(seed, planted);
    let result = run.run();
    run.seen.heeded = run.world.heeded;
    result.map(|()| run.seen).map_err(|violation| format!("seed {seed}: {violation}"))
}

#[test]
fn members_come_to_what_they_shall_have_and_no_two_have_the_same() {
    let seeds = std::env::var("CONSUMER_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(SEEDS);
    let start = std::env::var("CONSUMER_START").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let mut all = Seen::default();
    for seed in start..start + seeds {
        let seen = run_seed(seed, None).unwrap_or_else(|violation| panic!("{violation}"));
        all.fenced += seen.fenced;
        all.revoked += seen.revoked;
        all.replaced += seen.replaced;
        all.failed_over += seen.failed_over;
        all.lost += seen.lost;
        all.refused_commits += seen.refused_commits;
        all.settled += seen.settled;
        all.heeded += seen.heeded;
    }
    for (name, count) in [
        ("fenced", all.fenced),
        ("revoked", all.revoked),
        ("replaced", all.replaced),
        ("failed over", all.failed_over),
        ("lost", all.lost),
        ("refused commits", all.refused_commits),
        ("settled", all.settled),
        ("heeded", all.heeded),
    ] {
        assert!(count > 10 || seeds < SEEDS, "runs do not come by: {name} {count}");
    }
}

#[test]
fn a_run_is_a_function_of_its_seed() {
    for seed in [3, 17] {
        let logs = [0, 1].map(|_| {
            let mut run = Run::new(seed, None);
            run.run().unwrap();
            run.world.log
        });
        assert_eq!(logs[0], logs[1]);
    }
}

#[test]
fn planted_mistakes_are_found() {
    let mut missed = Vec::new();
    for planted in Planted::ALL {
        let found = (1..=PLANTED_SEEDS).any(|seed| run_seed(seed, Some(planted)).is_err());
        if !found {
            missed.push(planted);
        }
    }
    assert!(missed.is_empty(), "not found: {missed:?}");
}
