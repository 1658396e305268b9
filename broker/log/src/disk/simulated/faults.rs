//! What goes wrong on the simulated disk, and when.

use std::collections::BTreeMap;

use super::stalls::Hold;

/// What can be asked of a disk.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[expect(missing_docs, reason = "each is the method of that name")]
pub enum Operation {
    Allocate,
    Create,
    CreateDirectory,
    FreeBytes,
    Length,
    List,
    Lock,
    Open,
    Read,
    Remove,
    RemoveDirectory,
    Rename,
    SetLength,
    StartWriteback,
    Sync,
    SyncDirectory,
    SyncFileSystem,
    Write,
    WritePastCache,
}

/// What becomes of an operation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Outcome {
    Done,
    /// An error of the disk.
    Failed,
    /// The machine halts in the middle of it.
    Halted,
}

/// What is to go wrong.
#[derive(Debug, Default)]
pub(super) struct Faults {
    /// For each operation, after how many more of its kind one fails.
    failures: BTreeMap<Operation, Vec<u64>>,
    /// For each operation, after how many more of its kind one hangs, and for how long.
    holds: BTreeMap<Operation, Vec<(u64, Hold)>>,
    /// After how many more operations of any kind the machine halts.
    halt_in: Option<u64>,
}

impl Faults {
    pub(super) fn fail(&mut self, operation: Operation, nth: u64) {
        self.failures.entry(operation).or_default().push(nth);
    }

    pub(super) fn hold(&mut self, operation: Operation, nth: u64, hold: Hold) {
        self.holds.entry(operation).or_default().push((nth, hold));
    }

    pub(super) fn halt_in(&mut self, operations: Option<u64>) {
        self.halt_in = operations;
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Counts an operation that is about to begin, and says what it waits for first.
    pub(super) fn holds(&mut self, operation: Operation) -> Vec<Hold> {
        let Some(holds) = self.holds.get_mut(&operation) else { return Vec::new() };
        holds.iter_mut().for_each(|(left, _)| *left = left.saturating_sub(1));
        holds.extract_if(.., |(left, _)| *left == 0).map(|(_, hold)| hold).collect()
    }

    /// Counts an operation that happens now.
    pub(super) fn outcome(&mut self, operation: Operation) -> Outcome {
        if let Some(left) = &mut self.halt_in {
            *left = left.saturating_sub(1);
            if *left == 0 {
                return Outcome::Halted;
            }
        }
        let Some(failures) = self.failures.get_mut(&operation) else { return Outcome::Done };
        failures.iter_mut().for_each(|left| *left = left.saturating_sub(1));
        let before = failures.len();
        failures.retain(|left| *left > 0);
        if failures.len() < before { Outcome::Failed } else { Outcome::Done }
    }
}
