//! The process dies or the power fails, and a recovery follows, which may die as well.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;

use super::super::super::{EngineError, Writer};
use super::dump::{Death, Dump, Found};
use super::model::{Ask, Log, Sent};
use super::{Simulation, Violation};
use crate::check::{Severity, check};
use crate::directory::DirectoryError;
use crate::disk::Disk;
use crate::journal;
use crate::layout::Layout;
use crate::manifest::ManifestError;
use crate::producers::Sender;
use crate::segment::SegmentError;
use crate::tail::Budget;

/// How often a recovery may fail before it is left alone.
const ATTEMPTS_MAX: u32 = 6;

pub(super) fn layout() -> Layout {
    Layout::new(PathBuf::from("/data"))
}

impl Simulation {
    pub(super) fn any_death(&mut self) -> Death {
        if self.random.one_in(2) { Death::Kill } else { Death::PowerCut }
    }

    pub(super) fn restart(&mut self) -> Result<(), Violation> {
        let death = self.any_death();
        self.say(|| format!("{death:?}"));
        self.reach(match (self.group.is_some(), self.jobs.is_empty(), death) {
            (true, _, Death::Kill) => "kill with a group on its way",
            (true, _, Death::PowerCut) => "power cut with a group on its way",
            (false, false, Death::Kill) => "kill with a job on its way",
            (false, false, Death::PowerCut) => "power cut with a job on its way",
            (false, true, Death::Kill) => "kill",
            (false, true, Death::PowerCut) => "power cut",
        });
        self.die(death);
        self.recover_from(death)
    }

    pub(super) fn die(&mut self, death: Death) {
        match death {
            Death::Kill => self.disk.kill(),
            Death::PowerCut => self.disk.crash(),
        }
        for Sent { number, ask, .. } in self.sent.drain(..) {
            // The end of an `async` log may have moved over the gap before a batch that begins a segment.
            if let (Ask::Append(batch), Some(partition)) = (ask, self.model.partitions.get_mut(&number))
                && batch.sender == Sender::Leader
            {
                partition.gaps.push(batch.base_offset);
            }
        }
        self.writer = None;
        self.group = None;
        self.jobs.clear();
        self.reads.clear();
        self.readers_waiting.clear();
        self.sender_waiting = None;
        self.sequences.clear();
        // What is awaited is remembered in memory alone.
        self.without_room.clear();
        self.model.partitions.values_mut().for_each(|one| one.awaiting = Default::default());
        self.answers = Arc::default();
        self.model.duplicates.clear();
        self.model.forming.clear();
        self.has_died = false;
        self.has_fault = false;
        self.was_full = self.is_full;
        (self.wall.set_at, self.wall.seen_set_at, self.wall.unseen_ms) = (None, None, 0);
        self.note(death as u64);
    }

    /// The first start.
    pub(super) fn recover(&mut self) -> Result<(), Violation> {
        self.recover_from(Death::Kill)
    }

    fn recover_from(&mut self, death: Death) -> Result<(), Violation> {
        if self.random.one_in(4) {
            self.check_offline()?;
        }
        let death = self.open(death, true)?;
        let dump = self.dump()?;
        let pending = self.model.writing.take();
        let without = self.compare(&dump, self.candidate(&[]), death);
        let logs = match (without, &pending) {
            (Ok(logs), pending) => {
                if pending.is_some() {
                    self.reach("group that was lost");
                }
                logs
            }
            (Err(violation), None) => return Err(violation),
            (Err(without), Some(pending)) => {
                let with = self.compare(&dump, self.candidate(pending), death);
                self.reach("group that was kept");
                with.map_err(|with| format!("without the last group: {without}; with it: {with}"))?
            }
        };
        self.adopt(&dump, logs);
        self.observe()?;
        let numbers = self.model.known();
        for number in numbers {
            self.check_committed(number)?;
        }
        if self.random.one_in(3) { self.recover_again(dump) } else { Ok(()) }
    }

    /// Whatever happens to it right after, what was recovered stays that.
    fn recover_again(&mut self, before: Dump) -> Result<(), Violation> {
        let death = self.any_death();
        self.die(death);
        let death = self.open(death, true)?;
        let after = self.dump()?;
        let may_lose =
            |number: &u64| self.model.partitions[number].durable.is_async() && death == Death::PowerCut;
        let differs = |number: &&u64| before.get(number) != after.get(number) && !may_lose(number);
        if let Some(number) = before.keys().chain(after.keys()).find(differs) {
            let [before, after] = [&before, &after].map(|dump| dump.get(number).map(Found::facts));
            return Err(format!("{death:?}: recovering {number} again makes {after:?} of {before:?}"));
        }
        let logs = self.compare(&after, self.candidate(&[]), death)?;
        self.adopt(&after, logs);
        self.reach("recovered again");
        if self.random.one_in(3) { self.check_offline() } else { Ok(()) }
    }

