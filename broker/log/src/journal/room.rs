//! Room for what is staged: the journal's bound, and its spare files.

use super::error::{Error, StageError};
use super::files::{NewSpare, OVERHEAD_BYTES, Spare};
use super::{Class, Journal, Options};

/// Appends want the next file to be there, and another one behind it.
pub(super) const SPARES_WANTED: usize = 2;

/// A spare file that is to be made, on whichever thread has the time: it takes as long as it takes to write
/// the whole file. Where staging has to make one itself, it only allocates it.
///
/// Where it is dropped without [`Journal::end_spare`], its journal makes its files when it needs them.
#[derive(Debug)]
#[must_use = "the journal waits for it"]
pub struct SpareJob(NewSpare);

impl SpareJob {
    /// Makes the file.
    pub fn run(self) -> SpareDone {
        SpareDone(self.0.create_written())
    }
}

/// A spare file that was made, or was not.
#[derive(Debug)]
#[must_use = "the journal waits for it"]
pub struct SpareDone(Result<Option<Spare>, Error>);

impl Journal {
    pub(super) fn check_bound(&self, frame_bytes: u64, class: Class) -> Result<(), StageError> {
        let Options { file_bytes, bytes_max, entries_max, .. } = self.options;
        let (bytes_max, entries_max) = match class {
            Class::Append => (bytes_max - file_bytes, entries_max - entries_max / 8),
            Class::Control => (bytes_max, entries_max),
        };
        if frame_bytes + OVERHEAD_BYTES > bytes_max {
            return Err(StageError::TooLarge { bytes: frame_bytes });
        }
        // Nothing of it is needed any more: it goes as soon as another file takes its place.
        let is_recyclable = self.active.last_sequence <= self.recycled_to;
        let (active_bytes, active_entries) = match is_recyclable {
            true => (0, 0),
            false => (self.active.file.length, self.active.entries),
        };
        let before = self.filled_bytes();
        let bytes = if self.active.fits(frame_bytes) {
            before + self.active.position + frame_bytes
        } else {
            before + active_bytes + frame_bytes + OVERHEAD_BYTES
        };
        let entries = self.filled.iter().map(|filled| filled.entries).sum::<u64>() + active_entries;
        if bytes > bytes_max || entries + self.group.entries() >= entries_max {
            return Err(StageError::JournalFull);
        }
        Ok(())
    }

    pub(super) fn filled_bytes(&self) -> u64 {
        self.filled.iter().map(|filled| filled.file.length).sum()
    }

    /// The frame up to which the journal should be recycled, because it is half full; none while it is not. Half
    /// of what is in it lies behind that frame still.
    pub fn half_way(&self) -> Option<u64> {
        let entries = self.filled.iter().map(|filled| filled.entries).sum::<u64>() + self.active.entries;
        let is_half_full = self.filled_bytes() + self.active.position >= self.options.bytes_max / 2
            || entries >= self.options.entries_max / 2;
        // A file that is active is not used again, however few its entries.
        let middle = self.filled.get(self.filled.len() / 2).or_else(|| self.filled.back());
        middle.filter(|_| is_half_full).map(|middle| middle.last_sequence)
    }

    /// Sees to it that the files for the frame are there, and behind an append another one.
    pub(super) fn make_room(&mut self, frame_bytes: u64, class: Class) -> Result<(), StageError> {
        let file_bytes = self.options.file_bytes;
        let needed = frame_bytes + OVERHEAD_BYTES;
        let fits = self.active.fits(frame_bytes);
        if !fits && needed > file_bytes && !self.has_spare_for(needed) {
            self.add_spare(needed)?;
        }
        let wanted = usize::from(!fits && needed <= file_bytes) + usize::from(class == Class::Append);
        for _ in self.usable_spares()..wanted {
            self.add_spare(file_bytes)?;
        }
        Ok(())
    }

    /// Sees to it that the files are there for frames of so many bytes in all, each of them a good deal shorter than a
    /// file: nothing of them is written before all find room. What was found until there is no more stays for the next.
    pub fn make_room_for(&mut self, bytes: u64) -> Result<(), StageError> {
        let Options { file_bytes, group_bytes_max, .. } = self.options;
        // At the end of each file a frame may not have fitted.
        let unused = group_bytes_max as u64 + OVERHEAD_BYTES;
        let left = self.active.file.length.saturating_sub(self.active.position + unused);
        let wanted = bytes.saturating_sub(left).div_ceil(file_bytes.saturating_sub(unused).max(1));
        let mut result = Ok(());
        while result.is_ok() && (self.usable_spares() as u64) < wanted {
            result = self.add_spare(file_bytes);
        }
        self.is_poisoned |= matches!(result, Err(StageError::Failed(_)));
        result
    }

    /// Whether there is one for a frame that is too large for the common length.
    fn has_spare_for(&self, needed: u64) -> bool {
        self.spares.iter().any(|spare| spare.length >= needed && spare.is_free())
    }

    /// How many spare files have the common length, and are read by nobody.
    fn usable_spares(&self) -> usize {
        let is_usable = |spare: &&Spare| spare.length == self.options.file_bytes && spare.is_free();
        self.spares.iter().filter(is_usable).count()
    }

    fn add_spare(&mut self, length: u64) -> Result<(), StageError> {
        let spare = self.folder.new_spare(length).create()?.ok_or(StageError::DiskFull)?;
        self.spares.push(spare);
        Ok(())
    }

    /// Hands out the making of a spare file that will be needed soon, so that staging need not wait for it;
    /// none if there are enough, or one is being made.
    pub fn begin_spare(&mut self) -> Option<SpareJob> {
        let Options { file_bytes, bytes_max, .. } = self.options;
        let usable = self.usable_spares();
        // With this many files the journal is as large as it gets.
        let planned_bytes = self.filled_bytes() + self.active.file.length + file_bytes * (usable as u64 + 1);
        let is_wanted = usable < SPARES_WANTED && planned_bytes <= bytes_max;
        if !is_wanted || self.is_making_spare || self.is_poisoned {
            return None;
        }
        self.is_making_spare = true;
        Some(SpareJob(self.folder.new_spare(file_bytes)))
    }

    /// Takes a spare file that was made; says whether the disk had room for it.
    ///
    /// After an error the journal is of no use, as after one while staging: a disk that fails to write zeros is
    /// trusted with nothing else.
    pub fn end_spare(&mut self, done: SpareDone) -> Result<bool, Error> {
        self.is_making_spare = false;
        self.is_poisoned |= done.0.is_err();
        let spare = done.0?;
        let had_room = spare.is_some();
        self.spares.extend(spare);
        Ok(had_room)
    }
}
