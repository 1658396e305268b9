//! What is done now and then: old records go, and producers that sent nothing for long are forgotten.
//!
//! A round goes over all logs, a few at a time, so that no append waits for many of them.

use std::sync::Arc;
use std::time::Duration;

use super::super::group::Change;
use super::super::log::Log;
use super::super::observer::{Event, Reason};
use super::Writer;
use crate::config::LogConfig;
use crate::local_id::LocalId;
use crate::retention::{Removal, SegmentAge, WallClockGuard, removal};

/// So many logs are looked at in one go.
const LOGS_AT_ONCE: usize = 256;

/// How far a round is.
#[derive(Debug)]
pub(in super::super) struct Housekeeping {
    guard: WallClockGuard,
    /// When the last round began.
    last: Duration,
    /// What is left of this one, the last ones first.
    left: Vec<LocalId>,
    /// What the wall's clock shows, unless it cannot be trusted.
    now_ms: Option<i64>,
}

impl Housekeeping {
    pub(in super::super) fn new(guard: WallClockGuard, now: Duration) -> Self {
        Self { guard, last: now, left: Vec::new(), now_ms: None }
    }
}

impl Housekeeping {
    /// Lets the next round begin at once.
    pub(super) fn hurry(&mut self) {
        self.last = Duration::ZERO;
    }

    /// When the last round began, and by which time.
    #[cfg(test)]
    pub(in super::super) fn last_round(&self) -> (Duration, Option<i64>) {
        (self.last, self.now_ms)
    }
}

impl Writer {
    pub(super) fn plan_housekeeping(&mut self) {
        let now = self.clock.monotonic();
        if self.housekeeping.left.is_empty() {
            if now - self.housekeeping.last < self.options.housekeeping_interval {
                return;
            }
            self.housekeeping.last = now;
            self.housekeeping.now_ms = self.housekeeping.guard.now_ms(&*self.clock);
            self.housekeeping.left.extend(self.logs.keys());
            self.housekeeping.left.sort_unstable();
            self.tell(&Event::Housekeeping { is_clock_trusted: self.housekeeping.now_ms.is_some() });
        }
        let kept = self.housekeeping.left.len().saturating_sub(LOGS_AT_ONCE);
        for partition in self.housekeeping.left.split_off(kept) {
            self.look_after(partition);
        }
    }

    fn look_after(&mut self, partition: LocalId) {
        let (now_ms, is_trusted) = match self.housekeeping.now_ms {
            Some(now_ms) => (now_ms, true),
            None => (self.clock.wall_ms(), false),
        };
        let expiration_ms = self.options.producer_expiration_ms;
        let Some(log) = self.logs.get_mut(&partition).filter(|log| !log.is_ending && !log.is_changing) else {
            return;
        };
        let forgotten = if is_trusted { log.producers.remove_expired(now_ms, expiration_ms) } else { 0 };
        if is_trusted && let Some(verifications) = &mut log.partition.view().verifications {
            verifications.remove_expired(now_ms, expiration_ms);
        }
        if forgotten > 0 {
            let event = Event::ProducersExpired { log: &log.description, count: forgotten };
            self.options.observer.see(&event);
        }
        if let Some(plan) = log.plan_compaction(now_ms) {
            self.compactions.consider(partition, &plan);
        }
        if self.compactions.is_replacing(partition) {
            return;
        }
        if let Some(frame) = log.first_overdue(self.housekeeping.now_ms) {
            self.flushing.want_up_to(frame, Reason::Retention);
        }
        let Some(removal) = log.start_by_retention(self.housekeeping.now_ms, now_ms) else { return };
        let (start_offset, log) = (removal.log_start_offset, log.description.clone());
        // If there is no room for it now, the next round comes to the same.
        if let Ok(true) = self.stage_change(partition, Change::SetLogStart { start_offset }, None) {
            self.tell(&Event::Expired {
                log: &log,
                start_offset,
                segments: removal.segments,
                segments_by_size: removal.segments_by_size,
                bytes: removal.bytes,
            });
        }
    }
}

impl Log {
    /// The frame of the first batch that is in no segment, if retention has to see what lies there: it has grown old
    /// where it is, or is more than the log may have.
    fn first_overdue(&self, now_ms: Option<i64>) -> Option<u64> {
        let frame = self.first_unflushed.filter(|_| self.config.cleanup.deletes)?;
        let LogConfig { retention_ms, retention_bytes, .. } = *self.config;
        let view = self.partition.view();
        let timestamp = view.tail.iter().next().map(|first| first.max_timestamp).filter(|time| *time > 0);
        let is_old = timestamp.zip(now_ms.filter(|_| retention_ms >= 0));
        let is_old =
            is_old.is_some_and(|(timestamp, now_ms)| timestamp < now_ms.saturating_sub(retention_ms));
        let in_segments = view.segments.iter().map(|segment| segment.length()).sum::<u64>();
        // The oldest segment can go once there is as much besides it, here and there.
        let oldest = view.segments.first().map_or(0, |segment| segment.length());
        let excess = |allowed| (in_segments + view.tail.bytes()).checked_sub(allowed);
        let excess = u64::try_from(retention_bytes).ok().and_then(excess);
        let is_much = excess.is_some_and(|excess| excess > 0 && excess >= oldest);
        (is_old || is_much).then_some(frame)
    }

    /// Where the log should begin, if that is not where it begins. Segments that have to go are sealed.
    fn start_by_retention(&mut self, now_ms: Option<i64>, wall_ms: i64) -> Option<Removal> {
        let appended_ms = *self.appended_ms.get_or_insert(wall_ms);
        let (segments, offsets) = {
            let view = self.partition.view();
            (view.segments.clone(), view.offsets())
        };
        let next_created = segments.iter().skip(1).map(|next| next.facts().created_ms).chain([appended_ms]);
        let ages: Vec<_> = segments
            .iter()
            .zip(next_created)
            .map(|(segment, appended_ms)| SegmentAge {
                end_offset: segment.end_offset(),
                bytes: segment.length(),
                max_timestamp: segment.max_timestamp(),
                appended_ms,
            })
            .collect();
        let removal = removal(&ages, &self.config, offsets.start, offsets.high_watermark, now_ms)?;
        let has_tail = self.first_unflushed.is_some();
        if removal.rolls_active && has_tail {
            // What is on its way into it comes first.
            return None;
        }
        if let Some(active) = segments.last().filter(|active| removal.rolls_active && !active.is_sealed()) {
            active.seal();
            self.note_changed(Arc::clone(active));
        }
        Some(removal).filter(|removal| removal.log_start_offset > offsets.start)
    }
}
