//! Reading, beside the writer: what is published is found under a short lock, and got without one.
//!
//! Record bytes are not copied. What comes out are slices of the journal's frames in memory, and ranges of files
//! that are kept open.

use std::io;
use std::sync::Arc;

use bytes::Bytes;

use super::error::ReadError;
use super::log::aborted_transaction;
use super::options::Options;
use super::partition::{Offsets, Partition, UpTo, View};
use super::read_back::ReadBuffers;
use super::slice::Slice;
use crate::disk::Disk;
use crate::journal;
use crate::layout::Layout;
use crate::producers::CompletedTransaction;
use crate::segment::{AbortedTransaction, FileRange, Files, FilesOptions, Segment, SegmentError};
use crate::tail::{Frames, TailEntry};

/// What was found may be gone by the time it is got: flushed, recycled or compacted. Then the view has it
/// elsewhere. It cannot happen so often in a row but by a mistake.
pub(super) const ATTEMPTS_MAX: usize = 16;

/// Where the bytes of all partitions are.
#[derive(Debug)]
pub(super) struct Sources {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) layout: Layout,
    pub(super) files: Arc<Files>,
    pub(super) frames: Frames,
    pub(super) journal: journal::Reader,
    pub(super) read_buffers: ReadBuffers,
}

impl Sources {
    /// Those below `layout`, of which nothing is open or in memory yet.
    pub(super) fn new(disk: &Arc<dyn Disk>, layout: Layout, options: &Options) -> Self {
        let files = FilesOptions { descriptors_max: options.open_files_max, ..FilesOptions::default() };
        Self {
            files: Arc::new(Files::new(Arc::clone(disk), layout.clone(), &files)),
            frames: Frames::new(options.tail_budget.clone()),
            journal: journal::Reader::default(),
            read_buffers: ReadBuffers::default(),
            disk: Arc::clone(disk),
            layout,
        }
    }
}

/// How much is read at once.
#[derive(Clone, Copy, Debug)]
pub struct ReadLimits {
    /// So many bytes.
    pub bytes_max: u64,
    /// Whether one batch is read however large it is.
    pub takes_one: bool,
    /// How far.
    pub up_to: UpTo,
}

/// What was read.
#[derive(Clone, Debug)]
pub struct ReadOut {
    /// Batches, one behind the other. The first one may begin before the offset that was asked for; the last
    /// one may be cut where it comes from a file, but not if it is the only one.
    pub slices: Vec<Slice>,
    /// No record of them has this offset or a higher one. Where they are from a segment, some before it may not be
    /// among them: an index tells it.
    pub end_offset: i64,
    /// What can be read behind them.
    pub rest: Rest,
    /// What of the same segment can be read behind them: whoever goes on asks for it.
    pub behind: Option<FileRange>,
    /// Where the log began and ended when it was read.
    pub offsets: Offsets,
}

/// What can be read behind what was read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Rest {
    /// So many bytes, which are in the newest segment or in no segment yet; or, if they are more than were asked for, at
    /// least as many as that.
    Bytes(u64),
    /// A newer segment.
    Segments,
}

impl Rest {
    fn of_tail(is_cut: bool, limits: ReadLimits) -> Self {
        Self::Bytes(if is_cut { limits.bytes_max } else { 0 })
    }
}

/// Where what was asked for is.
enum Found {
    /// There is nothing yet.
    Nothing,
    /// These batches, and whether the next one is more than was asked for.
    Tail(Vec<TailEntry>, bool),
    Segment(Arc<Segment>),
}

/// The offset behind these batches.
fn end_of(entries: &[TailEntry], offset: i64) -> i64 {
    entries.last().map_or(offset, TailEntry::end_offset)
}

/// What of a segment can be read.
enum Range {
    /// These bytes, with an offset that nothing in them has, and how many bytes of the segment are behind them.
    Found(FileRange, i64, u64),
    /// There is no batch from the offset on in it, and it ends there.
    Passed(i64),
    /// The next batch reaches the limit.
    Beyond,
}

impl Partition {
    /// Reads from an offset on: at least one batch if there is one, and otherwise about `bytes_max` bytes.
    pub fn read(&self, offset: i64, bytes_max: u64, up_to: UpTo) -> Result<ReadOut, ReadError> {
        self.read_within(offset, ReadLimits { bytes_max, takes_one: true, up_to })
    }

