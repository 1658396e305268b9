//! One round of compaction: find the last offset of each key, then go through the segments and pass on what stays.
//!
//! Owns the way through the segments. What a batch is worth `filter` says; where it comes from and goes to is the
//! caller's.

use strandline_protocol::Decompressor;
use strandline_protocol::batch::{BatchError, BatchHeader, BatchView};

use super::error::CompactionError;
use super::filter::{self, Filter, Filtered, Kept, Rules};
use super::hash::KeyHash;
use super::offset_map::{FETCHED_AT_ONCE, OffsetMap, Put};
use super::statistics::Statistics;
use super::transactions::Transactions;
use super::{Batches, Pace, Settings, Sink, Source};
use crate::random::Random;

/// After so many bytes the pace is asked: some hundred times a second.
const PACE_BYTES: u64 = 1 << 20;

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
pub struct Round {
    settings: Settings,
    map: OffsetMap,
    mapped_to: i64,
    transactions: Transactions,
    filter: Filter,
    /// Of the batch that is being added to the map.
    hashes: Vec<(KeyHash, i64)>,
    /// Read or written since the pace was last asked.
    unpaced_bytes: u64,
}

impl Round {
    /// Finds the last offset of each key, as far as they fit into memory.
    pub fn begin<S: Source>(
        sources: impl IntoIterator<Item = S>,
        settings: Settings,
        pace: &mut dyn Pace,
        random: &mut Random,
    ) -> Result<Self, CompactionError> {
        let dirty_offsets = settings.end_offset.saturating_sub(settings.first_dirty_offset);
        // There are no more keys than offsets.
        let keys_max = u64::try_from(dirty_offsets).unwrap_or(0);
        let mut round = Self {
            map: OffsetMap::new(settings.map_bytes_max, keys_max, random),
            mapped_to: settings.first_dirty_offset,
            settings,
            transactions: Transactions::default(),
            filter: Filter::new(),
            hashes: Vec::new(),
            unpaced_bytes: 0,
        };
        for source in sources {
            let is_dirty = source.end_offset() > round.settings.first_dirty_offset;
            if is_dirty && !round.map_segment(&source, pace)? {
                break;
            }
        }
        round.settle(pace)?;
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

    /// Ends the round, in which all segments were passed that had to be.
    pub fn finish(self) -> Cleaned {
        Cleaned {
            cleaned_to: self.mapped_to,
            is_partial: self.mapped_to < self.settings.end_offset,
            statistics: self.filter.statistics,
        }
    }

    /// Adds a segment's keys to the map. False where they do not fit.
    fn map_segment(&mut self, source: &impl Source, pace: &mut dyn Pace) -> Result<bool, CompactionError> {
        self.transactions.add_aborted(source.aborted()?);
        let mut decompressor = Decompressor::new();
        let mut batches = source.batches()?;
        while let Some((position, batch)) = batches.next()? {
            let full_at = self.map_batch(&batch, &mut decompressor);
            if let Some(full_at) = full_at.map_err(|error| source.failed(position, error))? {
                self.mapped_to = full_at;
                return Ok(false);
            }
            self.filter.statistics.mapped_bytes += batch.bytes().len() as u64;
            self.spend(batch.bytes().len() as u64, pace)?;
        }
        self.mapped_to = source.end_offset();
        Ok(true)
    }

    /// Adds a batch's keys to the map. Gives the offset of the first one that does not fit.
    fn map_batch(
        &mut self,
        batch: &BatchView<'_>,
        decompressor: &mut Decompressor,
    ) -> Result<Option<i64>, BatchError> {
        let Settings { first_dirty_offset, decompressed_bytes_max, .. } = self.settings;
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
        self.hashes.clear();
        for record in &batch.records_with(decompressor, decompressed_bytes_max)? {
            let record = record?;
            let key = record.key.filter(|_| record.offset >= first_dirty_offset);
            self.hashes.extend(key.map(|key| (self.map.hash(key), record.offset)));
        }
        for keys in self.hashes.chunks(FETCHED_AT_ONCE) {
            self.map.fetch(keys.iter().map(|(hash, _)| *hash));
            let full_at = keys.iter().find(|(hash, offset)| self.map.put(*hash, *offset) == Put::Full);
            if let Some((_, offset)) = full_at {
                return Ok(Some(*offset));
            }
        }
        Ok(None)
    }

    /// Goes through a segment, and passes on what stays of it.
    pub fn pass(
        &mut self,
        source: &impl Source,
        sink: &mut impl Sink,
        pace: &mut dyn Pace,
    ) -> Result<(), CompactionError> {
        self.transactions.add_aborted(source.aborted()?);
        let mut batches = source.batches()?;
        while let Some((position, batch)) = batches.next()? {
            let rules = Rules { settings: &self.settings, map: &self.map, mapped_to: self.mapped_to };
            let failed = |error| source.failed(position, error);
            let Filtered { kept, aborted } =
                self.filter.apply(&batch, &rules, &mut self.transactions).map_err(failed)?;
            let mut bytes = batch.bytes().len();
            match kept {
                Kept::Dropped => {}
                Kept::Whole => {
                    sink.append(batch.header(), batch.bytes())?;
                    bytes *= 2;
                }
                Kept::Changed(changed) => {
                    sink.append(&BatchHeader::parse(&changed).map_err(failed)?, &changed)?;
                    bytes += changed.len();
                }
            }
            if let Some(transaction) = aborted {
                sink.add_aborted(transaction)?;
            }
            self.spend(bytes as u64, pace)?;
        }
        self.settle(pace)
    }

    /// Counts bytes that were read or written, and asks now and then whether to go on.
    fn spend(&mut self, bytes: u64, pace: &mut dyn Pace) -> Result<(), CompactionError> {
        self.unpaced_bytes += bytes;
        if self.unpaced_bytes < PACE_BYTES { Ok(()) } else { self.settle(pace) }
    }

    /// Asks for what is left as well: many small logs are as much as a large one.
    fn settle(&mut self, pace: &mut dyn Pace) -> Result<(), CompactionError> {
        let bytes = std::mem::take(&mut self.unpaced_bytes);
        if bytes == 0 || pace.goes_on(bytes) { Ok(()) } else { Err(CompactionError::Stopped) }
    }
}
