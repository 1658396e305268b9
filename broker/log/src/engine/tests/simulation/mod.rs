//! The engine against a disk that fails and a machine that dies, and against a model of what it acknowledged.
//!
//! One run is a function of its seed. A scheduler drives the real [`Writer`] on a simulated disk, one step at a
//! time: it leaves requests, lets the writer take them, holds groups and jobs back between handing out, doing and
//! taking back, in any order, reads, moves the clocks, plans faults, fills the disk, kills the process and cuts the
//! power, also in the middle of any operation of the disk and of a recovery.
//!
//! What is checked, with the numbers of the invariants that all of Strandline has:
//!
//! - What becomes of each request: the model says it beforehand, refusals and offsets included (4, 5).
//! - After each step: where each log begins and ends, its high watermark and last stable offset (11). Nothing is
//!   answered or visible before its group is durable.
//! - Each read, by offset, by time and of committed records alone, against the model byte for byte (3, 6, 7, 15).
//! - After each recovery: all that is there. What `fsync` logs acknowledged is there (1); of what was in flight, one
//!   group is there as a whole or not at all; nothing else is there (6). An `async` log has everything after the
//!   death of the process, and after a power cut a prefix that holds at least what a checkpoint had synced.
//! - That recovering once more comes to the same, whatever killed the first one (16), and that the offline checker
//!   finds nothing lost.
//! - That what was given up went by the rules of retention and compaction, and nothing else did.
//! - That a full disk is never taken for a failing one, that appends go on when there is room, and that all that
//!   was asked is answered in the end (2).
//! - That the tails' memory keeps to its budget (19).
//!
//! A *step* is one choice of the scheduler, or one operation of the simulated disk: each of these is a place where
//! the machine may die. `SIMULATION_SEEDS` and `SIMULATION_START` make a run longer.

mod awaited;
mod batch;
mod compacted;
mod death;
mod drive;
mod dump;
mod expect;
mod expiry;
mod faults;
mod model;
mod neighbour;
mod planted;
mod plants;
mod producers;
mod reading;
mod requests;
mod retention;
mod rot;
mod setup;
mod waiting;

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bytes::Bytes;

use self::drive::{Group, Held};
use self::model::{Model, Sent};
use self::plants::Plant;
use self::reading::HeldRead;
use super::super::{Options, Writer};
use super::Answers;
use crate::clock::SimulatedClock;
use crate::disk::Disk;
use crate::disk::simulated::SimulatedDisk;
use crate::random::{Random, mix};

/// A rule that was broken.
type Violation = String;

/// How often a run came by places that it should come by.
type Reached = BTreeMap<&'static str, u64>;

/// What is run: the engine as it is, or with a mistake in it or in how it is used.
#[derive(Clone, Copy)]
pub(super) struct Subject {
    disk: fn(&SimulatedDisk) -> Arc<dyn Disk>,
    random: fn(u64) -> Random,
    plant: Option<Plant>,
}

const HONEST: Subject =
    Subject { disk: |disk| Arc::new(disk.clone()), random: Random::from_seed, plant: None };

struct Simulation {
    subject: Subject,
    disk: SimulatedDisk,
    clock: Arc<SimulatedClock>,
    options: Options,
    random: Random,
    writer: Option<Writer>,
    answers: Arc<Answers>,
    /// Accepted by the mailbox, and not looked at by the writer.
    sent: VecDeque<Sent>,
    group: Option<Group>,
    jobs: Vec<Held>,
    reads: Vec<HeldRead>,
    readers_waiting: Vec<waiting::Reader>,
    sender_waiting: Option<waiting::Sender>,
    model: Model,
    neighbour: neighbour::Neighbour,
    /// Batches of producers, to send them again.
    recent: VecDeque<(u64, Bytes)>,
    /// The epoch and sequence that a producer of a partition goes on with, if all that was sent is accepted.
    sequences: BTreeMap<(u64, i64), (i16, i32)>,
    /// Whether the disk may have failed this process.
    has_fault: bool,
    /// Whether it was noted already where the machine halted.
    has_died: bool,
    is_verbose: bool,
    /// Whether this process has seen a disk with little room, and whether it still has.
    was_full: bool,
    is_full: bool,
    wall: setup::Wall,
    last_ticket: u64,
    last_number: u64,
    last_value: u64,
    without_room: awaited::WithoutRoom,
    steps: u64,
    trace: u64,
    reached: Reached,
}

/// What tells two runs apart, and what a run was good for.
#[derive(Debug, Eq, PartialEq)]
struct Report {
    trace: u64,
    /// Choices of the scheduler and operations of the disk.
    steps: u64,
    reached: Reached,
}

/// Runs one seed.
fn run(seed: u64, subject: Subject) -> Result<Report, Violation> {
    let mut simulation = Simulation::new(seed, subject);
    simulation.run()?;
    let Simulation { disk, reached, trace, steps, .. } = simulation;
    let trace = mix(trace ^ disk.trace());
    Ok(Report { trace, steps: steps + disk.operations(), reached })
}

