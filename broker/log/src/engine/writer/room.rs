//! What happens when the disk is full: appends are refused, what the journal holds goes on into segments with the
//! room that was kept for it, and now and then it is looked whether there is room again.

use std::time::Duration;

use super::super::error::Refusal;
use super::super::observer::{Event, Reason};
use super::Writer;
use crate::disk::BLOCK_BYTES;
use crate::journal;
use crate::local_id::LocalId;

/// What a partition that is in the journal takes on the disk, beside its bytes, once it is in segments: the end of its
/// last block, its folder, and its rows in the manifest.
pub(super) const PARTITION_BYTES: u64 = 3 * BLOCK_BYTES as u64;

/// What the manifest takes for a partition that it does not have as it is.
const ROWS_BYTES: u64 = 1 << 10;

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
    /// Descriptors, for work.
    descriptors: Shortage,
    /// And for the file of the journal that takes the group which has formed.
    next_file: Shortage,
    /// When it was last asked how much is free, and how much could be promised then.
    asked: Option<Duration>,
    promised_bytes: u64,
}

impl Writer {
    /// Whether what the journal has will find room in segments, and something of another partition as well.
    ///
    /// For so much the reserve is enough, whatever others do with the disk. There may be more of it, as with very many
    /// partitions that have little each, while the disk has twice that room free; what is free is looked at once a
    /// second. Beyond that, appends wait until some of it is in segments.
    pub(super) fn has_room_for_more(&mut self) -> Result<bool, Refusal> {
        let rows_bytes = self.unsaved.len() as u64 * ROWS_BYTES;
        let needed = self.flushing.room_bytes() + rows_bytes + PARTITION_BYTES;
        let is_alone = self.flushing.logs == 0;
        if needed <= self.options.reserve_bytes || is_alone || needed <= self.promised_bytes() {
            return Ok(true);
        }
        if self.is_out_of_room() {
            return Err(Refusal::DiskFull);
        }
        self.flushing.want_up_to(self.published, Reason::DiskRoom);
        self.checkpoints.want(Reason::DiskRoom);
        Ok(false)
    }

    fn promised_bytes(&mut self) -> u64 {
        let now = self.clock.monotonic();
        let shortages = &mut self.shortages;
        if shortages.asked.is_none_or(|asked| now.saturating_sub(asked) >= PAUSE) {
            shortages.asked = Some(now);
            // Where the disk does not even say so, there is what was kept.
            let free = self.sources.disk.free_bytes().unwrap_or(0);
            shortages.promised_bytes = self.options.reserve_bytes.saturating_add(free / 2);
        }
        shortages.promised_bytes
    }

    /// Whether those are counted of which the journal has something.
    #[cfg(test)]
    pub(in super::super) fn check_room(&self) -> Result<(), String> {
        let missing = self.logs.values().find(|log| log.first_unflushed.is_some() && !log.needs_room);
        let counted = self.logs.values().filter(|log| log.needs_room).count() as u64;
        let idle = self.logs.values().find(|log| {
            log.needs_room && log.first_unflushed.is_none() && log.staged == 0 && self.offline.is_none()
        });
        match (missing, idle) {
            (None, None) if counted == self.flushing.logs => Ok(()),
            found => Err(format!("{counted}, not {}: {found:?}", self.flushing.logs)),
        }
    }

    /// Notes that the journal has nothing more of a partition, if so.
    pub(super) fn give_room_back(&mut self, partition: LocalId) {
        let Some(log) = self.logs.get_mut(&partition) else { return };
        let is_over = log.first_unflushed.is_none() && log.staged == 0;
        if is_over && std::mem::take(&mut log.needs_room) {
            self.flushing.logs = self.flushing.logs.saturating_sub(1);
        }
    }

    /// Lets work that found no room have some of what is kept, or wait if nothing is. It is told how much the work
    /// writes, if it knows: it has to come to an end after few tries, however small jobs are set to be.
    pub(super) fn make_room(&mut self, needed_bytes: u64) {
        let now = self.clock.monotonic();
        let bytes = needed_bytes.max(self.options.flush_job_bytes).saturating_mul(2);
        match self.reserve.release(bytes.max(self.options.reserve_bytes / RELEASES_MAX)) {
            Ok(0) => {
                if self.shortages.work.since.replace(now).is_none() {
                    self.tell(&Event::NoRoom { released_bytes: 0 });
                }
            }
            // Appends wait until it is whole again, and it does not take back at once what it gave.
            Ok(released_bytes) => {
                self.shortages.reserve.since = Some(now);
                self.tell(&Event::NoRoom { released_bytes });
            }
            Err(error) => self.go_offline(&error),
        }
    }

    /// Whether work that needs room has to wait. Tries to make the reserve whole.
    pub(super) fn is_short_of_room(&mut self) -> bool {
        let now = self.clock.monotonic();
        if !self.reserve.is_whole() && !self.shortages.reserve.lasts(now) {
            match self.reserve.restore() {
                Ok(true) => {
                    self.shortages = Shortages::default();
                    self.tell(&Event::RoomAgain);
                }
                Ok(false) => self.shortages.reserve.since = Some(now),
                Err(error) => self.go_offline(&error),
            }
        }
        self.offline.is_some() || self.shortages.work.lasts(now)
    }

    /// Notes that work which needs room, and descriptors, has found both.
    pub(super) fn found_room(&mut self) {
        self.shortages.work.since = None;
        self.shortages.descriptors.since = None;
    }

    /// Lets work wait that could open no file: others close theirs.
    pub(super) fn wait_for_descriptors(&mut self) {
        if self.shortages.descriptors.since.replace(self.clock.monotonic()).is_none() {
            self.tell(&Event::NoDescriptors);
        }
        self.checkpoints.want_synced();
    }

    /// Whether work has to wait for room or for descriptors.
    pub(super) fn is_short(&mut self) -> bool {
        self.is_short_of_room() || self.shortages.descriptors.lasts(self.clock.monotonic())
    }

    /// A group cannot be written now, or never.
    pub(super) fn cannot_begin(&mut self, error: &journal::Error) {
        if error.lacks_descriptors() {
            self.shortages.next_file.since = Some(self.clock.monotonic());
            self.wait_for_descriptors();
        } else {
            self.go_offline(error);
        }
    }

    /// Whether the group that has formed has the file that it goes into, as far as is known.
    pub(super) fn may_begin_file(&self) -> bool {
        !self.shortages.next_file.lasts(self.clock.monotonic())
    }

    /// Whether work that needs room has found none, not even of what is kept for it.
    pub(in super::super) fn is_out_of_room(&self) -> bool {
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
