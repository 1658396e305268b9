//! What compaction leaves of a batch.
//!
//! Owns the decision about each batch and each record, and the making of batches from which records were taken.
//! Reads no file and writes none. What is in doubt is kept.

use bytes::Bytes;
use strandline_protocol::batch::{
    BatchBuilder, BatchError, BatchHeader, BatchView, BuildError, ControlRecord, NewRecord, RecordHeader,
    RecordSection,
};
use strandline_protocol::{Compression, CompressionError, Compressor, Decompressor};

use super::offset_map::OffsetMap;
use super::transactions::{AbortedTransaction, Ending, Marker, Transactions};
use super::{LastRecord, Settings};

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

/// What was found and what was done.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Statistics {
    /// Bytes of the batches that were read to find the keys' last offsets.
    pub mapped_bytes: u64,
    /// Keys that were found.
    pub keys: u64,
    /// Batches that were looked at.
    pub batches_read: u64,
    /// Their bytes.
    pub bytes_read: u64,
    /// Batches that stay, in whatever form.
    pub batches_kept: u64,
    /// Their bytes.
    pub bytes_kept: u64,
    /// Batches that stay as they were, byte for byte.
    pub batches_whole: u64,
    /// Records that a later one with the same key has taken the place of.
    pub records_superseded: u64,
    /// Tombstones that are no longer needed.
    pub tombstones_dropped: u64,
    /// Records without a key, which have no place in a compacted log.
    pub records_without_key: u64,
    /// Records of transactions that were aborted.
    pub records_aborted: u64,
    /// Transaction markers that are no longer needed.
    pub markers_dropped: u64,
    /// Batches that could not be written again with less in them, and stay as they were.
    pub batches_unwritable: u64,
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
    /// One for each codec that has been met.
    compressors: Vec<Compressor>,
    /// For each record of the batch, whether it stays.
    stays: Vec<bool>,
    pub(super) statistics: Statistics,
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
            compressors: Vec::new(),
            stays: Vec::new(),
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
                self.rewritten(header, |compressor| {
                    marker_with_horizon(header, &records, horizon_ms, compressor)
                })
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
        if verdict.kept == self.stays.len() && horizon_ms == before {
            return Ok(Kept::Whole);
        }
        let stays = std::mem::take(&mut self.stays);
        let kept = self
            .rewritten(header, |compressor| with_records(header, &records, &stays, horizon_ms, compressor));
        self.stays = stays;
        kept
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
        let mut verdict = Verdict::default();
        self.stays.clear();
        for record in records {
            let record = record?;
            let stays = if record.offset >= rules.mapped_to {
                true
            } else if let Some(key) = record.key {
                let last_offset = rules.map.get(rules.map.hash(key));
                let is_superseded = last_offset.is_some_and(|last| record.offset < last);
                let is_spent = record.value.is_none() && !keeps_tombstones;
                self.statistics.records_superseded += u64::from(is_superseded);
                self.statistics.tombstones_dropped += u64::from(is_spent && !is_superseded);
                !is_superseded && !is_spent
            } else {
                self.statistics.records_without_key += 1;
                false
            };
            verdict.kept += usize::from(stays);
            verdict.has_tombstone |= stays && record.value.is_none();
            self.stays.push(stays);
        }
        Ok(verdict)
    }

    /// The batch that `build` makes. Where there can be none, the old one stays, with more in it than needed.
    fn rewritten(
        &mut self,
        header: &BatchHeader,
        build: impl FnOnce(&mut Compressor) -> Result<Option<Bytes>, BuildError>,
    ) -> Result<Kept, BatchError> {
        let codec = header.attributes.compression()?;
        let built = self.compressor(codec).map_err(BuildError::from).and_then(build);
        match built {
            Ok(Some(bytes)) => Ok(Kept::Changed(bytes)),
            Ok(None) | Err(_) => {
                self.statistics.batches_unwritable += 1;
                Ok(Kept::Whole)
            }
        }
    }

    fn compressor(&mut self, codec: Compression) -> Result<&mut Compressor, CompressionError> {
        let place = match self.compressors.iter().position(|compressor| compressor.codec() == codec) {
            Some(place) => place,
            None => {
                self.compressors.push(Compressor::new(codec, None)?);
                self.compressors.len() - 1
            }
        };
        self.compressors.get_mut(place).ok_or(CompressionError::UnknownId(codec.id()))
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

/// A builder for what stays of a batch: everything in the header but the horizon is as it was.
fn builder(header: &BatchHeader, record_bytes: usize, horizon_ms: Option<i64>) -> BatchBuilder {
    let mut builder = BatchBuilder::with_capacity(record_bytes)
        .base_offset(header.base_offset)
        .partition_leader_epoch(header.partition_leader_epoch)
        .producer(header.producer_id, header.producer_epoch, header.base_sequence)
        .transactional(header.attributes.is_transactional())
        .control(header.attributes.is_control());
    if let Some(append_time) = header.append_time() {
        builder = builder.log_append_time(append_time);
    }
    match horizon_ms {
        Some(horizon_ms) => builder.delete_horizon(horizon_ms),
        None => builder,
    }
}

/// The batch with those of its records that stay.
fn with_records(
    header: &BatchHeader,
    records: &RecordSection<'_>,
    stays: &[bool],
    horizon_ms: Option<i64>,
    compressor: &mut Compressor,
) -> Result<Option<Bytes>, BuildError> {
    let mut builder = builder(header, records.as_slice().len(), horizon_ms);
    for (record, stays) in records.iter().zip(stays) {
        let Ok(record) = record else { return Ok(None) };
        if !stays {
            continue;
        }
        let headers: Result<Vec<RecordHeader<'_>>, _> = record.headers.collect();
        let (Ok(headers), Ok(offset_delta)) =
            (headers, i32::try_from(record.offset.wrapping_sub(header.base_offset)))
        else {
            return Ok(None);
        };
        let record = NewRecord {
            timestamp: record.timestamp,
            key: record.key,
            value: record.value,
            headers: &headers,
        };
        builder.append_at(offset_delta, &record)?;
    }
    builder.end_at(header.last_offset_delta)?;
    builder.build_with(compressor).map(Some)
}

/// The marker with a horizon from which on it may go. None if the builder would not write the same record.
fn marker_with_horizon(
    header: &BatchHeader,
    records: &RecordSection<'_>,
    horizon_ms: i64,
    compressor: &mut Compressor,
) -> Result<Option<Bytes>, BuildError> {
    let mut builder = builder(header, records.as_slice().len(), Some(horizon_ms));
    for record in records {
        let Ok(record) = record else { return Ok(None) };
        let Ok(read) = ControlRecord::read(record.key, record.value) else { return Ok(None) };
        // Its bytes as they are: later versions may have more in them than is read here.
        let value = record.value.map(Bytes::copy_from_slice);
        let same = ControlRecord::Unknown { type_id: read.type_id(), value };
        let is_next = record.offset == header.base_offset.wrapping_add(builder.record_count().into());
        if !is_next || !record.headers.is_empty() || Some(same.key()?.as_ref()) != record.key {
            return Ok(None);
        }
        builder.append_control(record.timestamp, &same)?;
    }
    builder.end_at(header.last_offset_delta)?;
    builder.build_with(compressor).map(Some)
}
