//! Finding batches by their offsets, and giving out ranges of files.

use std::sync::Arc;

use super::error::SegmentError;
use super::facts::BatchFacts;
use super::index::{OffsetEntry, OffsetIndex};
use super::loaded::{Loaded, Loader};
use super::reader::{Cursor, Step};
use super::scan::PROBE_BYTES;
use super::transactions::Aborted;
use super::verified::{Bad, STRETCH_BYTES};
use super::{Files, Segment};
use crate::disk::{Access, File};

/// A batch in a segment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Found {
    /// Where it begins.
    pub position: u64,
    /// What it is.
    pub batch: BatchFacts,
    /// The epoch of the leader that appended it.
    pub leader_epoch: i32,
}

/// Bytes of a file, for those who send them. The file stays open as long as this is there.
#[derive(Clone, Debug)]
pub struct FileRange {
    /// The file.
    pub file: Arc<dyn File>,
    /// Where in it they begin.
    pub offset: u64,
    /// How many they are.
    pub length: u64,
}

impl FileRange {
    /// What follows it, of so many bytes; none if there are none.
    pub fn behind(&self, length: u64) -> Option<Self> {
        let Self { file, offset, length: before } = self;
        (length > 0).then(|| Self { file: Arc::clone(file), offset: offset.saturating_add(*before), length })
    }
}

impl Segment {
    /// The batch that holds an offset, or the first one behind it; none if there is none.
    ///
    /// # Errors
    /// The disk's, or that the offset is or may be in bytes that are bad.
    pub fn find(&self, files: &Files, offset: i64) -> Result<Option<Found>, SegmentError> {
        if offset >= self.end_offset() {
            return Ok(None);
        }
        if let Some(found) = self.find_beginning(files, offset)? {
            return Ok(Some(found));
        }
        let position = self.start(files, |index| index.at_or_below(offset))?;
        let walk = self.walk(files, position, PROBE_BYTES)?;
        let mut cursor = Cursor::new(self, files, walk);
        let mut passed: Option<Bad> = None;
        while let Some(step) = cursor.next()? {
            match step {
                Step::Bad(bad) => passed = Some(bad),
                Step::Batch(position, header) if header.last_offset() >= offset => {
                    let batch = BatchFacts::from(&header);
                    let leader_epoch = header.partition_leader_epoch;
                    // What was passed may have held the offset, unless this batch does.
                    return match passed.filter(|_| batch.base_offset > offset) {
                        Some(bad) => Err(self.corrupt(files, &bad)),
                        None => Ok(Some(Found { position, batch, leader_epoch })),
                    };
                }
                Step::Batch(..) => {}
            }
        }
        passed.map_or(Ok(None), |bad| Err(self.corrupt(files, &bad)))
    }

