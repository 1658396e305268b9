//! Random groups, faults, deaths and recoveries, against a model of what was acknowledged.
//!
//! The rules that are checked after each recovery: every acknowledged group above the checkpoint is there, in
//! order and byte for byte; the one group that was neither acknowledged nor refused is there as a whole or not
//! at all, and what was decided about it stays; nothing else is there. What rots is reported.

mod check;
mod steps;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::{Committed, Error, Journal, Options, Replayed, SpareJob, Staged};
use super::{BLOCK, FOLDER, Found, OPTIONS};
use crate::disk::Disk;
use crate::disk::simulated::{self, SimulatedDisk};
use crate::random::Random;

pub(super) type Recover =
    fn(Arc<dyn Disk>, Options, Random, u64, &mut dyn FnMut(Replayed<'_>)) -> Result<Journal, Error>;

/// What is run: the journal as it is, or with a mistake in it or in how it is used.
#[derive(Clone, Copy)]
pub(super) struct Subject {
    pub(super) disk: fn(&SimulatedDisk) -> Arc<dyn Disk>,
    pub(super) recover: Recover,
    pub(super) random: fn(u64) -> Random,
    pub(super) acknowledges_before_commit: bool,
    pub(super) recycles_before_checkpoint: bool,
}

pub(super) const HONEST: Subject = Subject {
    disk: |disk| Arc::new(disk.clone()),
    recover: |disk, options, random, checkpoint, visit| {
        Journal::recover(disk, FOLDER.into(), options, random, checkpoint, visit)
    },
    random: Random::from_seed,
    acknowledges_before_commit: false,
    recycles_before_checkpoint: false,
};

/// What was staged, as bytes.
type Entries = Vec<Vec<u8>>;

/// An acknowledged group.
#[derive(Clone, Debug)]
struct Group {
    found: Found,
    /// The frame, and where in it the last entry's bytes lie, as far as it was committed in this run.
    place: Option<(Committed, Staged)>,
}

struct Simulation {
    subject: Subject,
    disk: SimulatedDisk,
    options: Options,
    random: Random,
    journal: Option<Journal>,
    acknowledged: Vec<Group>,
    /// The group that may be there or not.
    uncertain: Option<Group>,
    /// What was checkpointed, durably.
    checkpoint: u64,
    /// Whether a seal is behind the last group.
    is_sealed: bool,
    /// A spare file that is being made while other things happen.
    spare: Option<SpareJob>,
    reached: Reached,
}

/// How often the run came by some places that it should come by.
type Reached = BTreeMap<&'static str, u64>;

/// A rule that was broken.
type Violation = String;

/// What tells two runs apart, and what a run was good for.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Report {
    trace: u64,
    operations: u64,
    reached: Reached,
}

/// Runs one seed.
pub(super) fn run(seed: u64, subject: Subject) -> Result<Report, Violation> {
    let mut random = Random::from_seed(seed);
    let disk = SimulatedDisk::new(simulated::Options {
        seed: random.next_u64(),
        sector_bytes: if random.one_in(3) { BLOCK } else { 512 },
        refuses_direct: random.one_in(2),
        ..simulated::Options::default()
    });
    let options = Options { entries_max: 20 + random.below(200), ..OPTIONS };
    let mut simulation = Simulation {
        subject,
        disk,
        options,
        random,
        journal: None,
        acknowledged: Vec::new(),
        uncertain: None,
        checkpoint: 0,
        is_sealed: false,
        spare: None,
        reached: Reached::new(),
    };
    simulation.run()?;
    let Simulation { disk, reached, .. } = simulation;
    Ok(Report { trace: disk.trace(), operations: disk.operations(), reached })
}

impl Simulation {
    fn run(&mut self) -> Result<(), Violation> {
        self.restart()?;
        for _ in 0..10 + self.random.below(50) {
            match self.random.below(21) {
                0..=11 => self.commit()?,
                20 => self.make_spare()?,
                12 | 13 => self.checkpoint()?,
                14 => self.read_back()?,
                15 => self.plan_fault(),
                16 => self.fill_up(),
                17 => self.close()?,
                _ => self.restart()?,
            }
        }
        self.rot()
    }

    fn journal(&mut self) -> Result<&mut Journal, Violation> {
        self.journal.as_mut().ok_or_else(|| "there is no journal".to_owned())
    }

    fn reach(&mut self, what: &'static str) {
        *self.reached.entry(what).or_default() += 1;
    }
}

fn seeds() -> u64 {
    std::env::var("SIMULATION_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(2_000)
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_is_invented() {
    let mut operations = 0;
    let mut reached = Reached::new();
    for seed in 0..seeds() {
        let report = run(seed, HONEST).unwrap_or_else(|violation| panic!("seed {seed}: {violation}"));
        operations += report.operations;
        for (place, times) in report.reached {
            *reached.entry(place).or_default() += times;
        }
    }
    println!("{operations} operations, {reached:?}");
    let rare: Vec<_> = reached.iter().filter(|(_, times)| **times < 5).collect();
    assert!(reached.len() == 14 && rare.is_empty(), "not everything was tried: {reached:?}");
}

#[test]
fn a_seed_replays_exactly() {
    for seed in 0..50 {
        assert_eq!(run(seed, HONEST), run(seed, HONEST));
    }
    assert_ne!(run(1, HONEST), run(2, HONEST));
}
