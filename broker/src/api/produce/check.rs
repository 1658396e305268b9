//! Whether a batch may be appended to a topic, and what the leader changes about it before: all that can be said
//! without its log. The rules and their order are Kafka's.

use std::cell::RefCell;

use strandline_log::engine::{NewBatch, Partition};
use strandline_protocol::apis::produce::BatchIndexAndErrorMessage;
use strandline_protocol::batch::{
    BatchError, BatchErrorKind, BatchHeader, BatchSummary, BatchView, NO_TIMESTAMP, Origin, TimestampType,
};
use strandline_protocol::{Bytes, Compression, Decompressor, ErrorCode, Text};

use crate::api::topics::TopicRules;

/// What a batch may grow to when it is decompressed to be looked at.
const DECOMPRESSED_BYTES_MAX: usize = 64 << 20;

/// A batch that grows beyond this is looked at elsewhere: meanwhile no other connection could be served.
const DECOMPRESSED_HERE_BYTES_MAX: usize = 2 << 20;

/// From this version on a client knows zstd.
const ZSTD_VERSION_MIN: i16 = 7;

/// So many records are named at most that made a batch be refused.
const RECORD_ERRORS_MAX: usize = 1_000;

thread_local! {
    /// Its buffer is used again from one batch to the next.
    static DECOMPRESSOR: RefCell<Decompressor> = RefCell::new(Decompressor::new());
}

/// Why a batch is refused.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Fault {
    pub(super) code: ErrorCode,
    pub(super) message: Option<Text>,
    /// The records that made it so, if it was any in particular.
    pub(super) records: Vec<BatchIndexAndErrorMessage>,
    /// Where the log begins, if that is told.
    pub(super) log_start_offset: Option<i64>,
}

impl Fault {
    pub(super) fn of(code: ErrorCode) -> Self {
        Self { code, ..Self::default() }
    }

    pub(super) fn new(code: ErrorCode, message: impl Into<Text>) -> Self {
        Self { code, message: Some(message.into()), ..Self::default() }
    }

    /// The same about a log. As in Kafka, where it begins is told beside records that are at fault, or what holds them.
    pub(super) fn beside(mut self, log: &Partition) -> Self {
        if matches!(self.code, ErrorCode::INVALID_RECORD | ErrorCode::INVALID_TIMESTAMP) {
            self.log_start_offset = Some(log.offsets().start);
        }
        self
    }
}

impl From<BatchError> for Fault {
    fn from(error: BatchError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

/// A batch that may go to the writer, but perhaps for what takes its time.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) bytes: Bytes,
    pub(super) header: BatchHeader,
    pub(super) verdict: Verdict,
}

/// What is to be done with a batch that may go to the writer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Verdict {
    /// The timestamps that its header gets, where it has others.
    stamp: Option<(TimestampType, i64)>,
    pub(super) rest: Option<Rest>,
}

/// What is left to do before a batch may go to the writer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Rest {
    /// All of the checks: there is too much to decompress for that to be done at once.
    Check,
    /// Its records are to be compressed with something else.
    Recompress(Compression, Option<i32>),
}

/// What a producer's request says for a partition, as far as nothing about the topic has to be known.
pub(super) fn parse(records: &[u8], version: i16) -> Result<BatchView<'_>, Fault> {
    let batch = BatchView::parse_only(records)?;
    let attributes = batch.header().attributes;
    if attributes.compression_id() == Compression::Zstd.id() && version < ZSTD_VERSION_MIN {
        let message = "Produce requests below version 7 are not allowed to use zstd";
        return Err(Fault::new(ErrorCode::UNSUPPORTED_COMPRESSION_TYPE, Text::from_static(message)));
    }
    Ok(batch)
}

/// Holds a batch against the topic's rules.
pub(super) fn check(batch: &BatchView<'_>, rules: &TopicRules, now_ms: i64) -> Result<Verdict, Fault> {
    let header = batch.header();
    if header.base_offset != 0 {
        let message = format!("the base offset is {}, and a producer's is 0", header.base_offset);
        return Err(Fault::new(ErrorCode::INVALID_RECORD, message));
    }
    check_size(batch.bytes().len(), rules)?;
    let summary = DECOMPRESSOR.with_borrow_mut(|decompressor| {
        batch.validate_with(decompressor, Origin::Producer, DECOMPRESSED_HERE_BYTES_MAX)
    });
    match summary {
        Err(error) if matches!(error.kind, BatchErrorKind::DecompressedTooLarge(_)) => {
            Ok(Verdict { stamp: None, rest: Some(Rest::Check) })
        }
        summary => judge(batch, &summary?, rules, now_ms),
    }
}

/// Holds what was found in the records against the topic's rules.
fn judge(
    batch: &BatchView<'_>,
    summary: &BatchSummary,
    rules: &TopicRules,
    now_ms: i64,
) -> Result<Verdict, Fault> {
    let header = batch.header();
    if has_faulty_record(header, summary, rules, now_ms) {
        return Err(faulty_records(batch, rules, now_ms));
    }
    let max_timestamp = match rules.timestamp_type {
        TimestampType::CreateTime => summary.timestamp_max,
        TimestampType::LogAppendTime => now_ms,
    };
    let recompress = rules.compression.filter(|(codec, _)| codec.id() != header.attributes.compression_id());
    let rest = recompress.map(|(codec, level)| Rest::Recompress(codec, level));
    let stamp = (rules.timestamp_type, max_timestamp);
    let is_right = (header.attributes.timestamp_type(), header.max_timestamp) == stamp;
    Ok(Verdict { stamp: (!is_right).then_some(stamp), rest })
}

