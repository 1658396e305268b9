//! What was acknowledged of a log, what is in doubt, and what therefore may be found.

use super::super::{Command, Done, LocalId, Refusal, assert_records, batch, read_all};
use super::super::{append, keyed};
use super::Story;
use crate::config::{Durability, LogConfig};

type Record = (i64, Vec<u8>);

/// One log's account.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) id: Option<LocalId>,
    is_async: bool,
    /// Whether all but the last record of each key may go.
    is_compacted: bool,
    records: Vec<Record>,
    /// So many of them survive the machine. All do, of an `fsync` log.
    safe: usize,
    start: i64,
    is_deleted: bool,
    /// What was asked last and not answered: it may have been done.
    in_doubt: Option<Doubt>,
    last_number: u32,
}

/// Something that was asked.
#[derive(Clone, Debug)]
enum Doubt {
    Append(Record),
    Cut(i64),
    Start(i64),
    Deletion,
    Other,
}

impl Story {
    pub(super) fn create(&mut self, config: LogConfig) {
        self.ledger.is_async = config.durability == Durability::Async;
        self.ledger.is_compacted = config.cleanup.compacts;
        self.ledger.id = Some(self.rig.create(config).id());
    }

    fn id(&self) -> LocalId {
        self.ledger.id.unwrap()
    }

    /// Appends so many records of a kilobyte, each by itself. Nothing comes behind one that is in doubt.
    pub(super) fn append(&mut self, count: u32) {
        for _ in 0..count {
            if self.ledger.in_doubt.is_some() || self.ledger.is_deleted {
                return;
            }
            self.ledger.last_number += 1;
            let number = self.ledger.last_number;
            let mut value = number.to_le_bytes().to_vec();
            value.resize(1_000, 7);
            let bytes = if self.ledger.is_compacted { keyed(key(number), &value) } else { batch(&[&value]) };
            match self.rig.call(append(self.id(), bytes)) {
                Ok(Done::Appended { base_offset, .. }) => self.ledger.records.push((base_offset, value)),
                Err(Refusal::Offline(_)) => {
                    let next = self.ledger.records.last().map_or(self.ledger.start, |(last, _)| last + 1);
                    self.ledger.in_doubt = Some(Doubt::Append((next, value)));
                }
                other => panic!("{other:?}"),
            }
            self.ledger.note_safe();
        }
    }

    fn ask(&mut self, command: Command, doubt: Doubt) {
        if self.ledger.in_doubt.is_some() {
            return;
        }
        match self.rig.call(command) {
            Ok(_) => self.ledger.is_done(&doubt),
            Err(Refusal::Offline(_)) => self.ledger.in_doubt = Some(doubt),
            // The machine stands still, and it was not begun.
            Err(Refusal::Unreadable(_)) => self.ledger.in_doubt = Some(Doubt::Other),
            Err(other) => panic!("{other}"),
        }
    }

    pub(super) fn truncate(&mut self, end_offset: i64) {
        self.ask(Command::Truncate { partition: self.id(), end_offset }, Doubt::Cut(end_offset));
    }

    pub(super) fn set_start(&mut self, start_offset: i64) {
        self.ask(Command::SetLogStart { partition: self.id(), start_offset }, Doubt::Start(start_offset));
    }

    pub(super) fn delete(&mut self) {
        self.ask(Command::Delete { partition: self.id() }, Doubt::Deletion);
    }

    /// Gives the log other settings. All that it has is safe before the answer.
    pub(super) fn configure(&mut self, config: LogConfig) {
        let is_async = config.durability == Durability::Async;
        self.ask(Command::Configure { partition: self.id(), config: config.into() }, Doubt::Other);
        if self.ledger.in_doubt.is_none() {
            self.ledger.safe = self.ledger.records.len();
            self.ledger.is_async = is_async;
        }
    }

    /// Lets the manifest hear of everything.
    pub(super) fn save(&mut self) {
        self.rig.clock.advance(60_000);
        self.rig.settle();
        if self.rig.writer().offline().is_none() {
            self.ledger.safe = self.ledger.records.len();
        }
    }

    /// Holds what is there against what may be there; from then on that is what is known.
    pub(super) fn check(&mut self, what: &str) {
        let id = self.id();
        let is_there = self.rig.writer().partitions().iter().any(|(partition, _)| partition.id() == id);
        let Ledger { is_deleted, in_doubt, .. } = &self.ledger;
        if !is_there {
            assert!(*is_deleted || matches!(in_doubt, Some(Doubt::Deletion)), "{what}: the log is gone");
            self.ledger.is_deleted = true;
            self.ledger.in_doubt = None;
            return;
        }
        assert!(!is_deleted, "{what}: what was deleted is back");
        let partition = self.rig.partition(id);
        let start = partition.offsets().start;
        let found = read_all(&partition, start);
        self.ledger.take_stock(start, found, what);
    }
}

impl Ledger {
    fn note_safe(&mut self) {
        if !self.is_async {
            self.safe = self.records.len();
        }
    }

    fn is_done(&mut self, doubt: &Doubt) {
        match doubt {
            Doubt::Append(record) => self.records.push(record.clone()),
            Doubt::Cut(end_offset) => {
                self.records.retain(|(offset, _)| offset < end_offset);
                self.safe = self.safe.min(self.records.len());
            }
            Doubt::Start(start) => {
                let before = self.records.len();
                self.records.retain(|(offset, _)| offset >= start);
                self.safe = self.safe.saturating_sub(before - self.records.len());
                self.start = *start;
            }
            Doubt::Deletion => self.is_deleted = true,
            Doubt::Other => {}
        }
        self.note_safe();
    }

    fn take_stock(&mut self, start: i64, found: Vec<Record>, what: &str) {
        if let Some(doubt) = self.in_doubt.take()
            && self.has_happened(&doubt, start, &found)
        {
            self.is_done(&doubt);
        }
        assert_eq!(start, self.start, "{what}: where it begins");
        if self.is_compacted {
            self.check_keys(&found, what);
        } else if self.is_async {
            assert!(found.len() >= self.safe, "{what}: {} of {} are there", found.len(), self.safe);
            assert_records(&found, &self.records[..found.len().min(self.records.len())], what);
        } else {
            assert_records(&found, &self.records, what);
        }
        if !self.is_compacted {
            self.records = found;
        }
    }

    fn has_happened(&self, doubt: &Doubt, start: i64, found: &[Record]) -> bool {
        match doubt {
            Doubt::Append(record) => found.contains(record),
            Doubt::Cut(end_offset) => found.last().is_none_or(|(last, _)| last < end_offset),
            Doubt::Start(asked) => start == *asked,
            Doubt::Deletion | Doubt::Other => false,
        }
    }

    /// Of each key the last record is there, and nothing that never was.
    fn check_keys(&self, found: &[Record], what: &str) {
        let number = |record: &Record| u32::from_le_bytes(record.1[..4].try_into().unwrap());
        for record in &self.records {
            let key = key(number(record));
            let is_last = !self.records.iter().any(|one| one.0 > record.0 && self::key(number(one)) == key);
            assert!(!is_last || found.contains(record), "{what}: the last record of key {key} is not there");
        }
        assert!(found.iter().all(|record| self.records.contains(record)), "{what}");
        assert!(found.is_sorted_by(|one, other| one.0 < other.0), "{what}: the order is another");
    }
}

/// A third of the keys come once, the others again and again.
fn key(number: u32) -> u32 {
    if number.is_multiple_of(3) { 1_000 + number } else { number % 5 }
}
