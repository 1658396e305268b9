//! What compaction leaves of a batch.
//!
//! Owns the decision about each batch and each record. Reads no file and writes none. What is in doubt is kept.

use bytes::Bytes;
use strandline_protocol::Decompressor;
use strandline_protocol::batch::{BatchError, BatchHeader, BatchView, ControlRecord, RecordSection};

use super::hash::KeyHash;
use super::offset_map::{FETCHED_AT_ONCE, OffsetMap};
use super::rebuild::Rebuilder;
use super::statistics::Statistics;
use super::transactions::{Ending, Marker, Transactions};
use super::{LastRecord, Settings};
use crate::segment::AbortedTransaction;

/// What stays of a batch.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Kept {
    /// All of it, byte for byte.
    Whole,
    /// Some records, or all of them with a delete horizon, or none: then it is the header alone, which says what
    /// the producer's last sequence number was, or where the log ends.
    Changed(Bytes),
    /// Nothing.
    Dropped,
}

/// A batch that was looked at.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Filtered {
    /// What stays.
    pub(super) kept: Kept,
    /// The transaction whose index entry stays, where the batch is the marker that aborted it.
    pub(super) aborted: Option<AbortedTransaction>,
}

/// What to hold the records against.
pub(super) struct Rules<'a> {
    pub(super) settings: &'a Settings,
    pub(super) map: &'a OffsetMap,
    /// The map knows all keys of the dirty part below this offset. What lies behind it stays.
    pub(super) mapped_to: i64,
}

/// Looks at batches, one after the other, in the log's order.
pub(super) struct Filter {
    decompressor: Decompressor,
    rebuilder: Rebuilder,
    /// The records of the batch.
    judged: Vec<Judged>,
    pub(super) statistics: Statistics,
}

/// A record of a batch.
#[derive(Clone, Copy)]
struct Judged {
    /// None if it has no key.
    hash: Option<KeyHash>,
    offset: i64,
    is_tombstone: bool,
    stays: bool,
}

impl Judged {
    /// Decides about the record, unless it lies behind what is known.
    #[inline]
    fn judge(&mut self, rules: &Rules<'_>, keeps_tombstones: bool, statistics: &mut Statistics) {
        if self.stays {
            return;
        }
        let Some(hash) = self.hash else {
            statistics.records_without_key += 1;
            return;
        };
        let is_superseded = rules.map.get(hash).is_some_and(|last| self.offset < last);
        let is_spent = self.is_tombstone && !keeps_tombstones;
        statistics.records_superseded += u64::from(is_superseded);
        statistics.tombstones_dropped += u64::from(is_spent && !is_superseded);
        self.stays = !is_superseded && !is_spent;
    }
}

/// What the records of a batch came to.
#[derive(Clone, Copy, Default)]
struct Verdict {
    kept: usize,
    has_tombstone: bool,
}

impl Filter {
    pub(super) fn new() -> Self {
        Self {
            decompressor: Decompressor::new(),
            rebuilder: Rebuilder::default(),
            judged: Vec::new(),
            statistics: Statistics::default(),
        }
    }

    /// Decides what stays of a batch. Its checksum has been checked.
    pub(super) fn apply(
        &mut self,
        batch: &BatchView<'_>,
        rules: &Rules<'_>,
        transactions: &mut Transactions,
    ) -> Result<Filtered, BatchError> {
        let mut aborted = None;
        let kept = if batch.header().attributes.is_control() {
            let ending = self.pass_marker(batch, rules, transactions)?;
            if let Some(Ending::Needed(transaction)) = ending {
                aborted = transaction;
            }
            self.apply_control(batch, rules, ending == Some(Ending::Alone))?
        } else {
            let is_aborted = transactions.pass_data(batch.header());
            self.apply_data(batch, rules, is_aborted)?
        };
        self.count(batch, &kept);
        Ok(Filtered { kept, aborted })
    }

    fn count(&mut self, batch: &BatchView<'_>, kept: &Kept) {
        let statistics = &mut self.statistics;
        let bytes = match kept {
            Kept::Whole => batch.bytes().len(),
            Kept::Changed(bytes) => bytes.len(),
            Kept::Dropped => 0,
        };
        statistics.batches_read += 1;
        statistics.bytes_read += batch.bytes().len() as u64;
        statistics.bytes_kept += bytes as u64;
        statistics.batches_kept += u64::from(*kept != Kept::Dropped);
        statistics.batches_whole += u64::from(*kept == Kept::Whole);
    }

    /// How the transaction ended, if the batch is a marker; none if it is another kind of control batch.
    fn pass_marker(
        &mut self,
        batch: &BatchView<'_>,
        rules: &Rules<'_>,
        transactions: &mut Transactions,
    ) -> Result<Option<Ending>, BatchError> {
        match marker(batch, &mut self.decompressor, rules.settings.decompressed_bytes_max)? {
            Some(marker) => Ok(Some(transactions.pass_marker(batch.header(), marker))),
            // An emptied one: its transaction is gone.
            None if batch.header().record_count == 0 => Ok(Some(Ending::Alone)),
            None => Ok(None),
        }
    }

