//! Random groups, faults, deaths and recoveries, against a model of what was acknowledged.
//!
//! The rules that are checked after each recovery: every acknowledged group above the checkpoint is there, in
//! order and byte for byte; the one group that was neither acknowledged nor refused is there as a whole or not
//! at all, and what was decided about it stays; nothing else is there. What rots is reported.

use std::path::PathBuf;
use std::sync::Arc;

use super::super::layout::{FRAME_HEADER_BYTES, FrameHeader};
use super::super::{Class, Entry, Error, Journal, Options, Replayed, StageError};
use super::{BLOCK, FOLDER, Found, OPTIONS, bytes, note};
use crate::disk::Disk;
use crate::disk::simulated::{self, Operation, SimulatedDisk};
use crate::random::Random;

/// How often the recovery is tried before it counts as one that never comes.
const ATTEMPTS_MAX: u64 = 20;

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

/// An acknowledged group.
#[derive(Debug)]
struct Group {
    found: Found,
    /// The file, the offset and the length of the frame, as far as it was committed in this run.
    place: Option<(u64, u64, u64)>,
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
    steps: u64,
}

/// A rule that was broken.
type Violation = String;

/// Runs one seed; gives what tells two runs apart.
pub(super) fn run(seed: u64, subject: Subject) -> Result<(u64, u64), Violation> {
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
        steps: 0,
    };
    simulation.run()?;
    Ok((simulation.disk.trace(), simulation.disk.operations()))
}

