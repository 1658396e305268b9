//! Producers that sent nothing for long are forgotten, at the engine's own rounds and no sooner.

use std::collections::BTreeSet;
use std::time::Duration;

use super::model::{Op, Pending};
use super::{Simulation, Violation};
use crate::clock::Clock;
use crate::retention::WallClockGuard;

/// What tells a round of housekeeping: when the last one was, and the logs that the next one would look at.
pub(super) struct Before {
    last: Duration,
    numbers: Vec<u64>,
}

impl Simulation {
    pub(super) fn before_round(&mut self) -> Before {
        let writer = self.writer.as_ref().expect("a writer");
        let steady = writer.logs.iter().filter(|(_, log)| !log.is_ending && !log.is_changing);
        let numbers = steady.filter_map(|(id, _)| self.model.number_of(*id)).collect();
        Before { last: writer.housekeeping.last_round().0, numbers }
    }

    /// Lets the model forget as well, if there was a round.
    pub(super) fn forget_producers(&mut self, before: &Before) -> Result<(), Violation> {
        let (last, now_ms) = self.writer().housekeeping.last_round();
        if last != before.last {
            (self.wall.seen_set_at, self.wall.unseen_ms) = (self.wall.set_at, 0);
        }
        let Some(now_ms) = now_ms.filter(|_| last != before.last) else { return Ok(()) };
        let set_at = self.wall.set_at;
        let expiration_ms = self.options.producer_expiration_ms;
        let mut forgotten = 0;
        for number in &before.numbers {
            let busy = self.busy_producers(*number);
            let Some(partition) = self.model.partitions.get_mut(number) else { continue };
            partition.awaiting.forget_old(now_ms, expiration_ms);
            forgotten += partition.latest.producers.forget(now_ms, expiration_ms, &busy);
            partition.durable.producers.forget(now_ms, expiration_ms, &busy);
        }
        if forgotten > 0 {
            self.reach("producer that was forgotten");
        }
        let age = set_at.map(|set_at| self.clock.monotonic().saturating_sub(set_at));
        match age.is_some_and(|age| age < WallClockGuard::GRACE_DEFAULT) && forgotten > 0 {
            true => Err("producers are forgotten by a clock that was just set".to_owned()),
            false => Ok(()),
        }
    }

    /// Producers that have a batch staged.
    fn busy_producers(&self, number: u64) -> BTreeSet<i64> {
        let staged = self.model.writing.iter().flatten().chain(&self.model.forming);
        let batches = staged.filter_map(|pending| match pending {
            Pending { number: of, op: Op::Append(batch), .. } if *of == number => batch.producer(),
            _ => None,
        });
        batches.collect()
    }
}
