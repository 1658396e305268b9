//! Sparse indexes as Kafka lays them out: which entries they get, and looking things up in them.
//!
//! Pure: bytes in, bytes out. An offset entry names the last offset of a batch, counted from the segment's base
//! offset, and where the batch begins. A time entry names the largest timestamp so far, and the last offset of
//! the batch that has it.

use super::facts::BatchFacts;

/// Bytes of an entry of an offset index: a relative offset and a position.
pub(super) const OFFSET_ENTRY_BYTES: usize = 8;

/// Bytes of an entry of a time index: a timestamp and a relative offset.
pub(super) const TIME_ENTRY_BYTES: usize = 12;

/// An entry of an offset index.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct OffsetEntry {
    /// The last offset of the batch.
    pub offset: i64,
    /// Where the batch begins.
    pub position: u64,
}

/// An entry of a time index.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TimeEntry {
    /// The largest timestamp up to here.
    pub timestamp: i64,
    /// The last offset of the first batch that has it.
    pub offset: i64,
}

/// How many of `count` entries, which are sorted by it, something holds for.
fn partition_point(count: usize, holds: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

/// The entry with this number, of entries of `N` bytes.
fn entry<const N: usize>(bytes: &[u8], number: usize) -> Option<&[u8; N]> {
    bytes.get(number.checked_mul(N)?..)?.first_chunk()
}

/// The entries of an offset index.
#[derive(Clone, Copy, Debug)]
pub struct OffsetIndex<'a> {
    base_offset: i64,
    bytes: &'a [u8],
}

impl<'a> OffsetIndex<'a> {
    /// The index of a segment, as its file holds it.
    pub const fn new(base_offset: i64, bytes: &'a [u8]) -> Self {
        Self { base_offset, bytes }
    }

    /// How many entries there are.
    pub const fn count(&self) -> usize {
        self.bytes.len() / OFFSET_ENTRY_BYTES
    }

    /// An entry.
    pub fn get(&self, number: usize) -> Option<OffsetEntry> {
        let &[a, b, c, d, e, f, g, h] = entry(self.bytes, number)?;
        Some(OffsetEntry {
            offset: self.base_offset.saturating_add(i64::from(u32::from_be_bytes([a, b, c, d]))),
            position: u64::from(u32::from_be_bytes([e, f, g, h])),
        })
    }

    /// All entries.
    pub fn entries(self) -> impl Iterator<Item = OffsetEntry> + use<'a> {
        (0..self.count()).filter_map(move |number| self.get(number))
    }

    /// The last entry for which something holds; it has to hold for all entries before it.
    fn last_where(&self, holds: impl Fn(OffsetEntry) -> bool) -> Option<OffsetEntry> {
        let point = partition_point(self.count(), |number| self.get(number).is_some_and(&holds));
        self.get(point.checked_sub(1)?)
    }

    /// The last entry that is not beyond an offset.
    pub fn at_or_below(&self, offset: i64) -> Option<OffsetEntry> {
        self.last_where(|entry| entry.offset <= offset)
    }

    /// The entry behind the one whose batch ends right before an offset; none if there are none such.
    pub fn behind(&self, offset: i64) -> Option<OffsetEntry> {
        let is_before = |number| self.get(number).is_some_and(|entry: OffsetEntry| entry.offset < offset);
        let point = partition_point(self.count(), is_before);
        let before = self.get(point.checked_sub(1)?)?;
        if before.offset.checked_add(1) == Some(offset) { self.get(point) } else { None }
    }

    /// The last entry whose batch begins not beyond a position.
    pub fn position_at_or_below(&self, position: u64) -> Option<OffsetEntry> {
        self.last_where(|entry| entry.position <= position)
    }

    /// The first entry whose batch begins beyond a position.
    pub fn position_above(&self, position: u64) -> Option<OffsetEntry> {
        let is_not = |number| self.get(number).is_some_and(|entry: OffsetEntry| entry.position <= position);
        self.get(partition_point(self.count(), is_not))
    }

    /// How many bytes the entries take that lie before both ends; none if they do not rise.
    pub(super) fn bytes_before(&self, length: u64, end_offset: i64) -> Option<usize> {
        let mut before = None;
        for (number, entry) in self.entries().enumerate() {
            if entry.position >= length || entry.offset >= end_offset {
                return Some(number * OFFSET_ENTRY_BYTES);
            }
            let rises =
                |before: OffsetEntry| entry.offset > before.offset && entry.position > before.position;
            if !before.is_none_or(rises) {
                return None;
            }
            before = Some(entry);
        }
        self.bytes.len().is_multiple_of(OFFSET_ENTRY_BYTES).then_some(self.bytes.len())
    }
}

