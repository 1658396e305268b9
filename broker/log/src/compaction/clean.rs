//! One round of compaction: find the last offset of each key, then go through the segments and pass on what stays.
//!
//! Owns the way through the segments. What a batch is worth `filter` says; where it comes from and goes to is the
//! caller's.

use strandline_protocol::Decompressor;
use strandline_protocol::batch::{BatchError, BatchHeader, BatchView, batches};

use super::error::CompactionError;
use super::filter::{self, Filter, Filtered, Kept, Rules};
use super::hash::KeyHash;
use super::offset_map::{OffsetMap, Put};
use super::statistics::Statistics;
use super::transactions::Transactions;
use super::{Pace, Settings, Sink, Source};
use crate::random::Random;

/// How a round went.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Cleaned {
    /// The next round's first dirty offset.
    pub cleaned_to: i64,
    /// Whether the keys did not all fit into memory, so that another round is needed for the rest.
    pub is_partial: bool,
    /// What was found and done.
    pub statistics: Statistics,
}

/// A round of compaction. It is given all segments twice, in order: [`Round::begin`] reads those with something
/// dirty in them, and [`Round::pass`] goes through each from the log's first to the last one below
/// [`Round::cleaned_to`].
pub struct Round<'a> {
    settings: &'a Settings,
    pace: &'a mut dyn Pace,
    map: OffsetMap,
    mapped_to: i64,
    transactions: Transactions,
    filter: Filter,
    buffer: Vec<u8>,
    /// Of the batch that is being added to the map.
    hashes: Vec<(KeyHash, i64)>,
}

impl<'a> Round<'a> {
    /// Finds the last offset of each key, as far as they fit into memory.
    pub fn begin<'s, S: Source + 's>(
        sources: impl IntoIterator<Item = &'s S>,
        settings: &'a Settings,
        pace: &'a mut dyn Pace,
        random: &mut Random,
    ) -> Result<Self, CompactionError> {
        let dirty_offsets = settings.end_offset.saturating_sub(settings.first_dirty_offset);
        // There are no more keys than offsets.
        let keys_max = u64::try_from(dirty_offsets).unwrap_or(0);
        let mut round = Self {
            settings,
            pace,
            map: OffsetMap::new(settings.map_bytes_max, keys_max, random),
            mapped_to: settings.first_dirty_offset,
            transactions: Transactions::default(),
            filter: Filter::new(),
            buffer: Vec::new(),
            hashes: Vec::new(),
        };
        for source in sources {
            if source.end_offset() > settings.first_dirty_offset && !round.map_segment(source)? {
                break;
            }
        }
        // From here on it goes through the log from its start.
        round.transactions = Transactions::default();
        round.filter.statistics.keys = round.map.len() as u64;
        Ok(round)
    }

    /// Below this offset the keys are known: segments that begin behind it need not be passed.
    pub const fn cleaned_to(&self) -> i64 {
        self.mapped_to
    }

    /// What was found and done until now.
    pub const fn statistics(&self) -> &Statistics {
        &self.filter.statistics
    }

    /// Ends the round.
    pub fn finish(self) -> Cleaned {
        Cleaned {
            cleaned_to: self.mapped_to,
            is_partial: self.mapped_to < self.settings.end_offset,
            statistics: self.filter.statistics,
        }
    }

    /// Adds a segment's keys to the map. False where they do not fit.
    fn map_segment(&mut self, source: &impl Source) -> Result<bool, CompactionError> {
        self.transactions.add_aborted(source.aborted()?);
        let mut decompressor = Decompressor::new();
        let mut buffer = std::mem::take(&mut self.buffer);
        let mut walk = Walk::new(source);
        while walk.read(&mut buffer, self.pace)? {
            self.filter.statistics.mapped_bytes += buffer.len() as u64;
            for batch in batches(&buffer) {
                let batch = walk.check(batch)?;
                let full_at =
                    self.map_batch(&batch, &mut decompressor).map_err(|error| walk.failed(error))?;
                if let Some(full_at) = full_at {
                    self.mapped_to = full_at;
                    return Ok(false);
                }
            }
        }
        self.buffer = buffer;
        self.mapped_to = source.end_offset();
        Ok(true)
    }

