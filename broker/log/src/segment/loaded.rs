//! The indexes of what this process has not written itself, or does not keep in memory any more.
//!
//! Taken from their files where these make sense, up to the end that they have to reach; made from the batches
//! otherwise. A file of an index is never written while it is mapped: a new one takes its name.

use std::ops::Deref;
use std::os::fd::AsRawFd;
use std::path::PathBuf;

use memmap2::Mmap;
use strandline_protocol::batch::BatchHeader;

use super::error::{SegmentError, failed};
use super::facts::BatchFacts;
use super::index::{
    IndexBuilder, NONE_YET, OffsetEntry, OffsetIndex, TIME_ENTRY_BYTES, TimeEntry, TimeIndex,
};
use super::scan::{Order, PROBE_BYTES, Scanner, Walk};
use super::transactions::{self, AbortedTransaction};
use super::{Extent, Files, Segment};
use crate::disk::{self, Access, File};
use crate::layout::FileKind;

/// An index that is made anew gets an entry for so many bytes, as by Kafka's default.
const INTERVAL_BYTES: u32 = 4_096;

/// Shorter ones are read: a mapping has its price, and there can be only so many.
const MAPPED_BYTES_MIN: u64 = 64 << 10;

/// What an index counts in the cache besides its own bytes.
const WEIGHT: u64 = 4 << 10;

/// Behind bad bytes, so many entries of a doubtful index are tried to find where the batches go on.
const HINTS_MAX: usize = 1_024;

/// The bytes of an index.
#[derive(Debug)]
pub(super) enum IndexBytes {
    Owned(Vec<u8>),
    Mapped { map: Mmap, length: usize },
}

impl Deref for IndexBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Owned(bytes) => bytes,
            Self::Mapped { map, length } => map.get(..*length).unwrap_or_default(),
        }
    }
}

impl IndexBytes {
    fn truncate(&mut self, bytes: usize) {
        match self {
            Self::Owned(owned) => owned.truncate(bytes),
            Self::Mapped { length, .. } => *length = bytes.min(*length),
        }
    }

    fn read(file: &dyn File, bytes_max: u64) -> std::io::Result<Self> {
        let length = file.length()?.min(bytes_max);
        if let Some(descriptor) = file.descriptor().filter(|_| length >= MAPPED_BYTES_MIN) {
            // SAFETY: no file of an index is ever shortened or written once it has its name, only replaced. If
            // somebody else shortened it, reading would kill the process; what it held could not harm it.
            #[expect(unsafe_code, reason = "mapping a file is unsafe: others could change it")]
            let map = unsafe { Mmap::map(descriptor.as_raw_fd()) }?;
            let length = usize::try_from(length).unwrap_or(usize::MAX).min(map.len());
            return Ok(Self::Mapped { map, length });
        }
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
        disk::read_exact_at(file, &mut bytes, 0)?;
        Ok(Self::Owned(bytes))
    }

    fn weight(&self) -> u64 {
        match self {
            Self::Owned(bytes) => bytes.capacity() as u64,
            Self::Mapped { .. } => 0,
        }
    }
}

/// The indexes of a segment's first `covered` bytes.
#[derive(Debug)]
pub(super) struct Loaded {
    base_offset: i64,
    offsets: IndexBytes,
    times: IndexBytes,
    /// What the file lists, or where it is bad and how.
    pub(super) aborted: Result<Vec<AbortedTransaction>, (PathBuf, u64, &'static str)>,
    pub(super) covered: u64,
    /// Made from the batches, so that nothing better can be had.
    pub(super) is_rebuilt: bool,
}

impl Loaded {
    pub(super) fn weight(&self) -> u64 {
        let aborted = self.aborted.as_ref().map_or(0, |list| size_of_val(list.as_slice()));
        WEIGHT + self.offsets.weight() + self.times.weight() + aborted as u64
    }

    pub(super) fn offsets(&self) -> OffsetIndex<'_> {
        OffsetIndex::new(self.base_offset, &self.offsets)
    }

    pub(super) fn times(&self) -> TimeIndex<'_> {
        TimeIndex::new(self.base_offset, &self.times)
    }

    pub(super) fn offset_bytes(&self) -> &[u8] {
        &self.offsets
    }

    pub(super) fn time_bytes(&self) -> &[u8] {
        &self.times
    }
}

/// Finds or makes the indexes of a segment's first `extent.covered` bytes.
pub(super) struct Loader<'a> {
    pub(super) segment: &'a Segment,
    pub(super) files: &'a Files,
    pub(super) extent: Extent,
}