/// Does what is left to do with a batch. It takes its time, and memory: how many do so at one time is bounded elsewhere.
pub(super) fn complete(checked: Checked, rules: &TopicRules, now_ms: i64) -> Result<Checked, Fault> {
    let Checked { bytes, header, verdict } = checked;
    let verdict = match verdict.rest {
        Some(Rest::Check) => {
            let batch = BatchView::parse_only(&bytes)?;
            let mut decompressor = Decompressor::with_room(DECOMPRESSED_BYTES_MAX);
            let summary = batch.validate_with(&mut decompressor, Origin::Producer, DECOMPRESSED_BYTES_MAX)?;
            judge(&batch, &summary, rules, now_ms)?
        }
        _ => verdict,
    };
    let (bytes, header) = match verdict.rest {
        Some(Rest::Recompress(codec, level)) => recompress(&bytes, codec, level, rules)?,
        _ => (bytes, header),
    };
    Ok(Checked { bytes, header, verdict: Verdict { rest: None, ..verdict } })
}

fn recompress(
    bytes: &Bytes,
    codec: Compression,
    level: Option<i32>,
    rules: &TopicRules,
) -> Result<(Bytes, BatchHeader), Fault> {
    let bytes = BatchView::parse_only(bytes)?.recompressed(codec, level, DECOMPRESSED_BYTES_MAX)?;
    check_size(bytes.len(), rules)?;
    let header = BatchHeader::parse(&bytes)?;
    Ok((bytes, header))
}

/// A batch for the writer.
pub(super) fn new_batch(checked: Checked) -> NewBatch {
    let Checked { bytes, header, verdict } = checked;
    let batch = NewBatch::of_producer(bytes, header);
    match verdict.stamp {
        Some((timestamp_type, max_timestamp)) => batch.stamped(timestamp_type, max_timestamp),
        None => batch,
    }
}

fn check_size(bytes: usize, rules: &TopicRules) -> Result<(), Fault> {
    if bytes <= rules.message_bytes_max {
        return Ok(());
    }
    let message =
        format!("the batch has {bytes} bytes, and max.message.bytes allows {}", rules.message_bytes_max);
    Err(Fault::new(ErrorCode::MESSAGE_TOO_LARGE, message))
}

/// Whether any record is at fault, as far as the facts about all of them tell: no record is looked at again.
fn has_faulty_record(header: &BatchHeader, summary: &BatchSummary, rules: &TopicRules, now_ms: i64) -> bool {
    if rules.compacts && summary.first_without_key.is_some() {
        return true;
    }
    let claims_append_time = header.append_time().is_some();
    match (rules.timestamp_type, summary.timestamp_min) {
        (TimestampType::LogAppendTime, _) | (TimestampType::CreateTime, None) => claims_append_time,
        (TimestampType::CreateTime, Some(min)) => {
            is_out_of_bounds(min, rules, now_ms) || is_out_of_bounds(summary.timestamp_max, rules, now_ms)
        }
    }
}

fn is_out_of_bounds(timestamp: i64, rules: &TopicRules, now_ms: i64) -> bool {
    let behind_ms = now_ms.saturating_sub(timestamp);
    behind_ms > rules.timestamp_before_max_ms || behind_ms.saturating_neg() > rules.timestamp_after_max_ms
}

/// Which records are at fault, and how.
fn faulty_records(batch: &BatchView<'_>, rules: &TopicRules, now_ms: i64) -> Fault {
    let records = match batch.records(DECOMPRESSED_BYTES_MAX) {
        Ok(records) => records,
        Err(error) => return error.into(),
    };
    let claims_append_time = batch.header().append_time().is_some();
    let mut fault = Fault::default();
    for (index, record) in (0..).zip(&records) {
        let Ok(record) = record else { break };
        let (code, message) = if rules.compacts && record.key.is_none() {
            (ErrorCode::INVALID_RECORD, "Compacted topic cannot accept message without key".into())
        } else if rules.timestamp_type == TimestampType::CreateTime && record.timestamp != NO_TIMESTAMP {
            if !is_out_of_bounds(record.timestamp, rules, now_ms) {
                continue;
            }
            (ErrorCode::INVALID_TIMESTAMP, format!("Timestamp {} is out of range", record.timestamp).into())
        } else if claims_append_time {
            let message = "Producer should not set timestamp type to LogAppendTime";
            (ErrorCode::INVALID_TIMESTAMP, Text::from_static(message))
        } else {
            continue;
        };
        // One time that is wrong makes it an error about times.
        if fault.code != ErrorCode::INVALID_TIMESTAMP {
            fault.code = code;
        }
        let batch_index_error_message = Some(message);
        let error =
            BatchIndexAndErrorMessage { batch_index: index, batch_index_error_message, ..Default::default() };
        fault.records.push(error);
        if fault.records.len() == RECORD_ERRORS_MAX {
            break;
        }
    }
    fault.message = Some(match fault.code {
        ErrorCode::INVALID_TIMESTAMP => {
            Text::from_static("One or more records have been rejected due to invalid timestamp")
        }
        _ => Text::from_static("One or more records have been rejected"),
    });
    fault
}