    /// Adds a batch's keys to the map. Gives the offset of the first one that does not fit.
    fn map_batch(
        &mut self,
        batch: &BatchView<'_>,
        decompressor: &mut Decompressor,
    ) -> Result<Option<i64>, BatchError> {
        let Settings { first_dirty_offset, decompressed_bytes_max, .. } = *self.settings;
        let header = batch.header();
        if header.attributes.is_control() {
            if let Some(marker) = filter::marker(batch, decompressor, decompressed_bytes_max)? {
                self.transactions.pass_marker(header, marker);
            }
            return Ok(None);
        }
        // What was aborted takes no other record's place.
        if self.transactions.pass_data(header) || header.last_offset() < first_dirty_offset {
            return Ok(None);
        }
        // First all hashes, then all look-ups, as the filter does it.
        self.hashes.clear();
        for record in &batch.records_with(decompressor, decompressed_bytes_max)? {
            let record = record?;
            let key = record.key.filter(|_| record.offset >= first_dirty_offset);
            self.hashes.extend(key.map(|key| (self.map.hash(key), record.offset)));
        }
        let full_at = self.hashes.iter().find(|(hash, offset)| self.map.put(*hash, *offset) == Put::Full);
        Ok(full_at.map(|(_, offset)| *offset))
    }

    /// Goes through a segment, and passes on what stays of it.
    pub fn pass(&mut self, source: &impl Source, sink: &mut impl Sink) -> Result<(), CompactionError> {
        self.transactions.add_aborted(source.aborted()?);
        let rules = Rules { settings: self.settings, map: &self.map, mapped_to: self.mapped_to };
        let mut walk = Walk::new(source);
        while walk.read(&mut self.buffer, self.pace)? {
            let kept_before = self.filter.statistics.bytes_kept;
            for batch in batches(&self.buffer) {
                let batch = walk.check(batch)?;
                let filtered = self.filter.apply(&batch, &rules, &mut self.transactions);
                let Filtered { kept, aborted } = filtered.map_err(|error| walk.failed(error))?;
                match kept {
                    Kept::Dropped => {}
                    Kept::Whole => sink.append(batch.header(), batch.bytes())?,
                    Kept::Changed(bytes) => {
                        let header = BatchHeader::parse(&bytes).map_err(|error| walk.failed(error))?;
                        sink.append(&header, &bytes)?;
                    }
                }
                if let Some(transaction) = aborted {
                    sink.add_aborted(transaction)?;
                }
            }
            if !self.pace.goes_on(self.filter.statistics.bytes_kept - kept_before) {
                return Err(CompactionError::Stopped);
            }
        }
        Ok(())
    }
}

/// The way through a segment, batch by batch, each of which is checked before it is believed.
struct Walk<'s, S> {
    source: &'s S,
    /// Of the batch that was checked last.
    batch_position: u64,
    position: u64,
    /// The lowest offset that the next batch can have.
    next_offset: i64,
}

impl<'s, S: Source> Walk<'s, S> {
    fn new(source: &'s S) -> Self {
        Self { source, batch_position: 0, position: 0, next_offset: source.base_offset() }
    }

    /// Reads the batches that come next. False at the end.
    fn read(&self, buffer: &mut Vec<u8>, pace: &mut dyn Pace) -> Result<bool, CompactionError> {
        self.source.read(self.position, buffer)?;
        if pace.goes_on(buffer.len() as u64) { Ok(!buffer.is_empty()) } else { Err(CompactionError::Stopped) }
    }

    /// Passes the next batch on if its checksum is right and its offsets are where they belong.
    fn check<'b>(
        &mut self,
        batch: Result<BatchView<'b>, BatchError>,
    ) -> Result<BatchView<'b>, CompactionError> {
        self.batch_position = self.position;
        let batch = batch.map_err(|error| self.failed(error))?;
        batch.check_crc().map_err(|error| self.failed(error))?;
        let header = batch.header();
        let (base_offset, last_offset) = (header.base_offset, header.last_offset());
        let (expected, end_offset) = (self.next_offset, self.source.end_offset());
        if base_offset < expected || last_offset < base_offset || last_offset >= end_offset {
            let (path, position) = (self.source.path().to_owned(), self.batch_position);
            return Err(CompactionError::Offsets {
                path,
                position,
                base_offset,
                last_offset,
                expected,
                end_offset,
            });
        }
        self.next_offset = last_offset + 1;
        self.position += batch.bytes().len() as u64;
        Ok(batch)
    }

    /// The error of the batch that was checked last.
    fn failed(&self, source: BatchError) -> CompactionError {
        CompactionError::Batch { path: self.source.path().to_owned(), position: self.batch_position, source }
    }
}