/// Both indexes, as found.
type Candidate = (IndexBytes, IndexBytes);

impl Loader<'_> {
    /// Takes the files where they make sense.
    pub(super) fn load(&self) -> Result<Loaded, SegmentError> {
        let offsets = self.read(FileKind::OffsetIndex)?;
        let times = self.read(FileKind::TimeIndex)?;
        let hints = offsets.as_deref().map(<[u8]>::to_vec).unwrap_or_default();
        match offsets.zip(times).and_then(|candidate| self.trim(candidate)) {
            Some(candidate) => match self.complete(candidate) {
                Err(error) if error.is_corrupt() => self.rebuild(&hints),
                result => result,
            },
            None => self.rebuild(&hints),
        }
    }

    /// Makes them from the batches. Where these are bad, `hints` may tell where they go on.
    pub(super) fn rebuild(&self, hints: &[u8]) -> Result<Loaded, SegmentError> {
        let hints = OffsetIndex::new(self.segment.base_offset(), hints);
        let mut builder = IndexBuilder::new(self.segment.base_offset(), NONE_YET);
        let mut walk = self.walk(0)?;
        loop {
            match walk.next() {
                Ok(Some((position, header))) => {
                    builder.add(position, &BatchFacts::from(&header), INTERVAL_BYTES);
                }
                Ok(None) => break,
                Err(error) if error.is_corrupt() => {
                    let Some(position) = self.resume(&mut walk, hints)? else { break };
                    walk.jump(position, self.segment.base_offset());
                }
                Err(error) => return Err(error),
            }
        }
        builder.index_time();
        let entries = builder.into_entries();
        self.loaded((IndexBytes::Owned(entries.offsets), IndexBytes::Owned(entries.times)), true)
    }

    fn walk(&self, position: u64) -> Result<Walk, SegmentError> {
        let file = self.files.log(self.segment, Access::Read)?;
        let path = self.files.path(self.segment, FileKind::Log);
        let scanner = Scanner::new(file, path, self.extent.covered, PROBE_BYTES);
        Ok(Walk::new(scanner, position, self.order()))
    }

    fn order(&self) -> Order {
        Order { next_offset: self.segment.base_offset(), end_offset: self.extent.end_offset }
    }

    /// The bytes of an index file; none if there is none, or its name is not this segment's any more.
    fn read(&self, kind: FileKind) -> Result<Option<IndexBytes>, SegmentError> {
        if !self.files.has_names(self.segment) {
            return Ok(None);
        }
        let path = self.files.path(self.segment, kind);
        let Some(file) = self.files.open_if_there(&path)? else { return Ok(None) };
        // No sane index has more entries than there can be batches.
        let batches_max = self.extent.covered / strandline_protocol::batch::HEADER_BYTES as u64 + 1;
        let bytes = IndexBytes::read(&*file, batches_max.saturating_mul(TRANSACTION_ENTRY_BYTES_MAX))
            .map_err(failed("read", &path))?;
        // The name is given away before other bytes get it.
        Ok(self.files.has_names(self.segment).then_some(bytes))
    }

    /// Leaves out what lies beyond the end; none if the entries do not rise.
    fn trim(&self, (mut offsets, mut times): Candidate) -> Option<Candidate> {
        let (base_offset, extent) = (self.segment.base_offset(), self.extent);
        let index = OffsetIndex::new(base_offset, &offsets);
        let bytes = index.bytes_before(extent.covered, extent.end_offset)?;
        offsets.truncate(bytes);
        let bytes = TimeIndex::new(base_offset, &times).bytes_before(extent.end_offset)?;
        times.truncate(bytes);
        Some((offsets, times))
    }

    /// Walks from the last entries to the end, and adds what is missing.
    fn complete(&self, (mut offsets, times): Candidate) -> Result<Loaded, SegmentError> {
        let base_offset = self.segment.base_offset();
        let last_time = TimeIndex::new(base_offset, &times).last();
        let index = OffsetIndex::new(base_offset, &offsets);
        if let Some(entry) = last_time {
            self.check_time(index, entry)?;
        }
        let last = self.last_sure(index, last_time);
        let sure = last.map_or(Some(0), |entry| index.bytes_before(entry.position + 1, i64::MAX));
        offsets.truncate(sure.unwrap_or(0));
        let mut walk = self.walk(last.map_or(0, |entry| entry.position))?;
        let mut builder = IndexBuilder::resumed(base_offset, last_time);
        let mut expected = last;
        while let Some((position, header)) = walk.next()? {
            if let Some(entry) = expected.take().filter(|entry| entry.offset != header.last_offset()) {
                return Err(walk.scanner.corrupt(entry.position, "an index names a batch that is not there"));
            }
            builder.add(position, &BatchFacts::from(&header), INTERVAL_BYTES);
        }
        builder.index_time();
        if builder.max().timestamp != self.extent.max_timestamp.max(NONE_YET)
            && self.extent.covered == self.extent.length
        {
            return Err(walk.scanner.corrupt(0, "an index lacks the largest timestamp"));
        }
        let missing = builder.into_entries();
        if missing == super::IndexEntries::default() {
            return self.loaded((offsets, times), false);
        }
        let offsets = [&*offsets, &missing.offsets].concat();
        let times = [&*times, &missing.times].concat();
        self.loaded((IndexBytes::Owned(offsets), IndexBytes::Owned(times)), false)
    }

    /// The last offset entry up to which no time entry can be missing: the two files may have lost their ends
    /// apart. If the largest timestamp of all has its entry, none is missing anywhere.
    fn last_sure(&self, index: OffsetIndex<'_>, last_time: Option<TimeEntry>) -> Option<OffsetEntry> {
        let timestamp = last_time.map_or(NONE_YET, |entry| entry.timestamp);
        if timestamp == self.extent.max_timestamp && self.extent.covered == self.extent.length {
            return index.get(index.count().checked_sub(1)?);
        }
        index.at_or_below(last_time?.offset)
    }

    /// Checks that a time entry names a batch that has this timestamp.
    fn check_time(&self, index: OffsetIndex<'_>, entry: TimeEntry) -> Result<(), SegmentError> {
        let mut walk = self.walk(index.at_or_below(entry.offset).map_or(0, |entry| entry.position))?;
        while let Some((position, header)) = walk.next()? {
            if header.last_offset() >= entry.offset {
                let is_it = (header.last_offset(), header.max_timestamp) == (entry.offset, entry.timestamp);
                return if is_it {
                    Ok(())
                } else {
                    Err(walk.scanner.corrupt(position, "an index names a timestamp that is not there"))
                };
            }
        }
        Err(walk.scanner.corrupt(self.extent.covered, "an index names an offset that is not there"))
    }

    /// Where batches go on behind the one that the walk cannot pass.
    pub(super) fn resume(
        &self,
        walk: &mut Walk,
        hints: OffsetIndex<'_>,
    ) -> Result<Option<u64>, SegmentError> {
        let bad = walk.position();
        // Its length may be right where something else in its header is not.
        let behind = walk.scanner.end_by_length(bad)?;
        if behind == Some(self.extent.covered) {
            return Ok(behind);
        }
        let above = hints.entries().filter(|entry| entry.position > bad).take(HINTS_MAX);
        let hinted = above.map(|entry| (entry.position, Some(entry.offset)));
        for (position, offset) in behind.map(|position| (position, None)).into_iter().chain(hinted) {
            let is_it = |header: &BatchHeader| {
                offset.is_none_or(|offset| offset == header.last_offset())
                    && self.order().follow(header).is_ok()
            };
            let scanner = &mut walk.scanner;
            let checked = scanner.header(position).and_then(|header| {
                if is_it(&header) { scanner.check(position, &header).map(|()| true) } else { Ok(false) }
            });
            match checked {
                Ok(true) => return Ok(Some(position)),
                Ok(false) => {}
                Err(error) if error.is_corrupt() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    fn loaded(&self, (offsets, times): Candidate, is_rebuilt: bool) -> Result<Loaded, SegmentError> {
        let base_offset = self.segment.base_offset();
        let path = self.files.path(self.segment, FileKind::TransactionIndex);
        let aborted = match self.read(FileKind::TransactionIndex)? {
            Some(bytes) => transactions::decode(&bytes, base_offset, self.extent.end_offset)
                .map_err(|(at, what)| (path, at as u64, what)),
            // Not the same as none: whoever took it for that would show what was aborted.
            None if !self.segment.has_names() => Err((path, 0, "the index went with the segment's name")),
            None => Ok(Vec::new()),
        };
        Ok(Loaded { base_offset, offsets, times, aborted, covered: self.extent.covered, is_rebuilt })
    }
}

/// The longest entry that an index file has.
const TRANSACTION_ENTRY_BYTES_MAX: u64 = 34;

const _: () = assert!(TRANSACTION_ENTRY_BYTES_MAX > TIME_ENTRY_BYTES as u64);