    /// The batch that begins with an offset, where the index tells of it: who goes on asks for it, and no other header is
    /// read. None where it has to be looked for.
    fn find_beginning(&self, files: &Files, offset: i64) -> Result<Option<Found>, SegmentError> {
        let Some(entry) = self.pick(files, |index| index.behind(offset))? else { return Ok(None) };
        let walk = self.walk(files, entry.position, PROBE_BYTES)?;
        match Cursor::new(self, files, walk).next() {
            Ok(Some(Step::Batch(position, header)))
                if header.base_offset == offset && header.last_offset() == entry.offset =>
            {
                let leader_epoch = header.partition_leader_epoch;
                Ok(Some(Found { position, batch: BatchFacts::from(&header), leader_epoch }))
            }
            // There are batches between, or the index is wrong.
            Ok(_) => Ok(None),
            Err(error) if error.is_corrupt() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The bytes from a batch on: all of that batch, and of what follows as much as `bytes_max` allows, cut
    /// where a batch begins if that is known.
    ///
    /// # Errors
    /// The disk's, or that the batch is bad. Bad bytes behind it end the range.
    pub fn range(&self, files: &Files, found: &Found, bytes_max: u64) -> Result<FileRange, SegmentError> {
        let length = self.length();
        let first_end = found.position + found.batch.bytes;
        let mut end = found.position.saturating_add(bytes_max).max(first_end).min(length);
        if end > first_end && end < length {
            let border = self.pick(files, |index| index.position_at_or_below(end))?;
            end = border.map_or(end, |entry| entry.position.max(first_end));
        }
        let mut position = found.position;
        while position < end.min(self.untrusted_length) {
            self.verify(files, position)?;
            position = (position / STRETCH_BYTES + 1) * STRETCH_BYTES;
        }
        if let Some(bad) = self.bad_from(found.position) {
            if bad.start <= found.position {
                return Err(self.corrupt(files, &bad));
            }
            end = end.min(bad.start);
        }
        let file = files.log(self, Access::Read)?;
        Ok(FileRange { file, offset: found.position, length: end - found.position })
    }

    /// An offset that no record has which lies before a position, as near as the index tells.
    ///
    /// # Errors
    /// The disk's.
    pub fn offset_bound(&self, files: &Files, end_position: u64) -> Result<i64, SegmentError> {
        if end_position >= self.length() {
            return Ok(self.end_offset());
        }
        let pick = |index: OffsetIndex<'_>| index.position_above(end_position);
        let (live, covered) = {
            let state = self.state();
            (pick(state.builder.offsets()), state.covered)
        };
        // What a file has comes before what memory has.
        let filed = if covered > end_position { pick(self.index(files)?.offsets()) } else { None };
        Ok(filed.or(live).map_or(self.end_offset(), |entry| entry.offset))
    }

    /// The aborted transactions whose markers are in this segment and that a reader of the offsets from `from`
    /// on and below `to` has to know.
    ///
    /// # Errors
    /// The disk's, or that the transaction index is bad.
    pub fn aborted(&self, files: &Files, from: i64, to: i64) -> Result<Aborted, SegmentError> {
        let mut transactions = Vec::new();
        let lists_all = self.state().lists_all_aborted;
        if self.extent().covered > 0 && !lists_all {
            let index = self.index(files)?;
            let listed = index.aborted.as_ref().map_err(|(path, position, what)| {
                let (path, position) = (path.clone(), *position);
                self.explain(SegmentError::Corrupt { path, position, what })
            });
            transactions.extend_from_slice(listed?);
        }
        if let Some(extras) = &self.state().extras {
            // What is in the file as well stands there first.
            let listed = transactions.last().map_or(i64::MIN, |transaction| transaction.last_offset);
            transactions.extend(extras.aborted.iter().filter(|one| one.last_offset > listed));
        }
        Ok(Aborted::collect(&transactions, from, to))
    }

    /// The index of what is not indexed in memory.
    pub(super) fn index(&self, files: &Files) -> Result<Arc<Loaded>, SegmentError> {
        let extent = self.extent();
        if let Some(index) = files.index(self).filter(|index| index.covered == extent.covered) {
            return Ok(index);
        }
        let loader = Loader { segment: self, files, extent };
        let index = Arc::new(loader.load().map_err(|error| self.explain(error))?);
        files.keep_index(self, &index);
        Ok(index)
    }

    /// Picks an index entry, and looks at nothing in the file of batches.
    fn pick(
        &self,
        files: &Files,
        pick: impl Fn(OffsetIndex<'_>) -> Option<OffsetEntry>,
    ) -> Result<Option<OffsetEntry>, SegmentError> {
        let (live, covered) = {
            let state = self.state();
            (pick(state.builder.offsets()), state.covered)
        };
        if live.is_some() || covered == 0 {
            return Ok(live);
        }
        Ok(pick(self.index(files)?.offsets()))
    }

    /// Where to begin a search: at the batch of the entry that is picked, or at the front.
    pub(super) fn start(
        &self,
        files: &Files,
        pick: impl Fn(OffsetIndex<'_>) -> Option<OffsetEntry>,
    ) -> Result<u64, SegmentError> {
        let (live, covered) = {
            let state = self.state();
            (pick(state.builder.offsets()), state.covered)
        };
        if let Some(entry) = live {
            return Ok(entry.position);
        }
        if covered == 0 {
            return Ok(0);
        }
        let index = self.index(files)?;
        let Some(entry) = pick(index.offsets()) else { return Ok(0) };
        let (position, index) = self.checked_entry(files, &index, entry)?;
        match index {
            None => Ok(position),
            Some(anew) => Ok(pick(anew.offsets()).map_or(0, |entry| entry.position)),
        }
    }

    /// The position of an entry, if the batch that it names is there; otherwise the front, and the index that
    /// has been made anew.
    pub(super) fn checked_entry(
        &self,
        files: &Files,
        index: &Loaded,
        entry: OffsetEntry,
    ) -> Result<(u64, Option<Arc<Loaded>>), SegmentError> {
        if index.is_rebuilt {
            return Ok((entry.position, None));
        }
        let mut walk = self.walk(files, entry.position, PROBE_BYTES)?;
        match walk.next() {
            Ok(Some((position, header))) if header.last_offset() == entry.offset => Ok((position, None)),
            Ok(_) => self.rebuild(files, index).map(|index| (0, Some(index))),
            Err(error) if error.is_corrupt() => self.rebuild(files, index).map(|index| (0, Some(index))),
            Err(error) => Err(error),
        }
    }

    /// Makes the index anew, from the batches.
    pub(super) fn rebuild(&self, files: &Files, index: &Loaded) -> Result<Arc<Loaded>, SegmentError> {
        let loader = Loader { segment: self, files, extent: self.extent() };
        let index = loader.rebuild(index.offset_bytes()).map_err(|error| self.explain(error))?;
        let index = Arc::new(index);
        files.keep_index(self, &index);
        Ok(index)
    }
}
