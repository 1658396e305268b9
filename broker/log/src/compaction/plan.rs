//! Which logs are worth a round of compaction, which of their segments it takes, and which of those become one.
//!
//! Pure: everything follows from the facts that are handed in.
//!
//! # How old records are
//!
//! By Kafka's rules, and so by what producers say. A segment is too young for a round (`min.compaction.lag.ms`) by its
//! highest timestamp, also one that lies in the future; where it has none, by when it was last appended to. A log is
//! overdue (`max.compaction.lag.ms`) by the timestamps of its segments' first batches; one that is zero or missing says
//! nothing, and the ratio decides alone. The active segment counts for neither. It takes no more once its first record
//! is as old as either limit, as the next batch comes, and what the journal alone has comes into a segment by itself
//! after a while: so the last records of a log to which nothing is appended any more stay as they are.

use crate::config::LogConfig;

/// What is known of a segment without looking into it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Candidate {
    /// The offset that it is named after.
    pub base_offset: i64,
    /// The offset behind it, where the next one begins.
    pub end_offset: i64,
    /// How long it is.
    pub bytes: u64,
    /// The highest timestamp in it, or -1.
    pub max_timestamp: i64,
    /// The timestamp of its first batch, or -1.
    pub first_timestamp: i64,
    /// What the wall's clock showed when it was last appended to, or later.
    pub appended_ms: i64,
}

impl Candidate {
    fn latest_ms(&self) -> i64 {
        if self.max_timestamp >= 0 { self.max_timestamp } else { self.appended_ms }
    }
}

/// A round of compaction that could be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plan {
    /// Before it each key is there once.
    pub first_dirty_offset: i64,
    /// Behind the last segment that can be compacted.
    pub end_offset: i64,
    /// How many segments that are, from the log's first.
    pub segments: usize,
    /// Their part that has not been compacted before, of all that there is to compact.
    pub dirty_ratio: f64,
    /// Whether it is worth it, or has to be.
    pub is_due: bool,
    /// Whether it is for the age of a record alone: the ratio is not enough.
    pub is_forced: bool,
}

/// What a round of compaction of a log would be; none if there is nothing that could be compacted.
///
/// `sealed` are the log's segments without the active one, oldest first. `cleaned_to` is where the last round
/// ended, and `bound` how far the log is stable: the least of high watermark, last stable offset and durable end.
#[expect(clippy::cast_precision_loss, reason = "a ratio need not be exact")]
pub fn plan(
    sealed: &[Candidate],
    config: &LogConfig,
    log_start_offset: i64,
    cleaned_to: Option<i64>,
    bound: i64,
    now_ms: i64,
) -> Option<Plan> {
    let end_of_all = sealed.last()?.end_offset;
    // Where the log was cut below it since, what it says of the rest is not known to be true.
    let cleaned_to = cleaned_to.filter(|cleaned_to| (log_start_offset..=end_of_all).contains(cleaned_to));
    let first_dirty_offset = cleaned_to.unwrap_or(log_start_offset);
    let is_dirty = |segment: &&Candidate| segment.end_offset > first_dirty_offset;
    let youngest_ms = now_ms.saturating_sub(config.compaction_lag_min_ms.max(0));
    let is_too_young = |segment: &Candidate| {
        config.compaction_lag_min_ms > 0 && is_dirty(&segment) && segment.latest_ms() > youngest_ms
    };
    let segments =
        sealed.iter().take_while(|segment| segment.end_offset <= bound && !is_too_young(segment)).count();
    let cleanable = sealed.get(..segments)?;
    let end_offset = cleanable.last()?.end_offset;
    let total: u64 = cleanable.iter().map(|segment| segment.bytes).sum();
    // The segment that the last round ended in, if it ended within one, counts as dirty: it has to be read.
    let dirty: u64 = cleanable.iter().filter(is_dirty).map(|segment| segment.bytes).sum();
    if dirty == 0 {
        return None;
    }
    let dirty_ratio = dirty as f64 / total as f64;
    // Whatever the ratio, once a record is so old, and one behind the bound as well: the rest does not wait.
    let oldest_ms = now_ms.saturating_sub(config.compaction_lag_max_ms.max(0));
    let dirty_since = sealed.iter().filter(is_dirty).map(|segment| segment.first_timestamp);
    let is_overdue = dirty_since.filter(|timestamp| *timestamp > 0).any(|timestamp| timestamp < oldest_ms);
    let is_dirty_enough = dirty_ratio > config.dirty_ratio_min;
    let (is_due, is_forced) = (is_overdue || is_dirty_enough, is_overdue && !is_dirty_enough);
    Some(Plan { first_dirty_offset, end_offset, segments, dirty_ratio, is_due, is_forced })
}

/// How large the segments that a round writes may become.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Grouping {
    bytes_max: u64,
    index_bytes_max: u64,
    index_interval_bytes: u64,
}

impl Grouping {
    /// As large as those that appends fill.
    pub fn new(config: &LogConfig) -> Self {
        Self {
            bytes_max: config.segment_bytes.into(),
            index_bytes_max: config.index_bytes_max.into(),
            index_interval_bytes: u64::from(config.index_interval_bytes).max(1),
        }
    }

    /// The most that either index of so many bytes takes: an entry for each interval and one at the end, of which
    /// the time index's are the longer ones.
    fn index_bytes(&self, bytes: u64) -> u64 {
        const TIME_INDEX_ENTRY_BYTES: u64 = 12;
        (bytes / self.index_interval_bytes + 2) * TIME_INDEX_ENTRY_BYTES
    }

    fn holds(&self, base_offset: i64, end_offset: i64, bytes: u64) -> bool {
        // Indexes hold offsets as differences to the segment's base.
        let has_offsets = end_offset.saturating_sub(base_offset) <= i64::from(i32::MAX);
        has_offsets && bytes <= self.bytes_max && self.index_bytes(bytes) <= self.index_bytes_max
    }
}

/// Which of the segments become one: for each new segment, how many of the old ones. What is left of small ones
/// would otherwise be many tiny ones.
pub fn group(segments: &[Candidate], grouping: &Grouping) -> Vec<usize> {
    let mut groups: Vec<usize> = Vec::new();
    let (mut base_offset, mut bytes) = (0, 0);
    for segment in segments {
        match groups.last_mut() {
            Some(count) if grouping.holds(base_offset, segment.end_offset, bytes + segment.bytes) => {
                *count += 1;
                bytes += segment.bytes;
            }
            _ => {
                groups.push(1);
                (base_offset, bytes) = (segment.base_offset, segment.bytes);
            }
        }
    }
    groups
}

#[cfg(test)]
mod tests;
