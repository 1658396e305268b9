//! Another directory of the same process, as far as this one notices it: its tails take from the same budget.

use super::Simulation;
use crate::journal::BufferPool;
use crate::random::Random;
use crate::tail::{Budget, Frames};

/// The frames of another directory.
pub(super) struct Neighbour {
    frames: Frames,
    pool: BufferPool,
    /// Its own, so that what it does leaves the rest of a run as it is.
    random: Random,
    last: u64,
}

impl Neighbour {
    pub(super) fn new(budget: &Budget, seed: u64) -> Self {
        let (frames, pool) = (Frames::new(budget.clone()), BufferPool::default());
        Self { frames, pool, random: Random::from_seed(seed), last: 0 }
    }

    /// Moves into a new process, which has a budget of its own.
    pub(super) fn move_to(&mut self, budget: &Budget) {
        self.frames = Frames::new(budget.clone());
    }

    fn is_due(&mut self) -> bool {
        self.random.one_in(30)
    }

    fn act(&mut self) {
        if self.random.one_in(4) {
            self.frames.forget_up_to(self.last);
        } else {
            self.last += 1;
            let frame = vec![0; 1 + self.random.index(200_000)];
            self.frames.keep(self.last, 1, 0, self.pool.copy_of(&frame));
        }
    }
}

impl Simulation {
    /// Gives the neighbour a turn.
    pub(super) fn let_neighbour_act(&mut self) {
        if self.writer.is_some() && self.neighbour.is_due() {
            let before = self.batches_in_memory();
            self.neighbour.act();
            if self.batches_in_memory() < before {
                self.reach("evicted for a neighbour");
            }
        }
    }

    /// How many batches that are in no segment are in memory.
    fn batches_in_memory(&self) -> usize {
        let Some(writer) = &self.writer else { return 0 };
        let frames = &writer.sources.frames;
        let in_log = |partition: &crate::engine::Partition| {
            let view = partition.view();
            let entries = view.tail.iter();
            entries
                .filter(|entry| frames.slice(entry.frame, entry.offset_in_frame, entry.length).is_some())
                .count()
        };
        writer.logs.values().map(|log| in_log(&log.partition)).sum()
    }
}
