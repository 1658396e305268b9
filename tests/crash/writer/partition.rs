//! What a thread knows of one of its partitions, and what it asks of it next.

use std::collections::VecDeque;
use std::sync::Arc;

use strandline_log::config::Durability;
use strandline_log::engine::Partition;
use strandline_log::random::Random;

use super::SLOTS;
use crate::briefing::Known;
use crate::model::{Batch, Kind, Name, Operation, State};

/// A producer's last five batches are recognised when they come again, so that no more may be on their way.
const IN_FLIGHT_MAX: usize = 5;

/// A log is kept to about so many records.
const RECORDS_MAX: i64 = 3_000;

/// Partitions of the first slots live long.
const LONG_LIVED: u32 = SLOTS / 3;

/// A partition that is there.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) name: Name,
    pub(super) partition: Arc<Partition>,
    /// As acknowledged.
    pub(super) state: State,
    next_sequence: i32,
    next_number: u64,
    again: VecDeque<Batch>,
    start_asked: i64,
    in_flight: usize,
    /// Something is on its way that nothing may come behind before it is answered.
    is_waiting: bool,
    /// What a partition is that switches is not known when it is found.
    is_durability_known: bool,
    is_async: bool,
}

impl Live {
    pub(super) fn new(name: Name, partition: Arc<Partition>) -> Self {
        let state = State::default();
        let known = Known { name, start: 0, state, next_number: name.first_number(), again: Vec::new() };
        Self { is_durability_known: true, ..Self::known(known, partition) }
    }

    pub(super) fn known(known: Known, partition: Arc<Partition>) -> Self {
        let Known { name, start, state, next_number, again } = known;
        // What is sent again may be there already, and more behind it.
        let last_again = again.last().map_or(0, |last| last.sequence + last.count);
        Self {
            name,
            partition,
            next_sequence: state.next_sequence().max(last_again),
            state,
            next_number,
            again: again.into(),
            start_asked: start,
            in_flight: 0,
            is_waiting: false,
            is_durability_known: name.kind() != Kind::Switching,
            is_async: name.kind() == Kind::Async,
        }
    }

    pub(super) fn can_ask(&self, in_flight_max: usize) -> bool {
        !self.is_waiting && self.in_flight < in_flight_max.min(IN_FLIGHT_MAX)
    }

    /// Whether something is on its way that may leave less than there is.
    pub(super) fn is_waiting(&self) -> bool {
        self.is_waiting
    }

    /// What is asked next.
    pub(super) fn next(&mut self, random: &mut Random) -> Operation {
        let operation = self.choose(random);
        self.in_flight += 1;
        self.is_waiting = matches!(
            operation,
            Operation::Truncate(_) | Operation::Switch(_) | Operation::Delete | Operation::Create
        );
        operation
    }

    fn choose(&mut self, random: &mut Random) -> Operation {
        if self.state.batches.is_empty() && self.state.end > 0 {
            // Nobody knows how its producer goes on.
            return Operation::Delete;
        }
        if !self.is_durability_known {
            return Operation::Switch(Durability::Fsync);
        }
        if let Some(batch) = self.again.pop_front() {
            return Operation::Append(batch);
        }
        let kind = self.name.kind();
        let length = self.state.end - self.start_asked;
        match random.below(1_000) {
            0..4 if self.name.slot >= LONG_LIVED => Operation::Delete,
            // A cut at the end is answered at once as well, and syncs nothing.
            4..14 if kind.is_cut() => match self.some(length, random) {
                0 => Operation::Append(self.batch(random)),
                some => Operation::Truncate(self.state.end - some),
            },
            14..30 if kind != Kind::Sized => {
                let by = self.some(length, random);
                // A start that is there already is answered at once, whatever is on its way.
                if by == 0 { Operation::Append(self.batch(random)) } else { self.move_start(by) }
            }
            30..38 if kind == Kind::Switching => {
                let to = if self.is_async { Durability::Fsync } else { Durability::Async };
                Operation::Switch(to)
            }
            _ if kind != Kind::Sized && length > RECORDS_MAX => self.move_start(RECORDS_MAX / 2),
            _ => Operation::Append(self.batch(random)),
        }
    }

    /// Some of so many records: mostly a few, at times all.
    fn some(&self, length: i64, random: &mut Random) -> i64 {
        let bound = match random.below(10) {
            0 => length,
            1..4 => length / 4,
            _ => length / 50,
        };
        random.below(u64::try_from(bound).unwrap_or(0) + 1).cast_signed()
    }

    fn move_start(&mut self, by: i64) -> Operation {
        self.start_asked = (self.start_asked + by).min(self.state.end);
        Operation::SetLogStart(self.start_asked)
    }

    fn batch(&mut self, random: &mut Random) -> Batch {
        let count = if random.one_in(20) { 30 } else { 1 + i32::try_from(random.below(4)).unwrap_or(0) };
        let (sequence, first_number) = (self.next_sequence, self.next_number);
        self.next_sequence += count;
        self.next_number += u64::from(count.unsigned_abs());
        Batch { base_offset: 0, count, sequence, first_number }
    }

    /// Something was done.
    pub(super) fn done(&mut self, operation: &Operation) {
        self.answered();
        self.state.apply(operation);
        match operation {
            // What was in flight before it is answered before it.
            Operation::Truncate(_) => self.next_sequence = self.state.next_sequence(),
            Operation::Switch(durability) => {
                self.is_async = *durability == Durability::Async;
                self.is_durability_known = true;
            }
            Operation::SetLogStart(start) => self.state.forget_before(*start),
            _ => {}
        }
    }

    /// Something was refused: it is as if it had never been asked, unless nobody knows what became of it.
    pub(super) fn refused(&mut self, operation: &Operation, is_known: bool) {
        let was_waiting = self.is_waiting;
        self.answered();
        match operation {
            Operation::Append(batch) if is_known => self.next_sequence = batch.sequence,
            Operation::Append(_) | Operation::SetLogStart(_) => {}
            // What may come behind it follows from what became of it.
            _ => self.is_waiting = was_waiting && !is_known,
        }
    }

    fn answered(&mut self) {
        self.in_flight -= 1;
        // What is waited for is the last that was asked.
        self.is_waiting &= self.in_flight > 0;
    }

    /// A batch that was acknowledged and may still be read.
    pub(super) fn acknowledged(&self, random: &mut Random) -> Option<Batch> {
        let readable = self.state.since(self.partition.offsets().start);
        // Mostly one of the last.
        let recent = readable.len().min(if random.one_in(4) { readable.len() } else { 8 });
        let back = random.index(recent.max(1)) + 1;
        readable.len().checked_sub(back).and_then(|index| readable.get(index)).copied()
    }
}