/// The entries of a time index.
#[derive(Clone, Copy, Debug)]
pub struct TimeIndex<'a> {
    base_offset: i64,
    bytes: &'a [u8],
}

impl<'a> TimeIndex<'a> {
    /// The index of a segment, as its file holds it.
    pub const fn new(base_offset: i64, bytes: &'a [u8]) -> Self {
        Self { base_offset, bytes }
    }

    /// How many entries there are.
    pub const fn count(&self) -> usize {
        self.bytes.len() / TIME_ENTRY_BYTES
    }

    /// An entry.
    pub fn get(&self, number: usize) -> Option<TimeEntry> {
        let (timestamp, offset) = entry::<TIME_ENTRY_BYTES>(self.bytes, number)?.split_first_chunk()?;
        let offset = u32::from_be_bytes(*offset.first_chunk()?);
        Some(TimeEntry {
            timestamp: i64::from_be_bytes(*timestamp),
            offset: self.base_offset.saturating_add(i64::from(offset)),
        })
    }

    /// All entries.
    pub fn entries(self) -> impl Iterator<Item = TimeEntry> + use<'a> {
        (0..self.count()).filter_map(move |number| self.get(number))
    }

    /// The last entry.
    pub fn last(&self) -> Option<TimeEntry> {
        self.get(self.count().checked_sub(1)?)
    }

    /// The last entry whose timestamp is not beyond another one.
    pub fn at_or_below(&self, timestamp: i64) -> Option<TimeEntry> {
        let holds = |number| self.get(number).is_some_and(|entry: TimeEntry| entry.timestamp <= timestamp);
        self.get(partition_point(self.count(), holds).checked_sub(1)?)
    }

    /// How many bytes the entries take that lie before the end; none if they do not rise.
    pub(super) fn bytes_before(&self, end_offset: i64) -> Option<usize> {
        let mut before = TimeEntry { timestamp: NONE_YET, offset: i64::MIN };
        for (number, entry) in self.entries().enumerate() {
            if entry.offset >= end_offset {
                return Some(number * TIME_ENTRY_BYTES);
            }
            if entry.timestamp <= before.timestamp || entry.offset <= before.offset {
                return None;
            }
            before = entry;
        }
        self.bytes.len().is_multiple_of(TIME_ENTRY_BYTES).then_some(self.bytes.len())
    }
}

/// The bytes of both indexes.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct IndexEntries {
    /// The offset index.
    pub offsets: Vec<u8>,
    /// The time index.
    pub times: Vec<u8>,
}

/// Decides which batches get an entry, as Kafka does: every so many bytes one.
///
/// It is small as long as there is no entry: every partition has one.
#[derive(Clone, Debug)]
pub(super) struct IndexBuilder {
    base_offset: i64,
    bytes_since_entry: u64,
    max: TimeEntry,
    /// The timestamp of the last time entry.
    indexed_timestamp: i64,
    entries: Option<Box<IndexEntries>>,
}

impl IndexBuilder {
    /// For batches behind others whose largest timestamp was this; the smallest one where there are none.
    pub(super) const fn new(base_offset: i64, max_timestamp: i64) -> Self {
        Self {
            base_offset,
            bytes_since_entry: 0,
            max: TimeEntry { timestamp: max_timestamp, offset: base_offset },
            indexed_timestamp: max_timestamp,
            entries: None,
        }
    }