    /// Reads from an offset on what is in memory, without touching a disk; none if a file has to be looked into,
    /// which is for those to do who may wait.
    pub fn read_memory(&self, offset: i64, limits: ReadLimits) -> Result<Option<ReadOut>, ReadError> {
        let (found, offsets) = self.find(offset, limits)?;
        let (entries, is_cut) = match found {
            Found::Nothing => (Vec::new(), false),
            Found::Tail(entries, is_cut) => (entries, is_cut),
            Found::Segment(_) => return Ok(None),
        };
        let end_offset = end_of(&entries, offset);
        let rest = Rest::of_tail(is_cut, limits);
        let slices: Option<Vec<_>> = entries.iter().map(|entry| self.memory_slice(entry)).collect();
        Ok(slices.map(|slices| ReadOut { slices, end_offset, rest, behind: None, offsets }))
    }

    /// Reads from an offset on: batches of as many bytes as the limits say.
    pub fn read_within(&self, offset: i64, limits: ReadLimits) -> Result<ReadOut, ReadError> {
        let mut from = offset;
        let mut attempts = 0;
        while attempts < ATTEMPTS_MAX {
            let (found, offsets) = self.find(from, limits)?;
            let (mut end_offset, mut rest, mut behind) = (from, Rest::Bytes(0), None);
            let slices = match found {
                Found::Nothing => Some(Vec::new()),
                Found::Tail(entries, is_cut) => {
                    end_offset = end_of(&entries, from);
                    rest = Rest::of_tail(is_cut, limits);
                    entries.iter().map(|entry| self.slice(entry)).collect()
                }
                Found::Segment(segment) => {
                    match self.range(&segment, from, limits, offsets.limit(limits.up_to)) {
                        Err(SegmentError::Gone { .. }) => None,
                        Ok(Range::Passed(end)) => {
                            // Compaction leaves ends without a batch.
                            from = end;
                            continue;
                        }
                        Ok(Range::Beyond) => Some(Vec::new()),
                        Ok(Range::Found(range, end, left)) => {
                            end_offset = end;
                            rest = self.rest_of_log(&segment, left, limits, offsets);
                            behind = range.behind(left);
                            Some(vec![Slice::Segment(range)])
                        }
                        Err(error) => return Err(error.into()),
                    }
                }
            };
            if let Some(slices) = slices {
                self.note_read_behind(slices.iter().map(Slice::length_in_file).sum());
                return Ok(ReadOut { slices, end_offset, rest, behind, offsets });
            }
            attempts += 1;
        }
        Err(ReadError::Journal(io::ErrorKind::NotFound.into()))
    }

    fn find(&self, offset: i64, limits: ReadLimits) -> Result<(Found, Offsets), ReadError> {
        let view = self.view();
        if view.is_deleted {
            return Err(ReadError::UnknownPartition);
        }
        let offsets = view.offsets();
        let end_offset = offsets.limit(limits.up_to);
        if offset < offsets.local_start || offset > offsets.end {
            let start_offset = offsets.local_start;
            return Err(ReadError::OffsetOutOfRange { offset, start_offset, end_offset });
        }
        if offset >= end_offset {
            return Ok((Found::Nothing, offsets));
        }
        let found = match view.segment_with(offset) {
            Some(segment) => Found::Segment(segment),
            None => {
                let (entries, is_cut) = view.entries(offset, limits, end_offset);
                Found::Tail(entries, is_cut)
            }
        };
        Ok((found, offsets))
    }

    /// The bytes of a segment from an offset on that do not reach a limit. It may grow meanwhile, by what lies behind that.
    fn range(
        &self,
        segment: &Segment,
        offset: i64,
        limits: ReadLimits,
        limit: i64,
    ) -> Result<Range, SegmentError> {
        let ReadLimits { bytes_max, takes_one, .. } = limits;
        let files = &self.sources.files;
        // What it has now. What comes is behind the limit, wherever the log ends by then.
        let (length, end_offset) = (segment.length(), segment.end_offset());
        let found = match segment.find(files, offset)? {
            Some(found) if found.batch.last_offset >= limit => return Ok(Range::Beyond),
            Some(found) if found.batch.bytes > bytes_max && !takes_one => return Ok(Range::Beyond),
            Some(found) => found,
            None if end_offset > offset => return Ok(Range::Passed(end_offset)),
            None => return Ok(Range::Beyond),
        };
        let end_position = segment.find(files, limit)?.map_or(length, |end| end.position);
        let bytes_max = bytes_max.min(end_position.saturating_sub(found.position));
        let range = segment.range(files, &found, bytes_max)?;
        let read_to = range.offset + range.length;
        let end_offset = segment.offset_bound(files, read_to)?;
        Ok(Range::Found(range, end_offset, end_position.saturating_sub(read_to)))
    }

