//! Record batches: the unit in which records are sent, stored and replicated.
//!
//! Owns format 2 of Kafka's record batches, the only one in use: reading it off borrowed or shared bytes,
//! checking it, building it, and changing the header fields that a broker assigns. It knows no log and no
//! clock, copies no record that is not compressed, and trusts no length or count.
//!
//! A batch is a header of [`HEADER_BYTES`] and its records behind it, compressed together or not at all:
//!
//! | bytes | field | |
//! | --- | --- | --- |
//! | 0..8 | base offset | assigned by the leader |
//! | 8..12 | batch length | of what follows it |
//! | 12..16 | partition leader epoch | assigned by the leader |
//! | 16 | magic | 2 |
//! | 17..21 | CRC-32C | of what follows it: what lies before it may change without it |
//! | 21..23 | attributes | codec (bits 0-2), timestamp type (3), transactional (4), control (5), delete horizon (6) |
//! | 23..27 | last offset delta | |
//! | 27..35 | base timestamp | |
//! | 35..43 | max timestamp | |
//! | 43..51 | producer id | |
//! | 51..53 | producer epoch | |
//! | 53..57 | base sequence | |
//! | 57..61 | record count | |
//!
//! A record is its length, one byte of attributes, the differences of its timestamp and offset to the batch's,
//! key, value, and headers; all lengths and numbers are signed varints, and a length of -1 means null.
//!
//! # Reading
//!
//! [`BatchView`] borrows one batch and [`SharedBatch`] shares its buffer; [`batches`] and [`shared_batches`]
//! take a records field apart. Their `records` are the [`RecordSection`], over which one iterates. What came
//! from a producer is [validated](BatchView::validate) first.
//!
//! # What a leader changes
//!
//! ```
//! use strandline_protocol::batch::{BatchBuilder, BatchView, NewRecord, TimestampType};
//!
//! let mut builder = BatchBuilder::new();
//! builder.append(&NewRecord { value: Some(b"v"), ..NewRecord::at(5) })?;
//! let mut bytes = builder.build()?.to_vec();
//!
//! let mut header = *BatchView::parse(&bytes)?.header();
//! header.assign(1_000, 7);
//! header.set_timestamps(TimestampType::LogAppendTime, 1_700_000_000_000);
//! header.write_over(&mut bytes)?;
//!
//! let batch = BatchView::parse(&bytes)?;
//! batch.check_crc()?;
//! let records = batch.records(0)?;
//! let record = records.iter().next().unwrap()?;
//! assert_eq!((record.offset, record.timestamp), (1_000, 1_700_000_000_000));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod builder;
mod checksum;
mod control;
mod cursor;
mod error;
mod header;
mod quick;
mod recompress;
mod record;
mod section;
mod validate;
mod view;
mod write;

pub use builder::{BatchBuilder, BuildError, NewRecord};
pub use control::{ControlError, ControlRecord};
pub use error::{BatchError, BatchErrorKind, Place};
pub use header::{
    Attributes, BatchHeader, HEADER_BYTES, LENGTH_OVERHEAD_BYTES, MAGIC, NO_LEADER_EPOCH, NO_PRODUCER_EPOCH,
    NO_PRODUCER_ID, NO_SEQUENCE, NO_TIMESTAMP, TimestampType,
};
pub use record::{Headers, Record, RecordHeader};
pub use section::{RecordIter, RecordSection};
pub use validate::{BatchSummary, Origin};
pub use view::{BatchView, Batches, SharedBatch, SharedBatches, batches, shared_batches};