    /// Goes on behind indexes that are there: the next batch is the one that the last offset entry names, and
    /// this is the last time entry.
    pub(super) fn resumed(base_offset: i64, last: Option<TimeEntry>) -> Self {
        let max = last.unwrap_or(TimeEntry { timestamp: NONE_YET, offset: base_offset });
        Self { max, ..Self::new(base_offset, max.timestamp) }
    }

    /// Counts a batch that begins at a position.
    pub(super) fn add(&mut self, position: u64, batch: &BatchFacts, interval_bytes: u32) {
        if batch.max_timestamp > self.max.timestamp {
            self.max = TimeEntry { timestamp: batch.max_timestamp, offset: batch.last_offset };
        }
        if self.bytes_since_entry > u64::from(interval_bytes) {
            self.index(position, batch.last_offset);
            self.bytes_since_entry = 0;
        }
        self.bytes_since_entry += batch.bytes;
    }

    fn index(&mut self, position: u64, offset: i64) {
        // Neither fails for a segment that rolls in time; an index without an entry is still a right one.
        let (Some(relative), Ok(position)) = (self.relative(offset), u32::try_from(position)) else { return };
        let entries = self.entries.get_or_insert_default();
        entries.offsets.extend_from_slice(&relative.to_be_bytes());
        entries.offsets.extend_from_slice(&position.to_be_bytes());
        self.index_time();
    }

    /// Adds the time entry that a segment gets at its end.
    pub(super) fn index_time(&mut self) {
        if self.max.timestamp > self.indexed_timestamp
            && let Some(relative) = self.relative(self.max.offset)
        {
            let times = &mut self.entries.get_or_insert_default().times;
            times.extend_from_slice(&self.max.timestamp.to_be_bytes());
            times.extend_from_slice(&relative.to_be_bytes());
            self.indexed_timestamp = self.max.timestamp;
        }
    }

    fn relative(&self, offset: i64) -> Option<u32> {
        // Kafka counts with signed numbers.
        i32::try_from(offset.checked_sub(self.base_offset)?).ok()?.try_into().ok()
    }

    pub(super) const fn max(&self) -> TimeEntry {
        self.max
    }

    pub(super) fn offsets(&self) -> OffsetIndex<'_> {
        let bytes = self.entries.as_ref().map(|entries| entries.offsets.as_slice());
        OffsetIndex::new(self.base_offset, bytes.unwrap_or_default())
    }

    pub(super) fn times(&self) -> TimeIndex<'_> {
        let bytes = self.entries.as_ref().map(|entries| entries.times.as_slice());
        TimeIndex::new(self.base_offset, bytes.unwrap_or_default())
    }

    pub(super) fn entries(&self) -> IndexEntries {
        self.entries.as_deref().cloned().unwrap_or_default()
    }

    pub(super) fn into_entries(self) -> IndexEntries {
        self.entries.map(|entries| *entries).unwrap_or_default()
    }

    /// Gives up the entries, which are found elsewhere from now on.
    pub(super) fn forget_entries(&mut self) -> Option<Box<IndexEntries>> {
        self.entries.take()
    }

    /// What the builder of a segment would be that ends earlier, with this as its largest timestamp.
    pub(super) fn cut(&self, length: u64, end_offset: i64, max: TimeEntry) -> Self {
        let mut entries = self.entries();
        // What it made itself rises.
        entries.offsets.truncate(self.offsets().bytes_before(length, end_offset).unwrap_or(0));
        entries.times.truncate(self.times().bytes_before(end_offset).unwrap_or(0));
        let indexed = TimeIndex::new(self.base_offset, &entries.times).last();
        Self {
            base_offset: self.base_offset,
            bytes_since_entry: 0,
            max,
            indexed_timestamp: indexed.map_or(NONE_YET, |entry| entry.timestamp),
            entries: Some(Box::new(entries)),
        }
    }
}

/// What is smaller than every timestamp that gets an entry.
pub(super) const NONE_YET: i64 = strandline_protocol::batch::NO_TIMESTAMP;