impl Simulation {
    fn run(&mut self) -> Result<(), Violation> {
        self.restart()?;
        for _ in 0..10 + self.random.below(50) {
            self.steps += 1;
            match self.random.below(20) {
                0..=11 => self.commit()?,
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

    fn commit(&mut self) -> Result<(), Violation> {
        let sequence = self.journal()?.next_sequence();
        let mut entries = Vec::new();
        let mut place = None;
        for _ in 0..1 + self.random.below(5) {
            let (class, body) = (self.class(), self.body(sequence));
            let partition = self.random.below(9);
            let entry = match self.random.below(10) {
                0 => Entry::Truncate { partition, end_offset: 5 },
                1 => Entry::Metadata(&body),
                2 => Entry::DeletePartition { partition },
                _ => Entry::Append { partition, base_offset: 77, batch: &body },
            };
            match self.journal()?.stage(&entry, class) {
                Ok(_) => entries.push(bytes(&entry)),
                Err(StageError::GroupFull) => break,
                Err(StageError::JournalFull | StageError::TooLarge { .. }) => {
                    self.checkpoint()?;
                    if self.journal.as_ref().is_none_or(|journal| !journal.has_staged()) {
                        return Ok(());
                    }
                    break;
                }
                Err(StageError::DiskFull) => {
                    self.disk.set_capacity(1 << 40);
                    break;
                }
                Err(StageError::Failed(_)) => return self.after_failure(),
            }
        }
        if entries.is_empty() {
            return Ok(());
        }
        let group = |place| Group { found: (sequence, entries.clone()), place };
        if self.subject.acknowledges_before_commit {
            self.acknowledged.push(group(None));
        }
        match self.journal()?.commit() {
            Ok(Some(committed)) => {
                if committed.sequence != sequence {
                    return Err(format!("frame {} instead of {sequence}", committed.sequence));
                }
                let bytes: usize = entries.iter().map(Vec::len).sum();
                place = Some((committed.file, committed.offset, (FRAME_HEADER_BYTES + bytes) as u64));
                if !self.subject.acknowledges_before_commit {
                    self.acknowledged.push(group(place));
                }
                self.is_sealed = false;
                Ok(())
            }
            Ok(None) => Err("a group that was staged is gone".to_owned()),
            Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::StorageFull => {
                Err("a group was admitted and then had no room".to_owned())
            }
            Err(_) => {
                if !self.subject.acknowledges_before_commit {
                    self.uncertain = Some(group(place));
                }
                self.after_failure()
            }
        }
    }

    fn class(&mut self) -> Class {
        if self.random.one_in(4) { Class::Control } else { Class::Append }
    }

    /// Mostly small bytes, some large ones, and some of somebody who would like to be taken for a frame.
    fn body(&mut self, sequence: u64) -> Vec<u8> {
        let length = match self.random.below(20) {
            0 => self.random.index(100_000),
            1..=5 => self.random.index(12_000),
            _ => self.random.index(300),
        };
        let mut body = vec![self.random.below(256).to_le_bytes()[0]; length];
        let start = BLOCK - FRAME_HEADER_BYTES - 21;
        if self.random.one_in(3) {
            // Where the body stands if it is the first of its frame, blocks begin at these places.
            for block in body.get_mut(start..).unwrap_or_default().chunks_mut(BLOCK) {
                let header =
                    FrameHeader { sequence: sequence + 1, payload_bytes: 0, entries: 0, payload_checksum: 0 };
                if let Some(place) = block.first_chunk_mut() {
                    *place = header.encode(0);
                }
            }
        }
        body
    }

    /// Something failed: nothing may go on but a recovery.
    fn after_failure(&mut self) -> Result<(), Violation> {
        let operations = self.disk.operations();
        let journal = self.journal()?;
        if journal.commit().is_ok() || journal.stage(&Entry::Seal, Class::Control).is_ok() {
            return Err("a journal went on after a failure".to_owned());
        }
        if self.disk.operations() != operations {
            return Err("something was tried again after a failure".to_owned());
        }
        self.restart()
    }

    fn checkpoint(&mut self) -> Result<(), Violation> {
        let last = self.acknowledged.last().map_or(0, |group| group.found.0);
        let reached = self.checkpoint + self.random.below(last.saturating_sub(self.checkpoint) + 1);
        // What was applied was acknowledged, so this is the number of a group that is there.
        let reached = if self.random.one_in(2) { last.max(self.checkpoint) } else { reached };
        let recycled = if self.subject.recycles_before_checkpoint {
            last
        } else {
            self.checkpoint = reached;
            reached
        };
        match self.journal()?.recycle(recycled) {
            Ok(()) => Ok(()),
            Err(_) => self.after_failure(),
        }
    }

    fn read_back(&mut self) -> Result<(), Violation> {
        let (last, entries) = match self.acknowledged.last() {
            Some(group) if group.found.0 > self.checkpoint => (group.place, group.found.1.concat()),
            _ => return Ok(()),
        };
        let Some((file, offset, _)) = last else { return Ok(()) };
        let position = super::super::Position {
            file,
            offset: offset + FRAME_HEADER_BYTES as u64,
            length: u32::try_from(entries.len()).unwrap_or(0),
        };
        match self.journal()?.reader().read(&position) {
            Ok(read) if read != entries => Err(format!("{position:?} does not hold what was committed")),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(format!("{position:?} is gone"))
            }
            // A disk that fails to read has harmed nothing; one that has halted fails the next commit.
            Ok(_) | Err(_) => Ok(()),
        }
    }

    fn plan_fault(&mut self) {
        const OPERATIONS: [Operation; 9] = [
            Operation::Write,
            Operation::Write,
            Operation::Sync,
            Operation::Sync,
            Operation::Read,
            Operation::Allocate,
            Operation::Rename,
            Operation::SyncDirectory,
            Operation::Open,
        ];
        let nth = 1 + self.random.below(6);
        if self.random.one_in(2) {
            self.disk.halt_in(nth * 3);
        } else {
            self.disk.fail(OPERATIONS[self.random.index(OPERATIONS.len())], nth);
        }
    }

    fn fill_up(&mut self) {
        let capacity = if self.random.one_in(2) { 0 } else { 1 << 40 };
        self.disk.set_capacity(capacity);
    }

    fn close(&mut self) -> Result<(), Violation> {
        // Without a crash behind it, a seal that was written is there.
        self.is_sealed |= self.journal.take().is_some_and(|journal| journal.close().is_ok());
        self.restart()
    }

    fn restart(&mut self) -> Result<(), Violation> {
        for attempt in 0..ATTEMPTS_MAX {
            self.journal = None;
            if self.random.one_in(2) {
                self.disk.crash()
            } else {
                self.disk.kill()
            }
            if attempt > ATTEMPTS_MAX / 2 {
                self.disk.set_capacity(1 << 40);
            } else if self.random.one_in(2) {
                self.plan_fault();
            }
            match self.recover() {
                Ok((journal, found)) => {
                    self.journal = Some(journal);
                    return self.check(found);
                }
                Err(Error::Io { .. }) => {}
                Err(error) => return Err(error.to_string()),
            }
        }
        Err("the journal does not recover".to_owned())
    }

    fn recover(&mut self) -> Result<(Journal, Vec<Found>), Error> {
        let mut found = Vec::new();
        let random = (self.subject.random)(self.random.next_u64());
        let disk = (self.subject.disk)(&self.disk);
        let visit = &mut |replayed: Replayed<'_>| note(&mut found, &replayed);
        let journal = (self.subject.recover)(disk, self.options, random, self.checkpoint, visit)?;
        Ok((journal, found))
    }

    fn expected(&self) -> Vec<&Found> {
        let groups = self.acknowledged.iter().map(|group| &group.found);
        groups.filter(|(sequence, _)| *sequence > self.checkpoint).collect()
    }

    fn check(&mut self, found: Vec<Found>) -> Result<(), Violation> {
        let expected = self.expected();
        let (old, new) = found.split_at(expected.len().min(found.len()));
        if !old.iter().eq(expected) {
            let sequences = |found: &mut dyn Iterator<Item = &Found>| -> Vec<u64> {
                found.map(|(sequence, _)| *sequence).collect()
            };
            let (found, expected) =
                (sequences(&mut found.iter()), sequences(&mut self.expected().into_iter()));
            return Err(format!("acknowledged: {expected:?}, found: {found:?}"));
        }
        let uncertain = self.uncertain.take();
        match (new, uncertain) {
            ([], _) => {}
            ([found], Some(group)) if *found == group.found => self.acknowledged.push(group),
            (others, _) => return Err(format!("{} groups that were never sent", others.len())),
        }
        self.is_sealed = true;
        Ok(())
    }

    /// The end of a run: a bit rots.
    fn rot(&mut self) -> Result<(), Violation> {
        self.disk.set_capacity(1 << 40);
        self.disk.forget_faults();
        if self.disk.is_halted() {
            self.restart()?;
            self.disk.forget_faults();
        }
        if self.random.one_in(2) {
            self.is_sealed |= self.journal.take().is_some_and(|journal| journal.close().is_ok());
        }
        self.journal = None;
        if self.random.one_in(2) {
            self.disk.crash()
        } else {
            self.disk.kill()
        }
        let needed: Vec<_> =
            self.acknowledged.iter().filter(|group| group.found.0 > self.checkpoint).collect();
        if needed.is_empty() {
            return Ok(());
        }
        let index = self.random.index(needed.len());
        let Some((file, offset, length)) = needed[index].place else { return Ok(()) };
        let may_be_cut = index + 1 == needed.len() && !self.is_sealed;
        let path = PathBuf::from(format!("{FOLDER}/{file:020}.journal"));
        let place = offset + self.random.below(length);
        self.disk.flip_bit(&path, place, 5).map_err(|error| error.to_string())?;
        match self.recover() {
            Err(Error::Corrupt { path: named, offset: at, .. }) if named == path && at == offset => Ok(()),
            Ok((_, found)) if may_be_cut => {
                let mut expected = self.expected();
                expected.pop();
                if found.iter().eq(expected) { Ok(()) } else { Err("rot took more than it hit".to_owned()) }
            }
            Ok(_) => Err(format!("{} rotted at {place} and nobody noticed", path.display())),
            Err(error) => Err(format!("{} rotted at {offset}, but: {error}", path.display())),
        }
    }
}

fn seeds() -> u64 {
    std::env::var("SIMULATION_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(3_000)
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_is_invented() {
    let mut operations = 0;
    let only = std::env::var("ONLY").ok().and_then(|seed| seed.parse().ok());
    for seed in only.map_or(0..seeds(), |only| only..only + 1) {
        match run(seed, HONEST) {
            Ok((_, more)) => operations += more,
            Err(violation) => panic!("seed {seed}: {violation}"),
        }
    }
    println!("{} operations", operations);
}

#[test]
fn a_seed_replays_exactly() {
    for seed in 0..50 {
        assert_eq!(run(seed, HONEST), run(seed, HONEST));
    }
    assert_ne!(run(1, HONEST), run(2, HONEST));
}
