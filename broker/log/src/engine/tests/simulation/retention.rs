//! What may be given up by retention.

use std::rc::Rc;

use super::batch::Batch;
use super::compacted::{last_of_keys, times_left};
use super::{Simulation, Violation};
use crate::clock::Clock;
use crate::retention::WallClockGuard;

impl Simulation {
    /// Whether the rules let a log begin at an offset now. They are about segments, and this is about batches: it
    /// is what follows from the rules wherever segments begin and end.
    pub(super) fn check_retention(&self, number: u64, start_offset: i64) -> Result<(), Violation> {
        let partition = &self.model.partitions[&number];
        let (log, now_ms) = (&partition.durable, self.clock.wall_ms());
        let wrong = |what: &str| Err(format!("retention lets {number} begin at {start_offset}: {what}"));
        if start_offset > partition.high_watermark() {
            return wrong("that is above the high watermark");
        }
        if !log.config.cleanup.deletes {
            return wrong("nothing is to be deleted");
        }
        let is_trusted = self.wall.set_at.is_none_or(|set_at| {
            self.clock.monotonic().saturating_sub(set_at) >= WallClockGuard::GRACE_DEFAULT
        });
        let oldest_ms = now_ms.saturating_sub(log.config.retention_ms);
        let is_late = |timestamp: i64| (1..=now_ms).contains(&timestamp) && timestamp < oldest_ms;
        let last = last_of_keys(log);
        let is_old = |batch: &Batch| {
            let timestamp = batch.header.max_timestamp;
            // Segments may have been begun while the clock was wrong, and one without a time goes with others that
            // have one of up to two seconds before they were sent.
            let appended_ms = (batch.sent_ms - 2_000).min(self.wall.earliest_ms);
            // Compaction may have taken the records with the latest time, and left what is older.
            let is_spent = self.latest_ms() >= batch.sent_ms.saturating_add(partition.delete_retention_ms);
            let may_be_gone = log.compacted
                && times_left(log, batch, &last, is_spent)
                    .all(|time| is_late(time) || !(1..=now_ms).contains(&time));
            log.config.retention_ms >= 0 && (is_late(timestamp) || appended_ms < oldest_ms || may_be_gone)
        };
        let batches = log.from(log.start);
        let mut left: u64 = batches.iter().map(|batch| batch.bytes.len() as u64).sum();
        let kept = u64::try_from(log.config.retention_bytes).unwrap_or(u64::MAX);
        let mut is_over_size = true;
        let going = || batches.iter().filter(|batch| batch.last_offset < start_offset);
        // One without a time has that of the others in its segment, of those before the start as well.
        let is_before = |batch: &&Rc<Batch>| batch.last_offset < start_offset;
        let is_old = |batch: &Batch| {
            let has_others = || log.batches.iter().filter(is_before).any(|other| is_old(other));
            is_old(batch) || (batch.header.max_timestamp <= 0 && has_others())
        };
        for batch in going() {
            left -= batch.bytes.len() as u64;
            is_over_size &= left >= kept;
            if !is_over_size && !is_old(batch) {
                let (sent_ms, timestamp) = (batch.sent_ms, batch.header.max_timestamp);
                return wrong(&format!(
                    "it is {now_ms}, of {sent_ms} and {timestamp}, {left} bytes left of {kept}, from {}",
                    log.start
                ));
            }
            if !is_over_size && !is_trusted {
                return wrong("somebody has just set the clock");
            }
        }
        Ok(())
    }
}
