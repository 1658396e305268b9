//! What a log has to be after a sequence of operations: the plain truth that the engine is held against.

use std::fmt;
use std::str::FromStr;

use strandline_log::config::{Cleanup, Durability, LogConfig};

use crate::{Failure, Outcome};

/// A partition's name, never given twice. The engine keeps it as the partition's description.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct Name {
    /// Which of the writer's partitions it is.
    pub(crate) slot: u32,
    /// How many there were before it, anywhere. Its producer's id, too.
    pub(crate) generation: u32,
}

impl Name {
    pub(crate) fn producer_id(self) -> i64 {
        i64::from(self.generation)
    }

    /// Values of different partitions have different numbers.
    pub(crate) fn first_number(self) -> u64 {
        u64::from(self.generation) << 32
    }

    pub(crate) fn kind(self) -> Kind {
        Kind::of_slot(self.slot)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.slot, self.generation)
    }
}

impl FromStr for Name {
    type Err = Failure;

    fn from_str(text: &str) -> Outcome<Self> {
        let (slot, generation) = text.split_once('/').ok_or_else(|| format!("{text:?} is no name"))?;
        Ok(Self { slot: slot.parse()?, generation: generation.parse()? })
    }
}

/// What is done with a partition.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// `fsync`; its end is cut off and its start moved.
    Plain,
    /// `fsync`; the engine moves its start by size.
    Sized,
    /// `async`; its end is cut off and its start moved.
    Async,
    /// The same, and now `fsync`, now `async`.
    Switching,
    /// `fsync`, and compacted; its start is moved.
    Compacting,
}

/// So many keys a compacted log has.
const KEYS: u64 = 40;

/// A log that the engine shortens by itself keeps so many bytes.
pub(crate) const RETENTION_BYTES: u64 = 300_000;

impl Kind {
    pub(crate) fn of_slot(slot: u32) -> Self {
        match slot % 5 {
            0 => Self::Plain,
            1 => Self::Sized,
            2 => Self::Async,
            3 => Self::Switching,
            _ => Self::Compacting,
        }
    }

    /// How such a partition begins.
    pub(crate) fn durability(self) -> Durability {
        if self == Self::Async { Durability::Async } else { Durability::Fsync }
    }

    /// Whether its end may be cut off. What compaction took in favour of what is cut off would be gone.
    pub(crate) fn is_cut(self) -> bool {
        !matches!(self, Self::Sized | Self::Compacting)
    }

    /// The key of the record with this number.
    pub(crate) fn key(self, number: u64) -> u64 {
        if self == Self::Compacting { number % KEYS } else { number }
    }

    pub(crate) fn config(self, durability: Durability) -> LogConfig {
        let compacts = self == Self::Compacting;
        LogConfig {
            durability,
            cleanup: Cleanup { deletes: !compacts, compacts },
            segment_bytes: if compacts { 80_000 } else { 120_000 },
            dirty_ratio_min: 0.2,
            retention_ms: -1,
            retention_bytes: if self == Self::Sized { RETENTION_BYTES.cast_signed() } else { -1 },
            ..LogConfig::default()
        }
    }
}

/// Records with consecutive numbers, sent together.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Batch {
    pub(crate) base_offset: i64,
    pub(crate) count: i32,
    pub(crate) sequence: i32,
    pub(crate) first_number: u64,
}

impl Batch {
    pub(crate) fn last_offset(&self) -> i64 {
        self.base_offset + i64::from(self.count) - 1
    }

    pub(crate) fn numbers(&self) -> impl Iterator<Item = u64> + use<> {
        self.first_number..self.first_number + u64::from(self.count.unsigned_abs())
    }
}

/// Something that is asked of a partition.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Operation {
    Create,
    /// Where it comes to lie is the engine's decision.
    Append(Batch),
    Truncate(i64),
    SetLogStart(i64),
    Switch(Durability),
    Delete,
}

/// What a log holds.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct State {
    /// In order. Those before the log's start may be missing, but not the last of them: the producer goes on
    /// behind it.
    pub(crate) batches: Vec<Batch>,
    pub(crate) end: i64,
}

/// Where a batch has to be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Placed {
    pub(crate) base_offset: i64,
    pub(crate) is_duplicate: bool,
}

impl State {
    /// What follows from an operation; for a batch, the place that it gets.
    pub(crate) fn apply(&mut self, operation: &Operation) -> Option<Placed> {
        match operation {
            Operation::Append(batch) => return Some(self.append(batch)),
            Operation::Truncate(end) if *end < self.end => {
                self.batches.retain(|batch| batch.last_offset() < *end);
                self.end = *end;
            }
            _ => {}
        }
        None
    }

    fn append(&mut self, batch: &Batch) -> Placed {
        let same = |other: &&Batch| other.first_number == batch.first_number;
        // Only what was sent last is sent again.
        if let Some(found) = self.batches.iter().rev().take(16).find(same) {
            return Placed { base_offset: found.base_offset, is_duplicate: true };
        }
        let base_offset = self.end;
        self.batches.push(Batch { base_offset, ..*batch });
        self.end += i64::from(batch.count);
        Placed { base_offset, is_duplicate: false }
    }

    /// The number that the producer's next record has in its own count.
    pub(crate) fn next_sequence(&self) -> i32 {
        self.batches.last().map_or(0, |last| last.sequence + last.count)
    }

    /// What is there for a log that begins at an offset.
    pub(crate) fn since(&self, start: i64) -> &[Batch] {
        let first = self.batches.partition_point(|batch| batch.last_offset() < start);
        self.batches.get(first..).unwrap_or_default()
    }

    /// Forgets what nobody will ask for.
    pub(crate) fn forget_before(&mut self, start: i64) {
        let first = self.batches.partition_point(|batch| batch.last_offset() < start);
        self.batches.drain(..first.saturating_sub(1));
    }
}
