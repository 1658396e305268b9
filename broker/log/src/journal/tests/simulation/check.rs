//! Deaths and recoveries, and what must be true after them.

use std::path::PathBuf;

use super::super::super::{Error, Journal, Replayed};
use super::super::{FOLDER, Found, note};
use super::{Simulation, Violation};

/// How often the recovery is tried before it counts as one that never comes.
const ATTEMPTS_MAX: u64 = 20;

impl Simulation {
    pub(super) fn restart(&mut self) -> Result<(), Violation> {
        for attempt in 0..ATTEMPTS_MAX {
            self.die();
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
                Err(Error::Io { .. }) => self.reach("interrupted recovery"),
                Err(error) => return Err(error.to_string()),
            }
        }
        Err("the journal does not recover".to_owned())
    }

    fn die(&mut self) {
        self.journal = None;
        self.spare = None;
        match self.random.one_in(2) {
            true => self.disk.crash(),
            false => self.disk.kill(),
        }
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
            ([], None) => self.reach("recovery"),
            ([], Some(_)) => self.reach("lost group"),
            ([found], Some(group)) if *found == group.found => {
                self.reach("kept group");
                self.acknowledged.push(group);
            }
            (others, _) => return Err(format!("{} groups that were never sent", others.len())),
        }
        self.is_sealed = true;
        Ok(())
    }

    /// The end of a run: a bit rots.
    pub(super) fn rot(&mut self) -> Result<(), Violation> {
        self.disk.set_capacity(1 << 40);
        self.disk.forget_faults();
        if self.disk.is_halted() {
            self.restart()?;
            self.disk.forget_faults();
        }
        if self.random.one_in(2) {
            self.is_sealed |= self.journal.take().is_some_and(|journal| journal.close().is_ok());
        }
        self.die();
        let needed: Vec<_> =
            self.acknowledged.iter().filter(|group| group.found.0 > self.checkpoint).collect();
        if needed.is_empty() {
            return Ok(());
        }
        let index = self.random.index(needed.len());
        let Some((committed, last)) = needed[index].place else { return Ok(()) };
        let may_be_cut = index + 1 == needed.len() && !self.is_sealed;
        let path = PathBuf::from(format!("{FOLDER}/{:020}.journal", committed.file));
        let place = committed.offset + self.random.below(u64::from(last.offset + last.length));
        self.disk.flip_bit(&path, place, 5).map_err(|error| error.to_string())?;
        match self.recover() {
            Err(Error::Corrupt { path: named, offset: at, .. })
                if named == path && at == committed.offset =>
            {
                self.reach("reported rot");
                Ok(())
            }
            Ok((_, found)) if may_be_cut => {
                self.reach("ambiguous rot");
                let mut expected = self.expected();
                expected.pop();
                if found.iter().eq(expected) { Ok(()) } else { Err("rot took more than it hit".to_owned()) }
            }
            Ok(_) => Err(format!("{} rotted at {place} and nobody noticed", path.display())),
            Err(error) => Err(format!("{} rotted at {place}, but: {error}", path.display())),
        }
    }
}