    /// What can be read behind what was read of a segment, of which so many bytes are left.
    fn rest_of_log(&self, segment: &Segment, behind: u64, limits: ReadLimits, offsets: Offsets) -> Rest {
        let (from, limit) = (segment.end_offset(), offsets.limit(limits.up_to));
        if from >= limit {
            return Rest::Bytes(behind);
        }
        let view = self.view();
        if view.segment_with(from).is_some() {
            return Rest::Segments;
        }
        Rest::Bytes(behind.saturating_add(view.tail_bytes(from, limits.bytes_max, limit)))
    }

    /// A tail's batch, if it is in memory.
    fn memory_slice(&self, entry: &TailEntry) -> Option<Slice> {
        let TailEntry { frame, offset_in_frame, length, .. } = *entry;
        self.sources.frames.slice(frame, offset_in_frame, length).map(Slice::Memory)
    }

    /// Where a tail's batch is; none if it has been flushed and recycled meanwhile.
    fn slice(&self, entry: &TailEntry) -> Option<Slice> {
        if let Some(slice) = self.memory_slice(entry) {
            return Some(slice);
        }
        let TailEntry { frame, offset_in_frame, length, .. } = *entry;
        let position = self.sources.frames.place(frame, offset_in_frame, length)?;
        let file = Arc::new(self.sources.journal.pin(position.file)?);
        Some(Slice::Journal { file, offset: position.offset, length: u64::from(position.length) })
    }

    /// The aborted transactions that somebody has to know who reads committed records from an offset on and below
    /// another: their records are to be skipped.
    pub fn aborted(&self, from: i64, to: i64) -> Result<Vec<AbortedTransaction>, ReadError> {
        for _ in 0..ATTEMPTS_MAX {
            let (segments, in_tail) = {
                let view = self.view();
                let segments = view.segments.iter().filter(|segment| segment.end_offset() > from).cloned();
                // One that ended before is none of theirs: they would wait in vain for its end.
                let concerns = |aborted: &&CompletedTransaction| {
                    aborted.last_offset >= from && aborted.first_offset < to
                };
                let in_tail = view.aborted.iter().filter(concerns).map(aborted_transaction);
                (segments.collect::<Vec<_>>(), in_tail.collect::<Vec<_>>())
            };
            match self.aborted_in(&segments, in_tail, from, to) {
                Err(SegmentError::Gone { .. }) => {}
                result => return Ok(result?),
            }
        }
        Err(ReadError::Journal(io::ErrorKind::NotFound.into()))
    }

    fn aborted_in(
        &self,
        segments: &[Arc<Segment>],
        in_tail: Vec<AbortedTransaction>,
        from: i64,
        to: i64,
    ) -> Result<Vec<AbortedTransaction>, SegmentError> {
        let mut transactions = Vec::new();
        for segment in segments {
            let found = segment.aborted(&self.sources.files, from, to)?;
            transactions.extend(found.transactions);
            if found.is_complete {
                return Ok(transactions);
            }
        }
        transactions.extend(in_tail);
        Ok(transactions)
    }

    /// None if the batch is not where it was said to be any more.
    pub(super) fn bytes_of(&self, entry: &TailEntry) -> Result<Option<Bytes>, ReadError> {
        let Some(slice) = self.slice(entry) else { return Ok(None) };
        match slice.read() {
            // Its file was emptied, which was recycled before.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            bytes => bytes.map(Some).map_err(ReadError::Journal),
        }
    }
}

impl View {
    /// The segment that holds an offset, or the first one behind it; none if only the tail may.
    fn segment_with(&self, offset: i64) -> Option<Arc<Segment>> {
        let place = self.segments.partition_point(|segment| segment.end_offset() <= offset);
        self.segments.get(place).cloned()
    }

    /// The tail's batches from an offset on, as many as fit and perhaps one, none of which reaches the limit; and
    /// whether there is another one that does not fit.
    fn entries(&self, offset: i64, limits: ReadLimits, limit: i64) -> (Vec<TailEntry>, bool) {
        let (mut bytes, mut is_cut) = (0, false);
        let entries = self.tail.iter_from(offset).take_while(|entry| {
            let is_taken = bytes == 0 && limits.takes_one;
            bytes += u64::from(entry.length);
            let is_below = entry.last_offset() < limit;
            let fits = is_taken || bytes <= limits.bytes_max;
            is_cut = is_below && !fits;
            is_below && fits
        });
        (entries.copied().collect(), is_cut)
    }

    /// How many bytes the tail has from an offset on and below a limit; no more are counted than so many.
    fn tail_bytes(&self, offset: i64, bytes_max: u64, limit: i64) -> u64 {
        let mut bytes = 0;
        for entry in self.tail.iter_from(offset) {
            if bytes >= bytes_max || entry.last_offset() >= limit {
                break;
            }
            bytes += u64::from(entry.length);
        }
        bytes
    }
}
