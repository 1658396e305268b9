//! What holds of the builder: whatever it accepts is a valid batch, and all that went in comes out.

use bytes::Bytes;
use strandline_protocol::Compression;
use strandline_protocol::batch::{BatchBuilder, BatchView, BuildError, NewRecord, Origin, RecordHeader};

use super::batch::read_all;

/// More than an input of the fuzzer's can make.
const DECOMPRESSED_BYTES_MAX: usize = 4 << 20;

/// Takes the input for a list of what to say to a builder.
pub fn round_trip(input: &[u8]) {
    let mut source = Source(input);
    let plan = Plan::take(&mut source);
    if let Ok(bytes) = plan.build() {
        plan.assert_all_there(&bytes);
    }
}

/// Bytes to make choices from; zeroes when they run out.
struct Source<'a>(&'a [u8]);

impl<'a> Source<'a> {
    fn bytes(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at_checked(length).unwrap_or((self.0, &[]));
        self.0 = rest;
        taken
    }

    fn byte(&mut self) -> u8 {
        self.bytes(1).first().copied().unwrap_or_default()
    }

    /// A number that is mostly small, and now and then at an end of its type or anything.
    fn number(&mut self) -> i64 {
        match self.byte() {
            0xFD => i64::MIN,
            0xFE => i64::MAX,
            0xFF => self.bytes(8).iter().fold(0, |number, &byte| number << 8 | i64::from(byte)),
            small => i64::from(small) - 1,
        }
    }

    fn optional<T>(&mut self, take: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.byte() % 2 == 1).then(|| take(self))
    }

    fn blob(&mut self) -> &'a [u8] {
        let length = usize::from(self.byte());
        self.bytes(length)
    }
}

struct Plan<'a> {
    base_offset: i64,
    producer: Option<(i64, i16, i32)>,
    transactional: bool,
    compression: Compression,
    append_time: Option<i64>,
    delete_horizon: Option<i64>,
    records: Vec<PlannedRecord<'a>>,
}

struct PlannedRecord<'a> {
    // Above the lowest delta that is possible, as where compaction took records out.
    offset_gap: i32,
    timestamp: i64,
    key: Option<&'a [u8]>,
    value: Option<&'a [u8]>,
    headers: Vec<RecordHeader<'a>>,
}

impl<'a> Plan<'a> {
    #[expect(clippy::cast_possible_truncation, reason = "any number will do")]
    fn take(source: &mut Source<'a>) -> Self {
        let codec = usize::from(source.byte()) % Compression::ALL.len();
        let mut plan = Self {
            compression: Compression::ALL.get(codec).copied().unwrap_or_default(),
            base_offset: source.number(),
            producer: source
                .optional(|source| (source.number(), source.number() as i16, source.number() as i32)),
            transactional: source.byte() % 2 == 1,
            append_time: source.optional(Source::number),
            delete_horizon: source.optional(Source::number),
            records: Vec::new(),
        };
        while !source.0.is_empty() {
            plan.records.push(PlannedRecord {
                offset_gap: source.optional(Source::number).unwrap_or_default() as i32,
                timestamp: source.number(),
                key: source.optional(Source::blob),
                value: source.optional(Source::blob),
                headers: (0..source.byte() % 4)
                    .map(|_| RecordHeader { key: source.blob(), value: source.optional(Source::blob) })
                    .collect(),
            });
        }
        plan
    }

    fn build(&self) -> Result<Bytes, BuildError> {
        let mut builder = BatchBuilder::new()
            .base_offset(self.base_offset)
            .transactional(self.transactional)
            .compression(self.compression, None);
        if let Some((id, epoch, sequence)) = self.producer {
            builder = builder.producer(id, epoch, sequence);
        }
        if let Some(time) = self.append_time {
            builder = builder.log_append_time(time);
        }
        if let Some(horizon) = self.delete_horizon {
            builder = builder.delete_horizon(horizon);
        }
        let mut offset_delta = -1i32;
        for record in &self.records {
            let expected_bytes = builder.bytes_with(&record.new_record());
            offset_delta = offset_delta.wrapping_add(1).wrapping_add(record.offset_gap);
            builder.append_at(offset_delta, &record.new_record())?;
            assert!(
                record.offset_gap != 0 || builder.bytes() == expected_bytes,
                "not the bytes that were foretold"
            );
        }
        builder.build()
    }

    fn assert_all_there(&self, bytes: &[u8]) {
        let view = match BatchView::parse_only(bytes) {
            Ok(view) => view,
            Err(error) => unreachable!("what was built does not parse: {error}"),
        };
        let summary = view.validate(Origin::Log, DECOMPRESSED_BYTES_MAX);
        assert!(summary.is_ok(), "what was built is not valid: {summary:?}");
        let contiguous = self.records.iter().all(|record| record.offset_gap == 0);
        // What a coordinator appends in a transaction has no sequence number. No producer may send such.
        let is_counted = self.producer.is_none_or(|(id, _, sequence)| id < 0 || sequence >= 0);
        if contiguous {
            let of_a_producer = view.validate(Origin::Producer, DECOMPRESSED_BYTES_MAX);
            assert!(if is_counted { of_a_producer == summary } else { of_a_producer.is_err() });
        }
        let Ok(section) = view.records(DECOMPRESSED_BYTES_MAX) else {
            unreachable!("valid records are readable")
        };
        assert_eq!(read_all(&section, self.base_offset), summary.ok());
        let mut offset = self.base_offset.wrapping_sub(1);
        let mut read = section.iter();
        for planned in &self.records {
            offset = offset.wrapping_add(1).wrapping_add(i64::from(planned.offset_gap));
            let Some(Ok(record)) = read.next() else { unreachable!("a valid batch has all its records") };
            let timestamp = self.append_time.unwrap_or(planned.timestamp);
            assert_eq!((record.offset, record.timestamp), (offset, timestamp));
            assert_eq!((record.key, record.value), (planned.key, planned.value));
            let headers: Result<Vec<_>, _> = record.headers.collect();
            assert_eq!(headers.as_ref(), Ok(&planned.headers));
        }
        assert!(read.next().is_none());
    }
}

impl PlannedRecord<'_> {
    fn new_record(&self) -> NewRecord<'_> {
        NewRecord { timestamp: self.timestamp, key: self.key, value: self.value, headers: &self.headers }
    }
}
