//! What happens when the disk is full: appends are refused, what the journal holds goes on into segments with the
//! room that was kept for it, and now and then it is looked whether there is room again.

use std::time::Duration;

use super::Writer;

/// So long after it found no room, nothing is tried that needs any.
const PAUSE: Duration = Duration::from_secs(1);

/// All that is kept is given away in so many pieces at most.
const RELEASES_MAX: u64 = 8;

/// Whether there was no room for something, and when.
#[derive(Debug, Default)]
struct Shortage {
    since: Option<Duration>,
}

impl Shortage {
    fn lasts(&self, now: Duration) -> bool {
        self.since.is_some_and(|since| now.saturating_sub(since) < PAUSE)
    }
}

/// What there was no room for.
#[derive(Debug, Default)]
pub(super) struct Shortages {
    /// Segments and the manifest, when nothing was kept any more.
    work: Shortage,
    /// What is to be kept.
    reserve: Shortage,
    /// The journal's next file.
    spare: Shortage,
}

impl Writer {
    /// Lets work that found no room have some of what is kept, or wait if nothing is. It is told how much the work
    /// writes, if it knows: it has to come to an end after few tries, however small jobs are set to be.
    pub(super) fn make_room(&mut self, needed_bytes: u64) {
        let now = self.clock.monotonic();
        let bytes = needed_bytes.max(self.options.flush_job_bytes).saturating_mul(2);
        match self.reserve.release(bytes.max(self.options.reserve_bytes / RELEASES_MAX)) {
            Ok(0) => self.shortages.work.since = Some(now),
            // Appends wait until it is whole again, and it does not take back at once what it gave.
            Ok(_) => self.shortages.reserve.since = Some(now),
            Err(error) => self.go_offline(&error),
        }
    }

    /// Whether work that needs room has to wait. Tries to make the reserve whole.
    pub(super) fn is_short_of_room(&mut self) -> bool {
        let now = self.clock.monotonic();
        if !self.reserve.is_whole() && !self.shortages.reserve.lasts(now) {
            match self.reserve.restore() {
                Ok(true) => self.shortages = Shortages::default(),
                Ok(false) => self.shortages.reserve.since = Some(now),
                Err(error) => self.go_offline(&error),
            }
        }
        self.offline.is_some() || self.shortages.work.lasts(now)
    }

    /// Notes that work which needs room has found it.
    pub(super) fn found_room(&mut self) {
        self.shortages.work.since = None;
    }

    /// Whether work that needs room has found none, not even of what is kept for it.
    pub(super) fn is_out_of_room(&self) -> bool {
        self.shortages.work.since.is_some()
    }

    /// Notes that the journal got no file ahead of need.
    pub(super) fn miss_spare(&mut self) {
        self.shortages.spare.since = Some(self.clock.monotonic());
    }

    /// Whether it is worth trying to make a file ahead of need.
    pub(super) fn may_make_spare(&self) -> bool {
        !self.shortages.spare.lasts(self.clock.monotonic())
    }
}
