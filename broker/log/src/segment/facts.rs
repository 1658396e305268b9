//! What is known of a batch and of a segment without looking into the file.

use strandline_protocol::batch::{BatchHeader, NO_TIMESTAMP};

/// What a segment has to know of a batch that was written into it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BatchFacts {
    /// The offset that the batch begins at.
    pub base_offset: i64,
    /// The offset that it ends at.
    pub last_offset: i64,
    /// The largest timestamp of its records.
    pub max_timestamp: i64,
    /// How long it is.
    pub bytes: u64,
}

impl From<&BatchHeader> for BatchFacts {
    fn from(header: &BatchHeader) -> Self {
        Self {
            base_offset: header.base_offset,
            last_offset: header.last_offset(),
            max_timestamp: header.max_timestamp,
            bytes: header.total_bytes() as u64,
        }
    }
}

/// What is kept of a segment outside of it, so that it need not be opened to be known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SegmentFacts {
    /// How often compaction has written it anew.
    pub generation: u32,
    /// How many of its bytes count.
    pub length: u64,
    /// The offset behind its last one.
    pub end_offset: i64,
    /// The largest timestamp in it, or [`NO_TIMESTAMP`].
    pub max_timestamp: i64,
    /// The largest timestamp of its first batch, or [`NO_TIMESTAMP`]: what rolling by time counts from.
    pub first_timestamp: i64,
    /// When it was begun, by the wall's clock.
    pub created_ms: i64,
    /// Whether it takes no more batches.
    pub is_sealed: bool,
}

impl SegmentFacts {
    /// Of a segment with nothing in it.
    pub const fn empty(base_offset: i64, generation: u32, created_ms: i64) -> Self {
        Self {
            generation,
            length: 0,
            end_offset: base_offset,
            max_timestamp: NO_TIMESTAMP,
            first_timestamp: NO_TIMESTAMP,
            created_ms,
            is_sealed: false,
        }
    }

    /// Counts a batch that was written behind the others.
    pub fn add(&mut self, batch: &BatchFacts) {
        if self.length == 0 {
            self.first_timestamp = batch.max_timestamp;
        }
        self.length += batch.bytes;
        self.end_offset = batch.last_offset.saturating_add(1);
        self.max_timestamp = self.max_timestamp.max(batch.max_timestamp);
    }
}
