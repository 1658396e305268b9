//! Which old segments go.
//!
//! Pure: everything follows from the facts that are handed in. It removes nothing, and only ever names segments
//! from the oldest on.
//!
//! # When a segment is old
//!
//! By Kafka's rule, when its highest timestamp lies further back than the retention time. But timestamps are what
//! producers say. A segment whose highest one is missing (-1, or the 0 of a program without a clock), or still lies
//! in the future, has the age of its last append instead. So nothing goes early for want of a timestamp, and
//! nothing stays forever for a wrong one. The time of the append comes second, since it is from a clock that may
//! have been set since. (In Kafka a segment with such a timestamp in the future stays until then, and a 0 is 1970.)
//!
//! What is in the journal alone, and in no segment, grows old by the same rule: by its timestamps if they can be true,
//! at once ([`crate::engine`] has it flushed when the first of them is old); otherwise by its segment, into which it
//! comes with the next checkpoint but one, whatever its timestamp.
//!
//! The other clock in it is this machine's, now: see [`WallClockGuard`].

use std::time::Duration;

use crate::clock::Clock;
use crate::config::LogConfig;

/// What is known of a segment, the active one included.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SegmentAge {
    /// The offset behind it, where the next one begins.
    pub end_offset: i64,
    /// How long it is.
    pub bytes: u64,
    /// The highest timestamp in it, or -1.
    pub max_timestamp: i64,
    /// What the wall's clock showed when it was last appended to, or later.
    pub appended_ms: i64,
}

impl SegmentAge {
    /// From when on its age counts.
    fn reference_ms(&self, now_ms: i64) -> i64 {
        let is_possible = self.max_timestamp > 0 && self.max_timestamp <= now_ms;
        if is_possible { self.max_timestamp } else { self.appended_ms }
    }
}

/// What is to go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Removal {
    /// How many segments, from the oldest on.
    pub segments: usize,
    /// Where the log begins without them: this has to be durable before any of them is removed.
    pub log_start_offset: i64,
    /// Whether the active one is among them, so that another one has to begin first.
    pub rolls_active: bool,
    /// How many of them go because there is too much.
    pub segments_by_size: usize,
    /// How many bytes they have.
    pub bytes: u64,
}

/// Which segments of a log go; none if all stay.
///
/// `segments` are all that the log has, oldest first, the active one last. `bound` is how far the log is stable:
/// the lesser of high watermark and durable end. Time is given as none while nothing may go for its age.
pub fn removal(
    segments: &[SegmentAge],
    config: &LogConfig,
    log_start_offset: i64,
    bound: i64,
    now_ms: Option<i64>,
) -> Option<Removal> {
    let (active, sealed) = segments.split_last()?;
    let stable = segments.iter().take_while(|segment| segment.end_offset <= bound).count();
    // In place of an empty active segment there would only be another one.
    let removable = segments.get(..if active.bytes == 0 { stable.min(sealed.len()) } else { stable })?;
    // What lies wholly before the start was deleted by somebody: it goes whatever the policy is, but for the active
    // segment, which holds the log's end.
    let is_before = |segment: &&SegmentAge| segment.end_offset <= log_start_offset;
    let mut count = removable.iter().take_while(is_before).count().min(sealed.len());
    let mut segments_by_size = 0;
    if config.cleanup.deletes {
        segments_by_size = removable.get(count..).map_or(0, |rest| over_size(segments, count, rest, config));
        count += segments_by_size;
        if let Some(now_ms) = now_ms.filter(|_| config.retention_ms >= 0) {
            let oldest_ms = now_ms.saturating_sub(config.retention_ms);
            let is_old = |segment: &&SegmentAge| segment.reference_ms(now_ms) < oldest_ms;
            count += removable.get(count..).map_or(0, |rest| rest.iter().take_while(is_old).count());
        }
    }
    let gone = segments.get(..count)?;
    let last = gone.last()?;
    Some(Removal {
        segments: count,
        log_start_offset: log_start_offset.max(last.end_offset),
        rolls_active: count == segments.len(),
        segments_by_size,
        bytes: gone.iter().map(|segment| segment.bytes).sum(),
    })
}

/// How many of `rest` go so that no less is left than the size allows, where the first `gone` do so anyway.
fn over_size(all: &[SegmentAge], gone: usize, rest: &[SegmentAge], config: &LogConfig) -> usize {
    let Ok(allowed) = u64::try_from(config.retention_bytes) else { return 0 };
    let total = all.iter().skip(gone).map(|segment| segment.bytes).sum::<u64>();
    // Not even one with nothing in it goes while there is less than that.
    let Some(mut excess) = total.checked_sub(allowed) else { return 0 };
    let goes = |segment: &&SegmentAge| match excess.checked_sub(segment.bytes) {
        Some(left) => {
            excess = left;
            true
        }
        None => false,
    };
    rest.iter().take_while(goes).count()
}

/// Tells when the wall's clock was set, so that nothing goes for an age that it only seems to have.
///
/// The rule: both clocks are read at each check. If what lies between them has changed by more than a tolerance
/// since the last time that it was found settled, somebody set the wall's clock (or the machine slept, which the
/// monotonic clock does not count). From then on deletion by time is paused until a grace time has passed, by the
/// monotonic clock, in which the clocks have kept their distance: time enough to set a wrong clock right. Slow drift
/// adds up to the tolerance some day, and then pauses once as well.
///
/// What it cannot tell is a clock that was wrong before the process began.
#[derive(Clone, Debug)]
pub struct WallClockGuard {
    tolerance: Duration,
    grace: Duration,
    /// The wall's clock less the monotonic one, as it was settled.
    distance_ms: i128,
    paused_until: Option<Duration>,
}

impl WallClockGuard {
    /// How far the wall's clock may move against the other before it counts as set: far more than time services
    /// correct in small steps, far less than any retention time that matters.
    pub const TOLERANCE_DEFAULT: Duration = Duration::from_secs(60);

    /// How long deletion by time waits after that.
    pub const GRACE_DEFAULT: Duration = Duration::from_secs(60 * 60);

    /// Begins with the clocks as they are, and believes them.
    pub fn new(clock: &dyn Clock, tolerance: Duration, grace: Duration) -> Self {
        Self { tolerance, grace, distance_ms: distance_ms(clock), paused_until: None }
    }

    /// What the wall's clock shows, if deletion may go by it. To be asked at each check, and at least a few times
    /// within the grace time.
    pub fn now_ms(&mut self, clock: &dyn Clock) -> Option<i64> {
        let distance_ms = distance_ms(clock);
        let moved_ms = distance_ms.abs_diff(self.distance_ms);
        let now = clock.monotonic();
        if moved_ms > self.tolerance.as_millis() {
            self.distance_ms = distance_ms;
            self.paused_until = Some(now.saturating_add(self.grace));
        }
        self.paused_until = self.paused_until.filter(|until| now < *until);
        self.paused_until.is_none().then(|| clock.wall_ms())
    }
}

fn distance_ms(clock: &dyn Clock) -> i128 {
    let monotonic_ms = i128::try_from(clock.monotonic().as_millis()).unwrap_or(i128::MAX);
    i128::from(clock.wall_ms()).saturating_sub(monotonic_ms)
}

#[cfg(test)]
mod tests;
