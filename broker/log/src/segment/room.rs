//! Whether a segment takes another batch, also behind batches that are not written yet.

use super::index::TIME_ENTRY_BYTES;
use super::{BatchFacts, LENGTH_MAX, Segment};
use crate::config::LogConfig;

/// How full a segment is, or will be once what is planned for it has been written.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    base_offset: i64,
    created_ms: i64,
    is_sealed: bool,
    length: u64,
    first_timestamp: i64,
    /// Bytes whose index is not counted: as many entries as there can be are taken for them.
    uncounted_bytes: u64,
    entries: u64,
}

impl Segment {
    /// How full it is now.
    pub fn room(&self) -> Room {
        let state = self.state();
        Room {
            base_offset: self.base_offset,
            created_ms: self.created_ms,
            is_sealed: state.is_sealed,
            length: state.length,
            first_timestamp: state.first_timestamp,
            uncounted_bytes: state.covered,
            entries: state.builder.offsets().count() as u64,
        }
    }
}

impl Room {
    /// How long the segment is.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Puts a batch behind what is there.
    pub fn add(&mut self, batch: &BatchFacts) {
        if self.length == 0 {
            self.first_timestamp = batch.max_timestamp;
        }
        self.length += batch.bytes;
        self.uncounted_bytes += batch.bytes;
    }

    /// Whether a batch has to go into a new segment.
    pub fn must_roll(&self, next: &BatchFacts, config: &LogConfig, now_ms: i64) -> bool {
        let distance = next.last_offset.saturating_sub(self.base_offset);
        let is_too_far = u64::try_from(distance).is_ok_and(|distance| distance > LENGTH_MAX);
        if self.is_sealed || is_too_far {
            return true;
        }
        if self.length == 0 {
            return false;
        }
        let length_max = u64::from(config.segment_bytes).min(LENGTH_MAX);
        // By the records' own time where they have one, so that old records are not kept for as long again.
        let waited_ms = if self.first_timestamp >= 0 {
            next.max_timestamp.saturating_sub(self.first_timestamp)
        } else {
            now_ms.saturating_sub(self.created_ms)
        };
        let interval = u64::from(config.index_interval_bytes).max(1);
        let entries = self.uncounted_bytes / interval + self.entries;
        // One time entry is kept free for the segment's end.
        let entries_max = u64::from(config.index_bytes_max) / TIME_ENTRY_BYTES as u64;
        let is_old = waited_ms > config.segment_time_max_ms();
        self.length + next.bytes > length_max || is_old || entries + 1 >= entries_max
    }
}