    fn apply_control(
        &mut self,
        batch: &BatchView<'_>,
        rules: &Rules<'_>,
        is_alone: bool,
    ) -> Result<Kept, BatchError> {
        let header = batch.header();
        if header.record_count == 0 {
            return Ok(without_records(header, rules));
        }
        match header.delete_horizon_ms() {
            _ if !is_alone => Ok(Kept::Whole),
            Some(horizon_ms) if horizon_ms <= rules.settings.now_ms => {
                self.statistics.markers_dropped += 1;
                Ok(without_records(header, rules))
            }
            Some(_) => Ok(Kept::Whole),
            None => {
                let records =
                    batch.records_with(&mut self.decompressor, rules.settings.decompressed_bytes_max)?;
                let horizon_ms = rules.settings.delete_horizon_ms();
                let bytes = self.rebuilder.with_horizon(header, &records, horizon_ms);
                Ok(self.rebuilt(bytes))
            }
        }
    }

    fn apply_data(
        &mut self,
        batch: &BatchView<'_>,
        rules: &Rules<'_>,
        is_aborted: bool,
    ) -> Result<Kept, BatchError> {
        let header = batch.header();
        if is_aborted || header.record_count == 0 {
            self.statistics.records_aborted += u64::try_from(header.record_count).unwrap_or(0);
            return Ok(without_records(header, rules));
        }
        let records = batch.records_with(&mut self.decompressor, rules.settings.decompressed_bytes_max)?;
        let verdict = self.judge(header, &records, rules)?;
        if verdict.kept == 0 {
            return Ok(without_records(header, rules));
        }
        // Where the map ends within a batch, a tombstone may be in it that is still to be counted from.
        let is_mapped = header.last_offset() < rules.mapped_to;
        let before = header.delete_horizon_ms();
        let horizon_ms = match before {
            None if verdict.has_tombstone && is_mapped => Some(rules.settings.delete_horizon_ms()),
            before => before,
        };
        if verdict.kept == self.judged.len() && horizon_ms == before {
            return Ok(Kept::Whole);
        }
        let stays = self.judged.iter().map(|record| record.stays);
        let bytes = self.rebuilder.with_records(header, &records, stays, horizon_ms);
        Ok(self.rebuilt(bytes))
    }

    /// Decides about each record.
    fn judge(
        &mut self,
        header: &BatchHeader,
        records: &RecordSection<'_>,
        rules: &Rules<'_>,
    ) -> Result<Verdict, BatchError> {
        let keeps_tombstones =
            header.delete_horizon_ms().is_none_or(|horizon_ms| rules.settings.now_ms < horizon_ms);
        self.judged.clear();
        for record in records {
            let record = record?;
            self.judged.push(Judged {
                hash: record.key.map(|key| rules.map.hash(key)),
                offset: record.offset,
                is_tombstone: record.value.is_none(),
                stays: record.offset >= rules.mapped_to,
            });
        }
        let mut verdict = Verdict::default();
        for records in self.judged.chunks_mut(FETCHED_AT_ONCE) {
            rules.map.fetch(records.iter().filter_map(|record| record.hash));
            for record in records {
                record.judge(rules, keeps_tombstones, &mut self.statistics);
                verdict.kept += usize::from(record.stays);
                verdict.has_tombstone |= record.stays && record.is_tombstone;
            }
        }
        Ok(verdict)
    }

    /// What became of a batch that was to be made anew. Where that could not be done the old one stays, with more in
    /// it than needed.
    fn rebuilt(&mut self, bytes: Option<Bytes>) -> Kept {
        self.statistics.batches_unwritable += u64::from(bytes.is_none());
        bytes.map_or(Kept::Whole, Kept::Changed)
    }
}

/// What the batch says about the end of its transaction, if it is a marker with its record in it.
pub(super) fn marker(
    batch: &BatchView<'_>,
    decompressor: &mut Decompressor,
    decompressed_bytes_max: usize,
) -> Result<Option<Marker>, BatchError> {
    let records = batch.records_with(decompressor, decompressed_bytes_max)?;
    let Some(record) = records.iter().next().transpose()? else { return Ok(None) };
    Ok(match ControlRecord::read(record.key, record.value) {
        Ok(ControlRecord::Abort { .. }) => Some(Marker::Abort),
        Ok(ControlRecord::Commit { .. }) => Some(Marker::Commit),
        // Of what it cannot read it knows no reason to drop it.
        Ok(_) | Err(_) => None,
    })
}

/// What stays of a batch none of whose records does.
fn without_records(header: &BatchHeader, rules: &Rules<'_>) -> Kept {
    let ends_log = header.last_offset().saturating_add(1) == rules.settings.end_offset;
    if !ends_log && !is_last_of_producer(header, rules.settings) {
        return Kept::Dropped;
    }
    if header.record_count == 0 {
        return Kept::Whole;
    }
    Kept::Changed(Bytes::copy_from_slice(&header.emptied().encode()))
}

/// Whether a live producer's state can be told from this batch alone.
fn is_last_of_producer(header: &BatchHeader, settings: &Settings) -> bool {
    if !header.has_producer_id() {
        return false;
    }
    match settings.last_records.get(&header.producer_id) {
        Some(&LastRecord { data_offset: Some(offset), .. }) => offset == header.last_offset(),
        // It wrote no data that is left: the marker has its epoch.
        Some(last) => header.attributes.is_control() && last.producer_epoch == header.producer_epoch,
        None => false,
    }
}
