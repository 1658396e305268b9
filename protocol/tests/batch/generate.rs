//! Random batches, as someone would want to build them.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use strandline_protocol::batch::{
    BatchBuilder, BatchError, BatchErrorKind, BatchView, NO_TIMESTAMP, NewRecord, Record, RecordHeader,
};
use strandline_protocol::{Bytes, Compression};

use crate::make::{BYTES_MAX, NOW};

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OwnedRecord {
    pub(crate) timestamp: i64,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) headers: Vec<(String, Option<Vec<u8>>)>,
}

impl OwnedRecord {
    /// A record as it was read, with its offset.
    pub(crate) fn of(record: &Record<'_>) -> Result<(i64, Self), BatchErrorKind> {
        let header = |header: RecordHeader<'_>| {
            (String::from_utf8_lossy(header.key).into_owned(), header.value.map(<[u8]>::to_vec))
        };
        let owned = Self {
            timestamp: record.timestamp,
            key: record.key.map(<[u8]>::to_vec),
            value: record.value.map(<[u8]>::to_vec),
            headers: record.headers.map(|found| found.map(header)).collect::<Result<_, _>>()?,
        };
        Ok((record.offset, owned))
    }

    /// Calls `work` with the record as the builder takes it.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&NewRecord<'_>) -> T) -> T {
        let headers: Vec<_> =
            self.headers.iter().map(|(key, value)| RecordHeader::new(key, value.as_deref())).collect();
        work(&NewRecord {
            timestamp: self.timestamp,
            key: self.key.as_deref(),
            value: self.value.as_deref(),
            headers: &headers,
        })
    }
}

#[derive(Clone, Debug)]
pub(crate) struct BatchPlan {
    pub(crate) records: Vec<OwnedRecord>,
    pub(crate) compression: Compression,
    pub(crate) producer: Option<(i64, i16, i32)>,
    pub(crate) transactional: bool,
    pub(crate) append_time: Option<i64>,
    pub(crate) base_offset: i64,
    pub(crate) leader_epoch: i32,
}

impl BatchPlan {
    pub(crate) fn builder(&self) -> BatchBuilder {
        let mut builder = BatchBuilder::new()
            .base_offset(self.base_offset)
            .partition_leader_epoch(self.leader_epoch)
            .compression(self.compression, None)
            .transactional(self.transactional);
        if let Some((id, epoch, sequence)) = self.producer {
            builder = builder.producer(id, epoch, sequence);
        }
        if let Some(time) = self.append_time {
            builder = builder.log_append_time(time);
        }
        builder
    }

    pub(crate) fn build(&self) -> Bytes {
        let mut builder = self.builder();
        for record in &self.records {
            record.with(|record| builder.append(record)).unwrap();
        }
        builder.build().unwrap()
    }

    /// What a reader should find.
    pub(crate) fn expected(&self) -> Vec<(i64, OwnedRecord)> {
        let seen = |record: &OwnedRecord| OwnedRecord {
            timestamp: self.append_time.unwrap_or(record.timestamp),
            ..record.clone()
        };
        (self.base_offset..).zip(self.records.iter().map(seen)).collect()
    }
}

/// Every record of the batch with its offset, or why it cannot be read.
pub(crate) fn read(batch: &BatchView<'_>) -> Result<Vec<(i64, OwnedRecord)>, BatchErrorKind> {
    let kind = |error: BatchError| error.kind;
    let section = batch.records(BYTES_MAX).map_err(kind)?;
    section.iter().map(|record| OwnedRecord::of(&record.map_err(kind)?)).collect()
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => vec(any::<u8>(), 0..20),
        // Where a length begins to take two bytes, and where three.
        2 => vec(any::<u8>(), 60..68),
        1 => (any::<u8>(), 8_188..8_196usize).prop_map(|(byte, length)| vec![byte; length]),
    ]
}

fn timestamp() -> impl Strategy<Value = i64> {
    prop_oneof![
        6 => NOW - 10..NOW + 100_000,
        1 => Just(NO_TIMESTAMP),
        1 => Just(0),
        // With a base timestamp of -1, the largest difference that there is.
        1 => Just(i64::MAX - 1),
    ]
}

pub(crate) fn record() -> impl Strategy<Value = OwnedRecord> {
    let header_key = prop_oneof![Just("h".to_owned()), Just("é".to_owned()), "[a-z]{0,8}"];
    let headers =
        prop_oneof![2 => Just(Vec::new()), 1 => vec((header_key, option::of(bytes())), 0..6).boxed()];
    (timestamp(), option::of(bytes()), option::of(bytes()), headers)
        .prop_map(|(timestamp, key, value, headers)| OwnedRecord { timestamp, key, value, headers })
}

pub(crate) fn batch() -> impl Strategy<Value = BatchPlan> {
    batch_of(Compression::ALL.to_vec())
}

pub(crate) fn batch_of(compressions: Vec<Compression>) -> impl Strategy<Value = BatchPlan> {
    let producer = (0..=i64::MAX, 0..=i16::MAX, 0..=i32::MAX);
    (
        vec(record(), 1..12),
        proptest::sample::select(compressions),
        option::of(producer),
        any::<bool>(),
        option::weighted(0.2, 0..=i64::MAX),
        0..i64::MAX - 100,
        -1..=i32::MAX,
    )
        .prop_map(
            |(records, compression, producer, transactional, append_time, base_offset, leader_epoch)| {
                BatchPlan {
                    records,
                    compression,
                    producer,
                    transactional: transactional && producer.is_some(),
                    append_time,
                    base_offset,
                    leader_epoch,
                }
            },
        )
}
