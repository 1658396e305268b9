//! Random commits, faults, deaths and reopenings, against a model.
//!
//! After each opening the manifest says what was committed, as a whole and byte for byte; a commit that was
//! neither acknowledged nor refused is there as a whole or not at all, and what was found of it once stays.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::{Changes, Manifest, ManifestError};
use super::{FOLDER, LocalId, Model, OPTIONS, Path, new_disk, partition_row, segment_row};
use crate::disk::Disk;
use crate::disk::simulated::{Operation, SimulatedDisk};
use crate::journal::Error;
use crate::random::Random;

/// How often opening is tried with faults before it is left alone.
const ATTEMPTS_MAX: u64 = 10;

type Violation = String;
type Reached = BTreeMap<&'static str, u64>;

struct Simulation {
    disk: SimulatedDisk,
    random: Random,
    manifest: Option<Manifest>,
    model: Model,
    /// What a commit would have come to that failed.
    uncertain: Option<Model>,
    reached: Reached,
}

fn run(seed: u64) -> Result<(u64, Reached), Violation> {
    let mut random = Random::from_seed(seed);
    let disk = new_disk(random.next_u64());
    disk.set_refuses_direct(random.one_in(2));
    let (model, reached) = (Model::default(), Reached::new());
    let mut simulation = Simulation { disk, random, manifest: None, model, uncertain: None, reached };
    simulation.restart()?;
    for _ in 0..10 + simulation.random.below(30) {
        match simulation.random.below(10) {
            0..=5 => simulation.commit()?,
            6 => simulation.plan_fault(),
            7 => simulation.fill_up()?,
            8 => simulation.close(),
            _ => simulation.restart()?,
        }
    }
    Ok((simulation.disk.trace(), simulation.reached))
}

impl Simulation {
    fn reach(&mut self, what: &'static str) {
        *self.reached.entry(what).or_default() += 1;
    }

    fn changes(&mut self) -> Changes {
        let random = &mut self.random;
        let number = |random: &mut Random| i64::try_from(random.below(1_000)).unwrap();
        let mut changes =
            Changes { checkpoint: random.next_u64(), next_local_id: random.next_u64(), ..Changes::default() };
        // Now and then more than one chunk.
        let rows = if random.one_in(6) { 100 } else { 1 + random.below(8) };
        for _ in 0..rows {
            let partition = LocalId(random.below(12));
            if !self.model.partitions.contains_key(&partition) || random.one_in(3) {
                changes.partitions.push((partition, partition_row(number(random))));
            }
            let offset = i64::try_from(random.below(9)).unwrap();
            let row = (!random.one_in(4)).then(|| segment_row(number(random)));
            changes.segments.push((partition, offset, row));
            if random.one_in(3) {
                let length = random.index(200);
                changes.snapshots.push((partition, offset, (!random.one_in(4)).then(|| vec![5; length])));
            }
        }
        let partitions = self.model.partitions.keys().copied();
        changes.removed = partitions.filter(|_| random.one_in(10)).collect();
        changes
    }

    fn commit(&mut self) -> Result<(), Violation> {
        let changes = self.changes();
        let mut new = self.model.clone();
        new.apply(&changes);
        let Some(manifest) = &self.manifest else { return self.restart() };
        let base_before = manifest.index().base_sequence;
        match manifest.commit(&changes) {
            Ok(()) => {
                let has_new_base = manifest.index().base_sequence > base_before;
                self.reach(if has_new_base { "commit with a base" } else { "commit" });
                self.model = new;
                Ok(())
            }
            Err(ManifestError::DiskFull) => {
                self.reach("full disk");
                self.check()
            }
            Err(ManifestError::Journal(Error::Io { .. })) => {
                self.uncertain = Some(new);
                self.reach("failed commit");
                match manifest_refuses(self.manifest.as_ref()) {
                    true => self.restart(),
                    false => Err("it goes on after a failure".to_owned()),
                }
            }
            Err(error) => Err(error.to_string()),
        }
    }