impl Simulation {
    fn run(&mut self) -> Result<(), Violation> {
        self.recover()?;
        for _ in 0..50 + self.random.below(350) {
            self.step()?;
            self.let_neighbour_act();
            self.observe()?;
        }
        self.settle()?;
        self.rot()
    }

    fn step(&mut self) -> Result<(), Violation> {
        self.steps += 1;
        if self.disk.is_halted() || (self.has_failed() && self.random.one_in(3)) {
            return self.restart();
        }
        match self.random.below(200) {
            0..=69 => self.send(),
            70..=99 => self.take(),
            100..=114 => self.move_group(),
            115..=149 => self.move_job(),
            150..=158 => self.read(),
            159..=160 => self.read_committed(),
            161..=162 => self.find_timestamp(),
            163..=164 => self.read_held(),
            165..=174 => {
                self.pass_time();
                Ok(())
            }
            175..=178 => {
                self.plan_fault();
                Ok(())
            }
            179..=181 => self.fill_up(),
            182..=186 => self.work(),
            187..=189 => self.wait(),
            190..=195 => self.settle(),
            196 => self.close(),
            _ => self.restart(),
        }
    }

    fn reach(&mut self, what: &'static str) {
        self.say(|| what.to_owned());
        *self.reached.entry(what).or_default() += 1;
    }

    /// Tells somebody who looks for a mistake what happens.
    fn say(&self, what: impl FnOnce() -> String) {
        if self.is_verbose {
            println!("{:>6} {}", self.steps, what());
        }
    }

    fn note(&mut self, number: u64) {
        self.trace = mix(self.trace ^ number);
    }

    fn writer(&mut self) -> &mut Writer {
        self.writer.as_mut().expect("a writer")
    }

    /// Whether the writer is out of use.
    fn has_failed(&self) -> bool {
        self.writer.as_ref().is_none_or(|writer| writer.offline().is_some())
    }
}

/// How many seeds each test run takes.
const SEEDS: u64 = 3_000;

/// Seeds that failed once, and found something. What a seed does changes with what a run can do: what they found has a
/// test of its own as well.
const FAILED_ONCE: &[u64] = &[
    34, 596, 1_815, 103_326, 109_522, 207_094, 207_282, 209_016, 1_002_390, 1_003_259, 2_002_166, 2_004_247,
    2_009_016, 2_014_655, 2_015_249, 2_018_825, 2_019_384, 2_020_263, 2_021_512, 2_024_183, 2_029_527,
    2_030_250, 2_033_935, 2_036_421, 2_036_465, 2_044_586, 5_012_222, 30_026_614,
];

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|value| value.parse().ok())
}

/// What many runs came to.
#[derive(Default)]
struct Sum {
    seeds: u64,
    steps: u64,
    reached: Reached,
    failed: Vec<u64>,
}

impl Sum {
    fn add(&mut self, seed: u64, result: Result<Report, Violation>) {
        self.seeds += 1;
        match result {
            Ok(report) => {
                self.steps += report.steps;
                for (place, times) in report.reached {
                    *self.reached.entry(place).or_default() += times;
                }
            }
            Err(violation) => {
                println!("seed {seed}: {violation}");
                self.failed.push(seed);
            }
        }
    }

    /// Runs seeds, whatever becomes of some of them.
    fn of(seeds: impl Iterator<Item = u64>, tells: bool) -> Self {
        let mut sum = Self::default();
        for seed in seeds {
            let result = catch_unwind(AssertUnwindSafe(|| run(seed, HONEST)));
            sum.add(seed, result.unwrap_or_else(|_| Err("an assertion of the engine".to_owned())));
            if tells && sum.seeds.is_multiple_of(1_000) {
                println!("{} seeds, {} steps, failed: {:?}", sum.seeds, sum.steps, sum.failed);
            }
        }
        sum
    }
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_is_invented() {
    let (start, given) = (number("SIMULATION_START").unwrap_or(0), number("SIMULATION_SEEDS"));
    let seeds = given.unwrap_or(SEEDS);
    let sum = Sum::of(start..start + seeds, given.is_some());
    println!("{} steps, {:#?}", sum.steps, sum.reached);
    assert!(sum.failed.is_empty(), "{:?}", sum.failed);
    if given.is_none() {
        setup::assert_all_reached(&sum.reached);
    }
}

#[test]
fn what_failed_once_does_not_fail_again() {
    let sum = Sum::of(FAILED_ONCE.iter().copied(), false);
    assert!(sum.failed.is_empty(), "{:?}", sum.failed);
}

#[test]
fn a_seed_replays_exactly() {
    for seed in 0..30 {
        assert_eq!(run(seed, HONEST), run(seed, HONEST), "seed {seed}");
    }
    assert_ne!(run(1, HONEST), run(2, HONEST));
}
