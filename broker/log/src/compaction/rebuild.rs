//! Making a batch anew from what stays of it.
//!
//! Owns what a batch keeps when it loses records: its offsets, its producer, its codec and the time of its append.
//! Where no such batch can be made there is none, and the caller keeps the old one.

use bytes::Bytes;
use strandline_protocol::batch::{
    BatchBuilder, BatchHeader, ControlRecord, NewRecord, RecordHeader, RecordSection,
};
use strandline_protocol::{Compression, Compressor};

/// Makes batches, and keeps a compressor for each codec that it has met.
#[derive(Default)]
pub(super) struct Rebuilder {
    compressors: Vec<Compressor>,
}

impl Rebuilder {
    /// The batch with those of its records that stay.
    pub(super) fn with_records(
        &mut self,
        header: &BatchHeader,
        records: &RecordSection<'_>,
        stays: impl Iterator<Item = bool>,
        horizon_ms: Option<i64>,
    ) -> Option<Bytes> {
        let mut builder = builder(header, records.as_slice().len(), horizon_ms);
        for (record, _) in records.iter().zip(stays).filter(|(_, stays)| *stays) {
            let record = record.ok()?;
            let headers: Vec<RecordHeader<'_>> = record.headers.collect::<Result<_, _>>().ok()?;
            let offset_delta = i32::try_from(record.offset.checked_sub(header.base_offset)?).ok()?;
            let record = NewRecord {
                timestamp: record.timestamp,
                key: record.key,
                value: record.value,
                headers: &headers,
            };
            builder.append_at(offset_delta, &record).ok()?;
        }
        self.build(header, builder)
    }

    /// The marker with a horizon from which on it may go. None if the builder would not write the same record.
    pub(super) fn with_horizon(
        &mut self,
        header: &BatchHeader,
        records: &RecordSection<'_>,
        horizon_ms: i64,
    ) -> Option<Bytes> {
        let mut builder = builder(header, records.as_slice().len(), Some(horizon_ms));
        for record in records {
            let record = record.ok()?;
            let type_id = ControlRecord::read(record.key, record.value).ok()?.type_id();
            // Its bytes as they are: later versions may have more in them than is read here.
            let value = record.value.map(Bytes::copy_from_slice);
            let same = ControlRecord::Unknown { type_id, value };
            let is_next = record.offset == header.base_offset + i64::from(builder.record_count());
            if !is_next || !record.headers.is_empty() || Some(same.key().ok()?.as_ref()) != record.key {
                return None;
            }
            builder.append_control(record.timestamp, &same).ok()?;
        }
        self.build(header, builder)
    }

    fn build(&mut self, header: &BatchHeader, mut builder: BatchBuilder) -> Option<Bytes> {
        builder.end_at(header.last_offset_delta).ok()?;
        let codec = header.attributes.compression().ok()?;
        builder.build_with(self.compressor(codec)?).ok()
    }

    fn compressor(&mut self, codec: Compression) -> Option<&mut Compressor> {
        if !self.compressors.iter().any(|compressor| compressor.codec() == codec) {
            self.compressors.push(Compressor::new(codec, None).ok()?);
        }
        self.compressors.iter_mut().find(|compressor| compressor.codec() == codec)
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