    fn plan_fault(&mut self) {
        let operations = [
            Operation::Allocate,
            Operation::Create,
            Operation::Read,
            Operation::Rename,
            Operation::Sync,
            Operation::SyncDirectory,
            Operation::Write,
        ];
        let nth = 1 + self.random.below(12);
        match self.random.one_in(2) {
            true => self.disk.halt_in(nth),
            false => self.disk.fail(operations[self.random.index(operations.len())], nth),
        }
    }

    /// Leaves the disk little room, or gives it plenty again.
    fn fill_up(&mut self) -> Result<(), Violation> {
        let room = if self.random.one_in(2) { 1 << 30 } else { self.random.below(100 << 10) };
        self.disk.set_capacity(1 << 40);
        let Ok(free) = self.disk.free_bytes() else { return self.restart() };
        self.disk.set_capacity((1 << 40) - free + room);
        Ok(())
    }

    fn close(&mut self) {
        if self.manifest.take().is_some_and(|manifest| manifest.close().is_ok()) {
            self.reach("close");
        }
    }

    fn restart(&mut self) -> Result<(), Violation> {
        for attempt in 0..=ATTEMPTS_MAX {
            self.manifest = None;
            match self.random.one_in(2) {
                true => self.disk.crash(),
                false => self.disk.kill(),
            }
            match attempt {
                ATTEMPTS_MAX => self.disk.set_capacity(1 << 40),
                _ if self.random.one_in(2) => self.plan_fault(),
                _ => {}
            }
            let shared: Arc<dyn Disk> = Arc::new(self.disk.clone());
            let random = Random::from_seed(self.random.next_u64());
            match Manifest::open(shared, Path::new(FOLDER), OPTIONS, random) {
                Ok(manifest) => {
                    self.manifest = Some(manifest);
                    self.disk.forget_faults();
                    return self.check();
                }
                Err(ManifestError::Journal(Error::Io { .. }) | ManifestError::DiskFull) => {
                    self.reach("interrupted opening");
                }
                Err(error) => return Err(error.to_string()),
            }
        }
        Err("it does not open".to_owned())
    }

    fn check(&mut self) -> Result<(), Violation> {
        let Some(manifest) = self.manifest.as_ref().filter(|_| !self.disk.is_halted()) else { return Ok(()) };
        let read = match Model::read(manifest) {
            // A planned fault hit the reading.
            Err(ManifestError::Journal(Error::Io { .. })) => return Ok(()),
            read => read.map_err(|error| error.to_string())?,
        };
        let uncertain = self.uncertain.take();
        if read == self.model {
            self.reach(if uncertain.is_some() { "lost commit" } else { "same" });
            Ok(())
        } else if uncertain.as_ref() == Some(&read) {
            self.model = read;
            self.reach("kept commit");
            Ok(())
        } else {
            Err(format!("read {read:?}, expected {:?} or {uncertain:?}", self.model))
        }
    }
}

fn manifest_refuses(manifest: Option<&Manifest>) -> bool {
    let again = manifest.map(|manifest| manifest.commit(&Changes::default()));
    matches!(again, Some(Err(ManifestError::Journal(Error::Poisoned | Error::Io { .. }))))
}

fn seeds() -> u64 {
    std::env::var("SIMULATION_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(500)
}

#[test]
fn a_commit_is_there_as_a_whole_or_not_at_all() {
    let mut reached = Reached::new();
    for seed in 0..seeds() {
        let (_, places) = run(seed).unwrap_or_else(|violation| panic!("seed {seed}: {violation}"));
        for (place, times) in places {
            *reached.entry(place).or_default() += times;
        }
    }
    println!("{reached:?}");
    let rare: Vec<_> = reached.iter().filter(|(_, times)| **times < 5).collect();
    assert!(reached.len() == 9 && rare.is_empty(), "not everything was tried: {reached:?}");
}

#[test]
fn a_seed_replays_exactly() {
    for seed in 0..20 {
        assert_eq!(run(seed), run(seed));
    }
    assert_ne!(run(1).unwrap().0, run(2).unwrap().0);
}