    /// Opens the directory, with what may happen to that. Says what the worst was.
    fn open(&mut self, mut death: Death, may_fail: bool) -> Result<Death, Violation> {
        for attempt in 0.. {
            let is_planned = may_fail && attempt < ATTEMPTS_MAX && self.random.one_in(3);
            if is_planned {
                self.plan_fault();
            }
            let disk = (self.subject.disk)(&self.disk);
            let random = (self.subject.random)(self.random.next_u64());
            // A new process has memory of its own.
            self.options.tail_budget = Budget::new(self.options.tail_budget.bytes_max());
            self.neighbour.move_to(&self.options.tail_budget);
            let (options, clock) = (self.options.clone(), Arc::clone(&self.clock));
            self.say(|| format!("{death:?}, opening"));
            match Writer::recover(disk, PathBuf::from("/data"), options, clock, random) {
                Ok(writer) => {
                    self.writer = Some(writer);
                    self.plant_after_recovery();
                    // What was planned and did not happen, does not.
                    self.disk.forget_faults();
                    self.has_fault = false;
                    break;
                }
                Err(error) if is_full(&error) && self.is_full => {
                    self.reach("recovery without room");
                    self.give_room();
                    self.was_full = true;
                    self.disk.kill();
                }
                Err(error) if is_planned && is_of_disk(&error) => {
                    let next = self.any_death();
                    match next {
                        Death::Kill => self.disk.kill(),
                        Death::PowerCut => self.disk.crash(),
                    }
                    self.reach("death in a recovery");
                    death = if death == Death::Kill { next } else { death };
                }
                Err(error) => return Err(format!("it does not open: {error}")),
            }
        }
        Ok(death)
    }

    /// What was found is what there is from now on.
    fn adopt(&mut self, dump: &Dump, logs: BTreeMap<u64, Log>) {
        let handles: BTreeMap<_, _> =
            self.writer().partitions().into_iter().map(|(handle, _)| (handle.id(), handle)).collect();
        self.model.partitions.retain(|number, _| logs.contains_key(number));
        for (number, mut log) in logs {
            if log.producers.is_any_forgotten() {
                log.find_producers_again();
            }
            let partition = self.model.partitions.get_mut(&number).expect("a partition");
            let id = dump[&number].id;
            if !partition.durable.is_async() {
                partition.synced_to = log.end;
            }
            if log.end < partition.durable.end {
                partition.synced_to = partition.synced_to.min(log.end);
                if log.is_async() {
                    self.reached
                        .entry("async log that lost its end")
                        .and_modify(|times| *times += 1)
                        .or_insert(1);
                }
            }
            partition.id = Some(id);
            partition.handle = handles.get(&id).cloned();
            partition.latest = log.clone();
            partition.durable = log;
            partition.high_watermark = None;
            partition.in_flight.clear();
            partition.is_in_doubt = false;
            partition.gaps.clear();
            self.model.ids.insert(id, number);
        }
    }

    /// The offline checker finds nothing that is lost.
    pub(super) fn check_offline(&mut self) -> Result<(), Violation> {
        let shared: Arc<dyn Disk> = Arc::new(self.disk.clone());
        let mut damage = None;
        let result = check(&shared, &layout(), |finding| {
            if finding.problem.severity() == Severity::Damage {
                damage.get_or_insert(finding.to_string());
            }
        });
        match (result, damage) {
            // Before the first start came to its end there is none.
            (Err(crate::check::CheckError::NoDirectory { .. }), _) => {}
            (Err(error), _) => return Err(format!("the checker: {error}")),
            (_, Some(damage)) => return Err(format!("the checker found {damage}")),
            (Ok(_), None) => self.reach("checked offline"),
        }
        Ok(())
    }

    /// Closes the directory as one should, and opens it again.
    pub(super) fn close(&mut self) -> Result<(), Violation> {
        if !self.close_only()? {
            return if self.writer.is_none() { self.restart() } else { Ok(()) };
        }
        let death = self.any_death();
        self.die(death);
        self.recover_from(death)
    }

    /// Says whether it came to that.
    pub(super) fn close_only(&mut self) -> Result<bool, Violation> {
        self.settle()?;
        if self.has_failed() || self.group.is_some() || !self.jobs.is_empty() || !self.sent.is_empty() {
            return Ok(false);
        }
        self.writer().mailbox().close();
        let Some(writer) = self.writer.take() else { return Ok(false) };
        let is_closed = writer.close().is_ok();
        self.reach(if is_closed { "clean end" } else { "end that failed" });
        match is_closed || self.has_fault || self.is_full {
            true => Ok(is_closed),
            false => Err("it cannot be closed".to_owned()),
        }
    }
}

/// Whether the disk had no room for it.
fn is_full(error: &EngineError) -> bool {
    let is_full = |source: &std::io::Error| source.kind() == ErrorKind::StorageFull;
    match error {
        EngineError::Directory(DirectoryError::Io { source, .. })
        | EngineError::Journal(journal::Error::Io { source, .. })
        | EngineError::Manifest(ManifestError::Journal(journal::Error::Io { source, .. }))
        | EngineError::Io { source, .. } => is_full(source),
        EngineError::Segment(error) => error.is_disk_full(),
        EngineError::Manifest(ManifestError::DiskFull) => true,
        _ => false,
    }
}

/// Whether the disk did not do what it was asked, as opposed to bytes that are not what they should be.
pub(super) fn is_of_disk(error: &EngineError) -> bool {
    match error {
        EngineError::Directory(DirectoryError::Io { .. })
        | EngineError::Journal(journal::Error::Io { .. })
        | EngineError::Manifest(
            ManifestError::Journal(journal::Error::Io { .. }) | ManifestError::DiskFull,
        )
        | EngineError::Segment(SegmentError::Io { .. })
        | EngineError::Io { .. } => true,
        EngineError::Compaction(error) => !error.is_corrupt(),
        _ => false,
    }
}
